# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: tags in every context: the second read, asynchronous ciphers, pieces, NOWAIT, errors below
# kernels: newest
# expects-dmesg: INTEGRITY AEAD ERROR|dm-flakey
# shellcheck shell=dash disable=SC2154  # make_loop and count_io set variables

make_loop loop 40
random_file data 8
head -c 65536 data > small
key=$(test_key 32)
gcm="capi:gcm(aes)-random $key 0"
modprobe dm-inline-crypt || bail "no module"
make_integrity int "$loop" 28 D
length=32768
dm_create ours "0 $length inline-crypt $gcm $int 0 1 integrity:28:aead" || bail "no table"

# --- large I/O, in pieces
check "8 MiB written at once" count_io ours rw write /dev/mapper/ours 0 data
check "8 MiB read at once" read_in_one rw compare /dev/mapper/ours 0 data
is_at_least "$r_caller" 1 "the reading task decrypted some pieces"
is "$r_endio $r_bh $context" "0 0 0" "workers decrypted the other pieces, and no read was repeated"
check "and by io_uring" fio_ours io_uring read 1M --size=8M --iodepth=4
check "all engines, verified" fio_verify /dev/mapper/ours --name=x --direct=1 --offset=8M --size=4M \
	--bsrange=512-1M --ioengine=libaio --iodepth=8

# --- a buffer that changes while it is read
healed=0
for _ in $(seq 40); do
	count_io ours rw --scribble read /dev/mapper/ours 0 1048576 > /dev/null || break
	[ "$context" = 0 ] || healed=$((healed + 1))
	[ $healed -lt 2 ] || break
done
is_at_least "$healed" 1 "reads into a buffer that somebody writes to are read again, and succeed"
is "$(dmesg | grep -c 'INTEGRITY AEAD ERROR')" 0 "the log has no error for that"
check "a buffer that changes while it is written" rw --scribble write /dev/mapper/ours 4194304 small
check "the data on the disk matches its tags" rw read /dev/mapper/ours 4194304 65536
check "the other sectors are as they were" rw compare /dev/mapper/ours 0 small
dm_remove ours

# What the second read has found out is plaintext: it is not kept where writes get their
# pages from. Removing a device has left none there. Of seven pages one is single.

# new_pages CPU - print how many that one write on it takes are not from there
new_pages() {
	trace_start kmem/mm_page_alloc
	taskset -c "$1" rw write /dev/mapper/ours 4194304 four
	trace_stop trace
	grep -c "^ *rw-.*__GFP_HIGHMEM" trace
}
head -c 4096 data > four
for cpu in 0 1; do
	dm_create ours "0 $length inline-crypt $gcm $int 0 1 integrity:28:aead" || bail "no table"
	healed=0
	for _ in $(seq 200); do
		count_io ours rw --scribble read /dev/mapper/ours 0 28672 > /dev/null || break
		healed=$((healed + context))
		[ $healed -lt 6 ] || break
	done
	is_at_least "$healed" 6 "small reads are read again"
	is "$(new_pages $cpu)" 1 "their pages are not for the next write, CPU $cpu"
	[ $cpu = 1 ] || dm_remove ours
done
# A page is kept where the write ended, which may be another CPU than where it began.
new=0
for i in $(seq 8); do
	new=$((new + $(new_pages $((i % 2)))))
done
is_at_least $((8 - new)) 1 "pages of writes are kept for the next write"
dm_remove ours

# --- a driver that answers later; 6.1's self-test of this one complains about itself
if ! kernel_at_least 6.12; then
	skip "asynchronous AEAD" "cryptd for AEADs is broken in this kernel"
elif dm_create ours "0 $length inline-crypt capi:cryptd(gcm_base(ctr(aes-generic),ghash-generic))-random $key 0 $int 0 1 integrity:28:aead" 2> /run/check.out; then
	check "asynchronous AEAD: reads what the other one wrote" count_io ours rw compare /dev/mapper/ours 0 small
	is_at_least "$async" 1 "counted as async"
	check "asynchronous AEAD, verified" fio_verify /dev/mapper/ours --name=x --direct=1 --offset=8M \
		--size=1M --bsrange=512-128k --ioengine=libaio --iodepth=8
	healed=0
	for _ in $(seq 40); do
		count_io ours rw --scribble read /dev/mapper/ours 0 262144 > /dev/null || break
		[ "$context" = 0 ] || healed=1
		[ $healed = 0 ] || break
	done
	is "$healed" 1 "asynchronous AEAD: a second read as well"
	dm_remove ours
	dm_create ours "0 $length inline-crypt capi:cryptd(gcm_base(ctr(aes-generic),ghash-generic))-random $(test_key 32 9) 0 $int 0 1 integrity:28:aead" ||
		bail "no table"
	check_not "asynchronous AEAD: a bad tag" rw read /dev/mapper/ours 0 65536
	like "$(cat /run/check.out)" EILSEQ "is EILSEQ"
	dm_remove ours
	tcw="$(test_key 60) 0 $int 0 1 integrity:16:aead"
	dm_create ours "0 $length inline-crypt capi:cryptd(gcm_base(ctr(aes-generic),ghash-generic))-tcw $tcw" ||
		bail "no table for tcw"
	check "asynchronous AEAD with tcw" count_io ours rw write /dev/mapper/ours 0 small
	is_at_least "$async" 1 "is asynchronous"
	check "asynchronous AEAD with tcw, read" rw compare /dev/mapper/ours 0 small
	dm_remove ours
	dm_create theirs "0 $length crypt capi:gcm(aes)-tcw $tcw" || bail "no dm-crypt"
	check "asynchronous AEAD with tcw: dm-crypt reads it" rw compare /dev/mapper/theirs 0 small
	dm_remove theirs
