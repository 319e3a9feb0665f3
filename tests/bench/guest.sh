# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: one lab of the benchmark, as told by tests/bench/bench
# shellcheck shell=dash disable=SC2154,SC2034  # settings and make_loop set some, matrix.sh uses some

bench_dir=/with
bench_prefix=bench
BENCH_SECTORS=
# shellcheck source=/dev/null
. /with/settings
# shellcheck source-path=SCRIPTDIR source=cells.sh
. "$bench_dir/cells.sh"
# shellcheck source-path=SCRIPTDIR source=matrix.sh
. "$bench_dir/matrix.sh"

modprobe dm-crypt
modprobe -q aesni_intel
check "dm-inline-crypt loads" modprobe dm-inline-crypt
bench_machine "$LAB"

count() {
	wc -l | tr -d ' '
}

# settle DEVICE - fill it, and read it until accesses cost the same each time
#
# On tmpfs a page moves through the lists as it is read again and again, so that
# a cell's figure would depend on the cells before it.
settle() {
	bench_fill "$1"
	for _ in 1 2 3 4; do
		dd if="$1" of=/dev/null bs=1M iflag=direct 2>/dev/null
	done
}

# devices NAME... - set them up; keeps in $devices which of them are wanted
devices() {
	devices=$(printf '%s\n' "$@" | grep -Ex "$DEVICES")
	for device in $devices; do
		case $device in
		loop) make_loop loop 64 ;;
		null) make_null_blk null memory_backed=1 size=64 irqmode=2 \
			completion_nsec="$completion_nsec" ;;
		brd) make_brd brd 64 ;;
		esac
		eval "settle \"\$$device\""
	done
}

completion_nsec=10000
variants=$(echo "$bench_variants" | wc -w)
case $LAB in
icount)
	devices loop null brd
	bench_plan $(($(bench_rows icount | count) * $(echo "$devices" | wc -w) * variants +
		$(bench_ciphers | count) * 2))
	check "the clock is calibrated" bench_calibrate
	for device in $devices; do
		eval "bench_counted icount $device \$$device"
	done
	bench_ciphers > "$bench_tmp/ciphers"
	while read -r kib sector; do
		bench_try "cipher $kib $sector" bench_cipher "$kib" "$sector"
	done < "$bench_tmp/ciphers" ;;
ciphers)
	# dm-linear knows nothing of tags.
	bench_variants=${bench_variants#linear }
	BENCH_SECTORS=16384
	DEVICES=brd
	devices brd
	bench_plan $(($(bench_rows ciphers | count) * (variants - 1)))
	check "the clock is calibrated" bench_calibrate
	for cipher in $(bench_rows ciphers | awk '{ print $9 }' | uniq); do
		# shellcheck disable=SC2046  # to be split
		bench_use $(bench_cipher_line "$cipher")
		below=$brd
		if [ -n "$bench_integrity" ]; then
			tag=${bench_integrity#*:}
			make_integrity below "$brd" "${tag%:*}" D
			# Nothing can be read before it has a tag.
			bench_table inline-crypt "$below" 512 "$BENCH_SECTORS" | dmsetup create filled
			bench_fill /dev/mapper/filled
			dm_remove filled
		fi
		bench_counted ciphers brd "$below" "$cipher"
		[ "$below" = "$brd" ] || dm_remove "${below##*/}"
	done ;;
smp)
	completion_nsec=50000
	devices loop null
	bench_plan $(($(bench_rows wall | count) * $(echo "$devices" | wc -w) * (variants + 1) * ROUNDS))
	for device in $devices; do
		eval "bench_timed smp $device \$$device"
	done ;;
cyclictest)
	DEVICES=null
	devices null
	bench_plan $((2 * variants))
	for rw in read write; do
		for variant in $bench_variants; do
			bench_try "cyclictest $variant $rw" bench_latency null "$null" "$variant" $rw
		done
	done ;;
esac
is "$bench_failed" 0 "all measured"
