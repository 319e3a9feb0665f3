# SPDX-License-Identifier: GPL-2.0-only
#
# scale.jq - what follows from the figures of a scale.json
def in_order(f): reduce .[] as $x ([]; ($x | f) as $k | if index([$k]) then . else . + [$k] end);
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def geomean: if length == 0 then null else map(log) | add / length | exp end;
def two: if . == null then "" else . * 100 | round / 100 |
	tostring | if test("\\.") | not then . + ".00" elif test("\\.[0-9]$") then . + "0" else . end end;
def row: "| " + (map(tostring) | join(" | ")) + " |";

def rivals: ["crypt", "crypt-nowq", "crypt-samecpu", "crypt-highpri"];
def variants: ["linear"] + rivals + ["inline-crypt"];
def cpu_counts: [.cells[].cpus] | unique;

# The counters of a cell's rounds: what grew from before to after
def counted($c): [.counters[] | select(.cpus == $c.cpus and .device == $c.device and .cell == $c.cell)] |
	(map(select(.when == "before") | .n) | reduce .[] as $n ({}; reduce ($n | to_entries[]) as $e (.; .[$e.key] += $e.value))) as $b |
	(map(select(.when == "after") | .n) | reduce .[] as $n ({}; reduce ($n | to_entries[]) as $e (.; .[$e.key] += $e.value))) |
	with_entries(.value -= ($b[.key] // 0));

# One object for each number of CPUs, device and cell
def all_cells: . as $result | ([.cells[] | [.device, .cell]] | unique_by(.)) as $_ |
	(.cells | in_order([.device, .cell])) as $order |
	[.cells | group_by([.cpus, .device, .cell])[] | .[0] as $c |
		(group_by(.variant) | map({ key: .[0].variant, value: {
			iops: (map(.iops) | median), ctxt: (map(.ctxt) | median), lat_us: (map(.lat_us) | median),
			spread: ((map(.iops) | max) / (map(.iops) | min) - 1) } }) | from_entries) as $v |
		([rivals[] | select($v[.]) | { variant: ., iops: $v[.].iops }] | max_by(.iops)) as $best |
		{ cpus: $c.cpus, device: $c.device, cell: $c.cell, v: $v, best: ($best.variant // null | if . then sub("^crypt-"; "") else . end),
		  gain: (if $best and $v["inline-crypt"] then $v["inline-crypt"].iops / $best.iops else null end),
		  counters: ($result | counted($c)) }] |
	sort_by([([.device, .cell] as $k | $order | index([$k])), .cpus]);

def at($cell; $n): map(select(.cell == $cell and .cpus == $n)) | .[0] // {};

# What one CPU does of a cell of N or 2N jobs: with one, N is 1
def scale_base($cell; $v): . as $all | [($cell, ($cell | sub("-N$"; "-1"))) | . as $name | $all | at($name; 1) | .v[$v].iops // empty] |
	.[0] // null;
