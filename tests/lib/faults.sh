# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# faults.sh - allocations that fail: failslab and fail_page_alloc of debugfs

debugfs=/sys/kernel/debug

# arm_faults TASKS WAITING FAULT... - let these fail, when fail_percent says so
#
# TASKS: "all", or "marked" for those that set make-it-fail. WAITING: "all" allocations, or
# "never" those that may sleep; most callers of these do not expect a failure.
arm_faults() {
	_filter=N
	[ "$1" = all ] || _filter=Y
	_ignore=Y
	[ "$2" = never ] || _ignore=N
	shift 2
	for _fault; do
		_fault=$debugfs/$_fault
		echo 0 > "$_fault/probability"
		echo 0 > "$_fault/verbose"
		echo -1 > "$_fault/times"
		echo $_filter > "$_fault/task-filter"
		echo $_ignore > "$_fault/ignore-gfp-wait"
		# fail_page_alloc: single pages, and those that writes are encrypted into
		[ ! -e "$_fault/min-order" ] || echo 0 > "$_fault/min-order"
		[ ! -e "$_fault/ignore-gfp-highmem" ] || echo N > "$_fault/ignore-gfp-highmem"
	done
}

# fail_percent PERCENT FAULT... - so many of the allocations
fail_percent() {
	_percent=$1
	shift
	for _fault; do
		echo "$_percent" > "$debugfs/$_fault/probability"
	done
}
