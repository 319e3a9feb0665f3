#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 10-style.t - house rules: one line of TAP a rule, offenders as diagnostics
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
# shellcheck source-path=SCRIPTDIR source=vm/host.sh
. tests/vm/host.sh
# shellcheck source-path=SCRIPTDIR source=lib/tap.sh
. tests/lib/tap.sh
tap_start

# rule DESCRIPTION - kept if standard input is empty, else broken by each line of it
rule() {
	local offenders

	offenders=$(cat)
	if [ -z "$offenders" ]; then
		ok "$1"
	else
		not_ok "$1"
		head -n 60 <<< "$offenders" | diag_input
	fi
}

# Files that are tracked, and files that "git add" would add.
if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
	mapfile -t files < <(git ls-files --cached --others --exclude-standard)
else
	mapfile -t files < <(find . -name .git -prune -o -type f -printf '%P\n')
fi
existing=()
for file in "${files[@]}"; do
	[ -f "$file" ] && existing+=("$file")
done
files=("${existing[@]}")

# is_shell FILE - by its first line, or by its second where it is only sourced
is_shell() {
	head -n 2 "$1" | grep -Eqa '^#!.*\b(ba|da)?sh\b|^# shellcheck shell='
}

sources=() shell=()
for file in "${files[@]}"; do
	case $file in
	*.[chS] | *.sh | *.t | *.rst | *.py | *.config | */Kbuild | *Makefile | *Kconfig)
		sources+=("$file") ;;
	*) [ "$(head -c 2 "$file" | tr -d '\0')" != '#!' ] || sources+=("$file") ;;
	esac
	! is_shell "$file" || shell+=("$file")
done
mapfile -t module < <(printf '%s\n' "${files[@]}" |
	grep -E '^(dm-inline-crypt|tests/modules|packaging/dkms-stub)/.*\.[ch]$')

unlicensed() {
	for file in "${sources[@]}"; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file"
	done
}

rule "each source and script names its licence in an SPDX line (${#sources[@]} files)" < <(unlicensed)

# --- the kernel's checkers --------------------------------------------------

style=$cache/style

checkpatch() {
	local ignore

	for file in "${module[@]}"; do
		ignore=
		case $file in
		# This file is for version checks, and for stand-ins for functions
		# that other kernels name otherwise.
		*/compat.h)
			ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON,NEW_TYPEDEFS,MACRO_ARG_PRECEDENCE ;;
		# A test module is a file of its own, and has none.
		tests/*)
			ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
		# A list that is expanded in several ways.
		*/reason.h)
			ignore=COMPLEX_MACRO,MACRO_ARG_UNUSED,MACRO_ARG_REUSE,BRACKET_SPACE,TRAILING_SEMICOLON,SPACING ;;
		# TRACE_EVENT() is written like this all over the kernel.
		*/trace.h)
			ignore=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
		esac
		"$style/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
			--no-summary ${ignore:+--ignore "$ignore"} --file "$file" 2>&1
	done
}

# By Debian's own interpreter; the path may have another.
kernel_doc() {
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$style/scripts/kernel-doc" -none -Wall \
		"${module[@]}" 2>&1
}

checkpatch_rule="checkpatch.pl --strict has nothing to say (${#module[@]} files)"
kernel_doc_rule="kernel-doc -Wall has nothing to say (${#module[@]} files)"
if tests/vm/provision tools style >&2; then
	rule "$checkpatch_rule" < <(checkpatch)
	rule "$kernel_doc_rule" < <(kernel_doc)
else
	skip "$checkpatch_rule" "the kernel's scripts cannot be had"
	skip "$kernel_doc_rule" "the kernel's scripts cannot be had"
fi

if command -v shellcheck > /dev/null; then
	rule "shellcheck has nothing to say (${#shell[@]} scripts)" \
		< <(shellcheck -x -f gcc "${shell[@]}" 2>&1)
else
	skip "shellcheck has nothing to say" "no shellcheck"
fi

docutils() {
	for file in "${files[@]}"; do
		[[ $file != *.rst ]] || rst2html --report=info --halt=5 "$file" /dev/null 2>&1
	done
}

if command -v rst2html > /dev/null; then
	rule "docutils understands the .rst files" < <(docutils)
else
	skip "docutils understands the .rst files" "no rst2html"
fi

