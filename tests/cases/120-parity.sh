# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: what dm-crypt can do here we can do: each feature tried on both, as docs/parity.md has it
# kernels: oldest 6.12 newest
# expects-dmesg: INTEGRITY AEAD ERROR|timed out
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# docs/parity.md is made of the PARITY lines by "make parity". With a copy of it in
# /with each row has to be what it says.

make_loop loop 16
make_loop tags_loop 16
head -c 8192 /dev/urandom > data
head -c 1048576 /dev/urandom > large
k16=$(test_key 16)
k32=$(test_key 32)
k48=$(test_key 48)
k64=$(test_key 64)
k96=$(test_key 96)
k1024=''
for _ in 1 2 3 4 5 6 7 8; do
	k1024=$k1024$(test_key 128)
done
modprobe dm-inline-crypt || bail "no module"
find_nvme disk_with_metadata
release=$(uname -r | cut -d. -f1,2)
rows=0
# Unstable may have moved on to a kernel that has no column yet.
documented=
! grep -qs "^| feature .*| $release |" /with/parity.md || documented=/with/parity.md
[ -n "$documented" ] || skip "the table is up to date" "no docs/parity.md with a column for $release"

# found FEATURE CELL - a row of the table
found() {
	rows=$((rows + 1))
	diag "PARITY $1|$2"
	[ -z "$documented" ] ||
		is "$(awk -F ' *[|] *' -v f="$1" -v r="$release" '
			NR == FNR && $2 == "feature" { for (i = 3; i <= NF; i++) if ($i == r) at = i }
			$2 == f { print $at }' $documented)" "$2" "$1: as documented"
}

# try_both COMMAND... - COMMAND with $target set to each of the two; sets theirs and ours
try_both() {
	kmsg_mark
	for target in crypt inline-crypt; do
		if "$@" > "/run/$target.out" 2>&1; then answer=yes; else answer=no; fi
		if [ $target = crypt ]; then theirs=$answer; else ours=$answer; fi
		for name in try int; do
			! dmsetup info $name > /dev/null 2>&1 || dm_remove $name
		done
	done
	kmsg > /run/kmsg.out
}

# row FEATURE COMMAND... - one of the two has it, and we have what dm-crypt has
row() {
	feature=$1
	shift
	try_both "$@"
	case $theirs/$ours in
	*/yes) ok "$feature: dm-crypt: $theirs, ours: yes" ;;
	*)
		not_ok "$feature: dm-crypt: $theirs, ours: no"
		tail -n 20 /run/crypt.out /run/inline-crypt.out /run/kmsg.out | sed 's/^/#   /' ;;
	esac
	found "$feature" "$theirs / $ours"
}

# refused REGEX FEATURE COMMAND... - neither has it, and the kernel says why
refused() {
	regex=$1 feature=$2
	shift 2
	try_both "$@"
	is "$theirs/$ours" no/no "$feature: here it is refused"
	like "$(paste -sd ' ' /run/kmsg.out)" "$regex" "$feature: for this reason"
	found "$feature" "$theirs / $ours"
}

# differs REGEX FEATURE COMMAND... - dm-crypt takes it; we do not, and the kernel says why
differs() {
	regex=$1 feature=$2
	shift 2
	try_both "$@"
	is "$theirs/$ours" yes/no "$feature: dm-crypt takes it, ours does not"
	like "$(paste -sd ' ' /run/kmsg.out)" "inline-crypt: $regex" "$feature: for this reason"
	found "$feature" "$theirs / $ours"
}

# row_since RELEASE REGEX FEATURE COMMAND... - a row, or on older kernels refused
row_since() {
	if kernel_at_least "$1"; then
		shift 2
		row "$@"
	else
		shift
		refused "$@"
	fi
}

# unavailable FEATURE REASON - it cannot be tried here
unavailable() {
	skip "$1" "$2"
	found "$1" "$2"
}