else
	skip "asynchronous AEAD" "$(cat /run/check.out)"
fi

# --- other formats with a driver that answers later
if dm_create ours "0 16384 inline-crypt capi:cryptd(cbc(aes-generic))-lmk $(for _ in 1 2 3 4 5 6 7 8; do test_key 128; done)$(test_key 16) 0 $loop 0" 2> /run/check.out; then
	check "asynchronous lmk" rw write /dev/mapper/ours 0 small
	dm_remove ours
	dm_create theirs "0 16384 crypt aes:64-cbc-lmk $(for _ in 1 2 3 4 5 6 7 8; do test_key 128; done)$(test_key 16) 0 $loop 0" ||
		bail "no dm-crypt"
	check "asynchronous lmk: dm-crypt reads it" rw compare /dev/mapper/theirs 0 small
	dm_remove theirs
	dm_create ours "0 16384 inline-crypt capi:cryptd(cbc(aes-generic))-tcw $(test_key 64) 0 $loop 0" ||
		bail "no table for tcw"
	check "asynchronous tcw" count_io ours rw write /dev/mapper/ours 0 small
	is_at_least "$async" 1 "is asynchronous"
	check "asynchronous tcw, read" rw compare /dev/mapper/ours 0 small
	dm_remove ours
	dm_create theirs "0 16384 crypt aes-cbc-tcw $(test_key 64) 0 $loop 0" || bail "no dm-crypt"
	check "asynchronous tcw: dm-crypt reads it" rw compare /dev/mapper/theirs 0 small
	dm_remove theirs
else
	skip "asynchronous lmk, tcw" "$(cat /run/check.out)"
fi

# --- suspend and new tables under I/O
line="$gcm $int 0 1 integrity:28:aead"
dm_create ours "0 $length inline-crypt $line" || bail "no table"
busy fio_verify /dev/mapper/ours --direct=1 --bsrange=512-64k --verify_fatal=1 \
	--name=sync --ioengine=psync --size=256k \
	--name=aio --ioengine=libaio --iodepth=8 --offset=4M --size=512k \
	--name=uring --ioengine=io_uring --iodepth=8 --offset=8M --size=512k
to_and_fro() {
	for _ in 1 2 3; do
		for target in crypt inline-crypt; do
			dmsetup suspend ours && dmsetup resume ours &&
				reload ours "0 $length $target $line" || return
		done
	done
}
check "to dm-crypt and back, three times, under I/O" to_and_fro
calm "dm-crypt and back"
dm_remove ours

# --- eboiv, whose IV is made by the cipher, and nothing but a driver that answers later
modprobe icrypt-test-async || bail "no test driver"
for iv in eboiv elephant; do
	text="asynchronous $iv"
	dm_create ours "0 32768 inline-crypt capi:test-async-$iv $(test_key 64) 0 $loop 0 1 sector_size:1024" ||
		bail "no table for $iv"
	dm_create theirs "0 32768 crypt aes-xts-$iv $(test_key 64) 0 $loop 0 1 sector_size:1024" ||
		bail "no dm-crypt"
	check "$text: written" count_io ours rw write /dev/mapper/ours 0 small
	check "$text: dm-crypt reads it" rw compare /dev/mapper/theirs 0 small
	check "$text: read by its task" count_io ours rw compare /dev/mapper/ours 0 small
	is "$nomem" 0 "$text: memory has nothing to do with it"
	for engine in psync libaio io_uring; do
		check "$text: $engine, verified" fio_verify /dev/mapper/ours --name=x --direct=1 --offset=8M \
			--size=2M --bsrange=1k-128k --ioengine=$engine --iodepth=8
	done
	is_at_least "$(counter ours async)" 1 "$text: reads that nobody waited for were done by a worker"
	check "$text: where it must not wait, later" count_io ours rw --buffered compare /dev/mapper/ours 0 small
	is "$nomem" 0 "$text: that is no lack of memory either"
	! rw --nowait write /dev/mapper/ours 0 small 2> out || not_ok "$text: a write that must not wait did"
	like "$(cat out)" "^EAGAIN" "$text: a write that must not wait is refused"
	dm_remove ours
	drop_caches
	check "$text: dm-crypt still reads what there was" rw compare /dev/mapper/theirs 0 small
	dm_remove theirs
