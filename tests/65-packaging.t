#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 65-packaging.t - the package: what is in it, that dkms builds it, its man page,
# and in a guest, which module its modprobe.d file gets
#
# Installing it, booting from it, removing it: tests/boot/.
#
# shellcheck disable=SC2317  # the functions are run by report
# shellcheck disable=SC2016  # what is in single quotes is for an inner shell
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top_dir/dkms.conf")
deb=$tmp/deb/dm-inline-crypt-dkms_${version}_all.deb
number=0 failed=0

# report DESCRIPTION COMMAND... - good if it succeeds; what it prints is shown if not
report() {
	local name=$1 output

	shift
	number=$((number + 1))
	if output=$("$@" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		[ -z "$output" ] || tail -n 60 <<< "$output" | sed 's/^/# /'
		failed=1
	fi
}

# --- the package --------------------------------------------------------------

make_deb() {
	"$top_dir/packaging/make-deb" "$tmp/deb" && dpkg-deb -R "$deb" "$tmp/root"
}

# What is in the tree, and nothing that a build left there
expected_files() {
	local file

	cat <<-END
		usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh
		usr/share/dm-inline-crypt/dm-inline-crypt.conf
		usr/share/doc/dm-inline-crypt-dkms/README.md.gz
		usr/share/doc/dm-inline-crypt-dkms/changelog.gz
		usr/share/doc/dm-inline-crypt-dkms/contexts.md.gz
		usr/share/doc/dm-inline-crypt-dkms/copyright
		usr/share/doc/dm-inline-crypt-dkms/dm-inline-crypt.rst.gz
		usr/share/initramfs-tools/hooks/dm-inline-crypt
		usr/share/man/man8/dm-inline-crypt.8.gz
		usr/src/dm-inline-crypt-$version/dkms.conf
		usr/src/dm-inline-crypt-$version/packaging/dkms-post-install
	END
	for file in "$top_dir"/dm-inline-crypt/*.[ch] "$top_dir/dm-inline-crypt/Kbuild"; do
		[[ $file == *.mod.c ]] ||
			echo "usr/src/dm-inline-crypt-$version/dm-inline-crypt/${file##*/}"
	done
}

right_files() {
	diff <(expected_files | sort) <(cd "$tmp/root" && find . -type f -not -path './DEBIAN/*' -printf '%P\n' | sort)
}

root_owns_all() {
	! dpkg-deb -c "$deb" | grep -Ev '^(d|-)rw[-x]r-[-x]r-[-x] root/root '
}

hooks_are_executable() {
	[ -x "$tmp/root/usr/share/initramfs-tools/hooks/dm-inline-crypt" ] &&
		[ -x "$tmp/root/usr/src/dm-inline-crypt-$version/packaging/dkms-post-install" ] &&
		[ -x "$tmp/root/usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh" ]
}

# Nobody's volume changes hands because a package was installed.
active_for_nobody() {
	! { find "$tmp/root/etc" "$tmp/root"/{usr/,}lib/{modprobe.d,modules-load.d} 2>/dev/null || :; } | grep .
}

# --- dkms ---------------------------------------------------------------------

# in_dkms COMMAND... - run COMMAND as root, with an empty dkms tree over the real one
#
# dkms would make a signing key there, and can be told no other place for it.
in_dkms() {
	as_root unshare --mount --propagation private -- sh -euc '
		mkdir -p /var/lib/dkms
		mount -t tmpfs tmpfs /var/lib/dkms
		"$@"' sh "$@"
}

# The compiler's words are in make.log, which dkms shows where.
dkms_builds() {
	in_dkms sh -euc '
		src=$1 release=$2 kdir=$3 version=$4
		dkms add --sourcetree "$src" -m dm-inline-crypt -v "$version"
		dkms build --sourcetree "$src" -m dm-inline-crypt -v "$version" \
			-k "$release" --kernelsourcedir "$kdir" || {
			cat "/var/lib/dkms/dm-inline-crypt/$version/build/make.log"
			exit 1
		}
		find "/var/lib/dkms/dm-inline-crypt/$version/$release" -name "dm-inline-crypt.ko*" |
			grep .
		' sh "$tmp/root/usr/src" "$release" "$kdir" "$version"
}

