// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set-user-ID program without a libc: its exit status is its effective user.
 */

int main(void)
{
	return geteuid();
}
