#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 51-vm-6.12.t - cases on kernel 6.12
#
# All of them with INLINE_CRYPT_FULL=1. Otherwise without the long ones in which
# cryptsetup and inline-crypt-switch do the work, which the other kernels have.
set -euo pipefail

here=$(dirname "$0")
"$here/vm/provision" tools 6.12 || {
	status=$?
	[ $status = 77 ] || exit $status
	echo "1..0 # SKIP kernel 6.12 cannot be had or built for here"
	exit 0
}
# What must be on the disk, from OpenSSL, for 020-vectors
vectors=$(mktemp -d)
trap 'rm -rf "$vectors"' EXIT
"$here/../vectors/make-cases" "$vectors" >&2
echo inline-crypt > "$vectors/targets"	# dm-crypt has its turn in 021 and 024
# What 120-parity has to find
cp "$here/../docs/parity.md" "$vectors"
cases=("$here"/cases/*.sh)
[ -n "${INLINE_CRYPT_FULL:-}" ] ||
	mapfile -t cases < <(printf '%s\n' "${cases[@]}" | grep -Ev '/(10[1346]|111)-')
"$here/vm/run" --with "$vectors" --kernel 6.12 --timeout 2700 --case-timeout 240 "${cases[@]}"
