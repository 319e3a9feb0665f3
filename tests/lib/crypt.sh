# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# crypt.sh - tables of the target inline-crypt and of its rival, crypt

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
