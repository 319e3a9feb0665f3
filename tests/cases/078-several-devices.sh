# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: one request over several encrypted devices, and over device and container at once
# kernels: newest
# shellcheck shell=dash disable=SC2154,SC2086  # make_loop and friends set variables

random_file data 8
jobs=$(fio_engines)

# works TEXT DEVICE TOP... - data right on DEVICE; TOPs are of ours
works() {
	text=$1
	dev=$2
	check "$text: 8 MiB written" rw write "$dev" 0 data
	check "$text: 8 MiB read" rw compare "$dev" 0 data
	head -c 65536 data > part
	check "$text: 64 KiB read" rw compare "$dev" 0 part
	check "$text: fio" fio_verify "$dev" --bsrange=4k-512k $jobs
}

for kind in loop null_blk; do
	for i in 1 2 3; do
		case $kind in
		loop) make_loop dev$i 16 ;;
		null_blk) make_null_blk dev$i memory_backed=1 size=16 irqmode=2 completion_nsec=20000 ;;
		esac
		eval "make_crypt crypt$i \$dev$i"
	done

	dm_create top "0 20480 linear /dev/mapper/crypt1 0
20480 20480 linear /dev/mapper/crypt2 0" || bail "no linear"
	works "$kind, one behind the other" /dev/mapper/top
	dm_remove top

	dm_create top "0 49152 striped 3 128 /dev/mapper/crypt1 0 /dev/mapper/crypt2 0 /dev/mapper/crypt3 0" ||
		bail "no stripes"
	works "$kind, stripes" /dev/mapper/top
	dm_remove top

	# A device with read_context:caller gets no help, even while its neighbour gets some
	dm_remove crypt2
	eval "make_crypt crypt2 \$dev2 read_context:caller"
	dm_create top "0 32768 striped 2 2048 /dev/mapper/crypt1 0 /dev/mapper/crypt2 0" || bail "no stripes"
	check "$kind, stripes, one of them without helpers: 8 MiB written" rw write /dev/mapper/top 0 data
	helped=0
	shared=$(counter crypt2 spread)
	# At least 20 times, and until another CPU had nothing else to do
	for _try in $(seq 80); do
		count_io crypt1 rw compare /dev/mapper/top 0 data || not_ok "$kind: and read"
		helped=$((helped + r_wq))
		[ "$_try" -lt 20 ] || [ $helped = 0 ] || break
	done
	# The workers of loop copy meanwhile, and may have all CPUs: they do on 7.3.
	if [ $kind = loop ]; then
		needs_idle_cpu $helped "$kind: a worker helped with the first one's reads" \
			"the device below left no CPU idle"
	else
		is_at_least $helped 1 "$kind: a worker helped with the first one's reads"
	fi
	# r_wq counts the bios that the reader's sleep leaves to a worker, too.
	is "$(counter crypt2 spread)" "$shared" "$kind: no worker helped with the reads of the device that allows none"
	dm_remove top

	# A over B, and over the device of B beside it: reads of A that go directly
	# there end up behind those that need B first.
	dm_remove crypt3
	eval "lower=\$dev3"
	dm_create crypt3 "0 16384 inline-crypt aes-xts-plain64 $(test_key 64) 0 $lower 0" || bail "no B"
	dm_create mixed "0 64 linear /dev/mapper/crypt3 0
64 64 linear $lower 16384
128 8192 linear /dev/mapper/crypt3 64
8320 8192 linear $lower 16448" || bail "no mix"
	dm_create top "0 16512 inline-crypt aes-xts-plain64 $(test_key 64 100) 0 /dev/mapper/mixed 0" ||
		bail "no A"
	works "$kind, over itself and the device below" /dev/mapper/top
	for i in top mixed crypt3 crypt2 crypt1; do
		dm_remove $i
	done
done
