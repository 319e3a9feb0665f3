#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The expected on-disk data is right: icvec agrees with published vectors, with
# IVs worked out by hand, and with itself in both directions. No kernel needed.

set -u

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$root/tests/lib/tap.sh"
tap_start

echo "TAP version 13"

# result STATUS DESCRIPTION [DIAGNOSTIC] - good if STATUS is 0
result()
{
	if [ "$1" = 0 ]; then
		ok "$2"
	else
		not_ok "$2"
		[ -z "${3:-}" ] || diag "$3"
	fi
}

# same DESCRIPTION EXPECTED GOT
same()
{
	if [ "$2" = "$3" ]; then
		result 0 "$1"
	else
		result 1 "$1" "expected: ${2:0:200}
got:      ${3:0:200}"
	fi
}

have_tools()
{
	local cc=${CC:-gcc}

	command -v make > /dev/null && command -v "$cc" > /dev/null &&
		echo '#include <openssl/evp.h>' | "$cc" -E -o /dev/null - 2> /dev/null
}

have_tools || "$root/tests/vm/provision" tools >&2
if ! have_tools; then
	echo "Bail out! gcc, make or OpenSSL's headers are missing; run tests/vm/provision tools as root"
	exit 1
fi

if ! SAN=1 "$root/vectors/make-cases" "$tmp/cases" > "$tmp/build.log" 2>&1; then
	sed 's/^/# /' "$tmp/build.log"
	echo "Bail out! vectors/make-cases failed, see above"
	exit 1
fi
result 0 "icvec builds with ASan and UBSan and writes all cases ($(tail -n 1 "$tmp/build.log" | cut -d ' ' -f 1))"
icvec=$tmp/cases/bin/icvec

#
# Published vectors, one line for each direction.
#

hex_to_bin()
{
	# shellcheck disable=SC2001 # too long for a pattern substitution
	printf '%b' "$(sed 's/../\\x&/g' <<< "$1")"
}

bin_to_hex()
{
	od -An -v -tx1 | tr -d ' \n'
}

# flip_hex HEX DIGIT - with another byte at that digit
flip_hex()
{
	printf '%s%02x%s' "${1:0:$2}" $((0x${1:$2:2} ^ 1)) "${1:$2 + 2}"
}

# unauthentic WHAT OPTION... - that is refused without a word on standard output
unauthentic()
{
	"$icvec" raw "${args[@]}" --decrypt "${@:2}" > "$tmp/out" 2> "$tmp/err"
	[ $? -eq 3 ] && [ ! -s "$tmp/out" ] && grep -q "does not match" "$tmp/err"
	result $? "published $1 changed: refused" "$(cat "$tmp/err")"
}

declare -A rec

