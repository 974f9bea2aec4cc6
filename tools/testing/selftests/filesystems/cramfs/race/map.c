// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of the race test that map files, execute them, and look into the memory of
 * processes that do. What is mapped has to be what the tree has, whatever others, or
 * other threads of the same process, do to it meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

#define ROM_MAX		0x2000000UL	/* an image and what else is in its range */

static size_t whole_pages(const struct node *node)
{
	return (node->len + PAGE - 1) & -PAGE;
}

static void *map_file(const char *top, const struct node *node, int prot, int flags)
{
	int fd = open_in(top, node);
	void *p;

	if (fd < 0)
		return MAP_FAILED;
	p = mmap(NULL, node->len, prot, flags, fd, 0);
	if (p == MAP_FAILED)
		fail("%s: mmap(): %s", node->path, strerror(errno));
	close(fd);
	return p;
}

/* Up to the end of the last page, where there have to be zeros. */
static bool check_pages(const char *what, const struct node *node, const unsigned char *p,
			size_t offset, size_t len)
{
	return same(what, node, p, offset, len);
}

/* Counts pages that are the image's own: a run without any has not tried the driver. */
static void look_for_rom(const unsigned char *p, unsigned long rom)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd >= 0 && pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) == 8 && entry >> 63 &&
	    (entry & ((1ULL << 55) - 1)) * PAGE - rom < ROM_MAX)
		__sync_fetch_and_add(&shared->in_rom, 1);
	close(fd);
}

static void give_advice(void *p, size_t len)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_RANDOM, MADV_NORMAL,
		MADV_SEQUENTIAL, MADV_POPULATE_READ, MADV_FREE, MADV_DONTNEED,
	};

	/* What is no good for such a mapping is refused; what is not must do no harm. */
	madvise(p, len, advice[random_below(10)]);
}

/* It can be in pieces by now, which cannot be moved as one. */
static void *move_mapping(void *p, size_t len)
{
	void *room = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved = mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, room);

	if (moved == MAP_FAILED) {
		if (errno != EFAULT)
			fail("mremap(): %s", strerror(errno));
		munmap(room, len);
		return p;
	}
	return moved;
}

/* The rest of a mapping stays what it is without some pages of it. */
static void unmap_part(const struct node *node, unsigned char *p)
{
	size_t pages = whole_pages(node) / PAGE;
	size_t first = random_below(pages), nr = 1 + random_below(pages - first);

	munmap(p + first * PAGE, nr * PAGE);
	check_pages("a mapping before a gap", node, p, 0, first * PAGE);
	check_pages("a mapping after a gap", node, p + (first + nr) * PAGE, (first + nr) * PAGE,
		    (pages - first - nr) * PAGE);
}

/* By a system call: it says what a signal would. */
static void touch_past_end(const char *top, const struct node *node)
{
	int fd = open_in(top, node), pipes[2];
	size_t pages = whole_pages(node);
	char *p;

	if (fd < 0 || pipe(pipes))
		return;
	p = mmap(NULL, pages + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED || write(pipes[1], p + pages, 1) >= 0 || errno != EFAULT)
		fail("%s: there is something past the end", node->path);
	munmap(p, pages + PAGE);
	close(pipes[0]);
	close(pipes[1]);
}

/**
 * map_some() - map a file and do what mappings can have done to them
 * @top: where the tree is mounted
 * @node: a file that is not empty
 * @rom: physical address of the image, 0 if it is not in memory
 */
void map_some(const char *top, const struct node *node, unsigned long rom)
{
	int prot = PROT_READ | (one_in(2) ? PROT_EXEC : 0);
	size_t len = whole_pages(node);
	unsigned char *p = map_file(top, node, prot, one_in(2) ? MAP_SHARED : MAP_PRIVATE);

	if (p == MAP_FAILED)
		return;
	for (int n = 0; n < 3; n++) {
		size_t at = random_below(len / PAGE) * PAGE;

		check_pages("a page of a mapping", node, p + at, at, PAGE);
		if (rom && one_in(4))
			look_for_rom(p + at, rom);
		switch (random_below(8)) {
		case 0:
			p = move_mapping(p, len);
			break;
		case 1:
			mprotect(p + at, PAGE, PROT_NONE);
			mprotect(p + at, PAGE, PROT_READ);
			break;
		case 2:
			if (!mlock(p + at, PAGE) && one_in(2))
				munlock(p + at, PAGE);
			break;
		case 3:
			msync(p, len, MS_INVALIDATE);
			break;
		default:
			give_advice(p + at, len - at);
			break;
		}
		check_pages("a mapping", node, p, 0, len);
	}
	if (one_in(2))
		unmap_part(node, p);
	munmap(p, len);
	if (one_in(8))
		touch_past_end(top, node);
}

