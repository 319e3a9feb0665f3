# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: LUKS2 with authenticated encryption on takeover=1 and on dm-crypt; changed data is an error; inline-crypt-switch
# kernels: newest debug
# long: with KASAN, three of its five ciphers
# expects-dmesg: INTEGRITY AEAD ERROR
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

requires_command cryptsetup
requires_module dm-integrity
printf 'lab passphrase' > pass
head -c 4096 /dev/zero > zeros

# 7.3 hides AEADs from cryptsetup, which asks whether there are any before it formats.
modprobe -q af_alg
restrict=/proc/sys/crypto/af_alg_restrict
[ ! -e $restrict ] || echo 0 > $restrict

names="hmac random essiv poly gcm"
# With KASAN each takes half a minute.
! have_kernel_config KASAN || full || names="hmac gcm"
for name in $names; do
	echo "$name --key-file pass"
done > volumes
# cryptsetup checks the versions of the targets for this since 2.8
for name in keysize inline; do
	option=--integrity-inline
	[ $name = inline ] || option=--integrity-key-size
	if cryptsetup --help | grep -q -e $option && kernel_at_least 6.12; then
		echo "$name --key-file pass" >> volumes
	else
		skip "$name: $option" "cryptsetup or the kernel's targets are too old"
	fi
done

make_volume() {
	[ "$1" = inline ] || make_loop dev 6
	# Without a wipe it can be read only where it was written
	case $1 in
	hmac) set -- --cipher aes-xts-plain64 --key-size 512 --integrity hmac-sha256 --sector-size 4096 ;;
	random) set -- --cipher aes-xts-random --key-size 512 --integrity hmac-sha256 --sector-size 4096 --integrity-no-wipe ;;
	essiv) set -- --cipher aes-cbc-essiv:sha256 --key-size 256 --integrity hmac-sha1 --sector-size 512 --integrity-no-wipe ;;
	poly) set -- --cipher chacha20-random --key-size 256 --integrity poly1305 --sector-size 512 --integrity-no-wipe ;;
	keysize) set -- --cipher aes-xts-plain64 --key-size 512 --integrity hmac-sha256 --integrity-key-size 512 --sector-size 4096 --integrity-no-wipe ;;
	inline)
		find_nvme dev
		set -- --cipher aes-gcm-random --key-size 256 --integrity aead --integrity-inline --sector-size 4096 --integrity-no-wipe ;;
	gcm) set -- --cipher aes-gcm-random --key-size 256 --integrity aead --sector-size 4096 --integrity-no-wipe ;;
	esac
	check "luksFormat $*" luks_format "$dev" --type luks2 --luks2-keyslots-size 512k "$@"
}

look() {
	check "$1: $2: read" rw compare "/dev/mapper/$1" 2097152 "data.$2"
	case $1 in
	keysize) like "$(dmsetup table "$1")" ' integrity_key_size:64( |$)' "$1: $2: has that key" ;;
	# Nothing is below that takes data without tags
	inline) return ;;
	esac
	# The layer below takes a sector without a tag
	check "$1: $2: change a sector" rw write "/dev/mapper/${1}_dif" 0 zeros
	kmsg_mark
	like "$(rw read "/dev/mapper/$1" 0 4096 2>&1 > /dev/null)" EILSEQ "$1: $2: an error"
	like "$(kmsg)" 'INTEGRITY AEAD ERROR, sector 0$' "$1: $2: in the log"
	check "$1: $2: written" rw write "/dev/mapper/$1" 0 zeros
	check "$1: $2: it is none" rw compare "/dev/mapper/$1" 0 zeros
}

both_serve
switch_volumes hmac gcm
