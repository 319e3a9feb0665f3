# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# trace.sh - what the kernel says: its log and its trace events

# kmsg_mark - from here on
kmsg_mark() {
	_mark="lab-mark-$(cat /proc/sys/kernel/random/uuid)"
	echo "$_mark" > /dev/kmsg
}

# kmsg - print what the kernel said since kmsg_mark
kmsg() {
	dmesg | awk -v mark="$_mark" 'found; index($0, mark) { found = 1 }'
}

tracing=/sys/kernel/tracing

# trace_start GROUP/EVENT... - record these; leaves the case if one is not there
trace_start() {
	echo 0 > $tracing/tracing_on
	echo > $tracing/trace
	for _event; do
		[ -e "$tracing/events/$_event/enable" ] || skip_all "kernel without trace event $_event"
		echo 1 > "$tracing/events/$_event/enable"
	done
	echo 1 > $tracing/tracing_on
}

# trace_stop FILE - put the record there
trace_stop() {
	echo 0 > $tracing/tracing_on
	cat $tracing/trace > "$1"
	echo > $tracing/set_event
	echo > $tracing/trace
}
