// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look at everything in a mounted image, in all ways that there are, and hold it
 * against what image.c says that there is. What must not be had has to be refused
 * each time that it is asked for; what can be had has to be right each time.
 *
 * That costs most where something is refused, so that there is a limit to that. What
 * is looked at depends on nothing but the image and the numbers that it is given.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#define WINDOW		16u	/* pages that are looked at together */
#define MAX_DEPTH	40
#define MAX_ENTRIES	60u	/* that are looked up */
#define MAX_PAGES	200u	/* that are compared */
#define MAX_BAD		16u	/* that are asked for in vain */
#define MAX_TOUCHES	12u	/* by an instruction: a fault is dear */

/**
 * struct walk - a walk
 * @view: what there is to see
 * @rng: decides
 * @hash: of all that the driver said
 * @entries: how many may still be looked up
 * @pages: how many may still be compared
 * @bad: how many that cannot be had may still be asked for
 * @touches: how many may still be touched
 * @path: the way to what is looked at, for messages
 */
struct walk {
	const struct view *view;
	struct rng rng;
	__u64 hash;
	int entries, pages, bad, touches;
	char path[MAX_DEPTH * (CRAMFS_MAXPATHLEN + 1) + 1];
};

/**
 * struct window - some consecutive pages of a file
 * @file: of which file
 * @size: of the file, as the driver has it
 * @first: the first page
 * @nr: how many; the last one may be past the end of the file
 * @good: which can be had
 * @data: what they have to be
 */
struct window {
	const struct disk_inode *file;
	__u32 size;
	__u32 first, nr;
	bool good[WINDOW + 1];
	unsigned char data[(WINDOW + 1) * PAGE];
};

struct walk_counts walk_counts;
__u32 walk_phys_start, walk_phys_pages;

static unsigned char *scratch;
static int scratch_fd, memory_fd, pagemap_fd, pipe_fds[2];

/* What the driver says has to be the same the next time. */
static void note(struct walk *walk, __u64 value)
{
	walk->hash = (walk->hash ^ value) * 0x100000001b3ull;
	walk->hash ^= walk->hash >> 29;
}

static bool one_in(struct walk *walk, __u32 n)
{
	return rng_one_in(&walk->rng, n);
}

/* Faults -------------------------------------------------------------------------- */

static sigjmp_buf after_fault;
static volatile sig_atomic_t fault_is_expected;

static void fault(int signal, siginfo_t *info, void *context)
{
	if (!fault_is_expected || signal != SIGBUS)
		finding("the walk got signal %d at %p", signal, info->si_addr);
	siglongjmp(after_fault, 1);
}

/* Return: whether the byte at @p can be read, and written to if @value is not negative. */
static bool touch(volatile unsigned char *p, int value)
{
	bool ok = false;

	fault_is_expected = true;
	if (!sigsetjmp(after_fault, 1)) {
		if (value >= 0)
			*p = value;
		else
			(void)*p;
		ok = true;
	}
	fault_is_expected = false;
	return ok;
}

/**
 * walk_init() - get ready, once
 */
