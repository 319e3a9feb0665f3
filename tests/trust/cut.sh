# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: after a power cut every record that was acknowledged is there
# shellcheck shell=dash

# Started by tests/trust/cuts, which ends this guest while it writes. vda is the
# disk, vdb has the acknowledgements, vdc is what OpenSSL made of the disk after the last
# cut. There is a word in /with: format, cut, or check for the last of all.

read -r what target type size < /with/cut
modprobe -a virtio_pci virtio_blk "$type"
key=$(test_key 64)
[ "$type" != btrfs ] || crash forget

# look TEXT DEVICE - mount it, which plays its log, and compare
look() {
	check "$1: mount" mount -t "$type" "$2" /mnt || return
	if crash check /mnt acks > out 2>&1; then
		ok "$1: $(cat out)"
	else
		not_ok "$1: records"
		sed 's/^/# /' out
	fi
	umount /mnt
	case $type in
	ext4) check "$1: fsck" e2fsck -fn "$2" ;;
	xfs) check "$1: fsck" xfs_repair -n "$2" ;;
	btrfs) check "$1: fsck" btrfs check "$2" ;;
	esac
}

dd if=/dev/vdb of=acks bs=4096 count=8 iflag=direct 2> /dev/null
dm_create ours "0 $(sectors /dev/vda) $target aes-xts-plain64 $key 0 /dev/vda 0 1 sector_size:$size" ||
	bail "no device"
if [ "$what" = format ]; then
	case $type in
	ext4) mkfs.ext4 -q -F -E nodiscard -J size=4 /dev/mapper/ours ;;
	xfs) mkfs.xfs -q -f -K /dev/mapper/ours ;;
	btrfs) mkfs.btrfs -q -f -K -m single -d single /dev/mapper/ours ;;
	esac > out 2>&1 || bail "no file system: $(cat out)"
	sync
else
	look "decrypted by OpenSSL" /dev/vdc
	[ "$type" != btrfs ] || crash forget
	look "by the target" /dev/mapper/ours
	[ "$type" != btrfs ] || crash forget
fi
[ "$what" != check ] || exit 0
mount -t "$type" /dev/mapper/ours /mnt || bail "no mount"
crash work /mnt 0 --acks /dev/vdb
not_ok "the writers ended"
