#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 65-packaging.t - the packages: what is in them, that dkms builds the module, the
# man pages, the maintainer scripts, make install, and in a guest, which module the
# modprobe.d file gets
#
# Installing them, booting from them, removing them: tests/boot/. What lintian says, and
# packages of other systems: 45-packages.t.
#
# shellcheck disable=SC2317  # the functions are run by check_apart
# shellcheck disable=SC2016  # what is in single quotes is for an inner shell
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"

# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top_dir/dkms.conf")
deb_version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$top_dir/packaging/debian/changelog")
deb=$tmp/deb/dm-inline-crypt-dkms_${deb_version}_all.deb
switch_deb=$tmp/deb/inline-crypt-switch_${deb_version}_$(dpkg --print-architecture).deb

# --- the package --------------------------------------------------------------

make_deb() {
	"$top_dir/packaging/make-deb" "$tmp/deb" > "$tmp/debs" &&
		diff <(printf '%s\n' "$deb" "$switch_deb") "$tmp/debs" &&
		dpkg-deb -R "$deb" "$tmp/root" && dpkg-deb -R "$switch_deb" "$tmp/switch"
}

# The files of the tree, and nothing that a build left there
expected_files() {
	local file

	cat <<-END
		usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh
		usr/share/dm-inline-crypt/dm-inline-crypt.conf
		usr/share/doc/dm-inline-crypt-dkms/README.md.gz
		usr/share/doc/dm-inline-crypt-dkms/changelog.Debian.gz
		usr/share/doc/dm-inline-crypt-dkms/contexts.md.gz
		usr/share/doc/dm-inline-crypt-dkms/copyright
		usr/share/doc/dm-inline-crypt-dkms/dm-inline-crypt.rst.gz
		usr/share/initramfs-tools/hooks/dm-inline-crypt
		usr/share/lintian/overrides/dm-inline-crypt-dkms
		usr/share/man/man8/dm-inline-crypt.8.gz
		usr/src/dm-inline-crypt-$version/dkms.conf
		usr/src/dm-inline-crypt-$version/packaging/dkms-post-install
		usr/src/dm-inline-crypt-$version/packaging/dkms-stub/Kbuild
		usr/src/dm-inline-crypt-$version/packaging/dkms-stub/dm-inline-crypt.c
		usr/src/dm-inline-crypt-$version/packaging/dkms.mk
	END
	for file in "$top_dir"/dm-inline-crypt/*.[chS] "$top_dir/dm-inline-crypt/Kbuild"; do
		[[ $file == *.mod.c ]] ||
			echo "usr/src/dm-inline-crypt-$version/dm-inline-crypt/${file##*/}"
	done
}

# files_of DIR - in an unpacked package
files_of() {
	(cd "$1" && find . -not -type d -not -path './DEBIAN/*' -printf '%P\n' | sort)
}

right_files() {
	diff <(expected_files | sort) <(files_of "$tmp/root")
}

right_files_of_switch() {
	diff <(printf '%s\n' usr/sbin/inline-crypt-switch \
			usr/share/doc/inline-crypt-switch/{changelog.Debian.gz,copyright} \
			usr/share/lintian/overrides/inline-crypt-switch \
			usr/share/man/man8/inline-crypt-switch.8.gz) \
		<(files_of "$tmp/switch")
}

switch_depends() {
	local lib

	for lib in libc6 libcryptsetup12 libdevmapper1.02.1; do
		dpkg-deb -f "$switch_deb" Depends | grep -E "(^|, )$lib \(" ||
			{ echo "not on $lib"; return 1; }
	done
}

switch_runs() {
	"$tmp/switch/usr/sbin/inline-crypt-switch" --help | grep '^Usage: inline-crypt-switch '
}

