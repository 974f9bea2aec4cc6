// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to execute from an image while memory is short, without a libc: text over
 * more than a page, and data to copy. Its exit status says that both are what they
 * should be.
 */
#define EXEC_STATUS	42

/* Of a page and more each. */
static const unsigned char table[5000] = { [0] = 20, [4999] = 11 };
static unsigned char data[5000] = { [0] = 4, [4999] = 7 };

int main(void)
{
	int sum = 0;

	for (int n = 0; n < 5000; n++) {
		sum += table[n] + data[n];
		data[n] = 0;
	}
	return sum == EXEC_STATUS ? EXEC_STATUS : 1;
}
