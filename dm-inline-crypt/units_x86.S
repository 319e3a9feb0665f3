/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cipher engine on x86-64: AES for many data units per call, see units.h. It was
 * written from FIPS 197, SP 800-38A and IEEE 1619. units.c calls it in an FPU section.
 *
 * "avx" is AES-NI in its VEX encoding, eight blocks in flight. "vaes" is VAES on
 * 256-bit registers, sixteen blocks in flight. Neither needs AVX-512 or VPCLMULQDQ:
 * the emulated CPU of the tests has none of these, and untested code does not ship.
 *
 * It is assembler instead of C with intrinsics for these reasons:
 *  - A compiler could spill keys, round keys or tweaks to the stack, and no code would
 *    wipe them there.
 *  - Kernels build C without SSE. Flags that allow it differ between versions and
 *    compilers, <immintrin.h> is not for kernels, and a sanitizer or profiler would
 *    put its own calls between the vector instructions.
 *  - User space assembles the same file, and tests and times it on a real CPU.
 *
 * The code runs in constant time. It loads only round keys, data, IVs and constants, from
 * addresses made of pointers and counters. It branches only on the number of rounds,
 * units and bytes. Table look-ups are shuffles of a register. To verify this, check that
 * no value moves from a vector register to a general register.
 *
 * Round keys are 15 slots of 16 bytes. A shorter key has its round keys at the end,
 * so that the last ten rounds are at the same place for every size of key.
 *
 * Registers that all functions share:
 *	%rdi	the slots
 *	%rsi	the number of rounds, then the first slot in use
 *	%rdx	struct icrypt_du of the current unit
 *	%ecx	units left
 *	%r8d	size of a unit, bytes
 *	0-7	blocks in flight
 *	8	round key
 * All vector registers are zero at the end, unless a comment says otherwise.
 */

#include <linux/linkage.h>

#define DU_SRC		0
#define DU_DST		8
#define DU_IV		16
#define DU_SIZE		32

#define LAST_SLOT	(14 * 16)

.section .rodata.icrypt_units, "a", @progbits
.balign 32
/* Doubling: a bit that is shifted out of a 64-bit half adds this to the other half */
.Lcarry1:
	.long	0x87, 0, 1, 0

/* For two bits at once: bits of the high half go to bytes 0 and 1, the low half's to 8 */
.balign 32
.Lcarry2_place:
	.rept	2
	.byte	8, 8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80
	.byte	0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80
	.endr
/* The part of the table that each of these bytes uses */
.Lcarry2_part:
	.rept	2
	.byte	0, 4, 0, 0, 0, 0, 0, 0
	.byte	8, 0, 0, 0, 0, 0, 0, 0
	.endr
/* 0, 0x87, 2 * 0x87 and their sum: low bytes, high bytes; then the unchanged bits */
.Lcarry2_table:
	.rept	2
	.byte	0, 0x87, 0x0e, 0x89, 0, 0, 1, 1
	.byte	0, 1, 2, 3, 0, 0, 0, 0
	.endr

.text

/* The round key of a slot, in both halves of a wide register */
.macro load_key v, slot, reg=8, base=%rdi
.ifc \v,x
	vmovdqu		(\slot * 16)(\base), %xmm\reg
.else
	vbroadcasti128	(\slot * 16)(\base), %ymm\reg
.endif
.endm

/* %rsi: from the number of rounds to the first slot in use */
.macro first_slot
	neg		%rsi
	add		$14, %rsi
	shl		$4, %rsi
	add		%rdi, %rsi
.endm

/* One round of the first \count registers */
.macro round v, op, slot, count=8
	load_key	\v, \slot
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	v\op		%\v\()mm8, %\v\()mm\i, %\v\()mm\i
	.endif
	.endr
.endm

/* The rounds that only longer keys have: four, two or none */
.macro long_key_rounds v, op, count=8
	cmp		%rdi, %rsi
	je		.Lfour\@
	lea		32(%rdi), %rax
	cmp		%rax, %rsi
	je		.Ltwo\@
	jmp		.Lnone\@
.Lfour\@:
	round		\v, \op, 1, \count
	round		\v, \op, 2, \count
.Ltwo\@:
	round		\v, \op, 3, \count
	round		\v, \op, 4, \count
.Lnone\@:
.endm

