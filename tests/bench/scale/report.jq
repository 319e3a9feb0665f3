# SPDX-License-Identifier: GPL-2.0-only
#
# report.jq - scale.json to Markdown
include "scale";

def counter_line: [to_entries[] | select(.value != 0) | "\(.key) \(.value)"] | join(", ");

. as $result | all_cells as $cells | cpu_counts as $cpus |
"# Many CPUs: inline-crypt against dm-crypt, kernel \(.kernel)",
"",
"\(.date), revision \(.revision). AES-256-XTS; virtual time of counted instructions, " +
	"of string instructions \(.rep) bytes in one; QEMU \(.qemu)." +
	(if .complete then "" else " **Incomplete: some measurements failed.**" end),
"",
"Gain: how much faster than the best of dm-crypt's variants; less than 1 is slower. " +
	"1, N and 2N in a cell's name are its jobs by the number of CPUs.",
(($cells | in_order(.device))[] | . as $device |
	($cells | map(select(.device == $device))) as $mine | ($mine | in_order(.cell)) as $names |
	"", "## \($device)", "", "Gain, and over which variant:", "",
	(["cell"] + ($cpus | map("\(.) CPUs")) | row), (["cell"] + $cpus | map("---") | row),
	($names[] | . as $name | [$name] + ($cpus | map(. as $n | $mine | at($name; $n) |
		if .gain then "\(if .gain < 1 then "**\(.gain | two)**" else .gain | two end) (\(.best))" else "" end)) | row),
	(["geometric mean"] + ($cpus | map(. as $n | [$mine[] | select(.cpus == $n) | .gain // empty] |
		geomean | two)) | row),
	(["worst"] + ($cpus | map(. as $n | [$mine[] | select(.cpus == $n) | .gain // empty] | min | two)) | row),
	"", "![gain, one job](gain-1-\($device).svg)", "", "![gain, more jobs](gain-N-\($device).svg)",
	"", "![throughput](rate-\($device).svg)",
	($cpus[] | . as $n | "", "IOPS with \($n) CPUs, and switches per I/O of dm-linear and inline-crypt:", "",
		(["cell"] + variants + ["switches, linear", "switches"] | row), (["cell"] + variants + ["", ""] | map("---") | row),
		($names[] | . as $name | $mine | at($name; $n) | select(.v) | . as $c |
			[$name] + (variants | map($c.v[.].iops | if . then round else "" end)) +
			[($c.v.linear.ctxt | two), ($c.v["inline-crypt"].ctxt | two)] | row)),
	(if ($cpus | index(1)) and ($cpus | length) > 1 then
		"", "Scaling: throughput with N CPUs over N times that with one:", "",
		(["cell", "variant"] + ($cpus | map("\(.) CPUs")) | row), (["", ""] + $cpus | map("---") | row),
		($names[] | select(endswith("N")) | . as $name | ("linear", "crypt", "inline-crypt") as $v |
			($mine | scale_base($name; $v)) as $one | select($one) |
			[$name, $v] + ($cpus | map(. as $n | $mine | at($name; $n) | .v[$v].iops |
				if . then . / $n / $one | two else "" end)) | row)
	else empty end),
	([$mine[] | select(.gain and .gain < 1)] | if . == [] then empty else
		"", "Where inline-crypt's cipher ran in the cells that are slower:", "",
		(.[] | "- \(.cell), \(.cpus) CPUs: \(.counters | counter_line)") end)
),
(if .idle == [] then empty else
	"", "## Idle", "", "Interrupts of all CPUs in 100 ms without I/O, after some: " +
	([.idle[] | "\(.wakeups) with \(.cpus)"] | join(", ")) + "."
end)
