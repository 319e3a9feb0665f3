# SPDX-License-Identifier: GPL-2.0-only
#
# dm-inline-crypt. "make help" lists the targets. "make demo" and "make check"
# need only a Debian 12 machine, and install missing packages.

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
MODULE	:= $(CURDIR)/dm-inline-crypt
KBUILD	= $(MAKE) -C $(KDIR) M=$(MODULE) CONFIG_DM_INLINE_CRYPT=m

# inline-crypt-switch and its installation directories
SWITCH	?= packaging/inline-crypt-switch
PREFIX	?= /usr/local
SBINDIR	?= $(PREFIX)/sbin
MANDIR	?= $(PREFIX)/share/man
CFLAGS	?= -O2 -Wall -Wextra

# Hooks of the administrator for initramfs-tools
HOOKDIR	?= /etc/initramfs-tools/hooks
# dracut has one directory for all modules, those of packages included. So the module has
# another name there than the one of our package, and is skipped if dracut is not installed.
DRACUTDIR	?= /usr/lib/dracut/modules.d

# Two guests at a time keep two cores busy.
PROVE	?= prove --timer -j 2
PROVE_1	?= prove --timer

# Started right after the fast tests, so that no core idles at the end waiting for them
LONGEST	= tests/50-vm-oldest.t tests/51-vm-newest.t tests/52-vm-differs.t $(DEBUG)

# In make check-kernels and make check-series
SMOKE	= tests/53-vm-smoke.t
SERIES	= tests/61-series.t

# With INLINE_CRYPT_FULL=1 this takes hours; make check-debug runs it
DEBUG	= $(if $(INLINE_CRYPT_FULL),,tests/70-debug.t)

# The guest's, for what runs on one: a name of tests/kernels
KERNEL	?= 6.1

# Of tests/kernels, those that run this
kernels	= $(shell bash -c '. tests/vm/host.sh; kernels $(1)')

# For one case, or a guest to type in: which, and options of tests/vm/run
CASE	?=
RUN	?=

# For gdb: where the module is in the guest
TEXT	?=

# Scripts of cryptsetup for check-cryptsetup (default: all that concern dm-crypt)
SCRIPTS	?=

# The long lanes of tests/trust
export POINTS CUTS LINES IOS HOURS SEED
BUDGET	?= 8h

# The benchmark
LAB	?= all
ROUNDS	?=
CELLS	?= .
CPUS	?= 1,2,4,8

.DEFAULT_GOAL := module
.PHONY: help module switch install install-switch uninstall clean demo bench bench-compare case shell gdb check check-fast check-kernels check-series check-debug check-boot check-cryptsetup check-crash check-fuzz check-keys check-soak check-nightly check-all parity deb rpm arch series

##@ The module
module: ## build dm-inline-crypt.ko for KVER= (default: the running kernel) or KDIR= (a build tree)
	@test -d "$(KDIR)" || { echo "no kernel headers in $(KDIR): install linux-headers-$(KVER), or set KDIR="; exit 1; }
	$(KBUILD) modules

switch: $(SWITCH) ## build inline-crypt-switch, which switches an open mapping to the target and back

$(SWITCH): packaging/inline-crypt-switch.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -ldevmapper -lcryptsetup

install: module ## install the module for KVER= without loading it, and inline-crypt-switch
	$(KBUILD) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates modules_install
	$(if $(DESTDIR),,depmod -a $(KVER))
	install -D -m 755 packaging/initramfs-hook/dm-inline-crypt $(DESTDIR)$(HOOKDIR)/dm-inline-crypt
	$(if $(DESTDIR)$(wildcard $(DRACUTDIR)),install -D -m 755 packaging/dracut/90dm-inline-crypt/module-setup.sh \
		$(DESTDIR)$(DRACUTDIR)/90dm-inline-crypt-local/module-setup.sh)
	@printf '#include <libdevmapper.h>\n#include <libcryptsetup.h>\n' | \
		$(CC) -E - >/dev/null 2>&1 || \
		{ echo "not installed: inline-crypt-switch, which needs libdevmapper-dev and libcryptsetup-dev"; exit; }; \
		$(MAKE) --no-print-directory install-switch
	@echo "installed; load it with: modprobe dm-inline-crypt"

install-switch: switch
	install -D -m 755 $(SWITCH) $(DESTDIR)$(SBINDIR)/inline-crypt-switch
	install -D -m 644 packaging/inline-crypt-switch.8 $(DESTDIR)$(MANDIR)/man8/inline-crypt-switch.8

uninstall: ## remove what "make install" installed; the module for KVER=
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/dm-inline-crypt.ko*
	$(if $(DESTDIR),,depmod -a $(KVER))
	rm -f $(DESTDIR)$(SBINDIR)/inline-crypt-switch $(DESTDIR)$(MANDIR)/man8/inline-crypt-switch.8 \
		$(DESTDIR)$(HOOKDIR)/dm-inline-crypt
	rm -rf $(DESTDIR)$(DRACUTDIR)/90dm-inline-crypt-local

deb: ## build the Debian packages dm-inline-crypt-dkms and inline-crypt-switch, in build/
	tests/vm/provision packaging
	packaging/make-deb build

rpm: ## build the same as RPM packages, in build/
	tests/vm/provision packaging
	packaging/make-rpm build

arch: ## make a directory for Arch Linux' makepkg, build/arch/
	packaging/make-arch build/arch

