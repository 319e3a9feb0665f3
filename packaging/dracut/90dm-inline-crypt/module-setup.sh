#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut module: where takeover is on, take dm-inline-crypt along, and dm-crypt
# to fall back to; while a mapping is switched to inline-crypt, all ciphers
#
# In hostonly mode, dracut's own module takes the ciphers of mappings with the target
# crypt only: the initramfs could not open a root that is switched.
#
# shellcheck disable=SC2154  # dracutsysrootdir and srcmods are dracut's

takeover=/etc/modprobe.d/dm-inline-crypt.conf

taken_over() {
	[ -e "${dracutsysrootdir-}$takeover" ]
}

# Of this system; of another one nobody knows.
switched() {
	[ -z "${dracutsysrootdir-}" ] &&
		[[ $(dmsetup table --target inline-crypt 2>/dev/null) = *' inline-crypt '* ]]
}

check() {
	taken_over || switched
}

depends() {
	echo dm
}

# A kernel for which there is no dm-inline-crypt is no error.
installkernel() {
	local dir

	# Whether it is in use now says nothing about the next boot.
	! taken_over || hostonly='' instmods dm-crypt dm-inline-crypt
	! switched || {
		hostonly='' instmods "=crypto"
		for dir in "$srcmods"/kernel/arch/*/crypto; do
			hostonly='' instmods "=${dir#"$srcmods"/kernel/}"
		done
	}
}

install() {
	taken_over || return 0
	inst_simple "$takeover"
	# What the file's line runs
	inst_multiple modprobe sh
}
