// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps a page of a file that is stored in the image, while being traced. A
 * debugger may write breakpoints to it, so it must be a copy. Its address goes to
 * descriptor 1. Then this waits for the tracer to write a word to the page, and
 * says by the exit status what has become of it: 42 if the word is there.
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/signal.h>

#include "lib.h"

int main(int argc, char **argv)
{
	volatile unsigned long *addr;

	if (argc < 2 || my_syscall4(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0))
		return 3;
	addr = map(argv[1], PAGE, PROT_READ, MAP_PRIVATE, 0);
	if (addr == MAP_FAILED)
		return 4;
	if (write(1, &addr, sizeof(addr)) != sizeof(addr))
		return 5;
	kill(getpid(), SIGSTOP);
	return *addr == TRACERS_WORD ? 42 : 6;
}
