# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# case.sh - the library of the cases; the guest's init sources it before each of them
#
# A case is a list of assertions in busybox sh. It runs as root in the guest, in an
# empty directory on tmpfs. No device is set up, and our module is not loaded. A case
# need not clean up. Its first lines are
#
#   # SPDX-License-Identifier: GPL-2.0-only
#   # DESCRIPTION: the behaviour that the case proves
#   # kernels: the kernels of tests/kernels that it is for (see tests/vm/all-cases)
#   # expects-dmesg: regular expression      (only if the kernel shall complain)
#
# Everything is in files by topic, which lie beside this one in the guest.

# shellcheck source=/dev/null
. /lib/commands.sh
for _topic in tap requires memory devices crypt counters io fio faults luks switch trace; do
	# shellcheck source=/dev/null
	. "/lib/lab/$_topic.sh"
done

# $0 is the case's name, $1 its path
_description=$(sed -n 's/^# DESCRIPTION: *//p' "$1" | head -n 1)
[ -z "$_description" ] || diag "$_description"
