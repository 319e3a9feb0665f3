# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: online reencryption, interrupted and resumed on either module; encryption and decryption in place
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

requires_command cryptsetup
printf 'lab passphrase' > pass
random_file data 8

# reencrypt DEVICE [option...] - by pieces of 1 MiB
reencrypt() {
	_device=$1
	shift
	cs reencrypt --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--hotzone-size 1M "$@" "$_device"
}

# interrupt DEVICE [option...] - kill it when a part is done; fails if it was faster
#
# If the overlay has several lines, the first is the part that is done.
interrupt() {
	reencrypt "$@" > reencrypt.out 2>&1 &
	_pid=$!
	for _ in $(seq 1200); do
		_done=$(dmsetup table vol-overlay 2> /dev/null |
			awk 'NR == 1 { done = $2 } END { if (NR > 1) print done }')
		[ "${_done:-0}" -lt 4096 ] || break
		kill -0 $_pid 2> /dev/null || break
		sleep 0.05
	done
	kill -KILL $_pid
	wait $_pid 2> /dev/null
	[ $? = 137 ] && [ "${_done:-0}" -ge 4096 ]
}

# take_down - leave the state of a crash: the volume may be suspended, on top of others
take_down() {
	for _ in 1 2 3 4 5 6; do
		dmsetup ls --noheadings 2> /dev/null | grep -q '^vol' || return 0
		for _name in $(dmsetup ls | grep -o '^vol[^[:space:]]*'); do
			dmsetup info -c --noheadings -o suspended "$_name" | grep -q Suspended &&
				dmsetup wipe_table "$_name"
			dmsetup remove "$_name" 2> /dev/null
		done
	done
	return 1
}

make_loop loop 12
serve ours
check "luksFormat" luks_format "$loop" --type luks2 --luks2-keyslots-size 1M --sector-size 512 ||
	bail "no volume"
check "open" cs open --key-file pass "$loop" vol
check "write" rw write /dev/mapper/vol 0 data

# All at once, while in use
busy() {
	until [ -e stop ]; do
		fio_verify /dev/mapper/vol --name=busy --offset=8M --size=1M --bsrange=4k-64k --direct=1 \
			--ioengine=libaio --iodepth=4 --verify_backlog=16 || return
	done
}
busy > busy.out 2>&1 &
busy=$!
check "reencrypt online" reencrypt "$loop" --cipher aes-cbc-essiv:sha256 --key-size 256 --resilience checksum
touch stop
check "every block was right all the time" wait $busy
like "$(dmsetup table vol)" '^0 [0-9]* crypt aes-cbc-essiv:sha256 :32:' "it has the new cipher"
is "$(served_by vol)" ours "it is ours"
check "data is the same" rw compare /dev/mapper/vol 0 data

# Killed on the way; dm-crypt goes on, is killed as well, and we finish
check "reencrypt, killed" interrupt "$loop" --cipher aes-xts-plain64 --key-size 512 --resilience journal
check "everything is taken down" take_down
like "$(cs luksDump "$loop")" 'online-reencrypt' "the header says so"
serve theirs
check "dm-crypt: repair" cs repair --key-file pass "$loop"
check "dm-crypt: open" cs open --key-file pass "$loop" vol
is "$(dmsetup table vol | grep -c ' crypt ')" 2 "it is in parts"
check "dm-crypt: data is there" rw compare /dev/mapper/vol 0 data
check "dm-crypt: resume, killed" interrupt "$loop" --resume-only
check "everything is taken down" take_down
serve ours
check "open recovers" cs open --key-file pass "$loop" vol
check "data is there" rw compare /dev/mapper/vol 0 data
if cs luksDump "$loop" | grep -q online-reencrypt; then
	check "resume" reencrypt "$loop" --resume-only
else
	skip "resume" "killed in the last part, which opening has finished"
fi
like "$(dmsetup table vol)" '^0 [0-9]* crypt aes-xts-plain64 :64:' "it has the new cipher"
check "data is there" rw compare /dev/mapper/vol 0 data
check "close" cs close vol
serve theirs
check "dm-crypt: open" cs open --key-file pass "$loop" vol
check "dm-crypt: data is there" rw compare /dev/mapper/vol 0 data
check "close" cs close vol

# Plain text becomes a volume
make_loop raw 12
serve ours
rw write "$raw" 0 data
check "encrypt in place" cs reencrypt --encrypt --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	--luks2-keyslots-size 1M --reduce-device-size 4M "$raw"
check "open" cs open --key-file pass "$raw" vol
check "data is there" rw compare /dev/mapper/vol 0 data
check "close" cs close vol
serve theirs
check "dm-crypt: open" cs open --key-file pass "$raw" vol
check "dm-crypt: data is there" rw compare /dev/mapper/vol 0 data
check "close" cs close vol
serve ours
check "decrypt" cs reencrypt --decrypt --key-file pass --header header "$raw"
check "data is there" rw compare "$raw" 0 data
