#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 52-vm-differs.t - the cases that are for all, on the kernels between
exec "$(dirname "$0")/vm/all-cases" differs
