# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh - in the guest: all variants side by side, in turn, in every cell
#
# Set by whoever sources it: cpus, rounds, devices, variants, cells. Of a cell
#
#   NAME,RW,ENGINE,DEPTH,SIZE,JOBS,WARM_US,RUN_US,LEAST_IOS
#
# Prints, for scale to read:
#
#   PLAN how many cells will follow
#   CELL device cell variant jobs round iops=... ios=... ctxt=... lat_us=...
#   COUNT device cell round before|after counters of inline-crypt
#   IDLE wake-ups=... of all CPUs in 100 ms without I/O
#   FAILED what
scale_key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
scale_mib=64

scale_table() { # variant device
	case $1 in
	linear) echo "linear $2 0" ;;
	crypt) echo "crypt aes-xts-plain64 $scale_key 0 $2 0" ;;
	crypt-nowq) echo "crypt aes-xts-plain64 $scale_key 0 $2 0 2 no_read_workqueue no_write_workqueue" ;;
	crypt-samecpu) echo "crypt aes-xts-plain64 $scale_key 0 $2 0 2 same_cpu_crypt submit_from_crypt_cpus" ;;
	crypt-highpri) echo "crypt aes-xts-plain64 $scale_key 0 $2 0 1 high_priority" ;;
	inline-crypt) echo "inline-crypt aes-xts-plain64 $scale_key 0 $2 0" ;;
	esac
}

scale_bytes() {
	case $1 in
	*k) echo $((${1%k} * 1024)) ;;
	*M) echo $((${1%M} * 1048576)) ;;
	esac
}

scale_cell() { # device variant cell round
	IFS=, read -r _name _rw _engine _depth _size _jobs _warm _run _least <<-END
	$3
	END
	[ "$2" != inline-crypt ] || echo "COUNT $1 $_name $4 before $(dmsetup status "$2")"
	echo "CELL $1 $_name $2 $_jobs $4 $(iob "/dev/mapper/$2" $scale_mib "$_engine" "$_rw" \
		"$(scale_bytes "$_size")" "$_depth" "$_jobs" "$_warm" "$_run" "$_least")"
	[ "$2" != inline-crypt ] || echo "COUNT $1 $_name $4 after $(dmsetup status "$2")"
}

scale_device() { # device
	dd if=/dev/zero of="/dev/$1" bs=1M count=$scale_mib 2> /dev/null
	_made=
	for _variant in $variants; do
		if ! scale_table "$_variant" "/dev/$1" | sed "s/^/0 $((scale_mib * 2048)) /" |
		     dmsetup create "$_variant" 2> /tmp/error; then
			# A kernel that does not know high_priority is none of our business.
			[ "$_variant" = crypt-highpri ] || echo "FAILED $1 $_variant: $(head -n 1 /tmp/error)"
			continue
		fi
		_made="$_made $_variant"
		# Everybody learns what the cipher costs, and fills its caches.
		for _rw in randread randwrite; do
			iob "/dev/mapper/$_variant" $scale_mib psync $_rw 4096 1 "$cpus" 0 300 30
			iob "/dev/mapper/$_variant" $scale_mib libaio $_rw 131072 8 1 0 300 16
		done > /dev/null
	done
	for _round in $(seq "$rounds"); do for _cell in $cells; do for _variant in $_made; do
		scale_cell "$1" "$_variant" "$_cell" "$_round"
	done; done; done
	for _variant in $_made; do
		dmsetup remove "$_variant"
	done
}

# scale_wakeups - interrupts that ended an idle CPU's sleep, roughly: all there were
scale_wakeups() {
	awk '/^intr/ { print $2 }' /proc/stat
}

scale_idle() {
	scale_table inline-crypt "/dev/${devices%% *}" | sed "s/^/0 $((scale_mib * 2048)) /" |
		dmsetup create idle || return
	iob /dev/mapper/idle $scale_mib libaio randread 4096 16 1 0 1000 100 > /dev/null
	sleep 0.05
	_before=$(scale_wakeups)
	sleep 0.1
	echo "IDLE wakeups=$(($(scale_wakeups) - _before))"
	dmsetup remove idle
}

scale_measure() {
	# What the kernel said before may not end with its line.
	echo
	echo "PLAN $(for _d in $devices; do for _r in $(seq "$rounds"); do for _c in $cells; do
		for _v in $variants; do echo; done; done; done; done | wc -l)"
	for _device in $devices; do
		scale_device "$_device"
	done
	scale_idle
	dmesg | grep -iE 'lockup|stall|unstable|BUG:|WARNING:' | head -n 5 | sed 's/^/FAILED kernel log: /'
}
