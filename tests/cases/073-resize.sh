# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a live device grows and shrinks by a new table
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop sets variables

make_loop loop 16
key=$(test_key 64)
random_file data 4
line="inline-crypt aes-xts-plain64 $key 0 $loop 0"

dm_create ours "0 8192 $line" || bail "no device"
check "all of it written" rw write /dev/mapper/ours 0 data
check_not "but no more" dd if=data of=/dev/mapper/ours bs=4k seek=1024 count=1 oflag=direct
check "a larger table" reload ours "0 32768 $line"
is "$(sectors /dev/mapper/ours)" 32768 "is a larger device"
check "the old data is still there" rw compare /dev/mapper/ours 0 data
check "the new space can be written" rw write /dev/mapper/ours $((12 * 1048576)) data
check "and read" rw compare /dev/mapper/ours $((12 * 1048576)) data
check "a smaller table" reload ours "0 4096 $line"
is "$(sectors /dev/mapper/ours)" 4096 "is a smaller device"
check_not "that ends there" rw read /dev/mapper/ours $((2 * 1048576)) 4096
head -c 2097152 data > half
check "the rest of the data is there" rw compare /dev/mapper/ours 0 half
check_not "no table larger than the device below" \
	sh -c "echo '0 32776 $line' | dmsetup reload ours && dmsetup suspend ours && dmsetup resume ours"
dmsetup clear ours
dmsetup resume ours
check "which changes nothing" rw compare /dev/mapper/ours 0 half
