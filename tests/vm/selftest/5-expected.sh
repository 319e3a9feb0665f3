# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a complaint that was announced is none; and cases go on after all this
# expects-dmesg: WARNING: .* at lab/expected

ok "the case after them runs"
echo "WARNING: CPU: 0 PID: 1 at lab/expected" > /dev/kmsg
