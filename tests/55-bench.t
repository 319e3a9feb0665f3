#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 55-bench.t - the benchmark's whole chain, on two small cells: guest, JSON,
# report, plots, comparison; and make bench DEV= on a device of a guest
#
# Figures are asserted to be there, not to be good.
# shellcheck disable=SC2016  # jq and other shells
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start
need_kernel 6.1

# holds TEXT JQ - true of the result
holds() {
	check "$1" jq -e "$2" "$tmp/a/result.json"
}

check "the benchmark runs" env DEVICES=brd "$here/bench/bench" --lab icount \
	--cells '^psync-4k-rand(read|write)$' --result "$tmp/a"
cp "$tap_out" "$tmp/progress"
says "it counts what is done" "$tmp/progress" '^\[12/12\] .* to go$'

holds "the result is complete" '.complete and .format == 1 and .kernel == "6.1"'
holds "it has each cell of each variant once" '
	["linear", "crypt", "crypt-nowq", "crypt-samecpu", "inline-crypt"] as $variants |
	(.cells | map("\(.cell) \(.variant)") | sort) ==
	([("psync-4k-randread", "psync-4k-randwrite") as $cell | $variants[] | "\($cell) \(.)"] | sort)'
holds "all figures are positive" '
	.cells | all(.instructions > 0 and .iops > 0 and .lat_ns > 0 and .ctxt >= 0 and .ios == 4000)'
holds "idle time is known and not counted" '.cells | all(.idle >= 0 and .idle != null)'
holds "encryption costs something" '
	.cells | group_by(.cell) | all((map({ (.variant): .instructions }) | add) as $v |
		$v | to_entries | all(.key == "linear" or .value > $v.linear))'
holds "latencies run from few to all I/Os, and upwards" '
	.cells | all(.cdf | .[0][0] < 10 and .[-1][0] == 100 and (map(.[1]) | . == sort))'
holds "the cipher alone was timed, both ways" '
	(.cipher | map(.write) | sort) == [0, 1] and (.cipher | all(.ns > 0))'
holds "and is less than what a target adds" '
	(.cipher | map(.ns) | min) as $ns | .cells | group_by(.cell) | all(
		(map({ (.variant): .instructions }) | add) as $v | $v.crypt - $v.linear > $ns * 0.9)'

says "the report has the geometric mean" "$tmp/a/report.md" 'geometric mean of the gain, 2 cells: \*\*[0-9]+\.[0-9]{2}\*\*'
says "and the limit" "$tmp/a/report.md" 'brd, 4K reads over the limit: at most [0-9.]+ '
says "and both cells" "$tmp/a/report.md" '^\| brd \| psync-4k-randwrite \| [0-9]+ \| [0-9]+ \|'
for svg in bars-icount-brd switches-icount-brd latency-icount-brd; do
	says "the report shows $svg" "$tmp/a/report.md" "^!\\[.*\\]\\($svg\\.svg\\)\$"
	# The axes alone have fewer
	check "$svg.svg is one, with something on it" /usr/bin/python3 -c '
import sys, xml.dom.minidom
svg = xml.dom.minidom.parse(sys.argv[1]).documentElement
assert svg.tagName == "svg"
drawn = sum(len(svg.getElementsByTagName(tag)) for tag in ("path", "polygon"))
assert drawn > 20, drawn' "$tmp/a/$svg.svg"
done

"$here/bench/compare" "$tmp/a" "$tmp/a" > "$tmp/same"
says "compared with itself: the same" "$tmp/same" '^- geometric mean: 1\.00$'
says "all ratios are 1.00" "$tmp/same" '^\| brd \| psync-4k-randread \| [0-9]+ \| [0-9]+ \| 1\.00 \|'
says_not "nothing is flagged" "$tmp/same" '\*\*slower\*\*|\| faster \|'

mkdir "$tmp/b"
jq '.cells |= map(if .variant == "inline-crypt" and .cell == "psync-4k-randread"
		  then .instructions *= 3 | .idle = null else . end)' "$tmp/a/result.json" > "$tmp/b/result.json"
check "a report of a slower target" "$here/bench/report" "$tmp/b"
says "shows it" "$tmp/b/report.md" '^- slower than dm-crypt beyond noise: .*brd psync-4k-randread 0\.'
says "and that idle time is not known, where it is not" "$tmp/b/report.md" 'does not say exactly how long its CPU was idle'
says_not "which the other one does not" "$tmp/a/report.md" 'how long its CPU was idle'
"$here/bench/compare" "$tmp/a" "$tmp/b" > "$tmp/slower"
says "a comparison flags the cell" "$tmp/slower" '^\| brd \| psync-4k-randread \|.* 0\.33 .*\*\*slower\*\*'
says_not "and not the other one" "$tmp/slower" 'randwrite.*slower'
check "what is no result is refused" bash -c '! "$1" "$2" /dev/null' - "$here/bench/compare" "$tmp/a"

mkdir "$tmp/with"
cp "$here"/bench/{cells,matrix,device}.sh "$here/bench/matrix.txt" "$tmp/with"
printf '%s\n' "CELLS='^psync-4k-randread$'" ROUNDS=1 RUNTIME=500ms > "$tmp/with/settings"
check "make bench DEV= in a guest" "$here/vm/run" --kernel 6.1 --case-timeout 500 --with "$tmp/with" \
	"$here/bench/device-case.sh"

tap_finish