/**
 * map_round() - map a file of a home
 */
void map_round(void)
{
	const struct home *home = any_home();

	map_some(home->top, any_mappable(&trees[home->tree]), home->rom);
}

struct touching {
	const struct node *node;
	const unsigned char *p;
	volatile bool stop;
};

static void *touch(void *data)
{
	struct touching *touching = data;
	size_t len = whole_pages(touching->node);

	while (!touching->stop && check_pages("a mapping of another thread", touching->node,
					      touching->p, 0, len))
		;
	return NULL;
}

/**
 * threads_round() - have threads look at a mapping that another one plays with
 */
void threads_round(void)
{
	const struct home *home = any_home();
	struct touching touching = { .node = any_mappable(&trees[home->tree]) };
	size_t len = whole_pages(touching.node);
	unsigned char *p = map_file(home->top, touching.node, PROT_READ, MAP_PRIVATE);
	pthread_t threads[2];
	int started = 0;

	if (p == MAP_FAILED)
		return;
	touching.p = p;
	while (started < 2 && !pthread_create(&threads[started], NULL, touch, &touching))
		started++;
	for (int n = 0; n < 30; n++) {
		size_t at = random_below(len / PAGE) * PAGE;

		switch (random_below(5)) {
		case 0:		/* nobody writes to it: it stays what it is */
			mprotect(p + at, PAGE, PROT_READ | PROT_WRITE);
			mprotect(p + at, PAGE, PROT_READ);
			break;
		case 1:
			if (!one_in(4))
				break;
			end_child(start_child());
			break;
		default:
			give_advice(p + at, len - at);
			break;
		}
		if (one_in(4))
			short_sleep(300);
	}
	touching.stop = true;
	while (started)
		pthread_join(threads[--started], NULL);
	munmap(p, len);
}

/* A byte of its own in some pages of a private mapping, by a store or as a debugger. */
static void write_some(unsigned char *p, size_t pages, unsigned char *mine, unsigned char byte)
{
	for (int n = 0; n < 6; n++) {
		size_t page = random_below(pages);
		int fd;

		mine[page] = byte;
		if (!one_in(3)) {
			p[page * PAGE] = byte;
			continue;
		}
		fd = open("/proc/self/mem", O_RDWR);
		if (fd < 0 || pwrite(fd, &byte, 1, (uintptr_t)(p + page * PAGE)) != 1)
			fail("/proc/self/mem: %s", strerror(errno));
		close(fd);
	}
}

/* @mine has the first byte of those pages that are no longer the file's, or 0. */
static void check_copies(const char *what, const struct node *node, const unsigned char *p,
			 const unsigned char *mine)
{
	size_t len = whole_pages(node);

	for (size_t at = 0; at < len; at += PAGE) {
		if (!mine[at / PAGE])
			check_pages(what, node, p + at, at, PAGE);
		else if (p[at] != mine[at / PAGE])
			fail("%s: %s: page %zu begins with %#x, not %#x", node->path, what,
			     at / PAGE, p[at], mine[at / PAGE]);
		else
			check_pages(what, node, p + at + 1, at + 1, PAGE - 1);
	}
}

/**
 * cow_round() - write to private mappings of a file, in two processes at once
 */