# A kernel that is too old, says dkms, is none of its business: 77.
dkms_knows_its_kernels() {
	in_dkms sh -euc '
		src=$1 version=$2
		dkms add --sourcetree "$src" -m dm-inline-crypt -v "$version"
		for old in 5.10.0-1-amd64 6.0.0-1-amd64 6.13.1-amd64 7.3.0-amd64 8.0.0-amd64; do
			status=0
			dkms build --sourcetree "$src" -m dm-inline-crypt -v "$version" \
				-k $old --kernelsourcedir /nowhere || status=$?
			[ $status = 77 ] || { echo "$old: $status"; exit 1; }
		done
		' sh "$tmp/root/usr/src" "$version"
}

dkms_takes_a_plain_tree() {
	mkdir "$tmp/plain" "$tmp/src" &&
		cp -r "$top_dir"/{dkms.conf,Makefile,dm-inline-crypt} "$tmp/plain" &&
		in_dkms sh -euc '
			dkms add --sourcetree "$1" "$2"
			dkms status --sourcetree "$1" | grep "^dm-inline-crypt/$3"
			' sh "$tmp/src" "$tmp/plain" "$version" &&
		[ -e "$tmp/src/dm-inline-crypt-$version/dm-inline-crypt/Kbuild" ]
}

# --- the man page -------------------------------------------------------------

man_page_renders() {
	LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -P cat \
		"$top_dir/docs/dm-inline-crypt.8" > "$tmp/page" 2> "$tmp/warnings"
	cat "$tmp/warnings"
	[ -s "$tmp/page" ] && ! [ -s "$tmp/warnings" ]
}

# What it names below /usr/share is in the package.
man_page_is_right() {
	local path paths

	paths=$(sed 's/\\-/-/g' "$top_dir/docs/dm-inline-crypt.8" |
		grep -oE '/usr/share/dm-inline-crypt[a-z./-]*[a-z]' | sort -u)
	[ -n "$paths" ] || { echo "names no file of the package"; return 1; }
	for path in $paths; do
		[ -e "$tmp/root$path" ] || { echo "no $path in the package"; return 1; }
	done
}

# --- main ---------------------------------------------------------------------

"$here/vm/provision" tools packaging >&2 || exit 1
report "make-deb makes a package, and it is of dkms.conf's version" make_deb
[ -d "$tmp/root" ] || { echo "Bail out! no package"; exit 1; }
report "the package has the files that it should have" right_files
report "they are root's, and nobody else may write" root_owns_all
report "the hooks are executable" hooks_are_executable
report "installing it puts nothing into modprobe.d" active_for_nobody
report "the man page renders without a warning" man_page_renders
report "the files that the man page names are in the package" man_page_is_right
report "dkms takes a plain source tree" dkms_takes_a_plain_tree
report "dkms leaves kernels alone that were not tried" dkms_knows_its_kernels

if "$here/vm/provision" 6.1 >&2; then
	release=$(cat "$cache/kernels/6.1/release")
	kdir=$(cat "$cache/kernels/6.1/kdir")
	report "dkms builds the module for $release" dkms_builds

	with=$tmp/with
	mkdir -p "$with/kmod/usr/bin"
	cp "$tmp/root/usr/share/dm-inline-crypt/dm-inline-crypt.conf" "$with/takeover.conf"
	cp -L "$(PATH=$PATH:/sbin command -v kmod)" "$with/kmod/usr/bin"
	# Not the loader, which the guest has.
	for lib in $(ldd "$with/kmod/usr/bin/kmod" | sed -n 's,.*=> \(/[^ ]*\).*,\1,p'); do
		mkdir -p "$with/kmod/usr/$(dirname "${lib#/usr}")"
		cp -L "$lib" "$with/kmod/usr${lib#/usr}"
	done
	report "modprobe.d decides who serves crypt (in a guest)" \
		"$here/vm/run" --kernel 6.1 --with "$with" "$here/boot/modprobe.sh"
else
	number=$((number + 1))
	echo "ok $number - in a guest # SKIP kernel 6.1 cannot be had"
fi

echo "1..$number"
exit $failed
