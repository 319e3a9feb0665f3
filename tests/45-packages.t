#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 45-packages.t - lintian on Debian's packages; the packages for Fedora, openSUSE and Arch
# Linux, made with Debian's rpmbuild and makepkg; the hook for mkinitcpio
#
# What is in Debian's packages, and what they do: 65-packaging.t.
#
# shellcheck disable=SC2317  # the functions are run by check
# shellcheck disable=SC2016  # what is in single quotes is for an inner shell
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top_dir/dkms.conf")
src=usr/src/dm-inline-crypt-$version

# --- what all of them are made of ----------------------------------------------

same_source_twice() {
	"$top_dir/packaging/make-source" "$tmp/one" &&
		(umask 077 && "$top_dir/packaging/make-source" "$tmp/two") &&
		cmp "$tmp"/{one,two}/"dm-inline-crypt-$version.tar.xz"
}

# one_version - dkms.conf has it, the packages take it from there or repeat it
one_version() {
	[ "$(sed -n '1s/.*(\(.*\)-[0-9]*).*/\1/p' "$top_dir/packaging/debian/changelog")" = "$version" ] &&
		grep -x "Version: *$version" "$top_dir/packaging/rpm/dm-inline-crypt.spec" &&
		grep -x "pkgver=$version" "$top_dir/packaging/arch/PKGBUILD"
}

# dkms_source - what dkms gets, the same in each package
dkms_source() {
	local file

	printf '%s\n' "$src"/{dkms.conf,packaging/dkms.mk,packaging/dkms-post-install} \
		"$src"/packaging/dkms-stub/{Kbuild,dm-inline-crypt.c}
	for file in "$top_dir"/dm-inline-crypt/*.[chS] "$top_dir/dm-inline-crypt/Kbuild"; do
		[[ $file == *.mod.c ]] || echo "$src/dm-inline-crypt/${file##*/}"
	done
}

# files_of DIR - in an unpacked package, without rpm's and pacman's own
files_of() {
	(cd "$1" && find . -not -type d -not -path './.*' -not -path './usr/lib/.build-id/*' \
		-printf '%P\n' | sort)
}

# dkms_executes DIR - what dkms runs there has its mode
dkms_executes() {
	[ -x "$1/$src/packaging/dkms-post-install" ] &&
		[ -x "$1/usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh" ]
}

# --- Debian -----------------------------------------------------------------------

make_deb() {
	"$top_dir/packaging/make-deb" --source "$tmp/deb"
}

