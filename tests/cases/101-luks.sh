# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: LUKS2 and LUKS1 with unmodified cryptsetup on takeover=1, and the same volumes on dm-crypt; inline-crypt-switch
# kernels: oldest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

requires_command cryptsetup
printf 'lab passphrase' > pass

cat > volumes << 'END'
small --key-file pass
large --key-file pass --disable-keyring
perf --key-file pass --perf-no_read_workqueue --perf-no_write_workqueue --perf-same_cpu_crypt --perf-submit_from_crypt_cpus
persist --key-file pass
essiv --key-file pass
luks1 --key-file pass
END
# cryptsetup checks the version of the target for this since 2.8
if cryptsetup --help | grep -q perf-high_priority && kernel_at_least 6.12; then
	echo "high --key-file pass --perf-high_priority" >> volumes
else
	skip "high: --perf-high_priority" "cryptsetup or the kernel's dm-crypt is too old"
fi

make_volume() {
	name=$1
	make_loop dev 8
	case $name in
	small | perf | high) set -- --sector-size 512 ;;
	large | persist) set -- --sector-size 4096 ;;
	essiv) set -- --cipher aes-cbc-essiv:sha256 --key-size 256 --sector-size 512 ;;
	esac
	if [ "$name" = luks1 ]; then
		set -- --type luks1 --cipher aes-cbc-plain64 --key-size 256
	else
		set -- --type luks2 --luks2-keyslots-size 512k "$@"
	fi
	check "$name: luksFormat $*" luks_format "$dev" "$@"
	[ "$name" = persist ] || return
	check "persist: open with flags" cs open --key-file pass --persistent --allow-discards \
		--perf-no_write_workqueue "$dev" persist
	check "persist: close" cs close persist
}

look() {
	case $1 in
	small) expected=' aes-xts-plain64 :64:logon:cryptsetup:[-0-9a-f]*-d0 0 [0-9:]+ 2048$' ;;
	large) expected=' aes-xts-plain64 [0-9a-f]{128} 0 [0-9:]+ 2048 1 sector_size:4096$' ;;
	perf) expected=' 4 same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue$' ;;
	high) expected=' 1 high_priority$' ;;
	persist) expected=' 3 allow_discards no_write_workqueue sector_size:4096$' ;;
	essiv) expected=' aes-cbc-essiv:sha256 :32:logon:cryptsetup:[-0-9a-f]*-d0 0 [0-9:]+ 2048$' ;;
	luks1) expected=' aes-cbc-plain64 [0-9a-f]{64} 0 [0-9:]+ 4096$' ;;
	esac
	like "$(dmsetup table --showkeys "$1")" "$expected" "$1: $2: table"
}

both_serve
switch_volumes luks1
