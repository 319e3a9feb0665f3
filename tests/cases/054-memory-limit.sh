# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: writes in flight take no more memory than those of dm-crypt, whatever the device below takes
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_null_blk sets variables

requires_module dm-delay

# KiB: two percent of all memory for all devices, at least 16 MiB for each
part=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 50))
least=16384
# Slack beyond the limit: the per-CPU counts, and the pool that is always there
slack=$((($(nproc) + 3) * 1024))
size=$((part / 1024 + slack / 1024 + 24))
make_null_blk null memory_backed=1 size=$size
[ $part -gt $((least + slack)) ] || bail "not enough memory to see a part of it"

zeros=$(head -c 16777216 /dev/zero | tr '\0' 0 | sha256sum)

# in_flight - KiB that the device which sends nothing on was sent
in_flight() {
	awk '/ block_bio_queue: / { sub(/.* block_bio_queue: /, ""); n += $5 } END { print int(n / 2) }' $tracing/trace
}

# fill TARGET - write all at once to a device that completes nothing; sets sent to the KiB that reached it
fill() {
	dm_create slow "0 $(sectors "$null") delay $null 0 0 $null 0 3600000" || bail "no slow device"
	dm_create top "$(crypt_table "$1" /dev/mapper/slow)" || bail "no $1"
	trace_start block/block_bio_queue
	minor=$(dmsetup info -c --noheadings -o minor slow)
	major=$(dmsetup info -c --noheadings -o major slow)
	echo "dev == $((major << 20 | minor))" > $tracing/events/block/block_bio_queue/filter
	echo > $tracing/trace
	blkdiscard -z /dev/mapper/top &
	writer=$!
	sent=0 same=0
	# Nothing completes, so a count that does not change any more is final
	for _ in $(seq 120); do
		was=$sent
		sleep 1
		sent=$(in_flight)
		same=$((sent > 0 && sent == was ? same + 1 : 0))
		[ $same -lt 3 ] || break
	done
	diag "$1: $sent KiB of $((size * 1024)) are in flight"
}

# empty TEXT - let the device complete the writes, those that follow included
empty() {
	trace_stop trace
	echo 0 > $tracing/events/block/block_bio_queue/filter
	reload slow "0 $(sectors "$null") linear $null 0"
	check "$1: the writer ends when it is sent on" wait $writer
	# Before and behind the place where the writer had to wait
	is "$(dd if=/dev/mapper/top bs=1M skip=$((sent / 1024 - 8)) count=16 iflag=direct 2> /dev/null |
		tr '\0' 0 | sha256sum)" "$zeros" "$1: the data is there"
	dm_remove top
	dm_remove slow
}

# within TEXT LIMIT - as much as LIMIT was sent, and no more
within() {
	is_at_least "$sent" $(($2 - slack)) "$1: up to the limit"
	is_at_least $(($2 + slack)) "$sent" "$1: and not beyond it"
}

fill crypt
within "dm-crypt" $part
empty "dm-crypt"

# Their parts are equal, however little the other one does
make_null_blk idle memory_backed=1 size=16
make_crypt ours "$idle"
fill inline-crypt
half=$((part / 2 > least ? part / 2 : least))
within "two devices" $half
is "$(rw read /dev/mapper/top 0 4096 | wc -c)" 4096 "two devices: reads go on"
check "two devices: the other one is not held up" fio_verify /dev/mapper/ours --name=x --ioengine=psync \
	--direct=1 --bs=64k --size=1M
empty "two devices"
dm_remove ours

fill inline-crypt
within "the only device" $part
empty "the only device"
