# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: swap on the device, with memory for everybody running short
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

# A loop device would keep its data in the very memory that is short.
requires_kernel_config SWAP MEMCG
cgroup=/mnt
mount -t cgroup2 none $cgroup 2>/dev/null || skip_all "no cgroup2"
echo +memory > $cgroup/cgroup.subtree_control 2>/dev/null || skip_all "no memory controller"
mkdir $cgroup/lab
echo 16M > $cgroup/lab/memory.max

# MiB in the group's 16, and how often; a kernel with KASAN is slow at it
amount="40 2"
! have_kernel_config KASAN || amount="22 1"

# swapped TEXT - more memory than the group has
swapped() {
	mkswap /dev/mapper/ours > /dev/null || bail "mkswap"
	check "$1: swapon" swapon /dev/mapper/ours
	check "$1: memory comes back as it was" count_io ours sh -c \
		'echo $$ > /mnt/lab/cgroup.procs; exec timeout 100 hog '"$amount"
	is_at_least $((w_caller + w_wq)) 100 "$1: it went out"
	is_at_least $((r_caller + r_endio + r_bh + r_wq)) 100 "$1: it came in"
	check "$1: swapoff" swapoff /dev/mapper/ours
}

# null_blk and brd take memory for what is written for the first time
make_null_blk null memory_backed=1 size=64 irqmode=2 completion_nsec=20000
dd if=/dev/zero of="$null" bs=1M count=64 oflag=direct 2> /dev/null
make_crypt ours "$null"
swapped "null_blk"
dm_remove ours

make_brd ram 64
make_crypt ours "$ram" sector_size:4096
swapped "brd, sector_size 4096"
dm_remove ours