/* ... and all but the last of the others */
.macro inner_rounds v, op, count=8
	long_key_rounds	\v, \op, \count
	.irp slot, 5, 6, 7, 8, 9, 10, 11, 12, 13
	round		\v, \op, \slot, \count
	.endr
.endm

.macro leave
	vzeroall
	RET
.endm

/* \to = \from * x^2 in both halves, modulo x^128 + x^7 + x^2 + x + 1 */
.macro times_x2 from, to
	vpsrlq		$62, %ymm\from, %ymm10
	vpsllq		$2, %ymm\from, %ymm\to
	vpshufb		%ymm13, %ymm10, %ymm10
	vpor		%ymm14, %ymm10, %ymm10
	vpshufb		%ymm10, %ymm12, %ymm10
	vpxor		%ymm10, %ymm\to, %ymm\to
.endm

/* \to = \from * x^8: the byte that is shifted out is added times 1 + x + x^2 + x^7 */
.macro times_x8 from, to
	vpsrldq		$15, %ymm\from, %ymm10
	vpalignr	$15, %ymm\from, %ymm\from, %ymm\to
	.irp shift, 1, 2, 7
	vpslld		$\shift, %ymm10, %ymm8
	vpxor		%ymm8, %ymm\to, %ymm\to
	.endr
.endm

/*
 * Eight steps make the tweaks of a group and store them at \where. Before the first
 * step, register 9 has the first tweak of this group, and after the last step, the first
 * tweak of the next group.
 *
 * A wide register has two tweaks, so a group has eight of them. One chain of eight would
 * take longer than the rounds of the blocks. So there are two chains of half the length,
 * in registers 11 and 15, and two long strides lead to the next group. Register 8 is
 * free between rounds.
 */
.macro tweak_step v, i, where
.ifc \v,x
	vmovdqa		%xmm9, (\i * 16)(\where)
	vpshufd		$0x13, %xmm9, %xmm10
	vpaddq		%xmm9, %xmm9, %xmm9
	vpsrad		$31, %xmm10, %xmm10
	vpand		%xmm12, %xmm10, %xmm10
	vpxor		%xmm10, %xmm9, %xmm9
.else
.if \i == 0
	vmovdqa		%ymm9, (0 * 32)(\where)
	times_x8	9, 15
	vmovdqa		%ymm15, (4 * 32)(\where)
.elseif \i == 1
	times_x2	9, 11
	vmovdqa		%ymm11, (1 * 32)(\where)
.elseif \i == 2
	times_x8	15, 9
.elseif \i % 2
	times_x2	15, 15
	vmovdqa		%ymm15, ((\i / 2 + 4) * 32)(\where)
.else
	times_x2	11, 11
	vmovdqa		%ymm11, (\i / 2 * 32)(\where)
.endif
.endif
.endm

/* The tweaks of the first and of the second block of a unit */
.macro first_tweak v
	vmovdqu		DU_IV(%rdx), %xmm9
.ifc \v,y
	vpshufd		$0x13, %xmm9, %xmm10
	vpaddq		%xmm9, %xmm9, %xmm11
	vpsrad		$31, %xmm10, %xmm10
	vpand		.Lcarry1(%rip), %xmm10, %xmm10
	vpxor		%xmm10, %xmm11, %xmm11
	vinserti128	$1, %xmm11, %ymm9, %ymm9
.endif
.endm

/*
 * XTS. While a group of blocks goes through its rounds, the tweaks of the next group
 * are made. The next group may belong to the same unit or to the next unit, so small
 * units cost hardly more than large ones. The tweaks of the two groups are in the two
 * halves of the scratch memory, in turns.
 *
 *	%r9	tweaks of this group
 *	%rbx	tweaks of the next group
 *	%r10d	bytes left of the unit
 *	%r11	input
 *	%rax	output; scratch before
 */
.macro xts v, width, op
	push		%rbx
	first_slot
.ifc \v,x
	vmovdqa		.Lcarry1(%rip), %xmm12
.else
	vmovdqa		.Lcarry2_table(%rip), %ymm12
	vmovdqa		.Lcarry2_place(%rip), %ymm13
	vmovdqa		.Lcarry2_part(%rip), %ymm14
.endif
	lea		(8 * \width)(%r9), %rbx
	first_tweak	\v
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	tweak_step	\v, \i, %r9
	.endr

