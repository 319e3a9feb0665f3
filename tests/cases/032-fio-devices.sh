# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: fio verify on devices that complete in submit, in softirq and in hardirq
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

jobs=$(fio_engines)

# verified TEXT DEVICE - small blocks and all sizes
verified() {
	make_crypt ours "$2"
	# shellcheck disable=SC2086  # to be split
	check "$1" fio_verify /dev/mapper/ours --bsrange=512-64k $jobs
	is "$(counter ours nomem) $(counter ours context)" "0 0" "$1: no worker for want of memory or of a legal context"
	# A bio may have several reasons.
	most=$(($(counter ours budget) + $(counter ours spread) + $(counter ours slept)))
	is "$(($(counter ours r_wq) + $(counter ours w_wq) <= most))" 1 "$1: a worker only under contention"
	dm_remove ours
}

make_null_blk null0 memory_backed=1 size=8 irqmode=0
verified "null_blk that completes in submit" "$null0"
make_null_blk null1 memory_backed=1 size=8 irqmode=1
verified "null_blk that completes in softirq" "$null1"
make_null_blk null2 memory_backed=1 size=8 irqmode=2 completion_nsec=10000
verified "null_blk that completes in hardirq" "$null2"
make_null_blk null3 memory_backed=1 size=8 irqmode=2 completion_nsec=10000 queue_mode=0
verified "bio-based null_blk" "$null3"
make_brd ram 8
verified "brd" "$ram"
find_nvme nvme 512
verified "NVMe" "$nvme"
