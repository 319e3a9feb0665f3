# SPDX-License-Identifier: GPL-2.0-only
#
# bench.jq - what follows from the figures of a result.json; for report and compare

def round_to(n): . * n | round / n;
def median: map(values) | sort | if length == 0 then null
	elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def geomean: if length == 0 then null else map(log) | add / length | exp end;
def in_order(f): reduce .[] as $x ([]; ($x | f) as $k | if index([$k]) then . else . + [$k] end);

def rivals: ["crypt", "crypt-nowq", "crypt-samecpu"];
def variants: ["linear"] + rivals + ["inline-crypt"];

# Counted labs compare instructions, the others I/Os per second. As speed, more
# is better in either.
def counted: . == "icount" or . == "ciphers";
def unit: if counted then "instructions per I/O" else "IOPS" end;
def figure(lab): if . == null then null elif (lab | counted) then .instructions else .iops end;
def speed(lab): figure(lab) | if . == null then null elif (lab | counted) then 1 / . else . end;

# Of all rounds of a variant
def merged: if length == 0 then null else . as $all | .[0] + {
	iops: map(.iops) | median, lat_ns: (map(.lat_ns) | median), ctxt: (map(.ctxt) | median),
	instructions: (map(.instructions) | median), rounds: length,
	cdf: [.[0].cdf[] as [$p, $_] |
		[$p, ([$all[].cdf[] | select(.[0] == $p) | .[1]] | median)]]
} end;

# The least that encryption can cost: the device without it and the cipher alone
def limit(ciphers): . as $linear |
	[ciphers[] | select(.kib == $linear.kib and .sector == $linear.sector)] as $c |
	if ($c | length) < 2 then null else
		$linear.instructions + ((($c[] | select(.write == 0) | .ns) * $linear.reads +
			($c[] | select(.write == 1) | .ns) * $linear.writes) / $linear.ios)
	end;

# result.json to one object a cell
def cells: . as $result | [.cells | group_by([.lab, .device, .cell])[] |
	.[0] as {$lab, $device, $cell} |
	(map(.variant) | unique | map(. as $v | { key: $v, value: null }) | from_entries) as $_ |
	(group_by(.variant) | map({ key: .[0].variant, value: merged }) | from_entries) as $v |
	($v["inline-crypt"] | speed($lab)) as $ours |
	([rivals[] | select($v[.]) | { variant: ., speed: ($v[.] | speed($lab)),
				       iops: $v[.].iops }]) as $rivals |
	($rivals | max_by(.speed)) as $best |
	(if $lab == "icount" and $v.linear then $v.linear | limit($result.cipher) else null end) as $limit |
	{
		lab: $lab, device: $device, cell: $cell, kib: .[0].kib, sector: .[0].sector, v: $v,
		best: ($best.variant // null),
		gain: (if $ours and $best then $ours / $best.speed else null end),
		gain_iops: (if $ours and $best then
			$v["inline-crypt"].iops / ($rivals | map(.iops) | max) else null end),
		limit: $limit,
		over_limit: (if $limit and $ours then $v["inline-crypt"].instructions / $limit else null end),
		switches: (if $ours and $v.linear then $v["inline-crypt"].ctxt - $v.linear.ctxt else null end),
		floor: (if $v["linear-again"] and $v.linear then
			$v["linear-again"].iops / $v.linear.iops - 1 | fabs else null end)
	}] |
	# As they were measured
	($result.cells | in_order([.lab, .device, .cell])) as $order |
	sort_by([.lab, .device, .cell] as $k | $order | index([$k]));

# How far two figures of a lab differ by chance: the most that dm-linear differs
# from itself in nine cells of ten; where instructions are counted, what addresses do.
def noise(lab): if (lab | counted) then 0.005 else
	[.[] | select(.lab == lab) | .floor // empty] | sort |
	if length == 0 then 0.1 else .[length * 0.9 | ceil - 1] end end;

def in_lab(lab): map(select(.lab == lab));
def percent: . * 100 | round_to(10) | "\(.) %";
def two: if . == null then "" else round_to(100) |
	tostring | if test("\\.") | not then . + ".00" elif test("\\.[0-9]$") then . + "0" else . end end;
def row: "| " + join(" | ") + " |";
def table(head): (head | row), (head | map("---") | row), (.[] | map(tostring) | row);
def lab_name: { icount: "Instructions, one CPU", ciphers: "Other ciphers, instructions, one CPU", smp: "By the clock, two CPUs",
	device: "By the clock, this machine" }[.] // .;
