# shellcheck shell=dash disable=SC2154  # some are set by eval
# SPDX-License-Identifier: GPL-2.0-only
#
# switch.sh - inline-crypt-switch

switch() {
	inline-crypt-switch "$@"
}

# target NAME - print the targets of its table
target() {
	dmsetup status --noflush "$1" | cut -d' ' -f3 | sort -u
}

# full_table NAME - with the key
full_table() {
	dmsetup table --showkeys "$1"
}

# tables NAME - print Active or Suspended, and which tables it has: Live or Both
tables() {
	dmsetup info -c --noheadings -o suspended,tables_loaded "$1"
}

# usable NAME - is it in working order, with nothing left over?
usable() {
	[ "$(tables "$1")" = "Active:Live" ] &&
		timeout 10 dd if="/dev/mapper/$1" of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null
}

# switch_volumes NAME... - after both_serve: with volumes that dm-crypt opens, there and back
switch_volumes() {
	serve theirs
	modprobe dm-inline-crypt || bail "no module beside dm-crypt"
	for _volume; do
		eval "_dev=\$_dev_$_volume"
		# shellcheck disable=SC2046  # to be split
		check "$_volume: open, to switch" cs open $(sed -n "s/^$_volume //p" volumes) \
			"$_dev" "$_volume" < pass || continue
		full_table "$_volume" > before
		check "$_volume: there" switch --header "$_dev" --key-file pass "$_volume"
		# A BitLocker volume has zeros as well.
		is "$(target "$_volume" | grep -vx zero)" inline-crypt "$_volume: is inline-crypt"
		check "$_volume: the same data" rw compare "/dev/mapper/$_volume" 2097152 data.ours
		check "$_volume: more data" rw write "/dev/mapper/$_volume" 2097152 data.theirs
		check "$_volume: back" switch --header "$_dev" --key-file pass "$_volume"
		full_table "$_volume" > after
		is "$(cat after)" "$(cat before)" "$_volume: has its old table"
		check "$_volume: the same data" rw compare "/dev/mapper/$_volume" 2097152 data.theirs
		check "$_volume: close" cs close "$_volume"
	done
}
