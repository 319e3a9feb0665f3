# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: make bench DEV=: it refuses a device in use, asks, names what is missing, and measures
# shellcheck shell=dash disable=SC2154  # make_loop sets variables

export bench_settings=/with/settings
make_loop loop 64

# refused TEXT REGEX [YES=1] - it does not run, says REGEX, and wrote nothing
refused() {
	check_not "$1: refused" env "YES=${3#YES=}" sh /with/device.sh "$loop"
	like "$(cat /run/check.out)" "$2" "$1: and says so"
	is "$(head -c 8192 "$loop" | md5sum)" "$before" "$1: nothing is written"
}

mkfs.ext4 -q "$loop"
# Read-only: ext4 itself would go on writing after a mount, its inode tables for one.
mount -r "$loop" /mnt
before=$(head -c 8192 "$loop" | md5sum)
refused "a mounted device" "$loop is mounted on /mnt" YES=1
umount /mnt

dm_create holder "0 100 linear $loop 0"
before=$(head -c 8192 "$loop" | md5sum)
refused "a device below another" "$loop is used by dm-" YES=1
dm_remove holder

mkswap "$loop" > /dev/null
swapon "$loop"
before=$(head -c 8192 "$loop" | md5sum)
refused "a swap device" "$loop is swap" YES=1
swapoff "$loop"

module=/lib/modules/$(uname -r)/updates/dm-inline-crypt.ko
mv "$module" /tmp/module
refused "no module" "make install && sudo modprobe dm-inline-crypt" YES=1
mv /tmp/module "$module"

refused "no answer" "ALL DATA on $loop WILL BE OVERWRITTEN"
like "$(cat /run/check.out)" "not confirmed" "and waits for one"
check_not "a file is no device" sh /with/device.sh /with/settings

check "with the answer it runs" sh -c "YES=1 sh /with/device.sh $loop > /tmp/out"
for variant in linear crypt crypt-nowq crypt-samecpu inline-crypt linear-again; do
	is "$(sed -n 's/^# RESULT //p' /tmp/out |
		jq -s "map(select(.variant == \"$variant\" and .iops > 0)) | length")" 1 "$variant is measured"
done
is "$(dmsetup ls)" "No devices found" "no mapping is left"
