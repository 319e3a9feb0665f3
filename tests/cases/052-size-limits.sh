# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: max_read_size and max_write_size: nothing larger goes to the device below
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086  # make_null_blk and friends set variables

MiB=1048576
parameters=/sys/module/dm_inline_crypt/parameters

# limit READ WRITE - bytes
limit() {
	echo $1 > $parameters/max_read_size
	echo $2 > $parameters/max_write_size
}

# below COMMAND... - run it; sets reads and writes to the largest bios on $null, bytes,
# n_reads and n_writes to how many there were
below() {
	_dev=$(tr : , < "/sys/block/$(disk_name "$null")/dev")
	trace_start block/block_bio_queue
	"$@" > below.out 2> below.err
	_below=$?
	dm_wait_idle ours
	trace_stop trace
	eval "$(awk -v dev="$_dev" '
		$5 == "block_bio_queue:" && $6 == dev && $10 > 0 {
			write = $7 ~ /^F?W/
			n[write]++
			if ($10 > max[write])
				max[write] = $10
		}
		END {
			printf "reads=%d n_reads=%d ", max[0] * 512, n[0]
			printf "writes=%d n_writes=%d\n", max[1] * 512, n[1]
		}' trace)"
	[ $_below = 0 ] || sed 's/^/# /' below.err
	return $_below
}

random_file data 4
make_null_blk null memory_backed=1 size=32 irqmode=2 completion_nsec=20000
modprobe dm-inline-crypt || bail "no module"
make_crypt ours "$null"
below rw --huge write /dev/mapper/ours 0 data
is_at_least "$writes" 131072 "without limits there are large writes below"
below rw --huge compare /dev/mapper/ours 0 data
is_at_least "$reads" 131072 "and large reads"
dm_remove ours

for size in 512 4096; do
	make_crypt ours "$null" sector_size:$size
	limit 65536 65536
	for how in --huge '' '--shift 512'; do
		dd if=/dev/zero of="$null" bs=1M count=4 oflag=direct 2> /dev/null
		check "$size: 4 MiB ${how:-small pages} written" below rw $how write /dev/mapper/ours 0 data
		is "$writes $((n_writes >= 64))" "65536 1" "$size: in writes of 64 KiB"
		check "$size: 4 MiB ${how:-small pages} read" below rw $how compare /dev/mapper/ours 0 data
		is "$reads $((n_reads >= 64))" "65536 1" "$size: in reads of 64 KiB"
	done
	# Each way a request can come, also those that must not wait at first
	for engine in psync libaio io_uring; do
		check "$size, $engine: blocks of 512 KiB, verified" below fio_verify /dev/mapper/ours \
			--name=x --ioengine=$engine --iodepth=4 --bs=512k --size=4M --direct=1
		is "$reads $writes" "65536 65536" "$size, $engine: nothing larger below"
	done
	check "$size, buffered: verified" below fio_verify /dev/mapper/ours --name=x --bs=512k \
		--size=4M --end_fsync=1
	is "$((reads <= 65536)) $((writes <= 65536))" "1 1" "$size, buffered: nothing larger below"
	for kind in write read; do
		check "$size, io_uring, $kind: data is right" below uring --bs 262144 --count 16 $kind \
			/dev/mapper/ours
		is "$reads $writes" "$([ $kind = read ] && echo 65536 0 || echo 0 65536)" \
			"$size, io_uring, $kind: nothing larger below"
	done

	# Waiting for the rest of it is waiting: said before anything is sent
	for kind in write read; do
		old=
		[ $kind = read ] || old="--old 1"
		check "$size, RWF_NOWAIT, $kind: all done or refused" below uring --nowait --bs 262144 \
			--count 16 --seed 2 $old $kind /dev/mapper/ours
		is "$(cat below.out)" "0 done 16 again" "$size, RWF_NOWAIT, $kind: larger than the limit"
		# After writing, it reads the data back
		[ $kind = read ] || reads=0
		is "$reads $writes" "0 0" "$size, RWF_NOWAIT, $kind: nothing was sent"
		check "$size, RWF_NOWAIT, $kind: as large as the limit" below uring --nowait --bs 65536 \
			--count 16 --seed 3 $old $kind /dev/mapper/ours
		[ $kind = read ] || reads=0
		is "$((reads + writes))" 65536 "$size, RWF_NOWAIT, $kind: that is sent"
	done

	# Each limit is for itself; a size that is no multiple of a sector is rounded
	limit 0 32768
	below rw write /dev/mapper/ours 0 data
	is $writes 32768 "$size: max_write_size alone: writes"
	below rw --huge compare /dev/mapper/ours 0 data
	is_at_least $reads 131072 "$size: reads are as they were"
	limit 70000 0
	below rw --huge write /dev/mapper/ours 0 data
	is_at_least $writes 131072 "$size: max_read_size alone: writes are as they were"
	check "$size: the data is right" below rw compare /dev/mapper/ours 0 data
	is $reads $((70000 / size * size)) "$size: 70000 bytes are whole sectors"
	limit 1 1
	dd if=data of=part bs=64k count=1 2> /dev/null
	below rw write /dev/mapper/ours 0 part
	is "$writes $n_writes" "$size $((65536 / size))" "$size: one byte is a sector: writes"
	check "$size: the data is right" below rw compare /dev/mapper/ours 0 part
	is "$reads $n_reads" "$size $((65536 / size))" "$size: and reads"
	limit 0 0
	below rw --huge read /dev/mapper/ours 0 $((4 * MiB))
	is_at_least $reads 131072 "$size: no limit any more"
	dm_remove ours
