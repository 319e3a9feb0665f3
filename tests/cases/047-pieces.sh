# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: large reads and writes are cut, so that cipher and device overlap and CPUs share the work
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and count_io set variables

MiB=1048576

# learn NAME - read a little, so that the target knows what the cipher costs
learn() {
	for _ in $(seq 8); do
		rw read "/dev/mapper/$1" 0 65536 > /dev/null
	done
}

# sync_read OFFSET BYTES - a read that is traced and counted
#
# Sets pieces to the number of bios that were sent, and early to the number of those
# that were sent after something had been decrypted. It is tried again if the task slept,
# as in read_in_one; the record is that of the last try. In every try the pieces make up
# the whole, each is counted once, and the reasons are right.
sync_read() {
	for _try in $(seq 20); do
		trace_start dm_inline_crypt/submit dm_inline_crypt/decrypt
		check "$2 bytes are read" count_io ours rw read /dev/mapper/ours $1 $2
		trace_stop trace
		pieces=$(grep -c ' submit: ' trace)
		sent=$(sed -n 's/.* submit: .* bytes=\([0-9]*\) .*/\1/p' trace |
			awk '{ n += $1 } END { print n + 0 }')
		is $sent $2 "$2 bytes: the pieces make up the whole"
		is $((r_caller + r_endio + r_bh + r_wq)) $pieces "$2 bytes: each piece is counted once"
		reasons_are_right "$2 bytes"
		[ "$r_endio$r_bh$slept$budget" != 0000 ] || break
	done
	tried "$_try" "$2 bytes at $1"
	early=$(awk '/ decrypt: / { seen = 1 } / submit: / && seen { n++ } END { print n + 0 }' trace)
}

random_file data 8
make_loop loop 16
make_crypt ours "$loop"
check "written" rw write /dev/mapper/ours 0 data
learn ours
sync_read 0 $MiB
if [ $pieces -lt 2 ]; then
	# With the cipher of a real CPU, cutting a megabyte may not pay.
	skip_all "a read of 1 MiB is not worth cutting here"
fi
is $early 0 "all are sent before the first is decrypted"
is_at_least $r_caller 1 "the caller decrypts"
is "$r_wq $r_endio $r_bh" "$spread 0 0" "workers that help are counted, and nobody else decrypts"
sync_read 0 $((8 * MiB))
is_at_least $r_caller 1 "8 MiB: the caller decrypts"
is "$r_wq $r_endio $r_bh" "$spread 0 0" "8 MiB: workers that help are counted, and nobody else decrypts"

# Borders: of the device's blocks, of pages, of the pieces
for range in "0 $((8 * MiB))" "0 $MiB" "4096 $((MiB + 512))" "512 $((3 * MiB - 512))" "131072 262144"; do
	set -- $range
	dd if=data bs=512 skip=$(($1 / 512)) count=$(($2 / 512)) of=part 2> /dev/null
	check "the data is right: $2 bytes at $1" rw compare /dev/mapper/ours $1 part
	check "and in a buffer off the pages" rw --shift 512 compare /dev/mapper/ours $1 part
done
dm_remove ours

# --- help
# brd completes each piece at once, so a reader alone is behind from the first piece on.
make_brd ram 16
make_crypt ours "$ram"
rw write /dev/mapper/ours 0 data
learn ours
if [ "$(nproc)" -gt 1 ]; then
	text="a reader that is behind the device gets help"
	for n in $(seq 50); do
		read_in_one rw compare /dev/mapper/ours 0 data || break
		[ $spread = 0 ] || break
	done
	tried $n "$text"
	! needs_idle_cpu $spread "$text" || is $r_wq $spread "the help is counted"
	check "the data is right" rw compare /dev/mapper/ours 0 data

	text="workers share a large asynchronous read"
	for n in $(seq 8); do
		check "4 MiB are read by libaio" count_io ours fio_ours libaio read 1M \
			--iodepth=1 --size=4M
		reasons_are_right "libaio"
		[ $r_wq -lt 5 ] || break
	done
	tried $n "$text"
	needs_idle_cpu $((r_wq / 5)) "$text"
	check "its data is right" fio_verify /dev/mapper/ours --name=x --direct=1 --bs=1M \
		--ioengine=libaio --iodepth=2 --size=8M
	rw write /dev/mapper/ours 0 data
else
	skip "help" "one CPU"
fi
dm_remove ours
make_crypt ours "$ram" no_read_workqueue no_write_workqueue
learn ours
sync_read 0 $MiB
is "$r_caller $r_wq" "$pieces 0" "no_read_workqueue: without help"
count_io ours rw write /dev/mapper/ours 0 data
is $w_wq 0 "no_write_workqueue: without help"
dm_remove ours

# --- writes
make_crypt ours "$loop"
learn ours
for _ in $(seq 8); do
	dd if=data of=/dev/mapper/ours bs=64k count=1 oflag=direct 2> /dev/null
done
text="a large synchronous write: workers help"
for n in $(seq 20); do
	check "8 MiB are written" count_io ours rw write /dev/mapper/ours 0 data
	is_at_least $w_caller 1 "the writer encrypts"
	is $w_wq $spread "each piece in a worker is counted as spread"
	[ $w_wq = 0 ] || break
done
tried $n "$text"
needs_idle_cpu $w_wq "$text"
random_file small 1
count_io ours rw --nowait write /dev/mapper/ours $((8 * MiB)) small
is "$((w_caller + w_wq))" 1 "a write that must not wait is not cut"
dm_remove ours
dm_create theirs "$(crypt_table crypt "$loop")"
check "dm-crypt reads the same" rw compare /dev/mapper/theirs 0 data
dm_remove theirs

# --- a piece that fails
requires_module dm-mod
dm_create broken "$(printf '%s\n' "0 1024 linear $loop 0" "1024 8 error" "1032 15352 linear $loop 1032")"
make_crypt ours /dev/mapper/broken
learn ours
is "$(rw read /dev/mapper/ours 0 $MiB 2>&1 > /dev/null | head -c 3)" EIO "an error of one piece fails the whole read"
dm_wait_idle ours
dd if=data bs=1M count=1 skip=1 of=part 2> /dev/null
check "and the next read is fine" rw compare /dev/mapper/ours $MiB part
dm_remove ours
dm_remove broken

# --- a disk that seeks
echo 1 > "/sys/block/$(disk_name "$loop")/queue/rotational"
make_crypt ours "$loop"
learn ours
sync_read 0 $MiB
is $pieces 1 "a disk that seeks gets the read in one piece"
dm_remove ours
