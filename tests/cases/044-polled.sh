# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: polled io_uring I/O works, and is decrypted by the task that polls
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and count_io set variables

make_null_blk null memory_backed=1 size=8 submit_queues=1 poll_queues=1
make_crypt ours "$null"
polled='--name=x --ioengine=io_uring --hipri=1 --direct=1 --bs=4k --size=1M --iodepth=4'

# A polled read that nobody polls never ends; give it a limit of its own.
check "the device underneath can be polled" \
	timeout 60 fio --filename="$null" --rw=randread $polled
check "written without polling" fio_write /dev/mapper/ours --name=x --ioengine=psync \
	--direct=1 --bs=4k --size=1M
for depth in 1 4; do
	check "polled reads, depth $depth, data right" count_io ours \
		timeout 60 fio --filename=/dev/mapper/ours --rw=randwrite --verify=crc32c \
		--verify_only=1 --verify_state_load=0 $polled --iodepth=$depth
	is "$r_caller $r_endio $r_bh $r_wq" "256 0 0 0" "by the poller"
done
check "polled writes" count_io ours timeout 60 fio --filename=/dev/mapper/ours --rw=randwrite \
	--verify=crc32c --do_verify=0 --verify_state_save=0 $polled
is "$w_caller $w_wq" "256 0" "by the submitter"
check "are right" fio_read /dev/mapper/ours --name=x --ioengine=psync --direct=1 --bs=4k --size=1M
