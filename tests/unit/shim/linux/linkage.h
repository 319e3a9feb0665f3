/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINKAGE_H
#define SHIM_LINKAGE_H

#ifdef __ASSEMBLER__

#define SYM_FUNC_START(name)	\
	.globl name;		\
	.type name, @function;	\
	.balign 64;		\
	name:			\
	endbr64
#define SYM_FUNC_END(name)	.size name, . - name
#define RET			ret

/* Or the linker makes stacks executable. */
.section .note.GNU-stack, "", @progbits

#else

#define asmlinkage

#endif

#endif
