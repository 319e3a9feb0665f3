# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: inline-crypt-switch: there and back, its refusals, and no key becomes visible
# kernels: oldest
# shellcheck shell=dash disable=SC2154,SC2086,SC2046  # make_loop sets variables

requires_command inline-crypt-switch
# Its message about cryptsetup
fails="cryptsetup status, refresh, resize, luksSuspend, luksResume and close fail"
# there_and_back NAME TEXT [option...] - and the table is the old one
there_and_back() {
	_name=$1
	_what=$2
	shift 2
	full_table "$_name" > before
	check "$_what: there" switch "$@" "$_name"
	is "$(target "$_name")" inline-crypt "$_what: is inline-crypt"
	check "$_what: usable" usable "$_name"
	check "$_what: back" switch "$@" "$_name"
	full_table "$_name" > after
	is "$(cat after)" "$(cat before)" "$_what: has its old table"
	check "$_what: usable" usable "$_name"
}

make_loop loop 32
size=$(sectors "$loop")
key=$(test_key 64)
random_file data 1

# --- its messages and refusals
check_not "no name" switch
check_not "no such mapping" switch nothing
like "$(cat /run/check.out)" "nothing: no such mapping" "with a message"
dm_create plain "0 $size linear $loop 0"
check_not "not crypt" switch plain
like "$(cat /run/check.out)" "target linear" "with a message"
dm_remove plain
dm_create ours "$(crypt_table crypt "$loop")"
check_not "no third target" switch --to linear ours
check "dry run" switch --dry-run ours
like "$(cat /run/check.out)" "load the module dm-inline-crypt" "says that the module is to be loaded"
like "$(cat /run/check.out)" "ours: would load its table with inline-crypt in place of crypt, and resume" \
	"that the table is"
like "$(cat /run/check.out)" "ours: would check with a temporary mapping whether inline-crypt reads the same data" \
	"that it is tried before"
like "$(cat /run/check.out)" "ours: until it is switched back, $fails" "it names the commands of cryptsetup that fail then"
like "$(cat /run/check.out)" "ours: until then, systemd and cryptsetup-suspend leave it open" "it names the programs that fail without a message"
like "$(cat /run/check.out)" 'ours: until then, "dmsetup remove ours" closes it' "it names the command that closes the device"
check_not "and did not load it" grep -q ^dm_inline_crypt /proc/modules
is "$(target ours)" crypt "the target is the same as before"
check "usable" usable ours
check "a switch to the present target succeeds" switch --to crypt ours
dmsetup suspend ours
check_not "suspended" switch ours
like "$(cat /run/check.out)" "dmsetup resume ours" "with a message"
is "$(dmsetup info -c --noheadings -o suspended ours)" Suspended "and stays so"
dmsetup resume ours
dmsetup reload ours --table "0 $size linear $loop 0"
for to in inline-crypt crypt; do
	check_not "with a second table, to $to" switch --to $to ours
	like "$(cat /run/check.out)" "dmsetup clear ours" "with a message"
done
like "$(dmsetup table --inactive ours)" linear "which stays"
dmsetup clear ours
dm_remove ours
dm_create ours "0 16 crypt aes-xts-plain64 $key 0 $loop 0
16 16 linear $loop 16"
check_not "only partly crypt" switch ours
dm_remove ours

# --- keys in the table
dm_create ours "$(crypt_table crypt "$loop")"
dd if=data of=/dev/mapper/ours bs=64k oflag=direct 2> /dev/null
there_and_back ours "key in the table"
check "path instead of a name" switch /dev/mapper/ours
is "$(target ours)" inline-crypt "switched"
drop_caches
check "the same data" cmp -n 1048576 data /dev/mapper/ours
check "dry run" switch --dry-run ours
like "$(cat /run/check.out)" "would load its table with crypt in place of inline-crypt" "it says which table it would load"
check_not "and nothing of cryptsetup" grep cryptsetup /run/check.out
is "$(target ours)" inline-crypt "the target is the same as before"
check "--to crypt" switch --to crypt ours
check "--to crypt again" switch --to crypt ours
is "$(target ours)" crypt "it is"
dm_remove ours

