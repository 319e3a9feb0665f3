#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 60-in-tree.t - dropped into the newest kernel's tree, the target is found by Kconfig
# and builds there: as a module, built into a minimal 32-bit kernel, and with its KUnit
# tests into User Mode Linux, where they run
#
# With INLINE_CRYPT_FULL=1 that kernel is linked, too: its few options are all
# that Kconfig asks for, so what it lacks, Kconfig should have asked for.
#
# shellcheck disable=SC2317  # the functions are run by check_apart
# shellcheck disable=SC2034  # config_m and the like are chosen by name
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. "$here/vm/host.sh"
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. "$here/lib/tap.sh"
tap_start

dir=drivers/md/dm-inline-crypt
page=Documentation/admin-guide/device-mapper/dm-inline-crypt.rst

# --- the tree ---------------------------------------------------------------

# prepare_tree - a copy of the source tree, sharing its files
#
# Hard links: nothing may ever be written into a file of the copy, only put in
# its place.
prepare_tree() {
	rm -rf "$cache/in-tree"
	mkdir -p "$cache/in-tree/$2.tmp"
	log "copying the source of $2"
	cp -al "$1" "$cache/in-tree/$2.tmp/source" &&
		mv "$cache/in-tree/$2.tmp" "$cache/in-tree/$2"
}

# change FILE SED-SCRIPT - edit a file of the tree, once, by putting another in its place
change() {
	! grep -q -e dm-inline-crypt "$tree/$1" || return 0
	sed "$2" "$tree/$1" > "$tree/$1.new" && mv "$tree/$1.new" "$tree/$1"
}

# drop_in - add the target to the tree, as a maintainer would
# shellcheck disable=SC2016  # the $( is make's
drop_in() {
	mkdir -p "$tree/$dir"
	rsync -rpc --delete --exclude='.*' --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' \
		--exclude='modules.order' --exclude='Module.symvers' --exclude='/Kconfig' \
		"$top_dir/dm-inline-crypt/" "$tree/$dir/" &&
	rsync -pc "$top_dir/Kconfig" "$tree/$dir/Kconfig" &&
	rsync -pc "$top_dir/docs/dm-inline-crypt.rst" "$tree/$page" &&
	change drivers/md/Makefile '/^obj-$(CONFIG_DM_CRYPT)/a \
obj-$(CONFIG_DM_INLINE_CRYPT)	+= dm-inline-crypt/' &&
	change drivers/md/Kconfig '/^endif # MD/i \
source "drivers/md/dm-inline-crypt/Kconfig"\
' &&
	change Documentation/admin-guide/device-mapper/index.rst \
		's/^\( *\)dm-init$/&\n\1dm-inline-crypt/' &&
	grep -q dm-inline-crypt "$tree/drivers/md/Makefile" &&
	grep -q dm-inline-crypt "$tree/drivers/md/Kconfig" &&
	grep -q '^ *dm-inline-crypt$' "$tree/Documentation/admin-guide/device-mapper/index.rst"
}

# Kconfig and the code may name pages of the kernel's documentation.
named_pages_exist() {
	local -a named

	mapfile -t named < <(grep -rhoE 'Documentation/[A-Za-z0-9_/.-]+\.rst' "$tree/$dir")
	cd "$tree" && ls -- "${named[@]:?none named}" > /dev/null
}

# --- the builds -------------------------------------------------------------

# The options that a distribution has around the target.
config_m='
CONFIG_64BIT=y
CONFIG_SMP=y
CONFIG_MODULES=y
CONFIG_BLOCK=y
CONFIG_BLK_DEV_ZONED=y
CONFIG_MD=y
CONFIG_BLK_DEV_DM=m
CONFIG_DM_INLINE_CRYPT=m
CONFIG_KEYS=y
CONFIG_ENCRYPTED_KEYS=m
CONFIG_FTRACE=y
CONFIG_ENABLE_DEFAULT_TRACERS=y
'

# The least that Kconfig allows: one CPU of 32 bits, no keyring, no tracing, no
# zones, and no partitions, which would select options that the target has to select.
config_y='
# CONFIG_64BIT is not set
# CONFIG_SMP is not set
# CONFIG_MODULES is not set
# CONFIG_KEYS is not set
CONFIG_BLOCK=y
CONFIG_PARTITION_ADVANCED=y
# CONFIG_EFI_PARTITION is not set
CONFIG_MD=y
CONFIG_BLK_DEV_DM=y
CONFIG_DM_INLINE_CRYPT=y
'

