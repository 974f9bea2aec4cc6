// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of the race test that look at files and directories by system calls, and
 * hold all that they get against the tree.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "race.h"

#define MAX_CHUNK	(40 * PAGE)

static unsigned char buffer[MAX_CHUNK];

/* What a read of @want bytes at @offset has to give. */
static size_t expected_len(const struct node *node, size_t offset, size_t want)
{
	if (offset >= node->len)
		return 0;
	return want < node->len - offset ? want : node->len - offset;
}

/* @got is what read() or the like said. */
static bool check_read(const char *what, const struct node *node, ssize_t got, const void *buf,
		       size_t offset, size_t want)
{
	if (got < 0) {
		fail("%s: %s at %zu: %s", node->path, what, offset, strerror(errno));
		return false;
	}
	/* Less than was asked for is right if there is no more, or there will be more. */
	if (got > (ssize_t)expected_len(node, offset, want) ||
	    (!got && expected_len(node, offset, want))) {
		fail("%s: %s of %zu at %zu of %zu gives %zd", node->path, what, want, offset,
		     node->len, got);
		return false;
	}
	return same(what, node, buf, offset, got);
}

static void read_in_order(const struct node *node, int fd)
{
	size_t offset = 0;
	ssize_t got;

	do {
		size_t want = 1 + random_below(one_in(3) ? MAX_CHUNK : 3 * PAGE);

		got = read(fd, buffer, want);
		if (!check_read("read()", node, got, buffer, offset, want))
			return;
		offset += got;
	} while (got);
}

static void read_anywhere(const struct node *node, int fd)
{
	for (int n = 0; n < 8; n++) {
		size_t offset = random_below(node->len + 2 * PAGE);
		size_t want = 1 + random_below(2 * PAGE);

		if (!check_read("pread()", node, pread(fd, buffer, want, offset), buffer, offset,
				want))
			return;
	}
}

static void read_in_pieces(const struct node *node, int fd)
{
	size_t len = 1 + random_below(PAGE), offset = random_below(node->len + 1);
	struct iovec iov[3] = {
		{ buffer, len }, { buffer + len, 2 * PAGE }, { buffer + len + 2 * PAGE, PAGE },
	};
	int flags = one_in(2) ? RWF_NOWAIT : 0;
	ssize_t got = preadv2(fd, iov, 3, offset, flags);

	if (got < 0 && flags && (errno == EAGAIN || errno == EOPNOTSUPP))
		return;
	check_read("preadv2()", node, got, buffer, offset, len + 3 * PAGE);
}

/* The kernel has to fault, on this file system, while it reads from it. */
static void read_into_mapping(const struct node *node, int fd)
{
	const struct home *home = any_home();
	const struct node *other = any_mappable(&trees[home->tree]);
	int other_fd = open_in(home->top, other);
	size_t offset = random_below(node->len + 1), len = other->len;
	unsigned char *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, other_fd, 0);
	close(other_fd);
	if (p == MAP_FAILED) {
		fail("%s: private mapping: %s", other->path, strerror(errno));
		return;
	}
	check_read("pread() into a mapping", node, pread(fd, p, len, offset), p, offset, len);
	munmap(p, len);
}

static void advise(int fd)
{
	static const int advice[] = {
		POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED, POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL,
		POSIX_FADV_NOREUSE,
	};

	posix_fadvise(fd, random_below(8) * PAGE, random_below(8) * PAGE,
		      advice[random_below(5)]);
	if (one_in(4))
		readahead(fd, 0, 16 * PAGE);
}

static void read_file(const char *top, const struct node *node)
{
	int fd = open_in(top, node);

	if (fd < 0)
		return;
	if (one_in(3))
		advise(fd);
	switch (random_below(5)) {
	case 0:
		read_anywhere(node, fd);
		break;
	case 1:
		read_in_pieces(node, fd);
		break;
	case 2:
		read_into_mapping(node, fd);
		break;
	default:
		read_in_order(node, fd);
		break;
	}
	close(fd);
}

/**
 * read_some() - read a few files
 * @top: where the tree is mounted
 * @tree: what is there
 */
void read_some(const char *top, const struct tree *tree)
{
	for (int n = 0; n < 4 && !shared->stop; n++)
		read_file(top, tree->files[random_below(tree->nr_files)]);
}

/**
 * read_round() - read some files of a home, or the disk under it
 */
