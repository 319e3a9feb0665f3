#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 53-vm-smoke.t - some cases, on kernels that have no more than these
exec "$(dirname "$0")/vm/all-cases" smoke
