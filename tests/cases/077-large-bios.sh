# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: requests larger than what one bio of single pages holds
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
