# SPDX-License-Identifier: GPL-2.0-only
#
# compare.jq - two result.json, slurped, to a Markdown table
include "bench";

# What two runs have in common is compared as it is where instructions are counted;
# by the clock in relation to dm-linear in the same run, as machines differ.
def value(lab): if lab | counted then .v["inline-crypt"] | speed(lab)
	elif .v.linear and .v["inline-crypt"] then .v["inline-crypt"].iops / .v.linear.iops
	else null end;

def shown(lab): .v["inline-crypt"] | figure(lab) | if . == null then "" else round end;

.[0] as $ra | .[1] as $rb | ($ra | cells) as $a | ($rb | cells) as $b |
"A: kernel \($ra.kernel), \($ra.date), revision \($ra.revision)  ",
"B: kernel \($rb.kernel), \($rb.date), revision \($rb.revision)",
(($a + $b | in_order(.lab))[] | . as $lab | ($a | in_lab($lab)) as $ma | ($b | in_lab($lab)) as $mb |
	([$ma | noise($lab), ($mb | noise($lab))] | max) as $noise |
	[$ma[] | . as $x | $mb[] | select(.device == $x.device and .cell == $x.cell) |
		{ x: $x, y: ., was: ($x | value($lab)), now: value($lab) } | select(.was and .now) |
		.ratio = .now / .was] as $pairs |
	"", "## \($lab | lab_name)", "",
	(if $pairs == [] then "No cell in both." else
		($pairs | map(.ratio)) as $r |
		"inline-crypt in B as against A, more is better" +
		(if $lab | counted then "" else "; by the clock in relation to dm-linear in the same run" end) +
		". Noise: \($noise | percent).", "",
		"- geometric mean: \($r | geomean | two)",
		"- slower in B beyond noise: \([$r[] | select(. < 1 - $noise)] | length) of \($r | length)",
		"- faster in B beyond noise: \([$r[] | select(. > 1 + $noise)] | length) of \($r | length)",
		"",
		($pairs | map([.x.device, .x.cell, (.x | shown($lab)), (.y | shown($lab)), (.ratio | two),
			(.x.gain | two), (.y.gain | two),
			if .ratio < 1 - $noise then "**slower**" elif .ratio > 1 + $noise then "faster" else "" end]) |
		 table(["device", "cell", "A, \($lab | unit)", "B", "B / A", "A over dm-crypt", "B over dm-crypt", ""]))
	end),
	([$ma[] | [.device, .cell]] as $ka | [$mb[] | [.device, .cell]] as $kb |
	 (($ka - $kb)[] | "", "Only in A: \(join(" "))"), (($kb - $ka)[] | "", "Only in B: \(join(" "))"))
),
([$ra.cyclictest[] | . as $x | $rb.cyclictest[] |
	select(.variant == "inline-crypt" and .variant == $x.variant and .rw == $x.rw) |
	[.rw, ($x.worst_ns / 1000 | round), (.worst_ns / 1000 | round), ($x.worst_ns / .worst_ns | two)]] |
	if . == [] then empty else "", "## Worst wake-up latency beside 128K libaio, us", "",
		table(["", "A", "B", "A / B"]) end)