# works - data go through /dev/mapper/try and back
works() {
	rw write /dev/mapper/try 65536 data && rw compare /dev/mapper/try 65536 data
}

# line CIPHER KEY IV_OFFSET [OPTION...] - a table line is taken and works
line() {
	_args="$1 $2 $3 $loop 0"
	shift 3
	dm_create try "0 16384 $target $_args${1:+ $# $*}" && works
}

# tags MODE SIZE CIPHER KEY OPTION... - the same on a dm-integrity device with room for SIZE bytes
tags() {
	_mode=$1 _size=$2 _unit=512
	case $* in *sector_size:4096*) _unit=4096 ;; esac
	case $_mode in
	inline)
		_lower=$disk_with_metadata
		dd if=/dev/zero of="$_lower" bs=4096 count=1 conv=notrunc oflag=direct
		_opts="1 block_size:4096"
		_mode=I
		_format=I ;;
	*)
		_lower=$tags_loop
		dd if=/dev/zero of="$_lower" bs=4096 count=1 conv=notrunc oflag=direct
		_opts="2 block_size:$_unit journal_sectors:256"
		_format=J ;;
	esac
	dm_create int "0 8 integrity $_lower 0 $_size $_format $_opts" && dm_remove int || return
	dm_create int "0 8192 integrity $_lower 0 $_size $_mode $_opts" || return
	_args="$3 $4 0 /dev/mapper/int 0"
	shift 4
	dm_create try "0 8192 $target $_args $# $*" && works
}

# hashed MODE - a plain mapping on a dm-integrity device with a hash of its own
hashed() {
	_opts="3 block_size:512 journal_sectors:256 internal_hash:crc32c" _lower=$tags_loop _format=J _more=
	if [ "$1" = I ]; then
		_opts="2 block_size:4096 internal_hash:crc32c" _lower=$disk_with_metadata _format=I
		_more="1 sector_size:4096"
	fi
	dd if=/dev/zero of="$_lower" bs=4096 count=1 conv=notrunc oflag=direct
	dm_create int "0 8 integrity $_lower 0 4 $_format $_opts" && dm_remove int || return
	dm_create int "0 8192 integrity $_lower 0 4 $1 $_opts" || return
	dm_create try "0 8192 $target aes-xts-plain64 $k64 0 /dev/mapper/int 0 $_more" && works
}

# made CIPHER KEY IV_OFFSET [OPTION...] - a table line is taken, whatever it may be good for
made() {
	_args="$1 $2 $3 $loop 0"
	shift 3
	dm_create try "0 16384 $target $_args${1:+ $# $*}"
}

# nvme CIPHER KEY OPTION... - on a disk with metadata of its own
nvme() {
	_args="$1 $2 0 $disk_with_metadata 0"
	shift 2
	dm_create try "0 8192 $target $_args $# $*" && works
}

# --- IV generators, in both notations
for iv in plain plain64 plain64be benbi null essiv:sha256; do
	row "aes-cbc-$iv" line "aes-cbc-$iv" "$k32" 0
	row "capi:cbc(aes)-$iv" line "capi:cbc(aes)-$iv" "$k32" 0
