# SPDX-License-Identifier: GPL-2.0-only
#
# dm-inline-crypt. "make help" lists the targets; "make demo" and "make check"
# need nothing but a Debian 12 machine and install what they lack.

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
MODULE	:= $(CURDIR)/dm-inline-crypt
KBUILD	= $(MAKE) -C $(KDIR) M=$(MODULE) CONFIG_DM_INLINE_CRYPT=m

# The tool that switches a live mapping, and where it goes
SWITCH	?= packaging/inline-crypt-switch
PREFIX	?= /usr/local
SBINDIR	?= $(PREFIX)/sbin
MANDIR	?= $(PREFIX)/share/man
CFLAGS	?= -O2 -Wall -Wextra

# Where initramfs-tools looks for what no package has brought
HOOKDIR	?= /etc/initramfs-tools/hooks
# And dracut, which has one place for all, with packages' too: under another name, and
# not made where there is no dracut
DRACUTDIR	?= /usr/lib/dracut/modules.d

# Two guests at a time keep two cores busy.
PROVE	?= prove --timer -j 2
PROVE_1	?= prove --timer

# After the fast ones, so that in the end no core has to wait for one of these
LONGEST	= tests/50-vm-6.1.t $(DEBUG) tests/52-vm-7.2.t

# With INLINE_CRYPT_FULL=1, hours: make check-debug
DEBUG	= $(if $(INLINE_CRYPT_FULL),,tests/70-debug.t)

# The guest's, for what runs on one
KERNEL	?= 6.1

# Where cryptsetup and its tests are taken from, and which of these
SCRIPTS	?=

# The benchmark
LAB	?= all
ROUNDS	?=
CELLS	?= .
CPUS	?= 1,2,4,8

.DEFAULT_GOAL := module
.PHONY: help module switch install install-switch uninstall clean demo bench bench-compare check check-fast check-debug check-boot check-cryptsetup check-all parity deb

##@ The module
module: ## build dm-inline-crypt.ko for KVER= (this kernel) or KDIR= (any tree)
	@test -d "$(KDIR)" || { echo "no kernel headers in $(KDIR): apt-get install linux-headers-$(KVER), or give KDIR="; exit 1; }
	$(KBUILD) modules

switch: $(SWITCH) ## build inline-crypt-switch, which moves a live mapping to it and back

$(SWITCH): packaging/inline-crypt-switch.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -ldevmapper -lcryptsetup

install: module ## install it for KVER=, without loading it, and inline-crypt-switch
	$(KBUILD) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates modules_install
	$(if $(DESTDIR),,depmod -a $(KVER))
	install -D -m 755 packaging/initramfs-hook/dm-inline-crypt $(DESTDIR)$(HOOKDIR)/dm-inline-crypt
	$(if $(DESTDIR)$(wildcard $(DRACUTDIR)),install -D -m 755 packaging/dracut/90dm-inline-crypt/module-setup.sh \
		$(DESTDIR)$(DRACUTDIR)/90dm-inline-crypt-local/module-setup.sh)
	@printf '#include <libdevmapper.h>\n#include <libcryptsetup.h>\n' | \
		$(CC) -E - >/dev/null 2>&1 || \
		{ echo "without inline-crypt-switch; for it: apt-get install libdevmapper-dev libcryptsetup-dev"; exit; }; \
		$(MAKE) --no-print-directory install-switch
	@echo "installed; load it with: modprobe dm-inline-crypt"

install-switch: switch
	install -D -m 755 $(SWITCH) $(DESTDIR)$(SBINDIR)/inline-crypt-switch
	install -D -m 644 packaging/inline-crypt-switch.8 $(DESTDIR)$(MANDIR)/man8/inline-crypt-switch.8

uninstall: ## remove them again; the module for KVER=
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/dm-inline-crypt.ko*
	$(if $(DESTDIR),,depmod -a $(KVER))
	rm -f $(DESTDIR)$(SBINDIR)/inline-crypt-switch $(DESTDIR)$(MANDIR)/man8/inline-crypt-switch.8 \
		$(DESTDIR)$(HOOKDIR)/dm-inline-crypt
	rm -rf $(DESTDIR)$(DRACUTDIR)/90dm-inline-crypt-local

deb: ## build the Debian packages dm-inline-crypt-dkms and inline-crypt-switch, in build/
	tests/vm/provision packaging
	packaging/make-deb build

clean: ## remove what was built
	$(KBUILD) clean
	rm -rf vectors/build build packaging/inline-crypt-switch

##@ In a throw-away virtual machine
demo: ## build, boot, encrypt, compare with dm-crypt; results in results/
	tests/vm/provision tools 6.1
	tests/demo/demo

bench: ## measure against dm-crypt: KERNEL= LAB=icount|ciphers|smp|cyclictest|all ROUNDS= CELLS= RESULT=, or LAB=scale CPUS=; DEV=/dev/... OVERWRITES that device
	$(if $(DEV),,tests/vm/provision tools $(KERNEL))
	tests/bench/bench $(if $(DEV),--dev "$(DEV)",--kernel "$(KERNEL)" --lab "$(LAB)") \
		--cpus "$(CPUS)" $(if $(ROUNDS),--rounds "$(ROUNDS)") --cells '$(value CELLS)' $(if $(RESULT),--result "$(RESULT)")

bench-compare: ## two results of it, A= and B=, as a table
	@tests/bench/compare "$(A)" "$(B)"

check: ## all tests, each longer lane by a representative
	@# What cannot be had (77) is said, and skipped by the tests. While one test of
	@# several is fetching, the others would stand still.
	@for want in tools packaging source 6.1 6.12 7.2 debug cryptsetup-bookworm; do \
		tests/vm/provision $$want || [ $$? = 77 ] || exit 1; \
	done
	INLINE_CRYPT_LOG_FD=3 $(PROVE) $(sort $(wildcard tests/[0-4]*.t)) $(LONGEST) \
		$(filter-out $(LONGEST) tests/70-debug.t,$(sort $(wildcard tests/[5-9]*.t))) 3>&2

check-fast: ## the tests that need no virtual machine
	tests/vm/provision tools
	$(PROVE) tests/[0-4]*.t

check-debug: ## every VM test on a kernel with KASAN, lockdep, kmemleak; links a minimal one
	tests/vm/provision tools debug
	INLINE_CRYPT_FULL=1 $(PROVE_1) tests/60-in-tree.t tests/70-debug.t

check-boot: ## Debian 12 and 13 with their root on LUKS2: boot, fall back, remove
	tests/vm/provision tools
	$(PROVE) tests/boot/*.t

check-cryptsetup: ## other suites' cryptsetup, and its own test scripts on dm-crypt and on us: KERNEL= SUITES= SCRIPTS=
	$(PROVE_1) tests/cryptsetup/volumes :: $(if $(findstring file,$(origin KERNEL)),,--kernel "$(KERNEL)") \
		$(if $(SUITES),--suites "$(SUITES)")
	$(PROVE_1) tests/cryptsetup/upstream :: --kernel "$(KERNEL)" $(if $(SUITES),--suites "$(SUITES)") $(SCRIPTS)

check-all: check-boot check-cryptsetup ## everything
	INLINE_CRYPT_FULL=1 $(MAKE) check check-debug

parity: ## write docs/parity.md: what dm-crypt can do and what we can, on each kernel
	tests/vm/provision tools 6.1 6.12 7.2
	tests/parity

##@ Help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
