# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: data, tags and stored IVs on dm-integrity are those that OpenSSL computes, in both directions
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# dm-integrity keeps the metadata on a device of its own here: behind its journal,
# one sector's after the other, where both sides of the comparison get at them.
# dm-crypt is asked as well, as in 020-vectors.

[ -e /with/cases-aead.tsv ] || skip_all "without vectors; run with --with DIR after vectors/make-cases DIR"
/with/bin/icvec --help > /dev/null 2>&1 || bail "icvec does not run here"
requires_module dm-integrity
requires_module dm-crypt

mib=4
make_loop data_dev $mib
make_loop meta_dev $mib
backing_file() {
	cat "/sys/block/$(disk_name "$1")/loop/backing_file"
}
data=$(backing_file "$data_dev")
meta=$(backing_file "$meta_dev")
length=$(sectors "$data_dev")
tab=$(printf '\t')
targets=$(cat /with/targets 2> /dev/null || echo crypt inline-crypt)
rows=0
skipped=0

# integrity MODE SECTORS - set up dm-integrity for $tag bytes a block of $size
integrity() {
	dm_create integ "0 $2 integrity $data_dev 0 $tag $1 2 meta_device:$meta_dev block_size:$size"
}

# format - a new dm-integrity device, if the last one was another; sets tags_at,
# where the tags start
#
# Only with a journal does every kernel's dm-integrity say how long it is.
formatted=
format() {
	[ "$formatted" != "$tag $size" ] || return 0
	formatted="$tag $size"
	truncate -s 0 "$meta" && truncate -s ${mib}M "$meta" && integrity J $((size / 512)) || return
	tags_at=$(dmsetup table integ | sed -n 's/.* journal_sectors:\([0-9]*\).*/\1/p')
	tags_at=$(((tags_at + 8) * 512))
	dm_remove integ
}

# up TARGET, down - the whole stack
up() {
	integrity D "$length" || return
	# shellcheck disable=SC2086  # to be split
	set -- "$1" $options
	dm_create vector \
		"0 $length $1 $spec $key $iv_offset /dev/mapper/integ 0 $(($# - 1)) $options" && return
	dm_remove integ
	return 1
}
down() {
	dm_remove vector
	dm_remove integ
}

# raw read|write|compare data|meta WHAT - around dm-integrity, while it is down
raw() {
	if [ "$2" = data ]; then
		rw --buffered "$1" "$data" $((start * 512)) "$3"
	else
		rw --buffered "$1" "$meta" $((tags_at + start * tag * 512 / size)) "$3"
	fi
}

# on_disk - check the data that the target wrote
#
# If the target chose the IVs, icvec decrypts with them, and all of them are different.
on_disk() {
	case $spec in
	*-random)
		raw read data "$bytes" > got.cipher && raw read meta $((count * tag)) > got.tags &&
			decrypt < got.cipher > got.plain && cmp got.plain "/with/$name.plain" &&
			[ "$(xxd -p -c "$tag" got.tags | cut -c $((2 * (tag - iv_size) + 1))- |
				sort -u | wc -l)" = "$count" ] ;;
	*)
		raw compare data "/with/$name.cipher" && raw compare meta "/with/$name.tags" ;;
	esac
}
decrypt() {
	set -- --cipher "$spec" --key "$key" --iv-offset "$iv_offset" --sector-size "$size" \
		--start-sector "$start" --integrity "$integrity" --tags got.tags
	[ "$mac_key" = - ] || set -- "$@" --integrity-key-size "$mac_key"
	[ "$flags" = - ] || set -- "$@" --iv-large-sectors
	/with/bin/icvec decrypt "$@"
}

# both_ways TARGET - print the errors of reading and of writing; status 1: the table is refused
both_ways() {
	raw write data "/with/$name.cipher" && raw write meta tags && up "$1" 2> /dev/null || return 1
	rw compare /dev/mapper/vector $at plain || echo "$1 reads something else"
	if [ "$integrity" != 16:none ]; then
		rw read /dev/mapper/vector $((at + bytes - size)) "$size" 2>&1 > last |
			grep -q EILSEQ || echo "$1 takes a wrong tag"
	fi

	# The data that was just read must not be taken for data that is written now.
	raw write data zeros
	rw --dsync write /dev/mapper/vector $at "/with/$name.plain"
	down
	on_disk || echo "$1 writes something else"
}

while IFS=$tab read -r name _ spec key iv_offset size flags bytes start integrity mac_key; do
	case $name in '' | '#'*) continue ;; esac
	rows=$((rows + 1))
	tag=${integrity%:*}
	count=$((bytes / size))
	at=$((start * 512))
	iv_size=16
	case $spec in *'(gcm('* | *:gcm* | *rfc7539*) iv_size=12 ;; *des3*) iv_size=8 ;; esac
	options="integrity:$integrity"
	[ "$mac_key" = - ] || options="$options integrity_key_size:$mac_key"
	[ "$size" = 512 ] || options="$options sector_size:$size"
	[ "$flags" = - ] || options="$options $flags"
	head -c "$bytes" /dev/zero > zeros
	cp "/with/$name.plain" plain
	cp "/with/$name.tags" tags
	if [ "$integrity" != 16:none ]; then
		# Another first byte of the last sector's tag, and the sectors before it
		head -c "$((bytes - size))" "/with/$name.plain" > plain
		tail -c "$tag" tags | head -c 1 | tr '\000-\377' '\001-\377\000' > byte
		rw --buffered write tags $((count * tag - tag)) byte
	fi
	format || bail "cannot set up dm-integrity for $name"

	taken=
	result=
	for target in $targets; do
		if both_ways "$target" > out 2>&1; then
			taken="$taken $target"
			result="$result$(cat out)"
		fi
	done
	if [ -n "$taken" ]; then
		# The last one is ours, and takes what any other does.
		case $taken in *" ${targets##* }") ;; *) result="only$taken takes it; $result" ;; esac
		is "$result" "" "$name: read, wrong tag, write"
	elif up crypt 2> /dev/null; then
		down
		not_ok "$name: refused, and dm-crypt takes it"
	else
		skip "$name" "no such cipher or option in this kernel, dm-crypt refuses it as well"
		skipped=$((skipped + 1))
	fi
done < /with/cases-aead.tsv

is_at_least $rows 40 "the list has its rows"
is_at_least $((rows - skipped)) 35 "most of them could be tried"
