# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the message "stats" has a histogram of latencies for each context
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

contexts="r_caller r_endio r_bh r_wq w_caller w_wq"

message() {
	dmsetup message ours 0 "$@"
}

# stats - put the histogram into a file
stats() {
	message stats > histogram
}

# in_stats CONTEXT - print the number of bios, or "bad" if the line is wrong
in_stats() {
	awk -F '[ =]' -v context=$1 '
		$1 == context {
			lines++
			all = $2
			for (i = 4; i <= NF; i += 2)
				sum += $i
		}
		END { print lines == 1 && sum == all ? all : "bad" }' histogram
}

# buckets CONTEXT - those in its line: the time where they end, us, and how many
buckets() {
	sed -n "s/^$1=[0-9]*//p" histogram | tr ' ' '\n' |
		sed -n 's/^<\([0-9]*\)us=/\1 /p; s/^more=/2097152 /p'
}

# from_us CONTEXT US - how many of its bios took as long as US, a power of two, or longer
from_us() {
	buckets $1 | awk -v from=$2 '$1 > from { n += $2 } END { print n + 0 }'
}

# least_us CONTEXT - how long its bios took together, at the least
least_us() {
	buckets $1 | awk '$1 > 1 { us += $1 / 2 * $2 } END { print us + 0 }'
}

# uptime_us
uptime_us() {
	awk '{ printf "%.0f\n", $1 * 1000000 }' /proc/uptime
}

# reads_in_stats - of all contexts
reads_in_stats() {
	awk -F '[ =]' '/^r_/ { n += $2 } END { print n }' histogram
}

# aio RW [fio option...] - 64 blocks of 4K
aio() {
	_rw=$1
	shift
	fio_ours libaio "$_rw" 4k --size=256k --iodepth=4 "$@"
}

# same_as_status TEXT - after a reset and count_io, all contexts agree with the status
same_as_status() {
	stats
	_got='' _want=''
	for _context in $contexts; do
		_got="$_got $_context=$(in_stats $_context)"
		eval "_want=\"\$_want $_context=\$$_context\""
	done
	is "$_got" "$_want" "$1" ||
		sed 's/^/# /' histogram
}

# counted CONTEXT TEXT COMMAND... - its bios are in CONTEXT and in no other
counted() {
	_in=$1
	_text=$2
	shift 2
	message stats reset
	count_io ours "$@"
	same_as_status "$_text: as in the status"
	is_at_least "$(in_stats $_in)" 1 "$_text: $_in"
}

# --- switching it on and off
make_loop loop 16
# Other CPUs do not help: 049 has that.
alone="no_read_workqueue no_write_workqueue"
make_crypt ours "$loop" $alone
aio randread > /dev/null
kmsg_mark
check_not "nothing before it is switched on" message stats
like "$(kmsg)" 'stats: nothing was measured yet, switch it on with "stats on"' "the log says how"
check_not "nor is there anything to reset" message stats reset
check "off is off" message stats off
check "on" message stats on
check "and on again" message STATS ON
check "empty" stats
is "$(cut -d= -f1 histogram | tr '\n' ' ')" "$contexts " "a line for each context"
is "$(grep -c '=0$' histogram)" 6 "with nothing in it"
for words in "stats of" "stats reset now" "stats 1" "stat"; do
	kmsg_mark
	check_not "refused: $words" message $words
	like "$(kmsg)" 'use.*"stats' "with a line in the log"
done

# --- bios are where the status has them
counted r_caller "psync read" fio_ours psync randread 4k --size=256k
is "$(reads_in_stats)" 64 "all of them"
counted r_endio "libaio read" aio randread
counted w_caller "libaio write" aio randwrite
message stats reset
count_io ours aio randrw --bsrange=4k-512k --size=8M
same_as_status "reads and writes, large and small: as in the status"

check "reset" message stats reset
stats
is "$(grep -c '=0$' histogram)" 6 "zeros everything"
was=$(dmsetup status ours)
message stats reset
is "$(dmsetup status ours)" "$was" "but not the status"

aio randread > /dev/null
check "off" message stats off
stats
is "$(reads_in_stats)" 64 "the counts can still be read"
aio randread > /dev/null
stats
is "$(reads_in_stats)" 64 "and nothing more is counted"
check "on" message stats on
aio randread > /dev/null
stats
is "$(reads_in_stats)" 128 "goes on from there"

check "suspended" dmsetup suspend ours
check "can be read while suspended" stats
is "$(reads_in_stats)" 128 "the same"
check "switched off while suspended" message stats off
check "and on" message stats on
check "and reset" message stats reset
check "resumed" dmsetup resume ours
counted r_endio "after that, libaio read" aio randread

# --- read, reset and switched while I/O runs
message stats reset
aio randrw --time_based --runtime=3 > /dev/null 2>&1 &
job=$!
n=0
bad=0
while kill -0 $job 2>/dev/null; do
	n=$((n + 1))
	stats || bad=$((bad + 1))
	[ $((n % 4)) != 0 ] || message stats reset || bad=$((bad + 1))
	[ $((n % 4)) != 1 ] || message stats off || bad=$((bad + 1))
	[ $((n % 4)) != 2 ] || message stats on || bad=$((bad + 1))
done
wait $job
is $bad 0 "messages while I/O runs"
is "$(awk -F '[ =]' '{ for (i = 2; i <= NF; i += 2) if ($i > 1000000000) print }' histogram)" "" \
	"a reset under I/O leaves no counter below zero"
message stats on
counted r_endio "after that, libaio read" aio randread
dm_remove ours

# --- other contexts
make_crypt ours "$loop" read_context:workqueue write_context:workqueue
check_not "a new table starts with it off" message stats
message stats on
counted r_wq "read_context:workqueue" aio randread
counted w_wq "write_context:workqueue" aio randwrite
dm_remove ours

make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
make_crypt ours "$null" $alone
message stats on
counted "$(timer_reads)" "completion in hardirq" aio randread
counted w_caller "completion in hardirq, writes" aio randwrite
dm_remove ours

modprobe icrypt-test-async || bail "no test driver"
dm_create ours "0 $(sectors "$loop") inline-crypt capi:test-async-plain64 $(test_key 64) 0 $loop 0"
message stats on
counted r_wq "asynchronous driver" aio randread
counted w_wq "asynchronous driver, writes" aio randwrite
dm_remove ours

# --- the device's time is in it, and more on a slow machine, never less
requires_module dm-delay
dm_create slow "0 $(sectors "$loop") delay $loop 0 50" || bail "no slow device"
make_crypt ours /dev/mapper/slow
message stats on
for rw in read write; do
	where=${rw%"${rw#?}"}_caller
	begin=$(uptime_us)
	counted $where "50 ms, $rw" fio_ours psync $rw 4k --size=32k
	is "$(from_us $where 32768)" "$(in_stats $where)" "$rw: each is in a bucket from 32 ms on" ||
		sed 's/^/# /' histogram
	# One by one. The clock has hundredths of a second.
	is_at_least $(($(uptime_us) - begin + 10000)) "$(least_us $where)" \
		"$rw: and all of them took no longer than the clock says"
done
