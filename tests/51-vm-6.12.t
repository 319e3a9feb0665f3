#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 51-vm-6.12.t - cases on kernel 6.12, all with INLINE_CRYPT_FULL=1
exec "$(dirname "$0")/vm/all-cases" 6.12 '022|024|031|032|043|046|048|052|078|101|103|104|106|110|111'
