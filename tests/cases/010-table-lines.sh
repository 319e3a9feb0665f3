# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: good table lines are taken, and dmsetup table prints them as dm-crypt does
# kernels: oldest 6.12 newest smoke
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 8
length=$(sectors "$loop")
devno=$(cat "/sys/block/$(disk_name "$loop")/dev")
modprobe dm-inline-crypt || bail "no module"
show_keys=/sys/module/dm_inline_crypt/parameters/show_keys

# echoed TARGET ARGUMENTS - print the table line that comes back, "" if refused
echoed() {
	dm_create "$1" "0 $length $1 $2" 2>/dev/null || return
	dmsetup table --showkeys "$1"
	dm_remove "$1"
}

# same_as_crypt ARGUMENTS [EXPECTED] - dm-crypt's answer, or EXPECTED where this
# kernel's does not know the words
same_as_crypt() {
	ours=$(echoed inline-crypt "$1" | sed 's/inline-crypt/crypt/')
	theirs=$(echoed crypt "$1")
	[ -n "$theirs" ] || [ -z "$2" ] || theirs="0 $length crypt $2"
	if [ -z "$theirs" ]; then
		skip "$1" "dm-crypt of this kernel refuses it as well"
		[ -z "$ours" ] || diag "ours: $ours"
	else
		is "$ours" "$theirs" "$1"
	fi
}

is "$(stat -c %a:%u "$show_keys")" 600:0 "show_keys is for root only"
is "$(cat "$show_keys")" N "and off"
xts=$(test_key 64)
zeros=$(echo "$xts" | tr 1-9a-f 0)
is "$(echoed inline-crypt "aes-xts-plain64 $xts 0 $loop 0")" \
	"0 $length inline-crypt aes-xts-plain64 $zeros 0 $devno 0" \
	"a raw key is printed as zeros of the same length"
echo 1 > "$show_keys"
is "$(echoed inline-crypt "aes-xts-plain64 $xts 0 $loop 0")" \
	"0 $length inline-crypt aes-xts-plain64 $xts 0 $devno 0" \
	"with show_keys=1 as it is"

# Cipher specifications
k16=$(test_key 16)
k24=$(test_key 24)
k32=$(test_key 32)
for args in "aes $k32" "aes-plain $k32" "aes-cbc-plain $k16" "aes-cbc-plain64 $k24" \
	"aes-cbc-plain64be $k32" "aes-cbc-essiv:sha256 $k32" "aes-cbc-benbi $k32" \
	"aes-cbc-null $k32" "aes-ecb $k32" "aes-ecb-plain64 $k32" "aes-xts-plain64 $k32" \
	"aes:2-cbc-plain64 $xts" "aes:1-cbc-plain64 $k32" "capi:xts(aes)-plain64 $xts" \
	"capi:cbc(aes)-essiv:sha256 $k32" "capi:essiv(cbc(aes),sha256)-plain64 $k32" \
	"capi:ecb(aes) $k32" "cipher_null-ecb -"; do
	same_as_crypt "$args 0 $loop 0"
done

# Numbers, the device by number
same_as_crypt "aes-xts-plain64 $xts 18446744073709551615 $loop 0"
same_as_crypt "aes-xts-plain64 $xts 4294967296 $devno 0"
same_as_crypt "aes-xts-plain64 $xts 0 $loop 0 0"
upper=$(echo "$xts" | tr a-f A-F)
same_as_crypt "aes-xts-plain64 $upper 0 $loop 0"
same_as_crypt "aes-xts-plain64 ${xts}a 0 $loop 0"

# Thousands of keys, in lines of 128 KiB
key=$k16
for _ in $(seq 12); do
	key=$key$key
done
same_as_crypt "aes:4096-cbc-plain64 $key 0 $loop 0" | cut -c 1-80
same_as_crypt "cipher_null:65536-ecb - 0 $loop 0"

# Options: one by one, and out of order to see them put in order
line="aes-xts-plain64 $xts 8 $loop 0"
out="aes-xts-plain64 $xts 8 $devno 0"
for option in allow_discards same_cpu_crypt high_priority submit_from_crypt_cpus \
	no_read_workqueue no_write_workqueue sector_size:512 sector_size:1024 \
	sector_size:4096 iv_large_sectors ALLOW_DISCARDS; do
	same_as_crypt "$line 1 $option" "$out 1 $option"
done
same_as_crypt "$line 2 allow_discards allow_discards"
same_as_crypt "$line 1 allow_discards sector_size:4096 no_such_option"
same_as_crypt "$line 0 allow_discards"
same_as_crypt "$line 2 iv_large_sectors sector_size:4096"
same_as_crypt \
	"$line 7 iv_large_sectors sector_size:2048 no_write_workqueue no_read_workqueue submit_from_crypt_cpus same_cpu_crypt allow_discards"
is "$(echoed inline-crypt "$line 8 iv_large_sectors sector_size:2048 no_write_workqueue no_read_workqueue submit_from_crypt_cpus high_priority same_cpu_crypt allow_discards")" \
	"0 $length inline-crypt $out 8 allow_discards same_cpu_crypt high_priority submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:2048 iv_large_sectors" \
	"all of dm-crypt's options, in its order"

# Options of our own come last, and only if they are not the default
is "$(echoed inline-crypt "$line 3 write_context:caller read_context:endio allow_discards")" \
	"0 $length inline-crypt $out 3 allow_discards read_context:endio write_context:caller" \
	"our own options come last"
is "$(echoed inline-crypt "$line 2 read_context:auto write_context:auto")" \
	"0 $length inline-crypt $out" "and not at all when they are the default"

# The table that the kernel prints can be loaded again
table=$(echoed inline-crypt "$line 2 sector_size:4096 read_context:workqueue")
check "a printed line loads" dm_create again "$table"
is "$(dmsetup table again)" "$table" "and prints as itself"

# Keyring keys by reference
requires_command keyctl
xxd -r -p << END | keyctl padd logon lab:table @u > /dev/null || bail "no logon key"
$xts
END
same_as_crypt "aes-xts-plain64 :64:logon:lab:table 0 $loop 0"
echo 0 > "$show_keys"
same_as_crypt "aes-xts-plain64 :64:logon:lab:table 0 $loop 0"
