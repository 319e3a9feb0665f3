# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: TrueCrypt, VeraCrypt and BitLocker volumes on takeover=1 and on dm-crypt; inline-crypt-switch
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# cryptsetup opens these but cannot make them, so their headers are put together
# here, with nothing in them that it does not look at.
requires_command cryptsetup
requires_module dm-zero
printf 'lab passphrase' > pass

# be BYTES VALUE, le BYTES VALUE - a number, most or least significant byte first
be() {
	printf "%0$(($1 * 2))x" "$2" | xxd -r -p
}
le() {
	printf "%0$(($1 * 2))x" "$2" | sed 's/../&\n/g' | tac | tr -d '\n' | xxd -r -p
}

# crc32 - of standard input, as it is in the trailer of gzip
crc32() {
	gzip -c | tail -c 8 | head -c 4 | xxd -p | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/' | xxd -r -p
}

# --- TrueCrypt, VeraCrypt

# xts_key HEX OFFSET TWEAK_OFFSET - 32 bytes of each
xts_key() {
	echo "$1" | cut -c "$(($2 * 2 + 1))-$(($2 * 2 + 64)),$(($3 * 2 + 1))-$(($3 * 2 + 64))"
}

# tcrypt_header MAGIC - print the encrypted part of the header: 448 bytes
tcrypt_header() {
	test_key 192 > keys
	xxd -r -p keys > header.keys
	head -c 64 /dev/zero >> header.keys
	{
		printf %s "$1"
		be 2 5
		be 2 $((0x0700))
		crc32 < header.keys
		be 8 0; be 8 0
		be 8 0
		be 8 $((8388608 - 262144))
		be 8 131072
		be 8 $((8388608 - 262144))
		be 4 0
		be 4 512
		head -c 120 /dev/zero
	} > header.fields
	crc32 < header.fields | cat header.fields - header.keys
}

# make_tcrypt DEVICE MAGIC KEY CIPHER... - KEY is the result of PBKDF2 for salt and passphrase
#
# The header is encrypted by the same ciphers as the data, as a sector 0.
make_tcrypt() {
	_image=$1
	_key=$3
	tcrypt_header "$2" > header
	head -c 64 /dev/zero >> header
	shift 3
	make_loop below 1
	_bottom=$below
	_n=$#
	for _cipher in $(echo "$@" | tr ' ' '\n' | tac); do
		_n=$((_n - 1))
		dm_create "header$_n" "0 8 crypt $_cipher-xts-plain64 $(xts_key "$_key" $((32 * _n)) \
			$((32 * ($# + _n)))) 0 $_bottom 0" || bail "cannot encrypt with $_cipher"
		_bottom=/dev/mapper/header$_n
	done
	rw write $_bottom 0 header
	for _cipher; do
		dm_remove "header$_n"
		_n=$((_n + 1))
	done
	test_key 64 | xxd -r -p > salt
	rw read "$below" 0 512 | head -c 448 | cat salt - > first
	rw write "$_image" 0 first
}

# --- BitLocker

# make_bitlk DEVICE METHOD SECTOR_SIZE - three copies of the metadata, one is looked at
make_bitlk() {
	{
		be 3 $((0xeb5890))
		printf %s -FVE-FS-
		le 2 "$3"
		head -c 147 /dev/zero
		be 4 $((0x3bd66749)); be 4 $((0x292ed84a)); be 4 $((0x8399f6a3)); be 4 $((0x39e3d001))
		le 8 1048576; le 8 1310720; le 8 1572864
		head -c 312 /dev/zero
	} > boot
	{
		printf %s -FVE-FS-
		le 2 136
		le 2 2
		le 2 4; le 2 4
		le 8 8388608
		le 4 0
		le 4 8192
		le 8 1048576; le 8 1310720; le 8 1572864
		le 8 1114112
		# The reads and writes below are counted
		le 4 72
		le 4 1
		le 4 48
		le 4 72
		test_key 16 | xxd -r -p
		le 4 1
		le 2 "$2"
		le 2 0
		le 8 0
		# An entry: the place of the file system's first sectors
		le 2 24; le 2 15; le 2 15; le 2 1
		le 8 1114112
		le 8 8192
		head -c 2040 /dev/zero
	} > metadata
	# From version 2.8 on cryptsetup wants a checksum behind the 136 * 16 bytes, and
	# in it the place of a hash, which only a holder of the password can see. gzip
	# keeps the CRC of the packed data.
	{
		cat metadata
		le 2 88
		le 2 1
		gzip -c metadata | tail -c 8 | head -c 4
		le 2 80; le 2 0; le 2 5; le 2 1
		head -c 1904 /dev/zero
	} > metadata.valid
	rw write "$1" 0 boot
	rw write "$1" 1048576 metadata.valid
}

# ---

cat > volumes << END
truecrypt --type tcrypt --disable-veracrypt
cascade --type tcrypt --hash sha512 --allow-discards
veracrypt --type tcrypt --hash sha512 --cipher aes --veracrypt-pim 1
bitlk_xts --type bitlk --volume-key-file volume-key
bitlk_eboiv --type bitlk --volume-key-file volume-key
bitlk_elephant --type bitlk --volume-key-file volume-key
END

# openssl kdf -keylen 192 -kdfopt digest:SHA512 -kdfopt pass:"lab passphrase"
# -kdfopt hexsalt:010203...40 -kdfopt iter:1000 PBKDF2; with PIM 1 it is 16000
truecrypt_key=dadc2e6a718a0f00ba44d22ba975e37f7c7d8621f9c4a07c42ab0ab4632ffccc8ebe193c852e16481c9b2166f560e6288057e9728722c3a02ffee2cc84c01274aceb177473a2c1cf9c404b3ba1fcb8a082335e73c8e345c59fcdb868ca1986ed2c2839fc499aeb61e4f0b99f2d45290faeca12cf3907f333eb856d341ae511f709b12faa48299706ff3fec19cd76e12f68ac7acb9ac53586e8c62eed872f750e4065d2527cad00b052f4ba0e907bfb3d1656c7ea060cb2bb2258a019e816d4d2
veracrypt_key=c0239b9ca651653c27a05409e2c04a37b8c48876dd7c563ecebbb5015fac74c3a4023ad5aa3cb0bb566e8e25d4a1ed33e0153eb6caa865516ac3e24a0617ae57

make_volume() {
	make_loop dev 8
	case $1 in
	truecrypt) make_tcrypt "$dev" TRUE "$truecrypt_key" aes ;;
	cascade) make_tcrypt "$dev" TRUE "$truecrypt_key" aes twofish serpent ;;
	veracrypt) make_tcrypt "$dev" VERA "$veracrypt_key" aes ;;
	bitlk_xts) make_bitlk "$dev" $((0x8005)) 512 ;;
	bitlk_eboiv) make_bitlk "$dev" $((0x8003)) 4096 ;;
	bitlk_elephant) make_bitlk "$dev" $((0x8001)) 512 ;;
	esac
}

look() {
	[ "$1" = cascade ] || return 0
	is "$(served_by cascade_1) $(served_by cascade_2)" "$2 $2" "cascade: as are those below"
}

test_key 64 | xxd -r -p > volume-key
both_serve
switch_volumes cascade veracrypt bitlk_elephant
dm_create zeros "0 8 zero"
check_not "zeros and nothing else are not switched" switch zeros
like "$(cat /run/check.out)" "has the target zero" "with a message"
