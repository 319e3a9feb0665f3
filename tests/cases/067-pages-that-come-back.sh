# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: pages of writes: none is reused while the device below has it, and kept pages are given back
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_null_blk sets variables

# --- those that the device still has
modprobe icrypt-test-hold || bail "no test device"
# More than may be in flight, so that the reserve of the pool is in use. Twice, because
# the second time takes the pages that were given back the first time.
mib=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 3 / 102400 + 16))
dm_create held "0 $((mib * 2048)) test-hold" || bail "no device that keeps pages"
make_crypt ours /dev/mapper/held
for round in first second; do
	dmsetup message held 0 hold
	was=$(counter ours nomem)
	blkdiscard -z /dev/mapper/ours &
	await_counter ours nomem "$was" || not_ok "$round: no write waits for pages"
	sleep 2
	dmsetup message held 0 end
	check "$round: the writer gets through" wait $!
done
like "$(dmsetup message held 0 changed)" '^0 of [1-9]' "the pages that the device still has are unchanged"
dm_remove ours
dm_remove held

# --- those that are kept for the next write
make_null_blk null memory_backed=1 size=16
make_crypt ours "$null"
# kept - how many pages are, as the shrinkers that are run now are told
kept() {
	trace_start vmscan/mm_shrink_slab_start
	echo 2 > /proc/sys/vm/drop_caches
	trace_stop trace
	sed -n 's/.*dm_inline_crypt.*cache items \([0-9]*\).*/\1/p' trace | head -n 1
}
kept > /dev/null
fio_ours libaio write 4k --iodepth=8 --size=1M > /dev/null
is_at_least "$(kept)" 1 "some are kept"
is "$(kept)" "" "and are given back when memory is short"
dm_remove ours