root_owns_all() {
	local package

	for package in "$deb" "$switch_deb"; do
		! dpkg-deb -c "$package" | grep -Ev '^(d|-)rw[-x]r-[-x]r-[-x] root/root ' || return
	done
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

# --- the tree as a user has it ------------------------------------------------

# make_checkout - copy the files that git tracks or would add, without build results
make_checkout() {
	checkout=$tmp/checkout
	mkdir "$checkout" || return
	if git -C "$top_dir" rev-parse --is-inside-work-tree > /dev/null 2>&1; then
		(cd "$top_dir" && git ls-files -z --cached --others --exclude-standard |
			xargs -0 cp --parents -t "$checkout")
	else
		cp -r "$top_dir/." "$checkout"
	fi
}

# --- dkms ---------------------------------------------------------------------

# in_dkms COMMAND... - run COMMAND as root, with an empty dkms tree over the real one
#
# dkms would make a signing key there, and can be told no other place for it. This
# machine may have takeover on, but its initramfs is none of our business.
in_dkms() {
	as_root unshare --mount --propagation private -- sh -euc '
		mkdir -p /var/lib/dkms /etc/modprobe.d
		mount -t tmpfs tmpfs /var/lib/dkms
		mount -t tmpfs tmpfs /etc/modprobe.d
		mount -t tmpfs tmpfs /mnt
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
		mkdir -p "$5/$release"
		dkms install --sourcetree "$src" "dm-inline-crypt/$version" \
			-k "$release" --installtree "$5" --no-depmod
		# The module itself, not its stand-in
		modinfo -F parm "$5/$release/updates/dkms"/dm-inline-crypt.ko* | grep ^takeover
		dkms remove --sourcetree "$src" "dm-inline-crypt/$version" --installtree "$5" \
			--no-depmod --all
		[ -z "$(find "$5" -name "dm-inline-crypt*" | tee /dev/stderr)" ]
		' sh "$tmp/root/usr/src" "$release" "$kdir" "$version" "$tmp/installed"
}

# dkms_stands_in BREAK RELEASE... - for a new kernel of this name, what its own
# installation runs succeeds and says that there is only the stand-in
#
# A failure there would leave the kernel without an initramfs. BREAK: commands in the
# module's source. Headers are those of $release.
dkms_stands_in() {
	in_dkms sh -euc '
		src=$1 version=$2 kdir=$3 real_module=$4 break=$5
		shift 5
		cp -r "$src" /mnt/src
		mount -t tmpfs tmpfs /lib/modules
		cd "/mnt/src/dm-inline-crypt-$version"
		eval "$break"
		dkms add --sourcetree /mnt/src -m dm-inline-crypt -v "$version"
		for release; do
			mkdir "/lib/modules/$release"
			ln -s "$kdir" "/lib/modules/$release/build"
			touch "/lib/modules/$release/modules.order" "/lib/modules/$release/modules.builtin"
			dkms autoinstall --sourcetree /mnt/src -k "$release" > /mnt/out 2>&1 || {
				cat /mnt/out "/var/lib/dkms/dm-inline-crypt/$version/build/make.log"
				exit 1
			}
			grep "dm-inline-crypt: not built for $release" /mnt/out || { cat /mnt/out; exit 1; }
			log=$(sed -n "s/.*the reason is in //p" /mnt/out)
			[ -e $log ] || { echo "no $log"; exit 1; }
			# The lines that grep prints show why.
			grep "error: " $log
			modinfo -F description "/lib/modules/$release"/updates/dkms/dm-inline-crypt.ko* |
				grep "^Stands for"
		done
		# What Debian would run for the package notices, though dkms says that all is well.
		! "$real_module"
		' sh "$tmp/root/usr/src" "$version" "$kdir" \
		"$top_dir/packaging/debian/tests/real-module" "$@"
}

# dkms_builds_for_all - a kernel of a series that no test has gets the module, not the stand-in
#
# Its self-test looks whether it is right there.
dkms_builds_for_all() {
	in_dkms sh -euc '
		src=$1 version=$2 kdir=$3 release=6.13.1-amd64
		mount -t tmpfs tmpfs /lib/modules
		mkdir "/lib/modules/$release"
		ln -s "$kdir" "/lib/modules/$release/build"
		touch "/lib/modules/$release/modules.order" "/lib/modules/$release/modules.builtin"
		dkms add --sourcetree "$src" -m dm-inline-crypt -v "$version"
		dkms autoinstall --sourcetree "$src" -k "$release"
		modinfo -F parm "/lib/modules/$release"/updates/dkms/dm-inline-crypt.ko* | grep ^takeover
		"$4"
		' sh "$tmp/root/usr/src" "$version" "$kdir" "$top_dir/packaging/debian/tests/real-module"
}

# dkms_signs - with a key of ours, in the file that dkms reads, and only we have it
#
# dkms makes one of its own if there is none, which is all that differs for most users.
# The certificate has to fit the signature, and the signature the module.
dkms_signs() {
	in_dkms sh -euc '
		src=$1 release=$2 kdir=$3 version=$4
		mount -t tmpfs tmpfs /etc/dkms
		cd /mnt
		openssl req -new -x509 -nodes -days 2 -subj "/CN=key of a test/" -newkey rsa:2048 \
			-keyout key -outform DER -out certificate
		printf "%s\n" mok_signing_key=/mnt/key mok_certificate=/mnt/certificate \
			"sign_file=\"$kdir/scripts/sign-file\"" > /etc/dkms/framework.conf
		dkms add --sourcetree "$src" -m dm-inline-crypt -v "$version"
		dkms build --sourcetree "$src" -m dm-inline-crypt -v "$version" \
			-k "$release" --kernelsourcedir "$kdir"
		mkdir -p "$5/$release"
		dkms install --sourcetree "$src" "dm-inline-crypt/$version" \
			-k "$release" --installtree "$5" --no-depmod
		cp "$5/$release/updates/dkms"/dm-inline-crypt.ko* .
		rm -r "$5"
		[ ! -e dm-inline-crypt.ko.xz ] || unxz dm-inline-crypt.ko.xz
		modinfo -F parm ./dm-inline-crypt.ko | grep ^takeover
		[ "$(modinfo -F signer ./dm-inline-crypt.ko | tee /dev/stderr)" = "key of a test" ]
		# The module, the signature, 12 bytes that end with the length of it, the mark
		[ "$(tail -c 28 dm-inline-crypt.ko)" = "~Module signature appended~" ]
		length=$((0x$(tail -c 32 dm-inline-crypt.ko | head -c 4 | od -An -tx1 | tr -d " ")))
		head -c "-$((length + 40))" dm-inline-crypt.ko > module
		tail -c "$((length + 40))" dm-inline-crypt.ko | head -c "$length" > signature
		openssl x509 -inform DER -in certificate -out certificate.pem
		verify() {
			openssl cms -verify -binary -inform DER -in signature -content "$1" -noverify \
				-certfile certificate.pem -out /dev/null
		}
		verify module
		# Changed by one byte, it does not.
		printf x >> module
		! verify module
		' sh "$tmp/root/usr/src" "$release" "$kdir" "$version" "$tmp/signed"
}

dkms_survives_errors() {
	dkms_stands_in 'echo "#error no such kernel" >> dm-inline-crypt/table.c' 6.12.9999-amd64
}

# The commands of README.md for a checkout. dkms builds the same files as from the package,
# which has no KUnit tests.
dkms_takes_a_checkout() {
	mkdir "$tmp/src" &&
		in_dkms sh -euc '
			cd "$2"
			dkms add --sourcetree "$1" .
			dkms status --sourcetree "$1" "dm-inline-crypt/$3" | grep "added"
			dkms remove --sourcetree "$1" "dm-inline-crypt/$3" --all
			[ -z "$(dkms status --sourcetree "$1")" ]
			' sh "$tmp/src" "$checkout" "$version" &&
		diff -r -x '.*' -x tests -x '*.o' -x '*.ko' -x '*.mod*' -x modules.order -x Module.symvers \
			"$tmp/src/dm-inline-crypt-$version/dm-inline-crypt" \
			"$tmp/root/usr/src/dm-inline-crypt-$version/dm-inline-crypt" &&
		cmp {"$tmp/src","$tmp/root/usr/src"}"/dm-inline-crypt-$version/dkms.conf"
}

# --- the maintainer scripts ---------------------------------------------------

# after CALLS COMMANDS - that these make just those calls
#
# For COMMANDS there are postinst and postrm; copy, as the administrator does it; and
# $takeover, what that makes; and dkms_installs RELEASE, of a kernel whose initramfs is
# $boot/initrd.img-RELEASE. The programs that the scripts find are rm and those in
# $tools, which note the call, and whether takeover was on. All of it in a mount
# namespace, with an /etc/modprobe.d of its own.
after() {
	as_root unshare --mount --propagation private -- sh -euc '
		root=$1 calls=$2 commands=$3 expected=$4 version=$6
		takeover=/etc/modprobe.d/dm-inline-crypt.conf
		mkdir -p /etc/modprobe.d
		mount -t tmpfs tmpfs /etc/modprobe.d
		mount -t tmpfs tmpfs /usr/lib/dkms
		mount -t tmpfs tmpfs /mnt
		boot=/boot
		mkdir -p $boot
		mount -t tmpfs tmpfs $boot
		mkdir /mnt/bin
		ln -s "$(command -v rm)" /mnt/bin/rm
		for tool in $5; do
			printf "#!/bin/sh\n[ -e %s ] && on=on || on=off\necho \"%s \$*: \$on\" >> %s\n" \
				$takeover "${tool##*/}" "$calls" > $tool
			chmod +x $tool
		done
		copy() { cp "$root/usr/share/dm-inline-crypt/dm-inline-crypt.conf" $takeover; }
		postinst() { PATH=/mnt/bin "$root/DEBIAN/postinst" "$@"; }
		postrm() { PATH=/mnt/bin "$root/DEBIAN/postrm" "$@"; }
		dkms_installs() {
			PATH=/mnt/bin "$root/usr/src/dm-inline-crypt-$version/packaging/dkms-post-install" "$1"
		}
		: > "$calls"
		eval "$commands"
		printf "%s" "$expected" | diff - "$calls"
		' sh "$tmp/root" "$tmp/calls" "$2" "${1:+$1$'\n'}" \
		"/usr/lib/dkms/common.postinst ${tools:-/mnt/bin/dracut}" "$version"
}

configured() {
	echo "common.postinst dm-inline-crypt $version /usr/share/dm-inline-crypt-dkms : $1"
}

postinst_without_takeover() {
	after "$(configured off)" 'postinst configure'
}

postinst_with_takeover() {
	after "$(configured on)
dracut --regenerate-all --force: on" 'copy; postinst configure'
}

# A new version is unpacked between the two.
upgrade_keeps_takeover() {
	after "$(configured on)
dracut --regenerate-all --force: on" 'copy; postrm upgrade 0.2; postinst configure; cmp $takeover \
		"$root/usr/share/dm-inline-crypt/dm-inline-crypt.conf"'
}

removal_ends_takeover() {
	after "dracut --regenerate-all --force: off" \
		'copy; postrm remove; [ ! -e $takeover ]; postrm purge'
}

purge_ends_takeover() {
	after "dracut --regenerate-all --force: off" 'copy; postrm purge; [ ! -e $takeover ]'
}

# Its initramfs has to be opened with the cipher that it has.
removal_leaves_switched_alone() {
	tools='/mnt/bin/update-initramfs' after "$(configured on)
update-initramfs -u -k all: on" '
		printf "#!/bin/sh\necho \"root: 0 8 inline-crypt aes\"\n" > /mnt/bin/dmsetup
		chmod +x /mnt/bin/dmsetup
		copy; postinst configure; postrm remove; [ ! -e $takeover ]'
}

initramfs_tools_first() {
	tools='/mnt/bin/dracut /mnt/bin/update-initramfs' after "$(configured on)
update-initramfs -u -k all: on
update-initramfs -u -k all: off" 'copy; postinst configure; postrm remove'
}

neither_is_no_error() {
	tools='/mnt/bin/none' after "$(configured on)" 'copy; postinst configure; postrm remove'
}

# Not without takeover, for a kernel that has none yet, or while postinst runs.
dkms_renews_initramfs() {
	tools='/mnt/bin/depmod /mnt/bin/update-initramfs' after "depmod 1: on
update-initramfs -u -k 1: on" '
		touch $boot/initrd.img-1; dkms_installs 1; copy; dkms_installs 1; dkms_installs 2
		export DPKG_MAINTSCRIPT_PACKAGE=dm-inline-crypt-dkms; dkms_installs 1' &&
	tools='/mnt/bin/depmod /mnt/bin/dracut' after "depmod 1: on
dracut --force --kver 1: on" 'touch $boot/initrd.img-1; copy; dkms_installs 1'
}

# dracut_module COMMANDS - with the module's functions, and stand-ins for dracut's
dracut_module() {
	dracutsysrootdir=${other-$tmp/sysroot} srcmods=$tmp/sysroot/ bash -euc '
		dmsetup() { echo "${tables-No devices found}"; }
		instmods() { echo "instmods $*, hostonly=$hostonly"; }
		inst_simple() { echo "inst_simple $*"; }
		inst_multiple() { echo "inst_multiple $*"; }
		hostonly=yes
		. "$0"
		'"$1" "$tmp/root/usr/lib/dracut/modules.d/90dm-inline-crypt/module-setup.sh"
}

dracut_takes_both() {
	local conf=etc/modprobe.d/dm-inline-crypt.conf

	mkdir -p "$tmp/sysroot/${conf%/*}"
	! dracut_module check || { echo "without $conf as well"; return 1; }
	touch "$tmp/sysroot/$conf"
	dracut_module check &&
		diff - <(dracut_module 'depends; installkernel; install') <<-END
			dm
			instmods dm-crypt dm-inline-crypt, hostonly=
			inst_simple /$conf
			inst_multiple modprobe sh
		END
}

dracut_takes_ciphers_of_switched() {
	local other='' tables='a root: 0 8 inline-crypt aes-xts-plain64 0000 0 8:1 0'

	export tables
	mkdir -p "$tmp/sysroot/kernel/arch/x86/crypto"
	# Of another system that is made ready here, mappings say nothing.
	rm "$tmp/sysroot/etc/modprobe.d/dm-inline-crypt.conf"
	! other=$tmp/sysroot dracut_module check || { echo "of another system as well"; return 1; }
	# Rules of this machine must not count.
	dracut_module 'takeover=/nowhere; check' &&
		diff - <(dracut_module 'takeover=/nowhere; installkernel; install') <<-END
			instmods =crypto, hostonly=
			instmods =arch/x86/crypto, hostonly=
		END
}

# run_hook COMMANDS - of initramfs-tools, with stand-ins for the programs that it calls; these
# commands are dmsetup
run_hook() {
	as_root unshare --mount --propagation private -- sh -euc '
		mount -t tmpfs tmpfs /usr/share
		mount -t tmpfs tmpfs /mnt
		mkdir -p /usr/share/initramfs-tools /mnt/bin /mnt/modules/kernel/crypto \
			/mnt/modules/kernel/arch/x86/crypto
		for function in copy_modules_dir manual_add_modules; do
			echo "$function() { echo \"$function \$*\"; }"
		done > /usr/share/initramfs-tools/hook-functions
		printf "#!/bin/sh\n%s\n" "$2" > /mnt/bin/dmsetup
		chmod +x /mnt/bin/dmsetup
		[ ! -d /etc/modprobe.d ] || mount -t tmpfs tmpfs /etc/modprobe.d
		PATH=/mnt/bin:$PATH MODULESDIR=/mnt/modules "$1"
		' sh "$tmp/root/usr/share/initramfs-tools/hooks/dm-inline-crypt" "$1"
}

hook_takes_ciphers_of_switched() {
	run_hook 'echo "a root: 0 8 inline-crypt aes-xts-plain64 0000 0 8:1 0"' |
		diff <(printf 'copy_modules_dir %s\n' kernel/crypto kernel/arch/x86/crypto) -
}

hook_says_what_it_does_not_know() {
	[ -z "$(run_hook 'echo "No devices found"' 2>&1)" ] &&
		run_hook 'exit 1' 2>&1 | grep '^W: .*its cipher may be missing'
}

# --- make install -------------------------------------------------------------

# make_install [DESTDIR] - as README.md has it, and back; a module of one line will do
#
# 40-build.t compiles the real one. Without DESTDIR it goes to the real places, which
# are empty in a mount namespace of its own.
make_install() {
	local dir made='' status=0

	for dir in /etc/initramfs-tools /etc/initramfs-tools/hooks; do
		[ -d "$dir" ] || made="$dir $made"
	done
	rm -rf "$tmp/one" "$tmp/dest"
	mkdir -p "$tmp/one/dm-inline-crypt" "$tmp/dest"
	cp -r "$checkout"/{Makefile,packaging} "$tmp/one"
	echo 'obj-m := dm-inline-crypt.o' > "$tmp/one/dm-inline-crypt/Kbuild"
	printf '#include <linux/module.h>\n%s\n%s\n' 'MODULE_DESCRIPTION("stand-in");' \
		'MODULE_LICENSE("GPL");' > "$tmp/one/dm-inline-crypt/dm-inline-crypt.c"
	as_root unshare --mount --propagation private -- sh -euc '
		cd "$1"
		release=$2 kdir=$3 dest=$4
		if [ -z "$dest" ]; then
			mount -t tmpfs tmpfs /usr/local
			mkdir -p /lib/modules /etc/initramfs-tools/hooks
			mount -t tmpfs tmpfs /lib/modules
			mount -t tmpfs tmpfs /etc/initramfs-tools/hooks
			mkdir "/lib/modules/$release"
			ln -s "$kdir" "/lib/modules/$release/build"
			touch "/lib/modules/$release/modules.order" "/lib/modules/$release/modules.builtin"
			# A place of dracut, which need not be on this machine
			dracut=/usr/local/lib/dracut
			mkdir -p $dracut
			set -- KVER="$release" DRACUTDIR=$dracut
		else
			dracut=/usr/lib/dracut/modules.d
			set -- KVER="$release" KDIR="$kdir" DESTDIR="$dest"
		fi
		# All files but those that depmod makes
		list() {
			find "$dest/lib/modules" "$dest/usr/local" "$dest/etc/initramfs-tools/hooks" \
				"$dest$dracut" -type f -not -name "modules.*" | sort -u
		}
		make "$@"
		make "$@" install | tee make.out
		grep "load it with: modprobe dm-inline-crypt" make.out
		printf "$dest%s\n" /etc/initramfs-tools/hooks/dm-inline-crypt \
			"/lib/modules/$release/updates/dm-inline-crypt.ko" \
			$dracut/90dm-inline-crypt-local/module-setup.sh /usr/local/sbin/inline-crypt-switch \
			/usr/local/share/man/man8/inline-crypt-switch.8 | sort > expected
		list | diff expected -
		if [ -z "$dest" ]; then
			grep "^updates/dm-inline-crypt.ko:" "/lib/modules/$release/modules.dep"
		else
			[ ! -e "$dest/lib/modules/$release/modules.dep" ]
		fi
		[ "$(stat -c %a "$dest/usr/local/sbin/inline-crypt-switch")" = 755 ]
		"$dest/usr/local/sbin/inline-crypt-switch" --help > /dev/null
		make "$@" uninstall
		[ -z "$(list | tee /dev/stderr)" ]
		if [ -z "$dest" ] && grep dm-inline-crypt "/lib/modules/$release/modules.dep"; then
			exit 1
		fi
		make "$@" clean
		' sh "$tmp/one" "$release" "$kdir" "${1-}" || status=1
	# The mount point of a file system
	for dir in $made; do
		[ ! -d "$dir" ] || as_root rmdir "$dir"
	done
	return "$status"
}

# --- the man pages ------------------------------------------------------------

man_pages_render() {
	local page

	for page in "$top_dir/docs/dm-inline-crypt.8" "$top_dir/packaging/inline-crypt-switch.8"; do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -P cat "$page" \
			> "$tmp/page" 2> "$tmp/warnings"
		cat "$tmp/warnings"
		[ -s "$tmp/page" ] && ! [ -s "$tmp/warnings" ] || return
	done
}

# The files below /usr/share that it names are in the package.
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
check_apart "make-deb makes the packages, and they are of dkms.conf's version" make_deb
[ -d "$tmp/switch" ] || { echo "Bail out! no packages"; exit 1; }
check_apart "dm-inline-crypt-dkms has the files that it should have" right_files
check_apart "inline-crypt-switch has the files that it should have" right_files_of_switch
check_apart "it depends on its libraries" switch_depends
check_apart "it runs" switch_runs
check_apart "all files are root's, and nobody else may write" root_owns_all
check_apart "the hooks are executable" hooks_are_executable
check_apart "installing it puts nothing into modprobe.d" active_for_nobody
check_apart "the man pages render without a warning" man_pages_render
check_apart "the files that the man page names are in the package" man_page_is_right
check_apart "postinst: without takeover, only dkms is called" postinst_without_takeover
check_apart "postinst: with takeover, then dracut" postinst_with_takeover
check_apart "an upgrade keeps takeover" upgrade_keeps_takeover
check_apart "postrm: removal ends takeover, then dracut, and purge has nothing left to do" removal_ends_takeover
check_apart "postrm: purge ends takeover" purge_ends_takeover
check_apart "postrm: where a mapping is switched, no initramfs is renewed" removal_leaves_switched_alone
check_apart "while a mapping is switched, an initramfs gets the cipher modules" hook_takes_ciphers_of_switched
check_apart "the hook says so where that cannot be asked" hook_says_what_it_does_not_know
check_apart "where there are initramfs-tools, these and not dracut" initramfs_tools_first
check_apart "neither of them is no error" neither_is_no_error
check_apart "dkms: where takeover is on, the kernel's initramfs is renewed" dkms_renews_initramfs
check_apart "dracut's module is for takeover, and takes both modules along" dracut_takes_both
check_apart "and for a mapping that is switched, with the cipher modules" dracut_takes_ciphers_of_switched
make_checkout || { echo "Bail out! no copy of the tree"; exit 1; }
check_apart "dkms takes a checkout, and lets go of it" dkms_takes_a_checkout

if "$here/vm/provision" 6.1 >&2; then
	release=$(cat "$cache/kernels/6.1/release")
	kdir=$(cat "$cache/kernels/6.1/kdir")
	check_apart "dkms builds, installs and removes the module for $release" dkms_builds
	check_apart "dkms signs the module with the key that it is told of" dkms_signs
	check_apart "dkms: a kernel that no test has gets the module as well" dkms_builds_for_all
	check_apart "one for which it does not compile gets a stand-in, and is installed" dkms_survives_errors
	check_apart "make install, make uninstall, in /" make_install
	check_apart "make install, make uninstall, with DESTDIR" make_install "$tmp/dest"

	with=$tmp/with
	mkdir -p "$with/kmod/usr/bin"
	check_apart "dkms.mk builds the stand-in" sh -euc '
		cd "$1" && make -f packaging/dkms.mk KDIR="$2" stub && cp dm-inline-crypt/*.ko "$3"
		' sh "$checkout" "$kdir" "$with/stub.ko"
	cp "$tmp/root/usr/share/dm-inline-crypt/dm-inline-crypt.conf" "$with/takeover.conf"
	cp "$top_dir/packaging/debian/tests/volume" "$with"
	cp -L "$(PATH=$PATH:/sbin command -v kmod)" "$with/kmod/usr/bin"
	# Not the loader, which the guest has.
	for lib in $(ldd "$with/kmod/usr/bin/kmod" | sed -n 's,.*=> \(/[^ ]*\).*,\1,p'); do
		mkdir -p "$with/kmod/usr/$(dirname "${lib#/usr}")"
		cp -L "$lib" "$with/kmod/usr${lib#/usr}"
	done
	check_apart "modprobe.d decides who serves crypt; the package's own test of a volume (in a guest)" \
		"$here/vm/run" --kernel 6.1 --with "$with" "$here/boot/modprobe.sh" "$here/boot/volume.sh"
else
	skip "modprobe.d decides who serves crypt (in a guest)" "kernel 6.1 cannot be had"
fi

tap_finish
