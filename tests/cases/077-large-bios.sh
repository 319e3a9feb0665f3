# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: requests that are larger than a bio of single pages can be
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

random_file data 4
make_loop loop 32
make_null_blk null memory_backed=1 size=32 irqmode=2 completion_nsec=20000

for dev in "$loop" "$null"; do
	make_crypt ours "$dev"
	dm_create theirs "$(crypt_table crypt "$dev")" || bail "no dm-crypt"
	# Huge pages make few, long segments: the largest bios there are.
	for how in --huge '' '--shift 512'; do
		check "$dev: 4 MiB ${how:-small pages} written" rw $how write /dev/mapper/ours 1048576 data
		check "$dev: found by dm-crypt" rw compare /dev/mapper/theirs 1048576 data
		check "$dev: 4 MiB ${how:-small pages} read" rw $how compare /dev/mapper/ours 1048576 data
		tr '\0' '\377' < /dev/zero |
			dd of=/dev/mapper/theirs bs=1M seek=1 count=4 iflag=fullblock oflag=direct 2> /dev/null
	done
	dm_remove theirs
	check "$dev: blocks of 2 MiB, four at a time" fio_verify /dev/mapper/ours --name=x \
		--ioengine=libaio --iodepth=4 --bs=2M --size=8M --direct=1
	dm_remove ours
done

# large_polled NAME DEVICE - polled blocks of 2 MiB on ext4 on ours, which is on DEVICE
#
# Polled I/O must not wait wherever it is submitted again. This large it comes from file
# systems, and only where nothing has to be allocated any more. What DEVICE would have to
# split is refused there, by whatever target.
large_polled() {
	[ -d /sys/kernel/mm/transparent_hugepage ] || {
		skip "polled, $1" "kernel without huge pages"
		dm_remove ours
		return
	}
	echo 2048 > "/sys/block/$(disk_name "$2")/queue/max_sectors_kb"
	mkfs.ext4 -q -F /dev/mapper/ours
	mount -o noinit_itable,no_prefetch_block_bitmaps /dev/mapper/ours /mnt || bail "no file system"
	dd if=/dev/zero of=/mnt/file bs=1M count=16 oflag=direct conv=fsync 2> /dev/null
	trace_start block/block_bio_queue
	for kind in write read; do
		check "polled, $1, $kind: blocks of 2 MiB" timeout 60 uring --iopoll --huge \
			--bs 2097152 --count 8 --depth 2 $kind /mnt/file
	done
	trace_stop trace
	umount /mnt
	disk=$(tr : , < "/sys/block/$(disk_name /dev/mapper/ours)/dev")
	is_at_least "$(awk -v dev="$disk" '$5 == "block_bio_queue:" && $6 == dev && $10 > max {
		max = $10 } END { print max * 512 }' trace)" 2097152 "polled, $1: in bios that large"
	# Not more than the device below takes in pages that are all alone
	most=$(($(cat "/sys/block/$(disk_name "$2")/queue/max_segments") * 4096))
	disk=$(tr : , < "/sys/block/$(disk_name "$2")/dev")
	check "polled, $1: written in parts that need no large pages" awk -v dev="$disk" -v most=$most '
		$5 == "block_bio_queue:" && $6 == dev && $7 ~ /^F?W/ && $10 * 512 > max {
			max = $10 * 512
		}
		END { print max, most; exit max > most || !max }' trace
	dm_remove ours
}

make_null_blk polled memory_backed=1 size=48 submit_queues=1 poll_queues=1 max_sectors=4096
for size in 512 4096; do
	make_crypt ours "$polled" sector_size:$size
	large_polled "sectors of $size" "$polled"
done
# A device with tags is read a MiB at a time.
if kernel_at_least 6.12; then
	find_nvme nvme
	dm_create ours "0 98304 inline-crypt capi:gcm(aes)-random $(test_key 32) 0 $nvme 0 2 \
integrity:28:aead sector_size:4096" || bail "no table on NVMe"
	# A file system looks at sectors that it has not written
	dd if=/dev/zero of=/dev/mapper/ours bs=1M count=48 oflag=direct 2> /dev/null
	large_polled "with tags" "$nvme"
else
	skip "polled, with tags" "only dm-integrity has room for tags in this kernel"
fi
