// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs for a Cortex-M on uClibc-ng find nowhere else: Debian's libgcc
 * for armel is in the ARM instruction set, which these processors do not have,
 * and a static uClibc-ng for FDPIC forgets one variable.
 */

#include <stdint.h>

unsigned long _dl_pagesize = 4096;

/* Named by some objects' unwind tables, which nobody reads here. */
void __aeabi_unwind_cpp_pr0(void)
{
}

void __aeabi_unwind_cpp_pr1(void)
{
}

/* Long division, bit by bit. */
__attribute__((used))
static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
	uint64_t quotient = 0, rest = 0;

	for (int bit = 63; bit >= 0; bit--) {
		uint64_t carry = rest >> 63;

		rest = rest << 1 | (dividend >> bit & 1);
		if (carry || rest >= divisor) {
			rest -= divisor;
			quotient |= 1ull << bit;
		}
	}
	*remainder = rest;
	return quotient;
}

static inline uint64_t magnitude(int64_t number)
{
	return number < 0 ? -(uint64_t)number : (uint64_t)number;
}

__attribute__((used))
static int64_t divide_signed(int64_t dividend, int64_t divisor, int64_t *remainder)
{
	uint64_t rest, quotient = divide(magnitude(dividend), magnitude(divisor), &rest);

	*remainder = dividend < 0 ? -rest : rest;
	return (dividend < 0) != (divisor < 0) ? -quotient : quotient;
}

/* These return the quotient in r0 and r1, the remainder in r2 and r3. */
asm(
	"	.thumb\n"
	"	.macro	long_division name, function\n"
	"	.global	\\name\n"
	"	.type	\\name, %function\n"
	"	.thumb_func\n"
	"\\name:\n"
	"	push	{r4, lr}\n"
	"	sub	sp, #16\n"
	"	add	r4, sp, #8\n"
	"	str	r4, [sp]\n"
	"	bl	\\function\n"
	"	ldrd	r2, r3, [sp, #8]\n"
	"	add	sp, #16\n"
	"	pop	{r4, pc}\n"
	"	.endm\n"
	"	long_division __aeabi_uldivmod, divide\n"
	"	long_division __aeabi_ldivmod, divide_signed\n");
