# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: helpers that have to wait for pages make progress, and no block is lost
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and count_io set variables

[ "$(nproc)" -gt 1 ] || skip_all "one CPU"
requires_module dm-delay

# More than the part of the memory that writes in flight may have
part=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 50 / 1024))
[ $part -ge 16 ] || part=16
mib=$((part + 24))
make_null_blk null memory_backed=1 size=$mib
dm_create slow "0 $(sectors "$null") delay $null 0 0 $null 0 300" || bail "no slow device"
make_crypt ours /dev/mapper/slow

# write_all MIB [fio option...] - in blocks of 4K, all of them at once
write_all() {
	_mib=$1
	shift
	fio_write /dev/mapper/ours --name=x --direct=1 --ioengine=libaio --bs=4k --size="${_mib}M" \
		--iodepth=$((_mib * 256)) --iodepth_batch_submit=64 "$@"
}

write_all 1 > /dev/null
for _try in 1 2 3 4; do
	count_io ours write_all $mib
	is $? 0 "all is written"
	[ "$spread" = 0 ] || break
done
needs_idle_cpu "$spread" "helpers encrypted some of the writes"
is $((w_caller + w_wq)) $((mib * 256)) "each write was encrypted once"

write_all 8 > fio.out 2>&1 &
writer=$!
check "suspended and resumed meanwhile" sh -c 'for i in 1 2 3; do dmsetup suspend ours && dmsetup resume ours || exit; done'
check "the writer ends" wait $writer || sed 's/^/# /' fio.out

reload slow "0 $(sectors "$null") linear $null 0"
check "every block is right" fio_read /dev/mapper/ours --name=x --direct=1 --ioengine=libaio --bs=4k \
	--size=8M --iodepth=64
