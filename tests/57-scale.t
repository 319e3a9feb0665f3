#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 57-scale.t - the lab of many CPUs, on five cells: four CPUs are used better than
# dm-crypt uses them
#
# Its time is counted from instructions and repeats to 0.1 % beside any load, so
# this is no timed test.
# shellcheck disable=SC2016  # jq's
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# The messages of the lab are looked for in its stderr.
export INLINE_CRYPT_LOG_FD=2
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start
need_kernel 6.1

# holds TEXT JQ - true of the result
holds() {
	check "$1" jq -e "$2" "$tmp/a/scale.json"
}

# gain CELL LEAST TEXT - over the better one of the two variants of dm-crypt that are measured
gain() {
	check "$3" jq -e -L "$here/bench/scale" --arg cell "$1" --argjson least "$2" 'include "scale";
		all_cells | at($cell; 4) | .gain, .counters | if type == "number" then
			debug, . >= $least else debug | empty end' "$tmp/a/scale.json"
}

# Not by check: if the lab skips, this test skips.
"$here/bench/scale/scale" --kernel 6.1 --cpus 4 --devices nullb0 --variants crypt,crypt-nowq,inline-crypt \
	--cells '^(r4k-libaio-1|w4k-libaio-1|w128k-libaio-1|r1M-psync-1|r4k-libaio-N)$' \
	--result "$tmp/a" > "$tmp/progress" 2> "$tmp/errors"
status=$?
[ $status != 77 ] || skip_all "$(sed -n 's/.*skip: //p' "$tmp/errors" | tail -n 1)"
check "the lab runs" [ $status = 0 ] || cat "$tmp/progress" "$tmp/errors" | tail -n 40 | diag_input
says "it counts what is done" "$tmp/progress" '^\[15/15\] nullb0 '
holds "the result is complete" '.complete and .format == 1 and .lab == "scale" and .kernel == "6.1"'
holds "it has each cell of each variant once" '
	(.cells | map("\(.cell) \(.variant)") | sort) == ([("r4k-libaio-1", "w4k-libaio-1", "w128k-libaio-1",
		"r1M-psync-1", "r4k-libaio-N") as $cell |
		("crypt", "crypt-nowq", "inline-crypt") | "\($cell) \(.)"] | sort)'
holds "all figures are positive" '.cells | all(.iops > 0 and .ios > 0 and .lat_us > 0 and .cpus == 4)'
gain r4k-libaio-1 1.02 "one job that reads: inline-crypt uses idle CPUs better"
gain w4k-libaio-1 1.2 "one job that writes: inline-crypt uses idle CPUs better"
gain w128k-libaio-1 1.5 "large writes of one job: workers take most of them"
gain r1M-psync-1 3 "large reads of one job: workers help the caller"
gain r4k-libaio-N 1.1 "a job on each CPU: inline-crypt leaves each where it is"
holds "and there, next to nothing goes to a worker" '[.counters[] | select(.cell == "r4k-libaio-N")] |
	(map(select(.when == "after").n) | add) as $a | (map(select(.when == "before").n) | add) as $b |
	($a.r_wq - $b.r_wq) * 20 < ($a.r_bh - $b.r_bh)'
for svg in gain-1-nullb0 gain-N-nullb0 rate-nullb0; do
	says "the report shows $svg" "$tmp/a/scale.md" "^!\\[.*\\]\\($svg\\.svg\\)\$"
	check "$svg.svg is one, with something on it" /usr/bin/python3 -c '
import sys, xml.dom.minidom
svg = xml.dom.minidom.parse(sys.argv[1]).documentElement
assert svg.tagName == "svg"
drawn = sum(len(svg.getElementsByTagName(tag)) for tag in ("path", "polygon", "use"))
assert drawn > 10, drawn' "$tmp/a/$svg.svg"
done
says "the report has the gains" "$tmp/a/scale.md" '^\| r4k-libaio-1 \| [0-9.*]+ \(.*\) \|$'

mkdir "$tmp/old"
printf '#!/bin/sh\necho "QEMU emulator version 7.2.9"\n' > "$tmp/old/qemu-system-x86_64"
chmod +x "$tmp/old/qemu-system-x86_64"
check "another QEMU is refused, with the reason" bash -c '
	INLINE_CRYPT_QEMU=$1/qemu-system-x86_64 "$2" --kernel 6.1 2> "$1/said"
	[ $? = 77 ] && grep -q "QEMU 10.0 .* here is 7.2.9" "$1/said"' - "$tmp/old" "$here/bench/scale/scale"

tap_finish
