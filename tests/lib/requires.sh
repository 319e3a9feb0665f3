# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# requires.sh - requirements of a case, which is skipped in a guest without them

# requires_module MODULE [parameters] - load MODULE, or skip the case
requires_module() {
	modprobe "$@" 2>/run/check.out || skip_all "no module $1: $(cat /run/check.out)"
}

# have_kernel_config OPTION - is CONFIG_OPTION on in this kernel?
have_kernel_config() {
	grep -Eq "^CONFIG_${1#CONFIG_}=[ym]" /boot/config
}

# requires_kernel_config OPTION... - skip the case on a kernel without
requires_kernel_config() {
	for _option; do
		have_kernel_config "$_option" || skip_all "kernel without CONFIG_${_option#CONFIG_}"
	done
}

# requires_command COMMAND... - skip the case in a guest without
requires_command() {
	for _command; do
		command -v "$_command" >/dev/null || skip_all "guest without $_command"
	done
}

# kernel_at_least X.Y - is this kernel that new?
kernel_at_least() {
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]
}

# full - is a case to do all that it can, however long that takes?
full() {
	grep -qw lab.full /proc/cmdline
}
