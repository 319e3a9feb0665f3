# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: a key in the place of another word gets neither into the kernel log nor to modprobe
# kernels: newest
# shellcheck shell=dash disable=SC2154  # make_loop and friends set variables

make_loop loop 8
modprobe dm-inline-crypt || bail "no module"
key=$(test_key 16 144)
digits=81828384858687889182838485868788
log=/tmp/log
asked=/tmp/asked
have_crypt=
! modprobe dm-crypt 2> /dev/null || have_crypt=1

# The modules of the good lines are loaded. From now on modprobe only records its arguments.
dm_create good "0 16384 inline-crypt aes-cbc-plain64 $key 0 $loop 0" || bail "no cbc(aes)"
dm_remove good
printf '#!/bin/sh\necho "$*" >> %s\nexit 1\n' $asked > /run/modprobe
chmod +x /run/modprobe
modprobe=$(cat /proc/sys/kernel/modprobe)
trap 'echo "$modprobe" > /proc/sys/kernel/modprobe' EXIT
echo /run/modprobe > /proc/sys/kernel/modprobe
# Debug messages and audit records are in the log, too.
echo 'module dm_inline_crypt +p' 2> /dev/null > /proc/dynamic_debug/control
echo 0 > /proc/sys/kernel/printk_ratelimit
audit=
! have_kernel_config DM_AUDIT || ! audit on || audit=1

# pieces KEY FILE... - print how many lines have 8 characters of the key in a row
pieces() {
	echo "$1" | awk '{ for (; length($0) >= 8; $0 = substr($0, 2)) print substr($0, 1, 8) }' > patterns
	shift
	cat "$@" | grep -ciF -f patterns
}

# orders WORD... - print each order of the words
orders() {
	echo "$*" | awk '
		function swap(a, b,    word) {
			word = words[a]; words[a] = words[b]; words[b] = word
		}
		function order(at,    i, line) {
			if (at == NF) {
				for (i = 1; i <= NF; i++)
					line = line " " words[i]
				if (!seen[line]++)
					print substr(line, 2)
			}
			for (i = at; i <= NF; i++) {
				swap(at, i)
				order(at + 1)
				swap(at, i)
			}
		}
		{ for (i = 1; i <= NF; i++) words[i] = $i; order(1) }'
}

# places KEY - print lines with the key in the place of each word
places() {
	cat <<- END
		$1 aes-cbc-plain64 0 $loop 0
		aes-cbc-plain64 0 $1 $loop 0
		aes-cbc-plain64 $loop 0 $1 0
		aes-cbc-plain64 0 0 $loop $1
		aes-cbc-plain64 00 0 $loop 0 $1
		aes-cbc-plain64 00 0 $loop 0 1 $1
	END
}

# mistakes KEY - print lines with one typing mistake
mistakes() {
	cat <<- END
		aes cbc-plain64 $1 0 $loop 0
		aes-cbc plain64 $1 0 $loop 0
		aes-cbc-plain64$1 0 $loop 0
		aes-cbc-plain64-$1 0 $loop 0 0
		aes-cbc-plain64:$1 00 0 $loop 0
		aes-cbc-essiv:$1 00 0 $loop 0
		aes-$1-plain64 00 0 $loop 0
		aes:$1-cbc-plain64 00 0 $loop 0
		capi:cbc($1)-plain64 00 0 $loop 0
		capi:$1 00 0 $loop 0
		capi:authenc($1,cbc(aes))-plain64 00 0 $loop 0 1 integrity:32:aead
		aes-cbc-plain64 - $1 0 $loop 0
		$1 0 $loop 0
		aes-cbc-plain64 :$1 0 $loop 0
		aes-cbc-plain64 :16:$1 0 $loop 0
		aes-cbc-plain64 :16:user:$1 0 $loop 0
		aes-cbc-plain64 :16:$1:lab 0 $loop 0
		aes-cbc-plain64 ${1}g 0 $loop 0
		aes-cbc-plain64 $1$1$1 0 $loop 0
		aes-cbc-plain64 $1 0 $loop 0 1
		aes-cbc-plain64 00 0 $loop 0 $1 allow_discards
		aes-cbc-plain64 00 0 $loop 0 1 sector_size:$1
		aes-cbc-plain64 00 0 $loop 0 1 read_context:$1
		aes-cbc-plain64 00 0 $loop 0 1 integrity:$1
		aes-cbc-plain64 00 0 $loop 0 1 integrity:$1:none
		aes-cbc-plain64 00 0 $loop 0 1 integrity:16:$1
		aes-cbc-plain64 00 0 $loop 0 1 integrity_key_size:$1
	END
}

