#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 26-selftest.t - the answers of the module's self-test are OpenSSL's
set -uo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$top/tests/lib/tap.sh"
tap_start

source=$top/dm-inline-crypt/selftest.c
iv_offset=$(sed -n 's/^#define SELFTEST_IV_OFFSET[^0-9]*\([0-9]*\).*/\1/p' "$source")
bytes=$(sed -n 's/^#define SELFTEST_BYTES[^0-9]*\([0-9]*\).*/\1/p' "$source")

check "icvec builds" make -s -C "$top/vectors" O="$tmp/bin"
# As selftest_byte() does
# shellcheck disable=SC2016  # perl's
perl -e 'print pack("C", ($_ * 31 + ($_ >> 8) * 17) & 255) for 0 .. $ARGV[0] - 1' "$bytes" > "$tmp/plain"

# answer CIPHER KEY_SIZE SECTOR_SIZE - FNV-1a of the ciphertext that OpenSSL makes
answer() {
	local key
	local -a large=()

	# shellcheck disable=SC2046  # to be split
	key=$(printf '%02x' $(seq "$2"))
	[ "$3" = 512 ] || large=(--iv-large-sectors)
	# shellcheck disable=SC2016  # perl's
	"$tmp/bin/icvec" encrypt --cipher "$1" --key "$key" --iv-offset "$iv_offset" \
		--sector-size "$3" "${large[@]}" < "$tmp/plain" |
		perl -e 'use integer; local $/; my $h = -3750763034362895579;
			$h = ($h ^ $_) * 0x100000001b3 for unpack "C*", <STDIN>;
			printf "%016x\n", $h'
}

count=0
while read -r cipher key_size sector_size sum; do
	count=$((count + 1))
	check "$cipher, $key_size bytes of key, sectors of $sector_size" \
		[ "$(answer "$cipher" "$key_size" "$sector_size")" = "$sum" ]
done < <(sed -n 's/^\t{ "\([^"]*\)", \([0-9]*\), \([0-9]*\), 0x\([0-9a-f]*\)ULL },/\1 \2 \3 \4/p' "$source")
check "all of them were found" [ "$count" -ge 12 ]
tap_finish
