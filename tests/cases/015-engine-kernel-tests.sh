# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the kernel's own tests of ciphers pass on the cipher engine
# kernels: oldest newest debug
# long: as many random tests as the kernel makes by default
# shellcheck shell=dash disable=SC2154  # make_brd sets brd

[ "$(uname -m)" = x86_64 ] || skip_all "no engine for $(uname -m)"
grep -Eq '^flags.* aes .* avx ' /proc/cpuinfo || skip_all "a CPU without AES-NI and AVX"
grep -Eq '^# CONFIG_CRYPTO_MANAGER_DISABLE_TESTS is not set|^CONFIG_CRYPTO_SELFTESTS=y' /boot/config ||
	skip_all "this kernel does not test ciphers"
variants=aesni-avx
! grep -qw vaes /proc/cpuinfo || variants="$variants vaes-avx2"
tests=/sys/module/cryptomgr/parameters

# crypto_entry DRIVER - what /proc/crypto says of it
crypto_entry() {
	awk -v RS= -v driver="$1" '$0 ~ "driver *: " driver "\n"' /proc/crypto
}

# Without being asked, it registers nothing.
modprobe dm-inline-crypt || bail "no module"
check_not "nothing of the engine is in the crypto API" grep icrypt /proc/crypto
rmmod dm-inline-crypt

# The debug kernel has been told to leave them out. Its random tests are 1 in 10 of what
# they are by default: the emulated CPU is slow under KASAN.
notests=$(cat $tests/notests)
echo N > $tests/notests
if [ -e $tests/fuzz_iterations ]; then
	iterations=$(cat $tests/fuzz_iterations)
	full || echo 10 > $tests/fuzz_iterations
fi
kmsg_mark
check "the module loads with engine_ciphers" modprobe dm-inline-crypt engine_ciphers=1
echo "$notests" > $tests/notests
[ -z "$iterations" ] || echo "$iterations" > $tests/fuzz_iterations
said=$(kmsg)
for variant in $variants; do
	for cipher in xts-aes cbc-aes essiv-cbc-aes-sha256; do
		driver=$cipher-icrypt-$variant
		entry=$(crypto_entry "$driver")
		like "$entry" 'selftest *: passed' "$driver passed"
		like "$entry" 'priority *: 1$' "$driver: nobody gets it by accident"
		requests=$(echo "$said" | sed -n "s/.*$driver is registered; of the tests. requests \([0-9]*\) .*/\1/p")
		is_at_least "${requests:-0}" 10 "$driver: the tests were about the engine"
		diag "$(echo "$said" | grep -o "$driver is registered.*")"
	done
done
echo "$said" > said
check_not "no test failed" grep -E 'alg: .*icrypt|icrypt-[a-z0-9-]* failed' said

# Registered, they are in nobody's way.
make_brd brd 16
dm_create ours "$(crypt_table inline-crypt "$brd")" || bail "no mapping"
check_not "in use: the module stays" rmmod dm-inline-crypt
dm_remove ours
check "the module goes" rmmod dm-inline-crypt
check_not "and takes its ciphers along" grep icrypt /proc/crypto
