# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: the demo: real data through inline-crypt on a loop device, then a comparison with dm-crypt
# shellcheck shell=dash disable=SC2154  # make_loop sets variables

. /with/cells.sh

# dd_same DEVICE - what is read by O_DIRECT is what was written
dd_same() {
	dd if="$1" bs=1M count=8 iflag=direct 2>/dev/null | cmp - data
}

random_file data 8
make_loop loop 64
modprobe dm-crypt
check "dm-inline-crypt loads" modprobe dm-inline-crypt
modprobe -q aesni_intel

diag ""
diag "Real data on $loop:"
table=$(bench_table inline-crypt "$loop")
diag "  dmsetup create secret --table '${table%%aes*}aes-xts-plain64 <key> 0 $loop 0'"
check "the table loads" dm_create secret "$table"
check "8 MiB are written" dd if=data of=/dev/mapper/secret bs=1M oflag=direct
check "and read back the same" dd_same /dev/mapper/secret
diag "  $(dmsetup status secret)"
dm_remove secret
check_not "on the loop device there is ciphertext" cmp -n 8388608 data "$loop"
dm_create theirs "$(bench_table crypt "$loop")"
check "which dm-crypt reads as well" cmp -n 8388608 data /dev/mapper/theirs
dm_remove theirs

diag ""
diag "Comparison, one virtual CPU, one instruction = 1 ns:"
bench_calibrate || bail "cannot measure exactly here"
while read -r cell ios bs rw engine depth; do
	for variant in linear crypt crypt-nowq inline-crypt; do
		dm_create "$variant" "$(bench_table "$variant" "$loop")"
		line=$(bench_cell "{\"cell\":\"$cell\",\"variant\":\"$variant\"}" \
			"/dev/mapper/$variant" "$bs" "$rw" "$engine" "$depth" \
			--io_size=$((ios * bs))k) || not_ok "$cell on $variant"
		diag "RESULT $line"
		dm_remove "$variant"
	done
done < /with/cells.txt
ok "all cells measured"
