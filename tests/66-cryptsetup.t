#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 66-cryptsetup.t - a short one of cryptsetup's own tests, on dm-crypt and on us,
# and how such results are judged; make check-cryptsetup runs them all
set -uo pipefail

upstream=$(dirname "$0")/cryptsetup/upstream
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"
tap_start
work=$tmp

"$upstream" --kernel 6.1 --suites bookworm --limit 300 discards-test |
	tee "$work/ran" | grep -v '^1\.\.'
status=${PIPESTATUS[0]}
tap_number=$(grep -Ec '^(not )?ok ' "$work/ran")
[ "$status" = 0 ] || tap_failed=1

# Where its kernel and its cryptsetup can be had, the script has nothing to skip.
if [ "$status" = 0 ] && ! grep -q '^ok .*: passed on both$' "$work/ran" &&
   ! grep -q ' # SKIP kernel 6.1 or cryptsetup of bookworm cannot be had$' "$work/ran"; then
	not_ok "at least one script passed on both"
fi

# judged SCRIPT DM-CRYPT OURS EXPECTED - with a script that ended like this; - for not at all
judged() {
	local dir=$work/results/bookworm target got

	rm -rf "$work/results"
	for target in crypt inline-crypt; do
		mkdir -p "$dir/$target"
		printf 'says %s\nERR writes to sectors [%s,%s]\n' "$1" $RANDOM $RANDOM > "$dir/$target/$1.out"
	done
	if [ "$2" = - ]; then
		echo "finished within 300 s" > "$dir/crypt/$1.trouble"
	else
		echo "$2" > "$dir/crypt/$1.outcome"
	fi
	[ "$3" = - ] || echo "$3" > "$dir/inline-crypt/$1.outcome"
	got=$("$upstream" --judge "$work/results" "$1" 2> /dev/null)
	check "judged: $1: $2 on dm-crypt, $3 on us: $4" [ "${got#"$4 1 "}" != "$got" ] || diag "$got"
}

# One that has to pass
judged mode-test passed passed ok
judged mode-test passed failed 'not ok'
judged mode-test passed - 'not ok'
judged mode-test passed skipped 'not ok'
judged mode-test failed failed 'not ok'
judged mode-test failed passed 'not ok'
judged mode-test - failed 'not ok'
judged mode-test - passed 'not ok'
judged mode-test - - 'not ok'
judged mode-test skipped skipped ok
# A script that has to behave as on dm-crypt
judged keyring-test passed failed 'not ok'
judged keyring-test failed failed ok
judged keyring-test failed passed ok
judged keyring-test - - ok
tap_finish
