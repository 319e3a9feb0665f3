#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 58-keys.t - dumps of a guest's memory have nothing of a key that was wiped
exec "$(dirname "$0")/trust/keys"