done
row "aes-xts-plain64" line aes-xts-plain64 "$k64" 0
row "capi:xts(aes)-plain64" line 'capi:xts(aes)-plain64' "$k64" 0
row "aes-lrw-benbi" line aes-lrw-benbi "$k48" 0
row "aes (cbc-plain)" line aes "$k32" 0
row "aes-ecb" line aes-ecb "$k32" 0
row "cipher_null-ecb without key" line cipher_null-ecb - 0
row "capi:adiantum(xchacha12,aes)-plain64" line 'capi:adiantum(xchacha12,aes)-plain64' "$k32" 0
row "aes:64-cbc-lmk (version 2)" line aes:64-cbc-lmk "$k1024" 0
row "aes:64-cbc-lmk (version 3)" line aes:64-cbc-lmk "$k1024$k16" 0
row "capi:cbc(aes)-lmk" line 'capi:cbc(aes)-lmk' "$k1024" 0
row "aes-cbc-tcw" line aes-cbc-tcw "$k64" 0
row "aes-cbc-eboiv" line aes-cbc-eboiv "$k32" 0
row "capi:cbc(aes)-eboiv" line 'capi:cbc(aes)-eboiv' "$k32" 0
row "aes-cbc-elephant" line aes-cbc-elephant "$k64" 0
modprobe icrypt-test-async || bail "no test driver"
row "eboiv of a cipher with an asynchronous driver only" line capi:test-async-eboiv "$k64" 0
async_elephant="elephant of a cipher with an asynchronous driver only"
if have_kernel_config DEBUG_ATOMIC_SLEEP; then
	unavailable "$async_elephant" "dm-crypt sleeps in the driver's completion, and this kernel notices"
	target=inline-crypt
	check "$async_elephant, ours" line capi:test-async-elephant "$k64" 0
	dm_remove try
else
	row "$async_elephant" line capi:test-async-elephant "$k64" 0
fi
rmmod icrypt-test-async
for count in 2 4 64; do
	key=$k64
	[ $count != 64 ] || key=$k1024
	row "aes:$count-cbc-plain64" line aes:$count-cbc-plain64 "$key" 0
done
key=$k16
for _ in $(seq 12); do
	key=$key$key
done
row "aes:4096-cbc-plain64" line aes:4096-cbc-plain64 "$key" 0
row "an odd number of hex digits" line aes-xts-plain64 "${k64}a" 0
rest() {
	dm_create try "0 16384 $target aes-xts-plain64 $k64 0 $loop 0 1 allow_discards no_such_option" && works
}
row "words behind the counted options" rest

# --- integrity
hmac='capi:authenc(hmac(sha256),xts(aes))'
row "authenc(hmac(sha1),xts(aes))-plain64" tags D 20 'capi:authenc(hmac(sha1),xts(aes))-plain64' \
	"$k64$(test_key 20)" integrity:20:aead
row "authenc(hmac(sha256),xts(aes))-plain64" tags D 32 "$hmac-plain64" "$k96" integrity:32:aead
row "authenc(hmac(sha256),xts(aes))-random" tags D 48 "$hmac-random" "$k96" integrity:48:aead
row "authenc(hmac(sha512),xts(aes))-random" tags D 80 'capi:authenc(hmac(sha512),xts(aes))-random' \
	"$k64$k64" integrity:80:aead
row "authenc(hmac(sha256),cbc(aes))-essiv:sha256" tags D 32 \
	'capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256' "$k64" integrity:32:aead
row "gcm(aes)-random" tags D 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead
row "gcm(aes)-plain64" tags D 16 'capi:gcm(aes)-plain64' "$k32" integrity:16:aead
row "rfc4106(gcm(aes))-random" tags D 24 'capi:rfc4106(gcm(aes))-random' "$(test_key 20)" integrity:24:aead
row "rfc4309(ccm(aes))-random" tags D 24 'capi:rfc4309(ccm(aes))-random' "$(test_key 19)" integrity:24:aead
row "authenc(hmac(sha256),cbc(aes))-tcw" tags D 32 'capi:authenc(hmac(sha256),cbc(aes))-tcw' "$k96" \
	integrity:32:aead
row "gcm(aes)-tcw" tags D 16 'capi:gcm(aes)-tcw' "$(test_key 60)" integrity:16:aead
refused 'crypt: Error creating IV.*AEAD not possible' "gcm(aes)-eboiv" \
	tags D 16 'capi:gcm(aes)-eboiv' "$k32" integrity:16:aead
refused 'crypt: AEAD transforms not supported for LMK.*inline-crypt: AEAD not possible' \
	"gcm(aes)-lmk" tags D 16 'capi:gcm(aes)-lmk' "$k32" integrity:16:aead
