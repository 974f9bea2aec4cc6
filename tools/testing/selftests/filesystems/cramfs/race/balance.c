// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has to come back after a run of the race test: what nobody uses any more is not
 * in memory when the kernel has been asked to forget it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define DROP_CACHES	"/proc/sys/vm/drop_caches"
#define PATIENCE	200	/* beats, for what is to come back */

/* Pages are those in the cache, of files and of devices. */
struct balance {
	long inodes;
	long dentries;
	long pages;
	long free_kb;
};

static struct balance before;
static unsigned long leaks_since;	/* jiffies */

static long slab_objects(const char *cache)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	must(!write_text(path, "1"), path);
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return number_in(path, "");
}

static struct balance take_balance(void)
{
	struct balance balance;

	/* Inodes of the last one are freed after a grace period, as are pages of a cache. */
	sync();
	for (int n = 0; n < 3; n++) {
		must(!write_text(DROP_CACHES, "3"), DROP_CACHES);
		usleep(200000);
	}
	balance.inodes = slab_objects("inode_cache");
	balance.dentries = slab_objects("dentry");
	balance.pages = number_in("/proc/vmstat", "nr_file_pages ");
	balance.free_kb = number_in("/proc/meminfo", "MemFree:");
	note_progress();
	return balance;
}

/**
 * begin_balance() - note what is in use
 */
void begin_balance(void)
{
	struct balance last;

	before = take_balance();
	do {
		last = before;
		before = take_balance();
	} while (before.pages < last.pages);
}

static void show_balance(const char *when, const struct balance *balance)
{
	printf("# %s: inodes %ld, dentries %ld, pages %ld, free %ld kB\n", when, balance->inodes,
	       balance->dentries, balance->pages, balance->free_kb);
}

/*
 * The kernel has a few of each more or less, for /proc and for itself. Of pages there
 * are none but in the initramfs, whether something is mounted or not.
 */
static bool is_balanced(const struct balance *after)
{
	return after->inodes <= before.inodes + 16 && after->dentries <= before.dentries + 150 &&
	       after->pages <= before.pages &&
	       after->free_kb >= before.free_kb - 16 * 1024;
}

/**
 * comes_back() - is no more in use than at begin_balance()?
 * @when: what to call it in the output
 *
 * Sooner or later: there is always something that is freed a little later.
 *
 * Return: whether it is so
 */
bool comes_back(const char *when)
{
	unsigned long since = shared->beats;
	struct balance after;
	bool balanced;

	do {
		after = take_balance();
		balanced = is_balanced(&after);
	} while (!balanced && shared->beats - since < PATIENCE);
	show_balance("before", &before);
	show_balance(when, &after);
	return balanced;
}

/* Is there an object that nobody knows of, made since begin_leaks()? By whomever. */
static bool list_leaks(void)
{
	FILE *file = fopen(KMEMLEAK, "r");
	unsigned int show = 0, found = 0;
	char line[256], head[256] = "", *at;

	must(file, KMEMLEAK);
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, ", jiffies ");
		if (!strncmp(line, "unreferenced", 12)) {
			snprintf(head, sizeof(head), "%s", line);
			show = 0;
		} else if (at && (long)(strtoul(at + 10, NULL, 10) - leaks_since) >= 0) {
			show = found++ < 5 ? 30 : 0;
			if (show)
				printf("# %s", head);
		}
		if (show && show--)
			printf("# %s", line);
	}
	fclose(file);
	return found;
}

/**
 * begin_leaks() - what is lost from now on counts
 *
 * Return: whether the kernel can tell, which it does if it was told so at boot
 */
bool begin_leaks(void)
{
	/* A search takes a minute or more. */
	if (write_text(KMEMLEAK, "scan=off"))
		return false;
	leaks_since = number_in("/proc/timer_list", "jiffies: ");
	return true;
}

/**
 * find_leaks() - has the kernel lost any memory since begin_leaks()?
 *
 * The first scan notes sums of new objects: what changes is not lost. Nor is what is on
 * its way from one place to another, which the last one is for.
 *
 * Return: whether it has
 */
bool find_leaks(void)
{
	for (int n = 0; n < 3; n++) {
		sleep(6);
		must(!write_text(KMEMLEAK, "scan"), KMEMLEAK);
		note_progress();
	}
	return list_leaks();
}
