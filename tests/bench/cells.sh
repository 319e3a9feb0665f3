# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# cells.sh - the variants of an encrypted device, and one measurement on it
#
# For busybox in a guest as well as for a real machine's shell. In the
# instruction-counted lab (tests/vm/run --icount) one instruction is one virtual
# nanosecond, so times are instruction counts and figures repeat on any host.

# bench_use SPEC KEY_BYTES [INTEGRITY] - set the cipher of the tables from now on
bench_use() {
	bench_spec=$1
	# The pattern key of all measurements
	bench_key=$(awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%02x", i % 256 }')
	bench_integrity=${3:-}
}

bench_use aes-xts-plain64 64

# bench_table VARIANT DEVICE [SECTOR_SIZE [SECTORS]] - print the table line of a variant
bench_table() {
	_target=crypt
	_options=
	case $1 in
	inline-crypt) _target=inline-crypt ;;
	crypt-nowq) _options='no_read_workqueue no_write_workqueue' ;;
	crypt-samecpu) _options='same_cpu_crypt submit_from_crypt_cpus' ;;
	esac
	[ "${3:-512}" = 512 ] || _options="$_options sector_size:$3"
	_options="$_options $bench_integrity"
	_len=${4:-$(blockdev --getsz "$2")}
	case $1 in
	linear*)
		echo "0 $_len linear $2 0" ;;
	*)
		_device=$2
		# shellcheck disable=SC2086  # to be split
		set -- $_options
		echo "0 $_len $_target $bench_spec $bench_key 0 $_device 0${1:+ $# $*}" ;;
	esac
}

bench_tmp=$(mktemp -d)

# Run by fio around the job itself, so that its own start and end stay out of it;
# by each job of several, the last one's counts. timer_list has the time in ns,
# and the time for which the CPUs were idle, waiting for I/O or not.
cat > "$bench_tmp/snapshot" <<-'EOS'
	#!/bin/sh
	cat /proc/timer_list /proc/stat > "$1.$$" && mv "$1.$$" "$1"
EOS
chmod +x "$bench_tmp/snapshot"

# bench_fio FIO_OPTION... - run fio between two snapshots, output to fio.out
bench_fio() {
	(cd "$bench_tmp" && fio --name=cell --thread --group_reporting \
		--exec_prerun="$bench_tmp/snapshot $bench_tmp/before" \
		--exec_postrun="$bench_tmp/snapshot $bench_tmp/after" \
		--output-format=json+ "$@" > fio.out 2>&1)
}

# bench_clock SNAPSHOT - print its time in ns, idle time in ns, context switches
#
# An idle time of -1 where the kernel does not say: from 7.2 on timer_list lacks
# it, and what other places have is sampled by the tick, so that waits of
# microseconds come out at anything from nothing to twice as long.
bench_clock() {
	awk '
		/^now at / { now = $3 }
		/(idle|iowait)_sleeptime/ { sub(/.*: */, ""); idle += $1; known = 1 }
		/^ctxt / { ctxt = $2 }
		END { printf "%.0f %.0f %.0f\n", now, known ? idle : -1, ctxt }' "$bench_tmp/$1"
}

# The cost of the snapshots themselves, which is subtracted where time is exact
bench_cost_ns=0
bench_cost_ctxt=0

# bench_calibrate - find out, from a job that does next to nothing
#
# The first ones find nothing in the caches yet.
bench_calibrate() {
	for _ in 1 2 3; do
		bench_fio --ioengine=null --filename=none --size=4k --bs=4k || return
	done
	bench_clock before > "$bench_tmp/clock"
	bench_clock after >> "$bench_tmp/clock"
	{
		read -r _now0 _idle0 _ctxt0
		read -r _now1 _idle1 _ctxt1
	} < "$bench_tmp/clock"
	bench_cost_ns=$((_now1 - _now0 - (_idle1 - _idle0)))
	bench_cost_ctxt=$((_ctxt1 - _ctxt0))
}

# bench_cell ID FILE KIB RW ENGINE DEPTH [fio option...] - print one JSON line
#
# ID: a JSON object that names the measurement; figures are added to it.
# lat_ns: mean completion latency; ctxt: context switches per I/O; instructions:
# time per I/O less that in which the CPU waited for the device (idle); null where
# nothing was calibrated. Where idle is null, waiting is among them. cdf: pairs of a percentage of the I/Os and the ns
# within which they were done
bench_cell() {
	_id=$1
	_what="--filename=$2 --bs=${3}k --rw=$4 --ioengine=$5 --iodepth=$6"
	shift 6
	# shellcheck disable=SC2086  # to be split
	bench_fio $_what --randrepeat=1 --norandommap=1 --direct=1 "$@" || {
		echo "fio failed for $_id"
		sed 's/^/  /' "$bench_tmp/fio.out"
		return 1
	} >&2
	bench_clock before > "$bench_tmp/clock"
	bench_clock after >> "$bench_tmp/clock"
	# fio puts its notes before the JSON
	sed -n '/^{/,$p' "$bench_tmp/fio.out" | jq -c --argjson id "$_id" \
		--argjson cost_ns "$bench_cost_ns" --argjson cost_ctxt "$bench_cost_ctxt" \
		--rawfile clock "$bench_tmp/clock" '
		def round_to(n): . * n | round / n;
		($clock | split("\n") | map(split(" ") | map(tonumber))) as [$a, $b] |
		(if $cost_ns > 0 and $a[1] >= 0 then $b[1] - $a[1] else null end) as $idle | ($b[2] - $a[2] - $cost_ctxt) as $ctxt |
		[.jobs[0] | .read, .write | select(.total_ios > 0)] as $rw |
		($rw | map(.total_ios) | add) as $n |
		# Exact where the snapshots cost is known, else by fio: several jobs
		# do not begin and end together.
		(if $cost_ns > 0 then $b[0] - $a[0] - $cost_ns
		 else $n / ($rw | map(.iops) | add) * 1e9 end) as $ns |
		(reduce ($rw[].clat_ns.bins // {} | to_entries[]) as $b ({}; .[$b.key] += $b.value) |
		 to_entries | map([(.key | tonumber), .value]) | sort) as $bins |
		$id + {
			ios: $n, reads: .jobs[0].read.total_ios, writes: .jobs[0].write.total_ios,
			iops: ($n / $ns * 1e9 | round_to(100)),
			lat_ns: ($rw | map(.lat_ns.mean * .total_ios) | add / $n | round),
			ctxt: ($ctxt / $n | round_to(1000)),
			idle: (if $idle then $idle / $n | round_to(10) else null end),
			instructions: (if $cost_ns > 0 then ($ns - ($idle // 0)) / $n | round_to(10) else null end),
			cdf: (($bins | map(.[1]) | add) as $all |
			 reduce $bins[] as [$ns, $count] (
				{ sum: 0, out: [], want: [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90,
							  95, 98, 99, 99.5, 99.9, 100] };
				.sum += $count | .sum as $sum |
				until(.want == [] or .want[0] > $sum * 100 / $all;
					.out += [[.want[0], $ns]] | .want |= .[1:])) | .out)
		}'
}
