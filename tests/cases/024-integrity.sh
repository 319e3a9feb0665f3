# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: authenticated encryption and random IVs over dm-integrity: interop with dm-crypt, tampering
# kernels: oldest 6.12 newest
# expects-dmesg: INTEGRITY AEAD ERROR
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 24
random_file data 2
k16=$(test_key 16)
k32=$(test_key 32)
k48=$(test_key 48)
k64=$(test_key 64)
k96=$(test_key 96)

# table TARGET CIPHER KEY IV_OFFSET OPTION... - over all of $int, or 8 MiB
table() {
	_table="0 16384 $1 $2 $3 $4 $int 0"
	shift 4
	echo "$_table $# $*"
}

# both_ways MODE TAG_SIZE CIPHER KEY IV_OFFSET OPTION... - on a dm-integrity device of its own
both_ways() {
	mode=$1 tag=$2
	shift 2
	text="$mode $(echo "$*" | sed 's/ [0-9a-f]\{32,\} / /')"
	size=512
	case $* in *sector_size:4096*) size=4096 ;; esac
	make_integrity int "$loop" "$tag" "$mode" $size
	if ! dm_create theirs "$(table crypt "$@")" 2> /dev/null; then
		if dm_create ours "$(table inline-crypt "$@")" 2> /dev/null; then
			dm_remove ours
		fi
		skip "$text" "dm-crypt of this kernel refuses it as well"
		dm_remove "${int##*/}"
		return
	fi
	# One at a time: each would cache data that the other one changes below.
	check "$text: dm-crypt writes" rw write /dev/mapper/theirs 65536 data
	dm_remove theirs
	check "$text: accepted" dm_create ours "$(table inline-crypt "$@")" || {
		dm_remove "${int##*/}"
		return
	}
	check "$text: read" rw compare /dev/mapper/ours 65536 data
	check "$text: written" rw write /dev/mapper/ours 4194304 data
	check "$text: and read again" rw compare /dev/mapper/ours 4194304 data
	tried=$((tried + 1))
	dm_remove ours
	dm_create theirs "$(table crypt "$@")" || bail "no dm-crypt any more"
	check "$text: dm-crypt reads it" rw compare /dev/mapper/theirs 4194304 data
	dm_remove theirs
	dm_remove "${int##*/}"
}

# Bitmap mode is only for devices with a hash of their own, whatever is above them.
tried=0
hmac='capi:authenc(hmac(sha256),xts(aes))-plain64'
for mode in J D; do
	both_ways $mode 32 "$hmac" "$k96" 0 integrity:32:aead
done
both_ways D 32 "$hmac" "$k96" 8 integrity:32:aead sector_size:4096
both_ways D 32 "$hmac" "$k96" 8 integrity:32:aead sector_size:4096 iv_large_sectors
both_ways D 48 'capi:authenc(hmac(sha256),cbc(aes))-random' "$k64" 0 integrity:48:aead
both_ways D 32 'capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256' "$k64" 7 integrity:32:aead
both_ways D 36 'capi:authenc(hmac(sha1),xts(aes))-random' "$k64$(test_key 20)" 0 integrity:36:aead
both_ways D 28 'capi:gcm(aes)-random' "$k32" 0 integrity:28:aead
both_ways D 16 'capi:gcm(aes)-plain64' "$k32" 4294967290 integrity:16:aead
both_ways D 28 'capi:gcm(aes)-random' "$k16" 0 integrity:28:aead sector_size:4096
both_ways D 32 'capi:authenc(hmac(sha256),cbc(aes))-tcw' "$k96" 0 integrity:32:aead
both_ways D 16 'capi:gcm(aes)-tcw' "$(test_key 60)" 4294967290 integrity:16:aead
both_ways D 28 'capi:rfc7539(chacha20,poly1305)-random' "$k32" 0 integrity:28:aead
both_ways D 32 'capi:aegis128-random' "$k16" 0 integrity:32:aead
both_ways D 16 aes-xts-random "$k64" 0 integrity:16:none
both_ways D 16 aes-cbc-random "$k32" 0 integrity:16:none sector_size:4096
if kernel_at_least 6.12; then
	both_ways D 32 "$hmac" "$k96" 0 integrity:32:aead integrity_key_size:32
	both_ways D 32 "$hmac" "$k64$k16" 0 integrity:32:aead integrity_key_size:16
	both_ways D 64 "$hmac" "$k96" 0 integrity:32:aead
fi
is_at_least $tried 16 "dm-crypt takes most of them here"

# Only data that does not match its tag is an error
make_integrity int "$loop" 28 D
dm_create ours "$(table inline-crypt 'capi:gcm(aes)-random' "$k32" 0 integrity:28:aead)" || bail "no table"
check "gcm: written" rw write /dev/mapper/ours 0 data
dm_remove ours
# The metadata of the first run of sectors come first, behind superblock and journal
head -c 4096 data > four
dm_create raw "$(table inline-crypt 'capi:gcm(aes)-random' "$k48" 0 integrity:28:aead | sed "s/$k48/$(test_key 32 2)/")" ||
	bail "no table"
kmsg_mark
# No later than the kernel's first count of messages begins
began=$(cut -d . -f 1 /proc/uptime)
check_not "another key: no data" dd if=/dev/mapper/raw of=out bs=4096 count=1 iflag=direct
like "$(kmsg)" 'INTEGRITY AEAD ERROR, sector 0$' "the log names the sector"
is "$(dd if=/dev/mapper/raw bs=4096 count=1 iflag=direct 2> /dev/null | wc -c)" 0 "not one byte is read"
# Ten of them in five seconds, that is; where a hundred reads take longer, some more
kmsg_mark
for n in $(seq 100); do
	rw read /dev/mapper/raw $((n * 512)) 512 2>&1 > /dev/null
done | cut -d ' ' -f 1 | sort | uniq -c | sed 's/^ *//' > errors
most=$((10 * (1 + ($(cut -d . -f 1 /proc/uptime) + 1 - began) / 5)))
is "$(cat errors)" "100 EILSEQ" "a hundred bad reads: each is an error"
said=$(kmsg | grep -c 'INTEGRITY AEAD ERROR')
diag "said $said times, at most $most"
# A guest that is slow enough gets all of them said.
is "$((said > 0)) $((said <= most))" "1 1" "of which some are said in the log"
[ $most -lt 100 ] || diag "too slow to see the limit"
is_at_least "$(counter raw context)" 102 "each was read again before that, in a worker"
check_not "read by io_uring: an error, too" fio --name=x --filename=/dev/mapper/raw --rw=read --bs=64k \
	--size=1M --ioengine=io_uring --iodepth=4 --direct=1
dm_remove raw
dm_create ours "$(table inline-crypt 'capi:gcm(aes)-random' "$k32" 0 integrity:28:aead)" || bail "no table"
check "the right key: all of them" rw compare /dev/mapper/ours 0 data
is "$(counter ours context)" 0 "no sector was read a second time"

# Every kind of I/O
for engine in psync libaio io_uring; do
	check "$engine, verified" fio_verify /dev/mapper/ours --name=x --direct=1 --size=8M --io_size=4M \
		--bsrange=512-256k --ioengine=$engine --iodepth=8
done
check "buffered, verified" fio_verify /dev/mapper/ours --name=x --size=8M --io_size=4M --bs=4k \
	--ioengine=psync --end_fsync=1
is_at_least "$(counter ours r_caller)" 20 "synchronous reads were decrypted by their task"
is_at_least "$(counter ours r_endio)" 1 "other reads were decrypted where they completed"
is "$(counter ours context)" 0 "no read was decrypted a second time"
