// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps a page of a file that is stored in the image, while being traced. A
 * debugger may write breakpoints to it, so it must be a copy. The exit status
 * says where it is: 1 in the ROM, 2 in RAM.
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/ptrace.h>

#include "lib.h"

int main(int argc, char **argv)
{
	void *addr;

	if (argc < 2 || my_syscall4(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0))
		return 3;
	addr = map(argv[1], PAGE, PROT_READ, MAP_PRIVATE, 0);
	if (addr == MAP_FAILED)
		return 4;
	return in_rom(addr) ? 1 : 2;
}
