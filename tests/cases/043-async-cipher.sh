# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a cipher driver that answers later, is busy, or fails
# kernels: oldest newest debug
# shellcheck shell=dash disable=SC2154  # make_loop and count_io set variables

modprobe icrypt-test-async || bail "no test driver"
driver=/sys/module/icrypt_test_async/parameters
make_loop loop 16
key=$(test_key 64)
# Never spread nor over budget: a bio goes to a worker because of the driver only.
async_table="0 32768 inline-crypt capi:test-async-plain64 $key 0 $loop 0 2 no_read_workqueue no_write_workqueue"
theirs="0 32768 crypt aes-xts-plain64 $key 0 $loop 0"

modprobe dm-inline-crypt
echo 10000000 > /sys/module/dm_inline_crypt/parameters/bh_budget_us

# set NAME VALUE - a parameter of the driver
set_driver() {
	echo "$2" > "$driver/$1"
}

jobs=$(fio_engines --bsrange=4k-256k)

# right TEXT - data goes through ours and back, and dm-crypt finds the same
right() {
	# shellcheck disable=SC2086  # to be split
	check "$1: ours" count_io ours fio_verify /dev/mapper/ours $jobs
	dm_create theirs "$theirs" || bail "no dm-crypt"
	# shellcheck disable=SC2086  # to be split
	check "$1: dm-crypt" fio_read /dev/mapper/theirs $jobs
	dm_remove theirs
}

jobs="--bsrange=4k-256k $jobs"
dm_create ours "$async_table" || bail "no table with the test driver"

right "every answer comes later"
is_at_least "$async" 1 "counted as async"
# Where another CPU has the answer before the submitter has come back from the
# driver, there is nothing left to wait for, and that one is no fallback.
is_at_least "$async" $((10 * (r_caller + r_endio + r_bh + w_caller))) "nearly all bios are asynchronous" ||
	diag "$r_caller $r_endio $r_bh $w_caller"
is_at_least "$w_wq" 1 "writes"
is_at_least "$r_wq" 1 "reads"
is_at_least "$(cat $driver/inprogress)" 1 "the driver said -EINPROGRESS"
is_at_least "$(cat $driver/busy)" 1 "and -EBUSY"

set_driver async_every 3
right "every third answer comes later"
is_at_least "$async" 1 "counted as async"

set_driver async_every 0
right "every answer comes at once"
is "$async" 0 "none is counted as async"
is "$r_wq $w_wq" "0 0" "and none goes to a worker"

# --- no memory in the driver, now and then
set_driver fail_errno 12
set_driver fail_sync 1
set_driver fail_every 501
right "no memory now and then"
is_at_least "$(cat $driver/failed)" 1 "the driver failed"
is_at_least "$nomem" 1 "a worker tried again"
set_driver async_every 2
right "no memory now and then, and answers that come later"

# --- errors
set_driver fail_every 0
random_file data 1
rw write /dev/mapper/ours 0 data || diag "cannot write"
rw write /dev/mapper/ours 1048576 data || diag "cannot write"

# errors TEXT ERRNO - a read and a write of 1 MiB that meets a failure
errors() {
	set_driver fail_every 1500
	# Twice, because the driver's count starts anywhere
	rw read /dev/mapper/ours 0 1048576 2> error > /dev/null
	a=$?
	like "$(cat error)" "^$2 " "$1, read: the error" || diag "status $a"
	# Buffered: page by page, some are read, none is wrong
	set_driver fail_every 20
	drop_caches
	dd if=/dev/mapper/ours of=read.out bs=4k count=256 2> dd.err
	a=$?
	is "$a $(stat -c %s read.out | sed 's/^1048576$/all/')" "1 $(stat -c %s read.out)" \
		"$1, buffered read: an error, and less than all"
	check "$1, buffered read: the data is right" cmp -n "$(stat -c %s read.out)" data read.out
	set_driver fail_every 1500
	rw write /dev/mapper/ours 1048576 data 2> error
	like "$(cat error)" "^$2 " "$1, write: the error"
	fio_ours libaio read 256k --iodepth=4 --size=1M > fio.out 2>&1
	like "$(cat fio.out)" "error=|err=" "$1, libaio read: the error"
	set_driver fail_every 0
	drop_caches
	check "$1: right again afterwards" cmp -n 1048576 data /dev/mapper/ours
	rw write /dev/mapper/ours 1048576 data
}

set_driver fail_errno 5
for sync in 0 1; do
	set_driver fail_sync $sync
	for every in $((1 - sync)) 2; do
		set_driver async_every $every
		errors "failure (sync $sync, async_every $every)" EIO
	done
done
# The driver may have touched the data, so this cannot be tried again.
set_driver fail_errno 12
set_driver fail_sync 0
set_driver async_every 1
errors "no memory, half way" '(ENOMEM|EIO)'
check "remove" dm_remove ours

# --- a queue that is always full, and is empty again before the submitter is back
rmmod icrypt-test-async
modprobe icrypt-test-async queue_len=0 answer_first=1 || bail "no test driver"
dm_create ours "$async_table" || bail "no table with the test driver"
right "a full queue, and the answer comes first"
is_at_least "$(cat $driver/busy)" 1 "the driver said -EBUSY"
is "$(cat $driver/inprogress)" 0 "and nothing else"
dm_remove ours
