/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of a bFLT program for nolibc on ARM. binfmt_flat has relocated the program
 * and left the address of its data, that is of the offset table, in r10, where the
 * compiler (-msingle-pic-base -mpic-register=r10) expects it for good.
 *
 * On the stack are argc, a pointer to argv, one to envp, and then argv itself.
 * nolibc wants argc right before argv.
 */
	.syntax unified
	.thumb
	.section .text.startup, "ax", %progbits
	.global _start
	.type _start, %function
	.thumb_func
_start:
	ldr	r1, [sp]
	add	r0, sp, #8
	str	r1, [r0]
	bic	r1, r0, #7
	mov	sp, r1
	bl	_start_c
	udf	#0
	.section .note.GNU-stack, "", %progbits
