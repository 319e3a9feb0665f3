# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: errors of the device below reach the reader and writer as they are
# expects-dmesg: I/O error|dm-flakey
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

make_loop loop 16
random_file data 1
head -c 1048576 /dev/zero > zeros

# under TABLE... - what is below ours, now
under() {
	reload lower "0 16384 $*" > /run/check.out 2>&1 || {
		bail "reload of lower: $* $(cat /run/check.out)"
	}
}
healthy="linear $loop 0"
dm_create lower "0 16384 $healthy" || bail "no linear"

# failing_reads NAME - everybody learns of it, and nobody gets data
failing_reads() {
	for bytes in 512 4096 65536 1048576; do
		rw read /dev/mapper/ours 0 $bytes > back 2> error
		is "$? $(cat error)" "1 EIO untouched" "$1: direct read of $bytes bytes"
	done
	drop_caches
	check_not "$1: buffered read" cmp -s -n 4096 data /dev/mapper/ours
	for engine in libaio io_uring; do
		fio --name=x --filename=/dev/mapper/ours --ioengine=$engine --rw=read --bs=4k \
			--size=16k --direct=1 --iodepth=4 > fio.out 2>&1
		like "$(cat fio.out)" "err= *5|error=Input/output" "$1: $engine"
	done
}

for context in auto endio workqueue; do
	under $healthy
	make_crypt ours /dev/mapper/lower read_context:$context
	check "$context: written" rw write /dev/mapper/ours 0 data

	# Without features: reads and writes fail, always
	under flakey "$loop" 0 0 1000
	failing_reads "$context, flakey"
	rw write /dev/mapper/ours 0 zeros 2> error
	is "$? $(cat error)" "1 EIO untouched" "$context, flakey: direct write"
	check_not "$context, flakey: buffered write" dd if=zeros of=/dev/mapper/ours bs=64k count=1 conv=fsync,notrunc
	under $healthy
	drop_caches
	check "$context: as it was when the device is well again" rw compare /dev/mapper/ours 0 data
	check "$context: and buffered" cmp -n 1048576 data /dev/mapper/ours
	dm_remove ours
done

# --- writes only
make_crypt ours /dev/mapper/lower
under flakey "$loop" 0 0 1000 1 error_writes
rw write /dev/mapper/ours 0 zeros 2> error
is "$(cat error)" "EIO untouched" "error_writes: direct write"
check "error_writes: reads are good" rw compare /dev/mapper/ours 0 data
under flakey "$loop" 0 0 1000 1 drop_writes
check "drop_writes: the write is said to succeed" rw write /dev/mapper/ours 0 zeros
check "drop_writes: the old data is read" rw compare /dev/mapper/ours 0 data

# --- a part of the device only: the rest of a request must not pass for good
reload lower "0 256 linear $loop 0
256 8 error
264 16120 linear $loop 264" || bail "no table with error"
check "a hole: the data before it" rw read /dev/mapper/ours 0 131072
head -c 131072 data > before
check "is right" rw compare /dev/mapper/ours 0 before
for start in 0 65536 131072; do
	rw read /dev/mapper/ours $start 262144 > back 2> error
	like "$? $(cat error)" "^1 EIO " "a hole: a read over it from $start"
	fio --name=x --filename=/dev/mapper/ours --ioengine=libaio --rw=read --bs=256k --offset=$start \
		--size=256k --direct=1 > fio.out 2>&1
	like "$(cat fio.out)" "err= *5|error=Input/output" "a hole: libaio over it from $start"
done
tail -c +135169 data > after
check "a hole: the data behind it" rw compare /dev/mapper/ours 135168 after
rw write /dev/mapper/ours 65536 after 2> error
is "$(cat error)" "EIO untouched" "a hole: a write over it"

# --- one bit of the device: one cipher block of the data, and no error
under $healthy
check "written" rw write /dev/mapper/ours 0 data
rw read "$loop" 0 4096 > cipher
old=$(xxd -s 1000 -l 1 -p cipher)
printf '%s' "$old" | tr 0-9a-f 1032547698badcfe | xxd -r -p |
	dd of=cipher bs=1 seek=1000 conv=notrunc 2> /dev/null
rw write "$loop" 0 cipher
rw read /dev/mapper/ours 0 4096 > back
is "$(cmp -l data back 2> /dev/null | awk '{ print int(($1 - 1) / 16) }' | sort -u | tr '\n' ' ')" "62 " \
	"a changed bit below garbles its cipher block only"
