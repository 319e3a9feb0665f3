#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 25-engine.t - the cipher engine: the module's own assembler on this machine's CPU,
# against OpenSSL and vectors/published/, between pages that must not be touched
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

if [ "$(uname -m)" != x86_64 ]; then
	echo "1..0 # SKIP no engine for $(uname -m)"
	exit 0
fi
{ command -v make && echo '#include <openssl/evp.h>' | "${CC:-gcc}" -E -o /dev/null -; } \
	> /dev/null 2>&1 || "$root/tests/vm/provision" tools >&2
if ! make -s -C "$root/tests/unit" O="$tmp" engine > "$tmp/log" 2>&1; then
	echo "not ok 1 - the engine builds in user space"
	sed 's/^/# /' "$tmp/log"
	echo 1..1
	exit 1
fi
echo "ok 1 - the engine builds in user space without a warning"

status=0
"$tmp/units_test" "$root"/vectors/published/{ieee-1619-xts,nist-sp800-38a}.txt \
	> "$tmp/tap" 2> "$tmp/err" || status=$?
grep -v '^1\.\.' "$tmp/tap" | awk '
	/^(not )?ok - / { n++; sub(/ok -/, "ok " n + 1 " -") }
	{ print }'
count=$(($(grep -cE '^(not )?ok ' "$tmp/tap") + 2))
# The plan comes last: with it nothing was cut short.
if grep -q "^1\\.\\.$((count - 2))\$" "$tmp/tap" && [ ! -s "$tmp/err" ] && [ $status -le 1 ]; then
	echo "ok $count - it ran to its end, the sanitizers are silent"
else
	echo "not ok $count - it ran to its end, the sanitizers are silent"
	echo "# exit status $status"
	sed 's/^/# /' "$tmp/err"
	status=1
fi
echo "1..$count"
exit $status
