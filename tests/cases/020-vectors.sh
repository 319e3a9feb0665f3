# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the target writes the ciphertext that OpenSSL computes, and reads it
# kernels: oldest newest smoke
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# dm-crypt is asked as well: where it disagrees, the vectors are to blame. A file
# /with/targets (run --with) can name other targets; then it is asked only about
# what these refuse.

[ -e /with/cases.tsv ] || skip_all "without vectors; run with --with DIR after vectors/make-cases DIR"

# Sectors past 2^32 for the rows that start there
make_loop loop $((2 * 1024 * 1024 + 8))
length=$(sectors "$loop")
requires_module dm-crypt
tab=$(printf '\t')
targets=$(cat /with/targets 2> /dev/null || echo crypt inline-crypt)
rows=0
skipped=0

# both_ways TARGET NAME OFFSET - print the errors of writing and of reading
both_ways() {
	if rw write /dev/mapper/vector "$3" "/with/$2.plain"; then
		rw compare "$loop" "$3" "/with/$2.cipher" || echo "$1 writes something else"
	fi
	if rw write "$loop" "$3" "/with/$2.cipher"; then
		rw compare /dev/mapper/vector "$3" "/with/$2.plain" || echo "$1 reads something else"
	fi
}

while IFS=$tab read -r name _ spec key iv_offset sector_size flags _ start; do
	case $name in '' | '#'*) continue ;; esac
	rows=$((rows + 1))
	options=
	[ "$sector_size" = 512 ] || options="sector_size:$sector_size"
	[ "$flags" = - ] || options="$options $flags"
	# shellcheck disable=SC2086  # to be split
	set -- $options
	args="$spec $key $iv_offset $loop 0${1:+ $# $*}"
	taken=
	result=
	for target in $targets; do
		if dm_create vector "0 $length $target $args" 2> /dev/null; then
			taken="$taken $target"
			result="$result$(both_ways "$target" "$name" $((start * 512)) 2>&1)"
			dm_remove vector
		fi
	done
	if [ -n "$taken" ]; then
		# The last kernel is ours; it takes every line that another one takes.
		case $taken in *" ${targets##* }") ;; *) result="only$taken takes it; $result" ;; esac
		is "$result" "" "$name: write, read"
	elif dm_create vector "0 $length crypt $args" 2> /dev/null; then
		dm_remove vector
		not_ok "$name: refused, and dm-crypt takes it"
	else
		skip "$name" "no such cipher in this kernel, dm-crypt refuses it as well"
		skipped=$((skipped + 1))
	fi
done < /with/cases.tsv

is_at_least $rows 150 "the list has its rows"
is_at_least $((rows - skipped)) 120 "most of them could be tried"
