# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: table lines and messages by the thousand, right and wrong: each gets an answer, what is accepted comes back, no key is in the log
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

# make check-fuzz sends more, by the kernel's command line
lab() {
	_value=$(sed -n "s/.*\blab\.$1=\([^ ]*\).*/\1/p" /proc/cmdline)
	echo "${_value:-$2}"
}
lines=$(lab lines 4000)
seconds=$(lab seconds 14)
seed=$(lab seed 1)

corpus=/with/corpus
[ -e $corpus ] || skip_all "no /with/corpus: start it by make case"

make_loop loop 8
make_loop plain 8 4096
make_integrity tags28 "$plain" 28 D 4096
make_loop plain2 8
make_integrity tags48 "$plain2" 48 D
modprobe dm-inline-crypt || bail "no module"

# A name that the crypto API does not know makes it start modprobe, which takes long.
modprobe -a xts cbc ecb ctr lrw pcbc cts gcm ccm essiv authenc hmac cmac adiantum hctr2 \
	chacha20poly1305 aegis128 cryptd pcrypt serpent_generic twofish_generic camellia_generic \
	blowfish_generic cast5_generic cast6_generic anubis des_generic crypto_null md5 sha256 \
	sha512 sha3_generic encrypted-keys 2> /dev/null
before=$(cat /proc/sys/kernel/modprobe)
trap 'echo "$before" > /proc/sys/kernel/modprobe' EXIT
echo > /proc/sys/kernel/modprobe
# A table that goes waits for RCU several times.
echo 1 > /sys/kernel/rcu_expedited
for i in 1 2; do
	head -c 64 /dev/zero | tr '\0' k | keyctl padd logon lab:fuzz$i @s > /dev/null
	head -c 32 /dev/zero | tr '\0' k | keyctl padd user fuzz$i @s > /dev/null
done

# fuzz TEXT LINES SEED [--fail] - by four at once, each with a device and lines of its own
fuzz() {
	_each=$(($2 / 4))
	_jobs=
	for _job in 1 2 3 4; do
		tablefuzz --name "fuzz$_job" --seconds "$seconds" --corpus $corpus \
			--lines $_each --seed $(($3 * 4 + _job)) ${4:+"$4"} "$loop" \
			/dev/mapper/integrity0 /dev/mapper/integrity1 > "out$_job" 2>&1 &
		_jobs="$_jobs $!"
	done
	_failed=0
	for _job in $_jobs; do
		wait "$_job" || _failed=$((_failed + 1))
	done
	is $_failed 0 "$1: answers as they may be" ||
		grep -h . out[1-4] | head -n 25 | cut -c 1-400 | sed 's/^/# /'
	# shellcheck disable=SC2046  # to be split
	set -- "$1" "$2" "$3" $(grep -h '^lines ' out[1-4] | awk '
		{ for (i = 2; i <= 14; i += 2) n[i] += $i }
		END { for (i = 2; i <= 14; i += 2) print n[i] + 0 }')
	diag "$1, seed $3: lines $4 accepted $5 live $6 messages $7 taken $8 I/Os $9"
	total=$((total + $4))
	n_lines=$4 n_accepted=$5 n_live=$6 n_io=$9
}

total=0
fuzz "as it is" "$lines" "$seed"
is_at_least "$n_accepted" $((n_lines / 50)) "enough of them are accepted"
is_at_least "$n_live" 1 "some go live"
is_at_least "$n_io" 1 "and are read and written"

if have_kernel_config FAILSLAB && have_kernel_config FAULT_INJECTION_DEBUG_FS; then
	arm_faults marked all failslab fail_page_alloc
	# The kernel itself leaks the name of a slab cache if allocations fail in there.
	for fault in failslab fail_page_alloc; do
		fault=$debugfs/$fault
		if [ -e "$fault/reject-start" ]; then
			leaky=$(sed -n 's/^\([0-9a-f]*\) t sysfs_slab_add$/\1/p' /proc/kallsyms)
			printf '0x%x' $((0x${leaky:-0})) > "$fault/reject-start"
			printf '0x%x' $((0x${leaky:-0} + 0x300)) > "$fault/reject-end"
		fi
	done
	fail_percent 3 failslab fail_page_alloc
	fuzz "allocations fail" $((lines / 2)) $((seed + 1)) --fail
	fail_percent 0 failslab fail_page_alloc
fi
diag "$total lines"
is "$(dmesg | grep -cE '(d1cc){4}')" 0 "no key is in the log"
check "the module is as before" make_crypt ours "$loop"
random_file data 1
check "and its devices are" rw write /dev/mapper/ours 0 data
check "too" rw compare /dev/mapper/ours 0 data
