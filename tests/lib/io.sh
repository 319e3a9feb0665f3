# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# io.sh - I/O without fio: files, caches, time, zones

# await COMMAND... - until it succeeds, which fails after a minute
await() {
	for _ in $(seq 600); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# drop_caches - forget cached data, so that the next read is a real one
drop_caches() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
}

# random_file FILE MIB - content that no pattern fits
random_file() {
	head -c "$(($2 * 1048576))" /dev/urandom > "$1"
}

# now_ms - print the milliseconds since the boot, in steps of ten
now_ms() {
	read -r _now _ < /proc/uptime
	echo $((${_now%.*} * 1000 + 1${_now#*.}0 - 1000))
}

# check_zone_append TEXT DEVICE FILE - FILE is written to a new file system that appends to zones
check_zone_append() {
	requires_command mkfs.btrfs
	requires_module btrfs
	mkfs.btrfs -q -m single -d single "$2" > /run/check.out 2>&1
	mount "$2" /mnt || bail "no btrfs with zones: $(cat /run/check.out)"
	trace_start block/block_bio_queue
	check "$1: appended, direct" dd if="$3" of=/mnt/direct bs=256k oflag=direct
	check "$1: appended, buffered" dd if="$3" of=/mnt/buffered bs=256k conv=fsync
	trace_stop trace
	_disk=$(tr : , < "/sys/block/$(disk_name "$2")/dev")
	# N, or ZA on newer kernels
	# shellcheck disable=SC2016  # of awk
	check "$1: by appends" awk -v dev="$_disk" '
		$5 == "block_bio_queue:" && $6 == dev && $7 ~ /^(N|ZA)/ && $10 > 128 { n++ }
		END { print n + 0; exit !n }' trace
	drop_caches
	check "$1: read, direct" cmp "$3" /mnt/direct
	check "$1: read, buffered" cmp "$3" /mnt/buffered
	umount /mnt
}