done
rmmod icrypt-test-async

# --- a device below that fails: its error, not a bad tag
dm_remove "${int##*/}"
dm_create flaky "0 $(sectors "$loop") linear $loop 0" || bail "no linear"
make_integrity int /dev/mapper/flaky 28 D
dm_create ours "0 16384 inline-crypt $gcm $int 0 1 integrity:28:aead" || bail "no table"
check "a device that will fail is written" rw write /dev/mapper/ours 0 small
dmsetup suspend ours && dmsetup suspend "${int##*/}"
reload flaky "0 $(sectors "$loop") error"
dmsetup resume "${int##*/}" && dmsetup resume ours
check_not "an error below" rw read /dev/mapper/ours 0 65536
like "$(cat /run/check.out)" "^EIO" "is EIO"

# --- and one that goes away under I/O
dm_remove ours && dm_remove "${int##*/}"
reload flaky "0 $(sectors "$loop") linear $loop 0"
make_integrity int /dev/mapper/flaky 28 D
dm_create ours "0 16384 inline-crypt $gcm $int 0 1 integrity:28:aead" || bail "no table"
check "a device that will go away is written" fio --name=x --filename=/dev/mapper/ours --direct=1 --rw=write --bs=64k --size=4M
fio --filename=/dev/mapper/ours --direct=1 --rw=randread --bsrange=4k-64k --size=4M --time_based --runtime=60 \
	--name=sync --ioengine=psync --name=aio --ioengine=libaio --iodepth=8 > fio.out 2>&1 &
pid=$!
check "I/O is going on" await_counter ours r_caller 50
reload flaky "0 $(sectors "$loop") error" --noflush
wait $pid
is_at_least $? 1 "it ends"
like "$(cat fio.out)" "err= 5" "with EIO"
is "$(grep -c 'err=84' fio.out)" 0 "and not for bad tags"
check "all can be removed" dm_remove ours
check "the integrity device can be removed, too" dm_remove "${int##*/}"

# --- the disk's own metadata
if kernel_at_least 6.12; then
	find_nvme disk
	dm_create nvme "0 65536 inline-crypt $gcm $disk 0 2 integrity:28:aead sector_size:4096" ||
		bail "no table on NVMe"
	for engine in psync libaio io_uring; do
		check "NVMe, $engine, verified" fio_verify /dev/mapper/nvme --name=x --direct=1 --size=4M \
			--bsrange=4k-256k --ioengine=$engine --iodepth=8
	done
	is "$(counter nvme context)" 0 "no second reads"
	# NOWAIT, all or nothing. Short memory may refuse it a few times.
	head -c 4096 data > four
	tries=0
	until rw --nowait write /dev/mapper/nvme 12582912 four 2> out; do
		grep -q EAGAIN out || break
		[ $tries -lt 20 ] || break
		tries=$((tries + 1))
	done
	check "NVMe, a write with NOWAIT is there" rw compare /dev/mapper/nvme 12582912 four
	if [ "$(cat "/sys/block/${disk##*/}/queue/io_poll")" = 1 ]; then
		polled="--name=x --ioengine=io_uring --hipri=1 --direct=1 --bs=4k --size=512k --iodepth=4"
		# shellcheck disable=SC2086  # to be split
		check "NVMe, polled, written" count_io nvme timeout 60 fio --filename=/dev/mapper/nvme --rw=randwrite \
			--verify=crc32c --do_verify=0 --verify_state_save=0 $polled
		is "$w_caller $w_wq" "128 0" "by the submitter"
		# shellcheck disable=SC2086  # to be split
		check "NVMe, polled, verified" count_io nvme timeout 60 fio --filename=/dev/mapper/nvme --rw=randwrite \
			--verify=crc32c --verify_only=1 --verify_state_load=0 $polled
		is "$r_caller $r_endio $r_bh $r_wq" "128 0 0 0" "by the poller"
	else
		skip "NVMe, polled" "no poll queues"
	fi
	dm_remove nvme
else
	skip "NVMe metadata" "only dm-integrity has room for tags in this kernel"
fi
