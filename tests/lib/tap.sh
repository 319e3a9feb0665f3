# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# tap.sh - assertions, whose results are printed as TAP
#
# The cases use it in a guest (busybox sh), and the .t files use it on the host (bash).
# A .t file calls tap_start first and tap_finish last, and its lines are numbered. The
# lines of a case have no numbers: tests/vm/run numbers the lines of all cases.

# The file that gets the output of the last check or check_not
tap_out=/run/check.out
# The number of the last line, if lines are numbered
tap_number=
tap_failed=0

# tap_start - number the lines; sets tmp to a directory that is removed at the end
tap_start() {
	tmp=$(mktemp -d) || exit 1
	trap 'rm -rf "$tmp"' EXIT
	tap_start_in "$tmp"
}

# tap_start_in DIR - number the lines, in a directory that the caller removes
tap_start_in() {
	tap_number=0
	tap_out=$1/out
}

# tap_finish - print the plan; exit with 1 if an assertion failed
tap_finish() {
	echo "1..$tap_number"
	exit "$tap_failed"
}

# tap_line 'ok'|'not ok' TEXT - print a line of TAP
tap_line() {
	[ -z "$tap_number" ] || tap_number=$((tap_number + 1))
	echo "$1${tap_number:+ $tap_number} - $2"
}

# ok TEXT, not_ok TEXT - an assertion held, or it did not
ok() {
	tap_line ok "$*"
}

not_ok() {
	tap_line 'not ok' "$*"
	tap_failed=1
	[ -z "$tap_number" ] || diag "not ok $tap_number - $*"
	return 1
}

# assert 'ok'|'not ok' TEXT - a result that another program reports
assert() {
	if [ "$1" = ok ]; then
		ok "$2"
	else
		not_ok "$2" || :
	fi
}

# diag_input - show the standard input to the reader of a failure
#
# On the host this goes to stderr, because prove shows nothing else.
diag_input() {
	if [ -n "$tap_number" ]; then
		sed 's/^/# /' >&2
	else
		sed 's/^/# /'
	fi
}

# diag TEXT... - tell the reader of a failure something
diag() {
	echo "$*" | diag_input
}

# check TEXT COMMAND... - COMMAND succeeds; its output is shown if it does not
check() {
	_text=$1
	shift
	if "$@" > "$tap_out" 2>&1; then
		ok "$_text"
	else
		_status=$?
		not_ok "$_text"
		diag "failed ($_status): $*"
		tail -n 100 "$tap_out" | diag_input
		return 1
	fi
}

# check_apart TEXT COMMAND... - the same in a subshell: COMMAND may change directory
check_apart() {
	_apart=$1
	shift
	check "$_apart" apart "$@"
}

apart() {
	("$@")
}

# check_not TEXT COMMAND... - COMMAND fails; its output is shown if it does not
check_not() {
	_text=$1
	shift
	if "$@" > "$tap_out" 2>&1; then
		not_ok "$_text"
		diag "succeeded: $*"
		tail -n 100 "$tap_out" | diag_input
		return 1
	else
		ok "$_text"
	fi
}

# is GOT EXPECTED TEXT - the two strings are the same
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3"
		diag "     got: '$1'"
		diag "expected: '$2'"
		return 1
	fi
}

# is_at_least GOT MINIMUM TEXT - a number is large enough
is_at_least() {
	if [ "$1" -ge "$2" ] 2> /dev/null; then
		ok "$3"
	else
		not_ok "$3"
		diag "got $1, expected at least $2"
		return 1
	fi
}

# like GOT REGEX TEXT - the string matches the extended regular expression
like() {
	if echo "$1" | grep -Eq -- "$2"; then
		ok "$3"
	else
		not_ok "$3"
		diag "     got: '$1'"
		diag "expected: /$2/"
		return 1
	fi
}

# says TEXT FILE REGEX - a line of FILE matches the extended regular expression
says() {
	check "$1" grep -Eq -- "$3" "$2"
}

# says_not TEXT FILE REGEX - no line of FILE matches
says_not() {
	check_not "$1" grep -E -- "$3" "$2"
}

# skip TEXT REASON - an assertion that cannot be made here
skip() {
	ok "$1 # SKIP $2"
}

# skip_all REASON - leave the case or the .t file
skip_all() {
	if [ -n "$tap_number" ]; then
		echo "1..0 # SKIP $*"
	else
		skip "whole case" "$*"
	fi
	exit 0
}

# bail TEXT - leave: a step failed on which all that follows depends
bail() {
	not_ok "$*"
	[ -z "$tap_number" ] || tap_finish
	exit 0
}
