// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extraction of an image that has been found good into a directory. The image is nevertheless not
 * trusted: every name is one component, is made in a directory that has been made before and is
 * held open, must not be there yet, and is never looked up by way of a symbolic link.
 *
 * What cannot be restored, as a rule for want of rights, is counted, and does not keep the rest
 * from being extracted. Any other failure ends the program, which says that the directory is
 * incomplete.
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

/* What was not restored: how often, and where first. */
struct lack {
	unsigned long nr;
	int err;
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
	struct lack owners, modes, nodes, set_ids;
};

noreturn static void fail(const struct extraction *ex, const char *why)
{
	char *path = catalog_path(ex->cat, ex->walk.dir, ex->walk.node.at);

	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	print_escaped(stderr, path, strlen(path));
	fprintf(stderr, ": %s\n", why);
	die("%s: the extraction is incomplete", ex->path);
}

noreturn static void fail_errno(const struct extraction *ex)
{
	fail(ex, strerror(errno));
}

static void note_lack(const struct extraction *ex, struct lack *lack, int err)
{
	if (!lack->nr++) {
		lack->err = err;
		lack->first = catalog_path(ex->cat, ex->walk.dir, ex->walk.node.at);
	}
}

/* The image may have been changed since it was checked. */
static void check_name(const struct extraction *ex)
{
	const char *name = ex->walk.node.name;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		fail(ex, "not a name to extract");
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
		note_lack(ex, &ex->set_ids, EPERM);
	return mode & ~denied;
}

/* Set the owner of @fd, or, if that is the current directory, of @name in it. */
static mode_t restore_owner(struct extraction *ex, int fd, const char *name)
{
	const struct inode *inode = &ex->walk.node.inode;
	int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
	bool uid_restored, gid_restored;
	struct stat st;

	if (!fchownat(fd, name, inode->uid, inode->gid, flags))
		return allowed_mode(ex, true, true);
	if (errno != EPERM && errno != EINVAL)
		fail_errno(ex);
	if (fstatat(fd, name, &st, flags))
		fail_errno(ex);
	uid_restored = st.st_uid == inode->uid;
	gid_restored = st.st_gid == inode->gid ||
		       !fchownat(fd, name, -1, inode->gid, flags);
	if (!uid_restored || !gid_restored)
		note_lack(ex, &ex->owners, EPERM);
	return allowed_mode(ex, uid_restored, gid_restored);
}

/* Give an open file or directory its attributes, the owner first, since that resets permissions. */
static void restore_attributes(struct extraction *ex, int fd)
{
	mode_t mode = restore_owner(ex, fd, "");

	if (!fchmod(fd, mode) && !futimens(fd, no_times))
		return;
	/* The directory that the user has named may be somebody else's. */
	if (errno != EPERM)
		fail_errno(ex);
	note_lack(ex, &ex->modes, errno);
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

static void extract_file(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	struct writer w = { .ex = ex };
	const char *bad;

	w.fd = openat(ex->dir, node->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	if (w.fd < 0)
		fail_errno(ex);
	bad = file_read(ex->cat->rd, &node->inode, write_block, &w);
	if (bad)
		fail(ex, bad);
	if (ftruncate(w.fd, node->inode.size))
		fail_errno(ex);
	restore_attributes(ex, w.fd);
	if (close(w.fd))
		fail_errno(ex);
}

static void extract_symlink(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	char target[MAX_TARGET + 1];
	const char *bad = read_target(ex->cat->rd, &node->inode, target);

	if (bad)
		fail(ex, bad);
	if (symlinkat(target, ex->dir, node->name))
		fail_errno(ex);
	restore_owner(ex, ex->dir, node->name);
	if (utimensat(ex->dir, node->name, no_times, AT_SYMLINK_NOFOLLOW))
		fail_errno(ex);
}

static void extract_node(struct extraction *ex)
{
	const struct node *node = &ex->walk.node;
	const struct inode *inode = &node->inode;
	bool is_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
	dev_t dev = is_device ? makedev(inode->size >> 8 & 0xff, inode->size & 0xff) : 0;
	mode_t mode;

	if (mknodat(ex->dir, node->name, (inode->mode & S_IFMT) | (inode->mode & 0777), dev)) {
		if (!is_device || errno != EPERM)
			fail_errno(ex);
		note_lack(ex, &ex->nodes, errno);
		return;
	}
	mode = restore_owner(ex, ex->dir, node->name);
	if ((mode & ~0777 && fchmodat(ex->dir, node->name, mode, AT_SYMLINK_NOFOLLOW)) ||
	    utimensat(ex->dir, node->name, no_times, AT_SYMLINK_NOFOLLOW))
		fail_errno(ex);
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

static void extract_dir(struct extraction *ex)
{
	const char *name = ex->walk.node.name;
	int fd;

	if (mkdirat(ex->dir, name, 0700))
		fail_errno(ex);
	fd = openat(ex->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail_errno(ex);
	if (walk_enters(&ex->walk)) {
		enter(ex, fd);
		return;
	}
	restore_attributes(ex, fd);
	close(fd);
}

static void extract_entry(struct extraction *ex)
{
	check_name(ex);
	switch (ex->walk.node.inode.mode & S_IFMT) {
	case S_IFREG:
		extract_file(ex);
		break;
	case S_IFDIR:
		extract_dir(ex);
		break;
	case S_IFLNK:
		extract_symlink(ex);
		break;
	default:
		extract_node(ex);
	}
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

/* Return: whether it matters. A user cannot do better, and has been told; root should have. */
static bool report_lack(const struct lack *lack, const char *what)
{
	if (!lack->nr)
		return false;
	if (geteuid())
		warn("%lu %s: %s; the first is %s", lack->nr, what, strerror(lack->err),
		     lack->first);
	else
		problem("%lu %s: %s; the first is %s", lack->nr, what, strerror(lack->err),
			lack->first);
	free(lack->first);
	return !geteuid();
}

/**
 * extract() - extract all that is in an image
 * @cat: the catalogue of an image without problems
 * @path: directory to extract into, which is made unless it is there, and empty
 * @verbose: print a line for each entry
 *
 * Return: true if all has been restored, or all that a user other than root can.
 */
bool extract(const struct catalog *cat, const char *path, bool verbose)
{
	struct extraction ex = { .cat = cat, .path = path };
	enum walk_step step;
	bool lacks = false;

	ex.dir = open_destination(path);
	umask(0);
	walk_begin(&ex.walk, cat);
	while ((step = walk_next(&ex.walk)) != WALK_END) {
		if (step == WALK_LEAVE) {
			leave(&ex);
			continue;
		}
		if (verbose)
			list_entry(&ex.walk);
		if (ex.walk.dir)
			extract_entry(&ex);
		else if (!walk_enters(&ex.walk))
			restore_attributes(&ex, ex.dir);
	}
	close(ex.dir);
	free(ex.above);

	lacks |= report_lack(&ex.nodes, "device nodes could not be made");
	lacks |= report_lack(&ex.owners, "entries could not be given their owner");
	lacks |= report_lack(&ex.modes, "entries could not be given their permissions");
	lacks |= report_lack(&ex.set_ids,
			     "entries are without set-user-ID or set-group-ID, not having their owner");
	return !lacks;
}