# The experimental and pedantic tags, too
lintian_is_silent() {
	lintian --no-cfg --allow-root -I -E --pedantic "$tmp"/deb/*.changes > "$tmp/lintian" 2>&1
	cat "$tmp/lintian"
	! [ -s "$tmp/lintian" ]
}

# An override that nothing needs any more, lintian reports as unused; each has a reason.
overrides_have_reasons() {
	! awk '/^[^#]/ && !(last ~ /^#/) { print FILENAME ": " $0 } { last = $0 }' \
		"$top_dir"/packaging/debian/{source/lintian-overrides,*.lintian-overrides} | grep .
}

# --- Fedora, openSUSE ---------------------------------------------------------------

make_rpm() {
	"$top_dir/packaging/make-rpm" "$tmp/rpm" > "$tmp/rpms" &&
		[ "$(wc -l < "$tmp/rpms")" = 3 ] &&
		mkdir -p "$tmp/rpm-dkms" "$tmp/rpm-switch" &&
		(cd "$tmp/rpm-dkms" && rpm2cpio "$tmp"/rpm/dm-inline-crypt-dkms-*.rpm | cpio -id) &&
		(cd "$tmp/rpm-switch" && rpm2cpio "$tmp"/rpm/inline-crypt-switch-*.rpm | cpio -id)
}

rpmlint_is_silent() {
	rpmlint --config "$top_dir/packaging/rpm/rpmlint.toml" \
		"$top_dir/packaging/rpm/dm-inline-crypt.spec" "$tmp"/rpm/*.rpm > "$tmp/rpmlint" 2>&1 ||
		{ cat "$tmp/rpmlint"; return 1; }
	cat "$tmp/rpmlint"
	grep ' 0 errors, 0 warnings' "$tmp/rpmlint"
}

rpm_has_files() {
	local doc=usr/share/doc/dm-inline-crypt-dkms-$version license=usr/share/licenses

	diff <({
		dkms_source
		printf '%s\n' usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh \
			usr/share/dm-inline-crypt/dm-inline-crypt.conf \
			usr/share/man/man8/dm-inline-crypt.8 "$license/dm-inline-crypt-dkms-$version/LICENSE" \
			"$doc"/{README.md,contexts.md,dm-inline-crypt.rst}
		} | sort) <(files_of "$tmp/rpm-dkms") &&
		diff <(printf '%s\n' usr/sbin/inline-crypt-switch \
			"$license/inline-crypt-switch-$version/LICENSE" \
			usr/share/man/man8/inline-crypt-switch.8) <(files_of "$tmp/rpm-switch") &&
		dkms_executes "$tmp/rpm-dkms" &&
		"$tmp/rpm-switch/usr/sbin/inline-crypt-switch" --help
}

# rpm_after EXPECTED COMMANDS - these make just those calls, of dkms and dracut
#
# For COMMANDS there are post, preun and postun, the package's scripts, which get the
# number of versions that are left; takeover, which turns it on; and $conf. In a mount
# namespace with an /etc/modprobe.d and a /lib/modules of its own, with the headers of
# one kernel.
rpm_after() {
	local script

	for script in POSTIN PREUN POSTUN; do
		rpm -qp --qf "%{$script}" "$tmp"/rpm/dm-inline-crypt-dkms-*.rpm > "$tmp/$script"
	done
	as_root unshare --mount --propagation private -- sh -euc '
		tmp=$1
		conf=/etc/modprobe.d/dm-inline-crypt.conf
		mkdir -p /etc/modprobe.d /lib/modules
		mount -t tmpfs tmpfs /etc/modprobe.d
		mount -t tmpfs tmpfs /lib/modules
		mount -t tmpfs tmpfs /mnt
		mkdir -p /mnt/bin /lib/modules/6.99.1/build /lib/modules/6.98.0
		touch /lib/modules/6.99.1/build/Makefile
		for tool in dkms dracut; do
			printf "#!/bin/sh\necho \"%s \$*\" >> /mnt/calls\n" $tool > /mnt/bin/$tool
		done
		printf "#!/bin/sh\necho \"%s\"\n" "${4-}" > /mnt/bin/dmsetup
		chmod +x /mnt/bin/*
		ln -s "$(command -v rm)" /mnt/bin/rm
		: > /mnt/calls
		shell=$(command -v sh)
		post() { PATH=/mnt/bin "$shell" "$tmp/POSTIN" "$1"; }
		preun() { PATH=/mnt/bin "$shell" "$tmp/PREUN" "$1"; }
		postun() { PATH=/mnt/bin "$shell" "$tmp/POSTUN" "$1"; }
		takeover() { cp "$tmp/rpm-dkms/usr/share/dm-inline-crypt/dm-inline-crypt.conf" $conf; }
		eval "$2"
		printf "%s" "$3" | diff - /mnt/calls
		' sh "$tmp" "$2" "${1:+$1$'\n'}" "${tables-No devices found}"
}

rpm_builds="dkms add -m dm-inline-crypt -v $version --rpm_safe_upgrade
dkms install -m dm-inline-crypt -v $version -k 6.99.1 --force"
rpm_removes="dkms remove -m dm-inline-crypt -v $version --all --rpm_safe_upgrade"

# The new version's first, then the old one's
rpm_upgrade() {
	rpm_after "$rpm_builds
$rpm_removes" 'takeover; post 2; preun 1; postun 1; [ -e $conf ]'
}

rpm_removal_ends_takeover() {
	rpm_after "$rpm_removes
dracut --regenerate-all --force" 'takeover; preun 0; postun 0; [ ! -e $conf ]' &&
		rpm_after "$rpm_removes" 'preun 0; postun 0'
}

rpm_removal_leaves_switched_alone() {
	tables='root: 0 8 inline-crypt aes' \
		rpm_after "$rpm_removes" 'takeover; preun 0; postun 0; [ ! -e $conf ]'
}

# --- Arch Linux -----------------------------------------------------------------------

# As nobody, for makepkg refuses to run as root. pacman is asked for what is installed,
# and "true" answers for it.
make_arch() {
	local package

	"$top_dir/packaging/make-arch" "$tmp/arch" || return
	chmod 755 "$tmp"
	(
		cd "$tmp/arch" || exit
		as=()
		if [ "$(id -u)" = 0 ]; then
			chown -R 65534:65534 .
			as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		fi
		"${as[@]}" env HOME="$tmp/arch" PACMAN=true makepkg --nodeps --nocolor
	) || return
	for package in dm-inline-crypt-dkms inline-crypt-switch; do
		mkdir -p "$tmp/arch-${package##*-}" || return
		tar -C "$tmp/arch-${package##*-}" -xf "$tmp"/arch/"$package"-"$version"-*.pkg.tar.* || return
	done
}

arch_has_files() {
	diff <({
		dkms_source
		printf '%s\n' usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh \
			usr/lib/initcpio/install/dm-inline-crypt \
			usr/share/dm-inline-crypt/{dm-inline-crypt,mkinitcpio}.conf \
			usr/share/doc/dm-inline-crypt-dkms/{README.md,contexts.md,dm-inline-crypt.rst} \
			usr/share/man/man8/dm-inline-crypt.8.gz
		} | sort) <(files_of "$tmp/arch-dkms") &&
		diff <(printf '%s\n' usr/bin/inline-crypt-switch \
			usr/share/man/man8/inline-crypt-switch.8.gz) <(files_of "$tmp/arch-switch") &&
		dkms_executes "$tmp/arch-dkms" &&
		"$tmp/arch-switch/usr/bin/inline-crypt-switch" --help &&
		grep -x 'depend = dkms' "$tmp/arch-dkms/.PKGINFO"
}

# in_etc COMMANDS - in a mount namespace with an /etc/modprobe.d of its own, by bash
in_etc() {
	as_root unshare --mount --propagation private -- bash -euc '
		root=$1 conf=/etc/modprobe.d/dm-inline-crypt.conf
		mkdir -p /etc/modprobe.d
		mount -t tmpfs tmpfs /etc/modprobe.d
		mount -t tmpfs tmpfs /mnt
		'"$1" bash "$tmp/arch-dkms"
}

arch_removal_ends_takeover() {
	in_etc '
		cp "$root/usr/share/dm-inline-crypt/dm-inline-crypt.conf" $conf
		. "$root/.INSTALL"
		post_remove 0.1.0-1
		[ ! -e $conf ]'
}

# --- mkinitcpio -------------------------------------------------------------------------

# hook COMMANDS - of mkinitcpio, with stand-ins for its functions, which print their calls
#
# $BUILDROOT is the image, which hooks that ran before may have put files into.
hook() {
	in_etc '
		BUILDROOT=/mnt/image
		mkdir -p $BUILDROOT/usr/bin
		for function in add_module add_all_modules add_checked_modules add_file add_binary \
				add_symlink add_runscript add_dir; do
			eval "$function() { echo \"$function \$*\"; }"
		done
		. "$root/usr/lib/initcpio/install/dm-inline-crypt"
		'"$1"
}

hook_without_takeover() {
	[ -z "$(hook build)" ]
}

# A kernel may have no dm-inline-crypt, for which mkinitcpio has the question mark.
hook_after_base() {
	diff - <(hook 'touch $conf; touch $BUILDROOT/usr/bin/busybox $BUILDROOT/usr/bin/kmod
		ln -s busybox $BUILDROOT/usr/bin/sh; ln -s kmod $BUILDROOT/usr/bin/modprobe; build') <<-END
		add_module dm-inline-crypt?
		add_module dm-crypt
		add_file /etc/modprobe.d/dm-inline-crypt.conf
	END
}

# The hook systemd adds modprobe only, and modprobe runs the rule by a shell.
hook_after_systemd() {
	diff - <(hook 'touch $conf; touch $BUILDROOT/usr/bin/modprobe; build') <<-END
		add_module dm-inline-crypt?
		add_module dm-crypt
		add_file /etc/modprobe.d/dm-inline-crypt.conf
		add_binary /usr/bin/bash /usr/bin/sh
	END
}

hook_has_help() {
	hook help | grep 'sd-encrypt'
}

# Copied to mkinitcpio.conf.d, which is read after mkinitcpio.conf
hook_is_appended() {
	in_etc '
		HOOKS=(base systemd sd-encrypt)
		. "$root/usr/share/dm-inline-crypt/mkinitcpio.conf"
		[ "${HOOKS[*]}" = "base systemd sd-encrypt dm-inline-crypt" ]
		[ -e "$root/usr/lib/initcpio/install/${HOOKS[-1]}" ]'
}

# --- main -------------------------------------------------------------------------------

"$here/vm/provision" tools packaging >&2 || exit 1
check "make-source: the same tree gives the same archive" same_source_twice
check "all packages are of dkms.conf's version" one_version
check "make-deb makes packages with their source" make_deb
check "lintian has nothing to say" lintian_is_silent
check "each override has a reason" overrides_have_reasons
check "make-rpm makes packages" make_rpm
check "rpmlint has nothing to say" rpmlint_is_silent
check "the RPMs have the files that they should have" rpm_has_files
check "RPM: installation builds for each kernel with headers" rpm_after "$rpm_builds" 'post 1'
check "RPM: an upgrade keeps takeover" rpm_upgrade
check "RPM: removal ends takeover, then dracut" rpm_removal_ends_takeover
check "RPM: where a mapping is switched, no initramfs is renewed" rpm_removal_leaves_switched_alone
check "makepkg makes Arch Linux' packages of make-arch's directory" make_arch
check "they have the files that they should have" arch_has_files
check "Arch: removal ends takeover" arch_removal_ends_takeover
check "mkinitcpio: without takeover, the hook adds nothing" hook_without_takeover
check "mkinitcpio: with takeover, after base, it adds both modules and the rule" hook_after_base
check "mkinitcpio: after systemd, a shell as well" hook_after_systemd
check "mkinitcpio: the hook has a help text" hook_has_help
check "mkinitcpio: the file for mkinitcpio.conf.d adds the hook" hook_is_appended
tap_finish