dm_create ours "$(crypt_table crypt "$loop" allow_discards sector_size:4096 iv_large_sectors)"
there_and_back ours "options"
dm_remove ours
make_crypt ours "$loop"
check "dry run, back" switch --dry-run ours
like "$(cat /run/check.out)" "ours: would set .*/show_keys while it reads the table" "says that keys would be shown"
check_not "and it is no mapping of its own yet" grep -q trial /run/check.out
dm_remove ours
for contexts in "read_context:endio" "allow_discards write_context:caller read_context:caller"; do
	make_crypt ours "$loop" $contexts
	check "back, without $contexts" switch ours
	like "$(full_table ours)" "$key 0 [0-9:]* 0( 1 allow_discards)?\$" "they are gone"
	dm_remove ours
done
dmsetup create --readonly ours --table "0 $size crypt cipher_null-ecb - 0 $loop 0"
there_and_back ours "read-only, no key"
is "$(dmsetup info -c --noheadings -o device_readonly ours 2> /dev/null || blockdev --getro /dev/mapper/ours)" \
	1 "is read-only"
dm_remove ours
dm_create ours "0 1024 crypt aes-xts-plain64 $key 0 $loop 2048
1024 2048 crypt aes-cbc-essiv:sha256 $(test_key 32) 8 $loop 8192 1 sector_size:1024"
there_and_back ours "two lines"
dm_remove ours
is "$(cat /sys/module/dm_inline_crypt/parameters/show_keys)" N "show_keys is off"
echo 1 > /sys/module/dm_inline_crypt/parameters/show_keys
dm_create ours "$(crypt_table crypt "$loop")"
there_and_back ours "with show_keys set"
is "$(cat /sys/module/dm_inline_crypt/parameters/show_keys)" Y "show_keys is still on"
echo 0 > /sys/module/dm_inline_crypt/parameters/show_keys
dm_remove ours

# By hand, as the admin guide has it
dm_create ours "$(crypt_table crypt "$loop")"
check "by hand: load" sh -c "dmsetup table --showkeys ours |
	sed 's/ crypt / inline-crypt /' | /usr/bin/dmsetup load ours"
check "by hand: resume" dmsetup resume ours
is "$(target ours)" inline-crypt "by hand: is inline-crypt"
check "by hand: usable" usable ours
dm_remove ours

# --- keys in a keyring
add_key() { # NAME BYTES
	test_key "$2" | xxd -r -p | keyctl padd user "$1" @u
}
id=$(add_key lab:x 64)
dm_create ours "0 $size crypt aes-xts-plain64 :64:user:lab:x 0 $loop 0"
there_and_back ours "key in a keyring"
keyctl unlink "$id" @u > /dev/null
check_not "key that is gone" switch ours
like "$(cat /run/check.out)" "user:lab:x is in no keyring" "with a message"
like "$(cat /run/check.out)" "\(keyctl padd user lab:x @s\)" "the message says what to do"
check "usable" usable ours
# That helps in a session with a keyring of its own, as after a login, and @u does not.
test_key 64 | xxd -r -p > raw
check_not "the key in @u is not found in a session" keyctl session - sh -c \
	"/usr/bin/keyctl padd user lab:x @u < raw && inline-crypt-switch ours"
like "$(cat /run/check.out)" "user:lab:x is in no keyring" "with a message"
keyctl purge user lab:x > /dev/null
is "$(target ours)" crypt "the target is the same as before"
check "the key in @s is" keyctl session - sh -c \
	"/usr/bin/keyctl padd user lab:x @s < raw && inline-crypt-switch ours"
is "$(target ours)" inline-crypt "is inline-crypt"
check "and on the way back" keyctl session - sh -c \
	"/usr/bin/keyctl padd user lab:x @s < raw && inline-crypt-switch ours"
