// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel tells in small files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

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
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	close(fd);
	buf[len] = 0;
	return len;
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
