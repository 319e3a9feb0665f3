# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh - what the cases are written with; init sources it before each of them
#
# A case is a list of assertions in busybox sh, run as root in the guest, in an
# empty directory on tmpfs, with no device set up and our module not loaded.
# Nothing needs cleaning up. Its first lines are
#
#   # SPDX-License-Identifier: GPL-2.0-only
#   # DESCRIPTION: what behaviour it pins down
#   # expects-dmesg: regular expression      (only where the kernel shall complain)

# shellcheck source=/dev/null
. /lib/commands.sh

# --- assertions -------------------------------------------------------------

# ok TEXT, not_ok TEXT - an assertion that held, or did not
ok() {
	echo "ok - $*"
}

not_ok() {
	echo "not ok - $*"
	return 1
}

# diag TEXT... - something a reader of a failure wants to know
diag() {
	echo "$*" | sed 's/^/# /'
}

# check TEXT COMMAND... - COMMAND succeeds
check() {
	_text=$1
	shift
	if "$@" > /run/check.out 2>&1; then
		ok "$_text"
	else
		_status=$?
		not_ok "$_text"
		diag "failed ($_status): $*"
		sed 's/^/#   /' /run/check.out
		return 1
	fi
}

# check_not TEXT COMMAND... - COMMAND fails, as it should
check_not() {
	_text=$1
	shift
	if "$@" > /run/check.out 2>&1; then
		not_ok "$_text"
		diag "succeeded: $*"
		sed 's/^/#   /' /run/check.out
		return 1
	else
		ok "$_text"
	fi
}

# is GOT EXPECTED TEXT - the two strings are the same
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3"
		diag "     got: '$1'"
		diag "expected: '$2'"
		return 1
	fi
}

# is_at_least GOT MINIMUM TEXT - a number is large enough
is_at_least() {
	if [ "$1" -ge "$2" ] 2>/dev/null; then
		ok "$3"
	else
		not_ok "$3"
		diag "got $1, expected at least $2"
		return 1
	fi
}

# like GOT REGEX TEXT - the string matches the extended regular expression
like() {
	if echo "$1" | grep -Eq -- "$2"; then
		ok "$3"
	else
		not_ok "$3"
		diag "     got: '$1'"
		diag "expected: /$2/"
		return 1
	fi
}

# skip TEXT REASON - an assertion that cannot be made here
skip() {
	echo "ok - $1 # SKIP $2"
}

# skip_all REASON - leave the case
skip_all() {
	skip "whole case" "$*"
	exit 0
}

# bail TEXT - a set-up step failed, what follows would make no sense
bail() {
	not_ok "$*"
	exit 0
}

# --- requirements -----------------------------------------------------------

# requires_module MODULE [parameters] - load MODULE, or skip the case
requires_module() {
	modprobe "$@" 2>/run/check.out || skip_all "no module $1: $(cat /run/check.out)"
}

# have_kernel_config OPTION - is CONFIG_OPTION on in this kernel?
have_kernel_config() {
	grep -Eq "^CONFIG_${1#CONFIG_}=[ym]" /boot/config
}

# timer_reads - print the counter of asynchronous reads that a null_blk's timer completes
#
# A timer interrupts: hardirq, and then a bottom half. With PREEMPT_RT it has a thread,
# which is softirq context, so the read is decrypted where it completes.
timer_reads() {
	if have_kernel_config PREEMPT_RT; then
		echo r_endio
	else
		echo r_bh
	fi
}

# requires_kernel_config OPTION... - skip the case on a kernel without
requires_kernel_config() {
	for _option; do
		have_kernel_config "$_option" || skip_all "kernel without CONFIG_${_option#CONFIG_}"
	done
}

# requires_command COMMAND... - skip the case in a guest without
requires_command() {
	for _command; do
		command -v "$_command" >/dev/null || skip_all "guest without $_command"
	done
}

# kernel_at_least X.Y - is this kernel that new?
kernel_at_least() {
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]
}

# full - is a case to do all that it can, however long that takes?
full() {
	grep -qw lab.full /proc/cmdline
}

# --- memory -----------------------------------------------------------------

# available - print how many MiB a process could have
available() {
	echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
}

