# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a write that is one or none (RWF_ATOMIC) goes whole to the device below, marked as such
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_scsi and friends set variables

make_scsi disk dev_size_mb=24 atomic_wr=1 atomic_wr_max_length=2048 || skip_all "no disk that has atomic writes"
disk_max=$(cat "/sys/block/${disk##*/}/queue/atomic_write_unit_max_bytes" 2> /dev/null)
if kernel_at_least 6.12; then
	like "$disk_max" '^[1-9]' "the disk has atomic writes"
fi
dev=$(tr : , < "/sys/block/${disk##*/}/dev")
parameters=/sys/module/dm_inline_crypt/parameters

# queue_limits NAME - print these limits of the mapped device
queue_limits() {
	(cd "/sys/block/$(disk_name "/dev/mapper/$1")/queue" && grep -s . atomic_write_*)
}

# file BYTES - set $file to one of this size
file() {
	file=data.$1
	[ -e $file ] || head -c $1 /dev/urandom > $file
}

# atomic TEXT BYTES OPTION... - one such write to ours, one such bio below
atomic() {
	text=$1 bytes=$2
	shift 2
	file $bytes
	trace_start block/block_bio_queue
	check "$text: $bytes bytes${*:+, $*}" rw --atomic "$@" write /dev/mapper/ours $((4 * 1048576)) $file
	dm_wait_idle ours
	trace_stop trace
	is "$(awk -v dev="$dev" '$5 == "block_bio_queue:" && $6 == dev && $7 ~ /^W/ {
		print ($7 ~ /U/ ? "atomic" : "plain"), $10 * 512 }' trace)" "atomic $bytes" "$text: one bio below"
	check "$text: the data is right" rw compare /dev/mapper/ours $((4 * 1048576)) $file
}

# The answers of dm-crypt for each size
file 4096
for target in crypt inline-crypt; do
	dm_create ours "$(crypt_table $target "$disk")" || bail "no $target"
	queue_limits ours > limits-$target
	for bytes in 512 4096 3072 65536 131072 262144 524288 1048576 2097152; do
		file $bytes
		# Aligned to its size, and not
		for offset in $((4 * 1048576)) 2048; do
			rw --atomic write /dev/mapper/ours $offset $file 2> said && echo taken > said
			echo "$bytes at $offset: $(cat said)"
		done
	done > answers-$target
	dm_remove ours
done
diff answers-crypt answers-inline-crypt | sed 's/^/# /'
check "each size and place is taken or refused as by dm-crypt" cmp answers-crypt answers-inline-crypt
check "the limits of the device are dm-crypt's" cmp limits-crypt limits-inline-crypt
max=$(sed -n 's/^atomic_write_unit_max_bytes://p' limits-crypt)
if [ "${max:-0}" = 0 ]; then
	is "$(grep -c taken answers-inline-crypt)" 0 "none is taken"
	skip_all "device-mapper of this kernel has no atomic writes with dm-crypt"
fi
diag "up to $max bytes"
is_at_least "$max" 262144 "the limit is large enough for a write that would be cut otherwise"
grep -q ": EINVAL" answers-inline-crypt
is $? 0 "some are refused"

for options in '' 'write_context:workqueue' 'sector_size:4096' 'no_write_workqueue'; do
	make_crypt ours "$disk" $options
	text=${options:-plain}
	for bytes in 4096 65536 $max; do
		atomic "$text" $bytes
		atomic "$text" $bytes --huge
		atomic "$text" $bytes --nowait
	done
	file $((2 * max))
	is "$(rw --atomic write /dev/mapper/ours $((8 * 1048576)) $file 2>&1)" "EINVAL untouched" \
		"$text: larger than the limit"
	is "$(rw --atomic write /dev/mapper/ours $((8 * 1048576 + 512)) data.4096 2>&1)" \
		"EINVAL untouched" "$text: not aligned to its size"
	# Not for a write that must not be split
	echo 65536 > $parameters/max_write_size
	atomic "$text, max_write_size" $max
	atomic "$text, max_write_size" 131072 --nowait
	echo 0 > $parameters/max_write_size
	dm_remove ours
done

# A driver that answers later
modprobe icrypt-test-async || bail "no test driver"
dm_create ours "0 $(sectors "$disk") inline-crypt capi:test-async-plain64 $(test_key 64) 0 $disk 0" ||
	bail "no table with the test driver"
atomic "asynchronous cipher" 65536
atomic "asynchronous cipher" $max
dm_remove ours

make_crypt ours "$disk"
atomic "dm-crypt" 65536
dm_remove ours
dm_create theirs "$(crypt_table crypt "$disk")" || bail "no dm-crypt"
check "dm-crypt reads it" rw compare /dev/mapper/theirs $((4 * 1048576)) data.65536
dm_remove theirs
