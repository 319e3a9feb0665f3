# SPDX-License-Identifier: GPL-2.0-only
#
# dkms.mk - what dkms makes: the module, or else one that stands for it and does not load
#
#   make -f packaging/dkms.mk RELEASE= KDIR= [modules|clean]
#
# In a copy of the tree. A module that dkms cannot build, or is told not to, stops the
# installation of a new kernel before it has an initramfs (all versions do for the
# first, Debian 12's also for the second). So dkms always gets one, and modprobe.d's
# rule loads dm-crypt instead of what does not load.

# Of the series in tests/kernels, those on which the cases passed
TRIED	:= 6.1 6.12 7.2 7.3

series	:= $(shell echo '$(RELEASE)' | sed -n 's/^\([0-9]*\.[0-9]*\).*/\1/p')
kbuild	= $(MAKE) -C $(KDIR) M=$(CURDIR)/$(1)
module	= $(call kbuild,dm-inline-crypt) CONFIG_DM_INLINE_CRYPT=m
stub	= $(call kbuild,packaging/dkms-stub)

modules:
ifneq ($(filter $(TRIED),$(series)),)
	$(module) modules || $(MAKE) -f packaging/dkms.mk stub
else
	@echo "dm-inline-crypt was not tried with Linux $(series), only with $(TRIED)."
	$(MAKE) -f packaging/dkms.mk stub
endif

stub:
	$(stub) modules
	cp packaging/dkms-stub/dm-inline-crypt.ko dm-inline-crypt

clean:
	$(module) clean
	$(stub) clean

.PHONY: modules stub clean