# take_memory LEAVE - have the machine go on with LEAVE MiB available, or some more
#
# In blocks of 128 MiB, on a kernel that can do without them; not by filling them,
# which takes an emulated CPU long.
take_memory() {
	_block=$((0x$(cat /sys/devices/system/memory/block_size_bytes 2> /dev/null || echo 0) >> 20))
	_taken=
	# From the end: the kernel itself is in the first.
	for _memory in $(find /sys/devices/system/memory -name 'memory[0-9]*' 2> /dev/null | sort -r); do
		[ $(($(available) - _block)) -ge "$1" ] || break
		echo offline 2> /dev/null > "$_memory/state" || continue
		_taken="$_taken $_memory"
	done
}

# give_memory - have all of it back
give_memory() {
	for _memory in $_taken; do
		echo online > "$_memory/state" || return
	done
}

# --- devices ----------------------------------------------------------------

# make_loop VAR MIB [SECTOR_SIZE] - set VAR to a new loop device on tmpfs
make_loop() {
	requires_module loop
	_file=$(mktemp /tmp/loop.XXXXXX)
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
# dev_size_mb=, atomic_wr=1, ...: what a kernel's module does not know it ignores. Fails
# without the module.
make_scsi() {
	_var=$1
	shift
	modprobe sd_mod && modprobe scsi_debug "$@" 2> /dev/null || return
	for _ in $(seq 50); do
		_disk=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
		[ ! -b "/dev/$_disk" ] || break
		sleep 0.1
	done
	eval "$_var=/dev/\$_disk"
}

# make_integrity VAR DEVICE TAG_SIZE MODE [SECTOR_SIZE] - set VAR to a dm-integrity device
#
# Without a hash of its own: the tags are what is written above it. MODE: J (journal),
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
	for _ in $(seq 100); do
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

# counter NAME KEY - print the value of KEY=value in the target's status
counter() {
	dmsetup status "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# dm_wait_idle NAME - wait until no I/O is in flight; fails after 10 s
dm_wait_idle() {
	_inflight=/sys/block/$(disk_name "/dev/mapper/$1")/inflight
	for _ in $(seq 100); do
		read -r _reads _writes < "$_inflight"
		[ "$_reads$_writes" = 00 ] && return
		sleep 0.1
	done
	return 1
}

# drop_caches - forget cached data, so that the next read is a real one
drop_caches() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
}

# now_ms - print the milliseconds since the boot, in steps of ten
now_ms() {
	read -r _now _ < /proc/uptime
	echo $((${_now%.*} * 1000 + 1${_now#*.}0 - 1000))
}

# random_file FILE MIB - content that no pattern fits
random_file() {
	head -c "$(($2 * 1048576))" /dev/urandom > "$1"
}

# --- our target and its rival ------------------------------------------------

# test_key BYTES [FIRST] - print a key as hex digits: bytes FIRST (1), FIRST + 1...
test_key() {
	# shellcheck disable=SC2046  # to be split
	printf '%02x' $(seq "${2:-1}" $((${2:-1} + $1 - 1)))
}

# crypt_table TARGET DEVICE [OPTION...] - print a table line over all of DEVICE
crypt_table() {
	_target=$1
	_device=$2
	shift 2
	echo "0 $(sectors "$_device") $_target aes-xts-plain64 $(test_key 64) 0 $_device 0${1:+ $# $*}"
}

# make_crypt NAME DEVICE [OPTION...] - set up our target over all of DEVICE
make_crypt() {
	_name=$1
	shift
	_table=$(crypt_table inline-crypt "$@")
	dm_create "$_name" "$_table" || bail "cannot set up $_name: $_table"
}

# option_lines DEVICE TAGGED TAGGED_4096 - print what follows the target in table lines
#
# With every option that this kernel's dm-crypt has, alone and all of them in several
# orders, with integrity, keys in the keyring (of 64 bytes, called lab:lines), and what
# it does not look at. The last two are of make_integrity, 48 bytes a sector of 512 and
# 4096; 8192 sectors of each device are enough.
option_lines() {
	_k64=$(test_key 64)
	_hmac256='capi:authenc(hmac(sha256),xts(aes))-random'
	_all='allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue'
	! kernel_at_least 6.12 || _all="$_all high_priority"
	for _opt in $_all iv_large_sectors sector_size:512 sector_size:1024 sector_size:2048 \
		sector_size:4096 ALLOW_DISCARDS; do
		echo "aes-xts-plain64 $_k64 8 $1 0 1 $_opt"
	done
	_all="$_all sector_size:4096 iv_large_sectors"
	printf '%s\n' "$_all" "$(echo "$_all" | tr ' ' '\n' | tac | paste -sd ' ')" \
		"$(echo "$_all" | tr ' ' '\n' | sort | paste -sd ' ')" > /run/orders
	while read -r _all; do
		_count=$(echo "$_all" | wc -w)
		echo "aes-xts-plain64 $_k64 4294967296 $1 8 $_count $_all"
		echo "capi:xts(aes)-plain64 :64:logon:lab:lines 0 $1 0 $_count $_all"
		# Up to 6.10 tags have to fit exactly.
		! kernel_at_least 6.12 ||
			echo "aes-xts-random $_k64 0 $3 0 $((_count + 1)) integrity:48:none $_all"
		echo "$_hmac256 $_k64$(test_key 32) 0 $3 0 $((_count + 1)) $_all integrity:48:aead"
		! kernel_at_least 6.12 ||
			echo "$_hmac256 $_k64$(test_key 16) 8 $3 0 $((_count + 1)) integrity_key_size:16" \
				"$(echo "$_all" | sed 's/same_cpu_crypt//') integrity:48:aead"
	done < /run/orders
	echo "$_hmac256 $_k64$(test_key 32) 0 $2 0 1 integrity:48:aead"
	echo "capi:authenc(hmac(sha384),xts(aes))-plain64 $_k64$(test_key 48) 0 $2 0 1 integrity:48:aead"
	! kernel_at_least 6.12 || echo "aes-xts-random $_k64 0 $2 0 1 integrity:48:none"
	echo "aes-xts-plain64 $_k64 0 $1 0 1 integrity:16:none"
	_k1024=$_k64$_k64$_k64$_k64
	_k1024=$_k1024$_k1024$_k1024$_k1024
	echo "aes:64-cbc-lmk $_k1024 0 $1 0"
	echo "aes:64-cbc-lmk $_k1024$(test_key 16) 0 $1 0 1 allow_discards"
	echo "aes:64-cbc-plain64 $_k1024 0 $1 0"
	echo "aes-cbc-tcw $_k64 0 $1 0"
	echo "aes-cbc-elephant $_k64 0 $1 0 1 sector_size:4096"
	echo "aes-cbc-eboiv $(test_key 32) 0 $1 0"
	echo "aes-cbc-essiv:sha256 $(test_key 32) 7 $1 0"
	echo "cipher_null-ecb - 0 $1 0"
	echo "aes-xts-plain64 :64:user:lab:lines 0 $1 0 1 allow_discards"
	echo "aes-xts-plain64 :64:logon:lab:missing 0 $1 0"
	echo "aes-xts-plain64 ${_k64}a 0 $1 0 2 allow_discards allow_discards"
	echo "aes-xts-plain64 $_k64 0 $1 0 1 allow_discards sector_size:4096 rubbish"
	echo "aes-xts-plain64 $_k64 0 $1 0 0"
}

# count_io NAME COMMAND... - run COMMAND; its status
#
# Sets a variable for each KEY=value of the target's status to how much it grew.
count_io() {
	_name=$1
	shift
	for _pair in $(dmsetup status "$_name"); do
		case $_pair in *=*) eval "_was_${_pair%%=*}=${_pair#*=}" ;; esac
	done
	"$@" > /run/count.out 2>&1
	_count_status=$?
	[ $_count_status = 0 ] || sed 's/^/# /' /run/count.out
	dm_wait_idle "$_name"
	for _pair in $(dmsetup status "$_name"); do
		case $_pair in
		*=*) eval "${_pair%%=*}=\$((${_pair#*=} - _was_${_pair%%=*}))" ;;
		esac
	done
	return $_count_status
}

# read_in_one COMMAND... - count_io of ours, of a large read whose task did not sleep while it sent it
#
# Of more than one bio, that is: if it does, the block layer sends what the task has
# collected, and what comes back of that is not the task's any more. It happens on a busy
# machine.
# shellcheck disable=SC2154  # count_io sets them
read_in_one() {
	for _try in 1 2 3 4 5 6 7 8; do
		count_io ours "$@" || return
		[ "$r_endio$r_bh$slept$budget" != 0000 ] || break
	done
	[ "$_try" = 1 ] || diag "in the try number $_try: $*"
}

# reload NAME TABLE [suspend option...] - replace the table of a live device
reload() {
	_name=$1
	_table=$2
	shift 2
	printf '%s\n' "$_table" | dmsetup reload "$_name" &&
		dmsetup suspend "$@" "$_name" && dmsetup resume "$_name"
}

# fio_verify FILE [fio option...] - write checksummed blocks, forget, verify
fio_verify() {
	_file=$1
	shift
	fio_write "$_file" "$@" && fio_read "$_file" "$@"
}

# fio_write FILE [fio option...], fio_read FILE [same options] - the two halves
fio_write() {
	_file=$1
	shift
	fio --filename="$_file" --rw=randwrite --verify=crc32c --do_verify=0 \
		--verify_state_save=0 "$@"
}
fio_read() {
	_file=$1
	shift
	drop_caches
	fio --filename="$_file" --rw=randwrite --verify=crc32c --verify_only=1 \
		--verify_fatal=1 --verify_state_load=0 "$@"
}

# fio_jobs MIB - print fio's options for jobs of all engines, direct and buffered
#
# They run at once, each in a region of its own, of MIB.
fio_jobs() {
	_at=0
	for _engine in psync libaio io_uring; do
		for _direct in 1 0; do
			echo "--name=$_engine-$_direct --ioengine=$_engine --direct=$_direct"
			echo "--iodepth=8 --offset=${_at}M --size=$1M"
			_at=$((_at + $1))
		done
	done
}

# fio_mix [fio option...] - all kinds of I/O on ours, verified
fio_mix() {
	fio --filename=/dev/mapper/ours --rw=randrw --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 --direct=1 "$@" \
		--name=sync --ioengine=psync --size=1M \
		--name=aio --ioengine=libaio --iodepth=8 --offset=4M --size=1M \
		--name=uring --ioengine=io_uring --iodepth=8 --offset=8M --size=1M \
		--name=buffered --ioengine=psync --direct=0 --offset=12M --size=1M
}

# busy COMMAND... - run it again and again in the background, until calm or it fails
busy() {
	rm -f stop rounds
	(
		while [ ! -e stop ]; do
			echo round >> rounds
			"$@" > fio.out 2>&1 || exit 1
		done
	) &
	_busy=$!
	# A busy host may let others go on for long before it begins.
	while [ ! -e rounds ] && kill -0 $_busy 2> /dev/null; do
		sleep 0.05
	done
}

# calm TEXT - let busy come to its end
calm() {
	touch stop
	check "$1: every block was right" wait "$_busy" || sed 's/^/# /' fio.out
	is_at_least "$(wc -l < rounds)" 1 "$1: there was I/O"
	diag "$(wc -l < rounds) rounds"
}

# await_counter NAME FIELD N - wait until a counter of a device is over N, 60 s at most
await_counter() {
	for _ in $(seq 600); do
		[ "$(counter "$1" "$2")" -gt "$3" ] && return
		sleep 0.1
	done
	return 1
}

# --- cryptsetup --------------------------------------------------------------

# loaded MODULE - is it?
loaded() {
	grep -q "^$(echo "$1" | tr - _) " /proc/modules
}

# serve ours|theirs - from now on the target "crypt" is our module's, or dm-crypt's
serve() {
	_module=dm-inline-crypt
	[ "$1" = ours ] || _module=dm-crypt
	! loaded "$_module" || return 0
	for _other in dm-crypt dm-inline-crypt; do
		! loaded "$_other" || rmmod "$_other" || bail "cannot unload $_other"
	done
	if [ "$1" = ours ]; then
		modprobe dm-inline-crypt takeover=1 || bail "no takeover"
	else
		requires_module dm-crypt
	fi
}

# served_by NAME - print whose the mapping is: the status of dm-crypt is empty
served_by() {
	case $(dmsetup status --target crypt "$1") in
	*r_caller=*) echo ours ;;
	*' crypt '*) echo theirs ;;
	esac
}