row "rfc7539(chacha20,poly1305)-random" tags D 28 'capi:rfc7539(chacha20,poly1305)-random' "$k32" \
	integrity:28:aead
row "aegis128-random" tags D 32 'capi:aegis128-random' "$k16" integrity:32:aead
row "aes-xts-random, integrity:16:none" tags D 16 aes-xts-random "$k64" integrity:16:none
no_room='crypt: (Integrity profile|Not enough space).*inline-crypt: Device below has no room'
row_since 6.12 "$no_room" "aes-xts-random without integrity" tags D 16 aes-xts-random "$k64" iv_large_sectors
row "integrity_key_size" tags D 32 "$hmac-plain64" "$k64$k16" integrity:32:aead integrity_key_size:16
# The tag is the last option's, and so is what the table prints
integrity_twice() {
	tags D 28 'capi:gcm(aes)-random' "$k32" integrity:16:aead integrity:28:none &&
		dmsetup table try | grep ' 1 integrity:28:none$'
}
row "integrity:16:aead, then integrity:28:none" integrity_twice
row "dm-integrity: journal" tags J 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead
row "dm-integrity: direct" tags D 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead
row "dm-integrity with a hash of its own: bitmap" hashed B
refused '(Bitmap mode can be only used with internal hash.*){2}' "dm-integrity without: bitmap" \
	tags B 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead
if kernel_at_least 6.12; then
	row "dm-integrity with a hash of its own: inline" hashed I
	refused '(Internal hash not set in inline mode.*){2}' "dm-integrity without: inline" \
		tags inline 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead sector_size:4096
else
	for with in "with a hash of its own" without; do
		unavailable "dm-integrity $with: inline" "not in this kernel"
	done
fi
row "dm-integrity: 4096-byte sectors" tags D 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead \
	sector_size:4096
row_since 6.12 "$no_room" "NVMe metadata" nvme 'capi:gcm(aes)-random' "$k32" integrity:28:aead sector_size:4096
row_since 6.12 "$no_room" "more metadata than tags" tags D 64 'capi:gcm(aes)-random' "$k32" integrity:28:aead

bad_tag() {
	tags D 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead || return
	dm_remove try
	dm_create try "0 8192 $target capi:gcm(aes)-random $(test_key 32 9) 0 /dev/mapper/int 0 1 integrity:28:aead" ||
		return
	rw read /dev/mapper/try 65536 4096 2> out > /dev/null
	grep EILSEQ out
}
row "a bad tag is EILSEQ" bad_tag
if have_kernel_config DM_AUDIT && audit on; then
	# No record is to be left out for being one of many.
	echo 0 > /proc/sys/kernel/printk_ratelimit
	audited() {
		kmsg_mark
		bad_tag || return
		for _ in $(seq 600); do
			kmsg > records
			! grep -q "op=integrity-aead" records || break
			sleep 0.1
		done
		grep "module=$target op=ctr ppid=.* error_msg='success' res=1" records &&
			grep "module=$target op=dtr .* error_msg='success' res=1" records &&
			grep "module=$target op=integrity-aead dev=[0-9:]* sector=128 res=0" records
	}
	row "audit records of set-up, removal and a bad tag" audited
	audit off
else
	unavailable "audit records of set-up, removal and a bad tag" "kernel without audit"
fi
# Without a second reading most of these fail
scribbled() {
	tags D 28 'capi:gcm(aes)-random' "$k32" integrity:28:aead && rw write /dev/mapper/try 0 large || return
	for _ in 1 2 3 4 5 6 7 8; do
		rw --scribble read /dev/mapper/try 0 1048576 > /dev/null || return
	done
}
row "a buffer that changes while it is read is no bad tag" scribbled

# --- options
for size in 1024 2048 4096; do
	row "sector_size:$size" line aes-xts-plain64 "$k64" 0 sector_size:$size
