# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: only a disk that is slow for random reads gets large I/O uncut and in order
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

MiB=1048576
[ "$(nproc)" -gt 1 ] || skip_all "one CPU"
requires_module dm-mod
modprobe -q dm-delay

# learn_cipher - let the target learn the cost of the cipher
learn_cipher() {
	for _ in $(seq 8); do
		rw read /dev/mapper/ours 0 65536 > /dev/null
		rw write /dev/mapper/ours 0 data64
	done
}

# small_reads KIND COUNT - single, 4 KiB each: randread, read
small_reads() {
	fio_ours psync $1 4k --size=60M --number_ios=$2 --thinktime=15000 \
		--randrepeat=0 > /dev/null
}

# in_parts - of how many parts are a large read and a large write? sets pieces and parts
in_parts() {
	trace_start dm_inline_crypt/submit
	rw read /dev/mapper/ours 0 $MiB > /dev/null
	trace_stop trace
	pieces=$(grep -c ' submit: ' trace)
	trace_start dm_inline_crypt/submit
	rw write /dev/mapper/ours 0 data
	trace_stop trace
	parts=$(grep -c ' submit: ' trace)
}

random_file data 1
head -c 65536 data > data64
make_null_blk null memory_backed=1 size=64 irqmode=0
queue=/sys/block/$(disk_name "$null")/queue

echo 0 > "$queue/rotational"
make_crypt ours "$null"
learn_cipher
in_parts
if [ $pieces -lt 2 ] || [ $parts -lt 2 ]; then
	# With the cipher of a real CPU, cutting a megabyte may not pay.
	skip_all "1 MiB is not worth cutting here"
fi
ok "a device that says it does not rotate: large I/O is cut"
dm_remove ours

echo 1 > "$queue/rotational"
make_crypt ours "$null"
learn_cipher
in_parts
is "$pieces $parts" "1 1" "a device that says it rotates: large I/O is not cut at first"
small_reads read 40
in_parts
is "$pieces $parts" "1 1" "sequential reads do not change that: a disk has them in its cache"
# A busy host makes reads slow, so it may take more of them.
for _ in $(seq 20); do
	small_reads randread 40
	in_parts
	[ $pieces$parts = 11 ] || break
done
is_at_least $pieces 2 "random reads are fast, so it is no disk: a read is cut"
is_at_least $parts 2 "a write is cut as well"
text="writes in a queue are spread"
for n in $(seq 8); do
	check "writes in a queue succeed" count_io ours fio_ours libaio write 256k --iodepth=8 \
		--size=4M
	is $w_wq $spread "each write in a worker is counted as spread"
	[ $w_wq = 0 ] || break
done
tried $n "$text"
needs_idle_cpu $w_wq "$text"
check "the data is right" fio_verify /dev/mapper/ours --name=x --direct=1 --bs=256k \
	--ioengine=libaio --iodepth=8 --size=8M
dm_remove ours

# The same device with the time that a disk takes
line="0 $(sectors "$null") delay $null 0 0"
if ! dm_create slow "$line" 2> /dev/null; then
	skip "a disk" "kernel without dm-delay"
	exit 0
fi
make_crypt ours /dev/mapper/slow
learn_cipher
for _ in $(seq 20); do
	small_reads randread 40
	in_parts
	[ $pieces$parts = 11 ] || break
done
is_at_least $pieces 2 "a fast device behind dm-delay: a read is cut"
reload slow "0 $(sectors "$null") delay $null 0 8"
small_reads randread 20
in_parts
is "$pieces $parts" "1 1" "a device that takes 8 ms is a disk after a few reads"
count_io ours fio_ours libaio write 256k --iodepth=8 --size=4M
is $w_wq 0 "no write to a disk is spread"
small_reads randread 60
in_parts
is "$pieces $parts" "1 1" "it stays a disk"
dm_remove ours
make_crypt ours /dev/mapper/slow
learn_cipher
small_reads randread 60
in_parts
is "$pieces $parts" "1 1" "a device that was slow from the first is a disk"
