# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host.sh - what provision, build-module and run share: where things are kept.
#
# Sourced, never run. Everything the lab downloads or builds lives in one cache
# outside the source tree, so that a checkout stays clean and several checkouts
# share the gigabytes:
#
#   kernels/K/release      the kernel's `uname -r`           (K = 6.1 6.12 7.2 debug)
#   kernels/K/vmlinuz      what QEMU boots
#   kernels/K/config       its configuration
#   kernels/K/modules/     its /lib/modules/RELEASE
#   kernels/K/kdir         names the directory that kbuild takes as -C
#   kernels/K/chroot       if present, names the root directory to build in
#   qemu/                  a newer QEMU than the distribution's, unpacked
#   cryptsetup/SUITE/      an image with a suite's cryptsetup and the tests in its source
#   boot/debian-N/         root/, a Debian system; later/, packages for it
#   style/                 checkpatch.pl and kernel-doc of the newest kernel
#   debug-source/VERSION/  the source tree of the debug kernel and of 60-in-tree.t

# How our Makefile was called is not for the makes that are called here: after
# "make -C DIR check" they would say which directories they enter, and a variable
# of its command line would be one of the kernel's.
unset MAKEFLAGS MFLAGS

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
top_dir=$(cd "$vm_dir/../.." && pwd)

cache=${INLINE_CRYPT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dm-inline-crypt}

# log MESSAGE... - progress, on stderr because stdout may be TAP
#
# Or where INLINE_CRYPT_LOG_FD says: prove that has read something of a test's stderr
# waits for that test's stdout, and lets the others that run beside it wait as well.
log() {
	local fd=${INLINE_CRYPT_LOG_FD:-2}

	# sudo closes what it does not know.
	[ -e "/proc/self/fd/$fd" ] || fd=2
	echo "[${0##*/}] $*" >&"$fd"
}

# die MESSAGE... - a failure of the lab itself
die() {
	log "error: $*"
	exit 1
}

# skip MESSAGE... - cannot be had here; 77 is what automake calls a skip
skip() {
	log "skip: $*"
	exit 77
}

# as_root COMMAND... - run COMMAND as root, through sudo where we are not
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		log "error: need root or sudo for: $*"
		return 1
	fi
}

# known_kernel K - is K a kernel of the lab?
known_kernel() {
	case $1 in
	6.1 | 6.12 | 7.2 | debug) ;;
	*) return 1 ;;
	esac
}

# kernel_dir K - print the directory of kernel K, provisioning it if need be
kernel_dir() {
	known_kernel "$1" || die "unknown kernel '$1' (6.1 6.12 7.2 debug)"
	"$vm_dir/provision" "$1" || exit $?
	echo "$cache/kernels/$1"
}

# find_qemu - set qemu to the one to use, once it is provisioned
find_qemu() {
	qemu=$cache/qemu/qemu-system-x86_64
	[ -e "$cache/qemu/complete" ] || qemu='qemu-system-x86_64'
}

# kvm_works VMLINUZ - does KVM really run this kernel in $qemu?
#
# /dev/kvm can be there and hang the guest. Without an initramfs a kernel that
# comes up panics, which -no-reboot turns into an exit.
kvm_works() {
	case ${INLINE_CRYPT_KVM:-} in
	0) return 1 ;;
	1) return 0 ;;
	esac
	[ -w /dev/kvm ] && grep -Eqw 'vmx|svm' /proc/cpuinfo || return 1
	timeout 20 "$qemu" -accel kvm -cpu max -m 512M -no-reboot -nodefaults \
		-display none -kernel "$1" -append 'panic=-1' >/dev/null 2>&1
}
