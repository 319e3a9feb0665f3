# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: bad table lines are refused, each with its message, and never with the key
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 8
modprobe dm-inline-crypt || bail "no module"
key=$(test_key 64 144)
key32=$(test_key 32 144)
all=/tmp/all-messages
: > $all

# refused TEXT MESSAGE WORD ARGUMENTS [LENGTH] - with MESSAGE in the log
#
# WORD: where in ARGUMENTS the message says that it is, counted from 1, or other text in it.
refused() {
	_word=$3
	case $_word in [1-9]) _word="word $_word after \"inline-crypt\": $2" ;; esac
	kmsg_mark
	if dm_create bad "0 ${5:-16384} inline-crypt $4" 2> /dev/null; then
		not_ok "$1"
		diag "taken: $(dmsetup table bad)"
		dm_remove bad
		return 1
	fi
	kmsg > messages
	cat messages >> $all
	if ! grep -qF -- "$2" messages || ! grep -qF -- "$_word" messages; then
		not_ok "$1"
		diag "expected: '$2', '$_word'"
		diag "got: $(cat messages)"
		return 1
	fi
	ok "$1"
}

xts="aes-xts-plain64 $key 0 $loop 0"

# Words that are missing or too many
refused "no arguments" "Too few arguments" "" ""
refused "no device sector" "Too few arguments" "" "aes-xts-plain64 $key 0 $loop"
refused "fewer options than announced" "Invalid number of feature args" 6 "$xts 2 allow_discards"
refused "an option count that is no number" "Invalid number of feature args" 6 "$xts x"

# Options
refused "more options than dm-crypt takes" "Invalid number of feature args, dm-crypt takes 9" 6 \
	"$xts 10 $(printf 'allow_discards %.0s' 1 2 3 4 5 6 7 8 9 10)"
refused "an unknown option" "Invalid feature argument" 7 "$xts 1 no_such_option"
for size in 0 256 1000 8192 x ''; do
	refused "sector_size:$size" "Invalid sector_size" 7 "$xts 1 sector_size:$size"
done
refused "a device that ends inside a sector" "not multiple of sector_size" "" \
	"$xts 1 sector_size:4096" 16383
refused "read_context:nowhere" "Invalid read_context" 7 "$xts 1 read_context:nowhere"
refused "write_context:endio" "Invalid write_context" 7 "$xts 1 write_context:endio"

# Integrity
for option in integrity:28 integrity:0:aead integrity:481:aead integrity:x:none; do
	refused "$option" "Invalid integrity" 7 "$xts 1 $option"
done
refused "integrity:16:poem" "Unknown integrity profile" 7 "$xts 1 integrity:16:poem"
refused "integrity_key_size:0" "Invalid integrity_key_size" 7 \
	"$xts 1 integrity_key_size:0"
refused "an AEAD by its old name" "AEAD needs a crypto API name" 1 \
	"$xts 1 integrity:16:aead"
refused "an AEAD that changes data" "AEAD not possible with this IV mode" 1 \
	"capi:gcm(aes)-lmk $key32 0 $loop 0 1 integrity:16:aead"
refused "an AEAD stays an AEAD" "AEAD not possible with this IV mode" 1 \
	"capi:gcm(aes)-lmk $key32 0 $loop 0 2 integrity:16:aead integrity:16:none"
refused "an AEAD without room" "Device below has no room for these tags" "" \
	"capi:gcm(aes)-random $key32 0 $loop 0 1 integrity:28:aead"
refused "a tag of 5 bytes" "tag size is not supported" "" \
	"capi:gcm(aes)-plain64 $key32 0 $loop 0 1 integrity:5:aead"
refused "an IV and no tag" "Not enough space for integrity tag and IV" "" \
	"capi:gcm(aes)-random $key32 0 $loop 0 1 integrity:12:aead"
refused "random IVs and nowhere to put them" "Device below has no room for these tags" "" \
	"aes-xts-random $key 0 $loop 0"
refused "a MAC that is not known" "Invalid AEAD cipher spec" "no hmac(?)" \
	"capi:authenc(hmac(rot13),xts(aes))-plain64 $key 0 $loop 0 1 integrity:32:aead"
refused "an AEAD that is not known" "Error allocating crypto tfm" "no gcm(?)" \
	"capi:gcm(rot13)-random $key32 0 $loop 0 1 integrity:28:aead"