# cs ARGUMENTS... - cryptsetup without questions
cs() {
	cryptsetup --batch-mode "$@"
}

# luks_format DEVICE [option...] - small and cheap: a real PBKDF takes minutes here
#
# The passphrase is in the file "pass".
luks_format() {
	_device=$1
	shift
	cs luksFormat --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$@" "$_device"
}

# both_serve - every volume is opened by us, by dm-crypt and by us again
#
# Each reads what the other wrote, and status and tables have to be the same. A
# line of the file "volumes" is a name and options of cryptsetup open, which finds
# the file "pass" on its standard input. The case defines
#
#   make_volume NAME           set dev to a device with a volume; all under us
#   look NAME ours|theirs      more to see while it is open
both_serve() {
	random_file data.ours 1
	random_file data.theirs 1
	serve ours
	while read -r _volume _; do
		make_volume "$_volume"
		eval "_dev_$_volume=\$dev"
	done < volumes
	_last=
	for _who in ours theirs ours; do
		serve $_who
		while read -r _volume _options; do
			eval "_dev=\$_dev_$_volume"
			# shellcheck disable=SC2086  # to be split
			check "$_volume: $_who: open" cs open $_options "$_dev" "$_volume" < pass || continue
			is "$(served_by "$_volume")" $_who "$_volume: served by it"
			{ cs status "$_volume"; dmsetup table --showkeys; } > "$_volume.$_who"
			if [ -n "$_last" ]; then
				check "$_volume: status and tables are the same" cmp "$_volume.ours" "$_volume.theirs"
				check "$_volume: $_who: data of $_last" \
					rw compare "/dev/mapper/$_volume" 2097152 "data.$_last"
			fi
			check "$_volume: $_who: write" rw write "/dev/mapper/$_volume" 2097152 "data.$_who"
			look "$_volume" "$_who"
			check "$_volume: $_who: close" cs close "$_volume"
		done < volumes
		_last=$_who
	done
}

