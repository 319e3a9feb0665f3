# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host.sh - functions that provision, build-module and run share, and where things are kept
#
# Sourced, never run. Everything the lab downloads or builds lives in one cache
# outside the source tree, so that a checkout stays clean and several checkouts
# share the gigabytes:
#
#   kernels/K/release      the kernel's `uname -r`           (K: a name of tests/kernels)
#   kernels/K/vmlinuz      what QEMU boots
#   kernels/K/config       its configuration
#   kernels/K/modules/     its /lib/modules/RELEASE
#   kernels/K/kdir         names the directory that kbuild takes as -C
#   kernels/K/chroot       if present, names the root directory to build in
#   qemu/                  a newer QEMU than the distribution's, unpacked
#   cryptsetup/SUITE/      an image with a suite's cryptsetup and the tests in its source
#   boot/debian-N/         root/, a Debian system; later/, packages for it
#   style/                 checkpatch.pl and kernel-doc of the newest kernel
#   source/VERSION/        the source tree of the newest kernel, for 60-in-tree.t and style/
#   debug-source/VERSION/  the source tree of the debug kernel

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

	# sudo closes file descriptors other than the standard ones.
	[ -e "/proc/self/fd/$fd" ] || fd=2
	echo "[${0##*/}] $*" >&"$fd"
}

# die MESSAGE... - a failure of the lab itself
die() {
	log "error: $*"
	exit 1
}

# not_here MESSAGE... - leave, because something cannot be had here
#
# With status 77, which automake takes for a skip.
not_here() {
	log "skip: $*"
	exit 77
}

# need_kernel KERNEL - leave a .t file that needs a guest, if that kernel cannot be had
need_kernel() {
	local status=0

	"$vm_dir/provision" tools "$1" >&2 || status=$?
	[ $status != 77 ] || skip_all "kernel $1 cannot be had"
	[ $status = 0 ] || exit $status
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

# checkout_id - print the name that this checkout has below the cache's build/
checkout_id() {
	echo "$top_dir" | sha256sum | cut -c1-12
}

# --- tests/kernels ------------------------------------------------------------

kernels_file=$top_dir/tests/kernels

# kernels [RUNS...] - print the names of the kernels that run this, in the file's order
# shellcheck disable=SC2120  # of the scripts that source this file, some have no arguments
kernels() {
	awk -v want=" ${*:-*} " '
		!/^#/ && NF && (want == " * " || index(want, " " $4 " ")) { print $1 }' "$kernels_file"
}

# kernel_field K suite|build|runs - print a column of tests/kernels for kernel K, "" if there is none
kernel_field() {
	awk -v kernel="$1" -v field="$2" '
		BEGIN { column["suite"] = 2; column["build"] = 3; column["runs"] = 4 }
		!/^#/ && $1 == kernel { print $column[field]; exit }' "$kernels_file"
}

# known_kernel K - or die
known_kernel() {
	[ -n "$(kernel_field "$1" runs)" ] ||
		die "unknown kernel '$1', tests/kernels has: $(kernels | paste -sd ' ')"
}

# moved_on K RELEASE - is RELEASE, which was taken for kernel K, of a later series?
moved_on() {
	[ "$(kernel_field "$1" build)" = root ] && [[ $2 != "${1%%-*}".* ]]
}

# kernel_dir K - print the directory of kernel K, provisioning it if need be
kernel_dir() {
	known_kernel "$1"
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
