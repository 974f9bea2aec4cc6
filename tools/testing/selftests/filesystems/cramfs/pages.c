// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program without a libc whose text fills pages of its own, to be executed
 * in place. It runs through all of them, checks its read-only, initialised and
 * uninitialised data, and tells by its exit status. With an argument it writes
 * a byte to descriptor 1 when it has done so, and waits to be looked at.
 */

#define NR	8

static const unsigned int constants[NR] = { 3, 1, 4, 1, 5, 9, 2, 6 };
static volatile unsigned int initialised[2048] = { 27, 1, 82 };
static volatile unsigned int cleared[2048];

/* Each function begins a page. */
#define PAGE_OF_TEXT(n)							\
static __attribute__((noinline, aligned(4096)))				\
unsigned int page##n(unsigned int x)					\
{									\
	return (x * 31 + constants[n]) ^ (x >> 7);			\
}

PAGE_OF_TEXT(0)
PAGE_OF_TEXT(1)
PAGE_OF_TEXT(2)
PAGE_OF_TEXT(3)
PAGE_OF_TEXT(4)
PAGE_OF_TEXT(5)
PAGE_OF_TEXT(6)
PAGE_OF_TEXT(7)

/* The same sum in one place. */
static unsigned int expected(unsigned int x)
{
	for (int n = 0; n < NR; n++)
		x = (x * 31 + constants[n]) ^ (x >> 7);
	return x;
}

int main(int argc, char **argv)
{
	unsigned int x = page7(page6(page5(page4(page3(page2(page1(page0(initialised[2]))))))));

	if (x != expected(82))
		return 1;
	for (int n = 0; n < 2048; n++) {
		if (cleared[n])
			return 2;
		cleared[n] = n;
	}
	initialised[2047] = x;
	if (initialised[0] != 27 || initialised[2047] != x || cleared[2047] != 2047)
		return 3;
	if (argc > 1) {
		if (write(1, "r", 1) != 1)
			return 4;
		for (;;)
			sleep(1000);
	}
	return 42;
}
