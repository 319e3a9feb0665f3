# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: of data that an IV generator had to copy nothing is left in memory
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_null_blk sets variables

[ -e /proc/kcore ] || skip_all "no /proc/kcore, kernel without CONFIG_PROC_KCORE"
! grep -Eq 'init_on_free=(1|y|on)' /proc/cmdline || skip_all "init_on_free wipes whatever is freed"
grep -q '^# CONFIG_INIT_ON_FREE_DEFAULT_ON is not set' /boot/config ||
	grep -Eq 'init_on_free=(0|n|off)' /proc/cmdline ||
	skip_all "kernel with CONFIG_INIT_ON_FREE_DEFAULT_ON, which wipes whatever is freed"

make_null_blk null memory_backed=1 size=8
modprobe dm-inline-crypt || bail "no module"
# A sector of 4096 bytes in a buffer that is aligned to 512 is copied to be diffused
dm_create ours "0 16384 inline-crypt aes-cbc-elephant $(test_key 64) 0 $null 0 1 sector_size:4096" ||
	bail "no elephant"
# All of the memory is read
take_memory 100

check "written" keymem write 71 /dev/mapper/ours
is "$(keymem find 71 2> /dev/null)" "raw 0 hex 0" "nothing is left of the written data"
check "read, and the same" keymem read 71 /dev/mapper/ours
is "$(keymem find 71 2> /dev/null)" "raw 0 hex 0" "nothing is left of the read data"
like "$(keymem find 71 --own 2> /dev/null)" 'raw [1-9][0-9]* hex [1-9]' "it would have been found"
dm_remove ours
check "memory is given back" give_memory
