# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the guest panics, which the host must report

diag "booted in $(cut -d ' ' -f 1 /proc/uptime) s"
ok "still alive"
# Told before the other CPU is stopped
sleep 1
echo c > /proc/sysrq-trigger
