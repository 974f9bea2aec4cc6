// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the tree from a directory: names, attributes and targets of symbolic links, but not the
 * contents of files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mkcramfs.h"

/* An ACL as the kernel hands it out: a version, and entries of these bytes. */
#define ACL_HEADER	4
#define ACL_ENTRY	8
#define ACL_GROUP_OBJ	0x04

#define OPEN_DIRECTORY	(O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* The directories that are being read, each in the one before. */
static struct {
	dev_t dev;
	ino_t ino;
} ids[MAX_DEPTH + 1];

/* Returns false, and errno, if it cannot be read. Some file systems do not know its length. */
static bool read_target(struct entry *e, int dir)
{
	static char target[PATH_MAX + 1];
	ssize_t len = readlinkat(dir, e->name, target, sizeof(target) - 1);

	if (len < 0)
		return false;
	target[len] = '\0';
	e->target = xstrdup(target);
	e->size = len;
	return true;
}

static void take_attributes(struct entry *e, const struct stat *st)
{
	e->mode = st->st_mode;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->state = contents_state(st);
	if (S_ISREG(st->st_mode))
		e->size = st->st_size;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		e->rdev = st->st_rdev;
}

/**
 * tree_wants_attribute() - whether anybody is to be told that an image lacks an extended attribute
 * @name: its name
 *
 * Return: false for the label that files have on the machine that we run on.
 */
bool tree_wants_attribute(const char *name)
{
	return strcmp(name, "security.selinux");
}

/*
 * With an ACL, st_mode has the ACL's mask in the place of what the owning group may do. Without it,
 * the group must not have more than both give it.
 */
static void take_group_rights(struct entry *e, const char *path)
{
	static unsigned char acl[65536];
	ssize_t len = lgetxattr(path, "system.posix_acl_access", acl, sizeof(acl)), i;

	for (i = ACL_HEADER; i + ACL_ENTRY <= len; i += ACL_ENTRY) {
		if (get_u16(acl + i, false) == ACL_GROUP_OBJ)
			e->mode &= ~0070 | get_u16(acl + i + 2, false) << 3;
	}
}

/* The attributes of what is at @path, which is for the kernel, not for messages. */
static void look_for_attributes(struct entry *e, const char *path)
{
	static char list[65536];
	ssize_t len = llistxattr(path, list, sizeof(list));
	bool any = false, capabilities = false;
	static bool told;
	const char *p;

	if (len < 0 && errno != ENOTSUP && !told) {
		told = true;
		warn_entry(e, "extended attributes cannot be looked for: %s", strerror(errno));
	}
	for (p = list; p < list + len; p += strlen(p) + 1) {
		any |= tree_wants_attribute(p);
		capabilities |= !strcmp(p, "security.capability");
		if (!strcmp(p, "system.posix_acl_access"))
			take_group_rights(e, path);
	}
	if (any)
		limits_drop_attributes(e, capabilities);
}

/* Returns false, and errno, if the entry cannot be read. */
static bool scan_entry(struct entry *e, int dir)
{
	struct stat st;

	if (fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	take_attributes(e, &st);
	if (S_ISLNK(e->mode))
		return read_target(e, dir);
	/* Better all such errors now than one of them later; an empty file need not be read. */
	return !S_ISREG(e->mode) || !e->size || !faccessat(dir, e->name, R_OK, AT_EACCESS);
}

static bool scan_names(struct entry *dir, const struct stat *st, DIR *stream,
		       const struct options *opt)
{
	char *dir_path = entry_path(dir);
	int fd = dirfd(stream);
	struct dirent *d;

	/* Linux takes no longer path. */
	if (strlen(dir_path) + 1 + NAME_MAX >= PATH_MAX) {
		free(dir_path);
		dir_path = xasprintf("/proc/self/fd/%d", fd);
	}
	while (errno = 0, (d = readdir(stream))) {
		struct entry *e;
		char *path;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
		    output_is(fd, st, d->d_name))
			continue;
		e = tree_add(dir, d->d_name, 0);
		if (tree_excludes(e, opt)) {
			tree_drop(e);
			continue;
		}
		if (!scan_entry(e, fd)) {
			limits_unreadable(e, opt);
			tree_drop(e);
			continue;
		}
		path = xasprintf("%s/%s", dir_path, e->name);
		look_for_attributes(e, path);
		free(path);
	}
	free(dir_path);
	return !errno;
}

