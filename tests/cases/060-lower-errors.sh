# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: errors of the device below reach the reader and writer as they are
# kernels: newest
# expects-dmesg: I/O error|dm-flakey
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

make_loop loop 16
random_file data 1
head -c 1048576 /dev/zero > zeros

# under TABLE... - put these tables below ours
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
		for how in '' --aio --uring; do
			rw $how read /dev/mapper/ours 0 $bytes > back 2> error
			is "$? $(cat error)" "1 EIO untouched" "$1: direct read of $bytes bytes $how"
		done
	done
	drop_caches
	check_not "$1: buffered read" cmp -s -n 4096 data /dev/mapper/ours
	for engine in libaio io_uring; do
		fio_ours $engine read 4k --size=16k --iodepth=4 > fio.out 2>&1
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
	rw --uring write /dev/mapper/ours 0 zeros 2> error
	is "$? $(cat error)" "1 EIO untouched" "$context, flakey: direct write --uring"
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
	fio_ours libaio read 256k --offset=$start --size=256k > fio.out 2>&1
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

# --- errors of other kinds, as a device of dm-linear reports them
modprobe sd_mod 2> /dev/null
modprobe scsi_debug dev_size_mb=16 opts=2 || {
	skip "other errors" "no module scsi_debug"
	exit 0
}
for _ in $(seq 600); do
	disk=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
	[ ! -b "$disk" ] || break
	sleep 0.1
done
[ -b "$disk" ] || bail "no SCSI disk"
dm_remove ours
dm_create plain "0 $(sectors "$disk") linear $disk 0" || bail "no linear"

# outcomes NAME - of reads with a medium error at sectors 4660 to 4669, and of
# writes while the disk is write-protected, which its driver does not know
outcomes() {
	for how in '' --aio --uring; do
		for read in "2385920 512" "2383872 4096" "2359296 65536"; do
			rw $how read "/dev/mapper/$1" $read > /dev/null 2> error
			echo "read $how $read: $? $(cat error)"
		done
		# In several requests, of which some succeed
		rw $how read "/dev/mapper/$1" 2097152 1048576 > /dev/null 2> error
		echo "read $how 1M: $? $(cut -d' ' -f1 error)"
		echo 1 > /sys/module/scsi_debug/parameters/wp
		for data in page zeros; do
			rw $how write "/dev/mapper/$1" 0 $data 2> error
			echo "write $how $data: $? $(cat error)"
		done
		echo 0 > /sys/module/scsi_debug/parameters/wp
	done
}
head -c 4096 data > page
outcomes plain > outcomes.linear
is "$(grep -cE '^read .* 1 ENODATA( untouched)?$' outcomes.linear)" 12 "dm-linear: a medium error of reads" ||
	sed 's/^/# /' outcomes.linear
is "$(grep -c '^write .* 1 EREMOTEIO untouched$' outcomes.linear)" 6 "dm-linear: a refusal of writes" ||
	sed 's/^/# /' outcomes.linear
dm_remove plain
for context in auto caller endio workqueue; do
	write_context=$context
	[ $context != endio ] || write_context=auto
	make_crypt ours "$disk" read_context:$context write_context:$write_context
	outcomes ours > outcomes.ours
	check "$context: reads and writes fail as those of dm-linear" diff outcomes.linear outcomes.ours
	# sd corrects its wrong idea of the device
	check "$context: a write of a good sector" rw write /dev/mapper/ours 0 data
	check "$context: and a read" rw compare /dev/mapper/ours 0 data
	dm_remove ours
done
