// SPDX-License-Identifier: GPL-2.0-only
/*
 * poweroff: the board has nothing to switch off, and Linux knows no way to reset
 * it. Its watchdog does; a program can reach it, since there is no MMU, and QEMU
 * ends with the reset.
 */

#include <stdint.h>
#include <termios.h>
#include <unistd.h>

#define WATCHDOG	0x40008000
#define LOAD		0x000
#define CONTROL		0x008
#define LOCK		0xc00
#define UNLOCK		0x1acce551
#define INTERRUPT	1
#define RESET		2

static void set(uintptr_t reg, uint32_t value)
{
	*(volatile uint32_t *)(WATCHDOG + reg) = value;
}

int main(void)
{
	tcdrain(STDOUT_FILENO);
	set(LOCK, UNLOCK);
	set(LOAD, 1);
	set(CONTROL, INTERRUPT | RESET);
	for (;;)
		pause();
}
