# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: work goes to workers under contention and only then: spread, budget, slept
# kernels: oldest newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

# aio RW KIB DEPTH [fio option] - asynchronous I/O on ours
aio() {
	fio_ours libaio "$1" "$2k" --iodepth="$3" --io_size="${4:-4M}" --norandommap=1
}

# contended RW COUNTER REASONS TEXT - I/O that a worker gets for REASONS only, some of it at least
#
# This needs another CPU that has nothing to do, and a busy host may leave none.
contended() {
	for _try in 1 2 3 4 5 6 7 8; do
		check "$4: I/O succeeds" count_io ours aio "$1" 512 8
		eval "_workers=\$$2"
		is "$_workers" $(($3)) "$4: each in a worker is counted under its reason"
		[ "$_workers" = 0 ] || break
	done
	tried "$_try" "$4"
	needs_idle_cpu "$_workers" "$4"
}

make_loop loop 16
make_crypt ours "$loop"
# The target has to learn the cost of the cipher first.
aio randread 4 1 512k > /dev/null

if [ "$(nproc)" -gt 1 ]; then
	contended write w_wq spread "large asynchronous writes are spread"
	contended read r_wq spread+budget "large asynchronous reads leave the completion"
else
	skip "large asynchronous I/O is spread" "one CPU"
fi
count_io ours rw read /dev/mapper/ours 0 131072
is "$r_wq $w_wq" "0 0" "a synchronous read is not spread"
head -c 131072 /dev/urandom > data
count_io ours rw write /dev/mapper/ours 0 data
is "$r_wq $w_wq" "0 0" "nor is a synchronous write"
# Many at once are spread, see 049.
count_io ours aio randread 4 1
is "$r_wq" 0 "nor are small asynchronous reads, one at a time"
count_io ours aio randwrite 4 1
is "$w_wq" 0 "nor are small asynchronous writes, one at a time"
dm_remove ours

make_crypt ours "$loop" no_read_workqueue no_write_workqueue
aio randread 4 1 512k > /dev/null
count_io ours aio write 512 8
is "$spread $w_wq" "0 0" "no_write_workqueue: never spread"
count_io ours aio read 512 8
is "$spread" "0" "no_read_workqueue: never spread"
dm_remove ours

# Completions of a timer, which go on in a bottom half or are in one
timer=$(timer_reads)
make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=20000
make_crypt ours "$null"
aio randread 4 1 512k > /dev/null
count_io ours aio randread 4 1 512k
eval "there=\$$timer"
is "$there $r_wq" "128 0" "small reads stay in the bottom half"
count_io ours aio read 512 4
eval "there=\$$timer"
is "$there $r_wq $budget" "0 $((8 + spread)) 8" "large ones are over its budget"
parameter=/sys/module/dm_inline_crypt/parameters/bh_budget_us
is "$(cat $parameter)" 50 "which is 50 us"
echo 10000000 > $parameter
count_io ours aio read 512 1
eval "there=\$$timer"
is "$there $budget" "8 0" "and can be changed"
echo 50 > $parameter
dm_remove ours

# A fragmented file: the reader has dozens of reads in its plug when it needs
# the next block of the extent tree, and sleeps for it.
make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=20000
make_crypt ours "$null"
mkfs.ext4 -q -b 1024 /dev/mapper/ours
mount /dev/mapper/ours /mnt
head -c 524288 /dev/urandom > /mnt/pieces
sync
for i in $(seq 0 255); do
	echo "fpunch $((i * 2048)) 1024"
done | xfs_io /mnt/pieces > /dev/null
cp /mnt/pieces pieces
for n in $(seq 20); do
	umount /mnt
	mount /dev/mapper/ours /mnt
	count_io ours rw compare /mnt/pieces 0 pieces
	[ "$slept" = 0 ] || break
done
tried $n "a plugged reader sleeps"
is_at_least "$slept" 1 "a plugged reader that must sleep gives finished reads to a worker"
check "the data is right" rw compare /mnt/pieces 0 pieces
umount /mnt
