# SPDX-License-Identifier: GPL-2.0-only
#
# report.jq - result.json to Markdown
include "bench";

def digits: if . == null then "" elif . < 100 then round_to(10) else round end;

def cell_table(lab): map(
	. as $c | [.device, .cell] +
	(variants | map($c.v[.] | figure(lab) | digits)) +
	[.best // "", "**\(.gain | two)**"] +
	(if lab | counted then [(.gain_iops | two), (.over_limit | two)]
	 else [(.floor | if . then percent else "" end)] end)) |
	table(["device", "cell"] + variants + ["best dm-crypt", "gain"] +
	      if lab | counted then ["gain, IOPS", "over limit"] else ["noise"] end);

def switch_table: map(. as $c | [.device, .cell] +
	(variants | map($c.v[.].ctxt | two)) + [.switches | two]) |
	table(["device", "cell"] + variants + ["more than linear"]);

def worst: min_by(.gain);

def goal(ok): if ok then "met" else "**missed**" end;

def limit_goal($name; $rw; $most):
	map(select(.device == "brd" and .kib == 4 and .sector == 512 and .over_limit and
		   (.cell | test("^(psync|libaio|iouring).*rand\($rw)$")))) |
	if length == 0 then empty else
		(map(.over_limit) | max) as $max |
		"- brd, 4K \($name) over the limit: at most \($max | two) (goal \($most): \(goal($max <= $most)))"
	end;

. as $result | cells as $cells |
"# inline-crypt against dm-crypt, kernel \(.kernel)",
"",
"\(.date), revision \(.revision), \(.cipher_spec)." +
	(if .complete then "" else " **Incomplete: some measurements failed.**" end),
"",
(.machines[] | "- \(.lab): \(.release), \(.cpus) CPU(s), \(.cpu)" +
	(if .virtual then ", a virtual machine" else "" end)),
"",
"Gain: how much faster than the best of dm-crypt's variants, cell by cell; less than 1 is slower.",
(($cells | in_order(.lab))[] | . as $lab | ($cells | in_lab($lab)) as $mine |
	($mine | map(select(.gain))) as $compared |
	"", "## \($lab | lab_name)", "",
	(if $compared == [] then "No cell has both inline-crypt and dm-crypt." else
		($compared | worst) as $worst |
		"- geometric mean of the gain, \($compared | length) cells: **\($compared | map(.gain) | geomean | two)**" +
			(if $lab | counted then " (IOPS: \($compared | map(.gain_iops) | geomean | two))" else "" end),
		"- worst: **\($worst.gain | two)**, \($worst.device) \($worst.cell) (\($worst.best))",
		"- least gained: " + ([$compared | sort_by(.gain)[:5][] | "\(.device) \(.cell) \(.gain | two)"] | join(", ")),
		"- slower than dm-crypt beyond noise: " + ([$compared[] |
			select(.gain < 1 - ($mine | noise($lab))) | "\(.device) \(.cell) \(.gain | two)"] |
			if . == [] then "none" else join(", ") end)
	end),
	(if $lab | counted then empty else
		([$mine[].floor // empty]) as $floor | if $floor == [] then empty else
		"- noise, dm-linear against itself: median \($floor | median | percent), " +
		"nine cells of ten within \($mine | noise($lab) | percent), at most \($floor | max | percent)" end
	end),
	(if $lab | counted then
		([$mine[] | select(.kib == 4 and .switches)]) as $small |
		(if $small == [] then empty else ($small | max_by(.switches)) as $most |
		"- switches per I/O more than linear, 4K: at most \($most.switches | two), \($most.device) \($most.cell) " +
		"(goal 0.1: \(goal($most.switches <= 0.1)))" end),
		($mine | limit_goal("reads"; "read"; 1.05)),
		($mine | limit_goal("writes"; "write"; 1.1))
	else empty end),
	(if ($lab | counted) and any($mine[].v[]; .idle == null) then
		"- **This kernel does not say exactly how long its CPU was idle.** So what is called instructions has " +
		"the waiting for the device in it; it matters on null only, and makes the variants look more alike there."
	else empty end),
	"", "\($lab | unit | (.[:1] | ascii_upcase) + .[1:]):", "",
	($mine | cell_table($lab)),
	(($mine | in_order(.device))[] | "", "![speed, \(.)](bars-\($lab)-\(.).svg)"),
	"", "Context switches per I/O:", "",
	($mine | switch_table),
	(($mine | in_order(.device))[] | "", "![switches, \(.)](switches-\($lab)-\(.).svg)",
		"", "![latency, \(.)](latency-\($lab)-\(.).svg)")
),
(if .cipher == [] then empty else
	"", "## The cipher alone", "",
	"Limit: dm-linear's instructions and these. Driver: \(.cipher | map(.driver) | unique | join(", ")).", "",
	(.cipher | map(["\(.kib)K", .sector, (if .write == 1 then "write" else "read" end), .ns]) |
		table(["I/O", "sector", "direction", "ns"]))
end),
(if .cyclictest == [] then empty else
	"", "## What others on the CPU feel", "",
	"cyclictest (priority 80, 1 ms) beside 128K libaio, depth 8, wake-up latency in virtual us:", "",
	(.cyclictest | group_by(.rw) | map(
		(map({ key: .variant, value: . }) | from_entries) as $v | .[0].rw as $rw |
		[$rw] + (variants | map($v[.] | if . then "\(.worst_ns / 1000 | round) / \(.mean_ns / 1000 | round)" else "" end)) +
		[if $v.crypt and $v["inline-crypt"] then
			($v["inline-crypt"].worst_ns / $v.crypt.worst_ns) as $ratio |
			"\($ratio | two) (goal 1.5: \(goal($ratio <= 1.5)))" else "" end]) |
		table(["worst / mean"] + variants + ["worst over crypt"])),
	"", "![wake-up latency](cyclictest.svg)"
end)
