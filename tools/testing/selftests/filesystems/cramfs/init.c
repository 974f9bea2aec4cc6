// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of the test guest: mounts what tests need, runs the programs
 * named by cramfs.run= one after the other on the console, with the kernel's
 * log in between, and switches the machine off. run-guest.sh reads the console.
 *
 * The kernel's own console output is off ("quiet"): it would cut test results
 * in two. Its log is copied here instead, a line at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

#ifndef TESTS
#define TESTS		"/t/bin/"
#endif
#define LAST_RECORD	"cramfs-tests-end"

static void mount_or_say(const char *type, const char *where)
{
	if (mount(type, where, type, 0, NULL) && errno != EBUSY)
		printf("# init: %s: %s\n", where, strerror(errno));
}

/*
 * Copies the kernel's log to the console until it sees LAST_RECORD. That records
 * are lost, and the end, is for console-to-tap.awk to know.
 */
static void copy_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY);
	char record[2048], line[2200];
	ssize_t len;

	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *text;

		if (len <= 0) {
			printf("# kmsg lost\n");
			continue;
		}
		record[len] = 0;
		text = kmsg_text(record);
		if (!text)
			continue;
		if (strstr(text, LAST_RECORD)) {
			printf("# kmsg end\n");
			break;
		}
		len = snprintf(line, sizeof(line), "# kmsg <%ld> %s\n",
			       strtol(record, NULL, 10) & 7, text);
		if (write(STDOUT_FILENO, line, len) != len)
			break;
	}
	_exit(0);
}

static void end_log(pid_t logger)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	if (fd >= 0 && write(fd, LAST_RECORD "\n", sizeof(LAST_RECORD)) > 0)
		waitpid(logger, NULL, 0);
	close(fd);
}

static long uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* A program name may be followed by arguments, separated by colons. */
static void run_tests(char *name)
{
	char path[64], *argv[16];
	int status = 0, argc = 0;
	pid_t pid;

	printf("# run %s at %ld s\n", name, uptime());
	pid = fork();
	if (!pid) {
		argv[argc++] = path;
		snprintf(path, sizeof(path), TESTS "%s", strsep(&name, ":"));
		while (name && argc < 15)
			argv[argc++] = strsep(&name, ":");
		argv[argc] = NULL;
		execv(path, argv);
		printf("# %s: %s\n", path, strerror(errno));
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("# end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static char *kernel_parameters(void)
{
	static char line[2048];
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t len = read(fd, line, sizeof(line) - 1);

	close(fd);
	line[len > 0 ? len : 0] = 0;
	return line;
}

static void switch_off(bool chip_is_busy)
{
	tcdrain(STDOUT_FILENO);
	if (chip_is_busy) {
		/*
		 * A flash chip with a mapping of it still in use keeps the
		 * orderly way waiting for ever, in its reboot notifier.
		 */
		int fd = open("/proc/sysrq-trigger", O_WRONLY);

		if (write(fd, "b", 1) == 1)
			pause();
	}
	reboot(RB_POWER_OFF);
}

int main(void)
{
	char *line, *word, *name;
	pid_t logger;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_or_say("proc", "/proc");
	mount_or_say("sysfs", "/sys");
	mount_or_say("devtmpfs", "/dev");
	mount_or_say("tmpfs", "/tmp");
	logger = fork();
	if (!logger)
		copy_log();
	line = strdup(kernel_parameters());
	while ((word = strsep(&line, "\n "))) {
		if (strncmp(word, "cramfs.run=", 11))
			continue;
		word += 11;
		while ((name = strsep(&word, ",")))
			run_tests(name);
	}
	end_log(logger);
	printf("# all run at %ld s\n", uptime());
	switch_off(strstr(kernel_parameters(), "cramfs.mode=cfi"));
	return 0;
}
