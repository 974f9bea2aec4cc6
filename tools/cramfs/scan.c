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

/* The directory that has been read last: many a one that is read next is in it. */
static struct {
	const struct entry *e;
	DIR *stream;
} last;

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
	e->source_size = len;
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
	e->source_size = e->size;
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

static bool scan_names(struct entry *dir, DIR *stream, const struct options *opt)
{
	char *dir_path = entry_path(dir);
	int fd = dirfd(stream);
	struct dirent *d;
	struct stat st;

	if (fstat(fd, &st))
		return false;
	/* Linux takes no longer path. */
	if (strlen(dir_path) + 1 + NAME_MAX >= PATH_MAX) {
		free(dir_path);
		dir_path = xasprintf("/proc/self/fd/%d", fd);
	}
	while (errno = 0, (d = readdir(stream))) {
		struct entry *e;
		char *path;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
		    output_is(fd, &st, d->d_name))
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

static int open_directory(const struct entry *dir)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (last.stream && dir->parent == last.e)
		return openat(dirfd(last.stream), dir->name, flags);
	return entry_open(dir, O_RDONLY | O_DIRECTORY);
}

/* Reads the names in a directory, which stays open as the last one. */
static bool read_directory(struct entry *dir, const struct options *opt)
{
	int fd = open_directory(dir);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		return false;
	if (last.stream)
		closedir(last.stream);
	last.e = dir;
	last.stream = stream;
	return scan_names(dir, stream, opt);
}

/*
 * Reads a directory, then those in it: only one is open at a time, however deep they are. Returns
 * false, and errno, if it cannot be read.
 */
static bool scan_directory(struct entry *dir, unsigned int depth, const struct options *opt)
{
	size_t i = 0;

	if (depth > MAX_DEPTH)
		die_entry(dir, "is in too many directories");
	if (!read_directory(dir, opt))
		return false;
	while (i < dir->nr_children) {
		struct entry *e = dir->child[i];

		if (S_ISDIR(e->mode) && !scan_directory(e, depth + 1, opt)) {
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

	if (fstatat(AT_FDCWD, opt->source, &st, 0))
		die_errno(opt->source);
	if (!S_ISDIR(st.st_mode))
		die("%s: not a directory", opt->source);
	take_attributes(root, &st);
	/* The operand may well be a symbolic link; its own attributes do not matter. */
	path = xasprintf("%s/.", opt->source);
	look_for_attributes(root, path);
	free(path);
	if (!scan_directory(root, 0, opt))
		die_errno(opt->source);
	closedir(last.stream);
	return root;
}