void walk_init(void)
{
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	scratch_fd = memfd_create("scratch", MFD_CLOEXEC);
	if (scratch_fd < 0 || ftruncate(scratch_fd, (WINDOW + 1) * PAGE))
		broken("memfd: %s", strerror(errno));
	scratch = mmap(NULL, (WINDOW + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       scratch_fd, 0);
	memory_fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (scratch == MAP_FAILED || memory_fd < 0 || pagemap_fd < 0 || pipe2(pipe_fds, O_NONBLOCK))
		broken("the walk cannot begin: %s", strerror(errno));
}

/* What is expected of pages ------------------------------------------------------- */

static void window_fill(struct walk *walk, struct window *w, const struct disk_inode *file,
			__u32 first, __u32 nr)
{
	w->file = file;
	w->size = has_data(file) ? file->size : 0;
	w->first = first;
	w->nr = nr;
	for (__u32 i = 0; i < nr; i++) {
		w->good[i] = view_block(walk->view, file, first + i, w->data + i * PAGE);
		walk->pages--;
		walk_counts.pages++;
		walk_counts.bad += !w->good[i] && first + i < PAGES(w->size);
	}
}

/*
 * How many of the @len bytes at byte @at of the window can be had without a gap,
 * and, if it is less than all, what that is for the error of the rest.
 */
static __u32 can_be_had(const struct window *w, __u32 at, __u32 len)
{
	__u32 end = at;

	while (end < at + len && w->good[end / PAGE])
		end = (end / PAGE + 1) * PAGE;
	return min_u32(end - at, len);
}

/* May something be asked for that is not all good? */
static bool may_fail(struct walk *walk, bool fails)
{
	if (!fails)
		return true;
	if (walk->bad <= 0)
		return false;
	walk->bad--;
	return true;
}

static void hold_against(struct walk *walk, const struct window *w, __u32 at,
			 const unsigned char *data, __u32 len, const char *how)
{
	if (!memcmp(data, w->data + at, len))
		return;
	for (__u32 i = 0; i < len; i++) {
		if (data[i] != w->data[at + i])
			finding("%s: %s: byte %#x of %#x is %#x, not %#x", walk->path, how,
				w->first * PAGE + at + i, w->size, data[i], w->data[at + i]);
	}
}

/* Hold what @got says, of @len bytes at byte @at, against what can be had. */
static void hold_len(struct walk *walk, const struct window *w, __u32 at, __u32 len,
		     long got, const char *how)
{
	long expected = can_be_had(w, at, len);

	if (!expected && len)
		expected = -1;
	if (got != expected)
		finding("%s: %s: %u bytes at %#x of %#x: %ld, not %ld (%s)", walk->path, how, len,
			w->first * PAGE + at, w->size, got, expected,
			got < 0 ? strerror(errno) : "no error");
}

/* Reading ------------------------------------------------------------------------- */

static void read_window(struct walk *walk, const struct window *w, int fd, __u32 at,
			__u32 len)
{
	static unsigned char buf[(WINDOW + 1) * PAGE];
	__u32 end = min_u32(w->size - w->first * PAGE, (w->first + w->nr) * PAGE);
	ssize_t got;

	if (w->first >= PAGES(w->size) || at >= end)
		return;
	len = min_u32(len, w->nr * PAGE - at);
	if (!may_fail(walk, can_be_had(w, at, min_u32(len, end - at)) < min_u32(len, end - at)))
		return;
	got = pread(fd, buf, len, (off_t)w->first * PAGE + at);
	if (got < 0)
		expect_errno(walk->path, "read", EUCLEAN);
	hold_len(walk, w, at, min_u32(len, end - at), got, "read");
	if (got > 0)
		hold_against(walk, w, at, buf, got, "read");
}

static void splice_window(struct walk *walk, const struct window *w, int fd)
{
	static unsigned char buf[WINDOW * PAGE];
	loff_t pos = (loff_t)w->first * PAGE;
	__u32 len, all = 0;
	ssize_t got;

	if (w->first >= PAGES(w->size))
		return;
	len = can_be_had(w, 0, min_u32(w->size - w->first * PAGE, w->nr * PAGE));
	if (!may_fail(walk, !len))
		return;
	got = splice(fd, &pos, pipe_fds[1], NULL, len ?: PAGE, SPLICE_F_NONBLOCK);
	if (got < 0)
		expect_errno(walk->path, "splice", EUCLEAN);
	/* A pipe may have less room than all of it takes. */
	if (len ? got <= 0 || got > len : got >= 0)
		finding("%s: splice: %u bytes at %#x: %zd", walk->path, len, w->first * PAGE, got);
	while (got > 0 && all < got) {
		ssize_t n = read(pipe_fds[0], buf + all, got - all);

		if (n <= 0)
			finding("%s: splice: %zd bytes, of which %u came", walk->path, got, all);
		all += n;
	}
	hold_against(walk, w, 0, buf, all, "splice");
}

/* Mappings ------------------------------------------------------------------------ */

#define PFN_MASK	0x007fffffffffffffull
#define PRESENT		0x8000000000000000ull

static void read_pagemap(const void *map, __u64 *entries, __u32 nr)
{
	if (pread(pagemap_fd, entries, nr * 8, (unsigned long)map / PAGE * 8) != nr * 8)
		broken("pagemap: %s", strerror(errno));
}

/**
 * walk_pfn() - which page of memory is at an address
 * @map: the address, where a page has been touched
 *
 * Return: the number of the page.
 */
__u32 walk_pfn(const void *map)
{
	__u64 entry;

	read_pagemap(map, &entry, 1);
	return entry & PFN_MASK;
}

/* A page that is in place must be the right one, and all of it in the image. */
static void look_at_places(struct walk *walk, const struct window *w, unsigned char *map)
{
	__u64 entries[WINDOW + 1];
	struct block block;

	if (!walk_phys_pages)
		return;
	read_pagemap(map, entries, w->nr);
	for (__u32 i = 0; i < w->nr; i++) {
		__u32 page = (entries[i] & PFN_MASK) - walk_phys_start;

		if (!(entries[i] & PRESENT) || page >= walk_phys_pages)
			continue;
		walk_counts.in_place++;
		if (!view_locate(walk->view, w->file, w->first + i, &block) || !block.stored ||
		    block.at != page * PAGE || (page + 1) * PAGE > walk->view->limit)
			finding("%s: page %u is mapped from page %u of the image", walk->path,
				w->first + i, page);
	}
}

/* By a copy that the kernel makes, page by page where some cannot be had. */
static void copy_from_map(struct walk *walk, const struct window *w, unsigned char *map)
{
	for (__u32 at = 0, len; at < w->nr * PAGE; at += len) {
		ssize_t got;

		len = can_be_had(w, at, w->nr * PAGE - at);
		if (!len) {
			len = PAGE;
			if (!may_fail(walk, true))
				continue;
		}
		got = pwrite(scratch_fd, map + at, len, at);
		if (got < 0)
			expect_errno(walk->path, "mmap", EFAULT);
		hold_len(walk, w, at, len, got, "mmap");
		if (got > 0)
			hold_against(walk, w, at, scratch + at, got, "mmap");
	}
}

static void touch_map(struct walk *walk, const struct window *w, unsigned char *map, bool private)
{
	__u32 i = rng_below(&walk->rng, w->nr), at = i * PAGE + rng_below(&walk->rng, PAGE);
	bool write = private && one_in(walk, 2), ok;

	if (walk->touches <= 0 || !may_fail(walk, !w->good[i]))
		return;
	walk->touches--;
	ok = touch(map + at, write ? w->data[at] ^ 0xff : -1);
	if (ok != w->good[i])
		finding("%s: page %u of %#x bytes: %s at a touch", walk->path, w->first + i,
			w->size, ok ? "no fault" : "a fault");
	if (!ok)
		return;
	if (write) {
		if (map[at] != (w->data[at] ^ 0xff))
			finding("%s: page %u does not keep what is written", walk->path,
				w->first + i);
		map[at] ^= 0xff;
	}
	hold_against(walk, w, i * PAGE, map + i * PAGE, PAGE, write ? "copy on write" : "touch");
}

static void read_map_as_debugger(struct walk *walk, const struct window *w, unsigned char *map)
{
	static unsigned char buf[PAGE];
	__u32 i = rng_below(&walk->rng, w->nr);
	ssize_t got;

	if (!may_fail(walk, !w->good[i]))
		return;
	got = pread(memory_fd, buf, PAGE, (unsigned long)map + i * PAGE);
	if (got < 0)
		expect_errno(walk->path, "/proc/self/mem", EIO);
	hold_len(walk, w, i * PAGE, PAGE, got, "/proc/self/mem");
	if (got > 0)
		hold_against(walk, w, i * PAGE, buf, got, "/proc/self/mem");
}

static void populate(struct walk *walk, const struct window *w, unsigned char *map, bool private)
{
	__u32 len = can_be_had(w, 0, w->nr * PAGE);
	bool write = private && one_in(walk, 2);

	if (len && madvise(map, len, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ))
		finding("%s: %u bytes at page %u cannot be populated: %s", walk->path, len,
			w->first, strerror(errno));
	if (one_in(walk, 4) && madvise(map, len ?: PAGE, MADV_DONTNEED))
		finding("%s: MADV_DONTNEED: %s", walk->path, strerror(errno));
}

static void map_window(struct walk *walk, const struct window *w, int fd)
{
	bool private = one_in(walk, 2);
	int prot = PROT_READ | (one_in(walk, 4) ? PROT_EXEC : 0) | (private ? PROT_WRITE : 0);
	unsigned char *map = mmap(NULL, w->nr * PAGE, prot, private ? MAP_PRIVATE : MAP_SHARED, fd,
				  (off_t)w->first * PAGE);

	if (map == MAP_FAILED)
		finding("%s: mmap of %u pages: %s", walk->path, w->nr, strerror(errno));
	if (one_in(walk, 4))
		populate(walk, w, map, private);
	if (one_in(walk, 3))
		touch_map(walk, w, map, private);
	if (one_in(walk, 8))
		read_map_as_debugger(walk, w, map);
	copy_from_map(walk, w, map);
	look_at_places(walk, w, map);
	if (one_in(walk, 3))
		touch_map(walk, w, map, private);
	munmap(map, w->nr * PAGE);
}

/* Files --------------------------------------------------------------------------- */

/* What FIEMAP says of blocks has to be where they are. */
static void check_extent(struct walk *walk, const struct disk_inode *file,
			 const struct fiemap_extent *e)
{
	bool encoded = e->fe_flags & FIEMAP_EXTENT_ENCODED;
	struct block block;

	for (__u64 i = 0; i < e->fe_length; i += PAGE) {
		if (view_locate(walk->view, file, (e->fe_logical + i) / PAGE, &block) &&
		    block.len && block.stored == !encoded && block.at == e->fe_physical + i)
			continue;
		finding("%s: an extent has %#llx at %#llx", walk->path,
			(e->fe_logical + i),
			(e->fe_physical + i));
	}
}

static void look_at_extents(struct walk *walk, const struct disk_inode *file, int fd)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + 32 * sizeof(struct fiemap_extent)];
	} all = { .map = {
		.fm_start = one_in(walk, 2) ? 0 : rng_below(&walk->rng, file->size + 1),
		.fm_length = one_in(walk, 2) ? ~0ull : rng_below(&walk->rng, file->size + 1),
		.fm_extent_count = one_in(walk, 4) ? 0 : 32,
	} };
	int ret = ioctl(fd, FS_IOC_FIEMAP, &all.map);

	note(walk, ret);
	if (ret) {
		expect_errno(walk->path, "FIEMAP", all.map.fm_length ? EUCLEAN : EINVAL);
		return;
	}
	note(walk, all.map.fm_mapped_extents);
	for (__u32 i = 0; all.map.fm_extent_count && i < all.map.fm_mapped_extents; i++)
		check_extent(walk, file, &all.map.fm_extents[i]);
}

