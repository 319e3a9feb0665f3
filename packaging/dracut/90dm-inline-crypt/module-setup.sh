#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dracut module. If takeover is enabled, add dm-inline-crypt, and dm-crypt as the
# fallback. While a mapping is switched to inline-crypt, add all ciphers.
#
# In hostonly mode, dracut's own module adds the ciphers of mappings with the target
# crypt only. Without this module the initramfs could not open a root that is switched.
#
# shellcheck disable=SC2154  # dracutsysrootdir and srcmods are dracut's

takeover=/etc/modprobe.d/dm-inline-crypt.conf

taken_over() {
	[ -e "${dracutsysrootdir-}$takeover" ]
}

# Only for this system; another root directory says nothing about its mappings.
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

# It is not an error if a kernel has no dm-inline-crypt.
installkernel() {
	local dir

	# hostonly is off: the modules may not be in use now, but are needed at the next boot.
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
	# The programs that the rule runs
	inst_multiple modprobe sh
}
