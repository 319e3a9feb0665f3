# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the cipher engine: which tables it takes, how it is seen and chosen, and which tables it leaves
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

[ "$(uname -m)" = x86_64 ] || skip_all "no engine for $(uname -m)"
modprobe dm-inline-crypt || bail "no module"
check_not "every variant gives the known answers" sh -c 'dmesg | grep "known-answer test"'
grep -Eq '^flags.* aes .* avx ' /proc/cpuinfo || skip_all "a CPU without AES-NI and AVX"

make_loop loop 16
k16=$(test_key 16)
k24=$(test_key 24)
k32=$(test_key 32)
k64=$(test_key 64)
best=aesni-avx
! grep -qw vaes /proc/cpuinfo || best=vaes-avx2

# engine_of ARGUMENTS... - print the engine of a table: arguments up to the key, then options
engine_of() {
	_args="$1 $2 0 $loop 0"
	shift 2
	dm_create ours "0 32768 inline-crypt $_args${1:+ $# $*}" || return
	dmsetup status ours | grep -o 'cipher_engine:.*' | cut -d: -f2
	dm_remove ours
}

for iv in plain plain64 plain64be null; do
	is "$(engine_of aes-xts-$iv $k64 cipher_engine:units)" $best "aes-xts-$iv"
done
is "$(engine_of aes-cbc-plain64 $k24 cipher_engine:units)" $best "aes-cbc-plain64"
is "$(engine_of aes-xts-plain64 $k32 cipher_engine:units)" $best "xts, half the key"
is "$(engine_of aes-cbc-essiv:sha256 $k32 cipher_engine:units)" $best "essiv"
is "$(engine_of aes-cbc-benbi $k32 cipher_engine:units)" $best "cbc with benbi"
is "$(engine_of 'capi:xts(aes)-plain64' $k64 cipher_engine:units sector_size:4096)" $best "a name of the crypto API"
is "$(engine_of aes $k16 cipher_engine:units)" $best "the oldest format"

# All that it does not take is the crypto API's, even when asked for
is "$(engine_of aes-xts-plain64 $k64 cipher_engine:api)" api "not wanted"
is "$(engine_of aes:2-xts-plain64 $k64$k64 cipher_engine:units)" api "two keys"
is "$(engine_of aes-cbc-eboiv $k32 cipher_engine:units)" api "an IV that is not of the number alone"
is "$(engine_of aes-ecb $k32 cipher_engine:units)" api "no IV"
is "$(engine_of serpent-xts-plain64 $k64 cipher_engine:units)" api "another cipher"
got=$(engine_of 'capi:xts(ecb(aes-generic))-plain64' $k64 cipher_engine:units 2> /dev/null)
if [ -n "$got" ]; then
	is "$got" api "a driver of the user's choice"
else
	skip "a driver of the user's choice" "no aes-generic in this kernel"
fi

like "$(engine_of aes-xts-plain64 $k64)" "^($best|api)$" "by default one of the two"
check_not "refused" dm_create bad "0 32768 inline-crypt aes-xts-plain64 $k64 0 $loop 0 1 cipher_engine:fast"

# One line of log for each mapping
kmsg_mark
engine_of aes-xts-plain64 $k64 > /dev/null
is "$(kmsg | grep -c 'aes-xts-plain64 by .* a page there and back took')" 1 "the log has the measured time"
diag "$(kmsg | grep -o 'aes-xts-plain64 by .*')"
# Its driver in 6.1 may answer later, but does not.
kmsg_mark
engine_of aes-cbc-essiv:sha256 $k32 > /dev/null
like "$(kmsg)" 'aes-cbc-essiv:sha256 by .* a page there and back took .* [1-9][0-9]+ ns$' "essiv was measured, too"
diag "$(kmsg | grep -o 'aes-cbc-essiv:sha256 by .*')"

# Counted by bio
for engine in units api; do
	make_crypt ours "$loop" cipher_engine:$engine
	other=api
	[ $engine = units ] || other=units
	count_io ours dd if=/dev/urandom of=/dev/mapper/ours bs=16k count=8 oflag=direct
	eval "is \"\$$engine \$$other\" '8 0' '$engine: eight writes'"
	count_io ours dd if=/dev/mapper/ours of=/dev/null bs=16k count=8 iflag=direct
	eval "is \"\$$engine \$$other\" '8 0' '$engine: eight reads'"
	dm_remove ours
done

# A unit in two pieces, in the middle of a bio, is done by the API, and then it goes on
make_null_blk null memory_backed=1 size=16
random_file data 1
head -c 65536 data > data64
make_crypt ours "$null" sector_size:4096 cipher_engine:units
dm_create theirs "$(crypt_table crypt "$null" sector_size:4096)" || bail "no dm-crypt"
if rw --shift 512 write /dev/mapper/ours 0 data64 2> error; then
	check "units in pieces: dm-crypt reads the same" rw compare /dev/mapper/theirs 0 data64
	count_io ours rw --shift 512 compare /dev/mapper/ours 0 data64
	is "$_count_status" 0 "units in pieces: the same again"
	is_at_least $((units + api)) 1 "counted"
	diag "units=$units api=$api"
else
	skip "units in pieces" "this kernel refuses such a vector"
fi
