# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: data stays right while everything around it changes, at random by a seed
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

# make check-soak goes on for hours, by the kernel's command line
lab() {
	_value=$(sed -n "s/.*\blab\.$1=\([^ ]*\).*/\1/p" /proc/cmdline)
	echo "${_value:-$2}"
}
seconds=$(lab soak_seconds 30)
segment=$(lab segment 12)
seed=$(lab seed 1)

# random N - set r to one of 0 to N - 1. The seed decides; how fast things go does not.
state=$seed
random() {
	state=$(((state * 1103515245 + 12345) & 0x7fffffff))
	r=$(((state >> 8) % $1))
}

requires_module dm-crypt
modprobe dm-inline-crypt || bail "no module"
modprobe -a dm-delay dm-flakey 2> /dev/null
modprobe -a bfq kyber-iosched 2> /dev/null
make_loop loop 32
make_null_blk null memory_backed=1 size=32 irqmode=2 completion_nsec=20000
length=49152
key=$(test_key 64)
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup 2> /dev/null && echo "+memory +cpu" > /tmp/cgroup/cgroup.subtree_control
mkdir -p /tmp/cgroup/a /tmp/cgroup/b 2> /dev/null
echo 64M > /tmp/cgroup/b/memory.high 2> /dev/null

# table TARGET [SECTORS]
table() {
	_own='' _count=1
	if [ "$1" = inline-crypt ]; then
		random 4
		[ $r != 0 ] || _own=read_context:workqueue
		[ $r != 1 ] || _own=write_context:workqueue
		[ -z "$_own" ] || _count=2
	fi
	echo "0 ${2:-$length} $1 aes-xts-plain64 $key 0 $lower 0 $_count sector_size:4096 $_own"
}

note() {
	echo "$*" >> actions
	echo "soak: $*" > /dev/kmsg
}

# disturb - do one thing
disturb() {
	random 12
	case $r in
	0)
		random 2
		note "suspend $r"
		if [ $r = 0 ]; then dmsetup suspend ours; else dmsetup suspend --nolockfs ours; fi
		sleep 0.1
		dmsetup resume ours
		;;
	1)
		note reload
		reload ours "$(table inline-crypt)"
		;;
	2)
		note "dm-crypt and back"
		reload ours "$(table crypt)"
		sleep 0.3
		reload ours "$(table inline-crypt)"
		;;
	3)
		# What is behind the used part goes and comes.
		random 8
		note "resize $r"
		reload ours "$(table inline-crypt $((length - r * 1024)))"
		;;
	4)
		note "key"
		dmsetup suspend ours
		if [ "$(target ours)" = inline-crypt ]; then
			dmsetup message ours 0 key wipe
			dmsetup message ours 0 key set "$key"
		fi
		dmsetup resume ours
		;;
	5)
		note "hotplug"
		echo 0 > /sys/devices/system/cpu/cpu1/online
		sleep 0.2
		echo 1 > /sys/devices/system/cpu/cpu1/online
		;;
	6)
		random 2
		note "cgroup $r"
		_group=a
		[ $r = 0 ] || _group=b
		echo "$geo" > /tmp/cgroup/$_group/cgroup.procs
		;;
	7)
		note "caches"
		echo 3 > /proc/sys/vm/drop_caches
		;;
	8)
		random 4
		for _scheduler in none mq-deadline kyber bfq; do
			[ $r != 0 ] || break
			r=$((r - 1))
		done
		note "scheduler $_scheduler"
		echo "$_scheduler" > "/sys/block/$(disk_name "$bottom")/queue/scheduler"
		;;
	9)
		note "memory"
		head -c 200000000 /dev/zero | tail -c 1 > /dev/null
		;;
	10)
		random 3
		note "size of requests"
		echo $((64 << r)) > "/sys/block/$(disk_name "$bottom")/queue/max_sectors_kb"
		;;
	11)
		note "stats"
		dmsetup message ours 0 stats on
		dmsetup message ours 0 stats reset
		dmsetup status ours
		;;
	esac >> disturb.out 2>&1
}

began=$(now_ms)
n=0 read_bytes=0 written=0 expected=0 unexpected=0
: > actions
while [ $((($(now_ms) - began) / 1000)) -lt "$seconds" ]; do
	n=$((n + 1))
	random 2
	if [ $r = 0 ]; then bottom=$loop; else bottom=$null; fi
	random 4
	errors=
	case $r in
	0)
		dm_create below "0 $length delay $bottom 0 5"
		lower=/dev/mapper/below
		;;
	1)
		dm_create below "0 $length flakey $bottom 0 3 1"
		lower=/dev/mapper/below
		errors=--errors
		;;
	*) lower=$bottom ;;
	esac
	note "segment $n, seed $state: $lower on $bottom $errors"
	dm_create ours "$(table inline-crypt)" || bail "segment $n: no device"
	# dm-crypt, which has its turns, does not take memory at less than its sectors.
	geofuzz --align 4096 --ios 1000000000 --seconds "$segment" --seed "$state" --mib 8 $errors \
		/dev/mapper/ours > geo.out 2>&1 &
	geo=$!
	busy=
	if [ -z "$errors" ]; then
		(
			end=$(($(now_ms) + segment * 1000 - 3000))
			while [ "$(now_ms)" -lt $end ]; do
				fio_verify /dev/mapper/ours --name=soak --offset=8M --size=4M \
					--bsrange=4k-128k --ioengine=libaio --iodepth=8 --direct=1 || exit 1
			done > fio.out 2>&1
		) &
		busy=$!
	fi
	while kill -0 $geo 2> /dev/null; do
		disturb
		random 5
		sleep "0.$((r + 1))"
	done
	# What was to be done last may not have been possible.
	dmsetup clear ours
	dmsetup resume ours 2> /dev/null
	if ! wait $geo; then
		not_ok "segment $n: every byte is right"
		sed 's/^/# /' geo.out
		tail -n 20 actions | sed 's/^/# /'
	fi
	if [ -n "$busy" ] && ! wait $busy; then
		not_ok "segment $n: fio verifies"
		tail -n 20 fio.out | sed 's/^/# /'
		tail -n 20 actions | sed 's/^/# /'
	fi
	# shellcheck disable=SC2046  # to be split
	set -- $(tail -n 1 geo.out)
	read_bytes=$((read_bytes + ${4:-0}))
	written=$((written + ${6:-0}))
	expected=$((expected + ${10:-0}))
	unexpected=$((unexpected + ${14:-1}))
	dm_remove ours || bail "segment $n: cannot remove"
	[ "$lower" = "$bottom" ] || dm_remove below
done
is $unexpected 0 "nothing unexpected"
is_at_least $((read_bytes >> 20)) 1 "data was compared"
diag "seed $seed: $n segments, $((($(now_ms) - began) / 1000)) s, $(wc -l < actions) changes, $((read_bytes >> 20)) MiB compared, $((written >> 20)) MiB written, $expected expected errors, $unexpected unexpected"
