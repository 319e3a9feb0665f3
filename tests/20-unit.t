#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 20-unit.t - table lines and IV generators: the module's own files in user
# space, under ASan and UBSan, against tests/unit/ and vectors/icvec
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$root/tests/lib/tap.sh"
tap_start

have_tools() {
	command -v make > /dev/null &&
		echo '#include <openssl/evp.h>' | "${CC:-gcc}" -E -o /dev/null - 2> /dev/null
}

have_tools || "$root/tests/vm/provision" tools >&2
check "table.c and iv.c build in user space without a warning" \
	make -s -C "$root/tests/unit" O="$tmp" || tap_finish

# A program of the unit tests prints TAP without numbers.
for program in iv_test table_test table_fuzz; do
	status=0
	"$tmp/$program" > "$tmp/tap" 2> "$tmp/err" || status=$?
	while IFS= read -r line; do
		case $line in
		'ok - '*) ok "$program: ${line#ok - }" ;;
		'not ok - '*) not_ok "$program: ${line#not ok - }" ;;
		'#'*) echo "$line" ;;
		esac
	done < "$tmp/tap"
	# The plan comes last: with it nothing was cut short.
	if grep -q "^1\\.\\.$(grep -cE '^(not )?ok ' "$tmp/tap")\$" "$tmp/tap" &&
	   [ ! -s "$tmp/err" ] && [ $status -le 1 ]; then
		ok "$program: ran to its end, the sanitizers are silent"
	else
		not_ok "$program: ran to its end, the sanitizers are silent"
		diag "exit status $status"
		diag_input < "$tmp/err"
	fi
done

# Two implementations from one description: the module's and icvec's.
check "icvec builds" make -s -C "$root/vectors" O="$tmp" || tap_finish

# agree IVSIZE BLOCKSIZE KEYSIZE SPEC IV_OFFSET [SECTOR_SIZE [iv_large_sectors]]
agree() {
	local ivsize=$1 blocksize=$2 spec=$4 offset=$5 size=${6:-512} large=${7:-} key count=40
	local name="$spec, iv_offset $offset, sector_size $size${large:+, $large}" options

	key=$(printf '%*s' $((2 * $3)) '' | tr ' ' 5)
	options="1 sector_size:$size"
	[ -z "$large" ] || options="2 sector_size:$size $large"
	"$tmp/iv_test" iv "$ivsize" "$blocksize" $count \
		"$spec $key $offset 8:0 0 $options" > "$tmp/ours" 2>&1
	# shellcheck disable=SC2086 # no word if there is no option
	"$tmp/icvec" iv --cipher "$spec" --key "$key" --iv-offset "$offset" --count $count \
		--sector-size "$size" ${large:+--iv-large-sectors} 2>&1 | cut -f 2 > "$tmp/theirs"
	if [ "$(wc -l < "$tmp/ours")" = $count ] && cmp -s "$tmp/ours" "$tmp/theirs"; then
		ok "icvec agrees: $name"
	else
		not_ok "icvec agrees: $name"
		diff "$tmp/ours" "$tmp/theirs" | head -n 10 | diag_input
	fi
}

# Around each carry; 2^64 - 16 has room for two sectors of 4096 before it wraps.
offsets=(0 248 65528 4294967288 4294967304 1099511627768 9223372036854775800
	 18446744073709551600)
for offset in "${offsets[@]}"; do
	for iv in plain plain64 plain64be benbi null; do
		agree 16 16 32 "aes-cbc-$iv" "$offset"
		agree 8 8 24 "des3_ede-cbc-$iv" "$offset"
	done
	agree 16 1 32 aes-ctr-benbi "$offset"
	agree 16 16 64 'capi:xts(aes)-plain64' "$offset"
	agree 16 16 32 aes "$offset"
	for size in 1024 2048 4096; do
		for iv in plain plain64 plain64be benbi; do
			agree 16 16 64 "aes-xts-$iv" "$offset" "$size"
			agree 16 16 64 "aes-xts-$iv" "$offset" "$size" iv_large_sectors
		done
	done
done
agree 16 16 64 aes-xts-plain64 1
agree 16 16 64 aes-xts-plain64 18446744073709551615
agree 16 16 64 aes-xts-plain64 6 1024 iv_large_sectors

tap_finish
