# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a read over a stripe of encrypted devices has all of them at work at once
# kernels: 6.12 newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

# The comparison with dm-crypt, in the same guest, is over a slow device: with
# members that wait for each other a read of 16 chunks takes 16 times as long.
delay_ms=40
requires_module dm-delay
make_null_blk null memory_backed=1 size=64
make_null_blk meta memory_backed=1 size=4
MiB=1048576

# members TARGET - member0 to member3 of 16 MiB each, slow and encrypted
members() {
	for i in 0 1 2 3; do
		dm_create slow$i "0 32768 delay $null $((i * 32768)) $delay_ms" || bail "no slow device"
		dm_create member$i "$(crypt_table $1 /dev/mapper/slow$i)" || bail "no $1"
	done
}

no_members() {
	for i in 0 1 2 3; do
		dm_remove member$i
		dm_remove slow$i
	done
}

all_members=$(for i in 0 1 2 3; do echo /dev/mapper/member$i; done)

# md LEVEL LAYOUT - md's own device, with no metadata on its members; sets top
#
# By a new name each time: the one before may be on its way out.
md() {
	modprobe $1 2> /dev/null
	_mds=$((${_mds:-0} + 1))
	echo md_lab$_mds > /sys/module/md_mod/parameters/new_array || return
	_sys=/sys/block/md_lab$_mds/md
	echo $1 > $_sys/level
	echo 4 > $_sys/raid_disks
	echo 65536 > $_sys/chunk_size
	echo 16384 > $_sys/component_size
	[ -z "$2" ] || echo "$2" > $_sys/layout
	_slot=0
	for _member in $all_members; do
		_disk=$(disk_name $_member)
		cat "/sys/block/$_disk/dev" > $_sys/new_dev || return
		echo 16384 > $_sys/dev-$_disk/size
		echo $_slot > $_sys/dev-$_disk/slot
		[ -z "$2" ] || echo insync > $_sys/dev-$_disk/state
		_slot=$((_slot + 1))
	done
	[ -z "$2" ] || echo none > $_sys/resync_start
	echo active > $_sys/array_state || return
	top=/dev/md_lab$_mds
}

no_md() {
	echo clear > /sys/block/md_lab$_mds/md/array_state
}

# limit BYTES - of a read, for both targets; older kernels' dm-crypt has none
limit() {
	for _module in dm_crypt dm_inline_crypt; do
		_file=/sys/module/$_module/parameters/max_read_size
		[ ! -e $_file ] || echo $1 > $_file
	done
}

# set_up KIND TARGET - set top to a device over the members; fails where there is none
set_up() {
	_over='' _raid=''
	for _m in $all_members; do
		_over="$_over $_m 0"
		_raid="$_raid - $_m"
	done
	top=/dev/mapper/top
	case $1 in
	stripe | stripe256) dm_create top "0 131072 striped 4 128$_over" ;;
	raid0) dm_create top "0 131072 raid raid0 1 128 4$_raid" ;;
	raid5) dm_create top "0 98304 raid raid5_ls 3 128 region_size 1024 4$_raid" ;;
	thin)
		dd if=/dev/zero of="$meta" bs=4k count=1 oflag=direct 2> /dev/null
		dm_create pool "0 32768 thin-pool $meta /dev/mapper/member0 128 0" &&
			dmsetup message pool 0 create_thin 0 &&
			dm_create top "0 32768 thin /dev/mapper/pool 0" &&
			dd if=/dev/zero of=$top bs=1M count=1 oflag=direct 2> /dev/null
		;;
	mirror) dm_create top "0 32768 mirror core 2 1024 nosync 2 /dev/mapper/member0 0 /dev/mapper/member1 0" ;;
	limited) limit 131072 && top=/dev/mapper/member0 ;;
	linear) dm_create top "$(for row in 0 1 2 3; do
		for i in 0 1 2 3; do
			echo $((row * 512 + i * 128)) 128 linear /dev/mapper/member$i $((row * 128))
		done
	done)" ;;
	md_raid0) md raid0 '' ;;
	md_raid10) md raid10 258 ;;
	twice) dm_create middle "0 131072 striped 4 128$_over" &&
		dm_create top "$(crypt_table $2 /dev/mapper/middle)" ;;
	esac
}

tear_down() {
	case $1 in
	md_*) no_md ;;
	limited) limit 0 ;;
	*) dm_remove top ;;
	esac
	[ $1 != twice ] || dm_remove middle
	[ $1 != thin ] || dm_remove pool
}

# took BYTES - milliseconds of the fastest of three reads
took() {
	_best=
	for _ in 1 2 3; do
		_from=$(now_ms)
		rw read $top 0 $1 > /dev/null || return
		_ms=$(($(now_ms) - _from))
		[ -n "$_best" ] && [ $_best -le $_ms ] || _best=$_ms
	done
	echo $_best
}

kinds="stripe stripe256 thin mirror limited linear raid0 raid5 md_raid0 md_raid10 twice"
for target in crypt inline-crypt; do
	members $target
	for kind in $kinds; do
		if set_up $kind $target 2> /run/check.out; then
			bytes=$MiB
			[ $kind != stripe256 ] || bytes=$((MiB / 4))
			eval "${target%-*}_$kind=$(took $bytes)"
		else
			diag "$target: no $kind: $(cat /run/check.out)"
		fi
		tear_down $kind 2> /dev/null
	done
	no_members
done
compared=0
for kind in $kinds; do
	eval "theirs=\$crypt_$kind ours=\$inline_$kind"
	text="$kind: a large read takes hardly longer than over dm-crypt"
	if [ -z "$theirs" ]; then
		skip "$text" "not in this kernel"
		continue
	fi
	compared=$((compared + 1))
	diag "$kind: $ours ms, over dm-crypt $theirs ms"
	is_at_least $((theirs * 2 + delay_ms)) "${ours:-999999}" "$text"
done
is_at_least $compared 6 "most kinds can be had here"
