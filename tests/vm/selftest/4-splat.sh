# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the kernel complains, which must fail a case that asserts nothing wrong

ok "nothing wrong as far as the case can see"
echo "WARNING: CPU: 0 PID: 1 at lab/selftest" > /dev/kmsg
