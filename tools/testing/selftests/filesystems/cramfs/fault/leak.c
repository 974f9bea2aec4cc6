// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be after failures as it was before: objects of slab caches, pages, claims
 * of physical memory, MTD devices; and memory that nothing points to, which kmemleak
 * finds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

/* For what is freed after a grace period, or by a worker, of a guest that gets no time. */
#define SETTLE_MS	30000
/* What is for new call chains next, and a page table of user-mode Linux: neither counts. */
#define PAGES_SLACK	5

/* Of which a mount, an open file or a mapping has one. */
static const char *const slabs[NR_SLABS] = {
	"inode_cache", "dentry", "filp", "mnt_cache", "names_cache", "vm_area_struct",
};

static int hash_of(const char *path, __u32 *hash)
{
	static char text[16384];

	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	*hash = 2166136261U;
	for (const char *p = text; *p; p++)
		*hash = (*hash ^ (unsigned char)*p) * 16777619;
	return 0;
}

/* Sum of the numbers after a word, wherever it is the first of a line. */
static long sum_of(const char *text, const char *word)
{
	size_t len = strlen(word);
	long sum = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		if (!strncmp(line, word, len) && line[len] == ' ')
			sum += strtol(line + len, NULL, 10);
	}
	return sum;
}

static int count_pages(struct counters *counters)
{
	static const char *const used[] = {
		"nr_free_pages", "count:", "nr_inactive_anon", "nr_active_anon",
		"nr_inactive_file", "nr_active_file", "nr_unevictable",
		"nr_slab_reclaimable", "nr_slab_unreclaimable", "nr_page_table_pages",
	};
	static char text[32768];
	long kept;

	/* To ask what is kept may take some more. */
	do {
		kept = pages_kept();
		if (kept < 0 || read_text("/proc/zoneinfo", text, sizeof(text)) < 0)
			return -1;
	} while (kept != pages_kept());
	counters->pages = sum_of(text, "managed") - sum_of(text, "nr_kernel_stack") * 1024 / PAGE -
			  kept;
	for (unsigned int n = 0; n < ARRAY_SIZE(used); n++)
		counters->pages -= sum_of(text, used[n]);
	counters->lru = sum_of(text, "nr_inactive_file") + sum_of(text, "nr_active_file") +
			sum_of(text, "nr_inactive_anon") + sum_of(text, "nr_active_anon") +
			sum_of(text, "nr_unevictable") -
			sum_of(text, "nr_file_pages") - sum_of(text, "nr_anon_pages");
	return 0;
}

static int slab_number(const char *slab, const char *what, long *number)
{
	char path[96], text[256];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", slab, what);
	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	*number = strtol(text, NULL, 10);
	return 0;
}

/*
 * The slab that a processor takes objects from counts as used, whatever it has left,
 * and so does one that it has just been done with.
 */
static int count_objects(struct counters *counters)
{
	char path[96];

	for (unsigned int n = 0; n < NR_SLABS; n++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", slabs[n]);
		/* Objects that KASAN keeps from being reused are still counted, but not then. */
		if (write_text(path, "1") ||
		    slab_number(slabs[n], "objects", &counters->slabs[n]) ||
		    slab_number(slabs[n], "objs_per_slab", &counters->slab_slack[n]))
			return -1;
		counters->slab_slack[n] *= 2;
	}
	return 0;
}

/**
 * count() - what is in use now
 * @counters: result
 *
 * Return: 0, -1 with errno
 */
int count(struct counters *counters)
{
	if (forget_caches())
		return -1;
	write_text("/proc/sys/vm/stat_refresh", "1");
	counters->areas = count_areas();
	if (counters->areas < 0 || count_objects(counters) ||
	    hash_of("/proc/iomem", &counters->iomem) || hash_of("/proc/mtd", &counters->mtd))
		return -1;
	return count_pages(counters);
}

static char *append(char *at, const char *end, const char *what, long before, long after)
{
	int len = snprintf(at, end - at, " %s %ld->%ld", what, before, after);

	return len < end - at ? at + len : at;
}

static bool grown(const struct counters *after, const struct counters *before, char *what,
		  size_t size)
{
	char *at = what;

	*at = 0;
	if (after->pages > before->pages + PAGES_SLACK)
		at = append(at, what + size, "pages", before->pages, after->pages);
	/* A page that is new may not be on a list yet. */
	if (after->lru > (before->lru > 0 ? before->lru : 0))
		at = append(at, what + size, "pages of no file", before->lru, after->lru);
	if (after->areas > before->areas)
		at = append(at, what + size, "mapped areas", before->areas, after->areas);
	if (after->iomem != before->iomem)
		at = append(at, what + size, "/proc/iomem", before->iomem, after->iomem);
	if (after->mtd != before->mtd)
		at = append(at, what + size, "/proc/mtd", before->mtd, after->mtd);
	for (unsigned int n = 0; n < NR_SLABS; n++)
		if (after->slabs[n] > before->slabs[n] + before->slab_slack[n])
			at = append(at, what + size, slabs[n], before->slabs[n], after->slabs[n]);
	return at > what;
}

/**
 * now_ms() - what time it is
 *
 * Return: milliseconds since some time
 */
long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/**
 * count_until() - count again, until no more is in use than before, or for some seconds
 * @after: result
 * @before: an earlier result
 * @what: what is still in use that was not, as text; empty if nothing is
 * @size: of @what
 *
 * Return: 0, -1 with errno
 */
int count_until(struct counters *after, const struct counters *before, char *what, size_t size)
{
	long deadline = now_ms() + SETTLE_MS;

	do {
		if (count(after))
			return -1;
		if (!grown(after, before, what, size))
			break;
		usleep(20000);
	} while (now_ms() < deadline);
	return 0;
}