# --- inline-crypt-switch ------------------------------------------------------

switch() {
	inline-crypt-switch "$@"
}

# target NAME - what it has
target() {
	dmsetup status --noflush "$1" | cut -d' ' -f3 | sort -u
}

# full_table NAME - with the key
full_table() {
	dmsetup table --showkeys "$1"
}

# tables NAME - print Active or Suspended, and which tables it has: Live or Both
tables() {
	dmsetup info -c --noheadings -o suspended,tables_loaded "$1"
}

# usable NAME - is it in working order, with nothing left over?
usable() {
	[ "$(tables "$1")" = "Active:Live" ] &&
		timeout 10 dd if="/dev/mapper/$1" of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null
}

# switch_volumes NAME... - after both_serve: with volumes that dm-crypt opens, there and back
switch_volumes() {
	serve theirs
	modprobe dm-inline-crypt || bail "no module beside dm-crypt"
	for _volume; do
		eval "_dev=\$_dev_$_volume"
		# shellcheck disable=SC2046  # to be split
		check "$_volume: open, to switch" cs open $(sed -n "s/^$_volume //p" volumes) \
			"$_dev" "$_volume" < pass || continue
		full_table "$_volume" > before
		check "$_volume: there" switch --header "$_dev" --key-file pass "$_volume"
		# A BitLocker volume has zeros as well.
		is "$(target "$_volume" | grep -vx zero)" inline-crypt "$_volume: is inline-crypt"
		check "$_volume: the same data" rw compare "/dev/mapper/$_volume" 2097152 data.ours
		check "$_volume: more data" rw write "/dev/mapper/$_volume" 2097152 data.theirs
		check "$_volume: back" switch --header "$_dev" --key-file pass "$_volume"
		full_table "$_volume" > after
		is "$(cat after)" "$(cat before)" "$_volume: has its old table"
		check "$_volume: the same data" rw compare "/dev/mapper/$_volume" 2097152 data.theirs
		check "$_volume: close" cs close "$_volume"
	done
}

