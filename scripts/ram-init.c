// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only program of the systems that ram.sh measures: it says how much of the
 * RAM is in use, where its own text is, and ends the guest. Without an MMU that
 * is done by the watchdog of the board (MPS2), which has nothing else for it.
 */

#include "nolibc.h"

static void copy_out(const char *path)
{
	static char buf[512];
	int fd = open(path, O_RDONLY), got;

	while (fd >= 0 && (got = read(fd, buf, sizeof(buf))) > 0)
		write(1, buf, got);
	close(fd);
}

/* The physical address of the instruction that asks; 0 if that is not known. */
static unsigned long where_text_is(void)
{
	unsigned long address;

	__asm__ ("mov %0, pc" : "=r"(address));
#ifndef __FDPIC__
	{
		/* PFN and flags; a page of RAM and one of flash are alike there. */
		unsigned long long page = 0;
		int fd = open("/proc/self/pagemap", O_RDONLY);

		lseek(fd, address / 4096 * sizeof(page), SEEK_SET);
		if (read(fd, &page, sizeof(page)) != sizeof(page))
			page = 0;
		close(fd);
		page &= (1ULL << 55) - 1;
		address = page ? page * 4096 + address % 4096 : 0;
	}
#endif
	return address;
}

static void end(void)
{
#ifdef __FDPIC__
	volatile unsigned int *watchdog = (unsigned int *)0x40008000;

	watchdog[0xc00 / 4] = 0x1acce551;
	watchdog[0] = 1;
	watchdog[2] = 3;
#else
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
#endif
}

int main(void)
{
	unsigned long text;
	char digits[9];

	mount("proc", "/proc", "proc", 0, NULL);
	copy_out("/proc/meminfo");
	copy_out("/proc/self/maps");
	text = where_text_is();
	for (int n = 7; n >= 0; n--, text >>= 4)
		digits[n] = "0123456789abcdef"[text & 15];
	digits[8] = '\0';
	printf("text at %s\n\nRUNNING\n", digits);
	/* The UART has a queue. */
	sleep(1);
	end();
	for (;;)
		sleep(1000);
}
