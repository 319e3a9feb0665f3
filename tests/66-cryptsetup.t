#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 66-cryptsetup.t - a short one of cryptsetup's own tests, on dm-crypt and on us;
# make check-cryptsetup runs them all
set -uo pipefail

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
"$(dirname "$0")/cryptsetup/upstream" --kernel 6.1 --suites bookworm --limit 300 \
	discards-test | tee "$out"
status=${PIPESTATUS[0]}

# Where its kernel and its cryptsetup can be had, the script has nothing to skip.
if [ "$status" = 0 ] && ! grep -q '^ok .*: passed on both$' "$out" &&
   ! grep -q ' # SKIP kernel 6.1 or cryptsetup of bookworm cannot be had$' "$out"; then
	echo "# not one script passed" >&2
	status=1
fi
exit "$status"
