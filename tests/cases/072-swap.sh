# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: swap on the device: of a group with little memory, then with the whole machine's gone and writers beside it
# kernels: newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

# A loop device would keep its data in the very memory that is short; null_blk and
# brd take theirs when it is written for the first time.
requires_kernel_config SWAP MEMCG

# --- a group
cgroup=/mnt
mount -t cgroup2 none $cgroup 2>/dev/null || skip_all "no cgroup2"
echo +memory > $cgroup/cgroup.subtree_control 2>/dev/null || skip_all "no memory controller"
mkdir $cgroup/lab
echo 16M > $cgroup/lab/memory.max
# MiB in the group's 16, and how often; a kernel with KASAN is slow at it
amount="40 1"
! have_kernel_config KASAN || amount="22 1"

make_brd ram 48
make_crypt ours "$ram" sector_size:4096
mkswap /dev/mapper/ours > /dev/null || bail "mkswap"
check "group: swapon" swapon /dev/mapper/ours
check "group: memory comes back as it was" count_io ours sh -c \
	'echo $$ > /mnt/lab/cgroup.procs; exec timeout 300 hog '"$amount"
is_at_least $((w_caller + w_wq)) 100 "group: it went out"
is_at_least $((r_caller + r_endio + r_bh + r_wq)) 100 "group: it came in"
check "group: swapoff" swapoff /dev/mapper/ours
dm_remove ours
rmmod brd

# --- the machine
! have_kernel_config KASAN || {
	skip "machine" "this kernel is too slow for it, 090-fault-injection does it there"
	exit 0
}
# Swap and three writers share one device, so its pool of pages too.
swap=96
hog=64
left=40
writers="0 1 2"
make_null_blk null memory_backed=1 size=$((swap + 12)) irqmode=2 completion_nsec=20000
dd if=/dev/zero of="$null" bs=1M count=$((swap + 12)) oflag=direct 2> /dev/null
make_crypt ours "$null"
dm_create swap "0 $((swap * 2048)) linear /dev/mapper/ours 0"
for i in $writers; do
	dm_create disk$i "0 8192 linear /dev/mapper/ours $(((swap + 4 * i) * 2048))"
done
mkswap /dev/mapper/swap > /dev/null || bail "mkswap"

# fill_memory LEAVE - use up the machine's memory but for about LEAVE MiB
#
# A copy of zeros takes the emulated CPU half a minute, so most is taken away; the
# rest goes to memory that is never swapped out.
fill_memory() {
	take_memory $(($1 + 32))
	mkdir fill
	mount -t ramfs none fill
	dd if=/dev/zero of=fill/zeros bs=1M count=$(($(available) - $1)) 2> /dev/null
}
empty_memory() {
	umount fill && give_memory
}

# stalls - how often somebody had to look for memory himself
stalls() {
	awk '/^allocstall/ { n += $2 } END { print n }' /proc/vmstat
}

# keep_writing N - four requests of 1 MiB at once, then read, again and again
keep_writing() {
	_seed=0
	while [ -e busy ]; do
		_seed=$((_seed + 1))
		for _kind in write read; do
			timeout 100 uring --bs 1048576 --depth 4 --count 4 --seed $_seed \
				$_kind /dev/mapper/disk$1 > out$1 2>&1 || return
		done
		echo $_seed > rounds$1
	done
}

# Two events show that the pool of pages was in use. A mempool with as many elements as
# that pool gets an element back while it lacks some. And a task waits for an element,
# which it does for 5 s at a time, as nothing else here does. How often that happens is a
# matter of luck; 090-fault-injection makes sure of it.
probes=
if {
	echo 'p:lab/refill mempool_free min=+4(%si):s32 nr=+8(%si):s32'
	echo 'p:lab/pool_wait io_schedule_timeout jiffies=%di:s64'
} > $tracing/kprobe_events 2> /run/check.out; then
	probes=1
	hz=$(sed -n 's/^CONFIG_HZ=//p' /boot/config)
	echo 'min == 256 && nr < 256' > $tracing/events/lab/refill/filter
	echo "jiffies == $((5 * hz))" > $tracing/events/lab/pool_wait/filter
fi

fill_memory $left
check "machine: swapon" swapon /dev/mapper/swap
stalls=$(stalls)
[ -z "$probes" ] || trace_start lab/refill lab/pool_wait
touch busy
for i in $writers; do
	keep_writing $i &
	eval "writer$i=\$!"
done
# Reclaim in the background may keep up, so more is asked of it until it does not.
out=0
in=0
for _more in 0 8 16 24; do
	check "machine: memory comes back as it was" count_io ours timeout 300 hog $((hog + _more)) 1
	out=$((out + w_caller + w_wq))
	in=$((in + r_caller + r_endio + r_bh + r_wq))
	[ "$(stalls)" -gt "$stalls" ] || continue
	if [ -z "$probes" ] || grep -q ' refill: ' $tracing/trace; then
		break
	fi
done
rm busy
for i in $writers; do
	eval "check 'machine: writer $i ends, with right data' wait \$writer$i" || cat out$i
	is_at_least "$(cat rounds$i)" 1 "machine: it wrote and read meanwhile"
done
[ -z "$probes" ] || trace_stop trace
stalls=$(($(stalls) - stalls))
is_at_least $out 100 "machine: it went out"
is_at_least $in 100 "machine: it came in"
if [ -z "$probes" ]; then
	skip "machine: the pool of pages" "cannot be looked into: $(cat /run/check.out)"
elif grep -q ' refill: ' trace; then
	is_at_least $stalls 1 "machine: memory was short"
	ok "machine: pages came from the pool"
	diag "$(grep -c ' refill: ' trace) pages, and $(grep -c ' pool_wait: ' trace) waits for a pool"
else
	skip "machine: pages came from the pool" "reclaim in the background kept up, $stalls stalls"
fi
check "machine: swapoff" swapoff /dev/mapper/swap
check "machine: the rest of memory is there again" empty_memory
