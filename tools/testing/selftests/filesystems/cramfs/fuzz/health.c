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

#include "../proc.h"
#include "fuzz.h"

#define SLABS		"/sys/kernel/slab/"
#define MAX_SLABS	400

/* What may be more than in the beginning without being lost. */
#define SPARE_OBJECTS	40
#define SPARE_PAGES	200

static int log_fd, meminfo_fd;

/**
 * struct slab - a cache of objects
 * @name: as in SLABS
 * @shrink: what to write to, so that objects that are free are gone
 * @count: where the number of objects is
 * @objects: how many there were at first
 */
static struct slab {
	char name[64];
	int shrink, count;
	long objects;
} slabs[MAX_SLABS];
static unsigned int nr_slabs;
static long free_pages, areas, images_before;

/*
 * How what the driver says begins, what a loop device says, that a busy host keeps a
 * guest's clocks from being on time, and what a slow guest says some minutes after boot.
 */
static bool is_harmless(const char *line)
{
	static const char * const begins[] = {
		"cramfs: ", "cramfs_corrupt: ", "loop0: ", "set_capacity_and_notify: ",
		"clocksource: ", "hrtimer: ", "tsc: ", "sched_clock: ", "random: crng init done",
	};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (!strncmp(line, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		broken("%s: %s", path, strerror(errno));
	return fd;
}

/**
 * health_init() - forget what the kernel has said so far
 */
void health_init(void)
{
	/* The first time, the kernel tells. */
	health_forget_caches();
	log_fd = open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (lseek(log_fd, 0, SEEK_END) < 0)
		broken("/dev/kmsg: %s", strerror(errno));
}

/**
 * health_check_log() - a finding if the kernel has said anything unexpected
 */
void health_check_log(void)
{
	char record[8192], *line;
	ssize_t len;

	while ((len = read(log_fd, record, sizeof(record) - 1)) > 0) {
		record[len] = 0;
		line = kmsg_text(record);
		if (line && !is_harmless(line))
			finding("the kernel says: %s", line);
	}
	if (len == 0 || errno != EAGAIN)
		finding("some of what the kernel says is lost: %s", strerror(errno));
}

static long read_number(int fd, const char *after)
{
	char text[2048], *at = text;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len < 0)
		broken("%s: %s", after, strerror(errno));
	text[len] = 0;
	if (*after) {
		at = strstr(text, after);
		if (!at)
			broken("no %s", after);
		at += strlen(after);
	}
	return strtol(at, NULL, 10);
}

/**
 * health_forget_caches() - have the kernel read everything anew
 */
void health_forget_caches(void)
{
	if (forget_caches())
		broken("drop_caches: %s", strerror(errno));
}

/* KASAN keeps what was freed for a while, unless a cache is asked to shrink. */
static long count_objects(const struct slab *slab)
{
	if (write(slab->shrink, "1", 1) != 1)
		broken("%s: shrink: %s", slab->name, strerror(errno));
	return read_number(slab->count, "");
}

/* All files stay open: to look for them takes objects, too. */
static void find_slabs(void)
{
	DIR *dir = opendir(SLABS);
	struct dirent *d;
	char path[320];

	if (!dir)
		broken(SLABS ": %s", strerror(errno));
	while ((d = readdir(dir)) && nr_slabs < MAX_SLABS) {
		struct slab *slab = &slabs[nr_slabs];

		/* Addresses that are not used any more are kept until there are many. */
		if (d->d_name[0] == '.' || d->d_name[0] == ':' || !strcmp(d->d_name, "vmap_area"))
			continue;
		nr_slabs++;
		snprintf(slab->name, sizeof(slab->name), "%.63s", d->d_name);
		snprintf(path, sizeof(path), SLABS "%s/shrink", d->d_name);
		slab->shrink = open_file(path, O_WRONLY);
		snprintf(path, sizeof(path), SLABS "%s/objects", d->d_name);
		slab->count = open_file(path, O_RDONLY);
		/* With the first look it gets what it needs, and keeps it. */
		count_objects(slab);
	}
	closedir(dir);
	meminfo_fd = open_file("/proc/meminfo", O_RDONLY);
	read_number(meminfo_fd, "MemFree:");
}

/* What is free, and what is not for other reasons. */
static long count_pages(void)
{
	long kbytes = read_number(meminfo_fd, "MemFree:"), kept = pages_kept();

	if (kept < 0)
		broken("pages that are kept: %s", strerror(errno));
	/* Of processes: the fuzzer, which uses more of its own as time goes by. */
	kbytes += read_number(meminfo_fd, "AnonPages:");
	return kbytes / (PAGE / 1024) + kept;
}

/* Return: whether there is not much more in use than before; if there is, @what says so. */
static bool count_all(bool first, long spare, char *what, size_t size)
{
	long now;

	health_forget_caches();
	for (unsigned int i = 0; i < nr_slabs; i++) {
		struct slab *slab = &slabs[i];

		now = count_objects(slab);
		if (first)
			slab->objects = now;
		if (now <= slab->objects + SPARE_OBJECTS + spare)
			continue;
		snprintf(what, size, "%s: %ld objects in use, %ld before", slab->name, now,
			 slab->objects);
		return false;
	}
	now = count_areas();
	if (now < 0)
		broken("/proc/vmallocinfo: %s", strerror(errno));
	if (first)
		areas = now;
	if (now > areas + SPARE_OBJECTS + spare) {
		snprintf(what, size, "%ld mapped areas, %ld before", now, areas);
		return false;
	}
	now = count_pages();
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

/**
 * health_find_lost() - a finding if there is memory that nothing points to
 *
 * Takes some seconds, and a kernel that was told kmemleak=on.
 */
void health_find_lost(void)
{
	char text[1024];
	int len = read_leaks(text, sizeof(text));

	if (len < 0)
		broken(KMEMLEAK ": %s", strerror(errno));
	if (len)
		finding("of this image or one before: %s", text);
}