refused "no MAC" "Bad MAC in the cipher" 1 \
	"capi:authenc(x)-plain64 $key 0 $loop 0 1 integrity:32:aead"
make_loop below 8
make_integrity int "$below" 16 D 512
refused "tags for smaller sectors" "Device below has tags for a different sector_size" "" \
	"aes-xts-random $key 0 $int 0 2 integrity:16:none sector_size:4096" 2048
dm_remove "${int##*/}"
make_integrity int "$below" 16 D 4096
refused "tags for larger sectors" "Device below has tags for a different sector_size" "" \
	"aes-xts-random $key 0 $int 0 1 integrity:16:none" 2048
dm_remove "${int##*/}"

# Formats of other systems
for iv in lmk tcw; do
	refused "$iv with large sectors" "Unsupported sector size for" "" \
		"aes-cbc-$iv $key 0 $loop 0 1 sector_size:4096"
done
refused "lmk with an odd number of keys" "Wrong key size for LMK" "" \
	"aes:64-cbc-lmk $(test_key 65 144) 0 $loop 0"
refused "tcw without seeds" "Wrong key size for TCW" "" "aes-cbc-tcw $key32 0 $loop 0"
refused "elephant with keys of no AES" "Cipher refused the key" "" "aes-cbc-elephant $(test_key 40 144) 0 $loop 0"
refused "elephant with keys too large for AES" "Wrong key size for Elephant" "" "aes-cbc-elephant $(test_key 72 144) 0 $loop 0"
if have_kernel_config CRYPTO_ADIANTUM; then
	refused "an IV too large for lmk" "IV of the cipher is too large for LMK" "" \
		"xchacha12,aes-adiantum-lmk $key32 0 $loop 0"
else
	skip "an IV too large for lmk" "kernel without Adiantum"
fi
refused "eboiv of a stream" "Block size of EBOIV cipher" "" "aes-ctr-eboiv $key32 0 $loop 0"

# Ciphers
refused "an unknown cipher" "Error allocating crypto tfm" "no xts(?)" \
	"rot13-xts-plain64 $key 0 $loop 0"
refused "an unknown mode" "Error allocating crypto tfm" "no ?(aes)" \
	"aes-sideways-plain64 $key 0 $loop 0"
refused "an unknown IV" "Invalid IV mode" 1 "aes-xts-plain65 $key 0 $loop 0"
refused "no IV" "IV mechanism required" 1 "aes-xts $key 0 $loop 0"
refused "no IV, by the crypto API's name" "IV mode missing" "" "capi:xts(aes) $key 0 $loop 0"
refused "essiv without a digest" "Digest algorithm missing" 1 \
	"aes-cbc-essiv $(test_key 32 144) 0 $loop 0"
refused "a crypto API name without capi:" "Bad cipher specification" 1 \
	"xts(aes)-plain64 $key 0 $loop 0"
refused "capi: and nothing" "Cipher missing" 1 "capi:-plain64 $key 0 $loop 0"
for count in 0 3 x 8388609; do
	refused "$count keys" "Bad cipher key count" 1 \
		"aes:$count-cbc-plain64 $key 0 $loop 0"
done
for count in 128 8388608; do
	refused "$count keys in 64 bytes" "Wrong key size, need at least one byte for each key" "" \
		"aes:$count-cbc-plain64 $key 0 $loop 0"
done
kmsg_mark
check_not "8388608 keys of no size" \
	dm_create bad "0 16384 inline-crypt cipher_null:8388608-ecb - 0 $loop 0"
like "$(kmsg)" "Cannot allocate crypto transforms" "are more than there is memory for, and that is all"
refused "a name without end" "Cipher specification too long" "" \
	"aes-xts-plain64$(seq -s - 100) $key 0 $loop 0"
refused "a hash as a cipher" "Error allocating crypto tfm" "no sha256" "capi:sha256-plain64 $key 0 $loop 0"
refused "an AEAD" "Error allocating crypto tfm" "no gcm(aes)" "capi:gcm(aes)-plain64 $key 0 $loop 0"

# Keys
refused "a key in the cipher's place" "Cipher has 8 hex digits in a row" 1 \
	"$key32 aes-cbc-plain64 0 $loop 0"
refused "a key in the device's place" "Device has 8 hex digits in a row" 4 \
	"des-cbc-plain64 9091929394959697 0 $key32 0"
