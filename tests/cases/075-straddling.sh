# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: sectors that cross pages and vector elements are encrypted as one
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

# A device that takes any memory address does not stand in the way.
make_null_blk null memory_backed=1 size=16
make_loop loop 16
random_file data 1
head -c 65536 data > data64

# whole TEXT OPTION... - write so, read normally, and the other way round; on
# the disk is the ciphertext that dm-crypt writes
whole() {
	text=$1
	shift
	tr '\0' '\377' < /dev/zero | dd of=/dev/mapper/theirs bs=64k count=2 iflag=fullblock oflag=direct 2> /dev/null
	if ! rw "$@" write /dev/mapper/ours 65536 data64 2> error; then
		# Older kernels want every element aligned to the sector.
		if grep -q EINVAL error; then
			skip "$text" "this kernel refuses such a vector"
		else
			not_ok "$text"
			diag "write: $(cat error)"
		fi
		return
	fi
	rw compare /dev/mapper/theirs 65536 data64 2> error
	written=$?
	rw "$@" compare /dev/mapper/ours 65536 data64 2>> error
	is "$written $? $(cat error)" "0 0 " "$text"
}

for dev in "$null" "$loop"; do
	for size in 512 1024 4096; do
		make_crypt ours "$dev" sector_size:$size
		dm_create theirs "$(crypt_table crypt "$dev" sector_size:$size)" || bail "no dm-crypt"
		whole "$dev, sector_size $size, aligned"
		for shift in 512 1536 3584; do
			whole "$dev, sector_size $size, buffer at $shift" --shift $shift
		done
		whole "$dev, sector_size $size, elements of 4096 at 512" --shift 512 --iov 4096
		whole "$dev, sector_size $size, elements of 4096 and 8192 at 1024" --shift 1024 --iov 4096,8192
		whole "$dev, sector_size $size, elements of 512" --iov 512
		whole "$dev, sector_size $size, uneven elements" --iov 512,3072,1536,7168
		whole "$dev, sector_size $size, uneven elements at 1536" --shift 1536 --iov 1024,512,2560,8192,512
		dm_remove theirs
		dm_remove ours
	done
done

# An asynchronous cipher and a worker go other ways through the same code
make_crypt ours "$null" sector_size:4096 read_context:workqueue write_context:workqueue
dm_create theirs "$(crypt_table crypt "$null" sector_size:4096)"
whole "in a worker, buffer at 512" --shift 512
dm_remove ours
modprobe icrypt-test-async || bail "no test driver"
dm_create ours "0 $(sectors "$null") inline-crypt capi:test-async-plain64 $(test_key 64) 0 $null 0 1 sector_size:4096"
whole "asynchronous cipher, buffer at 512" --shift 512
dm_remove theirs
dm_remove ours

# Pieces of any length and place, which only the kernel itself can ask for. No memory
# for an IV says nothing about the data: they can be tried again.
driver=/sys/module/icrypt_test_async/parameters
dm_create ours "0 $(sectors "$loop") inline-crypt capi:test-async-eboiv $(test_key 64) 0 $loop 0" || bail "no eboiv"
check "written" rw write /dev/mapper/ours 0 data64
in_pieces() {
	modprobe icrypt-test-bio device=/dev/mapper/ours pieces=24,1000,300,724,12,2036 && rmmod icrypt-test-bio
}
if ! in_pieces 2> error && grep -q 'Invalid argument' error; then
	skip "odd pieces" "this kernel lets nobody send them"
else
	check "odd pieces" in_pieces
	for setting in fail_errno=12 fail_sync=1 fail_bytes=16 fail_every=2; do
		echo ${setting#*=} > "$driver/${setting%=*}"
	done
	check "odd pieces, and no memory for every other IV" in_pieces
	is_at_least "$(cat "$driver/failed")" 8 "which happened"
	echo 0 > "$driver/fail_every"
fi
