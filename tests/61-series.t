#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 61-series.t - the patch series for the newest kernel's tree: it applies, each of its
# steps builds, and checkpatch.pl accepts it
#
# shellcheck disable=SC2317  # the functions are run by check
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start

dir=drivers/md/dm-crypt-direct

"$here/vm/provision" tools source style >&2 || {
	status=$?
	[ $status = 77 ] || exit $status
	echo "1..0 # SKIP the kernel's source cannot be had"
	exit 0
}
source=$(dirname "$(compgen -G "$cache/source/*/Makefile" | head -n 1)")
base=$cache/series/${source##*/}
tree=$base/source

# One at a time: the tree is in the cache, for the next run to be quick.
mkdir -p "$cache/series"
exec 8> "$cache/series/lock"
flock 8

# What a distribution has around the target
config='
CONFIG_64BIT=y
CONFIG_SMP=y
CONFIG_MODULES=y
CONFIG_BLOCK=y
CONFIG_BLK_DEV_ZONED=y
CONFIG_MD=y
CONFIG_KEYS=y
CONFIG_CRYPTO=y
CONFIG_FTRACE=y
CONFIG_ENABLE_DEFAULT_TRACERS=y
'

# new_tree - as it is without the series, sharing the files of the source
#
# Hard links, so nothing may be written into a file. "git apply" puts another in its place.
new_tree() {
	[ -e "$tree/Makefile" ] || {
		rm -rf "$base" && mkdir -p "$base/tmp" && log "copying the source of ${source##*/}" &&
			cp -al "$source" "$base/tmp/source" && mv "$base/tmp/source" "$tree"
	} || return
	local file

	rm -rf "${tree:?}/$dir" "$tree/Documentation/admin-guide/device-mapper/dm-crypt-direct.rst"
	for file in drivers/md/Kconfig drivers/md/Makefile MAINTAINERS \
			Documentation/admin-guide/device-mapper/index.rst; do
		ln -f "$source/$file" "$tree/$file" || return
	done
}

make_series() {
	"$top_dir/packaging/series" "$source" "$tmp/series" || return
	cp -r "$tmp/series" "$tmp/again" && rm "$tmp"/again/*.patch &&
		"$top_dir/packaging/series" "$source" "$tmp/again" && diff -r "$tmp/series" "$tmp/again"
}

# configure m|y - before the series, of which the option then is given to make
configure() {
	mkdir -p "$base/$1"
	[ -e "$base/$1/.config" ] && cmp -s "$base/$1/fragment" <<< "$config" ||
		make -s -C "$tree" O="$base/$1" tinyconfig || return
	(cd "$tree" && scripts/kconfig/merge_config.sh -m -O "$base/$1" "$base/$1/.config" \
		<(echo "$config"; echo "CONFIG_BLK_DEV_DM=$1"; [ -z "${2-}" ] || echo "CONFIG_DM_CRYPT_DIRECT=$1") \
		) > /dev/null || return
	make -s -C "$tree" O="$base/$1" olddefconfig || return
	echo "$config" > "$base/$1/fragment"
	[ -z "${2-}" ] || grep -x "CONFIG_DM_CRYPT_DIRECT=$1" "$base/$1/.config"
}

# build m|y - the directory, without a warning
build() {
	rm -rf "${base:?}/$1/$dir"
	make -C "$tree" O="$base/$1" -j"$(nproc)" W=1 CONFIG_DM_CRYPT_DIRECT="$1" "$dir/" \
		> "$base/$1.log" 2>&1 || { cat "$base/$1.log"; return 1; }
	! grep -nE '(warning|error|note):|WARNING|ERROR' "$base/$1.log"
}

# step PATCH - applies to what the patches before it left, and builds
step() {
	# Not for a repository that the cache may be in
	(cd "$tree" && GIT_CEILING_DIRECTORIES=${tree%/*} git apply --whitespace=error-all "$1") || return
	build m
}

# checked PATCH - but for what 10-style.t exempts as well, and the name of a sender
checked() {
	"$cache/style/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
		--ignore FILE_PATH_CHANGES,MISSING_SIGN_OFF "$1" > "$tmp/checkpatch" 2>&1
	case $1 in
	*/0002-*) # reason.h
		grep -vE 'COMPLEX_MACRO|MACRO_ARG_(UNUSED|REUSE)|BRACKET_SPACE|TRAILING_SEMICOLON|SPACING' ;;
	*/0003-*) # trace.h
		grep -vE 'OPEN_ENDED_LINE|PARENTHESIS_ALIGNMENT' ;;
	*) cat ;;
	esac < "$tmp/checkpatch" > "$tmp/rest"
	cat "$tmp/rest"
	! [ -s "$tmp/rest" ]
}

# Neither what is for other kernels, nor what a tree would not take
nothing_left() {
	! grep -nE '^\+.*(LINUX_VERSION_CODE|takeover|icrypt|ICRYPT|inline[-_]crypt|"compat\.h)' \
		"$tmp"/series/*.patch
}

cover_is_filled_in() {
	! grep -n '\*\*\* ' "$tmp"/series/0000-*.patch && grep 'has not been sent' "$tmp"/series/0000-*.patch
}

check "the same tree gives the same series" make_series
check "the cover letter has its text" cover_is_filled_in
check "nothing is left of what a tree would not take" nothing_left
check "a tree without it" new_tree
check "is configured" configure m
for patch in "$tmp"/series/000[1-9]-*.patch; do
	name=${patch##*/}
	check "applies, and builds with W=1: ${name%.patch}" step "$patch"
	check "checkpatch.pl --strict accepts it: ${name%.patch}" checked "$patch"
done
check "as a module: Kconfig offers it" configure m whole
check "as a module: builds with W=1" build m
check "built in: Kconfig offers it" configure y whole
check "built in: builds with W=1" build y
tap_finish
