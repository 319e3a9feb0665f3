# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the modprobe.d file: who serves "crypt", with kmod's own modprobe
#
# In /with: kmod and its libraries under their paths, takeover.conf, and stub.ko, what
# dkms installs where it cannot build the module.

conf=/etc/modprobe.d/dm-inline-crypt.conf
updates=/lib/modules/$(uname -r)/updates

# busybox' modprobe has its own idea of these files. The kernel, too, calls
# /sbin/modprobe, which is in the same directory.
install_kmod() {
	cp -a /with/kmod/. / && ln -sf kmod /usr/bin/modprobe && ln -sf kmod /usr/bin/depmod &&
		mkdir -p /etc/modprobe.d && depmod
}

# Or busybox' shell would take its own.
modprobe() {
	/sbin/modprobe "$@"
}

depmod() {
	/sbin/depmod
}

# forget - unload all who could serve it
forget() {
	for _module in dm_crypt dm_inline_crypt; do
		! grep -q "^$_module " /proc/modules || rmmod "$_module" || bail "cannot unload $_module"
	done
}

# loaded - print which of the two modules are
loaded() {
	sed -n 's/^\(dm_crypt\|dm_inline_crypt\) .*/\1/p' /proc/modules | sort | paste -sd ' '
}

# targets - print what they serve
targets() {
	dmsetup targets | sed -n 's/^\(crypt\|inline-crypt\) .*/\1/p' | sort | paste -sd ' '
}

# expect LOADED TARGETS TEXT
expect() {
	is "$(loaded) / $(targets)" "$1 / $2" "$3"
}

check "kmod is here" install_kmod
like "$(modprobe --version)" '^kmod version ' "modprobe is kmod's"
dev=
make_loop dev 16
head -c 65536 /dev/urandom > plain

# --- takeover is on -----------------------------------------------------------

cp /with/takeover.conf $conf
check "with the file, a request for dm-crypt succeeds" modprobe dm-crypt
expect dm_inline_crypt crypt "it loaded dm-inline-crypt, as crypt"
check "and once more, when it is there" modprobe dm-crypt
forget

# As cryptsetup does: nobody loads anything, dm asks for it.
check "the kernel's own request succeeds" dm_create vol "$(crypt_table crypt "$dev")"
expect dm_inline_crypt crypt "it loaded dm-inline-crypt, as crypt"
dd if=plain of=/dev/mapper/vol bs=64k oflag=direct 2>/dev/null
is_at_least "$(counter vol w_caller)" 1 "the volume's status has our counters"
dm_remove vol
forget

# --- dm-inline-crypt cannot serve --------------------------------------------

check "by name, it loads under its own" modprobe dm-inline-crypt
expect dm_inline_crypt inline-crypt "which is inline-crypt"
check "then a request for dm-crypt succeeds as well" modprobe dm-crypt
expect "dm_crypt dm_inline_crypt" "crypt inline-crypt" "it loaded dm-crypt"
forget

kmsg_mark
mv "$updates" /tmp/updates
depmod
check "without dm-inline-crypt.ko, the kernel's request succeeds" \
	dm_create vol "$(crypt_table crypt "$dev")"
expect dm_crypt crypt "it loaded dm-crypt"
like "$(kmsg)" 'dm-inline-crypt: cannot be loaded as "crypt"; falling back to dm-crypt' "the kernel log says so"
head -c 65536 /dev/mapper/vol > again
check "dm-crypt reads what dm-inline-crypt wrote" cmp plain again
dm_remove vol
forget
mv /tmp/updates "$updates"

# Not a module for this kernel: what Secure Boot or another compiler's does, too.
cp "$updates/dm-inline-crypt.ko" /tmp
printf 'no module' > "$updates/dm-inline-crypt.ko"
depmod
check "with a dm-inline-crypt.ko that is refused, a request succeeds" modprobe dm-crypt
expect dm_crypt crypt "it loaded dm-crypt"
forget
cp /with/stub.ko "$updates/dm-inline-crypt.ko"
depmod
kmsg_mark
check "with the one that dkms puts in its place, a request succeeds" modprobe dm-crypt
expect dm_crypt crypt "it loaded dm-crypt"
like "$(kmsg)" "placeholder: dkms did not build the module for $(uname -r), see make.log in " "the kernel log says why"
forget
cp /tmp/dm-inline-crypt.ko "$updates"
depmod

# --- and back ------------------------------------------------------------------

rm $conf
check "without the file, a request for dm-crypt succeeds" modprobe dm-crypt
expect dm_crypt crypt "it loaded dm-crypt"
check_not "dm-inline-crypt does not take a name that dm-crypt holds" \
	modprobe dm-inline-crypt takeover=1
expect dm_crypt crypt "dm-crypt still has it"
