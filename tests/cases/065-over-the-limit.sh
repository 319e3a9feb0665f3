# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a write over the limit of memory waits for pages, and its submitter does not
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and count_io set variables

requires_module dm-delay
modprobe dm-inline-crypt || bail "no module"

# The limit is two percent of all memory. A cipher that costs nothing, so that a slow
# machine has that in flight as well.
part=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 50))
depth=$((part * 3 / 2048 + 16))
mib=$((part * 2 / 1024))
table() {
	echo "0 $(sectors "$2") $1 cipher_null-ecb - 0 $2 0"
}

# deep [fio option...] - two writers with half as much again as may be in flight
deep() {
	fio --filename=/dev/mapper/top --direct=1 --ioengine=libaio --rw=write --bs=512k \
		--iodepth=$depth --numjobs=2 --offset=1M --size=${mib}M \
		--name=deep "$@" > deep.out 2>&1
}

# in_flight N - wait until so many requests are
in_flight() {
	for _ in $(seq 600); do
		read -r _reads _writes < "/sys/block/$(disk_name /dev/mapper/top)/inflight"
		[ "$_writes" -lt "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

# submission - set mean and worst, of another writer's io_submit(), us; and how many it wrote
submission() {
	deep --time_based --runtime=7 &
	in_flight $depth || bail "nothing in flight: $(cat deep.out)"
	sleep 1
	# Enough of them that one more or less does not matter
	fio --filename=/dev/mapper/top --direct=1 --ioengine=libaio --rw=randwrite --bs=4k \
		--iodepth=32 --size=1M --time_based --runtime=4 --name=normal \
		--output-format=terse > normal.out 2>&1
	wait $!
	wrote=$(cut -d';' -f47 normal.out)
	worst=$(cut -d';' -f52 normal.out)
	mean=$(cut -d';' -f53 normal.out | cut -d. -f1)
	diag "$1: io_submit() takes $mean us, at worst $worst us; wrote $wrote KiB"
}

make_null_blk null size=$((mib + 16))
dm_create slow "0 $(sectors "$null") delay $null 0 0 $null 0 1000" || bail "no slow device"
dm_create top "$(table crypt /dev/mapper/slow)" || bail "no dm-crypt"
submission dm-crypt
theirs=$mean
dm_remove top
dm_create top "$(table inline-crypt /dev/mapper/slow)" || bail "no inline-crypt"
submission inline-crypt
# 10 ms are for a busy machine: its share of the second that the device takes is more.
is_at_least $((5 * theirs + 10000)) "$mean" "io_submit() is about as fast as with dm-crypt"
# The device takes a second for a write; a submitter that waits for pages waits for that.
is_at_least 500000 "$worst" "io_submit() at worst takes less than the device"
is_at_least "$wrote" 4 "the writes of the other task complete"
is_at_least "$(counter top nomem)" 1 "writes waited for pages, and are counted for that"
dm_remove top
dm_remove slow

# --- a device that takes requests that must not wait, and is as slow
make_null_blk late memory_backed=1 size=$((mib + 16)) irqmode=2 \
	completion_nsec=1000000000 hw_queue_depth=1024
dm_create top "$(table inline-crypt "$late")" || bail "no inline-crypt"
deep --time_based --runtime=4 &
in_flight $depth || bail "nothing in flight: $(cat deep.out)"
await_counter top nomem 0 || not_ok "no write waits for pages"
check "NOWAIT over the limit" uring --nowait --count 8 --bs 4096 --depth 8 --seed 1 write /dev/mapper/top
like "$(cat /run/check.out)" ' [1-9][0-9]* again$' "ends with EAGAIN"
wait

# --- properties of the submitter: its cgroup
requires_kernel_config BLK_CGROUP
mount -t cgroup2 none /mnt 2> /dev/null || skip_all "no cgroup2"
echo "+io" > /mnt/cgroup.subtree_control 2> /dev/null || skip_all "no io controller"
mkdir /mnt/lab
mib=$depth
echo 0 > /mnt/lab/cgroup.procs
check "data of a cgroup's member" count_io top deep --size=${mib}M --offset_increment=0
echo 0 > /mnt/cgroup.procs
is_at_least "$nomem" 1 "waits for pages"
dev=$(cat "/sys/block/$(disk_name "$late")/dev")
is "$(sed -n "s/^$dev .*wbytes=\([0-9]*\).*/\1/p" /mnt/lab/io.stat)" $((2 * mib * 1048576)) \
	"and counts for the cgroup on the device below" || sed 's/^/# /' /mnt/lab/io.stat
dm_remove top
