# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: nothing of a key is left in memory after key wipe, removal and every kind of failure
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

[ -e /proc/kcore ] || skip_all "no /proc/kcore, kernel without CONFIG_PROC_KCORE"
! grep -Eq 'init_on_free=(1|y|on)' /proc/cmdline || skip_all "init_on_free wipes whatever is freed"
grep -q '^# CONFIG_INIT_ON_FREE_DEFAULT_ON is not set' /boot/config ||
	grep -Eq 'init_on_free=(0|n|off)' /proc/cmdline ||
	skip_all "kernel with CONFIG_INIT_ON_FREE_DEFAULT_ON, which wipes whatever is freed"

make_loop loop 8
modprobe dm-inline-crypt || bail "no module"
dmsetup version > /dev/null
# All of it is read after each step
take_memory 100

# find_key SEED... [--own] - print the traces of the key that is made of SEED, see tests/tools/keymem.c
find_key() {
	keymem find "$@" 2> find.err || cat find.err
}

# gone TEXT SEED... - nothing of it
gone() {
	_text=$1
	shift
	is "$(find_key "$@")" "raw 0 hex 0" "$_text: nothing is left of the key"
}

# refused SEED TEXT ARGUMENTS [--leave] - by the constructor
refused() {
	check_not "$2: refused" keymem create "$1" bad 16384 inline-crypt "$3" ${4:+--leave}
	like "$(cat /run/check.out)" '^E[A-Z]+$' "$2: by the kernel"
}

like "$(find_key 1 --own)" 'raw [1-9][0-9]* hex [1-9]' "a key and its digits are found where they are"
diag "in $(cat find.err) of memory"
gone "afterwards" 1

# --- as long as it is in use, and then
seed=10
while read -r spec bytes; do
	seed=$((seed + 1))
	check "$spec: created" keymem create $seed ours 16384 inline-crypt "$spec KEY$bytes 0 $loop 0"
	like "$(find_key $seed)" '^raw [1-9][0-9]* hex 0$' "$spec: the key is there, its digits are not"
	dmsetup suspend ours
	check "$spec: key wipe" dmsetup message ours 0 key wipe
	gone "$spec, key wipe" $seed
	check "$spec: key set" keymem message $((seed + 100)) ours "key set KEY$bytes"
	like "$(find_key $((seed + 100)))" '^raw [1-9][0-9]* hex 0$' "$spec: there is another one"
	dmsetup resume ours
	dm_remove ours
	gone "$spec, removal" $((seed + 100))
done <<-END
	aes-xts-plain64 64
	aes-cbc-tcw 64
	aes-cbc-elephant 64
END

# --- messages that are refused, and a key in place of another
keymem create 30 ours 16384 inline-crypt "aes-xts-plain64 KEY64 0 $loop 0"
dmsetup suspend ours
check_not "key set, too short: refused" keymem message 31 ours "key set KEY32"
check_not "no such message: refused" keymem message 32 ours "key put KEY64"
check_not "key set, not hexadecimal: refused" keymem message 33 ours "key set KEY63xx"
gone "messages that were refused, and the key before" 30 31 32 33
keymem message 34 ours "key set KEY64"
keymem message 35 ours "key set KEY64"
gone "another key set" 34
dm_remove ours
gone "removal while suspended" 35

# --- constructors that fail, ever later
xts="aes-xts-plain64 KEY64 0"
refused 40 "an unknown option" "$xts $loop 0 1 no_such_option"
refused 41 "an unknown cipher" "aes-sideways-plain64 KEY64 0 $loop 0"
refused 42 "not hexadecimal" "aes-xts-plain64 KEY63xx 0 $loop 0"
gone "tables with no key or no cipher" 40 41 42
refused 43 "a key that the cipher refuses" "aes-cbc-plain64 KEY64 0 $loop 0"
gone "a key that the cipher refuses" 43
refused 44 "a device that is not there" "$xts /dev/missing 0"
gone "a device that is not there" 44
refused 45 "a device without tags" "aes-xts-random KEY64 0 $loop 0"
refused 46 "a device without tags, AEAD" "capi:gcm(aes)-random KEY32 0 $loop 0 1 integrity:28:aead"
gone "devices without tags" 45 46

# --- keys in the place of other words, and a program that does not have dm wipe them
refused 47 "a key for a cipher" "KEY32 aes-cbc-plain64 0 $loop 0" --leave
refused 48 "a key for an option" "aes-cbc-plain64 00 0 $loop 0 1 KEY32" --leave
check "a key behind the options: ignored" \
	keymem create 49 ours 16384 inline-crypt "cipher_null-ecb - 0 $loop 0 0 KEY32" --leave
check_not "a key for a message: refused" keymem message 36 ours "set KEY32" --leave
gone "keys in the place of other words" 47 48 49 36
dm_remove ours

# --- dm-crypt, to compare
if modprobe dm-crypt 2> /dev/null; then
	keymem create 50 theirs 16384 crypt "aes-xts-plain64 KEY64 0 $loop 0" 2>&1 | sed 's/^/# /'
	diag "dm-crypt, in use: $(find_key 50)"
	dm_remove theirs
	diag "dm-crypt, removed: $(find_key 50)"
fi
check "memory is given back" give_memory
