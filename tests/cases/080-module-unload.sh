# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the module can be removed when idle, and only then
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop sets variables

make_loop loop 8
for i in 1 2 3 4 5; do
	check "$i: load" modprobe dm-inline-crypt
	like "$(dmsetup targets)" "^inline-crypt +v1\.[0-9]+\.[0-9]+" "$i: the target is there"
	make_crypt ours "$loop"
	check_not "$i: not removed while a device exists" rmmod dm_inline_crypt
	dmsetup suspend ours
	check_not "$i: nor while it is suspended" rmmod dm_inline_crypt
	dmsetup resume ours
	# Nothing that ran a moment ago may still have code of the module to run.
	fio_ours libaio randrw 4k --size=256k --iodepth=16 > /dev/null || not_ok "$i: I/O"
	rw read /dev/mapper/ours 0 4194304 > /dev/null
	dm_remove ours
	check "$i: removed when idle" rmmod dm_inline_crypt
	is "$(dmsetup targets | grep -c '^inline-crypt ')" 0 "$i: so is the target"
done
check_not "a table line of a module that is gone, with none to load" \
	sh -c "mv /lib/modules/\$(uname -r)/updates /tmp/; echo '$(crypt_table inline-crypt "$loop")' | dmsetup create gone; s=\$?; mv /tmp/updates /lib/modules/\$(uname -r)/; exit \$s"