id=$(add_key lab:x 32)
check_not "key that the target refuses" switch ours
like "$(cat /run/check.out)" "kernel: .*inline-crypt: .*does not have the size" "it shows the message of the kernel"
is "$(target ours)" crypt "the target is the same as before"
check "usable" usable ours
# One with the same name and of the same size, as of another disk
keyctl purge user lab:x > /dev/null
id=$(test_key 64 77 | xxd -r -p | keyctl padd user lab:x @u)
check_not "another key of that name" switch ours
like "$(cat /run/check.out)" "inline-crypt reads different data than crypt .*; the mapping keeps the target crypt\. A key" "with a message"
is "$(target ours)" crypt "the target is the same as before"
is "$(tables ours)" "Active:Live" "and has no second table"
check_not "nor is there a second mapping" dmsetup info inline-crypt-switch-trial
test_key 64 | xxd -r -p | keyctl pupdate "$id"
check "the right one again" switch ours
test_key 64 77 | xxd -r -p | keyctl pupdate "$id"
check_not "another one on the way back" switch ours
like "$(cat /run/check.out)" "crypt reads different data" "with a message"
is "$(target ours)" inline-crypt "the target is the same as before"
dm_remove ours

# Tags that nobody has written yet: nothing to compare
make_integrity int "$loop" 28 D
dm_create ours "0 8192 crypt capi:gcm(aes)-random $(test_key 32) 0 $int 0 1 integrity:28:aead"
check "no block has a valid tag" switch ours
like "$(cat /run/check.out)" "ours: could not be read, so it is unknown whether inline-crypt reads the same data" "says so"
is "$(target ours)" inline-crypt "is inline-crypt"
check "the end is written" rw write /dev/mapper/ours $((8192 * 512 - 1048576)) data
check "back: some have" switch ours
check_not "and are compared" grep -q "could not be read" /run/check.out
is "$(target ours)" crypt "is crypt"
dm_remove ours
dm_remove "${int##*/}"

# --- LUKS2
printf secret > pass
printf wrong > wrong
check "luksFormat" cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 "$loop" pass
for how in --disable-keyring ""; do
	text="LUKS2 ${how:-with keyring}"
	cryptsetup open $how --key-file pass "$loop" luks || not_ok "$text: open"
	check "$text: dry run" switch --dry-run luks
	[ -n "$how" ] || like "$(cat /run/check.out)" "would ask for the passphrase of $loop" "$text: says so"
	check "$text: dry run with a file" switch --dry-run --key-file pass luks
	[ -n "$how" ] || like "$(cat /run/check.out)" "would read the passphrase of $loop from pass" "$text: says so"
	like "$(cat /run/check.out)" "would load its table" "$text: and the rest"
	there_and_back luks "$text" --key-file pass
	check "$text: there" switch --key-file pass luks
	like "$(cat /run/check.out)" "luks: until it is switched back, $fails" "$text: names the commands of cryptsetup that fail"
	like "$(cat /run/check.out)" '"dmsetup remove luks" closes it' "$text: and what does it"
	# As it says, and the manual page
	while read -r status command; do
		cryptsetup $command < /dev/null > out 2>&1
		is "$?, $(cat out)" "$status, " "$text: cryptsetup ${command% --key*} while inline-crypt"
	done <<-END
		1 status luks
		1 refresh luks --key-file pass
		4 resize luks --key-file pass
		4 luksSuspend luks
		4 luksResume luks --key-file pass
		4 close luks
		4 close luks --deferred
		1 reencrypt -q --active-name luks --key-file pass
	END
	is "$(target luks)" inline-crypt "$text: is inline-crypt"
	check "$text: usable" usable luks
	check "$text: luksDump" cryptsetup luksDump "$loop"
	printf another > pass2
	check "$text: luksAddKey" cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--key-file pass "$loop" pass2
	check "$text: luksRemoveKey" cryptsetup luksRemoveKey -q "$loop" pass2
	switch --key-file - luks < pass > /dev/null
	for command in "status luks" "resize luks --key-file pass" "refresh luks --key-file pass" \
		       "luksSuspend luks" "luksResume luks --key-file pass" "close luks"; do
		check "$text: then cryptsetup ${command% --*}" cryptsetup $command
	done
