# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a task that sends many reads before it waits for any is soon not made to wait for each
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and count_io set variables

# The target tells one read() from another by the counters of this option
requires_kernel_config TASK_XACCT
requires_module dm-delay
delay_ms=30
calls=16
make_null_blk null memory_backed=1 size=8
dm_create slow "0 $(sectors "$null") delay $null 0 $delay_ms" || bail "no slow device"

# set_up TARGET COUNT PLUG - "ours", read by read() calls that send COUNT reads each
set_up() {
	dm_create ours "$(crypt_table $1 /dev/mapper/slow)" || bail "no $1"
	modprobe icrypt-test-reader device=/dev/mapper/ours count=$2 plug=$3 || bail "no reader"
}

tear_down() {
	rmmod icrypt-test-reader
	dm_remove ours
}

# read_calls - so many, of one process
read_calls() {
	dd if=/proc/icrypt-test-reader of=/dev/null bs=1 count=$calls
}

# took - milliseconds that these take
took() {
	_from=$(now_ms)
	read_calls 2> /dev/null
	echo $(($(now_ms) - _from))
}

for plug in 0 1; do
	set_up crypt 8 $plug
	theirs=$(took)
	tear_down
	set_up inline-crypt 8 $plug
	ours=$(took)
	tear_down
	text="8 reads in a call"
	[ $plug = 0 ] || text="$text, each in a plug"
	diag "$text: $ours ms, over dm-crypt $theirs ms"
	is_at_least $((theirs * 3 / 2)) "$ours" "$text: at most 1.5 times as long as over dm-crypt"

	# A task that waits for each read is not taken for a task that sends many.
	set_up inline-crypt 1 $plug
	count_io ours read_calls
	is "$r_caller" $calls "one read${text#8 reads}: all by the caller" ||
		diag "r_endio=$r_endio r_bh=$r_bh r_wq=$r_wq slept=$slept"
	tear_down
done
dm_remove slow