.Lunit\@:
	mov		DU_SRC(%rdx), %r11
	mov		DU_DST(%rdx), %rax
	sub		%r11, %rax
	push		%rax
	mov		%r8d, %r10d
.Lgroup\@:
	load_key	\v, 0, 8, %rsi
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	vpxor		(\i * \width)(%r9), %\v\()mm8, %\v\()mm\i
	vpxor		(\i * \width)(%r11), %\v\()mm\i, %\v\()mm\i
	.endr
	sub		$(8 * \width), %r10d
	jnz		.Lsame\@
	dec		%ecx
	jz		.Lsame\@
	add		$DU_SIZE, %rdx
	first_tweak	\v
.Lsame\@:
	long_key_rounds	\v, \op
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	round		\v, \op, (5 + \i)
	tweak_step	\v, \i, %rbx
	.endr
	round		\v, \op, 13

	load_key	\v, 14
	mov		(%rsp), %rax
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	vpxor		(\i * \width)(%r9), %\v\()mm8, %\v\()mm10
	v\op\()last	%\v\()mm10, %\v\()mm\i, %\v\()mm\i
	vmovdqu		%\v\()mm\i, (\i * \width)(%r11, %rax)
	.endr
	add		$(8 * \width), %r11
	xchg		%r9, %rbx
	test		%r10d, %r10d
	jnz		.Lgroup\@
	pop		%rax
	test		%ecx, %ecx
	jnz		.Lunit\@

	/* The tweaks */
	vpxor		%xmm0, %xmm0, %xmm0
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	vmovdqa		%\v\()mm0, (\i * \width)(%r9)
	vmovdqa		%\v\()mm0, (\i * \width)(%rbx)
	.endr
	pop		%rbx
	leave
.endm

/*
 * CBC, decryption: the blocks of a unit in parallel. The ciphertext of a group is read a
 * second time before any of its output is written, because input and output may be the
 * same memory. %xmm9 is the block of ciphertext before the group, or the IV.
 *
 *	%r9	output
 *	%r10d	bytes left of the unit
 *	%r11	input
 *	%rax	scratch
 */
.macro cbc_decrypt v, width
	first_slot
.Lunit\@:
	mov		DU_SRC(%rdx), %r11
	mov		DU_DST(%rdx), %r9
	vmovdqu		DU_IV(%rdx), %xmm9
	mov		%r8d, %r10d
.Lgroup\@:
	load_key	\v, 0, 8, %rsi
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	vpxor		(\i * \width)(%r11), %\v\()mm8, %\v\()mm\i
	.endr
.ifc \v,y
	vinserti128	$1, (%r11), %ymm9, %ymm9
.endif
	inner_rounds	\v, aesdec
	load_key	\v, 14
	vpxor		%\v\()mm9, %\v\()mm8, %\v\()mm9
	vaesdeclast	%\v\()mm9, %\v\()mm0, %\v\()mm0
	.irp i, 1, 2, 3, 4, 5, 6, 7
	vpxor		(\i * \width - 16)(%r11), %\v\()mm8, %\v\()mm10
	vaesdeclast	%\v\()mm10, %\v\()mm\i, %\v\()mm\i
	.endr
	vmovdqu		(8 * \width - 16)(%r11), %xmm9
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	vmovdqu		%\v\()mm\i, (\i * \width)(%r9)
	.endr
	add		$(8 * \width), %r11
	add		$(8 * \width), %r9
	sub		$(8 * \width), %r10d
	jnz		.Lgroup\@
	add		$DU_SIZE, %rdx
	dec		%ecx
	jnz		.Lunit\@
	leave
.endm

/*
 * CBC, encryption: the blocks of a unit depend on each other, so \count units are
 * processed in parallel. Wide registers would not help: with eight units, the latency of
 * an instruction times the number of rounds is the limit with either width.
 *
 *	%r10	offset in the unit
 *	%r11	pointers to input and output
 *	%rax	scratch
 */
.macro cbc_encrypt_side_by_side count
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	vmovdqu		(DU_IV + \i * DU_SIZE)(%rdx), %xmm\i
	.endif
	.endr
	xor		%r10d, %r10d