done
row "iv_large_sectors" line aes-xts-plain64 "$k64" 8 sector_size:4096 iv_large_sectors
for option in same_cpu_crypt high_priority submit_from_crypt_cpus no_read_workqueue no_write_workqueue; do
	row "$option" line aes-xts-plain64 "$k64" 0 $option
done
nine=$(printf 'allow_discards %.0s' 1 2 3 4 5 6 7 8 9)
# shellcheck disable=SC2086  # to be split
row "9 options" line aes-xts-plain64 "$k64" 0 $nine
# shellcheck disable=SC2086  # to be split
refused '(crypt: Invalid number of feature args.*){2}' "10 options" \
	made aes-xts-plain64 "$k64" 0 $nine same_cpu_crypt
discards() {
	line aes-xts-plain64 "$k64" 0 allow_discards && blkdiscard -o 65536 -l 65536 /dev/mapper/try
}
row "allow_discards" discards
# Many lines, but for the name of the target; 100 has them with the name and the version
make_loop lines_loop 16
make_loop lines_4096_loop 16
make_integrity lines_int "$lines_loop" 48 D
make_integrity lines_int_4096 "$lines_4096_loop" 48 D 4096
for type in logon user; do
	xxd -r -p << END | keyctl padd $type lab:lines @u > /dev/null
$k64
END
done
option_lines "$loop" "$lines_int" "$lines_int_4096" > lines
diag "$(wc -l < lines) lines"
tabled() {
	echo 1 > /sys/module/dm_inline_crypt/parameters/show_keys
	while read -r _line; do
		if dm_create try "0 8192 $target $_line"; then
			dmsetup table --showkeys try >&3
			dmsetup measure try >&4
			dm_remove try
		else
			echo "refused: $_line" >&3
		fi
	done < lines 3> "table-$target.raw" 4> "measure-$target.raw"
	echo 0 > /sys/module/dm_inline_crypt/parameters/show_keys
	sed "s/^0 8192 $target /0 8192 crypt /" "table-$target.raw" > "table-$target"
	[ "$(grep -c refused "table-$target")" = 1 ] && cmp table-crypt "table-$target"
}
row "dmsetup table, byte for byte" tabled
measured() {
	[ "$(grep -c "$target target_name=$target,target_version=[0-9.]*,allow_discards=" "measure-$target.raw")" = \
		$(($(wc -l < lines) - 1)) ] || return
	sed 's/ [a-z-]* target_name=[^,]*,target_version=[^,]*,/ /' "measure-$target.raw" > "measure-$target"
	cmp measure-crypt "measure-$target"
}
row "what IMA measures of a table, byte for byte" measured
if mount -t securityfs securityfs /sys/kernel/security && [ -d /sys/kernel/security/ima ]; then
	# Can be written once only
	[ ! -e /sys/kernel/security/ima/policy ] ||
		echo 'measure func=CRITICAL_DATA label=device-mapper' > /sys/kernel/security/ima/policy
	ima() {
		line aes-xts-plain64 "$k64" 0 || return
		grep ' dm_table_load ' /sys/kernel/security/ima/ascii_runtime_measurements | tail -n 1 |
			awk '{ print $NF }' | xxd -r -p |
			grep ",target_name=$target,.*,cipher_string=aes-xts-plain64,key_size=64"
	}
	row "measured by IMA" ima
	umount /sys/kernel/security
else
	unavailable "measured by IMA" "kernel without IMA"
