#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 70-debug.t - cases on a debug kernel: KASAN, lockdep, kmemleak, fault injection
#
# All of them with INLINE_CRYPT_FULL=1 (make check-debug), which takes hours without
# KVM. Otherwise some that go through most of what data goes through.
set -euo pipefail

here=$(dirname "$0")
"$here/vm/provision" tools debug || {
	status=$?
	[ $status = 77 ] || exit $status
	echo "1..0 # SKIP kernel debug cannot be had or built for here"
	exit 0
}
cases=("$here"/cases/*.sh)
limits=(--timeout 14400 --case-timeout 2400)
[ -n "${INLINE_CRYPT_FULL:-}" ] || {
	limits=(--timeout 3600 --case-timeout 1000)
	cases=("$here"/cases/{029,033,042,043,045,072,076,105}-*.sh)
}

# What must be on the disk, from OpenSSL, for 020-vectors
vectors=$(mktemp -d)
trap 'rm -rf "$vectors"' EXIT
"$here/../vectors/make-cases" "$vectors" >&2
echo inline-crypt > "$vectors/targets"	# dm-crypt has its turn in 021 and 024
"$here/vm/run" --with "$vectors" --kernel debug "${limits[@]}" "${cases[@]}"
