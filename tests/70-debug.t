#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 70-debug.t - cases on a debug kernel: KASAN, lockdep, kmemleak, fault injection
#
# All of them with INLINE_CRYPT_FULL=1 (make check-debug), which takes hours without
# KVM. Otherwise a few cases that run most of the data path.
exec "$(dirname "$0")/vm/all-cases" debug
