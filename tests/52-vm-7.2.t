#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 52-vm-7.2.t - cases on kernel 7.2, all with INLINE_CRYPT_FULL=1
exec "$(dirname "$0")/vm/all-cases" 7.2 '021|022|023|024|025|026|031|032|048|054|077|102|103|104|105|106|110|111'