static void look_at_window(struct walk *walk, const struct disk_inode *file, int fd,
			   __u32 first, __u32 nr)
{
	static struct window w;

	window_fill(walk, &w, file, first, nr);
	if (one_in(walk, 4))
		map_window(walk, &w, fd);
	read_window(walk, &w, fd, 0, nr * PAGE);
	/* From the middle of something, after what was bad as well. */
	for (int n = 2; n--;)
		read_window(walk, &w, fd, rng_below(&walk->rng, nr * PAGE),
			    1 + rng_below(&walk->rng, one_in(walk, 2) ? 64 : 3 * PAGE));
	for (__u32 i = 1; i < nr; i++) {
		if (w.good[i] && !w.good[i - 1])
			read_window(walk, &w, fd, i * PAGE, nr * PAGE);
	}
	if (one_in(walk, 4))
		splice_window(walk, &w, fd);
	map_window(walk, &w, fd);
}

static void look_at_file(struct walk *walk, const struct disk_inode *file, int dir,
			 const char *name)
{
	__u32 nr = has_data(file) ? PAGES(file->size) : 0, first = 0, len;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char byte;

	if (fd < 0)
		finding("%s: open: %s", walk->path, strerror(errno));
	if (nr && one_in(walk, 2))
		look_at_extents(walk, file, fd);
	if (nr && one_in(walk, 8))
		posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	/* All of a small file; of a large one the beginning, the end, and what is between. */
	for (int n = 0; n < 4 && first <= nr && walk->pages > 0; n++) {
		len = 1 + rng_below(&walk->rng, WINDOW);
		len = min_u32(min_u32(nr + 1 - first, len), walk->pages);
		look_at_window(walk, file, fd, first, len);
		first += len;
		if (n == 1 && nr - first > 2 * WINDOW && first < nr)
			first += rng_below(&walk->rng, nr - first);
		else if (n == 2 && nr - first > WINDOW && first < nr)
			first = nr - rng_below(&walk->rng, WINDOW);
	}
	if (pread(fd, &byte, 1, has_data(file) ? file->size : 0) != 0 ||
	    pread(fd, &byte, 1, 1ll << 40) != 0)
		finding("%s: there is something after the end", walk->path);
	close(fd);
}

