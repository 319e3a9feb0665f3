#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 54-harness.t - the lab reports panics, hangs and kernel splats, and goes on
set -uo pipefail

here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start
need_kernel 6.1
logs=$tmp

status=0
cut -d . -f 1 /proc/loadavg > "$logs/load"
"$here/vm/run" --kernel 6.1 --case-timeout 6 --silence 10 --log-dir "$logs" \
	"$here"/vm/selftest/*.sh > "$logs/tap" 2> "$logs/err" || status=$?

"$here/vm/run" --kernel 6.1 --case-timeout 60 --append lab.wait_limit=4 --log-dir "$logs/waiter" \
	"$here"/vm/selftest/waiter/*.sh > "$logs/waiter-tap" 2>> "$logs/err" || :

# The load of the host before or after, whichever is higher
load=$(cut -d . -f 1 /proc/loadavg | cat - "$logs/load" | sort -n | tail -n 1)

# expect TEXT REGEX - a line of the runs' TAP matches
expect() {
	check "$1" grep -Ehq -- "$2" "$logs/tap" "$logs/waiter-tap"
}

# 10 s on an idle machine, by the guest's clock
booted=$(sed -nE 's/^# booted in ([0-9.]+) s$/\1/p' "$logs/tap" | head -n 1)
echo "# the guest booted in ${booted:-?} s, the host's load was $load"
check "the guest boots in seconds" [ "${booted%.*}" -lt $((10 * (1 + load))) ]

expect "a passing assertion is passed on" '^ok [0-9]+ - 1-panic: still alive$'
expect "a panic fails the case" '^not ok [0-9]+ - 1-panic: guest panicked$'
expect "the failure names the console log" "^# console log: $logs/console-1.log$"
expect "and shows it" '^#   .*Kernel panic'
expect "a case that does not end is ended" '^not ok [0-9]+ - 2-hang: finished within 6 s$'
expect "a silent guest fails the case" '^not ok [0-9]+ - 3-silence: guest hung$'
expect "a kernel splat fails the case" '^not ok [0-9]+ - 4-splat: no complaint in the kernel log$'
expect "and shows it" '^#   .*WARNING: .* at lab/selftest'
expect "the next case still runs" '^ok [0-9]+ - 5-expected: the case after them runs$'
expect "an expected splat does not fail it" '^ok [0-9]+ - 5-expected: no complaint in the kernel log$'
expect "a stall gets a second guest" '^# 6-starved: stalls or lockups; console log: '
expect "a stall that is gone in the second guest is no failure" '^ok [0-9]+ - 6-starved: no complaint in the kernel log$'
expect "the assertions of the second guest count" '^ok [0-9]+ - 6-starved: knows the disk$'
says_not "and the assertions of the first guest do not" "$logs/tap" '^not ok [0-9]* - 6-starved'
expect "a lockup that comes again fails the case" '^not ok [0-9]+ - 7-locked-up: no complaint in the kernel log$'
expect "a task that waits in our module for ever fails the case" \
	'^not ok [0-9]+ - 8-waiter: no complaint in the kernel log$'
expect "and its stack is shown" '^#   .*lab: .*icrypt_read_map.*dm_inline_crypt'
expect "the plan counts all" "^1\\.\\.$(grep -cE '^(not )?ok ' "$logs/tap")\$"

is $status 1 "the exit status says that some failed"

# shellcheck disable=SC2016  # for the shell started there
said=$(MAKEFLAGS='w -- WHAT=more' bash -c '. "$1/vm/host.sh"
	make -s -C / -f <(printf "all:\n\t@echo this \$(WHAT)\n")' - "$here" 2>&1)
is "$said" this "a make in the lab does not go by how ours was called"

# quietly TEXT COMMANDS - they succeed, with host.sh
quietly() {
	# shellcheck disable=SC2016  # for the shell started there
	check "$1" bash -ec '. "$1/vm/host.sh"; eval "$2"' - "$here" "$2"
}

# shellcheck disable=SC2016  # for the shell started there
{
	quietly "a kernel of a suite that moves is known to have moved" \
		'moved_on "$(kernels newest)" 99.1.2+deb13-amd64 &&
			! moved_on 7.3-rt 7.3.4+deb13-rt-amd64 && ! moved_on 6.1 6.2.0-1-amd64'
	quietly "there is one oldest kernel and one newest, and their names are in order" \
		'[ "$(kernels oldest newest)" = "$(kernels oldest newest | sort -V)" ]; [ "$(kernels oldest newest | wc -l)" = 2 ]'
	quietly "a kernel that is not in tests/kernels is refused" \
		'! (known_kernel 5.10) 2> /dev/null'
	quietly "a case that is for all is on the kernels between, too, and not on a smoke kernel" \
		'for kernel in $(kernels oldest differs newest smoke); do
			count=$("$vm_dir/all-cases" --list "$kernel" | grep -c /041-) || :
			[ "$(kernel_field "$kernel" runs) $count" = "smoke 0" ] || [ "$count" = 1 ]
		done'
}
[ "$tap_failed" = 0 ] || cat "$logs/tap" "$logs/waiter-tap" "$logs/err" | diag_input
tap_finish
