# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
#
# matrix.sh - run the workloads of matrix.txt on a device; cells.sh comes first
#
# Set by whoever sources it:
#
#   bench_dir      where matrix.txt is
#   CELLS          extended regular expression, which cells to run
#   ROUNDS         how often, by the clock
#   RUNTIME        how long each, by the clock: 500ms, 3s
#   VARIANTS       which targets, if not all
#
# Output: "# RESULT " and a JSON object a line. Its "kind" is plan (how many will
# follow), machine, cell, cipher or cyclictest.

bench_variants=${VARIANTS:-linear crypt crypt-nowq crypt-samecpu inline-crypt}
bench_failed=0

bench_result() {
	echo "# RESULT $*"
}

# bench_rows LAB - print the matrix's rows of a lab that match CELLS
bench_rows() {
	awk -v lab="$1" -v cells="${CELLS:-.}" '
		$1 == "cipher" { name[++n] = $2 }
		$1 == lab { row[++m] = $0; cell[m] = $2 }
		END {
			for (i = 1; lab == "ciphers" && i <= n; i++)
				for (j = 1; j <= m; j++) {
					$0 = row[j]
					$2 = name[i] "-" cell[j]
					$9 = name[i]
					if ($2 ~ cells)
						print
				}
			for (j = 1; lab != "ciphers" && j <= m; j++)
				if (cell[j] ~ cells)
					print row[j]
		}' "$bench_dir/matrix.txt"
}

# bench_cipher_line NAME - print a cipher's spec, bytes of its key, integrity option
bench_cipher_line() {
	awk -v name="$1" '$1 == "cipher" && $2 == name { print $3, $4, $5 }' "$bench_dir/matrix.txt"
}

# bench_ciphers - print "KIB SECTOR" of all counted cells, each once
bench_ciphers() {
	bench_rows icount | awk '{ print $3, $8 }' | sort -un -k 1,1 -k 2,2
}

bench_machine() {
	bench_result "$(jq -cn --arg lab "$1" --arg release "$(uname -r)" --arg cpus "$(nproc)" \
		--arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--arg hypervisor "$(grep -qw hypervisor /proc/cpuinfo && echo yes)" '{
		kind: "machine", lab: $lab, release: $release, cpus: ($cpus | tonumber),
		cpu: $cpu, virtual: ($hypervisor == "yes") }')"
}

bench_plan() {
	bench_result "{\"kind\":\"plan\",\"measurements\":$1}"
}

# bench_fill DEVICE - write it all, so that no read finds a hole
bench_fill() {
	dd if=/dev/zero of="$1" bs=1M oflag=direct conv=notrunc 2>/dev/null || :
}

# bench_measure LAB DEVICE_NAME DEVICE ROUND VARIANT ROW - one measurement
#
# With a mapping of its own, so that none starts with the experience of another.
bench_measure() {
	_lab=$1 _name=$2 _below=$3 _round=$4 _variant=$5
	# shellcheck disable=SC2086  # to be split
	set -- $6
	_row_cell=$2 _kib=$3 _rw=$4 _engine=$5 _depth=$6 _jobs=$7 _sector=$8 _kind=$9
	shift 9
	_ios=$1

	bench_table "$_variant" "$_below" "$_sector" "$BENCH_SECTORS" |
		dmsetup create "$bench_prefix-$_variant" || return
	_file=/dev/mapper/$bench_prefix-$_variant
	set --
	case $_kind in
	ext4)
		mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
			-U 00000000-0000-4000-8000-000000000000 "$_file" &&
		mkdir -p "$bench_tmp/mnt" && mount -t ext4 "$_file" "$bench_tmp/mnt" &&
		dd if=/dev/zero of="$bench_tmp/mnt/file" bs=1M count=16 oflag=direct 2>/dev/null ||
			return
		sync
		_file=$bench_tmp/mnt/file ;;
	buffered)
		sync
		echo 3 > /proc/sys/vm/drop_caches
		set -- --direct=0 --end_fsync=1 ;;
	esac
	case $_ios in
	-) set -- "$@" --time_based --runtime="$RUNTIME" --numjobs="$_jobs" ;;
	*) set -- "$@" --io_size="$((_ios * _kib))k" ;;
	esac

	_line=$(bench_cell "$(printf '{"kind":"cell","lab":"%s","device":"%s","cell":"%s","variant":"%s","round":%d,"kib":%d,"sector":%d}' \
		"$_lab" "$_name" "$_row_cell" "$_variant" "$_round" "$_kib" "$_sector")" \
		"$_file" "$_kib" "$_rw" "$_engine" "$_depth" "$@")
	_status=$?
	[ "$_kind" != ext4 ] || umount "$bench_tmp/mnt" || return
	dmsetup remove --retry "$bench_prefix-$_variant" || return
	[ $_status = 0 ] || return
	bench_result "$_line"
}

