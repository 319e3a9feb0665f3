# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the device below is taken away under I/O: errors, no hang, and all can be removed
# kernels: oldest newest
# expects-dmesg: I/O error|Page cache invalidation failure
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

# under_io TEXT COMMAND - run COMMAND (takes the device away) while fio is busy on ours
under_io() {
	fio --filename=/dev/mapper/ours --direct=1 --rw=randrw --bsrange=4k-64k --size=3M \
		--time_based --runtime=60 --name=sync --ioengine=psync \
		--name=aio --ioengine=libaio --iodepth=8 --name=uring --ioengine=io_uring --iodepth=8 \
		--name=buffered --direct=0 --offset=4M --ioengine=psync > fio.out 2>&1 &
	pid=$!
	# Wait until I/O is really in flight
	check "$1: I/O is going on" await_counter ours w_caller 100
	check "$1: taken away" sh -c "$2"
	# Direct I/O ends by itself. The job that writes to the page cache does not notice the error.
	for _ in $(seq 100); do
		grep -q 'err=' fio.out && break
		sleep 0.1
	done
	kill -INT $pid 2>/dev/null
	wait $pid
	# 5: EIO; 6: ENXIO; 19: ENODEV. A device that is gone reports no other error.
	errors=$(sed -n 's/.*err= *\([0-9]*\).*/\1/p' fio.out | grep -vx 0 | sort -un | paste -sd ' ')
	diag "$1: fio saw errors $errors"
	like "$errors" '^(5|6|19)( (5|6|19))*$' "$1: fio saw errors of a device that is gone"
	check_not "$1: reads fail" rw read /dev/mapper/ours 0 4096
	check_not "$1: writes fail" rw write /dev/mapper/ours 0 four
	check "$1: our device can be removed" dm_remove ours
}

head -c 4096 /dev/zero > four

make_scsi disk dev_size_mb=8 delay=0 ndelay=50000 || skip_all "no scsi_debug"
make_crypt ours "$disk"
under_io "scsi_debug" "echo 1 > /sys/block/${disk##*/}/device/delete"

make_null_blk null memory_backed=1 size=8 irqmode=2 completion_nsec=20000
make_crypt ours "$null"
under_io "null_blk" "echo 0 > /sys/kernel/config/nullb/lab0/power"
