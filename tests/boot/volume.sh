# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the Debian package's autopkgtest of a volume, which is /with/volume

# The guest has no udev, which would have made it.
modprobe loop
check "packaging/debian/tests/volume passes" sh /with/volume
check_not "the module is not loaded any more" grep -q '^dm_inline_crypt ' /proc/modules
