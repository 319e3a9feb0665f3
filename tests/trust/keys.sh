# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: in a dump of the whole machine nothing of a key is left after key wipe, luksSuspend, removal and failures
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# Started by tests/trust/keys, which answers. The keys are made of seeds, see
# tests/tools/keymem.c; the program leaves no copy.

modprobe -a virtio_pci virtio_blk
[ -b /dev/vdb ] || bail "no mailbox"
echo 0 > /run/request

# find_key SEED... - what of these the host finds in a dump of this machine's memory
find_key() {
	# In a file, as this runs in subshells
	request=$(($(cat /run/request) + 1))
	echo $request > /run/request
	echo "$request $*" | dd of=/dev/vda bs=512 conv=sync,notrunc oflag=direct 2> /dev/null
	for _ in $(seq 600); do
		sleep 0.2
		_answer=$(dd if=/dev/vda bs=512 skip=8 count=1 iflag=direct 2> /dev/null | tr -d '\0')
		[ "${_answer%% *}" != $request ] || break
	done
	echo "${_answer#* }"
}

gone() {
	_text=$1
	shift
	is "$(find_key "$@")" "raw 0 hex 0 round 0" "$_text: nothing of the key is left"
}

if [ -e /with/volume-key ]; then
	# The first of two guests: what it knows is gone with it.
	printf 'lab passphrase' > pass
	check "a volume with a known key" luks_format /dev/vdb --type luks2 --sector-size 512 \
		--luks2-keyslots-size 512k --key-size 512 --volume-key-file /with/volume-key
	sync
	exit 0
fi

make_loop loop 8
modprobe dm-inline-crypt || bail "no module"
random_file data 1
xts="aes-xts-plain64 KEY64 0"

while read -r seed engine; do
	keymem create "$seed" ours 16384 inline-crypt "$xts $loop 0 1 cipher_engine:$engine" ||
		bail "no device"
	dmsetup mknodes ours
	rw write /dev/mapper/ours 0 data
	like "$(find_key "$seed")" '^raw [1-9][0-9]* hex 0 round [1-9]' \
		"$engine: in use: key and schedule are found, its digits are not"
	dmsetup suspend ours
	dmsetup message ours 0 key wipe
	gone "$engine: key wipe" "$seed"
	keymem message $((seed + 1)) ours "key set KEY64"
	dmsetup resume ours
	check "$engine: another key works" rw write /dev/mapper/ours 0 data
	dm_remove ours
	gone "$engine: removal" "$seed" $((seed + 1))
done <<-END
	1 auto
	5 api
END

# Constructors and messages that fail
for args in "$xts $loop 0 1 no_such_option" "aes-sideways-plain64 KEY64 0 $loop 0" \
	"aes-cbc-plain64 KEY64 0 $loop 0" "$xts /dev/missing 0" "aes-xts-random KEY64 0 $loop 0" \
	"KEY64 aes-xts-plain64 0 $loop 0"; do
	keymem create 20 bad 16384 inline-crypt "$args" 2> /dev/null && dm_remove bad
done
gone "tables that were refused" 20

# cryptsetup-suspend's way
printf 'lab passphrase' > pass
rmmod dm-inline-crypt
while read -r who option; do
	serve "$who"
	# shellcheck disable=SC2086  # nothing or one word
	check "$who: open" cs open $option --key-file pass /dev/vdb vol || bail "no volume"
	rw write /dev/mapper/vol 0 data
	like "$(find_key 99)" 'raw [1-9]' "$who, LUKS, in use: the key is found"
	check "$who: luksSuspend" cs luksSuspend vol
	if [ "$who" = ours ]; then
		gone "$who, luksSuspend ${option:-with a keyring}" 99
	else
		diag "$who, luksSuspend: $(find_key 99)"
	fi
	check "$who: luksResume" cs luksResume --key-file pass vol
	check "$who: the data" rw compare /dev/mapper/vol 0 data
	cs close vol
	if [ "$who" = ours ]; then
		gone "$who, close" 99
	else
		diag "$who, close: $(find_key 99)"
	fi
done <<-END
	ours
	ours --disable-keyring
	theirs
END