check_record()
{
	local args alt out

	[ -n "${rec[name]:-}" ] || return 0
	args=(--cipher "${rec[cipher]}" --key "${rec[key]}")
	[ -z "${rec[mode]:-}" ] || args+=(--mode "${rec[mode]}")
	[ -z "${rec[iv]:-}" ] || args+=(--iv "${rec[iv]}")
	[ -z "${rec[essiv]:-}" ] || args+=(--essiv "${rec[essiv]}")
	[ -z "${rec[aad]:-}" ] || args+=(--aad "${rec[aad]}")
	[ -z "${rec[tag]:-}" ] || args+=(--tag-size "${rec[tag]}")
	[ -z "${rec[mac_key]:-}" ] || args+=(--integrity-key-size "${rec[mac_key]}")

	out=$("$icvec" raw "${args[@]}" --in "${rec[plain]}" 2>&1)
	same "published ${rec[name]} encrypt" "${rec[encrypted]}" "$out"
	out=$("$icvec" raw "${args[@]}" --decrypt --in "${rec[encrypted]}" 2>&1)
	same "published ${rec[name]} decrypt" "${rec[plain]}" "$out"

	# Authenticated: another first or last byte, of the tag, or no additional data.
	if [ -z "${rec[mode]:-}" ]; then
		alt=${rec[encrypted]}
		unauthentic "${rec[name]}, the data's first byte" --in "$(flip_hex "$alt" 0)"
		unauthentic "${rec[name]}, the tag's last byte" --in "$(flip_hex "$alt" $((${#alt} - 2)))"
		unauthentic "${rec[name]}, additional data" --in "$alt" \
			--aad "$(flip_hex "${rec[aad]:-ff}" 0)"
	fi

	# libcrypto's XTS against the one built here from ECB.
	if [ "${rec[mode]:-}" = xts ] && [ $((${#rec[plain]} % 32)) -eq 0 ]; then
		alt=$("$icvec" raw "${args[@]}" --xts-from-ecb --in "${rec[plain]}" 2>&1)
		same "published ${rec[name]} encrypt, XTS built from ECB" "${rec[encrypted]}" "$alt"
	fi

	# A whole sector, through the IV rules.
	if [ -n "${rec[sector]:-}" ]; then
		args=(--cipher "${rec[cipher]}-xts-plain64" --key "${rec[key]}")
		out=$(hex_to_bin "${rec[plain]}" |
		      "$icvec" encrypt "${args[@]}" --iv-offset "${rec[sector]}" 2>&1 | bin_to_hex)
		same "published ${rec[name]} as sector ${rec[sector]} by iv_offset" \
			"${rec[encrypted]}" "$out"
		out=$(hex_to_bin "${rec[encrypted]}" |
		      "$icvec" decrypt "${args[@]}" --start-sector "${rec[sector]}" 2>&1 | bin_to_hex)
		same "published ${rec[name]} decrypted as sector ${rec[sector]} by start sector" \
			"${rec[plain]}" "$out"
	fi
}

records=0
for file in "$root"/vectors/published/*.txt; do
	rec=()
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'#'*) ;;
		'')
			check_record
			rec=()
			;;
		*' = '*)
			rec[${line%% = *}]=${line#* = }
			[ "${line%% = *}" != name ] || records=$((records + 1))
			;;
		*) result 1 "${file##*/} is readable" "unexpected line: $line" ;;
		esac
	done < "$file"
	check_record
done
[ "$records" -ge 70 ]
result $? "at least 70 published records were read" "read: $records"

#
# IVs worked out by hand from dm-crypt's documentation of the generators.
# Columns: spec, key size, layout options, IVs of the sectors asked for.
#

key()
{
	local pattern=00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0
	local more=102132435465768798a9bacbdcedfe0ff0e0d0c0b0a090807060504030201000

	pattern=$pattern$more
	echo "${pattern:0:$((2 * $1))}"
}

check_iv()
{
	local spec=$1 size=$2 options=$3 want=$4 got

	# shellcheck disable=SC2086 # options are separate words
	got=$("$icvec" iv --cipher "$spec" --key "$(key "$size")" $options 2>&1 | cut -f 2 |
	      tr '\n' ' ')
	same "IV of $spec $options" "$want" "${got% }"
}

z8=0000000000000000
check_iv aes-cbc-plain 32 "--iv-offset 4294967295 --count 2" "ffffffff00000000$z8 $z8$z8"
check_iv aes-cbc-plain64 32 "--iv-offset 4294967295 --count 2" "ffffffff00000000$z8 0000000001000000$z8"
check_iv aes-cbc-plain64be 32 "--iv-offset 4294967295 --count 2" "${z8}00000000ffffffff ${z8}0000000100000000"
check_iv aes-cbc-null 32 "--iv-offset 77 --count 2" "$z8$z8 $z8$z8"
check_iv aes-ecb 32 "--iv-offset 77" "-"
# 32 blocks of 16 bytes in 512 bytes, counted from 1.
check_iv aes-cbc-benbi 32 "--count 3" "${z8}0000000000000001 ${z8}0000000000000021 ${z8}0000000000000041"
check_iv aes-cbc-benbi 32 "--iv-offset 4294967296" "${z8}0000002000000001"
# 64 blocks of 8 bytes, and an IV of 8 bytes.
check_iv des3_ede-cbc-benbi 24 "--count 2" "0000000000000001 0000000000000041"
check_iv des3_ede-cbc-plain64 24 "--iv-offset 258" "0201000000000000"
check_iv des3_ede-cbc-plain64be 24 "--iv-offset 258" "0000000000000102"
# The crypto API gives counter modes a block size of one byte.
check_iv aes-ctr-benbi 32 "--start-sector 1" "${z8}0000000000000201"
# 4096-byte sectors: eight 512-byte numbers each, or one with iv_large_sectors.
check_iv aes-xts-plain64 64 "--sector-size 4096 --iv-offset 16 --count 2" "1000000000000000$z8 1800000000000000$z8"
check_iv aes-xts-plain64 64 "--sector-size 4096 --iv-offset 16 --count 2 --iv-large-sectors" "0200000000000000$z8 0300000000000000$z8"
check_iv aes-xts-plain64 64 "--sector-size 4096 --iv-offset 16 --start-sector 8 --iv-large-sectors" "0300000000000000$z8"
check_iv aes-xts-plain64 64 "--sector-size 1024 --iv-offset 16 --iv-large-sectors" "0800000000000000$z8"
check_iv aes-xts-plain64 64 "--sector-size 512 --iv-offset 16 --iv-large-sectors" "1000000000000000$z8"
check_iv aes-xts-plain 64 "--sector-size 4096 --iv-offset 34359738360 --count 2 --iv-large-sectors" "ffffffff00000000$z8 $z8$z8"
check_iv aes-cbc-benbi 32 "--sector-size 4096 --iv-offset 16 --iv-large-sectors" "${z8}0000000000000041"
check_iv aes-xts-plain64 64 "--iv-offset 18446744073709551615 --count 2" "ffffffffffffffff$z8 $z8$z8"
check_iv aes 32 "--iv-offset 4294967297" "0100000000000000$z8"
check_iv 'capi:cbc(aes)-plain64be' 32 "--iv-offset 1" "${z8}0000000000000001"

# ESSIV by its definition: AES-256, keyed with SHA-256 of the key, of the plain64 IV.
salt=$(hex_to_bin "$(key 32)" | sha256sum | cut -d ' ' -f 1)
want=$("$icvec" raw --mode ecb --cipher aes --key "$salt" --in "0700000000000000$z8")
check_iv aes-cbc-essiv:sha256 32 "--iv-offset 7" "$want"
check_iv 'capi:essiv(cbc(aes),sha256)-plain64' 32 "--start-sector 7" "$want"
want=$("$icvec" raw --mode ecb --cipher aes --key "$salt" --in "${z8}0000000000000007")
check_iv 'capi:essiv(cbc(aes),sha256)-plain64be' 32 "--start-sector 7" "$want"
want=$("$icvec" raw --mode ecb --cipher aes --key "$salt" --in "0200000000000000$z8")
check_iv aes-cbc-essiv:sha256 32 "--iv-offset 16 --sector-size 4096 --iv-large-sectors" "$want"

# BitLocker's and TrueCrypt's, of the position alone.
want=$("$icvec" raw --mode ecb --cipher aes --key "$(key 32)" --in "000e000000000000$z8")
check_iv aes-cbc-eboiv 32 "--iv-offset 7" "$want"
check_iv aes-cbc-elephant 64 "--iv-offset 7" "$want"
check_iv 'capi:cbc(aes)-eboiv' 32 "--sector-size 1024 --iv-offset 14 --iv-large-sectors" \
	"$("$icvec" raw --mode ecb --cipher aes --key "$(key 32)" --in "001c000000000000$z8")"
# Without iv_large_sectors the number of 512-byte sectors meets the large size.
check_iv aes-cbc-eboiv 32 "--sector-size 4096 --start-sector 8" \
	"$("$icvec" raw --mode ecb --cipher aes --key "$(key 32)" --in "0080000000000000$z8")"
check_iv aes-cbc-eboiv 32 "--iv-offset 36028797018963969" \
	"$("$icvec" raw --mode ecb --cipher aes --key "$(key 32)" --in "0002000000000000$z8")"
# The seed is behind the 32 bytes of the cipher's key.
check_iv aes-cbc-tcw 64 "" "102132435465768798a9bacbdcedfe0f"
check_iv aes-cbc-tcw 64 "--iv-offset 4311810305" "112033425565768799a8bbcaddedfe0f"

#
# The effect of the IVs of Loop-AES, TrueCrypt and BitLocker on the data, worked out
# with Perl's MD5 and zlib, and another writing of the Elephant diffusers.
#

# by_perl NAME HEX... - a step of the formats below, on one 512-byte sector
by_perl()
{
	perl -MDigest::MD5 -MDigest::SHA=hmac_sha256 -MCompress::Raw::Zlib=crc32 - "$@" << 'END'
use strict;
my $step = shift;
my @in = map { pack "H*", $_ } @ARGV;
my $out;
if ($step eq "lmk") {	# DATA NUMBER SEED
	my $md5 = Digest::MD5->new;
	$md5->add($in[2] . "\0" x 48) if length $in[2];
	$md5->add(substr($in[0], 16) . $in[1] . pack("V2", 4024, 0));
	$out = ($md5->context)[1];
} elsif ($step eq "tcw") {	# WHITENING NUMBER
	my @crc = map { ~crc32($_, 0xffffffff) & 0xffffffff }
		  unpack "(a4)4", $in[0] ^ ($in[1] x 2);
	$out = pack("V2", $crc[0] ^ $crc[3], $crc[1] ^ $crc[2]) x 64;
} elsif ($step eq "elephant") {	# DATA KEY
	my @d = unpack "V*", $in[0] ^ ($in[1] x 16);
	my $turn = sub { my ($x, $n) = @_; ($x << $n | $x >> 32 - $n) & 0xffffffff };
	for (1 .. 5) {	# Perl counts negative indexes from the end, like A.
		for my $i (reverse 0 .. 127) {
			$d[$i] = ($d[$i] - ($d[$i - 2] ^ $turn->($d[$i - 5], (9, 0, 13, 0)[$i % 4])))
				 & 0xffffffff;
		}
	}
	for (1 .. 3) {
		for my $i (reverse 0 .. 127) {
			$d[$i] = ($d[$i] - ($d[$i - 126] ^ $turn->($d[$i - 123], (0, 10, 0, 25)[$i % 4])))
				 & 0xffffffff;
		}
	}
	$out = pack "V*", @d;
} elsif ($step eq "hmac") {	# DATA KEY
	$out = hmac_sha256(@in);
} elsif ($step eq "xor") {
	$out = $in[0] ^ $in[1];
}
print unpack "H*", $out;
END
}

# disk SPEC KEY OPTION... - the encrypted form of $sector
disk()
{
	hex_to_bin "$sector" | "$icvec" encrypt --cipher "$1" --key "$2" "${@:3}" 2>&1 | bin_to_hex
}

# swap HEX - turn the order of its bytes around
swap()
{
	fold -w 2 <<< "$1" | tac | tr -d '\n'
}

# cbc KEY IV HEX
cbc()
{
	"$icvec" raw --mode cbc --cipher aes --key "$1" --iv "$2" --in "$3"
}

sector=$("$icvec" pattern --seed sector --bytes 512 | bin_to_hex)
many=$("$icvec" pattern --seed keys --bytes 2080 | bin_to_hex)
for at in 0 5 63 64 4294967301 72057594037927941; do
	# 56 bits of the number, and a bit above
	number=$(swap "$(printf '%016x' $((at & 0xffffffffffffff | 1 << 63)))")
	# shellcheck disable=SC2015 # 64 keys of 32 bytes, 64 hex digits each
	one=${many:64 * (at % 64):64}
	same "lmk version 2 at $at" "$(cbc "$one" "$(by_perl lmk "$sector" "$number" "")" "$sector")" \
		"$(disk aes:64-cbc-lmk "${many:0:4096}" --start-sector $at)"
	same "lmk version 3 at $at" \
		"$(cbc "$one" "$(by_perl lmk "$sector" "$number" "${many:4096:32}")" "$sector")" \
		"$(disk aes:64-cbc-lmk "$many" --iv-offset $at)"
done
same "lmk, a single key" \
	"$(cbc "${many:0:64}" "$(by_perl lmk "$sector" 0000000000000080 "")" "$sector")" \
	"$(disk aes-cbc-lmk "${many:0:64}")"
for number in 0000000000000000 0102030405060708; do
	at=$((16#$(swap $number)))
	iv=$(by_perl xor "${many:64:32}" $number$number)
	same "tcw at $at" \
		"$(by_perl xor "$(cbc "${many:0:64}" "$iv" "$sector")" "$(by_perl tcw "${many:96:32}" $number)")" \
		"$(disk aes-cbc-tcw "${many:0:128}" --iv-offset $at)"
done
for at in 0 9; do
	number=$(printf '00%02x00000000000000000000000000' $((2 * at)))
	iv=$("$icvec" raw --mode ecb --cipher aes --key "${many:0:64}" --in "${number}00")
	keys=$("$icvec" raw --mode ecb --cipher aes --key "${many:64:64}" --in "${number}00${number}80")
	same "elephant at $at" "$(cbc "${many:0:64}" "$iv" "$(by_perl elephant "$sector" "$keys")")" \
		"$(disk aes-cbc-elephant "${many:0:128}" --start-sector $at)"
done

# Several keys take turns by 512-byte sectors, not by the IV's number.
for at in 0 1 2 3 4 6; do
	same "key $((at % 4)) of four is for sector $at" \
		"$(disk aes-cbc-plain64 "${many:64 * (at % 4):64}" --start-sector $at)" \
		"$(disk aes:4-cbc-plain64 "${many:0:256}" --start-sector $at)"
done
sector=$sector$sector$sector$sector
for large in "" --iv-large-sectors; do
	same "2048-byte sectors use the first of four keys only${large:+, with large IV sectors}" \
		"$(disk aes-cbc-plain64 "${many:0:64}" --sector-size 2048 --start-sector 4 $large)" \
		"$(disk aes:4-cbc-plain64 "${many:0:256}" --sector-size 2048 --start-sector 4 $large)"
done

#
# Every case: decrypts to its plaintext, and is not the plaintext.
#

case_args()
{
	args=(--cipher "$spec" --key "$key" --iv-offset "$iv_offset"
	      --sector-size "$sector_size" --start-sector "$start")
	[ "$flags" != iv_large_sectors ] || args+=(--iv-large-sectors)
}

round_trip()
{
	"$icvec" decrypt "${args[@]}" < "$1" | cmp -s - "$2"
}

cases=0
while IFS=$'\t' read -r name _ spec key iv_offset sector_size flags bytes start; do
	case $name in
	'#'*) continue ;;
	esac
	cases=$((cases + 1))
	case_args
	plain=$tmp/cases/$name.plain
	cipher=$tmp/cases/$name.cipher
	[ "$(stat -c %s "$plain")" -eq "$bytes" ] && [ "$(stat -c %s "$cipher")" -eq "$bytes" ] &&
		! cmp -s "$plain" "$cipher" && round_trip "$cipher" "$plain"
	result $? "case $name round trip"
done < "$tmp/cases/cases.tsv"
[ "$cases" -ge 150 ]
result $? "at least 150 cases" "found: $cases"

#
# Cases with metadata: they decrypt, and nothing else does.
#

# refuses SECTOR FILE TAGS OPTION... - decrypting stops there, with the plaintext before it
refuses()
{
	local size=$((($1 - start) * 512)) status

	"$icvec" decrypt "${args[@]}" --tags "$3" "${@:4}" < "$2" > "$tmp/out" 2> "$tmp/err"
	status=$?
	[ $status -eq 3 ] && grep -q "tag of sector $1 does not match" "$tmp/err" &&
		[ "$(stat -c %s "$tmp/out")" -eq $size ] &&
		cmp -s "$tmp/out" <(head -c $size "$plain")
}

flip()
{
	local old

	cp "$1" "$2"
	old=$(dd if="$1" bs=1 skip="$3" count=1 2> /dev/null | od -An -tu1)
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %02x $((old ^ 1)))" |
		dd of="$2" bs=1 seek="$3" conv=notrunc 2> /dev/null
}

cases=0
while IFS=$'\t' read -r name _ spec key iv_offset sector_size flags bytes start integrity mac_key; do
	case $name in
	'#'*) continue ;;
	esac
	cases=$((cases + 1))
	case_args
	plain=$tmp/cases/$name.plain
	cipher=$tmp/cases/$name.cipher
	tags=$tmp/cases/$name.tags
	size=${integrity%:*}
	args+=(--integrity "$integrity")
	[ "$mac_key" = - ] || args+=(--integrity-key-size "$mac_key")
	count=$((bytes / sector_size))
	third=$((start + 2 * sector_size / 512))

	[ "$(stat -c %s "$cipher")" -eq "$bytes" ] &&
		[ "$(stat -c %s "$tags")" -eq $((count * size)) ] && ! cmp -s "$plain" "$cipher" &&
		"$icvec" decrypt "${args[@]}" --tags "$tags" < "$cipher" | cmp -s - "$plain"
	result $? "case $name round trip"

	# The IV is behind the tag.
	case $spec in
	*-random)
		iv=16
		[[ $spec != *gcm* && $spec != *rfc7539* ]] || iv=12
		[[ $spec != *des3* ]] || iv=8
		same "case $name stores its IVs" "$(head -c $((count * iv)) "$tmp/cases/$name.ivs" | bin_to_hex)" \
			"$(bin_to_hex < "$tags" | fold -w $((2 * size)) | cut -c $((2 * (size - iv) + 1))- | tr -d '\n')"
		flip "$tags" "$tmp/flipped" $((3 * size - 1))
		[ "$integrity" = 16:none ] || refuses $third "$cipher" "$tmp/flipped"
		result $? "case $name, another IV for the third sector" "$(cat "$tmp/err")" ;;
	esac
	[ "$integrity" != 16:none ] || continue

	flip "$tags" "$tmp/flipped" $((2 * size))
	refuses $third "$cipher" "$tmp/flipped"
	result $? "case $name, another tag for the third sector" "$(cat "$tmp/err")"
	flip "$cipher" "$tmp/flipped" $((3 * sector_size - 1))
	refuses $third "$tmp/flipped" "$tags"
	result $? "case $name, another last byte of the third sector" "$(cat "$tmp/err")"
	# The additional data says where a sector belongs, for any IV.
	start=$((start + sector_size / 512))
	refuses $start "$cipher" "$tags" --start-sector $start
	result $? "case $name, moved by a sector" "$(cat "$tmp/err")"
done < "$tmp/cases/cases-aead.tsv"
[ "$cases" -ge 40 ]
result $? "at least 40 cases with metadata" "found: $cases"

# The parts put together by hand: additional data is the sector's number, then the IV.
sector=$("$icvec" pattern --seed sector --bytes 512 | bin_to_hex)
iv=$("$icvec" pattern --seed iv --bytes 16 | bin_to_hex)
hex_to_bin "$iv" > "$tmp/iv"
# meta SPEC KEY OPTION... - the encrypted form of $sector, then the metadata
meta()
{
	disk "$1" "$2" --tags "$tmp/tags" "${@:3}"
	bin_to_hex < "$tmp/tags"
}
number=0501000000000000
offset=1000000000000000
mac=$("$icvec" pattern --seed mac --bytes 32 | bin_to_hex)
one=${many:0:64}
data=$("$icvec" raw --mode xts --cipher aes --key "${many:0:128}" --iv "$iv" --in "$sector")
same "authenc is HMAC over sector, IV and ciphertext, by Perl" \
	"$data$(by_perl hmac "$number$iv$data" "$mac")$iv" \
	"$(meta 'capi:authenc(hmac(sha256),xts(aes))-random' "${many:0:128}$mac" --ivs "$tmp/iv" \
		--integrity 48:aead --start-sector 261 --iv-offset 16)"
data=$(cbc "$one" "${offset}0000000000000000" "$sector")
tag=$(by_perl hmac "0000000000000000${offset}0000000000000000$data" "$mac")
same "iv_offset is in the IV and not in the sector's number; a tag can be cut" "$data${tag:0:40}" \
	"$(meta 'capi:authenc(hmac(sha256),cbc(aes))-plain64' "$one$mac" --integrity 20:aead --iv-offset 16)"
# ESSIV's salt is of the whole key, and the encrypted IV is authenticated.
salt=$(hex_to_bin "$one$mac" | sha256sum | cut -d ' ' -f 1)
data=$("$icvec" raw --mode ecb --cipher aes --key "$salt" --in "${number}0000000000000000")
tag=$(cbc "$one" "$data" "$sector")
same "authenc with essiv" "$tag$(by_perl hmac "$number$data$tag" "$mac")" \
	"$(meta 'capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256' "$one$mac" --integrity 32:aead \
		--start-sector 261)"
for spec in 'gcm(aes)' 'rfc7539(chacha20,poly1305)'; do
	same "$spec with a stored IV" \
		"$("$icvec" raw --cipher "$spec" --key "$one" --iv "${iv:0:24}" --aad "$number${iv:0:24}" \
			--in "$sector")${iv:0:24}" \
		"$(meta "capi:$spec-random" "$one" --ivs "$tmp/iv" --integrity 28:aead --start-sector 261)"
	same "$spec with plain64" \
		"$("$icvec" raw --cipher "$spec" --key "$one" --iv "${number}00000000" \
			--aad "$number${number}00000000" --in "$sector")" \
		"$(meta "capi:$spec-plain64" "$one" --integrity 16:aead --start-sector 261)"
done

# Where the rules differ the data must differ, and where they agree it must agree.
agree()
{
	local what=$1 want=$2 a=$3 b=$4 got

	got=$(cmp "$tmp/$a" "$tmp/$b" 2>&1 | sed -n 's/.* differ: byte \([0-9]*\),.*/\1/p')
	same "$what" "$want" "${got:-none}"
}

pattern_as()
{
	"$icvec" pattern --seed compare --bytes 16384 |
		"$icvec" encrypt --key "$(key 64)" "${@:2}" > "$tmp/$1"
}

pattern_as a --cipher aes-xts-plain --iv-offset 4294967290
pattern_as b --cipher aes-xts-plain64 --iv-offset 4294967290
agree "plain and plain64 part at sector 2^32, the seventh here" $((6 * 512 + 1)) a b
pattern_as a --cipher aes-xts-plain64 --sector-size 4096
pattern_as b --cipher aes-xts-plain64 --sector-size 4096 --iv-large-sectors
agree "iv_large_sectors matters from the second 4096-byte sector" 4097 a b
pattern_as a --cipher aes-xts-plain64 --iv-offset 24
pattern_as b --cipher aes-xts-plain64 --start-sector 24
agree "iv_offset and start sector add up" none a b

#
# The comparisons above can fail.
#

args=(--cipher aes-xts-plain64 --key "$(key 64)" --iv-offset 0 --sector-size 512 --start-sector 0)
plain=$tmp/cases/aes-xts-plain64-k512-512.plain
cipher=$tmp/cases/aes-xts-plain64-k512-512.cipher
round_trip "$cipher" "$plain"
result $? "an unchanged case is accepted"

flip "$cipher" "$tmp/flipped" 40000
[ "$(cmp -l "$cipher" "$tmp/flipped" | wc -l)" -eq 1 ] && ! round_trip "$tmp/flipped" "$plain"
result $? "one flipped bit of the encrypted data is noticed"
flip "$plain" "$tmp/flipped" 40000
[ "$(cmp -l "$plain" "$tmp/flipped" | wc -l)" -eq 1 ] && ! round_trip "$cipher" "$tmp/flipped"
result $? "one flipped bit of the plaintext is noticed"
args=(--cipher aes-xts-plain64 --key "$(key 64)" --iv-offset 1 --sector-size 512 --start-sector 0)
! round_trip "$cipher" "$plain"
result $? "an iv_offset that is off by one is noticed"

out=$(same self expected got 2> /dev/null | head -n 1)
[[ $out == "not ok "* ]]
result $? "a wrong published vector would be reported"

#
# Bad arguments: exit 2, nothing on standard output, one line naming the next step.
#

# refused DESCRIPTION MESSAGE-PART ARGUMENT...
refused()
{
	local what=$1 part=$2 status

	shift 2
	head -c 4096 /dev/zero | "$icvec" "$@" > "$tmp/out" 2> "$tmp/err"
	status=${PIPESTATUS[1]}
	[ "$status" -eq 2 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l < "$tmp/err")" -eq 1 ] &&
		grep -qF -- "$part" "$tmp/err" && grep -q '; ' "$tmp/err"
	result $? "refused: $what" "exit $status, standard error: $(cat "$tmp/err")"
}

k16=$(key 16)
k32=$(key 32)
k64=$(key 64)
e=(encrypt --key "$k32" --cipher)
refused "unknown subcommand" "use encrypt" scramble
refused "unknown option" "icvec --help" encrypt --colour red
refused "option of another subcommand" "does not apply" encrypt --in 00
refused "missing value" "needs a value" encrypt --cipher
refused "stray argument" "not expected here" encrypt file
refused "no cipher" "add --cipher" encrypt --key "$k32"
refused "no key" "add --key" encrypt --cipher aes-xts-plain64
refused "key that is not hex" "even number of digits" encrypt --cipher aes-xts-plain64 --key 00zz
refused "key with half a byte" "even number of digits" encrypt --cipher aes-xts-plain64 --key 000
refused "key too long" "does not fit" encrypt --cipher aes-xts-plain64 --key "${k64}00"
refused "key too long for any cipher" "at most 4224 bytes" encrypt --cipher aes-xts-plain64 --key "$(printf '00%.0s' {1..4225})"
refused "key of a wrong size, xts" "64 or 96 or 128 hex digits" encrypt --cipher aes-xts-plain64 --key "$k16"
refused "key of a wrong size, cbc" "32 or 48 or 64 hex digits" encrypt --cipher aes-cbc-plain64 --key "$k64"
refused "empty key" "hex digits with --key" encrypt --cipher aes-cbc-plain64 --key ""
refused "cipher libcrypto lacks" "not in libcrypto" "${e[@]}" serpent-xts-plain64
refused "mode that is not covered" "not covered" "${e[@]}" aes-lrw-benbi
refused "IV that is not covered" "not covered" "${e[@]}" aes-cbc-lrw
refused "no IV" "names no IV" "${e[@]}" aes-cbc
refused "no IV, crypto API form" "names no IV" "${e[@]}" 'capi:cbc(aes)'
refused "essiv without digest" "essiv:sha256" "${e[@]}" aes-cbc-essiv
refused "essiv with a digest of a wrong size" "20 bytes" "${e[@]}" aes-cbc-essiv:sha1
refused "essiv with an unknown digest" "not covered" "${e[@]}" aes-cbc-essiv:crc32
refused "essiv twice" "asked for twice" "${e[@]}" 'capi:essiv(cbc(aes),sha256)-essiv:sha256'
refused "essiv with ecb" "instead of ecb" "${e[@]}" aes-ecb-essiv:sha256
refused "option to an IV without one" "takes no option" "${e[@]}" aes-cbc-plain64:sha256
refused "crypto API form without capi:" "put capi:" "${e[@]}" 'xts(aes)-plain64'
refused "malformed crypto API form" "MODE(CIPHER)" "${e[@]}" capi:aes-plain64
refused "too few keys" "2048 or 3072 or 4096 hex digits" "${e[@]}" aes:64-cbc-plain64
refused "number of keys that is no power of two" "power of two" "${e[@]}" aes:3-cbc-plain64
refused "number of keys that is no number" "power of two" "${e[@]}" aes:x-cbc-plain64
refused "no keys" "power of two" "${e[@]}" aes:0-cbc-plain64
refused "lmk in large sectors" "512-byte" "${e[@]}" aes-cbc-lmk --sector-size 4096
refused "tcw in large sectors" "512-byte" encrypt --key "$k64" --cipher aes-cbc-tcw --sector-size 4096
refused "tcw without its seeds" "96 or 112 or 128 hex digits" "${e[@]}" aes-cbc-tcw
refused "elephant with half a key" "64 or 96 or 128 hex digits" encrypt --key "$k16" --cipher aes-cbc-elephant
refused "lmk without cbc" "lmk is covered with cbc" encrypt --key "$k64" --cipher aes-xts-lmk
refused "eboiv over a stream" "block is a byte" "${e[@]}" aes-ctr-eboiv
refused "lmk's IV without data" "look at the data" iv --key "$k32" --cipher aes-cbc-lmk
refused "xts over 8-byte blocks" "16-byte blocks" "${e[@]}" des3_ede-xts-plain64
refused "overlong specification" "shorten it" "${e[@]}" "aes-$(printf 'x%.0s' {1..200})"
refused "sector size that is no power of two" "use 512" "${e[@]}" aes-cbc-plain64 --sector-size 1536
refused "sector size too small" "use 512" "${e[@]}" aes-cbc-plain64 --sector-size 256
refused "sector size too large" "use 512" "${e[@]}" aes-cbc-plain64 --sector-size 8192
refused "iv_offset inside a sector" "multiple of 8" "${e[@]}" aes-cbc-plain64 --sector-size 4096 --iv-offset 4
refused "start sector inside a sector" "multiple of 2" "${e[@]}" aes-cbc-plain64 --sector-size 1024 --start-sector 1
refused "iv_offset past 64 bits" "decimal digits" "${e[@]}" aes-cbc-plain64 --iv-offset 18446744073709551616
refused "negative iv_offset" "decimal digits" "${e[@]}" aes-cbc-plain64 --iv-offset -1
refused "raw without data" "raw needs" raw --mode ecb --cipher aes --key "$k32"
refused "raw with an IV of a wrong size" "16 bytes" raw --mode cbc --cipher aes --key "$k32" --iv 00 --in "$k16"
refused "raw with part of a block" "lengthen --in" raw --mode ecb --cipher aes --key "$k32" --in 00
refused "raw data that is not hex" "--in is not hex" raw --mode ecb --cipher aes --key "$k32" --in xx
refused "pattern without size" "pattern needs" pattern --seed x

# refused with metadata
a=(encrypt --tags "$tmp/t" --key "$k64" --cipher)
refused "aead without room for tags" "add --integrity" "${a[@]}" 'capi:authenc(hmac(sha256),cbc(aes))-plain64'
refused "aead without room for the IV" "add --integrity" "${a[@]}" 'capi:authenc(hmac(sha256),cbc(aes))-random' --integrity 16:aead
refused "random without room" "add --integrity" encrypt --key "$k32" --cipher 'capi:gcm(aes)-random'
refused "random over xts without room" "correct --integrity" encrypt --key "$k32" --cipher aes-xts-random
refused "a tag longer than the digest" "1 to 32 bytes" "${a[@]}" 'capi:authenc(hmac(sha256),cbc(aes))-plain64' --integrity 33:aead
refused "a tag gcm has not" "4, 8, 12 to 16" encrypt --key "$k32" --cipher 'capi:gcm(aes)-plain64' --integrity 11:aead
refused "a short tag for rfc7539" "rfc7539: 16" encrypt --key "$k32" --cipher 'capi:rfc7539(chacha20,poly1305)-plain64' --integrity 12:aead
refused "tags without a mode that makes them" "makes no tags" "${e[@]}" aes-cbc-plain64 --integrity 32:aead
refused "metadata without use" "correct --integrity" "${e[@]}" aes-cbc-plain64 --integrity 16:none
refused "no file for the tags" "add --tags" "${e[@]}" 'capi:gcm(aes)-plain64' --integrity 16:aead
refused "no file with the IVs" "add --ivs" "${e[@]}" 'capi:gcm(aes)-random' --integrity 28:aead --tags "$tmp/t"
refused "IVs that nothing takes" "nothing to put into --ivs" "${e[@]}" aes-cbc-plain64 --ivs "$tmp/iv"
refused "too few IVs" "ends before the data" "${e[@]}" 'capi:gcm(aes)-random' --integrity 28:aead --tags "$tmp/t" --ivs /dev/null
refused "too few tags" "ends before the data" decrypt --key "$k32" --cipher 'capi:gcm(aes)-random' --integrity 28:aead --tags /dev/null
refused "no number in --integrity" "N:aead" "${e[@]}" aes-cbc-plain64 --integrity x:aead
refused "no kind in --integrity" "N:aead" "${e[@]}" aes-cbc-plain64 --integrity 16
refused "too much metadata" "from 1 to 80" "${e[@]}" aes-cbc-plain64 --integrity 81:aead
refused "a MAC's key without MAC" "no MAC" "${e[@]}" 'capi:gcm(aes)-plain64' --integrity 16:aead --integrity-key-size 32
refused "a MAC's key of no bytes" "1 to 128" "${e[@]}" aes-cbc-plain64 --integrity-key-size 0
refused "a MAC without its key" "hex digits with --key" encrypt --tags "$tmp/t" --key "$k32" --cipher 'capi:authenc(hmac(sha256),cbc(aes))-plain64' --integrity 32:aead
refused "essiv around authenc" "-essiv:DIGEST instead" "${a[@]}" 'capi:essiv(authenc(hmac(sha256),cbc(aes)),sha256)-plain64' --integrity 32:aead
refused "essiv with gcm" "takes no gcm" "${e[@]}" 'capi:gcm(aes)-essiv:sha256' --integrity 16:aead
refused "lmk with tags" "plain ciphers only" "${a[@]}" 'capi:authenc(hmac(sha256),cbc(aes))-lmk' --integrity 32:aead
refused "authenc without a cipher" "write authenc(" "${a[@]}" 'capi:authenc(hmac(sha256))-plain64'
refused "authenc without hmac" "write authenc(" "${a[@]}" 'capi:authenc(sha256,cbc(aes))-plain64'
refused "authenc in authenc" "not covered" "${a[@]}" 'capi:authenc(hmac(sha1),authenc(hmac(sha256),cbc(aes)))-plain64'
refused "gcm in authenc" "takes no AEAD" "${a[@]}" 'capi:authenc(hmac(sha256),gcm(aes))-plain64' --integrity 32:aead
refused "rfc7539 of something else" "write rfc7539(" "${e[@]}" 'capi:rfc7539(aes,poly1305)-plain64'
refused "gcm in the old form" "capi:gcm(aes)" "${e[@]}" aes-gcm-plain64
refused "nothing behind capi:" "nothing follows" "${e[@]}" capi:
refused "random's IV without data" "look at the data" iv --key "$k32" --cipher 'capi:gcm(aes)-random' --integrity 28:aead
refused "additional data for a plain cipher" "drop --tag-size and --aad" raw --mode ecb --cipher aes --key "$k32" --in "$k16" --aad 00
refused "raw aead with an IV of a wrong size" "12 bytes" raw --cipher 'gcm(aes)' --key "$k32" --iv 00 --in "$k16"
refused "raw aead, data shorter than the tag" "shorter than the tag" raw --decrypt --cipher 'gcm(aes)' --key "$k32" --iv "${k16:0:24}" --in 00
out=$(head -c 512 /dev/zero | "$icvec" "${e[@]}" 'capi:gcm(aes)-plain64' --integrity 16:aead --tags /nowhere/t 2>&1)
[ $? -eq 1 ] && [[ $out == *"/nowhere/t"* ]]
result $? "a file for the tags that cannot be made is reported" "$out"

# These have read data before they know.
out=$(head -c 700 /dev/zero | "$icvec" "${e[@]}" aes-cbc-plain64 2>&1 > /dev/null)
[ $? -eq 2 ] && [[ $out == *"188 bytes into a sector; give a multiple of 512"* ]]
result $? "refused: input that ends inside a sector" "$out"
out=$("$icvec" "${e[@]}" aes-cbc-plain64 2>&1 < /dev/null)
[ $? -eq 2 ] && [[ $out == *"is empty; redirect"* ]]
result $? "refused: empty input" "$out"
if [ -c /dev/full ]; then
	out=$(head -c 4096 /dev/zero | "$icvec" "${e[@]}" aes-cbc-plain64 2>&1 > /dev/full)
	[ $? -eq 1 ] && [[ $out == *"standard output"* ]]
	result $? "a full disk is reported" "$out"
fi
"$icvec" --help | grep -q "usage: icvec"
result $? "--help says how"

tap_finish