refused "a key of a wrong size" "Cipher refused the key" "" "aes-xts-plain64 $(test_key 40 144) 0 $loop 0"
refused "no key" "Cipher refused the key" "" "aes-xts-plain64 - 0 $loop 0"
refused "half a byte" "Cannot parse key, too short" 2 "aes-xts-plain64 9 0 $loop 0"
refused "half a byte less" "Cipher refused the key" "" "aes-xts-plain64 ${key%?} 0 $loop 0"
refused "not hexadecimal" "Key is not hexadecimal" "" "aes-xts-plain64 ${key%??}0g 0 $loop 0"
refused "a keyring key without size" "Cannot parse key size" "" "aes-xts-plain64 :logon:lab:x 0 $loop 0"
refused "a keyring key of size 0" "Cannot parse key size" "" "aes-xts-plain64 :0:logon:lab:x 0 $loop 0"
refused "a keyring key of no type" "Key description missing" "" "aes-xts-plain64 :64:lab 0 $loop 0"
refused "a key type that is not known" "Key type not supported" "" "aes-xts-plain64 :64:keyring:lab 0 $loop 0"
refused "a key that is not there" "Key not found" "" "aes-xts-plain64 :64:logon:lab:missing 0 $loop 0"

# Numbers and devices
for offset in x -1 18446744073709551616 1.5; do
	refused "iv_offset $offset" "Invalid iv_offset" 3 "aes-xts-plain64 $key $offset $loop 0"
	refused "device sector $offset" "Invalid device sector" 5 \
		"aes-xts-plain64 $key 0 $loop $offset"
done
refused "iv_offset inside a sector" "Invalid iv_offset sector, must be a multiple of sector_size" 3 \
	"aes-xts-plain64 $key 4 $loop 0 1 sector_size:4096"
refused "a device that is not there" "Device lookup failed" "" "aes-xts-plain64 $key 0 /dev/missing 0"
refused "a file as device" "Device lookup failed" "" "aes-xts-plain64 $key 0 /lib/lab/tap.sh 0"
check_not "more than the device has" \
	dm_create bad "0 16384 inline-crypt aes-xts-plain64 $key 0 $loop 8"

# Lines that are strange, but not refused
kmsg_mark
check "half a byte more" dm_create strange "0 16384 inline-crypt aes-xts-plain64 ${key}a 0 $loop 0"
dm_remove strange
check "more options than announced" \
	dm_create strange "0 16384 inline-crypt $xts 1 allow_discards same_cpu_crypt sector_size:x"
like "$(dmsetup table strange)" " 0 1 allow_discards$" "the others mean nothing"
dm_remove strange
kmsg > messages
cat messages >> $all
like "$(cat messages)" "odd number of hex digits, the last one of the key is ignored" "a digit too much is said"
like "$(cat messages)" "2 words after the counted options are ignored" "and words too much"

# Taken, but not without a word
kmsg_mark
check "an IV for a cipher that takes none" dm_create good "0 16384 inline-crypt aes-ecb-plain64 $key32 0 $loop 0"
like "$(kmsg)" 'ecb\(aes\) takes no IV, plain64 ignored' "with a warning"
dm_remove good

# Elephant's second cipher is one that the kernel may be without. Newer kernels make
# cbc(aes) of it as well, unless that has a driver of its own.
modprobe -a cbc xts
rmmod aesni_intel ecb 2> /run/check.out
modprobe=$(cat /proc/sys/kernel/modprobe)
echo /bin/false > /proc/sys/kernel/modprobe
if grep -q '^CONFIG_CRYPTO_ECB=m' /boot/config && ! grep -q '^ecb ' /proc/modules &&
   ! grep -q '^name *: ecb(aes)$' /proc/crypto &&
   dm_create good "0 16384 inline-crypt aes-cbc-plain64 $key32 0 $loop 0" 2> /run/check.out; then
	dm_remove good
	refused "elephant without ecb(aes)" "Elephant needs a synchronous driver of ecb(aes)" "" \
		"aes-cbc-elephant $key 0 $loop 0"
else
	skip "elephant without ecb(aes)" "this kernel has it all the time, or no cbc(aes) without"
fi
echo "$modprobe" > /proc/sys/kernel/modprobe

is "$(dmsetup ls | grep -c bad)" 0 "no device is left"
for part in "$key" "${key%??}" "$(echo "$key" | cut -c 1-32)"; do
	is "$(grep -ciF "$part" $all)" 0 "$((${#part} / 2)) bytes of the key are not in any message"
done
check "and after all that a good line is taken" make_crypt good "$loop"
