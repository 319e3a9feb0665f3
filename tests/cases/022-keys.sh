# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: keyring keys, key set and key wipe
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 8
random_file data 1
key=$(test_key 64)
modprobe dm-inline-crypt || bail "no module"
show_keys=/sys/module/dm_inline_crypt/parameters/show_keys

# table KEY, crypt_with KEY - a line of ours, of dm-crypt
table() {
	echo "0 16384 inline-crypt aes-xts-plain64 $1 0 $loop 0"
}

# reads_back NAME - does the device give the data?
reads_back() {
	drop_caches
	cmp -n 1048576 data "/dev/mapper/$1"
}

# refused REASON TEXT COMMAND... - it fails, and the kernel's log says why
refused() {
	_reason=$1
	_refused=$2
	shift 2
	kmsg_mark
	check_not "$_refused" "$@"
	like "$(kmsg)" "device-mapper: .*$_reason" "$_refused: with a message"
}

# --- messages
make_crypt ours "$loop"
check "written" dd if=data of=/dev/mapper/ours bs=64k oflag=direct
refused "only while the device is suspended" "no key wipe while active" dmsetup message ours 0 key wipe
refused "only while the device is suspended" "no key set while active" dmsetup message ours 0 key set "$key"
check "the data is there" reads_back ours
check "suspend" dmsetup suspend ours
for message in "key" "key set" "key wipe now" "key set $key $key" "keys wipe" "key forget"; do
	# shellcheck disable=SC2086  # to be split
	refused 'unknown message, use "key set' "no message \"$message\"" dmsetup message ours 0 $message
done
refused "key set: The key size may not be changed" "no key of another size" \
	dmsetup message ours 0 key set "$(test_key 32)"
refused "key set: The key size may not be changed" "no key with half a byte" \
	dmsetup message ours 0 key set "${key%?}"
refused "key set: The key size may not be changed" "no keyring key of another size" \
	dmsetup message ours 0 key set :32:logon:lab:x
refused "key set: Key not found in the kernel keyring" "no keyring key that is not there" \
	dmsetup message ours 0 key set :64:logon:lab:missing
check "resume" dmsetup resume ours
check "a refused key leaves the old one" reads_back ours

# The one that does not, with dm-crypt as well
dmsetup suspend ours
refused "key set: Key is not hexadecimal" "no key that is not hexadecimal" \
	dmsetup message ours 0 key set "${key%?}g"
refused "no key, set one" "after which there is none" dmsetup resume ours
check "key set" dmsetup message ours 0 key set "$key"
check "resume" dmsetup resume ours
check "the data reads again" reads_back ours

dmsetup suspend ours
check "key wipe" dmsetup message ours 0 key wipe
echo 1 > "$show_keys"
is "$(dmsetup table ours | cut -d' ' -f5)" "$(echo "$key" | tr 1-9a-f 0)" "a wiped key is zeros, even shown"
refused "no key, set one" "no resume without a key" dmsetup resume ours
is "$(dmsetup info -c --noheadings -o suspended ours)" Suspended "it stays suspended"
check "key set" dmsetup message ours 0 key set "$key"
is "$(dmsetup table ours | cut -d' ' -f5)" "$key" "the new key is shown"
check "resume" dmsetup resume ours
check "the data reads again" reads_back ours
dmsetup suspend ours
check "another key" dmsetup message ours 0 key set "$(test_key 64 100)"
dmsetup resume ours
check_not "gives something else" reads_back ours
dm_remove ours
echo 0 > "$show_keys"

# --- keyring
requires_command keyctl
add_key() { # TYPE NAME HEX
	echo "$3" | xxd -r -p | keyctl padd "$1" "$2" @u
}
for type in logon user; do
	id=$(add_key $type lab:x "$key")
	check "a table with a $type key" dm_create ours "$(table ":64:$type:lab:x")"
	check "has the same data" reads_back ours
	keyctl unlink "$id" @u > /dev/null
	check "and needs it no longer" reads_back ours
	dm_remove ours
	refused "Key not found in the kernel keyring" "but to set up again" dm_create ours "$(table ":64:$type:lab:x")"
done
id=$(add_key logon lab:short "$(test_key 32)")
refused "Key in the keyring does not have the size" "a keyring key of another size" \
	dm_create ours "$(table :64:logon:lab:short)"
id=$(add_key logon lab:revoked "$key")
keyctl revoke "$id"
refused "Key in the keyring is revoked" "a revoked key" dm_create ours "$(table :64:logon:lab:revoked)"

# From hex to keyring and back, live
add_key logon lab:y "$key" > /dev/null
make_crypt ours "$loop"
dmsetup suspend ours
dmsetup message ours 0 key wipe
check "key set from the keyring" dmsetup message ours 0 key set :64:logon:lab:y
dmsetup resume ours
is "$(dmsetup table ours | cut -d' ' -f5)" ":64:logon:lab:y" "is printed by reference"
check "and is the key" reads_back ours
dmsetup suspend ours
dmsetup message ours 0 key wipe
like "$(dmsetup table ours | cut -d' ' -f5)" '^0{128}$' "wiped, there is no reference"
check "key set" dmsetup message ours 0 key set "$key"
dmsetup resume ours
check "is the key again" reads_back ours
dm_remove ours

