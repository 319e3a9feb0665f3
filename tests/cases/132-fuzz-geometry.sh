# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: reads and writes of any geometry are right, with each sector size, with limits below, with errors and without memory
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

# make check-fuzz has more of them, by the kernel's command line
lab() {
	_value=$(sed -n "s/.*\blab\.$1=\([^ ]*\).*/\1/p" /proc/cmdline)
	echo "${_value:-$2}"
}
ios=$(lab ios 5000)
seconds=$(lab cell_seconds 2)
seed=$(lab seed 1)
total=0 bytes=0

# geometry TEXT TABLE_ARGUMENTS SECTORS [OPTION...]
geometry() {
	_text=$1
	dm_create ours "0 $3 inline-crypt $2" || bail "$1: no device"
	shift 3
	geofuzz --ios "$ios" --seconds "$seconds" --seed "$seed" "$@" /dev/mapper/ours > out 2>&1
	is $? 0 "$_text: every byte is right" || cut -c 1-300 out | sed 's/^/# /'
	diag "$_text, seed $seed: $(tail -n 1 out)"
	total=$((total + $(sed -n 's/^ios \([0-9]*\) .*/\1/p' out)))
	bytes=$((bytes + $(sed -n 's/^ios .* read \([0-9]*\) .*/\1/p' out)))
	dm_remove ours
	seed=$((seed + 1))
}

modprobe dm-inline-crypt || bail "no module"
key="aes-xts-plain64 $(test_key 64) 0"
make_loop loop 8
make_null_blk small memory_backed=1 size=8 irqmode=2 completion_nsec=20000 max_sectors=24
make_null_blk fast memory_backed=1 size=8 irqmode=0 discard=1
find_nvme disk
for size in 512 1024 2048 4096; do
	geometry "sectors of $size" "$key $loop 0 1 sector_size:$size" 16384
done
geometry "requests of 12 KiB below, a timer" "$key $small 0" 16384
geometry "decrypted by who reads" "$key $fast 0 3 allow_discards read_context:caller sector_size:4096" 16384 --discards
geometry "in a worker" "$key $loop 0 2 read_context:workqueue write_context:workqueue" 16384
geometry "by the crypto API" "$key $loop 0 1 cipher_engine:api" 16384
geometry "essiv" "aes-cbc-essiv:sha256 $(test_key 32) 0 $small 0" 16384
modprobe icrypt-test-async || bail "no test driver"
geometry "an asynchronous cipher" "capi:test-async-plain64 $(test_key 64) 0 $loop 0" 16384
geometry "tags" "capi:gcm(aes)-random $(test_key 32) 0 $disk 0 2 integrity:28:aead sector_size:4096" 16384 --errors
dm_create below "0 16384 inline-crypt $key $loop 0"
geometry "stacked" "$key /dev/mapper/below 0" 16384
dm_remove below

# Half the time all fails.
dm_create flaky "0 16384 flakey $loop 0 1 1"
geometry "a device that fails now and then" "$key /dev/mapper/flaky 0" 16384 --errors
dm_remove flaky

if have_kernel_config FAILSLAB && have_kernel_config FAULT_INJECTION_DEBUG_FS; then
	arm_faults marked all failslab fail_page_alloc
	fail_percent 5 failslab fail_page_alloc
	geometry "allocations fail" "$key $loop 0" 16384 --fail
	geometry "allocations fail, a timer" "$key $small 0 1 sector_size:4096" 16384 --fail
	fail_percent 0 failslab fail_page_alloc
fi
is_at_least "$total" 200 "there was I/O"
diag "$total I/Os, $((bytes >> 20)) MiB compared"