void read_round(void)
{
	const struct home *home = any_home();
	int fd;

	if (home->device[0] && one_in(8)) {
		fd = open(home->device, O_RDONLY);
		if (fd < 0 || pread(fd, buffer, MAX_CHUNK, random_below(900) * PAGE) < 0)
			fail("%s: %s", home->device, strerror(errno));
		close(fd);
	}
	read_some(home->top, &trees[home->tree]);
}

/**
 * splice_round() - have pages of a file in a pipe while others drop them
 */
void splice_round(void)
{
	const struct home *home = any_home();
	const struct node *node = any_file(home);
	int fd = open_in(home->top, node), pipes[2];
	loff_t offset = random_below(node->len + 1);

	if (fd < 0 || pipe2(pipes, O_NONBLOCK)) {
		close(fd);
		return;
	}
	for (int n = 0; n < 6; n++) {
		size_t start = offset, want = 1 + random_below(16 * PAGE);
		ssize_t in = splice(fd, &offset, pipes[1], NULL, want, 0), got = 0, part;

		if (in > 0 && one_in(2))
			short_sleep(2000);
		while (got < in && (part = read(pipes[0], buffer + got, in - got)) > 0)
			got += part;
		if (!check_read("splice()", node, in < 0 ? in : got, buffer, start, want))
			break;
		if (got != in && in >= 0)
			fail("%s: %zd of %zd bytes come out of the pipe", node->path, got, in);
		if (!in)
			break;
	}
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* Stored blocks are where the file system says, on the disk or in memory. */
static void check_extent(const struct home *home, const struct node *node,
			 const struct fiemap_extent *extent)
{
	size_t len = extent->fe_length < sizeof(buffer) ? extent->fe_length : sizeof(buffer);
	int fd;

	if (extent->fe_flags & FIEMAP_EXTENT_ENCODED || !home->device[0])
		return;
	if (extent->fe_logical + len > node->len)
		len = node->len - extent->fe_logical;
	fd = open(home->device, O_RDONLY);
	if (fd < 0 || pread(fd, buffer, len, extent->fe_physical) != (ssize_t)len)
		fail("%s: %zu bytes at %llu: %s", home->device, len, extent->fe_physical,
		     strerror(errno));
	else
		same("an extent's place", node, buffer, extent->fe_logical, len);
	close(fd);
}

/**
 * fiemap_round() - ask where a file's data are, and look there
 */
void fiemap_round(void)
{
	const struct home *home = any_home();
	const struct node *node = any_file(home);
	struct { struct fiemap map; struct fiemap_extent extents[40]; } ask = {
		.map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 40 },
	};
	int fd = open_in(home->top, node);

	if (fd < 0)
		return;
	if (ioctl(fd, FS_IOC_FIEMAP, &ask)) {
		fail("%s: FIEMAP: %s", node->path, strerror(errno));
		ask.map.fm_mapped_extents = 0;
	}
	close(fd);
	for (unsigned int n = 0; n < ask.map.fm_mapped_extents; n++) {
		if (one_in(4))
			check_extent(home, node, &ask.extents[n]);
	}
}

/**
 * check_stat() - hold what stat() says against what there is
 * @node: in the tree
 * @st: what it says
 */
void check_stat(const struct node *node, const struct stat *st)
{
	static const mode_t modes[] = {
		[NODE_DIR] = S_IFDIR, [NODE_FILE] = S_IFREG, [NODE_LINK] = S_IFLNK,
		[NODE_OTHER] = S_IFREG,
	};

	note_progress();
	if ((st->st_mode & S_IFMT) != modes[node->type])
		fail("%s: its mode is %o", node->path, st->st_mode);
	else if ((node->type == NODE_FILE || node->type == NODE_LINK) &&
		 st->st_size != (off_t)node->len)
		fail("%s: its size is %lld, not %zu", node->path, (long long)st->st_size,
		     node->len);
	/* Nothing of these is in an image. */
	if (st->st_nlink != 1 || st->st_atime || st->st_mtime || st->st_ctime)
		fail("%s: it has %lu links, and times %lld, %lld, %lld", node->path,
		     (unsigned long)st->st_nlink, (long long)st->st_atime,
		     (long long)st->st_mtime, (long long)st->st_ctime);
}

/**
 * check_link() - hold what readlink() says against what there is
 * @node: in the tree
 * @path: where it is
 */