static void look_at_link(struct walk *walk, const struct disk_inode *link, int dir,
			 const char *name)
{
	static unsigned char expected[PAGE + 1];
	static char target[2 * PAGE];
	bool good = view_block(walk->view, link, 0, expected);
	ssize_t got = readlinkat(dir, name, target, sizeof(target));
	ssize_t len = strlen((char *)expected);

	note(walk, got);
	if (got < 0)
		expect_errno(walk->path, "readlink", EUCLEAN);
	/* One without contents has no target either. */
	if (!has_data(link))
		return;
	if (good ? got != len || memcmp(target, expected, len) : got >= 0)
		finding("%s: target of %zd bytes, not %zd, or another one", walk->path, got,
			good ? len : -1);
}

/* Directories --------------------------------------------------------------------- */

struct linux_dirent {
	__u64 ino;
	__s64 next;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* Read entries from @pos on. Return: bytes in @buf, or negative. */
static long read_entries(int fd, off_t pos, void *buf, size_t len)
{
	if (pos >= 0 && lseek(fd, pos, SEEK_SET) != pos)
		return -1;
	return syscall(SYS_getdents64, fd, buf, len);
}

#define DOTS	2	/* the position of an entry is its offset after those two */

static void check_entry(struct walk *walk, const struct disk_inode *dir,
			const struct linux_dirent *d, __s64 pos)
{
	struct entry entry;

	if (pos < DOTS) {
		if (strcmp(d->name, ".") && strcmp(d->name, ".."))
			finding("%s: %s is at %lld", walk->path, d->name, pos);
		return;
	}
	if (!view_entry(walk->view, dir, pos - DOTS, &entry) ||
	    strlen(d->name) != entry.name_len || memcmp(d->name, entry.name, entry.name_len) ||
	    d->next != (__s64)entry.next + DOTS)
		finding("%s: entry %s at %lld, and then %lld", walk->path, d->name, pos,
			d->next);
}

/* In the middle of a directory, and in the middle of an entry. */
static void look_from_anywhere(struct walk *walk, const struct disk_inode *dir, int fd, __s64 pos)
{
	char buf[INODE_LEN + 300];
	const struct linux_dirent *d = (void *)buf;
	long got = read_entries(fd, pos, buf, sizeof(buf));

	if (got <= 0)
		finding("%s: %lld was an entry, and now is %ld", walk->path, pos, got);
	check_entry(walk, dir, d, pos);
	switch (rng_below(&walk->rng, 3)) {
	case 0:
		pos = rng_below(&walk->rng, dir->size + 64);
		break;
	case 1:
		pos = DOTS + (rng_below(&walk->rng, dir->size + 64) & ~3u);
		break;
	default:
		pos = 1ll << rng_below(&walk->rng, 63);
	}
	got = read_entries(fd, pos, buf, sizeof(buf));
	note(walk, got);
	if (got < 0)
		expect_errno(walk->path, "getdents, from anywhere", EUCLEAN, EINVAL);
	if (got > 0 && pos >= DOTS)
		check_entry(walk, dir, d, pos);
}

static void look_for_others(struct walk *walk, int fd)
{
	char name[300] = {};
	struct stat st;
	int ret;

	for (__u32 i = 0, len = rng_below(&walk->rng, 256); i <= len; i++)
		name[i] = 1 + rng_below(&walk->rng, 255);
	for (char *p = name; *p; p++) {
		if (*p == '/')
			*p = '_';
	}
	ret = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW);
	note(walk, ret);
	if (ret && strlen(name) > CRAMFS_MAXPATHLEN)
		expect_errno(walk->path, "any name", ENAMETOOLONG);
	else if (ret)
		expect_errno(walk->path, "any name", ENOENT, EUCLEAN);
	if (one_in(walk, 4) && (read(fd, name, 1) != -1 || errno != EISDIR))
		finding("%s: a directory can be read", walk->path);
}

