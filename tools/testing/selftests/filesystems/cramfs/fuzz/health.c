// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the kernel is: what it says that it should not have to say, and what it has
 * in use that it does not give back. What stops it is for whoever watches the guest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define SLABS		"/sys/kernel/slab/"
#define DROP_CACHES	"/proc/sys/vm/drop_caches"
#define MAX_SLABS	400

/* What may be more than in the beginning without being lost. */
#define SPARE_OBJECTS	40
#define SPARE_PAGES	200

static int log_fd;

static struct slab {
	char name[64];
	long objects;
} slabs[MAX_SLABS];
static unsigned int nr_slabs;
static long free_pages, images_before;

/* All that the driver says begins like this; it is told to say much, not often. */
static bool is_harmless(const char *line)
{
	static const char * const begins[] = {
		"cramfs: ", "cramfs_corrupt: ", "loop0: ", "set_capacity_and_notify: ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (!strncmp(line, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		broken("%s: %s", path, strerror(errno));
	close(fd);
}

/**
 * health_init() - forget what the kernel has said so far
 */
void health_init(void)
{
	/* From now on the kernel does not tell each time that caches are dropped. */
	write_file(DROP_CACHES, "4");
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0 || lseek(log_fd, 0, SEEK_END) < 0)
		broken("/dev/kmsg: %s", strerror(errno));
}

/**
 * health_check_log() - a finding if the kernel has said anything unexpected
 */
void health_check_log(void)
{
	char record[2048], *line;
	ssize_t len;

	while ((len = read(log_fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len <= 0)
			continue;
		record[len] = 0;
		line = strchr(record, ';');
		if (!line)
			continue;
		line++;
		line[strcspn(line, "\n")] = 0;
		if (!is_harmless(line))
			finding("the kernel says: %s", line);
	}
}

static long read_number(const char *path, const char *after)
{
	char text[2048], *at = text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len < 0)
		broken("%s: %s", path, strerror(errno));
	close(fd);
	text[len] = 0;
	if (after) {
		at = strstr(text, after);
		if (!at)
			broken("%s: no %s", path, after);
		at += strlen(after);
	}
	return strtol(at, NULL, 10);
}

/**
 * health_forget_caches() - have the kernel read everything anew
 */
void health_forget_caches(void)
{
	write_file(DROP_CACHES, "3");
}

/* KASAN keeps what was freed for a while, unless a cache is asked to shrink. */
static long count_objects(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), SLABS "%.63s/shrink", name);
	write_file(path, "1");
	snprintf(path, sizeof(path), SLABS "%.63s/objects", name);
	return read_number(path, NULL);
}

static void find_slabs(void)
{
	DIR *dir = opendir(SLABS);
	struct dirent *d;

	if (!dir)
		broken(SLABS ": %s", strerror(errno));
	while ((d = readdir(dir)) && nr_slabs < MAX_SLABS) {
		if (d->d_name[0] == '.' || d->d_name[0] == ':')
			continue;
		snprintf(slabs[nr_slabs++].name, sizeof(slabs[0].name), "%.63s",
			 d->d_name);
	}
	closedir(dir);
}

/* Return: whether there is not much more in use than before; if there is, @what says so. */
static bool count_all(bool first, long spare, char *what, size_t size)
{
	long now;

	health_forget_caches();
	for (unsigned int i = 0; i < nr_slabs; i++) {
		struct slab *slab = &slabs[i];

		now = count_objects(slab->name);
		if (first)
			slab->objects = now;
		if (now <= slab->objects + SPARE_OBJECTS + spare)
			continue;
		snprintf(what, size, "%.63s: %ld objects in use, %ld before", slab->name, now,
			 slab->objects);
		return false;
	}
	now = read_number("/proc/meminfo", "MemFree:") / (PAGE / 1024);
	if (first)
		free_pages = now;
	if (now >= free_pages - SPARE_PAGES - spare)
		return true;
	snprintf(what, size, "%ld free pages, %ld before", now, free_pages);
	return false;
}

/**
 * health_check_leaks() - a finding if more is in use than there was at the first call
 * @images: how many have been tried so far
 *
 * One object or page for every ten images is too many, since not every image
 * has what it takes.
 */
void health_check_leaks(unsigned long images)
{
	bool first = !nr_slabs;
	char what[256];

	if (first) {
		find_slabs();
		images_before = images;
	}
	/* Some things are freed a little later. */
	for (int tries = 0; tries < 30; tries++) {
		if (count_all(first && tries == 5, (images - images_before) / 10, what,
			      sizeof(what)) && (!first || tries == 5))
			return;
		usleep(100000);
	}
	finding("%s", what);
}
