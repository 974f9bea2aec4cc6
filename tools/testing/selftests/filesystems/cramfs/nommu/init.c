// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of the test guest without an MMU: runs the programs named by
 * nommu.run= one after the other on the console, and ends the machine. The
 * kernel's own console output is off ("quiet"); its log, which is short, is copied
 * by whoever runs. run-nommu.sh reads the console.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>

#include "lib.h"

#define MAX_ARGS	12

/* For all programs: the place up to which the log is read goes with the open file. */
static void open_log(void)
{
	char record[128] = "", *number;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd < 0 || dup2(fd, LOG_FD) < 0)
		printf("# init: /dev/kmsg: errno %d\n", errno);
	close(fd);
	/* The first record is short. Is it still there? */
	read(LOG_FD, record, sizeof(record) - 1);
	number = strchr(record, ',');
	if (!number || strncmp(number, ",0,", 3))
		printf("# kmsg lost\n");
	lseek(LOG_FD, 0, SEEK_SET);
}

/* A program name may be followed by arguments, separated by colons. */
static void run_tests_of(char *name)
{
	static char *const envp[] = { NULL };
	char path[64] = BIN, *argv[MAX_ARGS + 1];
	int argc = 0, pid, status = 0;

	printf("# run %s\n", name);
	for (char *arg = name; arg && argc < MAX_ARGS; argc++) {
		argv[argc] = arg;
		arg = strchr(arg, ':');
		if (arg)
			*arg++ = 0;
	}
	argv[argc] = NULL;
	strlcat(path, argv[0], sizeof(path));
	pid = vfork();
	if (!pid) {
		my_syscall3(__NR_execve, path, argv, envp);
		my_syscall1(__NR_exit, 127);
	}
	waitpid(pid, &status, 0);
	copy_log();
	printf("# end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The board resets by its watchdog only, and nothing keeps a program from that. */
static void end_machine(void)
{
	volatile unsigned int *dog = (volatile unsigned int *)0x40008000;

	dog[0xc00 / 4] = 0x1acce551;	/* LOCK */
	dog[0] = 1;			/* LOAD */
	dog[8 / 4] = 3;			/* CONTROL: interrupt, then reset */
	for (;;)
		sleep(1000);
}

int main(void)
{
	char line[512];

	if (mount("proc", "/proc", "proc", 0, NULL))
		printf("# init: /proc: errno %d\n", errno);
	open_log();
	copy_log();
	if (cmdline_get("nommu.run", line, sizeof(line))) {
		for (char *name = line, *next; name; name = next) {
			next = strchr(name, ',');
			if (next)
				*next++ = 0;
			run_tests_of(name);
		}
	}
	if (copy_log())
		printf("# kmsg end\n");
	printf("# all run\n");
	/* The transmitter is slower than we are. */
	sleep(1);
	end_machine();
	return 0;
}
