# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# counters.sh - the counters in the target's status

# counter NAME KEY - print the value of KEY=value in the target's status
counter() {
	dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# count_io NAME COMMAND... - run COMMAND; its status
#
# Sets a variable for each KEY=value of the target's status to how much it grew.
count_io() {
	_name=$1
	shift
	for _pair in $(dmsetup status "$_name"); do
		case $_pair in *=*) eval "_was_${_pair%%=*}=${_pair#*=}" ;; esac
	done
	"$@" > /run/count.out 2>&1
	_count_status=$?
	[ $_count_status = 0 ] || sed 's/^/# /' /run/count.out
	dm_wait_idle "$_name"
	for _pair in $(dmsetup status "$_name"); do
		case $_pair in
		*=*) eval "${_pair%%=*}=\$((${_pair#*=} - _was_${_pair%%=*}))" ;;
		esac
	done
	return $_count_status
}

# read_in_one COMMAND... - count_io of ours, of a large read whose task did not sleep while it sent it
#
# Of more than one bio, that is: if it does, the block layer sends what the task has
# collected, and what comes back of that is not the task's any more. It happens on a busy
# machine.
# shellcheck disable=SC2154  # count_io sets them
read_in_one() {
	for _try in 1 2 3 4 5 6 7 8; do
		count_io ours "$@" || return
		[ "$r_endio$r_bh$slept$budget" != 0000 ] || break
	done
	[ "$_try" = 1 ] || diag "in the try number $_try: $*"
}

# await_counter NAME FIELD N - wait until a counter of a device is over N, 60 s at most
await_counter() {
	for _ in $(seq 600); do
		[ "$(counter "$1" "$2")" -gt "$3" ] && return
		sleep 0.1
	done
	return 1
}

# timer_reads - print the counter of asynchronous reads that a null_blk's timer completes
#
# A timer interrupts: hardirq, and then a bottom half. With PREEMPT_RT it has a thread,
# which is softirq context, so the read is decrypted where it completes.
timer_reads() {
	if have_kernel_config PREEMPT_RT; then
		echo r_endio
	else
		echo r_bh
	fi
}
