# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: suspend, resume and new tables under I/O: not a byte is lost
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop sets variables

make_loop loop 16
make_crypt ours "$loop"

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

busy fio_mix --bsrange=512-64k
check "20 times suspend and resume" repeat 20 cycle
check "20 times suspend --noflush and resume" repeat 20 cycle --noflush
calm "suspend"

busy fio_mix --bsrange=512-64k
check "20 times the same table" repeat 20 reload ours "$(crypt_table inline-crypt "$loop")"
check "and --noflush" repeat 10 reload ours "$(crypt_table inline-crypt "$loop")" --noflush
calm "reload"

to_and_fro() {
	reload ours "$(crypt_table crypt "$loop")" && reload ours "$(crypt_table inline-crypt "$loop")"
}
busy fio_mix --bsrange=512-64k
check "5 times to dm-crypt and back" repeat 5 to_and_fro
calm "dm-crypt and back"

contexts() {
	for want in caller:auto endio:workqueue workqueue:caller auto:auto; do
		reload ours "$(crypt_table inline-crypt "$loop" read_context:${want%:*} \
			write_context:${want#*:})" || return
	done
}
busy fio_mix --bsrange=512-64k
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
