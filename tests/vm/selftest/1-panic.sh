# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the guest panics, which the host must report

ok "still alive"
echo c > /proc/sysrq-trigger
