# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the case sleeps forever, which the guest's watchdog must end

ok "still alive"
sleep 100000
