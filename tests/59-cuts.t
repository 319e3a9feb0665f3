#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 59-cuts.t - after a power cut all is there that was acknowledged; make check-crash has more
exec "$(dirname "$0")/trust/cuts" 1
