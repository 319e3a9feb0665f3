# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: pages of writes: what the device below still has is not written to, and those kept are given back
# shellcheck shell=dash disable=SC2154  # make_null_blk sets variables

# --- those that the device still has
modprobe icrypt-test-hold || bail "no test device"
# More than may be in flight, so that the pool's reserve is in use: that is given back
# and taken again before anything else is.
mib=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 3 / 102400 + 16))
dm_create held "0 $((mib * 2048)) test-hold" || bail "no device that keeps pages"
make_crypt ours /dev/mapper/held
blkdiscard -z /dev/mapper/ours &
for _ in $(seq 300); do
	[ "$(counter ours nomem)" = 0 ] || break
	sleep 0.1
done
sleep 1
is_at_least "$(counter ours nomem)" 1 "writes wait for pages"
dmsetup message held 0 end
check "they get them" wait $!
like "$(dmsetup message held 0 changed)" '^0 of [1-9]' "what the device still has is as it was written"
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
fio --name=x --filename=/dev/mapper/ours --ioengine=libaio --iodepth=8 --rw=write --bs=4k --size=1M \
	--direct=1 > /dev/null
is_at_least "$(kept)" 1 "some are kept"
is "$(kept)" "" "and are given back when memory is short"
dm_remove ours
