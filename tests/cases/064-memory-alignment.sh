# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: memory is aligned to the block below, or as for dm-crypt, or as the device says
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

modprobe dm-inline-crypt || bail "no module"
parameter=/sys/module/dm_inline_crypt/parameters/memory_alignment
random_file data 1

# try WHAT TEXT SHIFT OPTION... - memory at SHIFT on $dev: WHAT is "taken" or "refused"
try() {
	what=$1 text=$2 shift=$3
	shift 3
	make_crypt ours "$dev" "$@"
	rw write /dev/mapper/ours 0 data
	for op in compare write; do
		if [ $what = taken ]; then
			check "$text, memory at $shift: $op" \
				rw --shift $shift $op /dev/mapper/ours 0 data
		else
			like "$(rw --shift $shift $op /dev/mapper/ours 0 data 2>&1)" EINVAL \
				"$text, memory at $shift: $op refused"
		fi
	done
	check "$text, memory at $shift: the data is right" rw compare /dev/mapper/ours 0 data
	dm_remove ours
}

is "$(cat $parameter)" 1 "by default to the block below"
make_null_blk dev memory_backed=1 size=8
try taken "blocks of 512" 512
try taken "blocks of 512, sectors of 4096" 512 sector_size:4096
try refused "blocks of 512" 256
echo 2 > $parameter
try taken "as for dm-crypt, blocks of 512" 512
try refused "as for dm-crypt, sectors of 4096" 512 sector_size:4096
try taken "as for dm-crypt, sectors of 4096" 4096 sector_size:4096
dm_create theirs "$(crypt_table crypt "$dev" sector_size:4096)" || bail "no dm-crypt"
like "$(rw --shift 512 compare /dev/mapper/theirs 0 data 2>&1)" EINVAL "dm-crypt refuses it, too"
dm_remove theirs
echo 0 > $parameter
try taken "as the device says, sectors of 4096" 512 sector_size:4096

# This one says that 512 will do for its blocks of 4096. Some kernels' null_blk is wrong there.
make_null_blk dev memory_backed=1 size=8 blocksize=4096
rw write "$dev" 0 data
if rw --shift 512 compare "$dev" 0 data 2> error; then
	diag "null_blk with blocks of 4096 is right on this kernel"
else
	diag "null_blk with blocks of 4096, bare, memory at 512: $(cat error)"
fi
echo 1 > $parameter
try refused "blocks of 4096" 512
try refused "blocks of 4096" 1024 sector_size:4096
try taken "blocks of 4096" 4096
# A device with larger sectors may be this target
make_null_blk dev memory_backed=1 size=8
make_crypt below "$dev" sector_size:4096
dev=/dev/mapper/below
try refused "sectors of 4096 below" 512
echo 0 > $parameter
dm_remove below
make_null_blk dev memory_backed=1 size=8
make_crypt below "$dev" sector_size:4096
dev=/dev/mapper/below
try taken "as the device says, sectors of 4096 below" 512
dm_remove below
echo 1 > $parameter
