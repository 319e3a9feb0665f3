# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: allocations fail now and then: nothing is wrong, nothing hangs
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

requires_kernel_config FAULT_INJECTION FAILSLAB FAIL_PAGE_ALLOC FAULT_INJECTION_DEBUG_FS

# inject PERCENT FAULT... - for every task; allocations that may sleep do not fail
inject() {
	_inject=$1
	shift
	arm_faults all never "$@"
	fail_percent "$_inject" "$@"
}

jobs=
at=0
for engine in psync libaio io_uring; do
	jobs="$jobs --name=$engine --ioengine=$engine --direct=1 --iodepth=8 --offset=${at}M --size=1M"
	at=$((at + 1))
done
jobs="$jobs --name=buffered --ioengine=psync --direct=0 --offset=${at}M --size=1M"

make_loop loop 8
make_null_blk null memory_backed=1 size=8 irqmode=2 completion_nsec=20000
modprobe icrypt-test-async || bail "no test driver"
# faulty NAME DEVICE TABLE_ARGUMENTS - written and read while allocations fail
faulty() {
	dm_create ours "0 16384 inline-crypt $3" || bail "no $1"
	inject 10 failslab fail_page_alloc
	fio_write /dev/mapper/ours --bsrange=4k-256k $jobs > fio.out 2>&1
	written=$?
	inject 0 failslab fail_page_alloc
	is $written 0 "$2, $1: written" || sed 's/^/# /' fio.out
	inject 10 failslab fail_page_alloc
	fio_read /dev/mapper/ours --bsrange=4k-256k $jobs > fio.out 2>&1
	read=$?
	inject 0 failslab fail_page_alloc
	is $read 0 "$2, $1: read and verified" || sed 's/^/# /' fio.out
	diag "$(dmsetup status ours)"
	dm_remove ours
}

for dev in "$loop" "$null"; do
	for cipher in aes-xts-plain64 capi:test-async-plain64 aes-cbc-essiv:sha256; do
		key=$(test_key 64)
		[ $cipher != aes-cbc-essiv:sha256 ] || key=$(test_key 32)
		faulty $cipher "$dev" "$cipher $key 0 $dev 0 1 sector_size:4096"
	done
done
for cipher in aes-cbc-tcw aes-cbc-elephant; do
	faulty $cipher "$null" "$cipher $(test_key 64) 0 $null 0"
done
find_nvme disk
faulty gcm "NVMe" "capi:gcm(aes)-random $(test_key 32) 0 $disk 0 2 integrity:28:aead sector_size:4096"

# Writers get not one page, though they may wait for it: they live on the
# pool, which holds 1 MiB, and have several of that at once. A wait for its pages is
# 5 s at a time, a sleep that nothing else here does.
have_kernel_config KPROBE_EVENTS || bail "no kprobe events"
echo 'p:lab/pool_wait io_schedule_timeout jiffies=%di:s64' > $tracing/kprobe_events || bail "no kprobe"
echo "jiffies == $((5 * $(sed -n 's/^CONFIG_HZ=//p' /boot/config)))" > $tracing/events/lab/pool_wait/filter
make_null_blk slow memory_backed=1 size=16 irqmode=2 completion_nsec=5000000
dd if=/dev/zero of="$slow" bs=1M count=16 oflag=direct 2> /dev/null
make_crypt ours "$slow"
for i in 0 1 2 3; do
	random_file data$i 4
done
arm_faults marked all fail_page_alloc
fail_percent 100 fail_page_alloc
trace_start lab/pool_wait
for i in 0 1 2 3; do
	timeout 300 rw --make-it-fail write /dev/mapper/ours $((i * 4194304)) data$i &
	eval "writer$i=\$!"
done
for i in 0 1 2 3; do
	eval "check 'no pages at all: writer $i ends' wait \$writer$i"
done
inject 0 fail_page_alloc
trace_stop trace
for i in 0 1 2 3; do
	check "and wrote the right data" rw compare /dev/mapper/ours $((i * 4194304)) data$i
done
is_at_least "$(grep -c 'rw-.* pool_wait: ' trace)" 1 "for which they had to wait"
diag "$(grep -c 'rw-.* pool_wait: ' trace) waits; $(dmsetup status ours)"
dm_remove ours

# A table while memory is short: loaded or refused, never half
inject 20 failslab fail_page_alloc
for _ in $(seq 30); do
	crypt_table inline-crypt "$loop" | dmsetup create ours 2> /dev/null && dmsetup remove ours
done > /dev/null 2>&1
inject 0 failslab fail_page_alloc
dmsetup remove ours 2> /dev/null
make_crypt ours "$loop"
ok "tables under failing allocations"
