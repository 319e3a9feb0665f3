#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut module: where takeover is on, take dm-inline-crypt along, and dm-crypt
# to fall back to
#
# shellcheck disable=SC2154  # dracutsysrootdir is dracut's

takeover=/etc/modprobe.d/dm-inline-crypt.conf

check() {
	[ -e "${dracutsysrootdir-}$takeover" ]
}

depends() {
	echo dm
}

# A kernel for which there is no dm-inline-crypt is no error.
installkernel() {
	# Whether it is in use now says nothing about the next boot.
	hostonly='' instmods dm-crypt dm-inline-crypt
}

install() {
	inst_simple "$takeover"
	# What the file's line runs
	inst_multiple modprobe sh
}
