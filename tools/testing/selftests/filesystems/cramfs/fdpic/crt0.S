/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of a static FDPIC program without a C library, for ARMv7-M. It stands
 * in for nolibc's _start, which knows nothing of FDPIC.
 *
 * The kernel passes the load map of the program in r7 (and in r8 and r9 that of
 * an interpreter and the dynamic section; there are none). Text and data were
 * put at unrelated addresses, so that the list of words to relocate, which is in
 * the text segment, has to be found relative to the PC. Until those words are
 * relocated there is no GOT, and r9, which is to point to it, has no value.
 */
	.syntax	unified
	.thumb
	.section .text.startup, "ax", %progbits

	.global	_start
	.type	_start, %function
	.thumb_func
_start:
	mov	r4, sp			/* argc, argv, environment, auxv */
	bic	r0, r4, #7
	mov	sp, r0

	adr	r3, fixups
	ldrd	r1, r2, [r3]
	add	r1, r3			/* first word to relocate */
	add	r2, r3			/* end of the list */
	mov	r0, r7
	bl	__self_reloc
	mov	r9, r0

	mov	r0, r4
	bl	_start_c		/* of nolibc; it does not return */
	udf	#0

	.balign	4
fixups:
	.word	__ROFIXUP_LIST__ - fixups
	.word	__ROFIXUP_END__ - fixups
	.size	_start, . - _start

	.section .note.GNU-stack, "", %progbits