done

# Polled I/O must not wait, wherever it is submitted again
flat=$null
make_null_blk null memory_backed=1 size=32 submit_queues=1 poll_queues=1
make_crypt ours "$null"
limit 65536 65536
for kind in write read; do
	check "polled, $kind: data is right" below timeout 60 uring --iopoll --bs 262144 --count 16 $kind \
		/dev/mapper/ours
	is "$reads $writes" "$([ $kind = read ] && echo 65536 0 || echo 0 65536)" \
		"polled, $kind: nothing larger below"
done
dm_remove ours
null=$flat

# With tags
make_integrity int "$null" 28 D
dm_create ours "0 16384 inline-crypt capi:gcm(aes)-random $(test_key 32) 0 $int 0 1 integrity:28:aead" ||
	bail "no table"
integrity=$null
null=$int
limit 65536 65536
check "tags: written" below rw write /dev/mapper/ours 0 data
is $writes 65536 "tags: nothing larger below"
check "tags: read" below rw compare /dev/mapper/ours 0 data
is $reads 65536 "tags: nor there"
dm_remove ours
dm_remove "${int##*/}"
null=$integrity

# The same as of dm-crypt, where that has them. With small pages each run has bios of its
# own: they end where the memory of that process happens not to go on.
dm_create theirs "$(crypt_table crypt "$null")" || bail "no dm-crypt"
if ! [ -d /sys/kernel/mm/transparent_hugepage ]; then
	dm_remove theirs
	skip "as many and as large as with dm-crypt" "kernel without huge pages"
elif [ -e /sys/module/dm_crypt/parameters/max_read_size ]; then
	dm_remove theirs
	echo 70000 > /sys/module/dm_crypt/parameters/max_read_size
	echo 70000 > /sys/module/dm_crypt/parameters/max_write_size
	limit 70000 70000
	for target in crypt inline-crypt; do
		dm_create ours "$(crypt_table $target "$null")" || bail "no $target"
		below rw --huge write /dev/mapper/ours 0 data
		was="$writes $n_writes"
		below rw --huge compare /dev/mapper/ours 0 data
		echo "$was $reads $n_reads" > sizes-$target
		dm_remove ours
	done
	is "$(cat sizes-inline-crypt)" "$(cat sizes-crypt)" "as many and as large as with dm-crypt"
else
	dm_remove theirs
	skip "as many and as large as with dm-crypt" "dm-crypt of this kernel has no such parameters"
fi

# Zones: newer kernels split these writes themselves, and nobody else may
if have_kernel_config BLK_DEV_ZONED; then
	make_null_blk null memory_backed=1 size=32 zoned=1 zone_size=4 zone_nr_conv=2
	make_crypt ours "$null"
	limit 65536 65536
	dd if=data of=part bs=1M count=1 2> /dev/null
	check "zoned: written" below rw write /dev/mapper/ours $((8 * MiB)) part
	kernel_at_least 6.12 || is $writes 65536 "zoned: nothing larger below"
	check "zoned: read" below rw compare /dev/mapper/ours $((8 * MiB)) part
	is $reads 65536 "zoned: nothing larger below"
	check "zoned, io_uring: written and read" below fio_ours io_uring write 256k \
		--zonemode=zbd --offset=12M --size=4M --io_size=2M --iodepth=1 --verify=crc32c \
		--verify_fatal=1
	is $reads 65536 "zoned, io_uring: nothing larger below"
	kernel_at_least 6.12 || is $writes 65536 "zoned, io_uring: nor above it"
	dm_remove ours
	# Of an append dm makes a write on older kernels, and that must not be split
	make_null_blk appended memory_backed=1 size=128 zoned=1 zone_size=4
	make_crypt ours "$appended"
	check_zone_append "zoned" /dev/mapper/ours part
	dm_remove ours
else
	skip "zoned" "kernel without zoned devices"
fi
limit 0 0
