# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: requests that must not wait do not, and io_uring needs no worker threads
# kernels: oldest 6.12 newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

random_file data 1
head -c 4096 data > four

for device in loop brd null_blk; do
	case $device in
	loop) make_loop dev 16 ;;
	brd) make_brd dev 16 ;;
	null_blk) make_null_blk dev memory_backed=1 size=16 irqmode=2 completion_nsec=20000 ;;
	esac
	make_crypt ours "$dev"
	rw write /dev/mapper/ours 0 data
	# On a calm machine nothing needs to wait.
	for file in four data; do
		bytes=$(stat -c %s $file)
		rw --nowait read /dev/mapper/ours 0 $bytes > back 2> error
		like "$? $(cat error)" '^(0 |1 EAGAIN)' "$device: RWF_NOWAIT read of $bytes bytes"
		rw --nowait write /dev/mapper/ours 8388608 $file 2> error
		like "$? $(cat error)" '^(0 |1 EAGAIN)' "$device: RWF_NOWAIT write of $bytes bytes"
	done
	check "$device: RWF_NOWAIT read has the data" rw --nowait compare /dev/mapper/ours 0 four
	check "$device: RWF_NOWAIT write" rw --nowait write /dev/mapper/ours 4194304 four
	check "$device: is on the device" rw compare /dev/mapper/ours 4194304 four

	trace_start io_uring/io_uring_queue_async_work
	check "$device: io_uring" fio_verify /dev/mapper/ours --name=x --ioengine=io_uring --direct=1 \
		--bs=4k --size=512k --iodepth=8
	trace_stop trace
	is "$(grep -c 'io_uring_queue_async_work:' trace)" 0 "$device: without a worker thread"
	dm_remove ours
done

# A device that cannot take a request without waiting, or not in one piece, says
# so. The submitter must try again; a worker that acts for it must not fail the bio.
make_null_blk dev memory_backed=1 size=16 irqmode=2 completion_nsec=50000 hw_queue_depth=2 max_sectors=64
modprobe icrypt-test-async || bail "no test driver"
for options in '' 'write_context:workqueue read_context:workqueue' async; do
	if [ "$options" = async ]; then
		dm_create ours "0 $(sectors "$dev") inline-crypt capi:test-async-plain64 $(test_key 64) 0 $dev 0"
	else
		make_crypt ours "$dev" $options
	fi
	for bs in 16k 512k; do
		check "busy device, ${options:-auto}: io_uring, blocks of $bs" fio_verify /dev/mapper/ours \
			--name=x --ioengine=io_uring --direct=1 --bs=$bs --size=4M --iodepth=16
	done
	dm_remove ours
done

# That the count can be something else: dm-crypt does not know NOWAIT.
make_loop dev 16
dm_create theirs "$(crypt_table crypt "$dev")"
trace_start io_uring/io_uring_queue_async_work
fio --name=x --filename=/dev/mapper/theirs --rw=randread --ioengine=io_uring --direct=1 --bs=4k \
	--size=512k --iodepth=8 > /dev/null
trace_stop trace
diag "dm-crypt: $(grep -c 'io_uring_queue_async_work:' trace) of 128 went to a worker thread"

# A worker that got a write must not give EAGAIN any more: io_uring has no
# submitter left to try again, and reports it.
make_null_blk shallow memory_backed=1 size=16 irqmode=2 completion_nsec=10000 hw_queue_depth=2
make_crypt shallow "$shallow"
check "large writes in numbers to a device with a short queue" count_io shallow \
	fio --name=x --filename=/dev/mapper/shallow --direct=1 --ioengine=io_uring --rw=write \
	--bs=256k --iodepth=16 --io_size=16M
dm_remove shallow
