// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in the image of the tests of failures: files that are kept in every way
 * that the format has. The host writes it for mkcramfs, and the guest, which has the
 * same program, knows by it what to find.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

#define NR_MANY		8

/* How the contents of files are made. */
enum { NOISE, TEXT, MIXED, HOLES, EXEC, EXEC_TAIL, SHORT };

static const struct {
	const char *path;
	size_t size;
	int contents;
} files[] = {
	/* The rules of write_nodes() have some of them stored in whole pages. */
	{ "exec", 0, EXEC },
	{ "exec-deflated", 0, EXEC_TAIL },
	{ "stored", 18 * PAGE + 100, NOISE },
	{ "punched", 8 * PAGE, TEXT },
	{ "deflated", 6 * PAGE + 77, TEXT },
	{ "mixed", 5 * PAGE + 1, MIXED },
	{ "holes", 4 * PAGE, HOLES },
	{ "empty", 0, SHORT },
};

static const char rules[] =
	"/exec all\n"
	"/stored all\n"
	"/punched pages 0-2,5-6\n";

static char many[NR_MANY][16];
static char long_target[301];

struct node nodes[ARRAY_SIZE(files) + 3 + NR_MANY];
const unsigned int nr_nodes = ARRAY_SIZE(nodes);
const unsigned int nr_in_root = ARRAY_SIZE(files) + 3;

static __u32 random_state;

static unsigned char noise(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 24;
}

static void fill(unsigned char *data, size_t size, int contents)
{
	for (size_t n = 0; n < size; n++) {
		size_t page = n / PAGE;
		bool hole = contents == HOLES && page && page < size / PAGE - 1;

		if (hole)
			data[n] = 0;
		else if (contents == NOISE || (contents == MIXED && page % 2))
			data[n] = noise();
		else
			data[n] = "0123456789abcdef\n"[n % 64 < 16 ? noise() % 16 : n % 17];
	}
}

static int load_program(struct node *node, const char *program, size_t tail)
{
	int fd = open(program, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	node->size = st.st_size + tail;
	node->data = calloc(1, node->size + 1);
	if (read(fd, node->data, st.st_size) != st.st_size)
		return -1;
	close(fd);
	memset(node->data + st.st_size, 'x', tail);
	return 0;
}

static int load_contents(const char *program)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(files); n++) {
		struct node *node = &nodes[n];

		node->path = files[n].path;
		node->type = 'f';
		random_state = n + 1;
		if (files[n].contents == EXEC || files[n].contents == EXEC_TAIL) {
			size_t tail = files[n].contents == EXEC ? 0 : PAGE;

			if (load_program(node, program, tail))
				return -1;
			continue;
		}
		node->size = files[n].size;
		node->data = malloc(node->size + 1);
		fill(node->data, node->size, files[n].contents);
	}
	return 0;
}

/**
 * load_nodes() - make the tree in memory
 * @program: what the programs in it are
 *
 * Return: 0, -1 with errno
 */
int load_nodes(const char *program)
{
	struct node *node = &nodes[ARRAY_SIZE(files)];

	if (load_contents(program))
		return -1;
	memset(long_target, 'l', sizeof(long_target) - 1);
	*node++ = (struct node){ "link", 'l', 6, (unsigned char *)"stored" };
	*node++ = (struct node){ "long-link", 'l', sizeof(long_target) - 1,
				 (unsigned char *)long_target };
	*node++ = (struct node){ "many", 'd', 0, NULL };
	for (unsigned int n = 0; n < NR_MANY; n++, node++) {
		sprintf(many[n], "many/file-%02u", n);
		*node = (struct node){ many[n], 'f', 7, (unsigned char *)many[n] + 5 };
	}
	return 0;
}

static int write_node(const struct node *node)
{
	ssize_t done;
	int fd;

	switch (node->type) {
	case 'd':
		return mkdir(node->path, 0755);
	case 'l':
		return symlink((const char *)node->data, node->path);
	}
	fd = open(node->path, O_WRONLY | O_CREAT | O_EXCL, 0755);
	if (fd < 0)
		return -1;
	done = write(fd, node->data, node->size);
	return close(fd) || done != (ssize_t)node->size ? -1 : 0;
}

/**
 * write_nodes() - on the host, make the tree for mkcramfs, and rules for it
 * @dir: new directory; the rules are beside it, in a file of the same name and .rules
 *
 * Return: 0, -1 with errno
 */
int write_nodes(const char *dir)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s.rules", dir);
	file = fopen(path, "w");
	if (!file || fputs(rules, file) < 0 || fclose(file))
		return -1;
	if (mkdir(dir, 0755) || chdir(dir))
		return -1;
	for (unsigned int n = 0; n < nr_nodes; n++)
		if (write_node(&nodes[n]))
			return -1;
	return 0;
}

/**
 * find_node() - an entry of the tree
 * @path: below its root
 *
 * Return: the entry, which must be there
 */
const struct node *find_node(const char *path)
{
	unsigned int n = 0;

	while (strcmp(nodes[n].path, path))
		n++;
	return &nodes[n];
}
