// SPDX-License-Identifier: GPL-2.0-only
/*
 * First process of a guest without a libc, as init.c is of one with. Runs the
 * programs named by cramfs.run= one after the other on the console, shows the
 * kernel's log, and switches the machine off. run-guest.sh reads the console.
 */
#include <stdbool.h>

#define TESTS		"/t/bin/"
#define LAST_RECORD	"cramfs-tests-end"
#define MAX_ARGS	12

static void mount_or_say(const char *type, const char *where)
{
	if (mount(type, where, type, 0, NULL) && errno != EBUSY)
		printf("# init: %s: errno %d\n", where, errno);
}

/* A program name may be followed by arguments, separated by colons. */
static void run_tests(char *name)
{
	static char *const envp[] = { NULL };
	char path[64] = TESTS, *argv[MAX_ARGS + 1];
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
	pid = fork();
	if (!pid) {
		execve(path, argv, envp);
		printf("# %s: errno %d\n", path, errno);
		exit(127);
	}
	waitpid(pid, &status, 0);
	printf("# end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static bool ends(const char *text)
{
	return !strncmp(text, LAST_RECORD, strlen(LAST_RECORD));
}

/* All at the end: what is printed meanwhile is not cut in two. */
static void copy_log(void)
{
	int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
	static char record[2048];
	bool ended = false;
	long len;

	write(fd, LAST_RECORD "\n", strlen(LAST_RECORD) + 1);
	while (!ended && ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE)) {
		char *text, *end;

		if (len <= 0) {
			printf("# kmsg lost\n");
			continue;
		}
		record[len] = 0;
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		end = strchr(text, '\n');
		if (end)
			*end = 0;
		ended = ends(text);
		printf("# kmsg %s\n", ended ? "end" : text);
	}
	close(fd);
}

int main(void)
{
	static char line[2048];
	int fd;

	mount_or_say("proc", "/proc");
	mount_or_say("devtmpfs", "/dev");
	fd = open("/proc/cmdline", O_RDONLY);
	read(fd, line, sizeof(line) - 1);
	close(fd);
	for (char *word = line, *next; word; word = next) {
		next = strchr(word, ' ');
		if (next)
			*next++ = 0;
		if (strncmp(word, "cramfs.run=", 11))
			continue;
		if (strchr(word, '\n'))
			*strchr(word, '\n') = 0;
		for (char *name = word + 11, *more; name; name = more) {
			more = strchr(name, ',');
			if (more)
				*more++ = 0;
			run_tests(name);
		}
	}
	copy_log();
	printf("# all run\n");
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	return 0;
}
