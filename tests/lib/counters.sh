# shellcheck shell=dash disable=SC2154  # count_io sets the counters
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

# reasons_are_right TEXT - judge the counters of count_io, for a host that may be busy
#
# Each bio that a worker had is counted under a reason, which is contention. A bio may
# have several reasons. Neither memory was short, nor was a context one in which the
# cipher may not run.
reasons_are_right() {
	[ $((r_wq + w_wq)) -gt $((spread + budget + slept)) ] || [ "$context $nomem" != "0 0" ] ||
		return 0
	not_ok "$1: each bio in a worker has its reason, contention"
	diag "r_wq=$r_wq w_wq=$w_wq spread=$spread budget=$budget slept=$slept context=$context nomem=$nomem"
	return 1
}

# tried NUMBER TEXT - tell how many tries it took, if it took more than one
tried() {
	[ "$1" = 1 ] || diag "try number $1: $2"
}

# needs_idle_cpu COUNT TEXT [REASON] - another CPU did COUNT of it, or the assertion is skipped
#
# A busy host may leave no CPU idle. 57-scale.t asserts that idle CPUs are used, by a clock
# that no host disturbs.
needs_idle_cpu() {
	if [ "$1" -gt 0 ]; then
		ok "$2"
	else
		skip "$2" "${3:-the host left no CPU idle}"
		return 1
	fi
}

# read_in_one COMMAND... - count_io of ours, of a large read whose task did not sleep
#
# The read has more than one bio. If the task sleeps while it sends them, the block layer
# sends those that the task has collected, and their completions no longer belong to the
# task. This happens on a busy machine, so the read is tried again. Each try is judged:
# the command succeeds, and the reasons are right.
read_in_one() {
	for _try in $(seq 20); do
		count_io ours "$@" || { not_ok "try number $_try succeeds: $*"; return 1; }
		reasons_are_right "$*" || return
		[ "$r_endio$r_bh$slept$budget" != 0000 ] || break
	done
	tried "$_try" "$*"
}

# await_counter NAME KEY N - wait until a counter of a device is over N, 60 s at most
await_counter() {
	await counter_is_over "$@"
}

counter_is_over() {
	[ "$(counter "$1" "$2")" -gt "$3" ]
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
