# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# fio.sh - jobs of fio, most of them verified

# fio_ours ENGINE RW BLOCK_SIZE [fio option...] - one direct job on ours
fio_ours() {
	_engine=$1 _rw=$2 _bs=$3
	shift 3
	fio --name=x --filename=/dev/mapper/ours --direct=1 --ioengine="$_engine" --rw="$_rw" \
		--bs="$_bs" "$@"
}

# fio_verify FILE [fio option...] - write checksummed blocks, forget, verify
fio_verify() {
	_file=$1
	shift
	fio_write "$_file" "$@" && fio_read "$_file" "$@"
}

# fio_write FILE [fio option...], fio_read FILE [same options] - the two halves
fio_write() {
	_file=$1
	shift
	fio --filename="$_file" --rw=randwrite --verify=crc32c --do_verify=0 \
		--verify_state_save=0 "$@"
}

fio_read() {
	_file=$1
	shift
	drop_caches
	fio --filename="$_file" --rw=randwrite --verify=crc32c --verify_only=1 \
		--verify_fatal=1 --verify_state_load=0 "$@"
}

# fio_jobs MIB - print fio's options for jobs of all engines, direct and buffered
#
# They run at once, each in a region of its own, of MIB.
fio_jobs() {
	_at=0
	for _engine in psync libaio io_uring; do
		for _direct in 1 0; do
			echo "--name=$_engine-$_direct --ioengine=$_engine --direct=$_direct"
			echo "--iodepth=8 --offset=${_at}M --size=$1M"
			_at=$((_at + $1))
		done
	done
}

# fio_engines [fio option...] - print fio's options for a direct job of each engine, and a buffered one
#
# They run at once, each in a MiB of its own. The options are for the buffered job.
fio_engines() {
	_at=0
	for _engine in psync libaio io_uring; do
		echo "--name=$_engine --ioengine=$_engine --direct=1 --iodepth=8 --offset=${_at}M --size=1M"
		_at=$((_at + 1))
	done
	echo "--name=buffered --ioengine=psync --direct=0 --offset=${_at}M --size=1M $*"
}

# fio_mix [fio option...] - all kinds of I/O on ours, verified
fio_mix() {
	fio --filename=/dev/mapper/ours --rw=randrw --verify=crc32c --verify_fatal=1 \
		--verify_state_save=0 --direct=1 "$@" \
		--name=sync --ioengine=psync --size=1M \
		--name=aio --ioengine=libaio --iodepth=8 --offset=4M --size=1M \
		--name=uring --ioengine=io_uring --iodepth=8 --offset=8M --size=1M \
		--name=buffered --ioengine=psync --direct=0 --offset=12M --size=1M
}

# busy COMMAND... - run it again and again in the background, until calm or it fails
busy() {
	rm -f stop rounds
	(
		while [ ! -e stop ]; do
			echo round >> rounds
			"$@" > fio.out 2>&1 || exit 1
		done
	) &
	_busy=$!
	# A busy host may let others go on for long before it begins.
	while [ ! -e rounds ] && kill -0 $_busy 2> /dev/null; do
		sleep 0.05
	done
}

# calm TEXT - let busy come to its end
calm() {
	touch stop
	check "$1: every block was right" wait "$_busy" || sed 's/^/# /' fio.out
	is_at_least "$(wc -l < rounds)" 1 "$1: there was I/O"
	diag "$(wc -l < rounds) rounds"
}
