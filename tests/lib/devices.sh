# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# devices.sh - the block devices that a case sets up, and device-mapper tables

# make_loop VAR MIB [SECTOR_SIZE] - set VAR to a new loop device on tmpfs
make_loop() {
	requires_module loop
	_file=$(mktemp)
	truncate -s "${2}M" "$_file"
	_dev=$(losetup --find --show ${3:+--sector-size "$3"} "$_file") ||
		bail "cannot set up a loop device"
	eval "$1=\$_dev"
}

# make_null_blk VAR ATTRIBUTE=VALUE... - set VAR to a new null_blk device
#
# memory_backed=1 size=MIB, blocksize=, irqmode=0|1|2, completion_nsec=,
# poll_queues=, zoned=1, ...: the names in /sys/kernel/config/nullb/X/
make_null_blk() {
	requires_module null_blk nr_devices=0
	_var=$1
	shift
	_nr=0
	while ! mkdir "/sys/kernel/config/nullb/lab$_nr" 2>/dev/null; do
		_nr=$((_nr + 1))
		[ $_nr -lt 100 ] || bail "cannot make a null_blk device"
	done
	_conf=/sys/kernel/config/nullb/lab$_nr
	for _setting; do
		[ -e "$_conf/${_setting%%=*}" ] || skip_all "null_blk without ${_setting%%=*}"
		echo "${_setting#*=}" > "$_conf/${_setting%%=*}" ||
			bail "null_blk refuses $_setting"
	done
	echo 1 > "$_conf/power" || bail "cannot switch the null_blk device on"
	# Newer kernels name the disk after the directory.
	if [ -b "/dev/lab$_nr" ]; then
		eval "$_var=/dev/lab$_nr"
	else
		eval "$_var=/dev/nullb$(cat "$_conf/index")"
	fi
}

# make_brd VAR MIB - set VAR to a RAM disk; one size per case
make_brd() {
	requires_module brd rd_nr=4 rd_size=$(($2 * 1024))
	_brd_next=${_brd_next:-0}
	eval "$1=/dev/ram$_brd_next"
	_brd_next=$((_brd_next + 1))
}

# make_scsi VAR PARAMETER=VALUE... - set VAR to a SCSI disk in memory, one a case
#
# dev_size_mb=, atomic_wr=1, ...: a module ignores parameters that it does not know. Fails
# without the module.
make_scsi() {
	_var=$1
	shift
	modprobe sd_mod && modprobe scsi_debug "$@" 2> /dev/null || return
	for _ in $(seq 600); do
		_disk=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
		[ ! -b "/dev/$_disk" ] || break
		sleep 0.1
	done
	eval "$_var=/dev/\$_disk"
}

# make_integrity VAR DEVICE TAG_SIZE MODE [SECTOR_SIZE] - set VAR to a dm-integrity device
#
# Without a hash of its own: the device above writes the tags. MODE: J (journal),
# B (bitmap), D (neither), I (inline, in the metadata of DEVICE).
make_integrity() {
	requires_module dm-integrity
	_opts="1 block_size:${5:-512}"
	[ "$4" = I ] || _opts="2 block_size:${5:-512} journal_sectors:256"
	_int=integrity$(dmsetup ls | grep -c integrity)
	# The first table formats the device; then the superblock knows how much it has.
	[ "$4" = I ] || {
		dd if=/dev/zero of="$2" bs=4096 count=1 conv=notrunc oflag=direct 2> /dev/null
		dm_create "$_int" "0 8 integrity $2 0 $3 J $_opts" || bail "cannot format for integrity"
		dm_remove "$_int"
	}
	if [ "$4" = I ]; then
		dd if=/dev/zero of="$2" bs=4096 count=1 conv=notrunc oflag=direct 2> /dev/null
		dm_create "$_int" "0 8 integrity $2 0 $3 I $_opts" 2> /run/check.out ||
			skip_all "no inline mode: $(cat /run/check.out)"
		dm_remove "$_int"
	fi
	_len=$(dd if="$2" bs=4096 count=1 iflag=direct 2> /dev/null | od -A n -t u8 -j 16 -N 8 | tr -d ' ')
	dm_create "$_int" "0 $_len integrity $2 0 $3 $4 $_opts" || bail "cannot set up integrity"
	eval "$1=/dev/mapper/$_int"
}

# find_nvme VAR [SIZE] - set VAR to the NVMe disk with sectors of SIZE bytes
#
# 4096, the default: the one with metadata, 64 bytes a sector. 512: the plain one.
# From 6.12 on the disks are looked for in parallel, and which is n1 is open.
find_nvme() {
	requires_module nvme poll_queues=1
	for _ in $(seq 600); do
		for _sys in /sys/block/nvme*; do
			[ "$(cat "$_sys/queue/logical_block_size" 2> /dev/null)" = "${2:-4096}" ] || continue
			[ -b "/dev/${_sys##*/}" ] || continue
			eval "$1=/dev/${_sys##*/}"
			return
		done
		sleep 0.1
	done
	bail "no NVMe disk with sectors of ${2:-4096} bytes"
}

# sectors DEVICE - print the size in 512-byte sectors
sectors() {
	blockdev --getsz "$1"
}

# disk_name DEVICE - print its name under /sys/block
disk_name() {
	basename "$(readlink -f "/sys/dev/block/$(
		stat -L -c '0x%t 0x%T' "$1" |
			{ read -r _maj _min; echo "$((_maj)):$((_min))"; })")"
}

# dm_create NAME TABLE - set up /dev/mapper/NAME
dm_create() {
	printf '%s\n' "$2" | dmsetup create "$1"
}

# dm_remove NAME
dm_remove() {
	dmsetup remove --retry "$1"
}

# reload NAME TABLE [suspend option...] - replace the table of a live device
reload() {
	_name=$1
	_table=$2
	shift 2
	printf '%s\n' "$_table" | dmsetup reload "$_name" &&
		dmsetup suspend "$@" "$_name" && dmsetup resume "$_name"
}

# dm_wait_idle NAME - wait until no I/O is in flight, 60 s at most
dm_wait_idle() {
	_inflight=/sys/block/$(disk_name "/dev/mapper/$1")/inflight
	await nothing_in_flight "$_inflight"
}

nothing_in_flight() {
	read -r _reads _writes < "$1" && [ "$_reads$_writes" = 00 ]
}
