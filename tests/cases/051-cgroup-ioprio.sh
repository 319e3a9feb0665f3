# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a write counts for the cgroup of its writer, and keeps its I/O priority and hint
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk sets variables

requires_kernel_config BLK_CGROUP MEMCG
make_null_blk null memory_backed=1 size=16
devno=$(cat "/sys/block/$(disk_name "$null")/dev")
random_file data 1

cgroup=/mnt
mount -t cgroup2 none $cgroup 2>/dev/null || skip_all "no cgroup2"
echo "+io +memory" > $cgroup/cgroup.subtree_control 2>/dev/null || skip_all "no io controller"
mkdir $cgroup/lab

# within COMMAND... - run it as a member of the group
within() {
	sh -c 'echo $$ > /mnt/lab/cgroup.procs; exec "$@"' sh "$@"
}

# counted KEY - print the counter of the group in io.stat, for the device below
counted() {
	sed -n "s/^$devno .*$1=\([0-9]*\).*/\1/p" $cgroup/lab/io.stat
}

# grows KEY TEXT COMMAND... - by 1 MiB
grows() {
	_key=$1
	_text=$2
	shift 2
	was=$(counted "$_key")
	"$@" > /run/check.out 2>&1 || diag "failed: $* $(cat /run/check.out)"
	sync
	is $(($(counted "$_key") - was)) 1048576 "$_text" || sed 's/^/# /' $cgroup/lab/io.stat
}

for context in auto workqueue; do
	make_crypt ours "$null" write_context:$context read_context:$context
	grows wbytes "direct writes, write_context:$context" within rw write /dev/mapper/ours 0 data
	grows rbytes "direct reads, read_context:$context" within rw read /dev/mapper/ours 0 1048576
	dm_remove ours
done

# Written back by a kernel thread, which is in no group
if have_kernel_config CGROUP_WRITEBACK && modprobe ext4 2>/dev/null; then
	mkdir -p /tmp/fs
	for context in auto workqueue; do
		make_crypt ours "$null" write_context:$context
		mkfs.ext4 -q -F /dev/mapper/ours 2>/dev/null || bail "no file system"
		mount -t ext4 /dev/mapper/ours /tmp/fs || bail "cannot mount"
		was=$(counted wbytes)
		within dd if=data of=/tmp/fs/file bs=64k 2>/dev/null
		sync -f /tmp/fs
		is_at_least $(($(counted wbytes) - was)) 1048576 "written back, write_context:$context" ||
			sed 's/^/# /' $cgroup/lab/io.stat
		umount /tmp/fs
		dm_remove ours
	done
else
	skip "written back" "kernel without CGROUP_WRITEBACK or ext4"
fi
rmdir $cgroup/lab

# --- I/O priority and write hint
if ! have_kernel_config KPROBE_EVENTS; then
	skip "I/O priority and write hint" "kernel without KPROBE_EVENTS"
	exit 0
fi
# Where struct bio has them: no kernel's trace event shows the hint, nor 6.1's the priority.
# The bio above has to show the requested value, so that a wrong offset is noticed.
probe="p:lab/bio submit_bio_noacct device=+8(\$arg1):x64 prio=+22(\$arg1):u16 hint=+24(\$arg1):u8"
echo "$probe" > $tracing/kprobe_events || bail "no probe"

# both_bios FIELD=VALUE TEXT COMMAND... - the bios to ours and to the device below have it
both_bios() {
	_want=$1
	_text=$2
	shift 2
	trace_start lab/bio
	"$@" > /run/check.out 2>&1 || diag "failed: $* $(cat /run/check.out)"
	dm_wait_idle ours
	trace_stop trace
	is "$(grep -c ' bio: ' trace) $(grep " bio: .* $_want\b" trace | grep -o 'device=[^ ]*' | sort -u | wc -l)" \
		"2 2" "$_text: two bios, both have it" || grep ' bio: ' trace | sed 's/^/# /'
}

head -c 4096 data > page
for context in auto workqueue; do
	make_crypt ours "$null" write_context:$context read_context:$context
	for rw in write read; do
		# The class is in the bits from 13 on.
		both_bios prio=$((2 << 13 | 6)) "I/O priority of a $rw, ${rw}_context:$context" \
			fio_ours psync $rw 4k --size=4k --prioclass=2 --prio=6
	done
	if kernel_at_least 6.9; then
		both_bios hint=3 "write hint, write_context:$context" rw --hint 3 write /dev/mapper/ours 0 page
	else
		skip "write hint, write_context:$context" "no hint in the bios of this kernel"
	fi
	dm_remove ours
done
echo > $tracing/kprobe_events
