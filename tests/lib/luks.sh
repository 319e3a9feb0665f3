# shellcheck shell=dash disable=SC2154  # some are set by eval
# SPDX-License-Identifier: GPL-2.0-only
#
# luks.sh - volumes of cryptsetup, and which module serves them

# loaded MODULE - is it?
loaded() {
	grep -q "^$(echo "$1" | tr - _) " /proc/modules
}

# serve ours|theirs - from now on the target "crypt" is our module's, or dm-crypt's
serve() {
	_module=dm-inline-crypt
	[ "$1" = ours ] || _module=dm-crypt
	! loaded "$_module" || return 0
	for _other in dm-crypt dm-inline-crypt; do
		! loaded "$_other" || rmmod "$_other" || bail "cannot unload $_other"
	done
	if [ "$1" = ours ]; then
		modprobe dm-inline-crypt takeover=1 || bail "no takeover"
	else
		requires_module dm-crypt
	fi
}

# served_by NAME - print whose the mapping is: the status of dm-crypt is empty
served_by() {
	case $(dmsetup status --target crypt "$1") in
	*r_caller=*) echo ours ;;
	*' crypt '*) echo theirs ;;
	esac
}

# cs ARGUMENTS... - cryptsetup without questions
cs() {
	cryptsetup --batch-mode "$@"
}

# luks_format DEVICE [option...] - small and cheap: a real PBKDF takes minutes here
#
# The passphrase is in the file "pass".
luks_format() {
	_device=$1
	shift
	cs luksFormat --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$@" "$_device"
}

# both_serve - every volume is opened by us, by dm-crypt and by us again
#
# Each reads the data of the other, and status and tables have to be the same. A
# line of the file "volumes" is a name and options of cryptsetup open, which finds
# the file "pass" on its standard input. The case defines
#
#   make_volume NAME           set dev to a device with a volume; all under us
#   look NAME ours|theirs      more to see while it is open
both_serve() {
	random_file data.ours 1
	random_file data.theirs 1
	serve ours
	while read -r _volume _; do
		make_volume "$_volume"
		eval "_dev_$_volume=\$dev"
	done < volumes
	_last=
	for _who in ours theirs ours; do
		serve $_who
		while read -r _volume _options; do
			eval "_dev=\$_dev_$_volume"
			# shellcheck disable=SC2086  # to be split
			check "$_volume: $_who: open" cs open $_options "$_dev" "$_volume" < pass || continue
			is "$(served_by "$_volume")" $_who "$_volume: served by it"
			{ cs status "$_volume"; dmsetup table --showkeys; } > "$_volume.$_who"
			if [ -n "$_last" ]; then
				check "$_volume: status and tables are the same" cmp "$_volume.ours" "$_volume.theirs"
				check "$_volume: $_who: data of $_last" \
					rw compare "/dev/mapper/$_volume" 2097152 "data.$_last"
			fi
			check "$_volume: $_who: write" rw write "/dev/mapper/$_volume" 2097152 "data.$_who"
			look "$_volume" "$_who"
			check "$_volume: $_who: close" cs close "$_volume"
		done < volumes
		_last=$_who
	done
}
