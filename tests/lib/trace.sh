# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# trace.sh - the kernel's log and its trace events

# kmsg_mark - put a mark into the kernel's log, for kmsg
kmsg_mark() {
	_mark="lab-mark-$(cat /proc/sys/kernel/random/uuid)"
	echo "$_mark" > /dev/kmsg
}

# kmsg - print the kernel's messages since kmsg_mark
kmsg() {
	dmesg | awk -v mark="$_mark" 'found; index($0, mark) { found = 1 }'
}

tracing=/sys/kernel/tracing

# trace_start GROUP/EVENT... - record these; skips the case if one does not exist
trace_start() {
	echo 0 > $tracing/tracing_on
	echo > $tracing/trace
	for _event; do
		[ -e "$tracing/events/$_event/enable" ] || skip_all "kernel without trace event $_event"
		echo 1 > "$tracing/events/$_event/enable"
	done
	echo 1 > $tracing/tracing_on
}

# trace_stop FILE - stop recording, and write the record to FILE
trace_stop() {
	echo 0 > $tracing/tracing_on
	cat $tracing/trace > "$1"
	echo > $tracing/set_event
	echo > $tracing/trace
}
