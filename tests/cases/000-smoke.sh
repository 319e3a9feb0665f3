# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the lab itself works: modules, loop devices, dm tables, dm-crypt; the target is not touched
# kernels: all smoke
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

diag "kernel $(uname -r), $(nproc) CPU(s)"

check "dm-mod loads" modprobe dm-mod
check "device-mapper answers" dmsetup version

make_loop loop 16
is "$(sectors "$loop")" 32768 "a 16 MiB loop device has 32768 sectors"

check "a linear table loads" dm_create smoke-linear "0 32768 linear $loop 0"
random_file data 1
check "it can be written" dd if=data of=/dev/mapper/smoke-linear bs=64k conv=fsync
check "the data is on the loop device" cmp -n 1048576 data "$loop"
check "the linear device can be removed" dm_remove smoke-linear

key=$(head -c 64 /dev/zero | xxd -p | tr -d '\n')
check "dm-crypt takes a table" \
	dm_create smoke-crypt "0 32768 crypt aes-xts-plain64 $key 0 $loop 0"
check "an encrypted device can be written" \
	dd if=data of=/dev/mapper/smoke-crypt bs=64k conv=fsync
drop_caches
check "the data is read back" cmp -n 1048576 data /dev/mapper/smoke-crypt
check_not "the data on the loop device is not the plaintext" cmp -n 1048576 data "$loop"
check "dm_wait_idle sees it idle" dm_wait_idle smoke-crypt

check "fio runs" fio --name=x --filename=/dev/mapper/smoke-crypt --rw=randread \
	--bs=4k --size=1M --direct=1 --ioengine=io_uring --iodepth=4

make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
is "$(sectors "$null")" 32768 "null_blk has the size asked for"
make_brd ram 16
is "$(sectors "$ram")" 32768 "brd has the size asked for"
