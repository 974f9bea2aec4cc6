// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel tells, and is told, in small files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

/* Younger objects are not reported: their only pointer may be in a register. */
#define KMEMLEAK_AGE	6

/**
 * read_text() - read a small file, of /proc for instance, as a string
 * @path: file
 * @buf: result
 * @size: of @buf
 *
 * Return: its length, -1 with errno
 */
int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = 1;
	size_t len = 0;
	int error;

	if (fd < 0)
		return -1;
	while (got > 0 && len < size - 1) {
		got = read(fd, buf + len, size - 1 - len);
		len += got > 0 ? got : 0;
	}
	error = errno;
	close(fd);
	errno = error;
	buf[len] = 0;
	return got < 0 ? -1 : (int)len;
}

/**
 * write_text() - write to a file of /proc or the like, by one write()
 * @path: file
 * @format: as printf() has it
 *
 * Return: 0, -1 with errno
 */
int write_text(const char *path, const char *format, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), len, error;
	ssize_t done;
	char text[256];
	va_list args;

	if (fd < 0)
		return -1;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* What is too long is cut off, which is as wrong as what is not taken. */
	done = write(fd, text, strlen(text));
	error = done < 0 ? errno : EIO;
	close(fd);
	if (done == len)
		return 0;
	errno = error;
	return -1;
}

/**
 * cmdline_get() - value of key=value on the kernel command line
 * @key: with the '='
 * @value: result
 * @size: of @value
 *
 * Return: whether it is there
 */
bool cmdline_get(const char *key, char *value, size_t size)
{
	char line[2048];
	char *word, *save;

	if (read_text("/proc/cmdline", line, sizeof(line)) < 0)
		return false;
	for (word = strtok_r(line, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save)) {
		if (!strncmp(word, key, strlen(key))) {
			snprintf(value, size, "%s", word + strlen(key));
			return true;
		}
	}
	return false;
}

/**
 * cmdline_number() - number of key=number on the kernel command line
 * @key: with the '='
 *
 * Return: the number, 0 if it is not there
 */
unsigned long cmdline_number(const char *key)
{
	char value[64];

	return cmdline_get(key, value, sizeof(value)) ? strtoul(value, NULL, 0) : 0;
}

/**
 * kmsg_text() - what is said in a record of /dev/kmsg
 * @record: as it was read, ends with a NUL; its lines after the first are cut off
 *
 * Return: the text in @record, NULL if that is no record
 */
char *kmsg_text(char *record)
{
	char *text = strchr(record, ';');

	if (!text)
		return NULL;
	text++;
	text[strcspn(text, "\n")] = 0;
	return text;
}

/**
 * forget_caches() - let the kernel forget clean pages, dentries and inodes
 *
 * Return: 0, -1 with errno
 */
int forget_caches(void)
{
	/* The first one is for what the kernel says of the other. */
	if (write_text("/proc/sys/vm/drop_caches", "4"))
		return -1;
	return write_text("/proc/sys/vm/drop_caches", "3");
}

/*
 * Of x86-64 with page tables of four levels and CONFIG_KASAN_VMALLOC, otherwise nothing.
 * User-mode Linux has shadow of all addresses from the beginning.
 */
static long pages_of_addresses(void)
{
	const unsigned long long areas = 0xffffc90000000000, size = 32ULL << 40, scale = 8;
	const unsigned long long shadow = 0xdffffc0000000000 + areas / scale;
	FILE *file = fopen("/sys/kernel/debug/page_tables/kernel", "r");
	unsigned long long start, end, at = 0;
	char line[256];
	long pages = 0;

	if (!file)
		return errno == ENOENT ? 0 : -1;
	while (fgets(line, sizeof(line), file)) {
		bool in_shadow;

		if (!strstr(line, " pte") || sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		in_shadow = start >= shadow && end <= shadow + size / scale;
		if (!in_shadow && (start < areas || end > areas + size))
			continue;
		if (in_shadow && strstr(line, " RW "))
			pages += (end - start) >> 12;
		/* A table is for 2 MiB, whatever is in it. */
		for (at = at > start ? at : start; at < end; at = ((at >> 21) + 1) << 21)
			pages++;
	}
	if (ferror(file))
		pages = -1;
	fclose(file);
	return pages;
}

/**
 * pages_kept() - pages that the kernel takes sooner or later, and keeps
 *
 * For addresses of vmalloc() and the like these are page tables of the last level, and
 * KASAN's shadow: of what is mapped; of what no longer is, but whose addresses are not
 * used again for a while; of the ends of areas, which share a page with others. And
 * call chains that were seen for the first time. Source: mm/kasan/shadow.c,
 * lib/stackdepot.c, Documentation/arch/x86/x86_64/mm.rst.
 *
 * Return: how many, of those that this kernel tells of; -1 with errno
 */
long pages_kept(void)
{
	const int pages_of_pool = 4;
	long pages = pages_of_addresses(), pools;
	char text[1024];

	if (pages < 0)
		return -1;
	if (read_text("/sys/kernel/debug/stackdepot/stats", text, sizeof(text)) < 0)
		return errno == ENOENT ? pages : -1;
	errno = EBADMSG;
	return sscanf(text, "pools: %ld", &pools) == 1 ? pages + pools * pages_of_pool : -1;
}

/**
 * count_areas() - areas of the kernel's address space, but for those no longer mapped
 *
 * Return: how many, -1 with errno
 */
long count_areas(void)
{
	static char text[131072];
	char *lines = text, *line;
	long areas = 0;

	if (read_text("/proc/vmallocinfo", text, sizeof(text)) < 0)
		return -1;
	while ((line = strsep(&lines, "\n")))
		areas += *line && !strstr(line, "unpurged");
	return areas;
}

/**
 * read_leaks() - have the kernel look for memory that nothing points to
 * @buf: what it found, and where that was allocated; empty if it found nothing
 * @size: of @buf
 *
 * Takes some seconds, and a kernel that was told kmemleak=on.
 *
 * Return: length of what is in @buf, -1 with errno
 */
int read_leaks(char *buf, size_t size)
{
	/* An object counts when it was seen twice, unchanged. */
	for (int n = 0; n < 2; n++) {
		if (write_text(KMEMLEAK, "scan"))
			return -1;
		if (!n)
			sleep(KMEMLEAK_AGE);
	}
	return read_text(KMEMLEAK, buf, size);
}

/**
 * mtd_number() - find an MTD device
 * @name: its name
 *
 * Return: its number, -1 if there is none of this name
 */
int mtd_number(const char *name)
{
	char text[4096], quoted[64], *at;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	if (read_text("/proc/mtd", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, quoted);
	if (!at)
		return -1;
	while (at > text && at[-1] != '\n')
		at--;
	return atoi(at + 3);
}