# A kernel that is a program of this machine, with two CPUs: what is decided of other CPUs
# is tested, too.
config_um='
CONFIG_64BIT=y
CONFIG_SMP=y
CONFIG_NR_CPUS=2
CONFIG_PRINTK=y
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_ATOMIC_SLEEP=y
CONFIG_DEBUG_LIST=y
CONFIG_KUNIT=y
CONFIG_BLOCK=y
CONFIG_NET=y
CONFIG_MULTIUSER=y
CONFIG_TASKSTATS=y
CONFIG_TASK_XACCT=y
CONFIG_TASK_IO_ACCOUNTING=y
CONFIG_KEYS=y
CONFIG_MD=y
CONFIG_BLK_DEV_DM=y
CONFIG_DM_INLINE_CRYPT=y
CONFIG_DM_INLINE_CRYPT_KUNIT_TEST=y
'

# configure m|y|um - tinyconfig plus config_m or the like
#
# From nothing if one of them or Kconfig changed: an option that was selected once stays.
configure() {
	local out=$base/$1 fragment=config_$1 line lost=0
	local -a arch=()

	[ "$1" != um ] || arch=(ARCH=um)
	mkdir -p "$out"
	echo "${!fragment}" | cat - "$tree/$dir/Kconfig" | cmp -s - "$out/fragment" && [ -e "$out/.config" ] ||
		make -s -C "$tree" O="$out" "${arch[@]}" tinyconfig || return 1
	(cd "$tree" && scripts/kconfig/merge_config.sh -m -O "$out" "$out/.config" \
		<(echo "${!fragment}")) > /dev/null || return 1
	# Only on change, or everything would be made anew.
	make -s -C "$tree" O="$out" "${arch[@]}" olddefconfig || return 1
	echo "${!fragment}" | cat - "$tree/$dir/Kconfig" > "$out/fragment"
	while IFS= read -r line; do
		case $line in
		'') ;;
		'#'*)
			line=${line#\# }
			! grep -q "^${line% is not set}=" "$out/.config" ||
				{ echo "not off: $line"; lost=1; } ;;
		*) grep -qFx -- "$line" "$out/.config" || { echo "not there: $line"; lost=1; } ;;
		esac
	done <<< "${!fragment}"
	return "$lost"
}

# build m|y - the directory, and nothing else of the kernel
build() {
	# From nothing, or warnings of an earlier compilation are not repeated.
	rm -rf "${base:?}/$1/$dir"
	make -C "$tree" O="$base/$1" -j"$(nproc)" W=1 "$dir/" > "$base/$1.log" 2>&1 ||
		{ cat "$base/$1.log"; return 1; }
}

# build_um - all of a kernel, but from the second time on only what has changed
build_um() {
	rm -rf "${base:?}/um/$dir"
	make -C "$tree" O="$base/um" ARCH=um -j"$(nproc)" W=1 "$dir/" > "$base/um.log" 2>&1 ||
		{ cat "$base/um.log"; return 1; }
	make -C "$tree" O="$base/um" ARCH=um -j"$(nproc)" linux > "$base/um-rest.log" 2>&1 ||
		{ tail -n 40 "$base/um-rest.log"; return 1; }
}

# run_kunit - the kernel, which does nothing but run the tests
#
# It has several CPUs only with seccomp.
run_kunit() {
	timeout 120 "$base/um/linux" mem=128M seccomp=on ncpus=2 kunit.filter_glob='inline-crypt-*' \
		kunit_shutdown=halt < /dev/null > "$base/kunit.log" 2>&1
	grep -a '^ok [0-9]* inline-crypt-' "$base/kunit.log"
}

# kunit_passes SUITE - as KTAP, indented below the suite's own line
kunit_passes() {
	grep -aq "^ok [0-9]* inline-crypt-$1" "$base/kunit.log" && return
	grep -a -B 30 'not ok ' "$base/kunit.log" || tail -n 30 "$base/kunit.log"
	return 1
}

