# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the tracepoints report each bio, and nothing of data and keys
# kernels: oldest 7.2 newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

make_loop loop 8
modprobe dm-inline-crypt || bail "no module"
is "$(cd $tracing/events/dm_inline_crypt && echo */ | tr -d /)" "decrypt encrypt fallback submit" \
	"the events"
# Any other field of a record would be visible to every user of tracing
is "$(sed -n 's/.*field:[^;]* \([a-z_]*\);.*/\1/p' $tracing/events/dm_inline_crypt/*/format |
	grep -v '^common_' | sort -u | tr '\n' ' ')" \
	"bytes context dev ns plan reason sector write " "carry these fields only"

# perf script and trace-cmd print everything behind a %c wrong
is "$(grep -l 'print fmt:.*%c' $tracing/events/dm_inline_crypt/*/format)" "" \
	"in a format that perf understands"

make_crypt ours "$loop"
dev=$(tr : , < "/sys/block/$(disk_name /dev/mapper/ours)/dev")
trace_start dm_inline_crypt/submit dm_inline_crypt/encrypt dm_inline_crypt/decrypt \
	dm_inline_crypt/fallback
random_file data 1
head -c 8192 data > eight
rw write /dev/mapper/ours 32768 eight
rw read /dev/mapper/ours 32768 8192 > back
fio_ours libaio read 4k --offset=1M --size=4k > /dev/null
trace_stop trace
check "the data is right with tracing on" cmp eight back
sed -n 's/.*: \(encrypt\|decrypt\|submit\|fallback\): /\1 /p' trace > events
one() {
	is "$(grep -cE "^$1\$" events)" 1 "$2" || sed 's/^/# /' events
}
one "encrypt $dev 64 bytes=8192 context=caller ns=[1-9][0-9]*" "encrypt"
one "submit $dev W 64 bytes=8192 plan=-" "submit of a write"
one "submit $dev R 64 bytes=8192 plan=(wait|plug)" "submit of a read that somebody waits for"
one "decrypt $dev 64 bytes=8192 context=caller ns=[1-9][0-9]*" "decrypt"
one "submit $dev R 2048 bytes=4096 plan=endio" "submit of an asynchronous read"
one "decrypt $dev 2048 bytes=4096 context=endio ns=[1-9][0-9]*" "decrypt"
is "$(grep -c fallback events)" 0 "no fallback"

# A write may get the memory of an earlier read, whose plan must not show
echo 'write == 1 && plan != 0' > $tracing/events/dm_inline_crypt/submit/filter
trace_start dm_inline_crypt/submit
for _ in $(seq 8); do
	rw read /dev/mapper/ours 32768 8192 > back
	rw write /dev/mapper/ours 32768 eight
done
trace_stop stale
echo 0 > $tracing/events/dm_inline_crypt/submit/filter
is "$(grep -c ': submit: ' stale)" 0 "a write has no plan in its record"
dm_remove ours

make_crypt ours "$loop" read_context:workqueue write_context:workqueue
trace_start dm_inline_crypt/fallback dm_inline_crypt/encrypt dm_inline_crypt/decrypt
rw write /dev/mapper/ours 32768 eight
rw read /dev/mapper/ours 32768 8192 > back
dm_wait_idle ours
trace_stop trace2
check "the data is right" cmp eight back
sed -n 's/.*: \(encrypt\|decrypt\|submit\|fallback\): /\1 /p' trace2 > events
one "fallback $dev W 64 bytes=8192 reason=option" "fallback of a write"
one "fallback $dev R 64 bytes=8192 reason=option" "fallback of a read"
one "encrypt $dev 64 bytes=8192 context=wq ns=[1-9][0-9]*" "encrypt in a worker"
one "decrypt $dev 64 bytes=8192 context=wq ns=[1-9][0-9]*" "decrypt in a worker"

is "$(cat trace trace2 | grep -ciF "$(test_key 8)")" 0 "no key in the trace"