# bench_clean_up - take down whatever a measurement that failed left behind
bench_clean_up() {
	umount "$bench_tmp/mnt"
	for _variant in $bench_variants linear-again; do
		dmsetup remove --retry "$bench_prefix-$_variant"
	done
} 2>/dev/null

# bench_try WHAT COMMAND... - a failure is said and counted, and the rest goes on
bench_try() {
	_label=$1
	shift
	"$@" || {
		echo "# FAILED $_label"
		bench_failed=$((bench_failed + 1))
		bench_clean_up
	}
}

# bench_counted LAB NAME DEVICE [KIND] - the cells that are counted, once
bench_counted() {
	bench_rows "$1" | awk -v kind="${4:-}" 'kind == "" || $9 == kind' > "$bench_tmp/rows"
	while read -r _row <&4; do
		for _each in $bench_variants; do
			bench_try "$2 $_each $_row" bench_measure "$1" "$2" "$3" 1 "$_each" "$_row"
		done
	done 4< "$bench_tmp/rows"
}

# bench_timed LAB NAME DEVICE - the cells by the clock
#
# In rounds and variants in turn, so that what the machine is busy with meanwhile
# hits all of them; linear twice, to see how much that is. Every second round
# goes backwards: nobody always comes after the same neighbour.
bench_timed() {
	_order="$bench_variants linear-again"
	_reverse='linear-again inline-crypt crypt-samecpu crypt-nowq crypt linear'
	bench_rows wall > "$bench_tmp/rows"
	_n=1
	while [ $_n -le "$ROUNDS" ]; do
		while read -r _row <&4; do
			for _each in $_order; do
				bench_try "$2 $_each $_row" \
					bench_measure "$1" "$2" "$3" $_n "$_each" "$_row"
			done
		done 4< "$bench_tmp/rows"
		_was=$_order
		_order=$_reverse
		_reverse=$_was
		_n=$((_n + 1))
	done
}

# bench_cipher KIB SECTOR - time the cipher alone, by tests/modules/icrypt-limit.c
bench_cipher() {
	for _write in 0 1; do
		modprobe icrypt-limit bytes=$(($1 * 1024)) sector_size="$2" write=$_write \
			iterations=$((16384 / $1 < 1000 ? 16384 / $1 : 1000)) || return
		_limit=/sys/module/icrypt_limit/parameters
		bench_result "$(printf '{"kind":"cipher","kib":%d,"sector":%d,"write":%d,"ns":%d,"driver":"%s"}' \
			"$1" "$2" $_write "$(cat $_limit/ns_per_io)" "$(cat $_limit/driver)")"
		rmmod icrypt-limit || return
	done
}

# bench_latency NAME DEVICE VARIANT RW - who else wants the CPU, how long do they wait?
bench_latency() {
	bench_table "$3" "$2" | dmsetup create "$bench_prefix-$3" || return
	fio --name=beside --thread --filename="/dev/mapper/$bench_prefix-$3" --direct=1 \
		--rw="$4" --bs=128k --ioengine=libaio --iodepth=8 --time_based --runtime=600 \
		> "$bench_tmp/fio.out" 2>&1 &
	_fio=$!
	sleep 0.5
	cyclictest -p80 -i1000 -m -q -N -l "$CYCLES" > "$bench_tmp/cyclictest.out"
	_alive=1
	kill -INT $_fio || _alive=
	wait $_fio
	dmsetup remove --retry "$bench_prefix-$3" || return
	[ -n "$_alive" ] || return
	# T: 0 (  123) P:80 I:1000 C:   2000 Min:   1000 Act:  2000 Avg:  3000 Max:  4000
	_line=$(sed -n 's/.* C: *\([0-9]*\) Min: *\([0-9]*\) .*Avg: *\([0-9]*\) Max: *\([0-9]*\).*/{"samples":\1,"min_ns":\2,"mean_ns":\3,"worst_ns":\4}/p' \
		"$bench_tmp/cyclictest.out")
	[ -n "$_line" ] || return
	bench_result "{\"kind\":\"cyclictest\",\"device\":\"$1\",\"rw\":\"$4\",\"variant\":\"$3\",${_line#?}"
}
