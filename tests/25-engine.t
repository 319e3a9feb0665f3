#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 25-engine.t - the cipher engine: the module's own assembler on this machine's CPU,
# against OpenSSL and vectors/published/, between pages that must not be touched
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$root/tests/lib/tap.sh"
tap_start

[ "$(uname -m)" = x86_64 ] || skip_all "no engine for $(uname -m)"
{ command -v make && echo '#include <openssl/evp.h>' | "${CC:-gcc}" -E -o /dev/null -; } \
	> /dev/null 2>&1 || "$root/tests/vm/provision" tools >&2
check "the engine builds in user space without a warning" \
	make -s -C "$root/tests/unit" O="$tmp" engine || tap_finish

status=0
"$tmp/units_test" "$root"/vectors/published/{ieee-1619-xts,nist-sp800-38a}.txt \
	> "$tmp/tap" 2> "$tmp/err" || status=$?
# A program of the unit tests prints TAP without numbers.
while IFS= read -r line; do
	case $line in
	'ok - '*) ok "${line#ok - }" ;;
	'not ok - '*) not_ok "${line#not ok - }" ;;
	'#'*) diag "${line#'# '}" ;;
	esac
done < "$tmp/tap"
# The plan comes last, so a program that printed it ran to its end.
if grep -q "^1\\.\\.$(grep -cE '^(not )?ok ' "$tmp/tap")\$" "$tmp/tap" &&
   [ ! -s "$tmp/err" ] && [ $status -le 1 ]; then
	ok "it ran to its end, the sanitizers are silent"
else
	not_ok "it ran to its end, the sanitizers are silent"
	diag "exit status $status"
	diag_input < "$tmp/err"
fi
tap_finish
