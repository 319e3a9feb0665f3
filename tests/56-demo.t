#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 56-demo.t - the demo, with a part of its cells and of their I/Os: what it
# prints and saves, and the figures that the target is there for
#
# Instructions and context switches are counted, so a busy host does not change
# them.
# shellcheck disable=SC2016  # jq and another shell
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start
need_kernel 6.1
json=$tmp/demo-6.1.json text=$tmp/demo-6.1.txt

# holds TEXT JQ - true of the result, in which $cells has .CELL.VARIANT; else the figures are shown
holds() {
	check "$1" jq -ce '
		(.results | group_by(.cell) | map({ (.[0].cell): map({ (.variant): . }) | add }) | add) as $cells |
		if ('"$2"') then true else (.results[] | [.cell, .variant, .ctxt, .instructions]), false end' "$json"
}

# One of them twice
awk '/^(psync-4k-randread|psync-4k-randwrite|iouring-4k-qd16-randread) / {
		$2 /= 8
		print
		if (sub(/^psync-4k-randread /, "again "))
			print
	}' "$here/demo/cells.txt" > "$tmp/cells"

check "the demo runs" "$here/demo/demo" --cells "$tmp/cells" --result "$tmp"
cp "$tap_out" "$tmp/progress"
says "it shows what it does" "$tmp/progress" '^  and read back the same$'
says "dm-crypt reads the data" "$tmp/progress" '^  which dm-crypt reads as well$'
says "it counts what is done" "$tmp/progress" '^  \[16/16\] iouring-4k-qd16-randread inline-crypt: '

holds "each cell of each variant is in the JSON, once" '
	.kernel == "6.1" and (.results | map("\(.cell) \(.variant)")) ==
	[("psync-4k-randread", "again", "psync-4k-randwrite", "iouring-4k-qd16-randread") as $cell |
	 ("linear", "crypt", "crypt-nowq", "inline-crypt") as $variant | "\($cell) \($variant)"]'
holds "with all figures" '
	.results | all(.ios == 2000 and .iops > 0 and .lat_ns > 0 and .ctxt > 0 and .instructions > 0)'
says "the table has all columns" "$text" \
	'^workload +target +IOPS +latency us +switches/IO +instructions/IO$'
jq -r '.results[] | "\(.cell) \(.variant) \(.iops | round) \(.instructions | round)"' "$json" > "$tmp/want"
awk 'NF == 6 && $6 ~ /^[0-9]+$/ && $4 $5 ~ /^[0-9.]+$/ { print $1, $2, $3, $6 }' "$text" > "$tmp/got"
check "and the same lines as the JSON" diff "$tmp/want" "$tmp/got"
says "and the gain of each cell" "$text" '^  iouring-4k-qd16-randread +[0-9.]+x$'
check "all of it is printed" bash -c '! grep -Fxv -f "$1" "$2"' - "$tmp/progress" "$text"

for cell in psync-4k-randread iouring-4k-qd16-randread; do
	holds "$cell: no more context switches than dm-linear + 0.1" '
		$cells["'$cell'"] | .["inline-crypt"].ctxt <= .linear.ctxt + 0.1'
done
holds "no cell takes more instructions than with dm-crypt, either variant" '
	$cells | all(.["inline-crypt"].instructions <= ([.crypt, .["crypt-nowq"]] | map(.instructions) | min))'
# Not to the last one: the clock ticks elsewhere.
holds "the same cell has the same figure again, within 0.5 %" '
	[$cells["psync-4k-randread"], $cells.again | map_values(.instructions)] as [$a, $b] |
	$a | to_entries | all((.value - $b[.key]) / .value | fabs <= 0.005)'

tap_finish
