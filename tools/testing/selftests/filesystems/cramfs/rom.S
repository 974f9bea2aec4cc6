/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a ROM begins with: enter the XIP kernel at KERNEL with the device tree
 * at DTB, as Documentation/arch/arm/booting.rst has it. Assembled to be at
 * address 0, for a Cortex-M board or for an ARMv7-A one.
 */
	.syntax	unified
	.text

#if __ARM_ARCH_PROFILE == 'M'
#define UART0		0x40004000	/* the boards of MPS2 */
#define UART_CTRL	0x08
#define UART_BAUDDIV	0x10
#define STACK		0x21000400	/* not used before the kernel sets its own */

	.word	STACK
	.word	start + 1
	.rept	14
	.word	hang + 1
	.endr

	/* Earlycon takes a UART that transmits for granted. */
	.thumb_func
start:	cpsid	i
	ldr	r0, =UART0
	movs	r1, #16
	str	r1, [r0, #UART_BAUDDIV]
	movs	r1, #1
	str	r1, [r0, #UART_CTRL]
	ldr	r3, =KERNEL + 1
#else
start:	ldr	r3, =KERNEL
#endif
	mov	r0, #0
	mvn	r1, r0			/* no machine number: the device tree tells */
	ldr	r2, =DTB
	bx	r3

#if __ARM_ARCH_PROFILE == 'M'
	.thumb_func
#endif
hang:	b	hang
