// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says while the race test runs: what is not right is shown, and ends
 * the run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

/* Data races elsewhere in the kernel. */
unsigned long nr_foreign_races;

static const char *const splats[] = {
#define SPLAT(text) text,
#include "../splats.h"
#undef SPLAT
	/* Of cramfs: an inode that makes no sense, where nothing is wrong with the image */
	": inode ",
};

static char **driver_symbols;
static unsigned int nr_symbols;

/* Names of functions, one a line; with KCSAN. */
static void load_symbols(void)
{
	FILE *file = fopen("/symbols", "r");
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		driver_symbols = realloc(driver_symbols, (nr_symbols + 1) * sizeof(char *));
		driver_symbols[nr_symbols++] = strdup(line);
	}
	if (file)
		fclose(file);
}

/* Is it a frame of a stack, and one of a function of the driver? */
static bool of_driver(const char *line)
{
	while (*line == ' ')
		line++;
	for (unsigned int n = 0; n < nr_symbols; n++) {
		size_t len = strlen(driver_symbols[n]);

		if (!strncmp(line, driver_symbols[n], len) && strchr("+.", line[len]))
			return true;
	}
	return false;
}

/* What only does what it was called for: its accesses are the caller's. */
static bool of_library(const char *line)
{
	static const char *const names[] = {
		"zlib_", "inflate_", "mem", "__mem", "list_", "__list_", "copy_", "_copy_", "str",
	};

	while (*line == ' ')
		line++;
	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		if (!strncmp(line, names[n], strlen(names[n])))
			return true;
	}
	return false;
}

static bool is_splat(const char *line)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(splats); n++) {
		if (strstr(line, splats[n]))
			return true;
	}
	return false;
}

#define MAX_REPORT	80
#define VMEMMAP		0xffffea0000000000ULL	/* of x86-64, where struct page is */

/*
 * Is a race about struct page? Its flags change under those who look at others of them,
 * by functions of the memory management that the compiler puts into their callers.
 */
static bool of_page(const char *line)
{
	const char *addr = strstr(line, " to 0x");
	unsigned long long at = addr ? strtoull(addr + 4, NULL, 16) : 0;

	return at >> 40 == VMEMMAP >> 40;
}

/*
 * A report of KCSAN, line by line. Most are of what the rest of the kernel does on
 * purpose; one is the driver's if an access is by it.
 *
 * Return: whether the line belongs to a report.
 */
static bool report_line(const char *line)
{
	static char *report[MAX_REPORT];
	static unsigned int nr;
	static bool frame;	/* the one that did it has been seen */
	static bool ours, page;

	if (!nr && !strstr(line, "BUG: KCSAN"))
		return false;
	/* Another processor may have something to say in the middle of it. */
	if (nr && is_splat(line))
		return false;
	if (strstr(line, " to 0x") || strstr(line, "race at unknown"))
		frame = false;
	page = page || of_page(line);
	if (strchr(line, '+') && !frame && !of_library(line)) {
		frame = true;
		ours = ours || of_driver(line);
	}
	if (nr < MAX_REPORT)
		report[nr++] = strdup(line);
	if (strncmp(line, "=====", 5) && nr < MAX_REPORT)
		return true;

	ours = ours && !page;
	for (unsigned int n = 0; n < nr; n++) {
		if (ours)
			printf("# kmsg %s\n", report[n]);
		free(report[n]);
	}
	if (!ours)
		nr_foreign_races++;
	else if (!shared->stop)
		printf("# the end, for a data race\n");
	if (ours)
		shared->stop = 1;
	ours = false;
	page = false;
	nr = 0;
	return true;
}

/* What is not right is shown, with what follows it, and ends the run. */
static void log_line(const char *line)
{
	static unsigned int show;

	if (nr_symbols && report_line(line))
		return;
	if (is_splat(line)) {
		if (strncmp(line, "cramfs: ", 8))
			show = 60;
		else
			printf("# kmsg BUG: %s\n", line);
		shared->stop = 1;
	}
	if (show) {
		printf("# kmsg %s\n", line);
		show--;
	}
}

/**
 * read_log() - look at what the kernel has said since the last time
 *
 * The first time in a process is from the beginning.
 */
void read_log(void)
{
	static int fd = -1;
	char record[4096], *line;
	ssize_t len;

	if (fd < 0) {
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		must(fd >= 0, "/dev/kmsg");
		load_symbols();
	}
	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len <= 0) {
			printf("# kmsg lost\n");
			continue;
		}
		record[len] = 0;
		line = kmsg_text(record);
		if (line)
			log_line(line);
	}
}