static void look_at_dir(struct walk *walk, const struct disk_inode *dir, int fd, int depth);

static void look_at_entry(struct walk *walk, const struct disk_inode *dir, int fd, const char *name,
			  int depth)
{
	struct entry entry;
	struct stat st;
	int sub;

	walk->entries--;
	walk_counts.entries++;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		note(walk, errno);
		/* What is not where the order says is not found. */
		expect_errno(walk->path, "look-up", EUCLEAN,
			     walk->view->flags & CRAMFS_FLAG_SORTED_DIRS ? ENOENT : 0);
		walk_counts.refused++;
		return;
	}
	if (!view_find(walk->view, dir, name, &entry))
		finding("%s: it is there, and was not before", walk->path);
	note(walk, st.st_ino);
	if (st.st_mode != entry.inode.mode || st.st_uid != entry.inode.uid ||
	    st.st_gid != entry.inode.gid)
		finding("%s: mode %o of %u and %u, not %o of %u and %u", walk->path, st.st_mode,
			st.st_uid, st.st_gid, entry.inode.mode, entry.inode.uid, entry.inode.gid);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		if (st.st_rdev != makedev(entry.inode.size >> 8 & 0xff, entry.inode.size & 0xff))
			finding("%s: device %#lx, not %#x", walk->path,
				st.st_rdev, entry.inode.size);
		return;
	}
	if (st.st_size != (has_data(&entry.inode) ? entry.inode.size : 0))
		finding("%s: %ld bytes, not %u", walk->path, st.st_size,
			entry.inode.size);
	if (S_ISREG(st.st_mode)) {
		look_at_file(walk, &entry.inode, fd, name);
	} else if (S_ISLNK(st.st_mode)) {
		look_at_link(walk, &entry.inode, fd, name);
	} else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH) {
		sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0)
			finding("%s: open: %s", walk->path, strerror(errno));
		look_at_dir(walk, &entry.inode, sub, depth + 1);
		close(sub);
	}
}