series: ## make a patch series for the newest kernel's tree, in build/series/; see packaging/series
	tests/vm/provision tools source
	packaging/series "$$(dirname "$$(bash -c '. tests/vm/host.sh; ls "$$cache"/source/*/Makefile' | head -n 1)")" build/series

clean: ## remove build results
	$(KBUILD) clean
	rm -rf vectors/build build packaging/inline-crypt-switch

##@ In a virtual machine
demo: ## build, boot a guest, encrypt data, compare with dm-crypt; writes results/
	tests/vm/provision tools 6.1
	tests/demo/demo

bench: ## compare with dm-crypt: KERNEL= LAB=icount|ciphers|smp|cyclictest|all|cipher, or LAB=scale CPUS=, ROUNDS= CELLS= RESULT=; DEV=/dev/... OVERWRITES that device
	$(if $(DEV),,tests/vm/provision tools $(if $(filter cipher,$(LAB)),,$(KERNEL)))
	tests/bench/bench $(if $(DEV),--dev "$(DEV)",--kernel "$(KERNEL)" --lab "$(LAB)") \
		--cpus "$(CPUS)" $(if $(ROUNDS),--rounds "$(ROUNDS)") --cells '$(value CELLS)' $(if $(RESULT),--result "$(RESULT)")

bench-compare: ## compare two results of make bench, A= and B=
	@tests/bench/compare "$(A)" "$(B)"

case: ## run one or more cases: CASE=040 or CASE="04[0-3] 100" KERNEL= RUN="options of tests/vm/run"
	@tests/vm/all-cases --case $(KERNEL) '$(or $(CASE),$(error which? CASE=040))' $(RUN)

shell: ## a guest with a shell, the module and the cases: KERNEL= RUN=
	@tests/vm/all-cases --case $(KERNEL) '*' --shell $(RUN)

gdb: ## attach gdb to a guest that make shell started: KERNEL=debug TEXT="the module's .text" (see docs/testing.md)
	@tests/vm/gdb $(KERNEL) $(TEXT)

check: ## all tests; of the longer lanes below, one example each
	@# provision prints what is not available (status 77), and the tests skip it. Fetched
	@# here because parallel tests would wait for the one that fetches.
	@for want in tools packaging source style $(call kernels,oldest newest differs debug) cryptsetup-bookworm; do \
		tests/vm/provision $$want || [ $$? = 77 ] || exit 1; \
	done
	@again=$$(mktemp) && status=0 && export INLINE_CRYPT_SECOND_GUESTS=$$again; \
	INLINE_CRYPT_LOG_FD=3 $(PROVE) $(sort $(wildcard tests/[0-4]*.t)) $(LONGEST) \
		$(filter-out $(LONGEST) $(SMOKE) $(SERIES) tests/70-debug.t,$(sort $(wildcard tests/[5-9]*.t))) 3>&2 || status=$$?; \
	echo "$$(wc -l < $$again) case(s) needed a second guest, for want of CPU time" >&2; \
	sort $$again >&2; rm -f $$again; exit $$status

check-fast: ## the tests that need no virtual machine
	tests/vm/provision tools
	$(PROVE) tests/[0-4]*.t

check-kernels: ## a few cases on each kernel that has no lane of its own, such as -rt
	tests/vm/provision tools
	$(PROVE_1) $(SMOKE)

check-series: ## the patch series of make series: applies, and each patch builds
	tests/vm/provision tools source
	$(PROVE_1) $(SERIES)

check-debug: ## all cases on a kernel with KASAN, lockdep and kmemleak; in-tree build
	tests/vm/provision tools debug
	INLINE_CRYPT_FULL=1 $(PROVE_1) tests/60-in-tree.t tests/70-debug.t

check-boot: ## packages on Debian 12 and 13 with their root on LUKS2: boot, fallback, removal
	tests/vm/provision tools
	$(PROVE) tests/boot/*.t

check-cryptsetup: ## newer cryptsetup versions, and cryptsetup's own test scripts: KERNEL= SUITES= SCRIPTS=
	$(PROVE_1) tests/cryptsetup/volumes :: $(if $(findstring file,$(origin KERNEL)),,--kernel "$(KERNEL)") \
		$(if $(SUITES),--suites "$(SUITES)")
	$(PROVE_1) tests/cryptsetup/upstream :: --kernel "$(KERNEL)" $(if $(SUITES),--suites "$(SUITES)") $(SCRIPTS)

check-crash: ## file systems at points of a log of writes, and power cuts: POINTS=1000 CUTS=50 KERNEL=
	tests/trust/lane crash $(KERNEL)

check-fuzz: ## table lines, messages and I/O geometry on the debug kernel: LINES=1000000 IOS=10000000
	tests/trust/lane fuzz $(if $(findstring file,$(origin KERNEL)),debug,$(KERNEL))

check-keys: ## search dumps of a guest's memory for keys that were wiped: KERNEL=
	tests/trust/lane keys $(KERNEL)

check-soak: ## verified I/O while all else changes, by a seed: HOURS=8 SEED= KERNEL=
	tests/trust/lane soak $(KERNEL)

check-nightly: ## the four above within BUDGET=8h; goes on where it stopped; results/trust/page.md
	tests/trust/lane nightly "$(BUDGET)"

check-all: check-boot check-cryptsetup ## all of the checks, with nothing left out
	INLINE_CRYPT_FULL=1 $(MAKE) check check-kernels check-debug

parity: ## write docs/parity.md: the features of dm-crypt and of this target on each kernel
	tests/vm/provision tools $(call kernels,oldest differs newest)
	tests/parity

##@ Help
help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