void check_link(const struct node *node, const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len != (ssize_t)node->len || memcmp(target, node->contents, len))
		fail("%s: its target: %zd, %s", node->path, len, strerror(errno));
}

static void walk_dir(const char *top, const struct tree *tree, const struct node *dir)
{
	unsigned int found = 0;
	struct dirent *de;
	char path[192];
	DIR *stream;

	snprintf(path, sizeof(path), "%s/%s", top, dir->path);
	stream = opendir(path);
	if (!stream) {
		fail("%s: %s", path, strerror(errno));
		return;
	}
	while ((errno = 0, de = readdir(stream))) {
		const char *slash = dir->path[0] ? "/" : "";
		struct node *node;
		struct stat st;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		found++;
		snprintf(path, sizeof(path), "%s%s%.64s", dir->path, slash, de->d_name);
		node = tree_find(tree, path);
		if (!node) {
			fail("%s is not expected", path);
			continue;
		}
		/* All the small ones are alike. */
		if (node->type != NODE_DIR && dir->children > 100 && !one_in(8))
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, node->path);
		if (lstat(path, &st)) {
			fail("%s: %s", path, strerror(errno));
			continue;
		}
		check_stat(node, &st);
		if (de->d_ino != st.st_ino)
			fail("%s: inode %llu in its directory, %llu itself", path,
			     (unsigned long long)de->d_ino, (unsigned long long)st.st_ino);
		if (node->type == NODE_LINK)
			check_link(node, path);
		if (node->type == NODE_DIR && !shared->stop)
			walk_dir(top, tree, node);
	}
	if (errno)
		fail("%s/%s: readdir(): %s", top, dir->path, strerror(errno));
	else if (found != dir->children)
		fail("%s/%s: %u entries of %u", top, dir->path, found, dir->children);
	closedir(stream);
}

/**
 * walk_tree() - look at everything that is in a tree, and that nothing else is
 * @top: where it is mounted
 * @tree: what is there
 */
void walk_tree(const char *top, const struct tree *tree)
{
	walk_dir(top, tree, tree_find(tree, ""));
}

/**
 * walk_round() - look at everything in a home
 */
void walk_round(void)
{
	const struct home *home = any_home();

	walk_tree(home->top, &trees[home->tree]);
}

/**
 * lookup_round() - look for names, of which some are not there
 */
void lookup_round(void)
{
	const struct home *home = any_home();
	const struct tree *tree = &trees[home->tree];
	char path[400];
	struct stat st;

	for (int n = 0; n < 12; n++) {
		const struct node *node = &tree->nodes[random_below(tree->nr)];

		snprintf(path, sizeof(path), "%s/%s", home->top, node->path);
		if (lstat(path, &st))
			fail("%s: %s", path, strerror(errno));
		else
			check_stat(node, &st);
		snprintf(path, sizeof(path), "%s/many/%03x-%x%s", home->top, random_below(3000),
			 random_below(50), one_in(2) ? "!" : "+");
		if (!lstat(path, &st) || errno != ENOENT)
			fail("%s is there", path);
	}
}

static void refuse(const char *what, const char *path, bool done)
{
	if (done)
		fail("%s: %s is not refused", path, what);
}

/**
 * refused_round() - try to change what cannot be changed
 */
void refused_round(void)
{
	const struct home *home = any_home();
	const struct node *node = any_mappable(&trees[home->tree]);
	int fd = open_in(home->top, node);
	char path[128];
	void *p;

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", home->top, node->path);
	refuse("truncate()", path, !truncate(path, random_below(node->len)));
	refuse("ftruncate()", path, !ftruncate(fd, 0));
	refuse("fallocate()", path,
	       !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	refuse("open() for writing", path, open(path, O_RDWR) >= 0);
	refuse("open() with O_TRUNC", path, open(path, O_WRONLY | O_TRUNC) >= 0);
	refuse("unlink()", path, !unlink(path));
	refuse("chmod()", path, !chmod(path, 0777));
	refuse("a writable shared mapping", path,
	       mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);

	p = mmap(NULL, node->len, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		fail("%s: shared mapping: %s", path, strerror(errno));
	} else {
		refuse("MADV_REMOVE", path, !madvise(p, PAGE, MADV_REMOVE));
		refuse("mprotect() of a shared mapping", path,
		       !mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		same("a mapping after that", node, p, 0, node->len);
		munmap(p, node->len);
	}
	close(fd);
	short_sleep(20000);
}
