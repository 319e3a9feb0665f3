# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a completion that interrupts the very reader on its way to sleep wakes it up
# kernels: oldest newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

# A reader that is never woken up sits until the kernel's own precaution against
# hung-task messages, 30 s here. --max_latency has fio fail, whatever the machine
# is busy with, long after any honest read and well before that.
for ns in 2000 10000 25000 60000; do
	make_null_blk null memory_backed=1 size=4 irqmode=2 completion_nsec=$ns
	make_crypt ours "$null"
	check "$ns ns: reads" count_io ours fio --name=x --filename=/dev/mapper/ours --direct=1 \
		--rw=randread --ioengine=psync --bsrange=512-128k --io_size=8M --max_latency=25s
	is "$r_endio $r_bh $r_wq" "0 0 0" "$ns ns: all of them by the caller"
	is_at_least $r_caller 50 "$ns ns: and enough of them"
	dm_remove ours
done
