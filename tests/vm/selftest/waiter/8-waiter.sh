# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a task that waits in our module for ever is a failure, however busy the host is
# shellcheck shell=dash disable=SC2154  # make_loop sets loop

make_loop loop 4
check "a device below" dm_create below "0 8192 linear $loop 0"
make_crypt ours /dev/mapper/below
dmsetup suspend --nolockfs below
dd if=/dev/mapper/ours of=/dev/null bs=4k count=1 iflag=direct &
for _ in $(seq 20); do
	sleep 1
	! dmesg | grep -q 'waits in dm_inline_crypt' || break
done
dmsetup resume below
check "the reader goes on once the device does" wait $!
