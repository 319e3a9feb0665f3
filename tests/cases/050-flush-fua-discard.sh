# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: flush and FUA reach the device, and writes in their order; discards only where they are allowed
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

# With a volatile cache it takes flushes and FUA
make_null_blk null memory_backed=1 size=16 cache_size=4 discard=1
dev=$(tr : , < "/sys/block/$(disk_name "$null")/dev")
make_crypt ours "$null"
queue=/sys/block/$(disk_name /dev/mapper/ours)/queue
is "$(cat "$queue/write_cache")" "write back" "the write cache shows"
is "$(cat "$queue/fua")" 1 "and that FUA works"

# issued COMMAND... - rwbs of the requests that reach the device, by kind and size
issued() {
	trace_start block/block_rq_issue
	"$@" > /run/check.out 2>&1 || diag "failed: $* $(cat /run/check.out)"
	trace_stop trace
	sed -n "s/.*block_rq_issue: $dev \([A-Z]*\) [0-9]* () \([0-9]*\) + \([0-9]*\) .*/\1 \2+\3/p" trace
}

random_file data 1
head -c 8192 data > eight
# Some kernels flush after it all the same
is "$(issued rw --dsync write /dev/mapper/ours 32768 eight | head -n 1)" "WFS 64+16" "a write with FUA keeps it"
like "$(issued rw write /dev/mapper/ours 32768 eight)" "^WS 64\+16$" "one without has none"
# dd opens without O_DIRECT to see the flush come after the data
issued dd if=eight of=/dev/mapper/ours bs=8k conv=fsync,notrunc > requests
like "$(head -n 1 requests)" '^WS? 0\+16$' "fsync: the data first"
like "$(tail -n 1 requests)" '^FF? ' "then a flush"
is "$(wc -l < requests)" 2 "and nothing else"
check "the data is right" rw compare /dev/mapper/ours 32768 eight

# --- discard
check_not "no discards by default" blkdiscard -o 0 -l 65536 /dev/mapper/ours
is "$(cat "$queue/discard_max_bytes")" 0 "nor does it offer them"
check "all of it written" rw write /dev/mapper/ours 0 data
check "write zeroes works" blkdiscard -z -o 65536 -l 65536 /dev/mapper/ours
head -c 65536 /dev/zero > zeros
check "and reads as zeros" rw compare /dev/mapper/ours 65536 zeros
check_not "which are encrypted" rw compare "$null" 65536 zeros
head -c 65536 data > first
check "its neighbour is as it was" rw compare /dev/mapper/ours 0 first
dm_remove ours

make_crypt ours "$null" allow_discards
is_at_least "$(cat "$queue/discard_max_bytes")" 4096 "allow_discards: offered"
check_not "there is something to discard" rw compare "$null" 262144 zeros
# blkdiscard itself looks for a file system first
is "$(issued blkdiscard -o 262144 -l 65536 /dev/mapper/ours | grep -o ^D)" D "a discard reaches the device"
check "it is gone there" rw compare "$null" 262144 zeros
tail -c "+$((327680 + 1))" data > rest
check "the data behind the discarded range is unchanged" rw compare /dev/mapper/ours 327680 rest
check "the data before the discarded range is unchanged" rw compare /dev/mapper/ours 0 first
dm_remove ours

make_crypt ours "$null" allow_discards sector_size:4096
check_not "no discard of half a sector" blkdiscard -o 512 -l 512 /dev/mapper/ours
dm_remove ours

# --- a device without a cache gets no flushes
make_null_blk plain memory_backed=1 size=16
dev=$(tr : , < "/sys/block/$(disk_name "$plain")/dev")
make_crypt ours "$plain"
is "$(issued rw --dsync write /dev/mapper/ours 32768 eight)" "WS 64+16" "no cache: no FUA, no flush"
dm_remove ours

# --- writes reach the device in the order in which they came
# in_order NAME TEXT BLOCK [fio option...] - 1 MiB from the start on, and nothing between
in_order() {
	_mapped=$1
	_text=$2
	_block=$3
	shift 3
	trace_start block/block_bio_queue
	fio --name=x --filename="/dev/mapper/$_mapped" --ioengine=libaio --iodepth=16 --direct=1 \
		--rw=write --bs="${_block}k" --size=1M "$@" > /run/check.out 2>&1 ||
		diag "failed: $(cat /run/check.out)"
	trace_stop trace
	sed -n "s/.*block_bio_queue: $dev W[A-Z]* \([0-9]*\) + .*/\1/p" trace > order
	seq 0 $((_block * 2)) 2047 > want
	check "$_text: blocks of $_block KiB, depth 16, in order below" diff want order
}
dm_create linear "0 $(sectors "$plain") linear $plain 0" || bail "no linear"
in_order linear "dm-linear" 4
dm_remove linear
# Without an option, idle CPUs may have some of the writes that are submitted at once, and
# of large ones: only a device that seeks gets them in order.
for option in '' write_context:caller no_write_workqueue; do
	[ -n "$option" ] || echo 1 > "/sys/block/$(disk_name "$plain")/queue/rotational"
	make_crypt ours "$plain" $option
	in_order ours "${option:-a device that seeks}" 4
	in_order ours "${option:-a device that seeks}, submitted at once" 4 --iodepth_batch_submit=16
	in_order ours "${option:-a device that seeks}" 64
	dm_remove ours
	[ -n "$option" ] || echo 0 > "/sys/block/$(disk_name "$plain")/queue/rotational"
done
make_crypt ours "$plain"
in_order ours "no option, one at a time" 4
dm_remove ours
