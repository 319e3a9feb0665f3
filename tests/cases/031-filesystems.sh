# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: ext4 and xfs on top: fio verifies all kinds of I/O, files survive a remount and fsck, and dm-crypt sees the same
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2046  # make_loop and friends set variables

modprobe -a ext4 xfs 2>/dev/null
mkdir tree
for i in 1 2 3 4 5 6 7 8; do
	head -c $((i * i * 12345)) /dev/urandom > "tree/random$i"
	mkdir -p "tree/d$i"
	for j in 1 2 3 4 5; do
		echo "$i $j" > "tree/d$i/f$j"
	done
done
random_file tree/large 6

# on_top TYPE MIB MKFS... - MIB as much as mkfs.TYPE insists on
on_top() {
	type=$1
	make_loop loop "$2"
	shift 2
	for size in 512 4096; do
		make_crypt ours "$loop" sector_size:$size
		check "$type, $size: mkfs" "$@" /dev/mapper/ours || return
		check "$type, $size: mount" mount -t "$type" /dev/mapper/ours /mnt
		check "$type, $size: copy" cp -a tree /mnt
		rm -r /mnt/tree/d3
		cp -a tree/d3 /mnt/tree
		# All holes, so that each write has to allocate
		truncate -s 6M /mnt/mixed
		check "$type, $size: all engines, direct and buffered, in one file" \
			fio_verify /mnt/mixed --bsrange=4k-64k $(fio_jobs 1)
		sha256sum /mnt/mixed > mixed
		check "$type, $size: unmount" umount /mnt

		drop_caches
		check "$type, $size: fsck" fsck_"$type" /dev/mapper/ours
		check "$type, $size: mount again" mount -t "$type" /dev/mapper/ours /mnt
		check "$type, $size: all files are as they were" same_tree
		umount /mnt
		dm_remove ours

		dm_create theirs "$(crypt_table crypt "$loop" sector_size:$size)" || bail "no dm-crypt"
		check "$type, $size: dm-crypt mounts it" mount -t "$type" -o ro /dev/mapper/theirs /mnt
		check "$type, $size: with the same files" same_tree
		umount /mnt
		dm_remove theirs
	done
}

fsck_ext4() {
	e2fsck -fn "$1"
}

fsck_xfs() {
	xfs_repair -n "$1"
}

same_tree() {
	(cd tree && find . -type f | sort | xargs sha256sum) > want
	(cd /mnt/tree && find . -type f | sort | xargs sha256sum) > got
	cmp want got && sha256sum -c mixed
}

on_top ext4 32 mkfs.ext4 -q -F
losetup -D
on_top xfs 320 mkfs.xfs -q -f
