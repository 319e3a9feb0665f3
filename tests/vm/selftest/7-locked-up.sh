# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a lockup that comes again in a second guest is a failure

ok "here as well"
echo "watchdog: BUG: soft lockup - CPU#0 stuck for 26s!" > /dev/kmsg
