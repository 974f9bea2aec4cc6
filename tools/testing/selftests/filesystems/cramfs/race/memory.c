// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of the race test that take something away from the others: memory, by
 * dropping what is cached and by using it up; and their lives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

#define MAX_HOGGING	10	/* seconds */

static void flush_device(const char *device)
{
	int fd = open(device, O_RDONLY);

	if (fd < 0 || ioctl(fd, BLKFLSBUF, 0))
		fail("%s: BLKFLSBUF: %s", device, strerror(errno));
	close(fd);
}

/**
 * drop_round() - have the kernel forget what it has read
 */
void drop_round(void)
{
	const struct home *home = any_home();

	if (home->device[0] && one_in(2))
		flush_device(home->device);
	else if (write_text("/proc/sys/vm/drop_caches", "%u", 1 + random_below(3)))
		fail("drop_caches: %s", strerror(errno));
	if (one_in(16))
		write_text("/proc/sys/vm/compact_memory", "1");
	short_sleep(20000);
}

/**
 * reclaim_round() - take memory from the group that some workers are in
 */
void reclaim_round(void)
{
	if (write_text(GROUP "/memory.reclaim", "%u", 1 + random_below(4 << 20)) &&
	    errno != EAGAIN)
		fail("memory.reclaim: %s", strerror(errno));
	short_sleep(20000);
}

static size_t amount(const char *key)
{
	return (size_t)number_in("/proc/meminfo", key) << 10;
}

/* Nearly all that there is, so that others have to give up what they have. */
static void take_memory(void)
{
	const size_t step = 2 << 20, leave = amount("MemTotal:") / 20;
	const long end = seconds() + MAX_HOGGING;

	write_text("/proc/self/oom_score_adj", "1000");
	while (!shared->stop && amount("MemAvailable:") > leave && seconds() < end) {
		note_progress();
		if (mmap(NULL, step, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
			break;
	}
	short_sleep(300000);
}

/**
 * hog_round() - use up memory for a moment
 */
void hog_round(void)
{
	pid_t pid = start_child();

	if (!pid) {
		take_memory();
		_exit(0);
	}
	/* The kernel may have chosen it. */
	waitpid(pid, NULL, 0);
	short_sleep(500000);
}

/**
 * kill_round() - have somebody work, and end him in the middle of it
 */
void kill_round(void)
{
	static const enum kind kinds[] = {
		DO_READ, DO_WALK, DO_WALK, DO_MAP, DO_COW, DO_THREADS, DO_SPLICE, DO_LOOKUP,
		DO_FIEMAP, DO_MOUNT_BLOCK, DO_MOUNT_MTD,
	};
	static const int signals[] = { SIGKILL, SIGKILL, SIGTERM, SIGINT };
	enum kind kind = kinds[random_below(ARRAY_SIZE(kinds))];
	pid_t pid = start_child();
	int status;

	if (!pid) {
		while (!shared->stop)
			do_round(kind);
		_exit(0);
	}
	short_sleep(kind == DO_WALK ? 200000 : 60000);
	kill(pid, signals[random_below(4)]);
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		__sync_add_and_fetch(&shared->killed, 1);
	unmount_all_below(my_dir);
}
