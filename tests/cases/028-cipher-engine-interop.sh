# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: dm-crypt reads data of the cipher engine, the engine reads data of dm-crypt, and so with the engine off
# kernels: oldest newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 4
random_file one 1
# Other data for each, so that none finds the data of another
head -c 131072 one > units
tail -c 131072 one > api
# An odd number of sectors
head -c 36352 one > odd
k16=$(test_key 16)
k24=$(test_key 24)
k32=$(test_key 32)
k64=$(test_key 64)

# both_ways ARGUMENTS... - up to the key, then iv_offset and options
both_ways() {
	text=$(echo "$*" | sed "s/ [0-9a-f]\{32,\} / /")
	args="$1 $2 $3 $loop 0"
	shift 3
	dm_create theirs "0 2048 crypt $args${1:+ $# $*}" || bail "dm-crypt refuses: $text"
	for engine in units api; do
		dm_create ours "0 2048 inline-crypt $args $(($# + 1)) $* cipher_engine:$engine" ||
			bail "refused: $text"
		{
			rw write /dev/mapper/theirs 65536 $engine
			rw compare /dev/mapper/ours 65536 $engine
			rw write /dev/mapper/ours 524288 $engine
			rw compare /dev/mapper/theirs 524288 $engine
			rw compare /dev/mapper/ours 524288 $engine
			case "$*" in
			*sector_size*) ;;
			*)
				rw write /dev/mapper/ours 1536 odd
				rw compare /dev/mapper/theirs 1536 odd
				rw compare /dev/mapper/ours 1536 odd ;;
			esac
		} > out 2>&1
		is "$(cat out)" "" "$engine: $text"
		dm_remove ours
	done
	dm_remove theirs
}

for iv in plain plain64 plain64be null; do
	both_ways aes-xts-$iv "$k64" 4294967288
	both_ways aes-cbc-$iv "$k16" 4294967288
done
both_ways aes-xts-plain64 "$k32" 0
for size in 1024 2048 4096; do
	both_ways aes-xts-plain64 "$k64" 4294967288 sector_size:$size
	both_ways aes-xts-plain64 "$k64" 8 sector_size:$size iv_large_sectors
	both_ways aes-cbc-essiv:sha256 "$k32" 8 sector_size:$size
done
both_ways aes-xts-plain64 "$k64" 18446744073709551608
both_ways aes-cbc-essiv:sha256 "$k16" 0
both_ways aes-cbc-essiv:sha256 "$k24" 4294967288
both_ways aes-cbc-essiv:md5 "$k32" 0
both_ways aes-cbc-benbi "$k24" 0
