#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 50-vm-oldest.t - the cases that are for the oldest kernel
exec "$(dirname "$0")/vm/all-cases" oldest
