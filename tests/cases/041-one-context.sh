# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: an asynchronous read is decrypted and its iocb completed in one context
# kernels: all
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

requires_kernel_config KPROBE_EVENTS

# one_context ENGINE FUNCTION TEXT - the function that completes ENGINE's iocb is
# called right after decrypt: by the same task, on the same CPU, in the same kind
# of context
one_context() {
	echo "p:lab/iocb $2" > $tracing/kprobe_events || {
		skip "$3" "no $2 to probe"
		return
	}
	trace_start dm_inline_crypt/decrypt lab/iocb
	fio_ours "$1" randread 4k --size=256k --iodepth=4 > /dev/null || diag "fio failed"
	trace_stop trace
	echo > $tracing/kprobe_events

	# task-pid [cpu] flags time: event: ..., flags: irqs off, need resched,
	# hardirq or softirq, preempt depth
	# A task that is preempted between the two is still one context, though
	# others run in between and it may come back on another CPU.
	awk '
		function context() {
			kind = substr($3, 3, 1)
			return kind == "." ? $1 : $1 " " $2 " " kind
		}
		$5 == "decrypt:" {
			decrypts++
			open[context()] = 1
		}
		$5 == "iocb:" {
			iocbs++
			same += open[context()]
			open[context()] = 0
		}
		END { print decrypts + 0, iocbs + 0, same + 0 }
	' trace > sums
	is "$(cat sums)" "64 64 64" "$3: decrypts, completions, in one context" ||
		grep -v '^#' trace | head -n 30 | sed 's/^/# /'
}

# both ENGINES' iocbs, on a device set up as "ours"
both_engines() {
	one_context libaio aio_complete_rw "$1, aio"
	one_context io_uring io_complete_rw "$1, io_uring"
}

make_loop loop 16
make_crypt ours "$loop"
both_engines loop
dm_remove ours

make_null_blk null memory_backed=1 size=16 irqmode=2 completion_nsec=10000
make_crypt ours "$null"
both_engines "null_blk, hardirq"
dm_remove ours

make_brd ram 16
make_crypt ours "$ram"
both_engines brd
dm_remove ours
