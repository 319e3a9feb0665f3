# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a task that waits in map may be scheduled away while the time in its plug is valid
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

# iocost asks for the time when it meets a new group. From 6.9 on the answer is kept in the
# plug, and a switch to another task clears it there: also when the plug is out of sight.
requires_kernel_config BLK_CGROUP
requires_command cyclictest
make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
devno=$(cat "/sys/block/$(disk_name "$null")/dev")
make_crypt ours "$null"
random_file data 1
check "written" rw write /dev/mapper/ours 0 data
dd if=data bs=4k count=1 of=page 2> /dev/null
dd if=data bs=64k count=1 of=chunk 2> /dev/null
dd if=data bs=512k count=1 of=pieces 2> /dev/null

cgroup=/mnt
mount -t cgroup2 none $cgroup 2> /dev/null || skip_all "no cgroup2"
echo "+io" > $cgroup/cgroup.subtree_control 2> /dev/null || skip_all "no io controller"

# in_new_group COMMAND... - run it in a group that has not been seen below
in_new_group() {
	mkdir $cgroup/lab || return
	[ -z "$latency" ] || echo "$devno target=1" > $cgroup/lab/io.latency || return
	sh -c 'echo $$ > /mnt/lab/cgroup.procs; exec "$@"' sh "$@" || return
	rmdir $cgroup/lab
}

# many_groups COUNT FILE - read as much as FILE has, from so many groups
many_groups() {
	for _ in $(seq $1); do
		in_new_group rw compare /dev/mapper/ours 0 $2 || return
	done
}

# reads WHAT - of a page, which has its vector on the stack; of more; in pieces
reads() {
	check "$1: 4 KiB" many_groups 60 page
	check "$1: 64 KiB" many_groups 20 chunk
	check "$1: 512 KiB" many_groups 20 pieces
}

latency=
# A real-time sleeper on each CPU wants it again and again.
cyclictest -q -t "$(nproc)" -a -p 80 -i 200 > /run/cyclictest 2>&1 &
sleeper=$!

if ! have_kernel_config BLK_CGROUP_IOCOST; then
	skip "iocost" "kernel without BLK_CGROUP_IOCOST"
else
	check "iocost is on" sh -c "echo '$devno enable=1 ctrl=user' > $cgroup/io.cost.qos"
	reads iocost
	echo "$devno enable=0" > $cgroup/io.cost.qos
fi
if ! have_kernel_config BLK_CGROUP_IOLATENCY; then
	skip "iolatency" "kernel without BLK_CGROUP_IOLATENCY"
else
	latency=1
	reads iolatency
fi
check "the sleepers were there" kill $sleeper
