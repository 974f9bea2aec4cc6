// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extraction of an image that has been checked into a directory. Good or not, it is not trusted:
 * every name is one component, is made in a directory that has been made before and is held open,
 * must not be there yet, and is never looked up by way of a symbolic link.
 *
 * Entries of a bad image that are bad themselves are left out and counted. So is what cannot be
 * restored for want of rights, or of a file system that has such things. Any other failure ends the
 * program, which says that the directory is incomplete.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fsck.h"

/* The format has no times; peers and mounted images show the beginning of time, too. */
static const struct timespec no_times[2];

struct identity {
	dev_t dev;
	ino_t ino;
};

/* What was not restored: how often, and where and why first. */
struct lack {
	unsigned long nr;
	const char *why;
	char *first;
};

struct extraction {
	const struct catalog *cat;
	struct walk walk;
	const char *path;
	/* the directory that is being filled, and those above it */
	int dir;
	struct identity *above;
	size_t depth, room;
	struct lack bad, owners, modes, nodes, set_ids;
};

noreturn static void fail(const struct extraction *ex, const char *why)
{
	complain("%s: %s", catalog_path(ex->cat, ex->walk.dir, ex->walk.node.at), why);
	die("%s: the extraction is incomplete", ex->path);
}

noreturn static void fail_errno(const struct extraction *ex)
{
	fail(ex, strerror(errno));
}

static void note_lack(const struct extraction *ex, struct lack *lack, const char *why)
{
	if (!lack->nr++) {
		lack->why = why;
		lack->first = catalog_path(ex->cat, ex->walk.dir, ex->walk.node.at);
	}
}

