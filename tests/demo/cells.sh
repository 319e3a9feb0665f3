# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# cells.sh - measure one workload on one device in the guest
#
# Sourced after lib.sh. In the instruction-counted lab (tests/vm/run --icount)
# one instruction is one virtual nanosecond, so times are instruction counts
# and figures repeat on any host.

# The pattern key of all measurements: 512 bits for aes-xts
bench_key=$(for i in $(seq 0 63); do printf '%02x' "$i"; done)

# bench_table VARIANT DEVICE - print the table line of a variant
bench_table() {
	_len=$(blockdev --getsz "$2")
	case $1 in
	linear)
		echo "0 $_len linear $2 0" ;;
	crypt)
		echo "0 $_len crypt aes-xts-plain64 $bench_key 0 $2 0" ;;
	crypt-nowq)
		echo "0 $_len crypt aes-xts-plain64 $bench_key 0 $2 0" \
		     "2 no_read_workqueue no_write_workqueue" ;;
	inline-crypt)
		echo "0 $_len inline-crypt aes-xts-plain64 $bench_key 0 $2 0" ;;
	esac
}

# Run by fio around the job itself, so that its own start and end stay out of it.
# idle_sleeptime: ns that this CPU had nothing to do
cat > /tmp/snapshot <<-'EOS'
	#!/bin/sh
	{
		sed -n 's/^ctxt //p' /proc/stat
		sed -n 's/.*idle_sleeptime *: *\([0-9]*\).*/\1/p' /proc/timer_list
	} | tr '\n' ' ' > "$1"
EOS
chmod +x /tmp/snapshot

# bench_cell NAME VARIANT DEVICE IOS KIB RW ENGINE DEPTH - print one JSON line
#
# lat_ns: mean completion latency; ctxt: context switches per I/O; instructions:
# virtual time per I/O less the time in which the CPU waited for the device
bench_cell() {
	fio --name=cell --filename="$3" --direct=1 --thread \
		--bs="$5k" --rw="$6" --ioengine="$7" --iodepth="$8" \
		--io_size="$(($4 * $5))k" --randrepeat=1 --norandommap=1 --output-format=json \
		--exec_prerun="/tmp/snapshot /tmp/before" \
		--exec_postrun="/tmp/snapshot /tmp/after" > /tmp/fio.out 2>&1 || {
		diag "fio failed for $1 on $2"
		sed 's/^/#   /' /tmp/fio.out
		return 1
	}
	read -r _ctxt0 _idle0 < /tmp/before
	read -r _ctxt1 _idle1 < /tmp/after
	# fio puts its notes before the JSON
	sed -n '/^{/,$p' /tmp/fio.out | jq -c --arg cell "$1" --arg variant "$2" \
		--argjson ctxt "$((_ctxt1 - _ctxt0))" --argjson idle "$((_idle1 - _idle0))" '
		.jobs[0] | (if .read.total_ios > 0 then .read else .write end) as $d |
		$d.total_ios as $n | {
			cell: $cell, variant: $variant, ios: $n,
			iops: $d.iops, lat_ns: $d.lat_ns.mean,
			ctxt: ($ctxt / $n),
			idle: ($idle / $n),
			instructions: (($d.runtime * 1e6 - $idle) / $n)
		}'
}
