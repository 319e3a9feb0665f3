# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: suspend, resume and new tables under I/O: not a byte is lost
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop sets variables

make_loop loop 16
make_crypt ours "$loop"

# busy - verified I/O, again and again until there is a file "stop"
busy() {
	rm -f stop rounds
	(
		while [ ! -e stop ]; do
			echo round >> rounds
			fio --filename=/dev/mapper/ours --rw=randrw --verify=crc32c --verify_fatal=1 \
				--verify_state_save=0 --bsrange=512-64k --direct=1 \
				--name=sync --ioengine=psync --size=512k \
				--name=aio --ioengine=libaio --iodepth=8 --offset=4M --size=1M \
				--name=uring --ioengine=io_uring --iodepth=8 --offset=8M --size=1M \
				--name=buffered --ioengine=psync --direct=0 --offset=12M --size=1M \
				> fio.out 2>&1 || exit 1
		done
	) &
	worker=$!
}

# calm TEXT - let busy come to its end
calm() {
	touch stop
	check "$1: every block was right" wait $worker || sed 's/^/# /' fio.out
	is_at_least "$(wc -l < rounds)" 1 "$1: there was I/O"
}

# repeat N COMMAND... - stop at the first failure
repeat() {
	_n=$1
	shift
	while [ $_n -gt 0 ]; do
		"$@" || return
		_n=$((_n - 1))
	done
}

cycle() {
	dmsetup suspend "$@" ours && dmsetup resume ours
}

busy
check "20 times suspend and resume" repeat 20 cycle
check "20 times suspend --noflush and resume" repeat 20 cycle --noflush
calm "suspend"

busy
check "20 times the same table" repeat 20 reload ours "$(crypt_table inline-crypt "$loop")"
check "and --noflush" repeat 10 reload ours "$(crypt_table inline-crypt "$loop")" --noflush
calm "reload"

to_and_fro() {
	reload ours "$(crypt_table crypt "$loop")" && reload ours "$(crypt_table inline-crypt "$loop")"
}
busy
check "5 times to dm-crypt and back" repeat 5 to_and_fro
calm "dm-crypt and back"

contexts() {
	for want in caller:auto endio:workqueue workqueue:caller auto:auto; do
		reload ours "$(crypt_table inline-crypt "$loop" read_context:${want%:*} \
			write_context:${want#*:})" || return
	done
}
busy
check "3 times through the contexts" repeat 3 contexts
calm "contexts"

# A suspended device holds I/O back, and lets it go
dmsetup suspend ours
rw read /dev/mapper/ours 0 4096 > back 2> error &
reader=$!
sleep 0.3
check "a reader waits for the resume" kill -0 $reader
dmsetup resume ours
check "and gets its data" wait $reader
is "$(stat -c %s back)" 4096 "all of it"
