// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures to order: through the kernel's fault injection, of this process only.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define MANY		1000000

enum { SLAB, PAGES, IO };

static const char *const attrs[] = { "failslab", "fail_page_alloc", "fail_make_request" };

static int set(int attr, const char *knob, long value)
{
	char path[96];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attrs[attr], knob);
	return write_text(path, "%ld", value);
}

static long get(int attr, const char *knob)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attrs[attr], knob);
	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	return strtol(text, NULL, 0);
}

static int set_disk(const char *disk, bool fail)
{
	char path[96];

	if (!disk)
		return 0;
	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", disk);
	return write_text(path, "%d", fail);
}

/*
 * Which caches can fail: not those of the kernel's search for leaks, which would be
 * half of all places.
 */
static int mark_slabs(bool fail)
{
	const char *dir = "/sys/kernel/slab";
	char path[300];
	struct dirent *de;
	DIR *slabs = opendir(dir);

	if (!slabs)
		return -1;
	while ((de = readdir(slabs))) {
		if (de->d_name[0] == '.' || strstr(de->d_name, "kmemleak"))
			continue;
		/* Of those that share their slabs with others this fails. */
		snprintf(path, sizeof(path), "%s/%s/failslab", dir, de->d_name);
		write_text(path, "%d", fail);
	}
	return closedir(slabs);
}

static int attr_of(const struct kind *kind)
{
	return kind->slab ? SLAB : kind->pages ? PAGES : IO;
}

/**
 * inject_select() - say what can fail; nothing does yet
 * @kind: what
 * @disk: of a block device, the name; or NULL
 *
 * Return: 0, -1 with errno
 */
int inject_select(const struct kind *kind, const char *disk)
{
	for (int attr = SLAB; attr <= IO; attr++) {
		bool burst = kind->step && attr == attr_of(kind);

		if (set(attr, "task-filter", 1) || set(attr, "verbose", 0) ||
		    set(attr, "interval", 1) || set(attr, "times", 0) ||
		    set(attr, "space", 0) || set(attr, "probability", burst ? 100 : 0))
			return -1;
	}
	/* No allocation is as large as those that may fail if no pages are to. */
	if (mark_slabs(kind->slab) || set(SLAB, "cache-filter", 1) ||
	    set(SLAB, "ignore-gfp-wait", 0) || set(PAGES, "ignore-gfp-wait", 0) ||
	    set(PAGES, "ignore-gfp-highmem", 0) ||
	    set(PAGES, "min-order", kind->pages ? 0 : 100))
		return -1;
	return set_disk(disk, kind->io);
}

/*
 * These are open all the time: an open() would be one more thing to fail. They belong
 * to one process.
 */
static int fail_nth = -1, make_it_fail = -1;
static pid_t whose;

static int open_mine(void)
{
	if (whose == getpid())
		return 0;
	whose = getpid();
	close(fail_nth);
	close(make_it_fail);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	make_it_fail = open("/proc/thread-self/make-it-fail", O_RDWR);
	return fail_nth < 0 || make_it_fail < 0 ? -1 : 0;
}

static int write_number(int fd, unsigned int number)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", number);

	return pwrite(fd, text, len, 0) == len ? 0 : -1;
}

static int read_number(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : -1;
}

/**
 * inject_arm() - order failures for this process; children have none of them
 * @kind: as selected
 * @n: from 1 on
 *
 * Return: 0, -1 with errno
 */
int inject_arm(const struct kind *kind, unsigned int n)
{
	if (open_mine())
		return -1;
	if (!kind->step)
		return write_number(fail_nth, n);
	if (set(attr_of(kind), "space", (n - 1) * kind->step + 1) ||
	    set(attr_of(kind), "times", kind->burst))
		return -1;
	return write_number(make_it_fail, 1);
}

/**
 * inject_disarm() - no more failures
 * @kind: as selected
 *
 * Return: how many there were, -1 with errno
 */
int inject_disarm(const struct kind *kind)
{
	int left;

	if (!kind->step) {
		left = read_number(fail_nth);
		return write_number(fail_nth, 0) || left < 0 ? -1 : !left;
	}
	if (write_number(make_it_fail, 0))
		return -1;
	left = get(attr_of(kind), "times");
	return left < 0 ? -1 : (int)kind->burst - left;
}

/**
 * inject_of_child() - what became of the failures of a child
 * @kind: as selected
 * @pid: the child, which may have ended but was not waited for
 *
 * Return: how many there were, -1 with errno
 */
int inject_of_child(const struct kind *kind, pid_t pid)
{
	char path[64], text[16];

	if (kind->step) {
		int left = get(attr_of(kind), "times");

		return left < 0 ? -1 : (int)kind->burst - left;
	}
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", (int)pid);
	return read_text(path, text, sizeof(text)) <= 0 ? -1 : !atoi(text);
}

/**
 * inject_at_random() - let requests to a disk fail, whosever they are
 * @disk: its name
 * @percent: how many
 *
 * Return: 0, -1 with errno
 */
int inject_at_random(const char *disk, unsigned int percent)
{
	static const struct kind io = { .io = true };

	if (inject_select(&io, disk) || set(IO, "task-filter", 0) || set(IO, "times", MANY))
		return -1;
	return set(IO, "probability", percent);
}

/**
 * inject_end_random() - no more failures
 * @disk: as for inject_at_random()
 *
 * Return: how many there were, -1 with errno
 */
long inject_end_random(const char *disk)
{
	if (set(IO, "probability", 0) || set_disk(disk, false))
		return -1;
	return MANY - get(IO, "times");
}