# try_lines TARGET - lines of standard input; sets tried and taken
try_lines() {
	kmsg_mark
	rm -f $asked
	: > $asked
	tried=0
	taken=0
	while read -r _line; do
		tried=$((tried + 1))
		if dm_create try "0 16384 $1 $_line" 2> /dev/null; then
			taken=$((taken + 1))
			dm_remove try
		fi
	done
	kmsg > $log
}

# silent KEY TEXT - nothing of it is where it could be seen
silent() {
	is_at_least "$(grep -c 'device-mapper: table: .*inline-crypt: ' $log)" $((tried - taken)) \
		"$2: $((tried - taken)) of $tried refused, with a message"
	is "$(pieces "$1" $log)" 0 "$2: none with 8 bytes of the key's text" ||
		grep -iF -f patterns $log | head -n 5 | sed 's/^/# /'
	is "$(pieces "$1" $asked /proc/crypto)" 0 "$2: nor has modprobe or /proc/crypto any" ||
		sort -u $asked | head -n 5 | sed 's/^/# /'
}

printf 'a 92939495 z\na 9293949 z\n%s\n' "$key" > found
is "$(pieces "$key" found)" 2 "8 characters of the key are found"
is "$(orders a b c | wc -l)" 6 "3 words have 6 orders"

orders aes-cbc-plain64 "$key" 0 "$loop" 0 > lines
is "$(wc -l < lines)" 60 "5 words, two of them alike, have 60"
try_lines inline-crypt < lines
silent "$key" "in any order"
is $taken 1 "in any order: the right one is taken"
[ -z "$audit" ] ||
	is_at_least "$(grep -c 'op=ctr .*res=0' $log)" 50 "in any order: with audit records"
{
	places "$digits"
	mistakes "$digits"
} > lines
try_lines inline-crypt < lines
silent "$digits" "a key of decimal digits"
{
	places ":$key"
	places ":16:user:$key"
	places "$(echo "$key" | tr a-f A-F)"
	mistakes "$key"
} > lines
try_lines inline-crypt < lines
silent "$key" "a key with a colon, in upper case, with mistakes"

# A name that cannot be a key is asked for, and its unknown part is not printed.
echo "rot13-cbc-plain64 $key 0 $loop 0" > lines
try_lines inline-crypt < lines
like "$(cat $log)" 'no cbc\(\?\) ' "a cipher that is not known"
is_at_least "$(grep -c 'crypto-cbc(rot13)' $asked)" 1 "modprobe is asked for it"

# --- messages
dm_create ours "0 16384 inline-crypt aes-cbc-plain64 $key 0 $loop 0" || bail "no device"
dmsetup suspend ours
kmsg_mark
tried=0
while read -r message; do
	tried=$((tried + 1))
	# shellcheck disable=SC2086  # to be split
	! dmsetup message ours 0 $message 2> /dev/null || not_ok "taken: $message"
done <<- END
	$key
	set $key
	key $key
	$key set key
	key $key set
	key set set $key
	keyset $key
	key set $key$key
	key set :$key
	key set :16:$key
	key set :16:user:$key
	key set :16:$key:x
	key set ${key}gg
	stats $key
	stats on $key
END
kmsg > $log
is_at_least "$(grep -c 'inline-crypt: ' $log)" $tried \
	"$tried messages with the key somewhere: refused"
is "$(pieces "$key" $log)" 0 "none of them is repeated in the log"
dmsetup resume ours
dm_remove ours

# --- dm-crypt, to see that there is something to be seen
if [ -n "$have_crypt" ]; then
	places "$key" > lines
	try_lines crypt < lines
	is_at_least "$(pieces "$key" $asked)" 1 "dm-crypt has modprobe asked for the key"
	diag "in dm-crypt's messages: $(pieces "$key" $log)"
else
	skip "dm-crypt" "there is none here"
fi
[ -z "$audit" ] || audit off
