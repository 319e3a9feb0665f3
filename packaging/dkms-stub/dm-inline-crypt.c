// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dkms installs for a kernel that it cannot build dm-inline-crypt for. It does
 * not load, so dm-crypt serves; see packaging/dkms.mk.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/module.h>
#include <linux/utsname.h>

static int __init dm_inline_crypt_init(void)
{
	pr_err("placeholder: dkms did not build the module for %s, see make.log in /var/lib/dkms/dm-inline-crypt\n",
	       init_utsname()->release);
	return -ENODEV;
}

static void __exit dm_inline_crypt_exit(void)
{
}

module_init(dm_inline_crypt_init);
module_exit(dm_inline_crypt_exit);

/* dkms-post-install looks for the first two words. */
MODULE_DESCRIPTION("Stands for dm-inline-crypt, which was not built for this kernel");
MODULE_LICENSE("GPL");
