/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <limits.h>
#include <linux/errno.h>	/* the C library's */
#include <linux/types.h>
#include <stdarg.h>
#include <stdio.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

#define min(a, b)		((a) < (b) ? (a) : (b))

#define likely(x)		(x)
#define unlikely(x)		(x)

/*
 * As the kernel's: digits only, but for one '+' before and one newline behind.
 * Base 10 will do.
 */
static inline int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long value = 0;

	if (base != 10)
		return -EINVAL;
	if (*s == '+')
		s++;
	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *s - '0', &value))
			return -ERANGE;
	if (*s == '\n')
		s++;
	if (*s)
		return -EINVAL;
	*res = value;
	return 0;
}

static inline int shim_kstrtou64(const char *s, unsigned int base, u64 *res)
{
	unsigned long long value;
	int err = kstrtoull(s, base, &value);

	if (!err)
		*res = value;
	return err;
}

/* To the kernel u64 is unsigned long long, to the C library unsigned long. */
#define kstrtou64(s, base, res)	shim_kstrtou64(s, base, res)

static inline int kstrtouint(const char *s, unsigned int base, unsigned int *res)
{
	u64 value;
	int err = shim_kstrtou64(s, base, &value);

	if (err)
		return err;
	if (value > UINT_MAX)
		return -ERANGE;
	*res = value;
	return 0;
}

/* What was written, where snprintf() says what would have been. */
__attribute__((format(printf, 3, 4)))
static inline int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	if ((size_t)n < size)
		return n;
	return size ? size - 1 : 0;
}

#endif
