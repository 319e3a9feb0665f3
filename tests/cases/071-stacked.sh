# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: three encrypted devices on top of one another
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

# stack DEVICE OPTION... - "one" on DEVICE, "two" on one, "three" on two
stack() {
	_lower=$1
	shift
	for _level in one two three; do
		make_crypt $_level "$_lower" "$@"
		_lower=/dev/mapper/$_level
	done
}

unstack() {
	for _level in three two one; do
		dm_remove $_level || return
	done
}

jobs=$(fio_engines)

make_loop loop 16
make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
make_brd ram 16

for device in "$loop" "$null" "$ram"; do
	stack "$device"
	check "on $device: data is right" fio_verify /dev/mapper/three --bsrange=512-256k $jobs
	for bytes in 4096 1048576 8388608; do
		# As in read_in_one: tried again if the task slept between two bios. Up to 1 MiB
		# there is only one.
		for _try in $(seq 20); do
			trace_start dm_inline_crypt/submit dm_inline_crypt/decrypt
			count_io three rw read /dev/mapper/three 0 $bytes || not_ok "on $device: $bytes bytes are read"
			trace_stop trace
			reasons_are_right "on $device: $bytes bytes"
			[ $bytes -gt 1048576 ] || break
			[ "$r_endio$r_bh$slept$budget" != 0000 ] || break
		done
		tried "$_try" "on $device: $bytes bytes"
		is "$r_endio $r_bh $r_wq" "0 0 $spread" "on $device: by the caller at the top, with or without help"
		[ $bytes -le 1048576 ] || continue
		is "$(awk '/ decrypt: / { seen = 1 } / submit: / && seen { n++ } END { print n + 0 }' trace)" 0 \
			"on $device: all levels send all of it before they decrypt any"
	done
	for level in two one; do
		count_io $level rw read /dev/mapper/three 0 4096
		is_at_least $r_caller 1 "on $device: level $level is read by the caller, too"
	done
	check "on $device: can be taken down" unstack
done

# dm-crypt reads the same data
stack "$loop" sector_size:4096
random_file data 1
check "written" rw write /dev/mapper/three 0 data
check "taken down" unstack
dm_create one "$(crypt_table crypt "$loop" sector_size:4096)"
dm_create two "$(crypt_table inline-crypt /dev/mapper/one sector_size:4096)"
dm_create three "$(crypt_table crypt /dev/mapper/two sector_size:4096)"
check "dm-crypt above and below reads it" rw compare /dev/mapper/three 0 data
