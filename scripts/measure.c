// SPDX-License-Identifier: GPL-2.0-only
/*
 * measure COMMAND...: run it, and print its exit status, the seconds that it took, the
 * CPU seconds of all its threads, and its peak RSS in bytes. A process counts the
 * memory of the one that it was a copy of: so this one, which is small, and not
 * an interpreter.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	double began = now();
	struct rusage usage;
	int status, null;
	pid_t pid;

	if (argc < 2)
		return 1;
	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	printf("%d %.6f %.6f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       now() - began, seconds(usage.ru_utime) + seconds(usage.ru_stime),
	       usage.ru_maxrss * 1024);
	return 0;
}