fi
hints() {
	line aes-xts-plain64 "$k64" 0 sector_size:4096 || return
	_queue=/sys/block/$(disk_name /dev/mapper/try)/queue
	cat "$_queue/logical_block_size" "$_queue/physical_block_size" "$_queue/minimum_io_size" > "hints-$target"
	cmp hints-crypt "hints-$target"
}
row "block sizes in sysfs" hints
# Ours has more to show in 052
limits() {
	_parameters=/sys/module/dm_crypt/parameters
	[ "$target" = crypt ] || _parameters=/sys/module/dm_inline_crypt/parameters
	[ -e $_parameters/max_read_size ] && line aes-xts-plain64 "$k64" 0 || return
	echo 65536 > $_parameters/max_read_size
	echo 32768 > $_parameters/max_write_size
	trace_start block/block_bio_queue
	rw write /dev/mapper/try 0 large && rw compare /dev/mapper/try 0 large
	_status=$?
	trace_stop trace
	echo 0 > $_parameters/max_read_size
	echo 0 > $_parameters/max_write_size
	[ $_status = 0 ] || return
	awk -v dev="$(tr : , < "/sys/block/$(disk_name "$loop")/dev")" '
		$5 == "block_bio_queue:" && $6 == dev {
			kind = substr($7, 1, 1)
			if ($10 > most[kind])
				most[kind] = $10
		}
		END { print most["R"], most["W"] }' trace > most
	echo "sectors at most: $(cat most)"
	[ "$(cat most)" = "128 64" ]
}
row "max_read_size, max_write_size" limits

# --- keys
for type in logon user; do
	xxd -r -p << END | keyctl padd $type lab:parity @u > /dev/null
$k64
END
	row "keyring: $type" line aes-xts-plain64 ":64:$type:lab:parity" 0
done
encrypted_key() {
	keyctl add user "$target:master" "$(head -c 32 /dev/zero | tr '\0' m)" @u &&
		keyctl add encrypted "$target:encrypted" "new user:$target:master 64" @u &&
		line aes-xts-plain64 ":64:encrypted:$target:encrypted" 0
}
row "keyring: encrypted" encrypted_key
trusted_key() {
	keyctl add trusted "$target:trusted" "new 64 keyhandle=0x81000001" @u &&
		line aes-xts-plain64 ":64:trusted:$target:trusted" 0
}
if ! have_kernel_config TRUSTED_KEYS; then
	unavailable "keyring: trusted" "kernel without trusted keys"
else
	row "keyring: trusted" trusted_key
fi
key_messages() {
	line aes-xts-plain64 "$k64" 0 || return
	! dmsetup message try 0 key wipe || return
	dmsetup suspend try && dmsetup message try 0 key wipe || return
	! dmsetup resume try || return
	dmsetup message try 0 key set "$k64" && dmsetup resume try && rw compare /dev/mapper/try 65536 data
}
row "key wipe, key set, while suspended only" key_messages
lmk_messages() {
	line aes:64-cbc-lmk "$k1024$k16" 0 && dmsetup suspend try && dmsetup message try 0 key wipe &&
		dmsetup message try 0 key set "$k1024$k16" && dmsetup resume try &&
		rw compare /dev/mapper/try 65536 data
}
row "key set with a seed (lmk)" lmk_messages

# --- nonsense that dm-crypt takes, see the head of docs/parity.md
differs "IV mode missing" "capi:xts(aes) without an IV mode" made 'capi:xts(aes)' "$k64" 0
differs "Invalid IV mode" "aes-ecb-plain65, no IV mode of a cipher that has no IV" \
	made aes-ecb-plain65 "$k32" 0
differs "Wrong key size" "cipher_null:64-ecb, more keys than the key has bytes" \
	made cipher_null:64-ecb 00 0
differs "Invalid sector_size" "sector_size:66048, of which 16 bits are 512" \
	made aes-xts-plain64 "$k64" 0 sector_size:66048
differs "Invalid iv_offset" "an iv_offset of 2^64, of which 64 bits are 0" \
	made aes-xts-plain64 "$k64" 18446744073709551616
differs "Cipher has 8 hex digits in a row" "aes:4294967298-cbc-plain64, of which 32 bits are 2" \
	made aes:4294967298-cbc-plain64 "$k64" 0
