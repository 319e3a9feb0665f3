# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: raid1 and raid5 above encrypted devices, and encrypted devices above raid
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

requires_module dm-raid
jobs=
at=0
for engine in psync libaio; do
	jobs="$jobs --name=$engine --ioengine=$engine --direct=1 --iodepth=8 --offset=${at}M --size=1M"
	at=$((at + 1))
done
jobs="$jobs --name=buffered --ioengine=psync --direct=0 --offset=${at}M --size=1M"

# raid TYPE PREFIX - "raid" of 8 MiB, of PREFIX1 to PREFIX3
raid() {
	case $1 in
	raid1) line="raid raid1 3 0 region_size 1024 3 - ${2}1 - ${2}2 - ${2}3" sectors=16384 ;;
	raid5) line="raid raid5_ls 3 64 region_size 1024 3 - ${2}1 - ${2}2 - ${2}3" sectors=32768 ;;
	esac
	dm_create raid "0 $sectors $line"
}

for i in 1 2 3; do
	make_null_blk dev$i memory_backed=1 size=8 irqmode=2 completion_nsec=20000
	eval "ln -s \$dev$i /tmp/null$i"
done
for type in raid1 raid5; do
	for i in 1 2 3; do
		make_crypt crypt$i "$(readlink /tmp/null$i)"
	done
	if ! raid $type /dev/mapper/crypt; then
		skip "$type" "not in this kernel"
	else
		check "$type above" fio_verify /dev/mapper/raid --bsrange=4k-256k $jobs
		check "$type above: removed" dm_remove raid
	fi
	for i in 1 2 3; do
		dm_remove crypt$i
	done
	if raid $type /tmp/null 2> /dev/null; then
		make_crypt ours /dev/mapper/raid
		check "$type below" fio_verify /dev/mapper/ours --bsrange=4k-256k $jobs
		check "$type below: removed" dm_remove ours
		dm_remove raid
	fi
done
