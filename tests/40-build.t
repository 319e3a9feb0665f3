#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 40-build.t - the module builds for every supported kernel, and neither the
# compiler (W=1) nor sparse (C=1) has anything to say
#
# With INLINE_CRYPT_FULL=1 also for the kernels of 53-vm-smoke.t.
#
# shellcheck disable=SC2317  # a function is run by check
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"

src=$top_dir/dm-inline-crypt
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start

# have_sparse KERNEL - sparse has to be where the kernel's build runs
have_sparse() {
	if [ -e "$cache/kernels/$1/chroot" ]; then
		[ -x "$(cat "$cache/kernels/$1/chroot")/usr/bin/sparse" ]
	else
		command -v sparse > /dev/null
	fi
}

# build KERNEL - from nothing, in the background; leaves KERNEL.log and KERNEL.status
build() {
	local kernel=$1 status=0
	local -a check=()

	# Newer kernels check their checker with a script that the headers package
	# lacks, and would give up: so say that it is fine. And they use a keyword
	# that not every sparse knows.
	! have_sparse "$kernel" || check=(C=1 KBUILD_CHECKSRC=1
		CF="-D__CHECK_ENDIAN__ -D__typeof_unqual__=__typeof__")
	"$here/vm/build-module" "$kernel" "$src" "$tmp/$kernel" "${check[@]}" \
		> "$tmp/$kernel.log" 2>&1 || status=$?
	echo $status > "$tmp/$kernel.status"
}

# remarks LOG - print the lines that are neither kbuild's routine nor about the missing script
#
# MODULE_LICENSE() and its kind assert something at the beginning of a line since
# 6.18, of which an older sparse (trixie's) does not know that it is constant. For a
# kernel without headers modpost knows no symbols, which is an error elsewhere.
remarks() {
	grep -Ev -e '^  [A-Z]+( \[M\])? +[^ ]+$' \
		-e '^make(\[[0-9]+\])?: (Entering|Leaving) directory ' \
		-e '^Skipping BTF generation for ' \
		-e '^warning: pahole version differs from the one used to build the kernel$' \
		-e '^  (The kernel was built with|You are using): +[0-9]+$' \
		-e '^[a-z_]+\.c:[0-9]+:1: error: bad constant expression$' \
		-e '^WARNING: (.*Module\.symvers is missing\.|modpost: (".*" .* undefined!|suppressed .*))$' \
		-e '^         (Modules|You|if you) ' \
		-e 'checker-valid\.sh: No such file or directory$' \
		-e ': C=1 specified, but sparse is not available or not up to date$' "$1"
}

# builds_what_was_put_back KERNEL - a file that is put back has an old time, and is compiled
#
# Otherwise a guest would test the module of a change that was taken back.
builds_what_was_put_back() {
	local out=$tmp/$1 want

	want=$(modinfo -F description "$out/dm-inline-crypt.ko")
	cp -a "$src" "$tmp/changed" &&
		sed -i 's/^MODULE_DESCRIPTION("/&changed /' "$tmp/changed/target.c" &&
		"$here/vm/build-module" "$1" "$tmp/changed" "$out" &&
		[ "$(modinfo -F description "$out/dm-inline-crypt.ko")" = "changed $want" ] &&
		cp "$src/target.c" "$tmp/changed/target.c" &&
		touch -d 2007-01-17 "$tmp/changed/target.c" &&
		"$here/vm/build-module" "$1" "$tmp/changed" "$out" &&
		[ "$(modinfo -F description "$out/dm-inline-crypt.ko")" = "$want" ]
}

"$here/vm/provision" tools >&2 || exit 1
mapfile -t kernels < <(kernels oldest differs newest ${INLINE_CRYPT_FULL:+smoke})
declare -A why
for kernel in "${kernels[@]}"; do
	status=0
	"$here/vm/provision" "$kernel" 2> >(tee "$tmp/reason" >&2) || status=$?
	case $status in
	0) build "$kernel" & ;;
	77) why[$kernel]=$(sed -n 's/.*skip: //p' "$tmp/reason" | head -n 1) ;;
	*) why[$kernel]="" ; not_ok "$kernel: can be provisioned" ;;
	esac
done
wait

objects=$(find "$src" -maxdepth 1 -name '*.c' | wc -l)
for kernel in "${kernels[@]}"; do
	if [ -n "${why[$kernel]+set}" ]; then
		[ -z "${why[$kernel]}" ] || skip "$kernel" "${why[$kernel]}"
		continue
	fi
	release=$(cat "$cache/kernels/$kernel/release")
	# Nothing is promised for the next kernel.
	if moved_on "$kernel" "$release" && [ "$(cat "$tmp/$kernel.status")" != 0 ]; then
		skip "$kernel" "the archive has moved on to $release, for which it does not compile"
		continue
	fi
	name="$kernel ($release): builds"
	if [ "$(cat "$tmp/$kernel.status")" = 0 ] && [ -s "$tmp/$kernel/dm-inline-crypt.ko" ]; then
		ok "$name"
	else
		not_ok "$name"
	fi

	name="$kernel: no warning"
	if remarks "$tmp/$kernel.log" > "$tmp/remarks"; then
		not_ok "$name"
		head -n 40 "$tmp/remarks" | diag_input
	else
		ok "$name"
	fi

	name="$kernel: sparse has seen all $objects files"
	if ! have_sparse "$kernel"; then
		skip "$name" "no sparse in the root directory that it is built in"
	elif [ "$(grep -c '^  CHECK ' "$tmp/$kernel.log")" = "$objects" ]; then
		ok "$name"
	else
		not_ok "$name"
	fi

	name="$kernel: the module is for $release"
	ko=$tmp/$kernel/dm-inline-crypt.ko
	if [ -s "$ko" ] && [ "$(modinfo -F license "$ko")" = GPL ] &&
	   [ "$(modinfo -F vermagic "$ko" | cut -d ' ' -f 1)" = "$release" ]; then
		ok "$name"
	else
		not_ok "$name"
	fi
done

if [ -n "${why[6.1]+set}" ]; then
	skip "a file that is put back is compiled" "kernel 6.1 cannot be had"
else
	check "a file that is put back is compiled" builds_what_was_put_back 6.1
fi
tap_finish
