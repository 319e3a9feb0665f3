#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 50-vm-6.1.t - cases on kernel 6.1, all with INLINE_CRYPT_FULL=1
exec "$(dirname "$0")/vm/all-cases" 6.1 '025|026|052'
