# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: one that comes again was not

ok "here as well"
echo "watchdog: BUG: soft lockup - CPU#0 stuck for 26s!" > /dev/kmsg
