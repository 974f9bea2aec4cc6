// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the workers of the race test have in common: chance, children, saying that
 * something is wrong, and choosing what to work on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "race.h"

#define MAX_SAID	20

struct shared *shared;
struct tree trees[NR_TREES];
struct home homes[MAX_HOMES];
unsigned int nr_homes;
struct place place;
enum kind my_kind;
unsigned int my_number = RUN;
char my_dir[32];

const char *const kind_names[NR_KINDS] = {
	"read", "splice", "fiemap", "walk", "lookup", "twins", "map", "threads", "cow", "exec",
	"peek", "refused", "remount", "drop", "reclaim", "hog", "kill", "mount-block",
	"mount-mtd", "mount-phys", "mount-loop",
};

static void (*const rounds[NR_KINDS])(void) = {
	[DO_READ] = read_round, [DO_SPLICE] = splice_round, [DO_FIEMAP] = fiemap_round,
	[DO_WALK] = walk_round, [DO_LOOKUP] = lookup_round, [DO_MAP] = map_round,
	[DO_TWINS] = twins_round,
	[DO_THREADS] = threads_round, [DO_COW] = cow_round, [DO_EXEC] = exec_round,
	[DO_PEEK] = peek_round, [DO_REFUSED] = refused_round, [DO_REMOUNT] = remount_round,
	[DO_DROP] = drop_round, [DO_RECLAIM] = reclaim_round, [DO_HOG] = hog_round,
	[DO_KILL] = kill_round, [DO_MOUNT_BLOCK] = mount_block_round,
	[DO_MOUNT_MTD] = mount_mtd_round, [DO_MOUNT_PHYS] = mount_phys_round,
	[DO_MOUNT_LOOP] = mount_loop_round,
};

static uint64_t random_state;

/**
 * random_seed() - begin a sequence of random numbers
 * @seed: which one
 */
void random_seed(uint64_t seed)
{
	random_state = seed;
}

/**
 * random_word() - the next random number
 *
 * Return: it
 */
uint64_t random_word(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/**
 * random_below() - a random number
 * @n: more than there can be, at least 1
 *
 * Return: it
 */
unsigned int random_below(unsigned int n)
{
	return (random_word() >> 32) % n;
}

/**
 * one_in() - true once in so many times
 * @n: how many
 *
 * Return: whether this is the time
 */
bool one_in(unsigned int n)
{
	return !random_below(n);
}

/**
 * short_sleep() - let others go on
 * @max_us: the longest, in microseconds
 */
void short_sleep(unsigned int max_us)
{
	usleep(random_below(max_us));
}

/**
 * seconds() - a clock that only goes forward
 *
 * Return: seconds
 */
long seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/**
 * note_progress() - say that this process is not stuck
 */
void note_progress(void)
{
	unsigned long now = shared->beats, took = now - shared->seen[my_number];

	/* Two at once may lose one of the numbers, which only tell how near STUCK is. */
	if (took > shared->longest) {
		shared->longest = took;
		shared->slowest = my_kind;
	}
	shared->seen[my_number] = now;
}

/**
 * fail() - say that something is wrong, and have the run end
 * @format: as printf() has it, without a newline
 */
void fail(const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	len = snprintf(text, sizeof(text), "# wrong: %s: ", kind_names[my_kind]);
	va_start(args, format);
	len += vsnprintf(text + len, sizeof(text) - len - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';
	/* In one piece, and not twice after a fork(). */
	if (__sync_add_and_fetch(&shared->failed, 1) <= MAX_SAID && write(2, text, len) != len)
		_exit(98);
	shared->stop = 1;
}

/**
 * number_in() - read a number, without which nothing can be compared
 * @path: a file of /proc or the like
 * @key: what is in front of the number, "" if that is all that there is
 *
 * Return: the number; does not return if there is none
 */
unsigned long number_in(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	unsigned long value = 0;
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, key);

		found = at && sscanf(at + strlen(key), "%lu", &value) == 1;
	}
	if (file)
		fclose(file);
	errno = ENOMSG;
	must(found, path);
	return value;
}

/**
 * start_child() - have a process that does not outlive this one
 *
 * Return: as fork(); what the child does next has other chances
 */
pid_t start_child(void)
{
	uint64_t seed = random_word();
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		random_seed(seed);
	}
	return pid;
}

/**
 * end_child() - end a child, as that child; as its parent, see that it ended well
 * @pid: from start_child()
 */
void end_child(pid_t pid)
{
	int status;

	if (!pid)
		_exit(0);
	if (pid < 0)
		return;
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the end of a child is %#x", status);
}

/**
 * do_round() - do a bit of something
 * @kind: what
 */
void do_round(enum kind kind)
{
	my_kind = kind;
	rounds[kind]();
	note_progress();
	__sync_add_and_fetch(&shared->rounds[kind], 1);
}

/**
 * any_home() - a mount to work on
 *
 * Return: it
 */
const struct home *any_home(void)
{
	return &homes[random_below(nr_homes)];
}

/**
 * any_file() - a file that the tree knows the contents of
 * @home: where
 *
 * Return: it
 */
const struct node *any_file(const struct home *home)
{
	const struct tree *tree = &trees[home->tree];

	return tree->files[random_below(tree->nr_files)];
}

/**
 * any_mappable() - a file that has contents
 * @tree: where
 *
 * Return: it
 */
const struct node *any_mappable(const struct tree *tree)
{
	const struct node *node;

	/* Most are small, and all the more of the others are wanted. */
	do
		node = tree->files[random_below(tree->nr_files)];
	while (!node->len || (node->len < PAGE && !one_in(50)));
	return node;
}

/**
 * open_in() - open a file, to read
 * @top: where the tree is mounted
 * @node: the file
 *
 * Return: a file descriptor, -1 after fail()
 */
int open_in(const char *top, const struct node *node)
{
	char path[128];
	int fd;

	note_progress();
	snprintf(path, sizeof(path), "%s/%s", top, node->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

/**
 * same() - hold what was seen against what is in a file
 * @what: how it was seen
 * @node: the file
 * @buf: what was seen
 * @offset: of that in the file
 * @len: how much; past the file's end, in its last page, there are zeros
 *
 * Return: whether it is right; if not, after fail()
 */
bool same(const char *what, const struct node *node, const void *buf, size_t offset, size_t len)
{
	const unsigned char *seen = buf, *want = node->contents + offset;
	size_t n = 0;

	note_progress();
	if (!memcmp(seen, want, len))
		return true;
	while (n < len && seen[n] == want[n])
		n++;
	if (n == len)
		fail("%s: %s, %zu bytes from %zu on, was wrong for a moment", node->path, what,
		     len, offset);
	else
		fail("%s: %s, %zu bytes from %zu on: byte %zu of %zu is %#x, not %#x", node->path,
		     what, len, offset, offset + n, node->len, seen[n], want[n]);
	return false;
}
