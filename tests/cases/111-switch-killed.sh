# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: inline-crypt-switch: 50 switches under verified I/O, killed at every step, at random, in a suspend, with its guard
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086,SC2046,SC2317  # make_loop sets variables

requires_command inline-crypt-switch
modprobe dm-inline-crypt || bail "no module"
make_loop loop 32

# --- busy, and killed

switches=0 bad=0

# other - the target that ours has not
other() {
	[ "$(target ours)" = crypt ] && echo inline-crypt || echo crypt
}

# settled TEXT - ours works, and show_keys is off; waits for the second process
settled() {
	for _ in $(seq 600); do
		[ -n "$(pidof inline-crypt-switch)" ] || break
		sleep 0.1
	done
	usable ours && grep -q N /sys/module/dm_inline_crypt/parameters/show_keys &&
		! dmsetup info inline-crypt-switch-trial > /dev/null 2>&1 && return
	bad=$((bad + 1))
	diag "after $1:"
	diag "$(dmsetup ls) $(dmsetup info ours) $(cat /sys/module/dm_inline_crypt/parameters/show_keys)"
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
# The first is that of the trial
for way in to back; do
	is "$(grep -E 'DM_(TABLE_LOAD|DEV_SUSPEND)' $way | paste -sd ' ')" \
		"DM_TABLE_LOAD DM_DEV_SUSPEND DM_TABLE_LOAD DM_DEV_SUSPEND" \
		"$way: one ioctl suspends, swaps, resumes"
done

# count_kill - by its ioctls in "trace": killed at all, half way, after all was done?
kills=0 half=0 after=0 trials=0
count_kill() {
	grep -q "killed by SIGKILL" trace || return
	kills=$((kills + 1))
	if [ "$(grep -c "DM_DEV_SUSPEND.* = 0" trace)" = 2 ]; then
		after=$((after + 1))
	elif [ "$(grep -c "DM_TABLE_LOAD.* = 0" trace)" = 2 ]; then
		half=$((half + 1))
	elif grep -q "DM_DEV_CREATE.* = 0" trace && ! grep -q "DM_DEV_REMOVE.* = 0" trace; then
		trials=$((trials + 1))
	fi
}
# first - the process that does the work
first() {
	pidof inline-crypt-switch | tr ' ' '\n' | sort -n | head -n 1
}
# kill_now TEXT - what strace, the last in the background, watches at work
kill_now() {
	kill -KILL $(first) 2> /dev/null
	wait $!
	count_kill
	settled "$1"
}
# at WAY IOCTL [N] - the number of the last, or the Nth, one of this kind
at() {
	grep -n "$2" "$1" | sed -n "${3:-\$}p" | cut -d: -f1
}

# stop_at N - run it in the background until its ioctl number N is through; sets tracer
stop_at() {
	rm -f trace
	strace -e trace=ioctl -e inject=ioctl:signal=SIGSTOP:when="$1" -o trace \
		inline-crypt-switch ours > out 2>&1 &
	tracer=$!
	for _ in $(seq 600); do
		! grep -qs "stopped by SIGSTOP" trace || return 0
		sleep 0.1
	done
	not_ok "stops at ioctl $1"
}
busy fio_mix --bsrange=4k-64k
for way in to back; do
	steps=$(wc -l < $way)
	diag "$way: $(paste -sd ' ' $way)"
	# Before each ioctl
	for step in $(seq "$steps"); do
		from=$(target ours)
		strace -e trace=ioctl -e inject=ioctl:signal=SIGKILL:when=$step -o trace \
			inline-crypt-switch ours > out 2>&1
		count_kill
		settled "a kill at ioctl $step on the way $way"
		[ "$(target ours)" = "$from" ] || another
	done
	# Between this one and the next
	for call in DM_TABLE_LOAD DM_TABLE_LOAD DM_TABLE_LOAD DM_DEV_SUSPEND; do
		from=$(target ours)
		if [ $call != DM_DEV_SUSPEND ]; then
			stop_at "$(at $way $call)"
		else
			# A signal would end what it waits for. strace itself waits all the time.
			rm -f trace
			strace -e trace=ioctl -e "inject=ioctl:delay_exit=20000000:when=$(at $way $call)" \
				-o trace inline-crypt-switch ours > out 2>&1 &
			for _ in $(seq 390); do
				[ "$(grep -cs "$call.* = 0" trace)" != "$(grep -c $call $way)" ] || break
				sleep 0.05
			done
		fi
		kill_now "a kill after $call on the way $way"
		[ "$(target ours)" = "$from" ] || another
	done
	# At any moment: it may have ended, or not begun
	for _ in $(seq 4); do
		from=$(target ours)
		rm -f trace
		strace -e trace=ioctl -o trace inline-crypt-switch ours > out 2>&1 &
		sleep "0.$(printf %03d $(($(od -A n -N 1 -t u1 /dev/urandom) * 2)))"
		kill_now "a kill at random on the way $way: $(tail -n 1 trace)"
		[ "$(target ours)" = "$from" ] || another
	done
	another
done
while [ $switches -lt 50 ]; do
	another
done
diag "$kills kills, $trials in the trial, $half half way, $after after the change"
is_at_least $kills $(($(cat to back | wc -l) + 8)) "killed before and after ioctls"
is_at_least $half 10 "10 times or more with a table loaded, and not resumed yet"
is_at_least $trials 4 "and with a trial mapping"
is_at_least $after 2 "and when all was done"
is_at_least $switches 50 "and 50 that were not"
is $bad 0 "each time it was left in working order"
calm "killed at each ioctl"

# --- in a suspend that takes long
requires_module dm-delay
# waiting PID - is it in the ioctl that suspends, and waits for I/O there?
waiting() {
	for _ in $(seq 600); do
		! grep -q dm_wait_for_completion "/proc/$1/stack" || return 0
		sleep 0.05
	done
	diag "$(cat "/proc/$1/stack")"
	return 1
}
# processes - the tool and its guard, which is to go first
processes() {
	pidof inline-crypt-switch | tr ' ' '\n' | sort -nr
}
dm_remove ours
# Writes wait for as long as the gate is shut; the reads of the trial go another way.
dm_create gate "0 $(sectors "$loop") linear $loop 0"
dm_create slow "0 $(sectors "$loop") delay $loop 0 0 /dev/mapper/gate 0 0" || bail "no slow device"
dm_create ours "$(crypt_table crypt /dev/mapper/slow)"
for signal in TERM KILL KILL-both; do
	dmsetup suspend --noflush --nolockfs gate
	dd if=/dev/zero of=/dev/mapper/ours bs=4k count=1 oflag=direct conv=notrunc 2> /dev/null &
	writer=$!
	for _ in $(seq 600); do
		[ "$(awk '{ print $2 }' "/sys/block/$(disk_name /dev/mapper/ours)/inflight")" = 0 ] || break
		sleep 0.02
	done
	inline-crypt-switch ours > out 2>&1 &
	pid=$!
	check "SIG$signal: waits in the ioctl" waiting $pid
	if [ $signal = KILL-both ]; then
		kill -KILL $(processes)
	else
		kill -$signal $pid
	fi
	# The signal ends the ioctl's wait.
	wait $pid 2> /dev/null
	dmsetup resume gate
	check "SIG$signal: the writer gets through" wait $writer
	for _ in $(seq 600); do
		[ -n "$(processes)" ] || break
		sleep 0.1
	done
	is "$(target ours)" crypt "SIG$signal: is what it was"
	[ $signal != KILL-both ] || break
	check "SIG$signal: usable" usable ours
done
# As the manual page says
is "$(tables ours)" "Active:Both" "killed with its guard: works, and the second table is left"
check_not "the next run refuses" switch ours
like "$(cat /run/check.out)" "dmsetup clear ours" "with a message"
check "dmsetup clear" dmsetup clear ours
check "usable" usable ours
check "the run after that" switch ours
check "usable" usable ours

# --- stopped after an ioctl, and what others do then
dm_remove ours
dm_remove slow
dm_remove gate
dm_create ours "$(crypt_table crypt "$loop")"
for how in goes-on KILL; do
	stop_at "$(at to DM_TABLE_LOAD)"
	is "$(tables ours)" "Active:Both" "$how: stopped with its table loaded"
	dmsetup suspend ours
	pid=$(processes | tail -n 1)
	[ $how = goes-on ] || kill -KILL $pid
	kill -CONT $pid 2> /dev/null
	check_not "$how: suspended by somebody else, it gives up" wait $tracer
	[ $how = KILL ] || like "$(cat out)" "dmsetup resume ours" "$how: with a message"
	for _ in $(seq 600); do
		[ -n "$(processes)" ] || break
		sleep 0.1
	done
	is "$(tables ours)" "Suspended:Live" "$how: it stays suspended, and the second table is gone"
	dmsetup resume ours
	is "$(target ours)" crypt "$how: is what it was"
	check "$how: usable" usable ours
done

check "there" switch ours
# At first it looks what there is, then whether it still is
stop_at "$(at back DM_TABLE_STATUS 3)"
is "$(cat /sys/module/dm_inline_crypt/parameters/show_keys)" Y "stopped while keys are shown"
kill -KILL $(processes)
wait $tracer
is "$(cat /sys/module/dm_inline_crypt/parameters/show_keys)" Y "killed with its guard: they still are"
check "usable" usable ours
check "back" switch ours
like "$(cat /run/check.out)" "show_keys is set" "says so"

# In the trial
stop_at "$(at to DM_DEV_CREATE)"
kill -KILL $(processes)
wait $tracer
check "killed with its guard in the trial: the second mapping is left" dmsetup info inline-crypt-switch-trial
is "$(target ours) $(tables ours)" "crypt Active:Live" "it is what it was"
check "usable" usable ours
check "the next run" switch ours
check_not "removes it" dmsetup info inline-crypt-switch-trial
is "$(target ours)" inline-crypt "and goes on"
check "back" switch ours

# Changed in the trial: nobody's work is undone
for how in "a second table" "another size"; do
	stop_at "$(at to DM_DEV_CREATE)"
	pid=$(processes | tail -n 1)
	if [ "$how" = "a second table" ]; then
		dmsetup reload ours --table "0 1024 linear $loop 0"
	else
		dmsetup table --showkeys ours | sed "s/^0 [0-9]*/0 1024/" | /usr/bin/dmsetup load ours
		dmsetup resume ours
	fi
	kill -CONT $pid
	check_not "in the trial, $how: it gives up" wait $tracer
	like "$(cat out)" "dmsetup clear ours|changed in the meantime" "with a message"
	is "$(target ours)" crypt "it is what it was"
	check_not "and the second mapping is gone" dmsetup info inline-crypt-switch-trial
	[ "$how" = "another size" ] || is "$(tables ours)" "Active:Both" "the second table stays"
	dmsetup clear ours
done
is "$(sectors /dev/mapper/ours)" 1024 "the size is the new one"

# Resized between its last look and its load, and between that and its resume
dm_remove ours
dm_create ours "0 1024 crypt aes-xts-plain64 $(test_key 64) 0 $loop 0"
size=1024
for call in DM_TABLE_STATUS DM_TABLE_LOAD; do
	number=$(at to DM_TABLE_LOAD)
	[ $call = DM_TABLE_LOAD ] || number=$((number - 1))
	is "$(sed -n ${number}p to)" $call "stops behind it"
	stop_at "$number"
	pid=$(processes | tail -n 1)
	size=$((size + 1024))
	dmsetup table --showkeys ours | sed "s/^0 [0-9]*/0 $size/" | /usr/bin/dmsetup load ours
	dmsetup resume ours
	kill -CONT $pid
	check_not "resized after $call: it gives up" wait $tracer
	like "$(cat out)" "changed in the meantime" "with a message"
	is "$(target ours) $(sectors /dev/mapper/ours)" "crypt $size" "the size is the new one"
	check "usable" usable ours
done

# What has the name only is not ours
dm_create inline-crypt-switch-trial "0 8 zero"
check_not "somebody's mapping of that name" switch ours
like "$(cat /run/check.out)" "cannot create the mapping inline-crypt-switch-trial: .*busy" "with a message"
check "is left alone" dmsetup info inline-crypt-switch-trial
is "$(target ours)" crypt "it is what it was"