done
cryptsetup open --key-file pass "$loop" luks
check "there" switch --key-file pass luks
check "dmsetup remove" dmsetup remove luks
cryptsetup status luks > out
is "$? $(cat out)" "4 /dev/mapper/luks is inactive." "has closed it, as cryptsetup sees it"

# --- what happens while it waits for the passphrase
mkfifo fifo
# meanwhile TEXT MESSAGE COMMAND... - COMMAND is run then, and the switch refused
meanwhile() {
	cryptsetup open --key-file pass "$loop" luks || not_ok "$1: open"
	inline-crypt-switch --key-file fifo luks > out 2>&1 &
	_pid=$!
	# Waits until it reads from there
	exec 9> fifo
	_text=$1
	_message=$2
	shift 2
	"$@" || not_ok "$_text: cannot"
	cat pass >&9
	exec 9>&-
	check_not "$_text meanwhile" wait $_pid
	like "$(cat out)" "$_message" "with a message"
}
reopen() {
	dmsetup remove luks && dm_create luks "0 1024 crypt aes-xts-plain64 $key 0 $loop 4096"
}
meanwhile "suspended" "dmsetup resume luks" dmsetup suspend luks
is "$(dmsetup info -c --noheadings -o suspended luks)" Suspended "it stays so"
dmsetup resume luks
check "usable" usable luks
dmsetup remove luks
meanwhile "a second table" "dmsetup clear luks" dmsetup reload luks --table "0 $size linear $loop 0"
like "$(dmsetup table --inactive luks)" linear "which stays"
dmsetup remove luks
meanwhile "closed" "closed in the meantime" dmsetup remove luks
meanwhile "closed, and the name taken" "changed in the meantime" reopen
is "$(target luks)" crypt "the target is the same as before"
dmsetup remove luks
meanwhile "resized" "changed in the meantime" cryptsetup resize --size 8192 luks --key-file pass
is "$(target luks)" crypt "the target is the same as before"
cryptsetup close luks

# locked PID - print which of its heap and stack is not swapped
locked() {
	awk '/^[0-9a-f]+-/ { name = $6 } /^VmFlags:.* lo/ { print name }' "/proc/$1/smaps" |
		grep -E '^\[(heap|stack)\]$' | sort -u | paste -sd ' '
}
cryptsetup open --key-file pass "$loop" luks
inline-crypt-switch --key-file fifo luks > out 2>&1 &
pid=$!
exec 9> fifo
is "$(locked $pid)" "[heap] [stack]" "while it waits for the passphrase, its memory is not swapped"
cat pass >&9
exec 9>&-
check "it gets it, and goes on" wait $pid
is "$(target luks)" inline-crypt "is inline-crypt"
dmsetup remove luks

cryptsetup open --key-file pass "$loop" luks
check_not "wrong passphrase" switch --key-file wrong luks
check_not "wrong header" switch --header "$loop.none" --key-file pass luks
check_not "no terminal" setsid inline-crypt-switch luks
like "$(cat /run/check.out)" "use --key-file" "with a message"
is "$(target luks)" crypt "the target is the same as before"
# asks N - wait until the tool has asked N times on a terminal, and reads: what is typed
# between the two goes when it stops the echo
asks() {
	for _ in $(seq 600); do
		if [ "$(grep -o "Passphrase of" screen | wc -l)" -ge "$1" ]; then
			for _p in $(pidof inline-crypt-switch); do
				! grep -qs n_tty_read "/proc/$_p/stack" || return 0
			done
		fi
		sleep 0.1
	done
}
# answer TEXT... - the tool on a terminal, with these lines typed as they are asked for
answer() {
	: > screen
	for _line; do
		_n=$((${_n:-0} + 1))
		asks $_n
		printf '%s' "$_line"
	done | script -qefc "${run:-inline-crypt-switch} luks" screen > /dev/null
}
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts 2> /dev/null
run="strace -o asked -e trace=rt_sigprocmask,ioctl inline-crypt-switch"
check "asks on the terminal, twice if need be" answer "wrong
" "secret
"
run=
is "$(sed -n -e 's/.*rt_sigprocmask(SIG_BLOCK, \[HUP INT QUIT TERM TSTP\].*/hold/p' \
	-e 's/.*rt_sigprocmask(SIG_SETMASK, \[\].*/release/p' -e 's/.*TCSETSF.*/set/p' asked |
	sed -n '/hold/,$p' | paste -sd ' ')" \
	"hold set set release hold set set release" "while the terminal does not echo, signals are held"
