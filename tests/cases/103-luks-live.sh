# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: luksSuspend, refresh, resize, deferred close and discards of a volume in use, on takeover=1
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

requires_command cryptsetup
printf 'lab passphrase' > pass
printf 'another' > wrong
random_file data 1
make_loop loop 16
backing=$(losetup --noheadings --output BACK-FILE "$loop")
serve ours

# table NAME - without the key
table() {
	dmsetup table "$1" | cut -d' ' -f4,6-
}

# suspended NAME
suspended() {
	[ "$(dmsetup info -c --noheadings -o suspended "$1")" = Suspended ]
}

# busy - I/O to the middle of the volume until there is a file "stop"
busy() {
	until [ -e stop ]; do
		fio_verify /dev/mapper/vol --name=busy --offset=2M --size=1M --bsrange=4k-64k --direct=1 \
			--ioengine=libaio --iodepth=4 --verify_backlog=16 || return
	done
}

# blocks - how much of the volume's file is there, KiB
blocks() {
	sync
	du -k "$backing" | cut -f1
}

check "luksFormat" luks_format "$loop" --type luks2 --luks2-keyslots-size 512k --sector-size 512 ||
	bail "no volume"

for keyring in keyring no-keyring; do
	option=
	[ $keyring = keyring ] || option=--disable-keyring
	# shellcheck disable=SC2086  # nothing or one word
	check "$keyring: open" cs open $option --key-file pass "$loop" vol || bail "no mapping"
	full=$(sectors /dev/mapper/vol)
	check "$keyring: write" rw write /dev/mapper/vol 0 data

	# The rest goes on while the volume is busy
	rm -f stop
	busy > busy.out 2>&1 &
	busy=$!

	check "$keyring: luksSuspend" cs luksSuspend vol
	check "$keyring: it is suspended" suspended vol
	like "$(dmsetup table --showkeys vol | cut -d' ' -f5)" '^0{128}$' "$keyring: the key is gone"
	like "$(cs status vol)" 'suspended' "$keyring: status knows"
	(rw compare /dev/mapper/vol 0 data && echo right || echo wrong) > reader 2>&1 &
	reader=$!
	check_not "$keyring: not resumed with a wrong passphrase" cs luksResume --key-file wrong vol
	check_not "$keyring: nor by dmsetup" dmsetup resume vol
	check "$keyring: still suspended" suspended vol
	is "$(cat reader)" "" "$keyring: a reader waits"
	# shellcheck disable=SC2086
	check "$keyring: luksResume" cs luksResume $option --key-file pass vol
	wait $reader
	is "$(cat reader)" right "$keyring: then it reads the data that was there"

	# shellcheck disable=SC2086
	check "$keyring: refresh" cs refresh $option --key-file pass --allow-discards \
		--perf-no_read_workqueue --perf-no_write_workqueue vol
	like "$(table vol)" " 3 allow_discards no_read_workqueue no_write_workqueue$" "$keyring: has new options"
	# shellcheck disable=SC2086
	check "$keyring: and back" cs refresh $option --key-file pass vol
	like "$(table vol)" "^aes-xts-plain64 0 [0-9:]* [0-9]*$" "$keyring: has none"
	# shellcheck disable=SC2086
	check "$keyring: resize" cs resize $option --key-file pass --size 8192 vol
	is "$(sectors /dev/mapper/vol)" 8192 "$keyring: it is smaller"
	# shellcheck disable=SC2086
	check "$keyring: resize" cs resize $option --key-file pass vol
	is "$(sectors /dev/mapper/vol)" "$full" "$keyring: it is as before"
	check "$keyring: data is there" rw compare /dev/mapper/vol 0 data

	touch stop
	check "$keyring: every block was right all the time" wait $busy
	check "$keyring: close" cs close vol
done

# A larger disk
truncate -s 20M "$backing"
losetup -c "$loop"
check "open" cs open --key-file pass "$loop" vol
is "$(sectors /dev/mapper/vol)" $((full + 8192)) "all of a grown device"
truncate -s 24M "$backing"
losetup -c "$loop"
check "resize" cs resize --key-file pass vol
is "$(sectors /dev/mapper/vol)" $((full + 16384)) "and of one that grows below it"

# Deferred close
node=/dev/$(disk_name /dev/mapper/vol)
sleep 1000 < /dev/mapper/vol &
holder=$!
for _ in $(seq 600); do
	[ "$(dmsetup info -c --noheadings -o open vol)" = 0 ] || break
	sleep 0.1
done
check_not "no close while somebody has it open" cs close vol
check "deferred close" cs close --deferred vol
check "it is still there" rw compare "$node" 0 data
check "cancelled" cs close --cancel-deferred vol
check "and again" cs close --deferred vol
kill $holder
wait $holder 2> /dev/null
# By a worker, the name first
for _ in $(seq 600); do
	[ -e "/sys/block/${node##*/}" ] || break
	sleep 0.1
done
check_not "it goes with the last user" dmsetup info vol

# Discards
check "open" cs open --key-file pass "$loop" vol
check_not "no discards" blkdiscard /dev/mapper/vol
check "refresh" cs refresh --key-file pass --allow-discards --persistent vol
check "mkfs" mkfs.ext4 -q -O ^has_journal -E nodiscard,lazy_itable_init=0 /dev/mapper/vol
check "mount" mount /dev/mapper/vol /mnt
random_file /mnt/large 8
cp data /mnt/kept
with=$(blocks)
rm /mnt/large
check "fstrim" fstrim /mnt
is_at_least $((with - $(blocks))) 8000 "and the space is free below"
umount /mnt
check "close" cs close vol

# The same on dm-crypt, with the flag that persists
serve theirs
check "dm-crypt: open" cs open --key-file pass "$loop" vol
is "$(served_by vol)" theirs "it is dm-crypt"
like "$(table vol)" " 1 allow_discards$" "discards persist"
check "dm-crypt: e2fsck" e2fsck -fn /dev/mapper/vol
check "dm-crypt: mount" mount -o ro /dev/mapper/vol /mnt
check "dm-crypt: data" cmp /mnt/kept data
