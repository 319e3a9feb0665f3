# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: takeover=1: we are "crypt", with dm-crypt's version and tables, as long as it is not there
# kernels: oldest 6.12 newest smoke
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 8
length=8192
devno=$(cat "/sys/block/$(disk_name "$loop")/dev")
key=$(test_key 64)

# version TARGET - as dm reports it, "" if there is none
version() {
	dmsetup targets | sed -n "s/^$1  *v//p"
}

# tables FILE - record the table and the IMA status of each line of the list, keys included
tables() {
	while read -r line; do
		if dm_create try "0 $length crypt $line" 2> /dev/null; then
			dmsetup table --showkeys try
			# Without --showkeys dmsetup hides the key itself
			dmsetup table try
			dmsetup measure try
			dm_remove try
		else
			echo "refused: $line"
		fi
	done < lines > "$1"
}

# dm-crypt first: its answers are the expected ones
requires_module dm-crypt
theirs=$(version crypt)
like "$theirs" '^1\.[0-9]+\.0$' "dm-crypt has a version: $theirs"
xxd -r -p << END | keyctl padd logon lab:takeover @u > /dev/null || bail "no logon key"
$key
END
cat > lines << END
aes-xts-plain64 $key 0 $loop 0
aes-xts-plain64 $key 4294967296 $devno 8
aes-cbc-essiv:sha256 $(test_key 32) 0 $loop 0
aes-cbc-plain $(test_key 16) 0 $loop 0
capi:xts(aes)-plain64 $key 0 $loop 0 1 allow_discards
aes:2-cbc-plain64 $key 0 $loop 0
cipher_null-ecb - 0 $loop 0
aes-xts-plain64 :64:logon:lab:takeover 0 $loop 0
aes-xts-plain64 :64:logon:lab:missing 0 $loop 0
aes-xts-plain64 $key 8 $loop 0 1 sector_size:4096
aes-xts-plain64 $key 8 $loop 0 2 iv_large_sectors sector_size:4096
aes-xts-plain64 $key 0 $loop 0 1 sector_size:512
aes-xts-plain64 $key 0 $loop 0 5 no_write_workqueue no_read_workqueue submit_from_crypt_cpus same_cpu_crypt allow_discards
aes-xts-plain64 $key 0 $loop 0 1 no_such_option
END
if kernel_at_least 6.12; then
	echo "aes-xts-plain64 $key 0 $loop 0 2 allow_discards high_priority" >> lines
fi
if have_kernel_config BLK_DEV_ZONED; then
	make_null_blk zoned memory_backed=1 size=32 zoned=1 zone_size=4
	# dm-crypt adds an option here that nobody asked for
	echo "aes-xts-plain64 $key 0 $zoned 0 1 allow_discards" >> lines
fi
make_loop tags_loop 16
make_loop tags_4096_loop 16
make_integrity tags "$tags_loop" 48 D
make_integrity tags_4096 "$tags_4096_loop" 48 D 4096
for type in logon user; do
	xxd -r -p << END | keyctl padd $type lab:lines @u > /dev/null || bail "no key"
$key
END
done
option_lines "$loop" "$tags" "$tags_4096" >> lines
tables expected

# It is there: no takeover
kmsg_mark
check_not "no takeover while dm-crypt has the name" modprobe dm-inline-crypt takeover=1
like "$(kmsg)" 'inline-crypt: cannot register the target "crypt": another module provides it' "the kernel log says why"
like "$(kmsg)" 'takeover: run "rmmod dm-crypt" first, or load without' "the log says what to do"
check_not "we are not loaded" loaded dm-inline-crypt
is "$(version crypt)" "$theirs" "dm-crypt still is"
check "without takeover we load beside it" modprobe dm-inline-crypt
is "$(version crypt) $(version inline-crypt)" "$theirs 1.0.0" "two targets"
is "$(cat /sys/module/dm_inline_crypt/parameters/takeover)" N "takeover is off"
check "and go" rmmod dm-inline-crypt
check "dm-crypt goes" rmmod dm-crypt

# We take over
check "takeover" modprobe dm-inline-crypt takeover=1
is "$(cat /sys/module/dm_inline_crypt/parameters/takeover)" Y "takeover is on"
is "$(stat -c %a:%u /sys/module/dm_inline_crypt/parameters/takeover)" 444:0 "and cannot be changed"
is "$(version crypt)" "$theirs" "the version is dm-crypt's"
is "$(version inline-crypt)" "" "the other name is not there"
check_not "nor can it be used" dm_create try "0 $length inline-crypt $(head -n 1 lines)"
check_not "dm-crypt was not loaded for us" loaded dm-crypt
tables ours
diff expected ours | sed "s/^/# /"
check "tables are printed and measured as by dm-crypt, byte for byte" diff ours expected
is "$(grep -c refused expected)" 3 "three of them are refused by both" || grep refused expected
is "$(grep -c " crypt target_name=crypt,target_version=$theirs,allow_discards=" ours)" \
	"$(($(wc -l < lines) - 3))" "each was measured, as dm-crypt of this version"
modprobe dm-crypt 2> /dev/null
check_not "dm-crypt cannot be loaded now" loaded dm-crypt

# A device: the status has the counters, the keys are hidden
dm_create secret "0 $length crypt $(head -n 1 lines)" || bail "no device"
head -c 65536 /dev/urandom > data
check "written" rw write /dev/mapper/secret 65536 data
check "read" rw compare /dev/mapper/secret 65536 data
like "$(dmsetup status secret)" "^0 $length crypt r_caller=[0-9]+ r_endio=" "the status has our counters"
is_at_least "$(counter secret w_caller)" 1 "they count"
is "$(dmsetup table secret | cut -d' ' -f5)" "$(echo "$key" | tr 1-9a-f 0)" "dmsetup hides the key"
is "$(dmsetup table --showkeys secret | cut -d' ' -f5)" "$key" "and shows it when asked"
check "suspend" dmsetup suspend secret
check "key wipe" dmsetup message secret 0 key wipe
is "$(dmsetup table --showkeys secret | cut -d' ' -f5)" "$(echo "$key" | tr 1-9a-f 0)" "wiped, it is zeros"
check "key set" dmsetup message secret 0 key set "$key"
check "resume" dmsetup resume secret
check_not "we cannot go while it is in use" rmmod dm-inline-crypt
dm_remove secret

# And back
check "we go" rmmod dm-inline-crypt
is "$(version crypt)" "" "nobody has the name"
dm_create secret "0 $length crypt $(head -n 1 lines)" || bail "dm-crypt does not load by itself"
check "a request for the target loads dm-crypt" loaded dm-crypt
check "dm-crypt reads the data that we wrote" rw compare /dev/mapper/secret 65536 data
dm_remove secret