# undocumented - module parameters that a page does not have
undocumented() {
	local parameter page

	sed -n 's/^module_param(\([a-z_]*\),.*/\1/p' dm-inline-crypt/*.c | while read -r parameter; do
		for page in docs/dm-inline-crypt.{8,rst}; do
			grep -qw "$parameter" "$page" || echo "$page: no $parameter"
		done
	done
}

rule "the pages have all module parameters" < <(undocumented)

# unexplained - reasons of a fallback that the reference does not have
unexplained() {
	local reason

	sed -n 's/^\tREASON([A-Z]*, "\([a-z]*\)").*/\1/p' dm-inline-crypt/reason.h |
	while read -r reason; do
		grep -qx "$reason" docs/dm-inline-crypt.rst || echo "docs/dm-inline-crypt.rst: no $reason"
	done
}

rule "the reference has all reasons" < <(unexplained)

# --- facts that stand in two places ----------------------------------------------

# misplaced_cases - cases that do not say where they run, or that make check would leave out
misplaced_cases() {
	local case word
	local -a words

	for case in tests/cases/*.sh; do
		[ "$(grep -c '^# kernels: ' "$case")" = 1 ] ||
			{ echo "$case: not one line '# kernels:'"; continue; }
		read -ra words < <(sed -n 's/^# kernels: //p' "$case")
		for word in "${words[@]}"; do
			case $word in
			all) ;;
			*) [ -n "$(kernels "$word")$(kernel_field "$word" runs)" ] ||
				echo "$case: tests/kernels has no '$word'" ;;
			esac
		done
		grep -Eq '^# kernels: (.* )?(all|oldest|newest)( |$)' "$case" ||
			echo "$case: neither on the oldest kernel nor on the newest"
	done
}

rule "each case says on which kernels it runs" < <(misplaced_cases)

rule "what a case leaves out unless INLINE_CRYPT_FULL=1, its line '# long:' says" < <(
	diff <(grep -lE '^[^#]*\bfull\b *(\|\||&&|$)' tests/cases/*.sh) <(grep -l '^# long: ' tests/cases/*.sh))

# The series of all kernels, without those of which the lab makes another kernel
mapfile -t series < <(for kernel in $(kernels); do
	[ "$(kernel_field "$kernel" build)" = debug ] || echo "${kernel%%-*}"
done | sort -Vu)
rule "compat.h calls the series of tests/kernels tested, and no others" < <(
	diff <(printf '%s\n' "${series[@]}") <(grep -o 'ICRYPT_SERIES([0-9]*, [0-9]*)' dm-inline-crypt/compat.h |
		tr -dc '0-9,\n' | tr , . | sort -Vu))
readme_rule="README.md has a row for each series of tests/kernels"
if grep -qi '^##* .*supported' README.md; then
	rule "$readme_rule" < <(
		for one in "${series[@]}"; do
			grep -q "^|.*\b${one/./\\.}\b" README.md || echo "$one"
		done)
else
	skip "$readme_rule" "it has no heading with the word supported"
fi
rule "the man page has each series of tests/kernels" < <(
	for one in "${series[@]}"; do
		grep -q "\b${one/./\\.}\b" docs/dm-inline-crypt.8 || echo "$one"
	done)

# --- things that do not belong into a file ---------------------------------------

# found REGEX [FILE...] - its occurrences in text files, in all without FILE
found() {
	local regex=$1

	shift
	[ $# -gt 0 ] || set -- "${files[@]}"
	grep -InE -- "$regex" "$@" /dev/null
}

# The mirrors that this machine uses.
# shellcheck disable=SC2016  # apt-get's, not the shell's
mapfile -t hosts < <(apt-get indextargets --format '$(SITE)' 2>/dev/null |
	sed -nE 's,^[a-z+]+://([^/@]*@)?([^/]+).*,\2,p' | sort -u)
if [ ${#hosts[@]} -gt 0 ]; then
	rule "no file names a package mirror" < <(
		for host in "${hosts[@]}"; do
			found "${host//./\\.}"
		done)
else
	skip "no file names a package mirror" "apt-get has none to look for"
fi

# Behind a variable or a name it is somewhere below that: $dir/root/.
rule "no file names a directory of one machine" < <(
	found '(^|[^]A-Za-z0-9_.}*~/$-])/(work|root|home)/' | grep -v '^tests/10-style\.t:')

mapfile -t unversioned < <(printf '%s\n' "${module[@]}" | grep '^dm-inline-crypt/' |
	grep -v '/compat\.h$')
rule "kernel versions are told apart in compat.h only" < <(
	found '\b(LINUX_VERSION_CODE|KERNEL_VERSION|RHEL_RELEASE)' "${unversioned[@]}")

# TAP has a directive of one of these names, always behind an "ok".
rule "nothing is left for later" < <(
	found '\b(TO''DO|FIX''ME|X''XX|HA''CK)\b' | grep -Ev '\bok\b')

tap_finish