/* Note what errno says, if that is due to a lack of rights, or of the file system. */
static void note_errno(const struct extraction *ex, struct lack *lack)
{
	if (errno != EPERM && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		fail_errno(ex);
	note_lack(ex, lack, strerror(errno));
}

/* Only in a bad image there are two of one name. Return: that it is there. */
static const char *exists(const struct extraction *ex)
{
	if (errno != EEXIST)
		fail_errno(ex);
	return strerror(errno);
}

/* The permissions that an entry may get, the bits that go with the owner only if it has that. */
static mode_t allowed_mode(struct extraction *ex, bool uid_restored, bool gid_restored)
{
	mode_t mode = ex->walk.node.inode.mode & 07777, denied = 0;

	if (!uid_restored)
		denied |= S_ISUID;
	if (!gid_restored)
		denied |= S_ISGID;
	/* On a directory these run nothing. */
	if (S_ISDIR(ex->walk.node.inode.mode))
		denied = 0;
	if (mode & denied)
		note_lack(ex, &ex->set_ids, strerror(EPERM));
	return mode & ~denied;
}

/* Set the owner of @fd, or, if that is the current directory, of @name in it. */
static mode_t restore_owner(struct extraction *ex, int fd, const char *name)
{
	const struct inode *inode = &ex->walk.node.inode;
	int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
	bool uid_restored, gid_restored;
	struct stat st;
	int err;

	if (!fchownat(fd, name, inode->uid, inode->gid, flags))
		return allowed_mode(ex, true, true);
	err = errno;
	if (fstatat(fd, name, &st, flags))
		fail_errno(ex);
	uid_restored = st.st_uid == inode->uid;
	gid_restored = st.st_gid == inode->gid ||
		       !fchownat(fd, name, -1, inode->gid, flags);
	errno = err;
	if (!uid_restored || !gid_restored)
		note_errno(ex, &ex->owners);
	return allowed_mode(ex, uid_restored, gid_restored);
}

/* Give an open file or directory its attributes, the owner first, since that resets permissions. */
static void restore_attributes(struct extraction *ex, int fd)
{
	mode_t mode = restore_owner(ex, fd, "");

	/* The directory that the user has named may be somebody else's. */
	if (fchmod(fd, mode) || futimens(fd, no_times))
		note_errno(ex, &ex->modes);
}

struct writer {
	struct extraction *ex;
	int fd;
	__u64 offset;
};

static void write_block(void *ctx, const unsigned char *data, __u32 len)
{
	struct writer *w = ctx;
	ssize_t put;

	for (; len && data; data += put, len -= put, w->offset += put) {
		put = pwrite(w->fd, data, len, w->offset);
		if (put < 0)
			fail_errno(w->ex);
	}
	/* What is left is a hole here as well. */
	w->offset += len;
}

/* These return NULL, or what is wrong with the entry, of which then nothing is left. */

static const char *extract_file(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	struct writer w = { .ex = ex };
	const char *bad;

	w.fd = openat(ex->dir, node->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	if (w.fd < 0)
		return exists(ex);
	bad = file_read(ex->cat->rd, &node->inode, write_block, &w);
	if (bad ? unlinkat(ex->dir, node->name, 0) : ftruncate(w.fd, node->inode.size))
		fail_errno(ex);
	if (!bad)
		restore_attributes(ex, w.fd);
	if (close(w.fd))
		fail_errno(ex);
	return bad;
}

static const char *extract_symlink(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	const char *target, *bad = read_target(ex->cat->rd, &node->inode, &target);

	if (bad)
		return bad;
	if (symlinkat(target, ex->dir, node->name)) {
		if (errno == EEXIST)
			return strerror(errno);
		note_errno(ex, &ex->nodes);
		return NULL;
	}
	restore_owner(ex, ex->dir, node->name);
	if (utimensat(ex->dir, node->name, no_times, AT_SYMLINK_NOFOLLOW))
		note_errno(ex, &ex->modes);
	return NULL;
}

static const char *extract_node(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	const struct inode *inode = &node->inode;
	bool is_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	dev_t dev = is_device ? makedev(inode->size >> 8 & 0xff, inode->size & 0xff) : 0;
	mode_t mode;

	if (mknodat(ex->dir, node->name, (inode->mode & S_IFMT) | (inode->mode & 0777), dev)) {
		if (errno == EEXIST)
			return strerror(errno);
		note_errno(ex, &ex->nodes);
		return NULL;
	}
	mode = restore_owner(ex, ex->dir, node->name);
	if ((mode & ~0777 && fchmodat(ex->dir, node->name, mode, AT_SYMLINK_NOFOLLOW)) ||
	    utimensat(ex->dir, node->name, no_times, AT_SYMLINK_NOFOLLOW))
		note_errno(ex, &ex->modes);
	return NULL;
}

static struct identity identify(const struct extraction *ex, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		fail_errno(ex);
	return (struct identity){ .dev = st.st_dev, .ino = st.st_ino };
}

static void enter(struct extraction *ex, int fd)
{
	if (ex->depth == ex->room) {
		ex->room = ex->room ? ex->room * 2 : 64;
		ex->above = xgrow(ex->above, ex->room * sizeof(*ex->above));
	}
	ex->above[ex->depth++] = identify(ex, ex->dir);
	close(ex->dir);
	ex->dir = fd;
}

/* Only one directory is held open, or their depth would be limited; so ".." has to be verified. */
static void leave(struct extraction *ex)
{
	struct identity want, got;
	int up;

	/* The directory of the image is the one that the user has named. */
	if (!ex->depth) {
		restore_attributes(ex, ex->dir);
		return;
	}
	up = openat(ex->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		fail_errno(ex);
	want = ex->above[--ex->depth];
	got = identify(ex, up);
	if (want.dev != got.dev || want.ino != got.ino)
		fail(ex, "somebody has moved the directory meanwhile");
	restore_attributes(ex, ex->dir);
	close(ex->dir);
	ex->dir = up;
}

static const char *extract_dir(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	bool has_entries = walk_enters(&ex->walk);
	int fd;

	if (node->inode.size && !has_entries)
		return "directory is not to be read";
	if (mkdirat(ex->dir, node->name, 0700))
		return exists(ex);
	fd = openat(ex->dir, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail_errno(ex);
	if (has_entries) {
		enter(ex, fd);
		return NULL;
	}
	restore_attributes(ex, fd);
	close(fd);
	return NULL;
}

static const char *try_entry(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	const char *bad = bad_name(node);

	if (!bad)
		bad = bad_inode(&node->inode);
	if (bad)
		return bad;
	switch (node->inode.mode & S_IFMT) {
	case S_IFDIR:
		return extract_dir(ex);
	case S_IFREG:
	case S_IFLNK:
		if (!blocks_are_its_own(ex->cat, &node->inode))
			return "its data overlap others";
		return S_ISREG(node->inode.mode) ? extract_file(ex) : extract_symlink(ex);
	default:
		return extract_node(ex);
	}
}

static void extract_entry(struct extraction *ex, bool verbose)
{
	const char *bad = try_entry(ex);

	if (!bad) {
		if (verbose)
			list_entry(&ex->walk);
		return;
	}
	/* The check has found nothing, so the image or the directory has been changed since. */
	if (!nr_problems())
		fail(ex, bad);
	note_lack(ex, &ex->bad, bad);
	walk_skip(&ex->walk);
}

static bool is_empty(int fd, const char *path)
{
	DIR *dir = fdopendir(dup(fd));
	const struct dirent *d;
	bool empty = true;

	if (!dir)
		die_errno(path);
	/* It has the position of @fd. */
	rewinddir(dir);
	errno = 0;
	while (empty && (d = readdir(dir)))
		empty = !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..");
	if (errno)
		die_errno(path);
	closedir(dir);
	return empty;
}

/* A directory that is refused stays as it was; whoever may write to it may have been quicker. */
static int open_destination(const char *path)
{
	bool made = !mkdir(path, 0700);
	struct stat st;
	int fd;

	if (!made && errno != EEXIST)
		die("cannot make directory %s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (made ? O_NOFOLLOW : 0));
	if (fd < 0 || fstat(fd, &st))
		die_errno(path);
	if (!is_empty(fd, path))
		die("%s: directory is not empty", path);
	/* So that nobody else, even its owner, puts something into it until all is there. */
	if ((fchown(fd, geteuid(), -1) || fchmod(fd, 0700)) && errno != EPERM)
		die_errno(path);
	if (is_empty(fd, path))
		return fd;
	if (fchown(fd, st.st_uid, -1) || fchmod(fd, st.st_mode & 07777))
		die_errno(path);
	die("%s: directory is not empty any more", path);
}

static void report_lack(const struct lack *lack, bool is_error, const char *what)
{
	if (lack->nr)
		(is_error ? complain : warn)("%lu %s: %s; the first is %s", lack->nr, what,
					     lack->why, lack->first);
	free(lack->first);
}

/**
 * extract() - extract what is in an image
 * @cat: the catalogue, after blocks_check()
 * @path: directory to extract into, which is made unless it is there, and empty
 * @verbose: print a line for each entry that is extracted
 *
 * What is bad in a bad image is left out.
 *
 * Return: true if all the rest has been restored, or all of it that a user other than root can.
 */
bool extract(const struct catalog *cat, const char *path, bool verbose)
{
	struct extraction ex = { .cat = cat, .path = path };
	/* A user cannot do better; root should have. */
	bool is_root = !geteuid();
	enum walk_step step;

	ex.dir = open_destination(path);
	umask(0);
	walk_begin(&ex.walk, cat);
	while ((step = walk_next(&ex.walk)) != WALK_END) {
		if (step == WALK_LEAVE) {
			leave(&ex);
		} else if (ex.walk.dir) {
			extract_entry(&ex, verbose);
		} else {
			if (verbose)
				list_entry(&ex.walk);
			if (!walk_enters(&ex.walk))
				restore_attributes(&ex, ex.dir);
		}
	}
	close(ex.dir);
	free(ex.above);

	report_lack(&ex.bad, true, "entries with errors are left out");
	report_lack(&ex.nodes, is_root, "device nodes, FIFOs or links could not be made");
	report_lack(&ex.owners, is_root, "entries could not be given their owner");
	report_lack(&ex.modes, is_root, "entries could not be given their permissions or times");
	report_lack(&ex.set_ids, is_root,
		    "entries are without set-user-ID or set-group-ID, not having their owner");
	return !is_root || !(ex.nodes.nr || ex.owners.nr || ex.modes.nr || ex.set_ids.nr);
}