# The commands of README.md, under sudo, in a session whose keyring a login has made
# (pam_keyinit: root's user keyring is not in it), and without one
if [ -e /with/README.md ]; then
	awk '/^```/ { if (found) print block; inside = !inside; found = 0; block = ""; next }
		inside { block = block $0 "\n" }
		/keyctl/ { found = 1 }' /with/README.md |
		sed "/apt-get/d; /dmsetup remove/d; s,/dev/sdX,$loop,g" > recipe
	mkdir bin
	printf '#!/bin/sh\nexec "$@"\n' > bin/sudo
	chmod +x bin/sudo
	for session in "" "keyctl session -"; do
		# shellcheck disable=SC2086  # to be split
		check "README${session:+ in a session}: it is set up" env PATH="$PWD/bin:$PATH" $session sh -ex recipe
		is "$(stat -c '%s %a' key.bin)" "64 600" "its key is for one user"
		check "written" dd if=data of=/dev/mapper/secret bs=64k oflag=direct
		check "and removed" dm_remove secret
		check_not "the key is in no keyring then" keyctl request logon disk:key
		dm_create theirs "0 16384 crypt aes-xts-plain64 $(xxd -p key.bin | tr -d '\n') 0 $loop 0"
		check "dm-crypt has the same data" reads_back theirs
		dm_remove theirs
	done
else
	skip "the lines of README.md" "it is not here"
fi

# Encrypted keys: the kernel makes them up, so dm-crypt tells
if have_kernel_config ENCRYPTED_KEYS; then
	add_key user lab:master "$(test_key 32)" > /dev/null
	keyctl add encrypted lab:enc "new user:lab:master 64" @u > /dev/null || diag "no encrypted key"
	line="0 16384 crypt aes-xts-plain64 :64:encrypted:lab:enc 0 $loop 0"
	check "dm-crypt with an encrypted key" dm_create theirs "$line"
	check "ours" dm_create ours "$(table :64:encrypted:lab:enc)"
	dd if=data of=/dev/mapper/theirs bs=64k oflag=direct 2> /dev/null
	check "same key" reads_back ours
	dm_remove theirs
	dm_remove ours
else
	skip "encrypted keys" "kernel without them"
fi
# Nor are these told to anybody; the TPM gives them back to the kernel alone
if have_kernel_config TRUSTED_KEYS; then
	check "a trusted key is made" keyctl add trusted lab:tr "new 64 keyhandle=0x81000001" @u
	line="0 16384 crypt aes-xts-plain64 :64:trusted:lab:tr 0 $loop 0"
	check "dm-crypt with a trusted key" dm_create theirs "$line"
	check "ours" dm_create ours "$(table :64:trusted:lab:tr)"
	dd if=data of=/dev/mapper/theirs bs=64k oflag=direct 2> /dev/null
	check "same key" reads_back ours
	check_not "a size that is not the key's" dm_create bad "$(table :32:trusted:lab:tr)"
	dm_remove theirs
	dm_remove ours
else
	skip "trusted keys" "kernel without them"
	check_not "refused without" dm_create ours "$(table :64:trusted:lab:tr)"
fi

# --- formats that keep more of the key than the transforms do
make_integrity int "$loop" 16 D
while read -r spec bytes below option; do
	[ "$below" = integrity ] && dev=$int || dev=$loop
	line() {
		echo "0 2048 inline-crypt $spec $1 0 $dev 0 ${option:+1 $option}"
	}
	dm_create ours "$(line "$(test_key "$bytes")")" || bail "no $spec"
	check "$spec: written" dd if=data of=/dev/mapper/ours bs=64k oflag=direct
	dmsetup suspend ours
	check "$spec: key wipe" dmsetup message ours 0 key wipe
	check_not "$spec: no resume without a key" dmsetup resume ours
	check "$spec: another key" dmsetup message ours 0 key set "$(test_key "$bytes" 100)"
	dmsetup resume ours
	check_not "$spec: gives something else, or an error" reads_back ours
	dmsetup suspend ours
	check "$spec: key set" dmsetup message ours 0 key set "$(test_key "$bytes")"
	dmsetup resume ours
	check "$spec: the data reads again" reads_back ours
	dm_remove ours
done <<-END
	aes-cbc-tcw 64 loop
	aes-cbc-elephant 32 loop
	aes-cbc-eboiv 32 loop
	aes:2-cbc-lmk 48 loop
	capi:authenc(hmac(md5),xts(aes))-plain64 48 integrity integrity:16:aead
END
dm_remove "${int##*/}"

is "$(dmesg | grep -ci "$(echo "$key" | cut -c 1-32)")" 0 "no key in the kernel log"
