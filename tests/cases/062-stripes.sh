# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: large writes are cut where stripes end; not within a stripe where that is expensive
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

requires_module dm-mod
[ "$(nproc)" -gt 1 ] || skip_all "one CPU"

# parts OFFSET FILE - write FILE at OFFSET; prints the bios that are sent, "offset:bytes"... in KiB
parts() {
	trace_start dm_inline_crypt/submit
	rw --huge write /dev/mapper/ours $1 $2
	trace_stop trace
	sed -n 's/.* submit: [^ ]* W \([0-9]*\) bytes=\([0-9]*\) .*/\1 \2/p' trace | sort -n |
		awk '{ printf "%s%d:%d", n++ ? " " : "", $1 / 2, $2 / 1024 }'
}

# learn - let the target learn the cost of the cipher
learn() {
	for _ in $(seq 16); do
		rw write /dev/mapper/ours 0 data64
	done
}

# md LEVEL NAME CHUNK DEVICE... - an array without metadata
md() {
	_level=$1 _md=$2 _chunk=$3
	shift 3
	echo $_md > /sys/module/md_mod/parameters/new_array || return
	_sys=/sys/block/$_md/md
	echo none > $_sys/metadata_version
	echo $_level > $_sys/level || return
	echo $# > $_sys/raid_disks
	echo $_chunk > $_sys/chunk_size
	[ $_level != raid5 ] || echo 2 > $_sys/layout
	echo $((16 * 1024)) > $_sys/component_size
	_slot=0
	for _disk; do
		cat "/sys/block/$(disk_name "$_disk")/dev" > $_sys/new_dev || return
		echo $_slot > "$_sys/dev-$(disk_name "$_disk")/slot"
		_slot=$((_slot + 1))
	done
	[ $_level != raid5 ] || echo none > $_sys/resync_start
	echo active > $_sys/array_state
}

random_file data 1
head -c 65536 data > data64
for i in 1 2 3; do
	make_null_blk dev$i memory_backed=1 size=16 irqmode=0
	eval "echo 0 > /sys/block/\$(disk_name \$dev$i)/queue/rotational"
done

make_crypt ours "$dev1"
learn
plain=$(parts 0 data)
is_at_least "$(echo $plain | wc -w)" 1 "a megabyte, no stripes: $plain"
dm_remove ours
# With the cipher of a real CPU, cutting may not pay
[ "$(echo $plain | wc -w)" -gt 2 ] || skip_all "1 MiB is not worth cutting to small parts here"

# Stripes of 2 MiB that cost nothing
dm_create stripe "0 65536 striped 2 2048 $dev1 0 $dev2 0" || bail "no stripes"
is "$(cat "/sys/block/$(disk_name /dev/mapper/stripe)/queue/optimal_io_size")" 2097152 \
	"the device has stripes"
make_crypt ours /dev/mapper/stripe
learn
is "$(parts 0 data)" "$plain" "RAID 0 with large stripes: cut as on any device"
check "the data is right" rw compare /dev/mapper/ours 0 data
dm_remove ours
dm_remove stripe
# Of 256 KiB: no reason to cut elsewhere
dm_create stripe "0 65536 striped 2 256 $dev1 0 $dev2 0" || bail "no stripes"
make_crypt ours /dev/mapper/stripe
learn
is "$(parts 131072 data)" "128:128 256:256 512:256 768:256 1024:128" \
	"stripes of 256 KiB: cut where they end"
check "the data is right" rw compare /dev/mapper/ours 131072 data
dm_remove ours
dm_create theirs "$(crypt_table crypt /dev/mapper/stripe)" || bail "no dm-crypt"
check "for dm-crypt, too" rw compare /dev/mapper/theirs 131072 data
dm_remove theirs
# A partition: the stripes do not begin where it begins
dm_create ours "0 32512 inline-crypt aes-xts-plain64 $(test_key 64) 0 /dev/mapper/stripe 256" ||
	bail "no table"
learn
is "$(parts 0 data)" "0:128 128:256 384:256 640:256 896:128" "an offset on it counts"
check "the data is right" rw compare /dev/mapper/ours 0 data
dm_remove ours
dm_remove stripe

# Stripes that have to be read if only a part of them is written
if modprobe -q raid456 && md raid5 md50 262144 "$dev1" "$dev2" "$dev3" 2> /run/check.out; then
	is "$(cat /sys/block/md50/queue/optimal_io_size)" 524288 "RAID 5: there are stripes"
	echo 0 > /sys/block/md50/queue/rotational
	make_crypt ours /dev/md50
	learn
	is "$(parts 0 data)" "0:512 512:512" "RAID 5: whole stripes"
	is "$(parts 262144 data)" "256:256 512:512 1024:256" "RAID 5: from the middle of one"
	check "the data is right" rw compare /dev/mapper/ours 262144 data
	head -c 524288 data > half
	is "$(parts 524288 half)" "512:512" "RAID 5: one stripe is not cut"
	dm_remove ours
	echo clear > /sys/block/md50/md/array_state
else
	skip "RAID 5" "cannot set up md: $(cat /run/check.out)"
fi
