# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a complaint that the case expects is no failure, and the cases go on after all failures
# expects-dmesg: WARNING: .* at lab/expected

ok "the case after them runs"
echo "WARNING: CPU: 0 PID: 1 at lab/expected" > /dev/kmsg
