# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: plain and loop-AES with unmodified cryptsetup on takeover=1, and the same volumes on dm-crypt; inline-crypt-switch
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

requires_command cryptsetup
printf 'lab passphrase' > pass
test_key 64 | xxd -r -p > key
# loop-AES: 64 keys of text take turns, a 65th is the seed of the IVs
seq -w 65 | sed 's/^/loop-AES pattern, line /' > keys65
head -n 64 keys65 > keys64

cat > volumes << 'END'
xts --type plain --cipher aes-xts-plain64 --key-size 512 --key-file key
xts4k --type plain --cipher aes-xts-plain64 --key-size 512 --key-file key --sector-size 4096 --iv-large-sectors --offset 2048 --skip 8 --size 8192
hashed --type plain --cipher aes --key-size 256 --hash sha256 --perf-no_read_workqueue --allow-discards
null --type plain --cipher null --key-size 0 --hash plain
loopaes2 --type loopaes --key-size 128 --key-file keys64
loopaes3 --type loopaes --key-size 256 --key-file keys65 --offset 8
END

make_volume() {
	make_loop dev 8
}

look() {
	:
}

both_serve
switch_volumes hashed loopaes2 loopaes3