static void look_at_dir(struct walk *walk, const struct disk_inode *dir, int fd, int depth)
{
	__u32 room = one_in(walk, 4) ? 300 : 8192, at = strlen(walk->path), skip = 1;
	__s64 pos = 0, remembered = -1;
	char buf[8192];
	long got;

	/* Of a large one, some. */
	if (has_data(dir) && dir->size / 24 > MAX_ENTRIES)
		skip = min_u32(dir->size / 24 / MAX_ENTRIES + 1, 20);
	if (one_in(walk, 2))
		look_for_others(walk, fd);
	while ((got = read_entries(fd, -1, buf, room)) > 0) {
		const struct linux_dirent *d;

		for (long i = 0; i < got; i += d->len) {
			d = (void *)(buf + i);
			check_entry(walk, dir, d, pos);
			if (pos >= DOTS && one_in(walk, 4))
				remembered = pos;
			pos = d->next;
			if (pos <= DOTS || walk->entries <= 0 || !one_in(walk, skip))
				continue;
			snprintf(walk->path + at, sizeof(walk->path) - at, "/%s", d->name);
			look_at_entry(walk, dir, fd, d->name, depth);
			walk->path[at] = 0;
		}
		if (walk->entries <= 0 && one_in(walk, 2))
			break;
	}
	note(walk, got);
	note(walk, pos);
	if (got < 0)
		expect_errno(walk->path, "getdents", EUCLEAN);
	if (!got && has_data(dir) && pos != dir->size + DOTS)
		finding("%s: ends at %lld of %u", walk->path, pos, dir->size);
	if (remembered >= 0)
		look_from_anywhere(walk, dir, fd, remembered);
}

/**
 * walk_image() - look at everything
 * @where: where an image is mounted
 * @view: what it has
 * @rng: decides what to do; the same numbers do the same
 *
 * Return: a hash of what the driver said.
 */
__u64 walk_image(const char *where, const struct view *view, struct rng rng)
{
	static struct walk walk;
	struct statfs fs;
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	walk = (struct walk){
		.view = view, .rng = rng, .entries = MAX_ENTRIES, .pages = MAX_PAGES,
		.bad = MAX_BAD, .touches = MAX_TOUCHES,
	};
	if (fd < 0 || fstatfs(fd, &fs))
		finding("the root: %s", strerror(errno));
	if (fs.f_type != CRAMFS_MAGIC)
		finding("the root is of another file system");
	look_at_dir(&walk, &view->root, fd, 0);
	close(fd);
	return walk.hash;
}