is "$(target luks)" inline-crypt "is inline-crypt"
check_not "does not echo" grep -Eq "wrong|secret" screen
check_not "^C is no answer" answer "$(printf 'sec\003')"
is "$(target luks)" inline-crypt "the target is the same as before"

# What ends it while it asks has to wait until the terminal echoes again. (SIGINT is
# ignored here, as in all that a shell without job control starts in the background.)
: > screen
{
	asks 1
	kill -TERM $(pidof inline-crypt-switch | tr ' ' '\n' | sort -n | head -n 1)
	sleep 0.3
	printf 'wrong\n'
	for _ in $(seq 600); do
		[ ! -s tty ] || break
		sleep 0.1
	done
} | script -qefc "inline-crypt-switch luks; stty -a > tty" screen > /dev/null
like "$(cat tty)" '(^| )echo( |$)' "SIGTERM while it asks: then the terminal echoes"
like "$(cat tty)" '(^| )isig( |$)' "and has its ^C"
is "$(target luks)" inline-crypt "the target is the same as before"

# As long as cryptsetup takes one
head -c 512 /dev/zero | tr '\0' p > long
cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file pass "$loop" long
check_not "a passphrase of 513 bytes" answer "$(cat long)p
"
like "$(cat screen)" "at most 512 bytes" "with a message"
check "a passphrase of 512 bytes" answer "$(cat long)
"
is "$(target luks)" crypt "is crypt"
dmsetup remove luks

# --- cryptsetup reencrypt of a mapping that it does not know
make_loop small 6
check "luksFormat, small" luks_format "$small" --type luks2 --luks2-keyslots-size 1M
cs open --key-file pass "$small" luks
rw write /dev/mapper/luks 0 data
switch --key-file pass luks > /dev/null
reencrypt() {
	cs reencrypt --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$@" "$small"
}
reencrypt > out 2>&1
is $? 1 "reencrypt while inline-crypt"
check_not "leaves the header alone" sh -c "cryptsetup luksDump $small | grep reencrypt"
check "and the data" rw compare /dev/mapper/luks 0 data
reencrypt --force-offline-reencrypt > out 2>&1
is $? 5 "reencrypt --force-offline-reencrypt while inline-crypt"
check "has begun it in the header" sh -c "cryptsetup luksDump $small | grep reencrypt"
drop_caches
check "leaves the data alone" rw compare /dev/mapper/luks 0 data
check "back" switch --key-file pass luks
check "and to its end" reencrypt --resume-only
check_not "it is" sh -c "cryptsetup luksDump $small | grep reencrypt"
drop_caches
check "the same data" rw compare /dev/mapper/luks 0 data
cs close luks
cs open --key-file pass "$small" luks
check "and with the new key" rw compare /dev/mapper/luks 0 data
cs close luks

# A detached header
truncate -s 16M header
check "luksFormat, detached" cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 --header header "$loop" pass
cryptsetup open --header header --key-file pass "$loop" luks
for dry in "" --dry-run; do
	check_not "detached header without --header $dry" switch $dry --key-file pass luks
	like "$(cat /run/check.out)" "name its device with --header" "with a message"
done
there_and_back luks "detached header" --header header --key-file pass
dm_remove luks

