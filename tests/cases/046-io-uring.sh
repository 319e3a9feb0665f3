# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: every kind of io_uring request has the right data and needs no worker thread
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

# punts FILE [OPCODE] - requests in the trace that went to a worker thread
punts() {
	grep 'io_uring_queue_async_work:' "$1" | grep -c "${2:+opcode $2,}"
}

# traced OPTION... KIND - 64 requests to ours, with the trace in the file of this name
traced() {
	trace_start io_uring/io_uring_queue_async_work
	# Polling can go on for ever when the end of a request is lost.
	count_io ours timeout 60 uring "$@" /dev/mapper/ours
	_status=$?
	trace_stop trace
	return $_status
}

# without_workers TEXT OPTION... KIND - right, and issued where it was submitted
without_workers() {
	_what=$1
	shift
	check "$_what: data is right" traced "$@" || return
	is "$(punts trace)" 0 "$_what: no worker thread" ||
		grep queue_async trace | head -n 3 | sed 's/^/# /'
}

# every_kind DEVICE FLAG - a pattern by each of the writes, expected by each of the reads
every_kind() {
	_seed=0
	for _write in write writev write_fixed; do
		_seed=$((_seed + 1))
		without_workers "$1, $_write${2:+ $2}" $2 --seed $_seed $_write
		is "$w_caller $w_wq" "64 0" "$1, $_write${2:+ $2}: encrypted by the submitter"
		for _read in read readv read_fixed; do
			[ $_write = write ] || [ "${_write#write}" = "${_read#read}" ] || continue
			without_workers "$1, $_read${2:+ $2}" $2 --seed $_seed $_read
			is "$((r_caller + r_endio + r_bh + r_wq))" 64 "$1, $_read${2:+ $2}: one bio each"
			[ "$2" != --iopoll ] ||
				is $r_caller 64 "$1, $_read${2:+ $2}: by the task that polls"
		done
	done
}

# The kernel leaves each fsync to a worker thread, ours or not: so this counts.
chains() {
	check "$1, write, fsync and read, linked: data is right" traced --seed 7 link
	is "$(punts trace FSYNC)" 64 "$1: the fsync of each chain is left to a worker thread"
	is "$(punts trace)" 64 "$1: and nothing else"
	is "$w_caller $w_wq $((r_caller + r_endio + r_bh + r_wq))" "64 0 64" \
		"$1, linked: one bio each"
}

# From the middle of a page, so that sectors cross pages
large='--bs 65536 --parts 16 --shift 1536'

make_loop loop 8
make_null_blk timer memory_backed=1 size=8 irqmode=2 completion_nsec=10000
for device in loop timer; do
	# Other CPUs do not help: 049 has that.
	eval "make_crypt ours \$$device no_read_workqueue no_write_workqueue"
	every_kind $device ''
	every_kind $device --sqpoll
	for kind in write writev write_fixed; do
		without_workers "$device, $kind of 64 KiB" $large --seed 4 $kind
		without_workers "$device, read${kind#write} of 64 KiB" $large --seed 4 read${kind#write}
	done
	chains $device
	dm_remove ours
done

make_null_blk polled memory_backed=1 size=8 submit_queues=1 poll_queues=1
make_crypt ours "$polled" no_read_workqueue no_write_workqueue
every_kind "poll queue" ''
every_kind "poll queue" --iopoll
every_kind "poll queue" "--iopoll --sqpoll"
dm_remove ours

# For comparison: dm-crypt does not know NOWAIT, so there is one for every request.
modprobe dm-crypt 2>/dev/null
dm_create ours "$(crypt_table crypt "$loop")"
trace_start io_uring/io_uring_queue_async_work
check "dm-crypt reads the data of the last chain" timeout 60 uring --seed 7 read /dev/mapper/ours
trace_stop trace
diag "dm-crypt: $(punts trace) of 64 reads went to a worker thread"