.Lblock\@:
	load_key	x, 0, 8, %rsi
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	mov		(DU_SRC + \i * DU_SIZE)(%rdx), %r11
	vpxor		(%r11, %r10), %xmm8, %xmm9
	vpxor		%xmm9, %xmm\i, %xmm\i
	.endif
	.endr
	inner_rounds	x, aesenc, \count
	round		x, aesenclast, 14, \count
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	mov		(DU_DST + \i * DU_SIZE)(%rdx), %r11
	vmovdqu		%xmm\i, (%r11, %r10)
	.endif
	.endr
	add		$16, %r10d
	cmp		%r8d, %r10d
	jb		.Lblock\@
	add		$(\count * DU_SIZE), %rdx
.endm

/* The IVs of units, in place */
.macro encrypt_ivs count
	load_key	x, 0, 8, %rsi
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	vpxor		(DU_IV + \i * DU_SIZE)(%rdx), %xmm8, %xmm\i
	.endif
	.endr
	inner_rounds	x, aesenc, \count
	round		x, aesenclast, 14, \count
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	.if \i < \count
	vmovdqu		%xmm\i, (DU_IV + \i * DU_SIZE)(%rdx)
	.endif
	.endr
.endm

/*
 * void icrypt_units_ivs_avx(const u8 *slots, unsigned long rounds, struct icrypt_du *du,
 *			     unsigned int n)
 *
 * Encrypts the IV of one unit, or of eight if n is greater than one, because eight take
 * no longer than two. Registers are not cleared, because one of the other functions is
 * called next.
 */
SYM_FUNC_START(icrypt_units_ivs_avx)
	first_slot
	cmp		$1, %ecx
	je		.Lalone
	encrypt_ivs	8
	RET
.Lalone:
	encrypt_ivs	1
	RET
SYM_FUNC_END(icrypt_units_ivs_avx)

/*
 * void icrypt_units_xts_encrypt_avx(const u8 *slots, unsigned long rounds,
 *				     const struct icrypt_du *du, unsigned int n,
 *				     unsigned int size, void *scratch)
 *
 * Encrypts n units (at least one) of size bytes (a multiple of 256, not 0). Their IVs are
 * encrypted already. Scratch is 512 bytes, aligned to 32, and zero at the end. The same
 * holds for the other three XTS functions, with the slots for their direction.
 */
SYM_FUNC_START(icrypt_units_xts_encrypt_avx)
	xts		x, 16, aesenc
SYM_FUNC_END(icrypt_units_xts_encrypt_avx)

SYM_FUNC_START(icrypt_units_xts_decrypt_avx)
	xts		x, 16, aesdec
SYM_FUNC_END(icrypt_units_xts_decrypt_avx)

#ifdef ICRYPT_AS_VAES
SYM_FUNC_START(icrypt_units_xts_encrypt_vaes)
	xts		y, 32, aesenc
SYM_FUNC_END(icrypt_units_xts_encrypt_vaes)

SYM_FUNC_START(icrypt_units_xts_decrypt_vaes)
	xts		y, 32, aesdec
SYM_FUNC_END(icrypt_units_xts_decrypt_vaes)
#endif

/*
 * void icrypt_units_cbc_encrypt_avx(const u8 *slots, unsigned long rounds,
 *				     const struct icrypt_du *du, unsigned int n,
 *				     unsigned int size)
 *
 * As above, but n is at most 8. The other CBC functions have no limit of n.
 */
SYM_FUNC_START(icrypt_units_cbc_encrypt_avx)
	first_slot
	test		$8, %ecx
	jz		.Lfour
	cbc_encrypt_side_by_side 8
.Lfour:
	test		$4, %ecx
	jz		.Ltwo
	cbc_encrypt_side_by_side 4
.Ltwo:
	test		$2, %ecx
	jz		.Lone
	cbc_encrypt_side_by_side 2
.Lone:
	test		$1, %ecx
	jz		.Lnone
	cbc_encrypt_side_by_side 1
.Lnone:
	leave
SYM_FUNC_END(icrypt_units_cbc_encrypt_avx)

SYM_FUNC_START(icrypt_units_cbc_decrypt_avx)
	cbc_decrypt	x, 16
SYM_FUNC_END(icrypt_units_cbc_decrypt_avx)

#ifdef ICRYPT_AS_VAES
SYM_FUNC_START(icrypt_units_cbc_decrypt_vaes)
	cbc_decrypt	y, 32
SYM_FUNC_END(icrypt_units_cbc_decrypt_vaes)
#endif
