# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: zoned devices: zones are reported, written in order, read and reset
# kernels: oldest newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

requires_kernel_config BLK_DEV_ZONED
requires_command blkzone
make_null_blk null memory_backed=1 size=32 zoned=1 zone_size=4 zone_nr_conv=2
random_file data 2

for size in 512 4096; do
	make_crypt ours "$null" sector_size:$size
	is "$(cat "/sys/block/$(disk_name /dev/mapper/ours)/queue/zoned")" "host-managed" "$size: it is zoned"
	blkzone report "$null" > below
	blkzone report /dev/mapper/ours > above
	is "$(wc -l < above)" 8 "$size: eight zones"
	check "$size: as those below" cmp below above
	check "$size: a conventional zone" fio_verify /dev/mapper/ours --name=x --direct=1 --size=4M \
		--io_size=1M --bsrange=4k-128k --ioengine=libaio --iodepth=4
	start=$((8 * 1048576))
	for depth in 1 8; do
		check "$size, depth $depth: sequential zones written" fio_ours libaio write \
			64k --zonemode=zbd --offset=8M --size=8M --io_size=3M --iodepth=$depth \
			--verify=crc32c --verify_fatal=1
		check "$size: reset" blkzone reset -o $((start / 512)) -c 2 /dev/mapper/ours
	done
	check "$size: 2 MiB in one go" rw write /dev/mapper/ours $start data
	check "$size: and read" rw compare /dev/mapper/ours $start data
	like "$(blkzone report -o $((start / 512)) -c 1 /dev/mapper/ours)" "wptr 0x001000" "$size: the write pointer moved"
	check_not "$size: not out of order" rw write /dev/mapper/ours $start data
	# After an error newer kernels want the write pointer looked up
	blkzone report /dev/mapper/ours > /dev/null
	check "$size: the rest of the zone" rw write /dev/mapper/ours $((start + 2097152)) data
	like "$(blkzone report -o $((start / 512)) -c 1 /dev/mapper/ours)" "\(fu\)" "$size: it is full"
	check "$size: data is right" rw compare /dev/mapper/ours $((start + 2097152)) data
	dm_remove ours
	dm_create theirs "$(crypt_table crypt "$null" sector_size:$size)" || bail "no dm-crypt"
	check "$size: for dm-crypt as well" rw compare /dev/mapper/theirs $start data
	dm_remove theirs
	check "$size: all zones reset" blkzone reset -o $((start / 512)) "$null"
done

# Newer kernels have the conventional zones alone as a regular device: there is no order to
# be kept, and NOWAIT I/O does not wait. A suspended device below shows that.
dm_create below "0 $(sectors "$null") linear $null 0" || bail "no linear device"
dm_create ours "0 16384 inline-crypt aes-xts-plain64 $(test_key 64) 0 /dev/mapper/below 0" ||
	bail "no table over conventional zones"
if [ "$(cat "/sys/block/$(disk_name /dev/mapper/ours)/queue/zoned")" = none ]; then
	head -c 4096 data > four
	check "conventional zones: written" rw --nowait write /dev/mapper/ours 0 four
	check "conventional zones: and read" rw compare /dev/mapper/ours 0 four
	dmsetup suspend --nolockfs below
	rw --nowait write /dev/mapper/ours 8192 four > error 2>&1 &
	pid=$!
	for _ in $(seq 600); do
		kill -0 $pid 2> /dev/null || break
		sleep 0.1
	done
	dmsetup resume below
	wait $pid
	like "$? $(cat error)" '^1 EAGAIN' "conventional zones: a NOWAIT write does not wait"
else
	skip "conventional zones alone" "zoned in this kernel"
fi
dm_remove ours
dm_remove below

# Asynchronous ciphers must not change the order
modprobe icrypt-test-async || bail "no test driver"
dm_create ours "0 $(sectors "$null") inline-crypt capi:test-async-plain64 $(test_key 64) 0 $null 0" ||
	bail "no table with the test driver"
check "asynchronous cipher: sequential zones" fio_ours libaio write 64k --zonemode=zbd \
	--offset=8M --size=8M --io_size=3M --iodepth=8 --verify=crc32c --verify_fatal=1
check "asynchronous cipher: 2 MiB in one go" rw write /dev/mapper/ours $((16 * 1048576)) data
check "and read" rw compare /dev/mapper/ours $((16 * 1048576)) data
dm_remove ours

# A file system that appends to zones: older kernels make writes of that in dm
make_null_blk appended memory_backed=1 size=128 zoned=1 zone_size=4
make_crypt ours "$appended"
check_zone_append "ours" /dev/mapper/ours data
dm_remove ours
dm_create theirs "$(crypt_table crypt "$appended")" || bail "no dm-crypt"
mount /dev/mapper/theirs /mnt || bail "dm-crypt finds no file system"
check "appended, for dm-crypt as well" cmp data /mnt/direct
umount /mnt
dm_remove theirs
