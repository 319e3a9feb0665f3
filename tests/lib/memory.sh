# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# memory.sh - how much memory the guest has available

# available - print how many MiB a process could have
available() {
	echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
}

# take_memory LEAVE - have the machine go on with LEAVE MiB available, or some more
#
# In blocks of 128 MiB, on a kernel that can do without them; not by filling them,
# which takes an emulated CPU long.
take_memory() {
	_block=$((0x$(cat /sys/devices/system/memory/block_size_bytes 2> /dev/null || echo 0) >> 20))
	_taken=
	# From the end: the kernel itself is in the first.
	for _memory in $(find /sys/devices/system/memory -name 'memory[0-9]*' 2> /dev/null | sort -r); do
		[ $(($(available) - _block)) -ge "$1" ] || break
		echo offline 2> /dev/null > "$_memory/state" || continue
		_taken="$_taken $_memory"
	done
}

# give_memory - have all of it back
give_memory() {
	for _memory in $_taken; do
		echo online > "$_memory/state" || return
	done
}
