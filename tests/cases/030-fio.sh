# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: fio verifies the data that it wrote: psync, libaio, io_uring, direct and buffered, at once
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 32

jobs=$(fio_jobs 4)
for size in 512 4096; do
	make_crypt ours "$loop" sector_size:$size
	for bs in $size 4k-256k; do
		# The smallest blocks are many: not all of the region
		[ "$bs" = "$size" ] && io="--bs=$size --io_size=256k" || io="--bsrange=$bs"
		# shellcheck disable=SC2086  # to be split
		check "sector_size $size, blocks of $bs" fio_verify /dev/mapper/ours $io $jobs
	done
	dm_remove ours
	dm_create theirs "$(crypt_table crypt "$loop" sector_size:$size)" || bail "no dm-crypt"
	# shellcheck disable=SC2086  # to be split
	check "dm-crypt finds all of it as well" fio_read /dev/mapper/theirs --bsrange=4k-256k $jobs
	dm_remove theirs
done