void cow_round(void)
{
	const struct home *home = any_home();
	const struct node *node = any_mappable(&trees[home->tree]);
	unsigned char mine[MAX_LEN / PAGE] = "";
	size_t len = whole_pages(node);
	unsigned char *p = map_file(home->top, node, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t pid;

	if (p == MAP_FAILED)
		return;
	if (one_in(2))
		check_pages("a private mapping", node, p, 0, len);
	if (one_in(2))
		write_some(p, len / PAGE, mine, 0x5a);

	pid = start_child();
	write_some(p, len / PAGE, mine, pid ? 0xa5 : 0xc3);
	check_copies(pid ? "a parent's copy" : "a child's copy", node, p, mine);
	if (one_in(3)) {
		madvise(p, len, MADV_DONTNEED);
		memset(mine, 0, sizeof(mine));
		check_copies("a copy that was given up", node, p, mine);
	}
	end_child(pid);
	munmap(p, len);

	/* Not with the file's own pages. */
	p = map_file(home->top, node, PROT_READ, MAP_SHARED);
	if (p == MAP_FAILED)
		return;
	check_pages("the file after copies were written", node, p, 0, len);
	munmap(p, len);
}

/* A program of the image, which is this one; @out is its standard output. */
static pid_t execute(const char *top, const char *what, int out)
{
	char path[64], sum[16];
	pid_t pid = start_child();

	if (pid)
		return pid;
	dup2(out, STDOUT_FILENO);
	snprintf(path, sizeof(path), "%s/race", top);
	snprintf(sum, sizeof(sum), "%x", sum_of_text());
	execl(path, "race", what, sum, NULL);
	fail("%s: %s", path, strerror(errno));
	_exit(99);
}

/* A home with a program in it. */
static const struct home *any_home_with_program(void)
{
	const struct home *home;

	do
		home = any_home();
	while (home->tree == NR_TREES - 1);
	return home;
}

/**
 * exec_round() - execute a program of the image, which looks at itself
 */
void exec_round(void)
{
	const struct home *home = any_home_with_program();
	pid_t pid = execute(home->top, "--look", STDOUT_FILENO);
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("%s/race: %s", home->top, strerror(errno));
	else if (status)
		fail("%s/race: its end is %#x", home->top, status);
}

static void peek_by_mem(pid_t pid, const char *text, size_t len)
{
	static char seen[8 * PAGE];
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY);
	got = fd < 0 ? -1 : pread(fd, seen, len, (uintptr_t)text);
	if (got != (ssize_t)len)
		fail("%s: %zd of %zu bytes of text: %s", path, got, len, strerror(errno));
	else if (memcmp(seen, text, len))
		fail("%s has other text than there is", path);
	close(fd);
}

/* Without a page that the kernel could hold it may fail, but not be wrong. */
static void peek_by_vm(pid_t pid, const char *text, size_t len)
{
	static char seen[8 * PAGE];
	struct iovec local = { seen, len }, remote = { (void *)text, len };
	ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (got > 0 && memcmp(seen, text, got))
		fail("process_vm_readv() gives other text than there is");
}

static void peek_by_ptrace(pid_t pid, const char *text)
{
	long word, at = random_below((etext - text) / sizeof(word) - 1);
	long *addr = (long *)((uintptr_t)text & -sizeof(word)) + at;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
	    waitpid(pid, NULL, 0) != pid) {
		fail("ptrace(): %s", strerror(errno));
		return;
	}
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, pid, addr, NULL);
	if (errno || word != *addr)
		fail("PTRACE_PEEKTEXT: %s", errno ? strerror(errno) : "other text than there is");
	/* As with a breakpoint: the process gets a page of its own, nobody else sees it. */
	if (ptrace(PTRACE_POKETEXT, pid, addr, (void *)~word))
		fail("PTRACE_POKETEXT: %s", strerror(errno));
	errno = 0;
	if (ptrace(PTRACE_PEEKTEXT, pid, addr, NULL) != ~word || errno)
		fail("PTRACE_PEEKTEXT does not give what was written");
	if (*addr != word)
		fail("what was written to another's text is in one's own");
	ptrace(PTRACE_POKETEXT, pid, addr, (void *)word);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/**
 * peek_round() - look into the text of a process that executes the image
 */
void peek_round(void)
{
	const struct home *home = any_home_with_program();
	size_t len = etext - __executable_start;
	int pipes[2];
	pid_t pid;
	char byte;

	if (pipe2(pipes, O_CLOEXEC))
		return;
	pid = execute(home->top, "--wait", pipes[1]);
	close(pipes[1]);
	/* Not before it is the other program. */
	if (read(pipes[0], &byte, 1) != 1)
		fail("%s/race does not begin", home->top);
	close(pipes[0]);
	for (int n = 0; n < 4; n++) {
		size_t at = random_below(len - 8 * PAGE), part = 1 + random_below(8 * PAGE);

		peek_by_mem(pid, __executable_start + at, part);
		peek_by_vm(pid, __executable_start + at, part);
	}
	if (one_in(2))
		peek_by_ptrace(pid, __executable_start);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