# --- nobody sees a key
#
# hex - standard input as hex digits, all in one line
hex() {
	xxd -p | tr -d '\n'
}
# spelt HEX - as strace prints these bytes
spelt() {
	echo "$1" | sed 's/../\\x&/g'
}
calls=execve,execveat,%file,%network,memfd_create,mlockall,rt_sigprocmask
calls=$calls,write,writev,pwrite64,pwritev,pwritev2,vmsplice
# spied NAME [option...] - a switch; "trace" has the calls that could hand a secret on
spied() {
	strace -f -xx -s 65536 -o trace -e trace="$calls" inline-crypt-switch "$@" > out 2>&1
	# One line, whatever is in them; in the other, what separates hex digits is gone.
	hex < out > said
	dmesg | hex > log
	dmesg | tr -d '\n :-' > digits
}
# seen HEX - where in what spied() saw it is, raw or as digits: its begin or its end
seen() {
	for _part in $(echo "$1" | sed 's/^\(.\{16\}\).*\(.\{16\}\)$/\1 \2/'); do
		for _form in "$_part" $(printf %s "$_part" | hex) $(printf %s "$_part" | tr a-f A-F | hex); do
			! grep -qF "$(spelt "$_form")" trace || echo "call"
			! grep -q "$_form" said || echo "message"
			! grep -q "$_form" log || echo "log"
		done
		! grep -qi "$_part" digits || echo "digits in the log"
	done | sort | uniq -c | tr -s ' \n' ' '
}
# keeps_secrets TEXT FILES - no other program, and no file but those whose names match FILES
keeps_secrets() {
	is "$(grep -c execve trace)" 1 "$1: starts no program"
	check_not "$1: no new file" sh -c "grep -E 'O_CREAT|O_TMPFILE|creat\(|memfd_create|mknod' trace |
		grep -v '\"$2'"
}

dm_create ours "$(crypt_table crypt "$loop")"
for text in "key in the table: there" "key in the table: back"; do
	spied ours
	keeps_secrets "$text" none
	check "$text: memory is locked" grep -Eq 'mlockall(\(MCL_CURRENT\|MCL_FUTURE| resumed>)\) *= 0' trace
	is "$(seen "$key")" "" "$text: no key in a call, a message, the kernel log"
done
is "$(target ours)" crypt "there and back"
# While the parameter is set, nothing may stop it. 59 and 4e are Y and N.
is "$(sed -n -e 's/.*rt_sigprocmask(SIG_BLOCK, \[HUP INT QUIT TERM TSTP\].*/hold/p' \
	-e 's/.*rt_sigprocmask(SIG_SETMASK, \[\].*/release/p' \
	-e 's/.* write([0-9]*, "\\x\(59\|4e\)", 1\()\| <unfinished\).*/\1/p' trace | paste -sd ' ')" \
	"release hold 59 4e release" "show_keys is set as long as signals are held, and no longer"
dm_remove ours

# Bytes that are not text, and a passphrase that is nowhere else
volume_key=$(test_key 64 162)
echo "$volume_key" | xxd -r -p > volume-key
printf 'a passphrase that nobody may see' > pass
check "luksFormat, known key" luks_format "$loop" --type luks2 --volume-key-file volume-key
for how in --disable-keyring ""; do
	cs open $how --key-file pass "$loop" luks
	for way in there back; do
		text="LUKS2 ${how:-with keyring}: $way"
		spied --key-file pass luks
		# Of libcryptsetup, and empty: the lock of a device, L_<major>:<minor>
		keeps_secrets "$text" '\\x4c\\x5f\\x37\\x3a'
		is "$(seen "$volume_key")" "" "$text: no volume key in a call, a message, the kernel log"
		is "$(seen "$(hex < pass)")" "" "$text: nor a passphrase"
		[ -n "$how" ] || check "$text: read the passphrase" grep -F "\"$(spelt "$(printf pass | hex)")\", O_RDONLY" trace
	done
	is "$(target luks)" crypt "LUKS2 ${how:-with keyring}: there and back"
	cs close luks
done
