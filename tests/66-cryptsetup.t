#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 66-cryptsetup.t - two short ones of cryptsetup's own tests, on dm-crypt and on
# us; make check-cryptsetup runs them all
set -euo pipefail

exec "$(dirname "$0")/cryptsetup/upstream" --kernel 6.1 --suites bookworm --limit 300 \
	discards-test