# --- what the kernel says ----------------------------------------------------

# kmsg_mark - from here on
kmsg_mark() {
	_mark="lab-mark-$(cat /proc/sys/kernel/random/uuid)"
	echo "$_mark" > /dev/kmsg
}

# kmsg - print what the kernel said since kmsg_mark
kmsg() {
	dmesg | awk -v mark="$_mark" 'found; index($0, mark) { found = 1 }'
}

tracing=/sys/kernel/tracing

# trace_start GROUP/EVENT... - record these; leaves the case if one is not there
trace_start() {
	echo 0 > $tracing/tracing_on
	echo > $tracing/trace
	for _event; do
		[ -e "$tracing/events/$_event/enable" ] || skip_all "kernel without trace event $_event"
		echo 1 > "$tracing/events/$_event/enable"
	done
	echo 1 > $tracing/tracing_on
}

# trace_stop FILE - put the record there
trace_stop() {
	echo 0 > $tracing/tracing_on
	cat $tracing/trace > "$1"
	echo > $tracing/set_event
	echo > $tracing/trace
}

# --- what every case starts with --------------------------------------------

# $0 is the case's name, $1 its path
_description=$(sed -n 's/^# DESCRIPTION: *//p' "$1" | head -n 1)
[ -z "$_description" ] || diag "$_description"
