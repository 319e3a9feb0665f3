# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: inline-crypt reads data that dm-crypt wrote, and dm-crypt reads data that inline-crypt wrote
# kernels: oldest 6.12 newest smoke
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 4
random_file one 1
head -c 262144 one > data
k16=$(test_key 16)
k24=$(test_key 24)
k32=$(test_key 32)
k48=$(test_key 48)
k64=$(test_key 64)
k256=$(test_key 128)$(test_key 128 100)
tried=0

# both_ways ARGUMENTS... - up to the key, then iv_offset, start and options
both_ways() {
	text=$(echo "$*" | sed "s/ [0-9a-f]\{32,\} / /")
	args="$1 $2 $3 $loop $4"
	shift 4
	args="$args${1:+ $# $*}"
	# The same lower device for both, and they do not look at the same time.
	if ! dm_create theirs "0 2048 crypt $args" 2> /dev/null; then
		skip "$text" "dm-crypt of this kernel refuses it as well"
		return
	fi
	if ! dm_create ours "0 2048 inline-crypt $args" 2> /run/check.out; then
		not_ok "$text"
		diag "refused: $(cat /run/check.out)"
		dm_remove theirs
		return
	fi
	tried=$((tried + 1))
	rw write /dev/mapper/theirs 65536 data > out 2>&1 &&
		rw compare /dev/mapper/ours 65536 data >> out 2>&1
	from_them=$?
	rw write /dev/mapper/ours 524288 data >> out 2>&1 &&
		rw compare /dev/mapper/theirs 524288 data >> out 2>&1
	to_them=$?
	is "$from_them $to_them $(cat out)" "0 0 " "$text"
	dm_remove theirs
	dm_remove ours
}

for large in '' iv_large_sectors; do
	both_ways aes-xts-plain64 "$k64" 0 0 $large
	for size in 1024 2048 4096; do
		# shellcheck disable=SC2086
		both_ways aes-xts-plain64 "$k64" 0 0 sector_size:$size $large
	done
done
both_ways aes-xts-plain64 "$k64" 4294967290 0
both_ways aes-xts-plain64 "$k64" 0 2048
both_ways aes-xts-plain64 "$k64" 7 33
both_ways aes-xts-plain64 "$k64" 16 4096 sector_size:4096 iv_large_sectors

for iv in plain plain64 plain64be benbi null essiv:sha256; do
	both_ways "aes-cbc-$iv" "$k32" 0 0
	both_ways "aes-cbc-$iv" "$k32" 4294967288 8 sector_size:4096
done
both_ways aes "$k32" 0 0
both_ways aes-ecb "$k32" 0 0
both_ways cipher_null-ecb - 0 0

# Ciphers that OpenSSL lacks
both_ways aes-lrw-benbi "$k48" 0 0
both_ways aes-lrw-benbi "$k48" 8 0 sector_size:4096
both_ways twofish-lrw-benbi "$k32" 0 0
both_ways serpent-xts-plain64 "$k64" 0 0
both_ways serpent-cbc-essiv:sha256 "$k32" 0 0
both_ways twofish-xts-plain64 "$k64" 0 0
both_ways twofish-cbc-plain "$k16" 0 0
both_ways camellia-xts-plain64 "$k64" 0 0
both_ways cast6-cbc-plain64 "$k32" 0 0
both_ways blowfish-cbc-plain64 "$k16" 0 0
both_ways des3_ede-cbc-plain64 "$k24" 0 0
both_ways aes-pcbc-plain64 "$k32" 0 0
both_ways aes-ctr-plain64 "$k32" 0 0
both_ways 'capi:cts(cbc(aes))-plain64' "$k32" 0 0
both_ways 'capi:adiantum(xchacha12,aes)-plain64' "$k32" 0 0 sector_size:4096
both_ways 'capi:adiantum(xchacha20,aes)-plain64' "$k32" 0 0
both_ways 'capi:hctr2(aes)-plain64' "$k32" 0 0 sector_size:4096
both_ways 'capi:xts(ecb(aes-generic))-plain64' "$k64" 0 0

# Several keys that take turns by sector
both_ways aes:2-cbc-plain64 "$k64" 0 0
both_ways aes:2-xts-plain64 "$k64" 1 0
both_ways aes:4-xts-plain64 "$k256" 0 0
both_ways aes:4-xts-plain64 "$k256" 8 0 sector_size:4096
both_ways aes:4-xts-plain64 "$k256" 8 0 sector_size:4096 iv_large_sectors
both_ways aes:2-cbc-essiv:sha256 "$k64" 0 0

# Formats of other systems: the IV is of the data, the key or the cipher
k1024=''
for _ in 1 2 3 4 5 6 7 8; do
	k1024=$k1024$(test_key 128)
done
both_ways aes:64-cbc-lmk "$k1024" 0 0
both_ways aes:64-cbc-lmk "$k1024" 5 0
both_ways aes:64-cbc-lmk "$k1024$k16" 0 0
both_ways capi:cbc\(aes\)-lmk "$k1024$k16" 4294967290 0
both_ways aes-cbc-lmk "$k16" 0 0
both_ways aes-cbc-tcw "$k64" 0 0
both_ways aes-cbc-tcw "$k64" 4294967290 0
both_ways blowfish-cbc-tcw "$k48" 0 0
both_ways aes-cbc-eboiv "$k32" 0 0
both_ways aes-cbc-eboiv "$k32" 0 0 sector_size:4096
both_ways aes-cbc-eboiv "$k32" 8 0 sector_size:4096 iv_large_sectors
both_ways aes-xts-eboiv "$k64" 0 0
both_ways blowfish-cbc-eboiv "$k16" 0 0
both_ways aes-cbc-elephant "$k32" 0 0
both_ways aes-cbc-elephant "$k64" 4294967290 0
both_ways aes-cbc-elephant "$k64" 8 0 sector_size:4096
both_ways aes-cbc-elephant "$k64" 8 0 sector_size:4096 iv_large_sectors

is_at_least $tried 45 "dm-crypt takes most of them here"
