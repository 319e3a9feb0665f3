#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 51-vm-6.12.t - cases on kernel 6.12, all with INLINE_CRYPT_FULL=1
exec "$(dirname "$0")/vm/all-cases" 6.12 '010|011|020|021|022|023|024|03[0-3]|040|043|045|046|048|052|054|072|078|080|100|101|103|104|105|106|110|111'
