# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: one busy submitter's small I/O goes to idle CPUs, and only where that is allowed
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_brd and count_io set variables

[ "$(nproc)" -gt 1 ] || skip_all "one CPU"

# make_slow DEVICE [OPTION...] - ours, with a cipher that takes its time in an emulator, too
#
# Where that is fast and all else is slow, as AES is here, no CPU has a backlog of it.
make_slow() {
	_table="0 $(sectors "$1") inline-crypt $cipher-xts-plain64 $(test_key 64) 0 $1 0"
	shift
	dm_create ours "$_table${1:+ $# $*}"
}

# aio RW DEPTH [fio option...] - small asynchronous I/O on ours, of one task
aio() {
	_rw=$1
	_depth=$2
	shift 2
	fio_ours libaio "$_rw" 4k --iodepth="$_depth" --iodepth_batch_submit="$_depth" \
		--iodepth_batch_complete_min=1 --io_size=1M --norandommap=1 "$@"
}

# spreads RW TEXT [fio option...] - with depth, some of it goes to a helper
#
# This needs another CPU that has nothing to do, and a busy host may leave none. 57-scale.t
# asserts that it happens, by a clock that the host does not disturb. Each try is judged:
# the I/O succeeds, and all that a worker had is counted under its reason.
spreads() {
	_rw_of=$1
	_text=$2
	shift 2
	for _try in 1 2 3 4 5 6 7 8; do
		check "$_text: I/O succeeds" count_io ours aio "$_rw_of" 16 "$@"
		is "$((r_wq + w_wq))" "$((spread + budget + slept))" "$_text: each bio in a worker is counted"
		[ "$spread" = 0 ] || break
	done
	tried "$_try" "$_text"
	handed=$((handed + spread))
	needs_idle_cpu "$spread" "$_text: handed over"
}

# stays RW TEXT [fio option...]
stays() {
	_rw_of=$1
	_text=$2
	shift 2
	count_io ours aio "$_rw_of" "$@"
	is "$spread" 0 "$_text"
}

make_brd ram 8
make_null_blk null memory_backed=1 size=8 irqmode=2 completion_nsec=10000
cipher=serpent
if make_slow "$ram" 2> /dev/null; then
	dm_remove ours
else
	cipher=aes
fi
diag "$cipher"
for below in $ram $null; do
	[ $cipher$below != "aes$ram" ] || continue
	make_slow "$below" || bail "no device"
	# The target has to learn the cost of the cipher first.
	aio randread 1 > /dev/null
	aio randwrite 1 > /dev/null
	handed=0
	trace_start dm_inline_crypt/fallback
	spreads randread "reads on ${below#/dev/}"
	spreads randwrite "writes on ${below#/dev/}"
	trace_stop trace
	is "$(grep -c ' fallback: .* bytes=4096 reason=spread' trace)" "$handed" "the trace says so"
	stays randread "a read at a time stays where it completes" 1
	stays randwrite "a write at a time stays with its submitter" 1
	count_io ours fio_ours psync randrw 4k --io_size=512k --norandommap=1
	is "$spread" 0 "synchronous I/O stays with its submitter"
	check "the data is right" fio_verify /dev/mapper/ours --name=v --direct=1 --ioengine=libaio --bs=4k \
		--iodepth=16 --size=2M
	dm_remove ours

	make_slow "$below" no_read_workqueue no_write_workqueue
	stays randread "no_read_workqueue: nothing is handed over" 16
	stays randwrite "no_write_workqueue: nothing is handed over" 16
	dm_remove ours
	make_slow "$below" same_cpu_crypt
	stays randread "same_cpu_crypt: no read" 16
	stays randwrite "same_cpu_crypt: no write" 16
	dm_remove ours
	make_slow "$below" read_context:endio write_context:caller
	stays randread "read_context:endio: nothing is handed over" 16
	stays randwrite "write_context:caller: nothing is handed over" 16
	dm_remove ours
done

make_slow "$ram"
aio randwrite 1 > /dev/null
count_io ours chrt -f 10 fio --name=x --filename=/dev/mapper/ours --direct=1 --ioengine=libaio --rw=randrw \
	--bs=4k --iodepth=16 --io_size=1M --norandommap=1
is "$spread" 0 "a real-time task relies on no helper"