static bool read_directory(struct entry *dir, int fd, unsigned int depth,
			   const struct options *opt)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct stat st;
	int saved;
	bool ok;

	if (!stream || fstat(fd, &st))
		return false;
	ids[depth].dev = st.st_dev;
	ids[depth].ino = st.st_ino;
	ok = scan_names(dir, &st, stream, opt);
	saved = errno;
	closedir(stream);
	errno = saved;
	return ok;
}

/* From the descriptor of a directory in it; the way by its path may be a long one. */
static int open_parent(const struct entry *dir, int child, unsigned int depth)
{
	int fd = openat(child, "..", OPEN_DIRECTORY);
	struct stat st;

	/* Unless somebody has moved it meanwhile. */
	if (fd >= 0 && !fstat(fd, &st) && st.st_dev == ids[depth].dev &&
	    st.st_ino == ids[depth].ino)
		return fd;
	if (fd >= 0)
		close(fd);
	return entry_open(dir, OPEN_DIRECTORY);
}

static bool scan_directory(struct entry *dir, int *fd, unsigned int depth,
			   const struct options *opt);

/* The same for a directory in the one that @fd is the descriptor of. */
static bool scan_child(struct entry *e, int *fd, unsigned int depth, const struct options *opt)
{
	int child = openat(*fd, e->name, OPEN_DIRECTORY | O_NOFOLLOW), saved;
	bool ok;

	if (child < 0)
		return false;
	close(*fd);
	ok = scan_directory(e, &child, depth, opt);
	saved = errno;
	*fd = open_parent(e->parent, child, depth - 1);
	if (*fd < 0)
		die_entry(e->parent, "%s", strerror(errno));
	close(child);
	errno = saved;
	return ok;
}

/*
 * Reads a directory, then those in it: only one is open at a time, however deep they are. @fd is
 * its descriptor, which is open under another number at the end. Returns false, and errno, if it
 * cannot be read.
 */
static bool scan_directory(struct entry *dir, int *fd, unsigned int depth,
			   const struct options *opt)
{
	size_t i = 0;

	if (depth > MAX_DEPTH)
		die_entry(dir, "is in too many directories");
	if (!read_directory(dir, *fd, depth, opt))
		return false;
	while (i < dir->nr_children) {
		struct entry *e = dir->child[i];

		if (S_ISDIR(e->mode) && !scan_child(e, fd, depth + 1, opt)) {
			limits_unreadable(e, opt);
			tree_drop(e);
		} else {
			i++;
		}
	}
	return true;
}

/**
 * tree_scan() - read the source directory
 * @opt: options
 *
 * Return: the root of the tree, its directories in no order.
 */
struct entry *tree_scan(const struct options *opt)
{
	struct entry *root = tree_new(opt->source, S_IFDIR);
	struct stat st;
	char *path;
	int fd;

	if (fstatat(AT_FDCWD, opt->source, &st, 0))
		die_errno(opt->source);
	if (!S_ISDIR(st.st_mode))
		die("%s: not a directory", opt->source);
	take_attributes(root, &st);
	/* The operand may well be a symbolic link; its own attributes do not matter. */
	path = xasprintf("%s/.", opt->source);
	look_for_attributes(root, path);
	free(path);
	fd = entry_open(root, OPEN_DIRECTORY);
	if (fd < 0 || !scan_directory(root, &fd, 0, opt))
		die_errno(opt->source);
	close(fd);
	return root;
}
