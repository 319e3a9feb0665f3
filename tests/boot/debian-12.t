#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# debian-12.t - Debian 12 boots from a root on LUKS2, with the package and without
exec "$(dirname "$0")/boot" debian-12
