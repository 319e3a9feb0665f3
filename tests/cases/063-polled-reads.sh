# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: polled reads and writes that the device below would have to split end, and are right
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

# large TEXT SIZE OPTION... - blocks of SIZE, written and read
#
# A polled bio that has to be split is refused again and again, hence the time limit.
large() {
	text=$1
	size=$2
	shift 2
	for kind in write read; do
		check "$text, $kind: blocks of $((size / 1024)) KiB ${*:-}" \
			timeout -s KILL 20 uring --iopoll --depth 2 --count $((8388608 / size)) \
			--bs $size "$@" $kind /dev/mapper/ours ||
			bail "$text: a request that comes for ever"
	done
}

make_null_blk null memory_backed=1 size=16 submit_queues=1 poll_queues=1
queue=/sys/block/$(disk_name "$null")/queue
for sectors in 512 4096; do
	make_crypt ours "$null" sector_size:$sectors
	for size in 524288 1048576; do
		large "sectors of $sectors" $size
		large "sectors of $sectors" $size --shift 512
		large "sectors of $sectors" $size --huge
	done
	echo 68 > $queue/max_sectors_kb
	large "sectors of $sectors, 68 KiB below" 262144
	large "sectors of $sectors, 68 KiB below" 1048576 --huge
	cat $queue/max_hw_sectors_kb > $queue/max_sectors_kb
	dm_remove ours
done

# A bio that is split is counted once
echo 64 > $queue/max_sectors_kb
make_crypt ours "$null"
stat=/sys/block/$(disk_name /dev/mapper/ours)/stat
uring --count 4 --bs 262144 write /dev/mapper/ours > /dev/null
read -r _ _ was _ < $stat
check "polled" timeout -s KILL 20 uring --iopoll --count 4 --bs 262144 read /dev/mapper/ours
read -r _ _ now _ < $stat
is $((now - was)) 2048 "every sector counts once"
dm_remove ours
cat $queue/max_hw_sectors_kb > $queue/max_sectors_kb

# Another device between
dm_create between "0 $(sectors "$null") linear $null 0" || bail "no dm-linear"
make_crypt ours /dev/mapper/between
large "dm-linear below" 1048576
dm_remove ours
dm_remove between

# A bio over the end of a zone has to be split, even if zones mean nothing here
if have_kernel_config BLK_DEV_ZONED; then
	make_null_blk zoned memory_backed=1 size=16 submit_queues=1 poll_queues=1 zoned=1 \
		zone_size=4 zone_nr_conv=3
	make_crypt ours "$zoned"
	uring --count 10 --bs 786432 write /dev/mapper/ours > /dev/null
	check "over the end of a zone, read" timeout -s KILL 20 uring --iopoll --count 10 \
		--bs 786432 read /dev/mapper/ours
	dm_remove ours
else
	skip "zones" "kernel without zoned devices"
fi

find_nvme nvme
if [ "$(cat "/sys/block/${nvme##*/}/queue/io_poll")" = 1 ]; then
	make_crypt ours "$nvme" sector_size:4096
	large "NVMe" 1048576
	dm_remove ours
	# It takes memory that is not aligned to its blocks of 4096
	echo 0 > /sys/module/dm_inline_crypt/parameters/memory_alignment
	make_crypt ours "$nvme" sector_size:4096
	large "NVMe" 1048576 --shift 512
	echo 1 > /sys/module/dm_inline_crypt/parameters/memory_alignment
else
	skip "NVMe" "no poll queues"
fi
