/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_CTYPE_H
#define SHIM_CTYPE_H

#include <ctype.h>

/* The kernel's takes a char of either sign. */
#undef isxdigit
#define isxdigit(c)	((isxdigit)((unsigned char)(c)))

#endif