# Nothing that lockdep and its kind, or the tests themselves, would have said aside
kunit_is_silent() {
	! grep -anE 'BUG:|WARNING:|INFO:|Call Trace|# SKIP' "$base/kunit.log"
}

# silent m|y|um - nothing but kbuild's routine in the last lines of the build's log
silent() {
	! grep -nE '(warning|error|note):|WARNING|ERROR' "$base/$1.log"
}

# objects m|y - is there one for each source? The cipher engine is for 64 bits.
objects() {
	local source missing=0

	for source in "$tree/$dir"/*.c; do
		source=${source##*/}
		[ "$1" = m ] || [[ $source != @(units|engine|skcipher).c ]] || continue
		[ -s "$base/$1/$dir/${source%.c}.o" ] || { echo "no ${source%.c}.o"; missing=1; }
	done
	return "$missing"
}

# Functions that only the compiler calls, and that a 32-bit kernel lacks.
no_helpers() {
	! nm -u "$base/y/$dir"/*.o | grep -E '__(u?div|u?mod|mul|ashl|ashr|lshr)[dt]i3|__(add|sub|mul|div)[sdx]f3'
}

# link - the whole kernel, of which only the first time makes all
link() {
	make -C "$tree" O="$base/y" -j"$(nproc)" vmlinux > "$base/link.log" 2>&1 ||
		{ grep -E 'undefined reference|[Ee]rror' "$base/link.log" || cat "$base/link.log"; return 1; }
}

# Not grep -q: nm would complain about the broken pipe.
linked_in() {
	nm "$base/y/$dir/built-in.a" | grep ' t icrypt_ctr$' > /dev/null
}

linked_as_module() {
	nm "$base/m/$dir/dm-inline-crypt.o" | grep ' T init_module$' > /dev/null
}

right_class() {
	readelf -h "$1" | grep "Class: *$2" > /dev/null
}

# --- main -------------------------------------------------------------------

"$here/vm/provision" tools source >&2 || {
	status=$?
	[ $status != 77 ] || skip_all "the kernel's source cannot be had"
	exit $status
}
source=$(dirname "$(compgen -G "$cache/source/*/Makefile" | head -n 1)")
base=$cache/in-tree/${source##*/}
tree=$base/source

# One at a time: the tree is in the cache, for the next run to be quick.
exec 8> "$cache/in-tree.lock"
flock 8
if ! [ -e "$tree/Makefile" ] && ! prepare_tree "$source" "${source##*/}"; then
	echo "Bail out! cannot prepare a kernel tree"
	exit 1
fi

check_apart "it drops into a tree (${source##*/})" drop_in
check_apart "the pages of documentation that it names are there" named_pages_exist

check_apart "as a module: Kconfig offers it" configure m
check_apart "as a module: builds with W=1" build m
check_apart "as a module: no warning" silent m
check_apart "as a module: all objects" objects m
check_apart "as a module: linked together" linked_as_module

check_apart "built in, 32 bits: Kconfig offers it, and that is all it needs" configure y
check_apart "built in, 32 bits: builds with W=1" build y
check_apart "built in, 32 bits: no warning" silent y
check_apart "built in, 32 bits: all objects" objects y
check_apart "built in, 32 bits: it is in built-in.a" linked_in
check_apart "built in, 32 bits: really 32 bits" right_class "$base/y/$dir/target.o" ELF32
check_apart "built in, 32 bits: needs no arithmetic that the kernel lacks" no_helpers
if [ -n "${INLINE_CRYPT_FULL:-}" ]; then
	check_apart "built in, 32 bits: links, so Kconfig selects all that it calls" link
else
	skip "built in, 32 bits: links" "takes minutes, for INLINE_CRYPT_FULL=1"
fi

check_apart "User Mode Linux: Kconfig offers the KUnit tests" configure um
check_apart "User Mode Linux: builds with W=1" build_um
check_apart "User Mode Linux: no warning" silent um
check_apart "User Mode Linux: it runs the KUnit tests" run_kunit
for suite in table iv key context; do
	check_apart "KUnit: all tests of inline-crypt-$suite pass" kunit_passes "$suite"
done
check_apart "KUnit: none is skipped, and the kernel does not complain" kunit_is_silent

tap_finish
