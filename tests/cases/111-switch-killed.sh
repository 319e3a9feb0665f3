# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: inline-crypt-switch: 50 switches under verified I/O, killed at every step
# shellcheck shell=dash disable=SC2154,SC2086,SC2317  # make_loop sets variables

requires_command inline-crypt-switch
modprobe dm-inline-crypt || bail "no module"
make_loop loop 32

# --- busy, and killed
#
# busy - verified I/O, again and again until there is a file "stop"
busy() {
	rm -f stop rounds
	(
		while [ ! -e stop ]; do
			echo round >> rounds
			fio --filename=/dev/mapper/ours --rw=randrw --verify=crc32c --verify_fatal=1 \
				--verify_state_save=0 --bsrange=4k-64k --direct=1 \
				--name=sync --ioengine=psync --size=1M \
				--name=aio --ioengine=libaio --iodepth=8 --offset=4M --size=1M \
				--name=uring --ioengine=io_uring --iodepth=8 --offset=8M --size=1M \
				--name=buffered --ioengine=psync --direct=0 --offset=12M --size=1M \
				> fio.out 2>&1 || exit 1
		done
	) &
	worker=$!
}

# calm TEXT - let busy come to its end
calm() {
	touch stop
	check "$1: every block was right" wait $worker || sed 's/^/# /' fio.out
	is_at_least "$(wc -l < rounds)" 1 "$1: there was I/O"
	diag "$(wc -l < rounds) rounds"
}

switches=0 bad=0

# other - the target that ours has not
other() {
	[ "$(target ours)" = crypt ] && echo inline-crypt || echo crypt
}

# settled TEXT - ours works, and show_keys is off; waits for the second process
settled() {
	for _ in $(seq 50); do
		[ -n "$(pidof inline-crypt-switch)" ] || break
		sleep 0.1
	done
	usable ours && grep -q N /sys/module/dm_inline_crypt/parameters/show_keys && return
	bad=$((bad + 1))
	diag "after $1:"
	diag "$(dmsetup info ours) $(cat /sys/module/dm_inline_crypt/parameters/show_keys)"
	dmsetup clear ours
	dmsetup resume ours
}

# another - one switch, not killed
another() {
	_to=$(other)
	if ! switch ours > out 2>&1 || [ "$(target ours)" != "$_to" ]; then
		bad=$((bad + 1))
		diag "to $_to: $(cat out)"
	fi
	switches=$((switches + 1))
	settled "a switch to $_to"
}

dm_create ours "$(crypt_table crypt "$loop")"
full_table ours > before

# ioctls - print the ioctls of a switch, one a line, in order
ioctls() {
	strace -e trace=ioctl -o trace inline-crypt-switch ours > out 2>&1
	sed -n 's/^ioctl([0-9]*, \([A-Z_]*\).*/\1/p' trace
}
ioctls > to
ioctls > back
is "$(grep -c DM_DEV_SUSPEND to back | paste -sd ' ')" "to:1 back:1" "one ioctl suspends, swaps, resumes"

busy
kills=0
for way in to back; do
	steps=$(wc -l < $way)
	diag "$way: $(paste -sd ' ' $way)"
	for step in $(seq "$steps"); do
		from=$(target ours)
		strace -e trace=ioctl -e inject=ioctl:signal=SIGKILL:when=$step -o trace \
			inline-crypt-switch ours > out 2>&1
		grep -q "killed by SIGKILL" trace && kills=$((kills + 1))
		settled "a kill at ioctl $step on the way $way"
		[ "$(target ours)" = "$from" ] || another
	done
	another
done
while [ $switches -lt 50 ]; do
	another
done
is_at_least $kills $(($(cat to back | wc -l))) "killed at each ioctl"
is_at_least $switches 50 "and 50 that were not"
is $bad 0 "each time it was left in working order"
calm "killed at each ioctl"
