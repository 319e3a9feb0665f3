# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: what is on the disk is what OpenSSL makes of the data, and the other way round
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

[ -e /with/cases.tsv ] || skip_all "without vectors; run with --with DIR after vectors/make-cases DIR"

# Sectors past 2^32 for the rows that start there
make_loop loop $((2 * 1024 * 1024 + 8))
length=$(sectors "$loop")
tab=$(printf '\t')
rows=0
skipped=0

while IFS=$tab read -r name _ spec key iv_offset sector_size flags _ start; do
	case $name in '' | '#'*) continue ;; esac
	rows=$((rows + 1))
	options=
	[ "$sector_size" = 512 ] || options="sector_size:$sector_size"
	[ "$flags" = - ] || options="$options $flags"
	# shellcheck disable=SC2086  # to be split
	set -- $options
	args="$spec $key $iv_offset $loop 0${1:+ $# $*}"
	if ! dm_create vector "0 $length inline-crypt $args" 2> /dev/null; then
		if dm_create vector "0 $length crypt $args" 2> /dev/null; then
			not_ok "$name"
			diag "refused, but dm-crypt takes it: $args"
			dm_remove vector
		else
			skip "$name" "this kernel has no such cipher"
			skipped=$((skipped + 1))
		fi
		continue
	fi
	at=$((start * 512))
	plain=/with/$name.plain
	cipher=/with/$name.cipher

	rw write /dev/mapper/vector $at "$plain" > out 2>&1 &&
		rw compare "$loop" $at "$cipher" >> out 2>&1
	written=$?
	rw write "$loop" $at "$cipher" >> out 2>&1 &&
		rw compare /dev/mapper/vector $at "$plain" >> out 2>&1
	read=$?
	is "$written $read $(cat out)" "0 0 " "$name: write, read"
	dm_remove vector
done < /with/cases.tsv

is_at_least $rows 90 "the list has its rows"
is_at_least $((rows - skipped)) 60 "most of them could be tried"
