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
	mount("proc", "/proc", "proc", 0, NULL);
	copy_out("/proc/meminfo");
	copy_out("/proc/self/maps");
	copy_out("/proc/slabinfo");
	printf("\nRUNNING\n");
	/* The UART has a queue. */
	sleep(1);
	end();
	for (;;)
		sleep(1000);
}
