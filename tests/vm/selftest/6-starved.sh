# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a stall that does not come again in a second guest is the host's fault, and no failure
# shellcheck shell=dash

requires_module nvme
# The disk outlives the guest, if nothing else does.
mark=$(head -c 4 /dev/nvme0n1)
is "$mark" seen "knows the disk"
if [ "$mark" != seen ]; then
	printf seen | dd of=/dev/nvme0n1 bs=4096 conv=sync oflag=direct 2> /dev/null
	echo "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:" > /dev/kmsg
fi
