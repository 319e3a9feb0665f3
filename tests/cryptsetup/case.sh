# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# case.sh - run one script of cryptsetup's own tests; tests/cryptsetup/upstream starts it
#
# Its name is the script's. /dev/vda is the image of provision's need_cryptsetup,
# a Debian system to change root into. What the script says comes back behind
# "# | ", its exit status and seconds as "# result: STATUS SECONDS".

# target=crypt or inline-crypt: what serves the name "crypt"
diag "start: $0"
target=
# shellcheck source=/dev/null
. /with/settings
root=/mnt/root

for module in virtio_pci virtio_blk ext4 loop; do
	modprobe "$module" || bail "no module $module"
done
mkdir -p $root
mount -t ext4 /dev/vda $root || bail "cannot mount the image"
mkdir -p $root/usr/lib/modules
for dir in proc sys dev run usr/lib/modules; do
	mount --bind "/$dir" "$root/$dir" || bail "cannot bind $dir"
done
mkdir -p $root/dev/pts
mount -t devpts devpts $root/dev/pts
ln -sf pts/ptmx /dev/ptmx
# What an init system makes; loopaesOpen --key-file - wants /dev/stdin.
ln -sfn /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr

# in_root COMMAND... - run it there
#
# Without the variable udevadm takes a change of root for a container, where it
# does nothing.
in_root() {
	chroot $root /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb LC_ALL=C SYSTEMD_IGNORE_CHROOT=1 CRYPTSETUP_PATH=/sbin "$@"
}

# The kernel, too, shall load modules as that system says.
cat > /run/modprobe <<-END
	#!/bin/sh
	exec chroot $root /sbin/modprobe "\$@"
END
chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe

rm -f $root/etc/modprobe.d/dm-inline-crypt.conf $root/usr/local/sbin/rmmod
if [ "$target" = inline-crypt ]; then
	# The file that the package installs.
	cp /with/dm-inline-crypt.conf $root/etc/modprobe.d/
	# Some scripts see how cryptsetup copes when the module is not there yet.
	cat > $root/usr/local/sbin/rmmod <<-'END'
		#!/bin/sh
		case $1 in
		dm-crypt | dm_crypt) set -- dm-inline-crypt ;;
		esac
		exec /sbin/rmmod "$@"
	END
	chmod +x $root/usr/local/sbin/rmmod
	other=dm_crypt ours=dm_inline_crypt
else
	other=dm_inline_crypt ours=dm_crypt
fi

rm -rf /run/udev
in_root /lib/systemd/systemd-udevd --daemon || bail "cannot start udevd"
in_root udevadm trigger --action=add
in_root udevadm settle

in_root modprobe dm-crypt || bail "modprobe dm-crypt fails"
diag "target: $(in_root dmsetup targets | grep '^crypt' | tr -s ' ')"
rm -rf $root/scratch
cp -r $root/upstream $root/scratch

before=$(date +%s)
{
	# shellcheck disable=SC2016  # for the shell started there
	in_root bash -c 'cd /scratch && exec ./"$1"' - "$0" </dev/null 2>&1 3>&-
	echo $? > /run/status
} | in_root sed -u 's/^/# | /'
diag "result: $(cat /run/status) $(($(date +%s) - before))"

check "served by $target all the time" sh -c "grep -q '^$ours ' /proc/modules && ! grep -q '^$other ' /proc/modules"
