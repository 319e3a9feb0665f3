# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: requests that must not wait end with EAGAIN where memory is short, and then had no effect
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_null_blk sets variables

requires_kernel_config FAULT_INJECTION FAILSLAB FAIL_PAGE_ALLOC FAULT_INJECTION_DEBUG_FS

# Only allocations that must not sleep, and only of the task that asks for it
arm_faults marked never failslab fail_page_alloc

# failing PERCENT COMMAND... - of its allocations; leaves its output in the file out
failing() {
	fail_percent "$1" failslab fail_page_alloc
	shift
	# shellcheck disable=SC2016  # for the shell that is to fail
	sh -c 'echo 1 > /proc/self/make-it-fail; exec "$@"' sh "$@" > out
	_failing_status=$?
	fail_percent 0 failslab fail_page_alloc
	cat out
	return $_failing_status
}

# uring itself checks that a write that ended with EAGAIN left the old data
# before, that one that did not is there, and that a read with EAGAIN left its
# buffer alone.
size="--count 24 --bs 262144 --depth 4"
# shellcheck disable=SC2086  # to be split
ours() {
	uring $size "$@" /dev/mapper/ours
}
# shellcheck disable=SC2086  # to be split
ours_failing() {
	_percent=$1
	shift
	failing "$_percent" uring $size "$@" /dev/mapper/ours
}

make_loop loop 8
# A request that had to be split would end with EAGAIN as well
make_null_blk null memory_backed=1 size=8 irqmode=2 completion_nsec=20000 max_sectors=1024
modprobe icrypt-test-async || bail "no test driver"
for dev in "$loop" "$null"; do
	for cipher in aes-xts-plain64 capi:test-async-plain64; do
		where="${dev#/dev/}, $cipher"
		dm_create ours "0 16384 inline-crypt $cipher $(test_key 64) 0 $dev 0" ||
			bail "no $cipher"
		check "$where: old data" ours --seed 1 write
		# A vector of 64 pages comes from no reserve, see bvec_alloc().
		check "$where: NOWAIT writes without memory" \
			ours_failing 100 --nowait --seed 2 --old 1 write
		like "$(cat out)" ' [1-9][0-9]* again$' "$where: end with EAGAIN"
		for kind in write writev write_fixed; do
			check "$where: old data" ours --seed 1 write
			check "$where: NOWAIT $kind, memory is short" \
				ours_failing 30 --nowait --seed 2 --old 1 $kind
			diag "$kind: $(cat out)"
		done

		check "$where: others find another way" ours_failing 30 --seed 3 write
		is "$(cat out)" "24 done 0 again" "$where: all of them"
		for kind in read readv read_fixed; do
			check "$where: NOWAIT $kind, memory is short" \
				ours_failing 30 --nowait --seed 3 $kind
			diag "$kind: $(cat out)"
		done
		check "$where: other reads" ours_failing 30 --seed 3 read
		is "$(cat out)" "24 done 0 again" "$where: all of them"
		check "$where: a chain" ours_failing 30 --seed 4 link
		diag "$(dmsetup status ours)"
		dm_remove ours
	done
done