differs "Cipher has 8 hex digits" "aes-cbc-plain64:deadbeef, what may be a key in the cipher" \
	made aes-cbc-plain64:deadbeef "$k32" 0

# --- devices
if have_kernel_config BLK_DEV_ZONED; then
	make_null_blk zoned memory_backed=1 size=32 zoned=1 zone_size=4
	zones() {
		dm_create try "0 $(sectors "$zoned") $target aes-xts-plain64 $k64 0 $zoned 0" &&
			blkzone reset /dev/mapper/try && rw write /dev/mapper/try 0 data &&
			rw compare /dev/mapper/try 0 data
	}
	row "zoned devices" zones
	for _letter in A B; do
		head -c 4096 /dev/zero | tr '\0' $_letter
	done > appended
	appends() {
		dm_create try "0 $(sectors "$zoned") $target aes-xts-plain64 $k64 0 $zoned 0" &&
			blkzone reset /dev/mapper/try && modprobe icrypt-test-bio device=/dev/mapper/try || return
		_where=$(cat /sys/module/icrypt_test_bio/parameters/sectors)
		rmmod icrypt-test-bio
		[ "$_where" = 0,8 ] && rw compare /dev/mapper/try 0 appended
	}
	row "zone append" appends
else
	unavailable "zoned devices" "kernel without zoned devices"
	unavailable "zone append" "kernel without zoned devices"
fi
if ! kernel_at_least 7.0; then
	unavailable "atomic writes" "not supported by the kernel"
elif make_scsi disk dev_size_mb=16 atomic_wr=1; then
	atomic() {
		dm_create try "0 16384 $target aes-xts-plain64 $k64 0 $disk 0" || return
		_max=/sys/block/$(disk_name /dev/mapper/try)/queue/atomic_write_unit_max_bytes
		[ "$(cat "$_max")" -gt 8192 ] && rw --atomic write /dev/mapper/try 65536 data &&
			rw compare /dev/mapper/try 65536 data
	}
	row "atomic writes" atomic
else
	unavailable "atomic writes" "no device that has them"
fi
make_null_blk polled memory_backed=1 size=8 submit_queues=1 poll_queues=1
polls() {
	# For who does not poll what he submitted to be polled; milliseconds
	[ "$target" = inline-crypt ] && _timeout=60000 || _timeout=5000
	echo $_timeout > "/sys/block/$(disk_name "$polled")/queue/io_timeout"
	dm_create try "0 $(sectors "$polled") $target aes-xts-plain64 $k64 0 $polled 0" || return
	for _rw in write read; do
		timeout 100 fio --name=x --filename=/dev/mapper/try --ioengine=io_uring --hipri=1 --direct=1 \
			--bs=4k --size=8k --rw=$_rw || return
	done
}
row "polled I/O (io_uring, IOPOLL)" polls
unaligned() {
	line aes-xts-plain64 "$k64" 0 sector_size:4096 && rw --shift 512 write /dev/mapper/try 65536 data &&
		rw --shift 1536 compare /dev/mapper/try 65536 data
}
row "direct I/O with a buffer aligned to less than a sector" unaligned
nowait() {
	line aes-xts-plain64 "$k64" 0 && rw --nowait write /dev/mapper/try 65536 data &&
		rw --nowait read /dev/mapper/try 65536 8192 > /dev/null
}
row "I/O that must not wait (RWF_NOWAIT)" nowait
counters() {
	line aes-xts-plain64 "$k64" 0 && [ "$(counter try w_caller)" -ge 1 ]
}
row "status line with counters" counters

is_at_least $rows 85 "so many features were tried"
[ -z "$documented" ] || is "$(awk -F ' *[|] *' -v r="$release" '
	$2 == "feature" { for (i = 3; i <= NF; i++) if ($i == r) at = i }
	at && $2 !~ /^(feature|-+)$/ && $at != "-" { n++ }
	END { print n }' $documented)" "$rows" "and no others are documented"
