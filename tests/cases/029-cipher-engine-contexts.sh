# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the cipher engine in every context, beside tasks that use vector registers as well
# kernels: newest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

[ "$(uname -m)" = x86_64 ] || skip_all "no engine for $(uname -m)"
grep -Eq '^flags.* aes .* avx ' /proc/cpuinfo || skip_all "a CPU without AES-NI and AVX"

# verified TEXT - fio's jobs of every kind, and dm-crypt finds the same
verified() {
	check "$1: verified" count_io ours fio_mix --bsrange=512-128k --number_ios=80
	is_at_least "$units" 1 "$1: by the engine"
	diag "units=$units api=$api r_caller=$r_caller r_endio=$r_endio r_bh=$r_bh r_wq=$r_wq"
}

# dm-crypt's tasks are in FPU sections while completions interrupt them.
make_loop beside 16
dm_create beside "$(crypt_table crypt "$beside")" || bail "no dm-crypt"

# Completions in submit, in a softirq, in a hardirq
for irqmode in 0 1 2; do
	make_null_blk null$irqmode memory_backed=1 size=32 irqmode=$irqmode completion_nsec=10000
	eval "dev=\$null$irqmode"
	for options in '' read_context:endio 'read_context:workqueue write_context:workqueue'; do
		make_crypt ours "$dev" cipher_engine:units $options
		busy dd if=/dev/mapper/beside of=/dev/null bs=64k count=64 iflag=direct
		verified "irqmode=$irqmode ${options:-auto}"
		calm "irqmode=$irqmode ${options:-auto}: beside it"
		dm_remove ours
	done
done
dm_remove beside

# A key that goes takes the engine's round keys with it
make_crypt ours "$null0" cipher_engine:units
head -c 65536 /dev/urandom > data
rw write /dev/mapper/ours 0 data
dmsetup suspend ours
dmsetup message ours 0 key wipe
check_not "no key: no resume" dmsetup resume ours
dmsetup message ours 0 key set "$(test_key 64 2)"
dmsetup resume ours
check_not "another key: other data" rw compare /dev/mapper/ours 0 data
dmsetup suspend ours
dmsetup message ours 0 key set "$(test_key 64)"
dmsetup resume ours
count_io ours rw compare /dev/mapper/ours 0 data
is "$_count_status $api" "0 0" "the key again: the data again, by the engine"
