# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: at any point of the log of writes the disk has a sound file system with every record that was acknowledged
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# make check-crash has more of all that, from the kernel's command line
lab() {
	_value=$(sed -n "s/.*\blab\.$1=\([^ ]*\).*/\1/p" /proc/cmdline)
	echo "${_value:-$2}" | tr , ' '
}
points=$(lab points 5)
records=$(lab records 40)
seed=$(lab seed 1)
cells=$(lab cells "inline-crypt:ext4:512 inline-crypt:xfs:4096 inline-crypt:btrfs:4096")

requires_module loop
requires_module dm-log-writes
requires_module dm-snapshot
requires_command e2fsck xfs_repair btrfs
modprobe -a ext4 xfs btrfs 2> /dev/null

# make_fs TYPE DEVICE
make_fs() {
	case $1 in
	ext4) mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 -J size=4 "$2" ;;
	xfs) mkfs.xfs -q -f -K "$2" ;;
	btrfs) mkfs.btrfs -q -f -K -m single -d single "$2" ;;
	esac
}

mib_of() {
	case $1 in
	ext4) echo 48 ;;
	xfs) echo 320 ;;
	btrfs) echo 128 ;;
	esac
}

# fsck_fs TYPE DEVICE - changes nothing, and says whether there is anything to change
fsck_fs() {
	case $1 in
	ext4) e2fsck -fn "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	btrfs) btrfs check "$2" ;;
	esac
}

# look_at ENTRY - the file system as it was then; the log of it is played by the mount
look_at() {
	# As new, with nothing in it
	truncate -s 0 cow && truncate -s 96M cow
	dm_create moment "0 $(sectors "$plain") snapshot $plain $cow N 8" || return
	[ "$type" != btrfs ] || crash forget
	if mount -t "$type" /dev/mapper/moment /mnt > out 2>&1; then
		crash check /mnt acks >> out 2>&1 || echo "point $1: $(cat out)" >> bad
		sed -n 's/^records \([0-9]*\) .*/\1/p' out >> count
		umount /mnt
		fsck_fs "$type" /dev/mapper/moment > out 2>&1 ||
			echo "point $1: fsck: $(tail -n 20 out)" >> bad
	else
		echo "point $1: mount: $(cat out; dmesg | tail -n 5)" >> bad
	fi
	dm_remove moment
}

key=$(test_key 64)
seed_of_cell=$seed
for cell in $cells; do
	target=${cell%%:*}
	size=${cell##*:}
	type=${cell#*:}
	type=${type%:*}
	name="$target, $type, $size"
	rm -f disk log plain cow bad count acks.end
	truncate -s "$(mib_of "$type")M" disk
	truncate -s 3G log
	touch bad count
	disk=$(losetup --find --show disk)
	table="$target aes-xts-plain64 $key 0"
	len=$(sectors "$disk")

	# The log begins with an empty file system.
	dm_create top "0 $len $table $disk 0 1 sector_size:$size" || bail "$name: no device"
	make_fs "$type" /dev/mapper/top > out 2>&1 || bail "$name: no file system: $(cat out)"
	dm_remove top
	sync
	crash decrypt disk plain "$key" "$size" || bail "$name: cannot decrypt"
	log=$(losetup --find --show log)
	dm_create logged "0 $len log-writes $disk $log" || bail "$name: no log"
	dm_create top "0 $len $table /dev/mapper/logged 0 1 sector_size:$size"
	[ "$type" != btrfs ] || crash forget
	check "$name: mount" mount -t "$type" /dev/mapper/top /mnt || continue
	check "$name: records written" crash work /mnt "$records" --acks acks.end --mark logged
	umount /mnt
	dm_remove top
	dm_remove logged

	crash points log "$points" "$seed_of_cell" > chosen 2> about || bail "$name: $(cat about)"
	diag "$name: $(cat about), seed $seed_of_cell"
	plain=$(losetup --find --show plain)
	truncate -s 96M cow
	cow=$(losetup --find --show cow)
	at=0
	while read -r point; do
		crash replay log plain "$at" "$point" "$key" "$size" acks || { echo "point $point: replay" >> bad; break; }
		at=$point
		look_at "$point"
	done < chosen
	is "$(wc -l < count) $(wc -l < bad)" "$(wc -l < chosen) 0" "$name: $(wc -l < chosen) points are sound" ||
		head -n 60 bad | sed 's/^/# /'
	is_at_least "$(awk '{ n += $1 } END { print n + 0 }' count)" 1 "$name: with the acknowledged records"
	diag "$name: $(awk '{ n += $1 } END { print n + 0 }' count) records compared"
	losetup -D
	seed_of_cell=$((seed_of_cell + 1))
done
