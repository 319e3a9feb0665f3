# SPDX-License-Identifier: GPL-2.0-only
#
# dkms.mk - what dkms makes: the module, or else one that stands for it and does not load
#
#   make -f packaging/dkms.mk KDIR= [modules|stub|clean]
#
# In a copy of the tree. The module is built for every kernel for which it compiles.
# Its self-test (selftest.c) has it refuse to load where it would give wrong data.
#
# A module that dkms cannot build, or is told not to, stops the installation of a new
# kernel before it has an initramfs (all versions do for the first, Debian 12's also for
# the second). So dkms always gets one, and modprobe.d's rule loads dm-crypt instead of
# what does not load.

kbuild	= $(MAKE) -C $(KDIR) M=$(CURDIR)/$(1)
module	= $(call kbuild,dm-inline-crypt) CONFIG_DM_INLINE_CRYPT=m
stub	= $(call kbuild,packaging/dkms-stub)

modules:
	$(module) modules || $(MAKE) -f packaging/dkms.mk stub

stub:
	$(stub) modules
	cp packaging/dkms-stub/dm-inline-crypt.ko dm-inline-crypt

clean:
	$(module) clean
	$(stub) clean

.PHONY: modules stub clean
