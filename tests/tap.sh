# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tap.sh - for tests that look at what other programs make: assertions as TAP
#
# Whoever sources it has $tmp, a directory that goes in the end, and ends with finish.

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
number=0 failed=0

# need_kernel KERNEL - or all is skipped
need_kernel() {
	local status=0

	"$(dirname "${BASH_SOURCE[0]}")/vm/provision" tools "$1" || status=$?
	if [ $status = 77 ]; then
		echo "1..0 # SKIP kernel $1 cannot be had"
		exit 0
	fi
	[ $status = 0 ] || exit $status
}

# check TEXT COMMAND... - COMMAND succeeds; its output is for when it does not
check() {
	local text=$1

	shift
	number=$((number + 1))
	if "$@" > "$tmp/out" 2>&1; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		# prove shows what goes here
		{ echo "not ok $number - $text"; cat "$tmp/out"; } | sed 's/^/# /' >&2
		failed=1
	fi
}

# says TEXT FILE REGEX - a line of FILE matches
says() {
	check "$1" grep -Eq -- "$3" "$2"
}

finish() {
	echo "1..$number"
	exit $failed
}
