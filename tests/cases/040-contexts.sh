# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: where the cipher runs: in the caller, in the end_io chain, in a bottom half
# kernels: all smoke
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

# reads_in KEY TEXT - of the reads that count_io saw, all counted there
reads_in() {
	_got="r_caller=$r_caller r_endio=$r_endio r_bh=$r_bh r_wq=$r_wq"
	_sum=$((r_caller + r_endio + r_bh + r_wq))
	eval "_there=\$$1"
	if [ "$_there" -gt 0 ] && [ "$_there" = "$_sum" ]; then
		ok "$2"
	else
		not_ok "$2"
		diag "expected $1 only, got $_got slept=$slept context=$context nomem=$nomem"
	fi
}

# reads_by_caller BYTES TEXT - by the caller, which may have had help with a large read
reads_by_caller() {
	# Helpers take bios that wait behind the first. A single bio has none behind it.
	if [ "$1" -le $((64 * KiB)) ]; then
		reads_in r_caller "$2"
		return
	fi
	shift
	if [ "$r_caller" -gt 0 ] && [ "$r_endio$r_bh" = 00 ] && [ "$r_wq" -le "$spread" ]; then
		ok "$1"
	else
		not_ok "$1"
		diag "got r_caller=$r_caller r_endio=$r_endio r_bh=$r_bh r_wq=$r_wq spread=$spread"
	fi
}

# count_read BYTES COMMAND... - count_io of a read; up to 1 MiB it is one bio
count_read() {
	_count=read_in_one
	[ "$1" -gt $MiB ] || _count="count_io ours"
	shift
	$_count "$@"
}

# fio_io ENGINE RW - 64 blocks of 4K, four at a time
fio_io() {
	_engine=$1
	_rw=$2
	shift 2
	fio_ours "$_engine" "$_rw" 4k --size=256k --iodepth=4 "$@"
}

KiB=1024
MiB=1048576

# --- synchronous reads on loop
make_loop loop 32
make_crypt ours "$loop"
check "written" dd if=/dev/urandom of=/dev/mapper/ours bs=1M count=32 oflag=direct
for bytes in $((4 * KiB)) $((64 * KiB)) $MiB $((8 * MiB)); do
	count_read $bytes rw read /dev/mapper/ours 0 $bytes
	reads_by_caller $bytes "loop, one read of $bytes bytes: caller"
done
count_io ours dd if=/dev/mapper/ours of=/dev/null bs=16k count=8 iflag=direct
reads_in r_caller "loop, read(): caller"
is $r_caller 8 "each of the 8 reads is counted"
count_io ours fio_io psync randread
reads_in r_caller "loop, fio psync: caller"
read_in_one rw --iov 4096,8192 read /dev/mapper/ours 0 $MiB
reads_by_caller $MiB "loop, a vector: caller"

# --- asynchronous I/O on loop
# This CPU only: idle CPUs may help otherwise, see 049.
alone="no_read_workqueue no_write_workqueue"
dm_remove ours
make_crypt ours "$loop" $alone
for engine in libaio io_uring; do
	count_io ours fio_io $engine randread
	is $r_wq 0 "loop, $engine: no worker"
	is $r_endio 64 "loop, $engine: end_io"
	count_io ours fio_io $engine randwrite
	is "$w_caller $w_wq" "64 0" "loop, $engine writes: caller"
done
head -c 65536 /dev/urandom > data
count_io ours rw write /dev/mapper/ours 0 data
is "$w_caller $w_wq" "1 0" "a synchronous write: caller"
drop_caches
# Small readahead, because large readahead may be spread.
blockdev --setra 16 /dev/mapper/ours
count_io ours dd if=/dev/mapper/ours of=/dev/null bs=4k count=512
is "$r_bh $r_wq" "0 0" "loop, buffered: no worker"
is_at_least $r_endio 1 "loop, readahead: end_io"
dm_remove ours

# --- without help
make_crypt ours "$loop" no_read_workqueue
for bytes in $((64 * KiB)) $MiB $((8 * MiB)); do
	count_read $bytes rw read /dev/mapper/ours 0 $bytes
	reads_in r_caller "loop, no_read_workqueue, one read of $bytes bytes: caller"
done
dm_remove ours

