/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_CPUFEATURE_H
#define SHIM_CPUFEATURE_H

#define X86_FEATURE_AES		"aes"
#define X86_FEATURE_AVX		"avx"
#define X86_FEATURE_AVX2	"avx2"
#define X86_FEATURE_VAES	"vaes"

/* The compiler looks at what the operating system saves, too. */
#define boot_cpu_has(feature)	(__builtin_cpu_supports(feature) != 0)

#endif
