# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: where a cipher or an IV is wrong there is no target, and dm-crypt can have the name
# kernels: all smoke
# expects-dmesg: alg: .*cbc|WARNING: .*crypto/testmgr|cut here
# shellcheck shell=dash

# An earlier case may have loaded it.
rmmod dm-crypt 2> /dev/null
kmsg_mark
check "the module loads" modprobe dm-inline-crypt
said=$(kmsg | grep 'self-test')
diag "$said"
like "$said" 'self-test: [0-9]+ of 12 answers right' "and says how many answers were right"
passed=$(echo "$said" | sed -n 's/.*self-test: \([0-9]*\) of.*/\1/p')
is_at_least "$passed" 11 "all that this kernel has, which is most of them"
case $(uname -r) in
6.1.* | 6.12.* | 7.2.* | 7.3.*) like "$said" 'kernel series tested' "and that this series was tested" ;;
esac
rmmod dm-inline-crypt

requires_module icrypt-test-wrong
check "right so far: the module loads" modprobe dm-inline-crypt
rmmod dm-inline-crypt
echo 1 > /sys/module/icrypt_test_wrong/parameters/wrong
for takeover in 0 1; do
	kmsg_mark
	check_not "takeover=$takeover: with a wrong cipher it does not load" \
		modprobe dm-inline-crypt takeover=$takeover
	like "$(kmsg)" 'self-test: aes-cbc-.* gives wrong data' "takeover=$takeover: and says why"
	is "$(dmsetup targets | grep -cE '^(inline-)?crypt ')" 0 "takeover=$takeover: there is no target"
done
check "dm-crypt loads as ever" modprobe dm-crypt
rmmod dm-crypt
rmmod icrypt-test-wrong
check "with the right cipher it loads again" modprobe dm-inline-crypt
