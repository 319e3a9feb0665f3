#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# device.sh - the benchmark by the clock on a device of this machine, OVERWRITING it
#
#   bench_settings=FILE sh tests/bench/device.sh DEVICE
#
# FILE sets CELLS, ROUNDS and RUNTIME (see matrix.sh). Refuses a device that is in
# use in any way. Asks for the device's name on the terminal; YES=1 in the
# environment answers for it. Results go to stdout, talk to stderr.
set -u

say() {
	echo "$*" >&2
}

die() {
	say "bench: $*"
	exit 1
}

dev=$(readlink -f "$1")
[ -b "$dev" ] || die "$1 is no block device"
[ "$(id -u)" = 0 ] || die "needs root; run: sudo make bench DEV=$1"

# --- is it in use? ----------------------------------------------------------

devno=$(stat -c '0x%t 0x%T' "$dev" | { read -r maj min; echo "$((maj)):$((min))"; })
sys=$(readlink -f "/sys/dev/block/$devno")

# parts - print the device's own directory in sysfs and those of its partitions
parts() {
	echo "$sys"
	for part in "$sys"/*/partition; do
		[ ! -e "$part" ] || dirname "$part"
	done
}

# in_use - print why it must not be overwritten, a line each
in_use() {
	parts | while read -r dir; do
		name=/dev/$(basename "$dir")
		awk -v devno="$(cat "$dir/dev")" -v name="$name" '
			# Some file systems have numbers of their own; then the source
			# behind the dash tells.
			{ source = ""; for (i = 7; i < NF; i++) if ($i == "-") source = $(i + 2) }
			$3 == devno || source == name { print name " is mounted on " $5 }' /proc/self/mountinfo
		awk -v name="$name" '$1 == name { print name " is swap" }' /proc/swaps
		for holder in "$dir"/holders/*; do
			[ ! -e "$holder" ] || echo "$name is used by $(basename "$holder")"
		done
	done
}

used=$(in_use)
[ -z "$used" ] || die "refusing to overwrite $dev:
$used"
[ "$(cat "$sys/ro")" = 0 ] || die "$dev is read-only"
for tool in fio jq dmsetup awk; do
	command -v "$tool" > /dev/null || die "no $tool here: apt-get install fio jq dmsetup"
done
for module in dm-crypt dm-inline-crypt; do
	modprobe -q "$module" || die "cannot load $module for $(uname -r)." \
		"Next: make && sudo make install && sudo modprobe dm-inline-crypt"
done

# --- a warning --------------------------------------------------------------

# A partition's model is its disk's.
model=$(cat "$sys/device/model" "$sys/../device/model" 2> /dev/null | head -n 1)
sectors=$(cat "$sys/size")
say "
  ********************************************************************
     ALL DATA on $dev WILL BE OVERWRITTEN. There is no way back.
  ********************************************************************
     device   $dev ($devno)
     model    ${model:-unknown}
     size     $((sectors / 2048)) MiB
     mounted  no
     holders  none
"
if [ "${YES:-}" != 1 ]; then
	printf 'Type the name of the device, %s, to go on: ' "$dev" >&2
	read -r answer < /dev/tty || answer=
	[ "$answer" = "$dev" ] || die "not confirmed, nothing was written"
fi

# --- measuring --------------------------------------------------------------

# shellcheck source=/dev/null
. "${bench_settings:?}"
bench_dir=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cells.sh
. "$bench_dir/cells.sh"
# shellcheck source-path=SCRIPTDIR source=matrix.sh
. "$bench_dir/matrix.sh"
bench_prefix=icrypt-bench-$$
# More than the caches of a disk, not so much that filling it takes longer than
# measuring; whole sectors of 4096.
BENCH_SECTORS=$((sectors < 4194304 ? sectors / 8 * 8 : 4194304))

# shellcheck disable=SC2317  # called by the trap
clean_up() {
	bench_clean_up
	rm -rf "$bench_tmp"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

bench_machine device
say "Filling $((BENCH_SECTORS / 2048)) MiB."
# Through a mapping, which takes the device for itself: whatever the checks
# above overlooked fails here, before a byte is written.
bench_table linear "$dev" 512 "$BENCH_SECTORS" | dmsetup create "$bench_prefix-linear" ||
	die "$dev is in use after all"
bench_fill "/dev/mapper/$bench_prefix-linear"
dmsetup remove --retry "$bench_prefix-linear"

bench_plan $(($(bench_rows wall | wc -l) * ($(echo "$bench_variants" | wc -w) + 1) * ROUNDS))
bench_timed device "$(basename "$dev")" "$dev"
[ $bench_failed = 0 ]