# --- file systems
modprobe -a ext4 xfs 2>/dev/null
# ext4's own thread reads at some time after the mount; these options keep it from that.
mount_it() {
	case $1 in
	ext4) mount -t ext4 -o no_prefetch_block_bitmaps,noinit_itable /dev/mapper/ours /mnt ;;
	*) mount -t "$1" /dev/mapper/ours /mnt ;;
	esac || bail "cannot mount $1"
}
# mount_new TYPE MKFS... - with 8 MiB in a file
mount_new() {
	_type=$1
	shift
	"$@" /dev/mapper/ours > /run/check.out 2>&1 || bail "no $_type: $(cat /run/check.out)"
	mount_it "$_type"
	fio --name=x --filename=/mnt/file --rw=write --bs=1M --size=8M --direct=1 > /dev/null
}
# one_read BYTES - read the file a second time, when its extents are in memory
one_read() {
	rw read /mnt/file 0 "$1" > /dev/null
	# Through a file system there is a plug around one bio, too.
	if [ "$1" -gt $((64 * KiB)) ]; then
		read_in_one rw read /mnt/file 0 "$1"
	else
		count_io ours rw read /mnt/file 0 "$1"
	fi
}

make_crypt ours "$loop"
mount_new ext4 mkfs.ext4 -q -F
for i in 1 2 3 4 5 6 7 8; do
	mkdir -p /mnt/$i/a
	echo $i > /mnt/$i/b
done
# A later writeback would search for free blocks, and read for that.
sync
for bytes in $((4 * KiB)) $((64 * KiB)) $MiB $((8 * MiB)); do
	one_read $bytes
	reads_by_caller $bytes "ext4, one read of $bytes bytes: caller"
done
umount /mnt
drop_caches
mount_it ext4
count_io ours ls -lR /mnt
is "$r_bh $r_wq" "0 0" "ls: no worker"
is $r_caller 0 "ls: getdents() does not wait for readahead"
is_at_least $r_endio 1 "ls: directories and inodes: end_io"
umount /mnt
dm_remove ours
make_crypt ours "$loop" no_read_workqueue
mount_it ext4
for bytes in $((4 * KiB)) $((64 * KiB)) $MiB $((8 * MiB)); do
	one_read $bytes
	reads_in r_caller "ext4, no_read_workqueue, one read of $bytes bytes: caller"
done
umount /mnt
dm_remove ours

make_loop large 320
make_crypt ours "$large"
mount_new xfs mkfs.xfs -q -f
for bytes in $((4 * KiB)) $MiB; do
	one_read $bytes
	reads_by_caller $bytes "xfs, one read of $bytes bytes: caller"
done
umount /mnt
dm_remove ours
make_crypt ours "$large" no_read_workqueue
mount_it xfs
for bytes in $((4 * KiB)) $MiB; do
	one_read $bytes
	reads_in r_caller "xfs, no_read_workqueue, one read of $bytes bytes: caller"
done
umount /mnt
dm_remove ours

# --- options
for want in caller:r_caller endio:r_endio workqueue:r_wq; do
	make_crypt ours "$loop" "read_context:${want%:*}"
	count_io ours fio_io psync randread
	reads_in "${want#*:}" "read_context:${want%:*}, psync"
	count_io ours fio_io libaio randread
	reads_in "${want#*:}" "read_context:${want%:*}, libaio"
	[ $want != workqueue:r_wq ] || is "$option" 64 "with the option as the reason"
	dm_remove ours
done
for want in auto:w_caller caller:w_caller workqueue:w_wq; do
	make_crypt ours "$loop" "write_context:${want%:*}"
	count_io ours fio_io libaio randwrite
	eval "there=\$${want#*:}"
	is "$there $((w_caller + w_wq))" "64 64" "write_context:${want%:*}, libaio"
	[ $want != workqueue:w_wq ] || is "$option" 64 "with the option as the reason"
	dm_remove ours
done

# --- other devices
make_brd ram 16
make_crypt ours "$ram" $alone
for engine in psync libaio io_uring; do
	count_io ours fio_io $engine randread
	reads_in r_caller "brd completes in submit, $engine: caller"
done
dm_remove ours

make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
make_crypt ours "$null" $alone
timer=$(timer_reads)
for engine in libaio io_uring; do
	# A bottom half's budget is that of four such reads, if all cost the same.
	for _ in 1 2 3; do
		count_io ours fio_io $engine randread
		[ "$budget" != 0 ] || break
	done
	reads_in "$timer" "a timer's completion, $engine: $timer"
done
# The bottom half of a read that interrupts the cipher of a write: the FPU is in use
count_io ours fio_io libaio randrw --iodepth=16 --size=8M
is "$async" 0 "a timer's completion, reads and writes: none is left to cryptd"
for bytes in $((4 * KiB)) $MiB $((8 * MiB)); do
	count_read $bytes rw read /dev/mapper/ours 0 $bytes
	reads_by_caller $bytes "a timer's completion, one read of $bytes bytes: caller"
done
dm_remove ours
