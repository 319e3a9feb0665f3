#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 51-vm-newest.t - the cases that are for the newest kernel
exec "$(dirname "$0")/vm/all-cases" newest
