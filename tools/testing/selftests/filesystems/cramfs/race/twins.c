// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of the race test in which two processes look for the two names of a file at
 * the same moment. Whoever is first makes an inode, which the other one finds: as a
 * whole, and one for both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "race.h"

#define MAX_SPINS	3000	/* and then somebody is not there any more, or waits, too */

/* Two processes, of which each says how far it is, and what it has found so far. */
struct pair {
	volatile unsigned int at[2];
	ino_t ino[2][NR_TWINS];
};

static void meet(struct pair *pair, int self, unsigned int step)
{
	__sync_synchronize();
	pair->at[self] = step;
	for (int n = 0; n < MAX_SPINS && pair->at[!self] < step; n++) {
		if (n > MAX_SPINS / 2)
			sched_yield();
	}
	__sync_synchronize();
}

static const struct node *find_twin(const struct tree *tree, unsigned int number, int which)
{
	char path[16];

	snprintf(path, sizeof(path), "twins/%02u%c", number, "ab"[which]);
	return tree_find(tree, path);
}

/* Return: a file descriptor of it, but of a link, which is looked at by its name. */
static int look_at(const char *top, const struct node *node, struct stat *st)
{
	unsigned char page[PAGE];
	char path[128];
	ssize_t len;
	int fd;

	if (node->type == NODE_LINK) {
		snprintf(path, sizeof(path), "%s/%s", top, node->path);
		check_link(node, path);
		if (lstat(path, st))
			fail("%s: %s", path, strerror(errno));
		check_stat(node, st);
		return -1;
	}
	fd = open_in(top, node);
	if (fd < 0)
		return -1;
	if (fstat(fd, st))
		fail("%s: fstat(): %s", node->path, strerror(errno));
	check_stat(node, st);
	len = read(fd, page, PAGE);
	if (len <= 0)
		fail("%s: read(): %zd, %s", node->path, len, strerror(errno));
	else
		same("read() of a twin", node, page, 0, len);
	return fd;
}

/* As long as both are open: what is locked by one name is locked by the other. */
static void must_be_one(const char *top, const struct node *node, const struct node *twin, int fd)
{
	int twin_fd = open_in(top, twin);

	if (twin_fd < 0)
		return;
	if (!flock(fd, LOCK_EX | LOCK_NB) && !flock(twin_fd, LOCK_EX | LOCK_NB))
		fail("%s and its twin are two files", node->path);
	close(twin_fd);
}

static void look_at_all(const char *top, const struct tree *tree, struct pair *pair, int self)
{
	for (unsigned int n = 0; n < NR_TWINS && !shared->stop; n++) {
		const struct node *node = find_twin(tree, n, self);
		struct stat st = {};
		int fd;

		meet(pair, self, 3 * n + 1);
		fd = look_at(top, node, &st);
		pair->ino[self][n] = st.st_ino;
		meet(pair, self, 3 * n + 2);
		if (!self && fd >= 0)
			must_be_one(top, node, find_twin(tree, n, 1), fd);
		if (pair->at[!self] >= 3 * n + 2 && pair->ino[0][n] != pair->ino[1][n])
			fail("%s: its twin has another number", node->path);
		meet(pair, self, 3 * n + 3);
		close(fd);
	}
}

/**
 * look_at_twins() - look at all files that have two names, by both at once
 * @top: where the tree is mounted
 * @tree: what is there
 */
void look_at_twins(const char *top, const struct tree *tree)
{
	struct pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (pair == MAP_FAILED)
		return;
	pid = start_child();
	if (pid >= 0)
		look_at_all(top, tree, pair, !pid);
	end_child(pid);
	munmap(pair, sizeof(*pair));
}

/**
 * twins_round() - look at twins in a home, of which the kernel may know nothing
 */
void twins_round(void)
{
	const struct home *home = any_home();

	if (!one_in(4))
		write_text("/proc/sys/vm/drop_caches", "2");
	look_at_twins(home->top, &trees[home->tree]);
}
