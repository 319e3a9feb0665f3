# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: helpers keep to the CPUs that they may have, through hotplug, cpumasks and removal
# kernels: oldest debug
# shellcheck shell=dash disable=SC2154,SC2086  # make_brd and count_io set variables

[ "$(nproc)" -gt 1 ] || skip_all "one CPU"
mask=/sys/devices/virtual/workqueue/cpumask
[ -w $mask ] || skip_all "workqueues without a cpumask"

# aio [fio option...] - reads and writes of one task on ours, deep enough for helpers, verified
aio() {
	fio_ours libaio randrw 4k --iodepth=16 --size=4M --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 "$@"
}

make_brd ram 16
make_crypt ours "$ram"
aio > /dev/null

# Workers may run only where the submitter is: there is no idle CPU for them.
all=$(cat $mask)
echo 1 > $mask || skip_all "the cpumask cannot be set"
check "no other CPU allowed: all blocks are right" taskset 1 fio --name=x --filename=/dev/mapper/ours \
	--direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=16 --size=4M --verify=crc32c \
	--verify_fatal=1 --verify_state_save=0
count_io ours taskset 1 fio --name=x --filename=/dev/mapper/ours --direct=1 --ioengine=libaio \
	--rw=randread --bs=4k --iodepth=16 --io_size=8M --norandommap=1
diag "$spread of 2048 handed over"
check "the CPU does next to all of it itself" [ "$spread" -le 200 ]
echo "$all" > $mask

if [ -w /sys/devices/system/cpu/cpu1/online ]; then
	hotplug() {
		for _ in 1 2 3 4 5; do
			echo 0 > /sys/devices/system/cpu/cpu1/online || return
			sleep 0.2
			echo 1 > /sys/devices/system/cpu/cpu1/online || return
			sleep 0.2
		done
	}
	busy aio
	check "a CPU goes and comes 5 times" hotplug
	calm "hotplug"
else
	skip "CPU hotplug" "this kernel has none"
fi

# A helper may be awake when its device goes.
cycle() {
	for _ in 1 2 3 4 5 6 7 8; do
		aio --size=512k > /dev/null || return
		dm_remove ours || return
		make_crypt ours "$ram"
	done
}
check "made and removed right after I/O" cycle
dm_remove ours
check "the module goes" rmmod dm-inline-crypt
