# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: disks for tests/boot/boot: a root and a data volume on LUKS2, by dm-crypt
#
# Disks: vda, the root's plain file system; vdb and vdc, empty. In /with: keys
# and UUIDs.

modprobe -a virtio_pci virtio_blk dm-crypt
root_uuid='' data_uuid=''
# shellcheck source=/dev/null
. /with/uuids

# A key from a file needs no slow key derivation, and emulation is slow enough.
format() {
	cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --cipher aes-xts-plain64 --key-size 512 \
		--uuid "$2" "$1" "/with/$3" && cryptsetup open --key-file "/with/$3" "$1" "$4"
}

check "the root volume is formatted" format /dev/vdb "$root_uuid" root.key root
check "the root volume is filled" dd if=/dev/vda of=/dev/mapper/root bs=4M conv=fsync
check "the data volume is formatted" format /dev/vdc "$data_uuid" data.key data
check "the data volume has a file system" mkfs.ext4 -q /dev/mapper/data
check "the data volume is filled" sh -c '
	mount /dev/mapper/data /mnt && head -c 4194304 /dev/urandom > /mnt/file &&
		cd /mnt && sha256sum file > sums && cd / && umount /mnt'
is "$(cut -d ' ' -f 1 /proc/modules | grep -c '^dm_inline_crypt$')" 0 "all by dm-crypt"
cryptsetup close root
cryptsetup close data
