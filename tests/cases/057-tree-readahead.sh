# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a task that reads ahead the blocks of a directory's tree does not wait for each of them
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

requires_command mkfs.btrfs
requires_module btrfs
requires_module dm-delay
delay_ms=30
make_null_blk null memory_backed=1 size=256

# A directory that needs many blocks, made without the delay
make_crypt ours "$null"
mkfs.btrfs -q -m single -d single /dev/mapper/ours > /run/check.out 2>&1 ||
	bail "no btrfs: $(cat /run/check.out)"
mount -t btrfs /dev/mapper/ours /mnt || bail "cannot mount"
mkdir /mnt/many
for i in $(seq -w 3000); do
	: > "/mnt/many/an-entry-with-a-long-name-so-that-few-fit-into-a-block-$i"
done
umount /mnt
dm_remove ours

# list TARGET - a cold listing; sets ms and entries
list() {
	dm_create slow "0 $(sectors "$null") delay $null 0 $delay_ms" || bail "no slow device"
	dm_create top "$(crypt_table $1 /dev/mapper/slow)" || bail "no $1"
	mount -t btrfs -o ro /dev/mapper/top /mnt || bail "cannot mount over $1"
	_from=$(now_ms)
	set -- /mnt/many/*
	entries=$#
	ms=$(($(now_ms) - _from))
	umount /mnt
	waited=$(counter top r_caller)
	dm_remove top
	dm_remove slow
}

list crypt
theirs=$ms expected=$entries
list inline-crypt
diag "cold listing: $ms ms, over dm-crypt $theirs ms"
is "$entries $expected" "3000 3000" "all entries are listed"
# The blocks that the task needs at once are read one by one, as over dm-crypt.
is_at_least 20 "${waited:-999999}" "at most 20 reads were waited for in map"
is_at_least $((theirs * 13 / 10 + 2 * delay_ms)) "$ms" "the listing takes at most 1.3 times as long as over dm-crypt"
