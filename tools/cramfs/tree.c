// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in memory: read from a directory, added to by the device table (devtable.c), then
 * sorted and held against what the format can express. Contents of files are not read here.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mkcramfs.h"

/**
 * entry_path() - path of an entry below the source directory, for messages and for opening it
 * @e: entry
 *
 * Return: the path, to be freed by the caller.
 */
char *entry_path(const struct entry *e)
{
	char *dir, *path;
	size_t len;

	if (!e->parent)
		return xstrdup(e->name);

	dir = entry_path(e->parent);
	len = strlen(dir);
	if (len && dir[len - 1] == '/')
		len--;
	path = xalloc(len + 1 + strlen(e->name) + 1);
	sprintf(path, "%.*s/%s", (int)len, dir, e->name);
	free(dir);
	return path;
}

/**
 * entry_image_path() - path of an entry in the image, for patterns
 * @e: entry
 *
 * Return: the path, beginning with a slash, to be freed by the caller.
 */
char *entry_image_path(const struct entry *e)
{
	const struct entry *up;
	size_t len = 0;
	char *path, *p;

	if (!e->parent)
		return xstrdup("/");
	for (up = e; up->parent; up = up->parent)
		len += 1 + strlen(up->name);
	path = xalloc(len + 1);
	p = path + len;
	for (up = e; up->parent; up = up->parent) {
		len = strlen(up->name);
		p -= len;
		memcpy(p, up->name, len);
		*--p = '/';
	}
	return path;
}

/**
 * die_entry() - print an error about an entry and end the program
 * @e: entry, of which the path is printed
 * @fmt: what is wrong with it
 */
void die_entry(const struct entry *e, const char *fmt, ...)
{
	char *path = entry_path(e), *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		die("out of memory");
	die("%s: %s", path, text);
}

/**
 * warn_entry() - print a warning about an entry, and count it
 * @e: entry, of which the path is printed
 * @fmt: what is doubtful about it
 */
void warn_entry(const struct entry *e, const char *fmt, ...)
{
	char *path = entry_path(e), *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		die("out of memory");
	va_end(args);
	warn("%s: %s", path, text);
	free(text);
	free(path);
}

/**
 * entry_has_data() - whether an entry has bytes in the image besides its inode
 * @e: entry
 *
 * Return: true for symbolic links and for files that are not empty.
 */
bool entry_has_data(const struct entry *e)
{
	return (S_ISREG(e->mode) || S_ISLNK(e->mode)) && e->size;
}

/**
 * tree_add() - add an entry to a directory
 * @dir: directory
 * @name: name, which must not be there yet
 * @mode: type and permissions
 *
 * Return: the entry; the caller fills in the rest.
 */
struct entry *tree_add(struct entry *dir, const char *name, mode_t mode)
{
	struct entry *e = xalloc(sizeof(*e));
	size_t nr = dir->nr_children;

	/* Room doubles whenever the number is a power of two. */
	if (!(nr & (nr - 1)))
		dir->child = xgrow(dir->child, (nr ? nr * 2 : 1) * sizeof(*dir->child));
	dir->child[dir->nr_children++] = e;
	e->parent = dir;
	e->name = xstrdup(name);
	e->mode = mode;
	e->spooled = -1;
	return e;
}

/**
 * tree_find() - look for a name in a directory, sorted or not
 * @dir: directory
 * @name: name, which need not end in a NUL
 * @len: its length in bytes
 *
 * Return: the entry, or NULL.
 */
struct entry *tree_find(const struct entry *dir, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < dir->nr_children; i++) {
		const char *have = dir->child[i]->name;

		if (!strncmp(have, name, len) && !have[len])
			return dir->child[i];
	}
	return NULL;
}

static void read_target(struct entry *e, const char *path)
{
	ssize_t len;

	e->target = xalloc(e->size + 1);
	len = readlink(path, e->target, e->size + 1);
	if (len < 0)
		die_errno(path);
	if ((__u64)len != e->size)
		die_entry(e, "changed while the image was made");
}

static void take_attributes(struct entry *e, const struct stat *st, const struct options *opt)
{
	e->mode = st->st_mode;
	e->uid = opt->uid >= 0 ? opt->uid : st->st_uid;
	e->gid = opt->gid >= 0 ? opt->gid : st->st_gid;
	e->mtime = st->st_mtim;
	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		e->size = st->st_size;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		e->rdev = st->st_rdev;
}

static void scan_directory(struct entry *dir, const struct options *opt);

static void scan_entry(struct entry *dir, const char *name, const struct options *opt)
{
	struct entry *e = tree_add(dir, name, 0);
	char *path = entry_path(e);
	struct stat st;

	if (lstat(path, &st))
		die_errno(path);
	take_attributes(e, &st, opt);
	if (S_ISLNK(e->mode))
		read_target(e, path);
	free(path);
	if (S_ISDIR(e->mode))
		scan_directory(e, opt);
}

static void scan_directory(struct entry *dir, const struct options *opt)
{
	char *path = entry_path(dir);
	struct dirent *d;
	struct stat st;
	DIR *stream;

	stream = opendir(path);
	if (!stream || fstat(dirfd(stream), &st))
		die_errno(path);
	while (errno = 0, (d = readdir(stream))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (output_is(&st, d->d_name))
			continue;
		scan_entry(dir, d->d_name, opt);
	}
	if (errno)
		die_errno(path);
	closedir(stream);
	free(path);
}

/**
 * tree_scan() - read the source directory
 * @opt: options
 *
 * Return: the root of the tree, its directories in no order.
 */
struct entry *tree_scan(const struct options *opt)
{
	struct entry *root = xalloc(sizeof(*root));
	struct stat st;

	root->name = xstrdup(opt->source);
	root->spooled = -1;
	if (stat(opt->source, &st))
		die_errno(opt->source);
	take_attributes(root, &st, opt);
	if (!S_ISDIR(root->mode))
		die("%s: not a directory", opt->source);
	scan_directory(root, opt);
	return root;
}

static void check_representable(const struct entry *e)
{
	if (e->parent && strlen(e->name) > CRAMFS_MAXPATHLEN)
		die_entry(e, "name has %zu bytes, the format holds %d", strlen(e->name),
			  CRAMFS_MAXPATHLEN);
	if (e->uid > MAX_UID)
		die_entry(e, "uid %u is above %u (-q makes all owners 0)", e->uid, MAX_UID);
	if (e->gid > MAX_GID)
		die_entry(e, "gid %u is above %u (-q makes all owners 0)", e->gid, MAX_GID);
	if (major(e->rdev) > 255 || minor(e->rdev) > 255)
		die_entry(e, "device number %u:%u is above 255:255", major(e->rdev),
			  minor(e->rdev));
	if (e->size > MAX_FILE_SIZE)
		die_entry(e, "size %llu is above %u bytes", e->size, MAX_FILE_SIZE);
}

static int compare_names(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	/* strcmp() compares unsigned bytes, whatever the locale: the order the kernel expects. */
	return strcmp((*x)->name, (*y)->name);
}

static size_t entry_len(const struct entry *e)
{
	return sizeof(struct cramfs_inode) + align_up(strlen(e->name), 4);
}

/**
 * tree_finish() - sort the tree, find the sizes of directories, refuse what the format cannot hold
 * @root: root of the tree or of a part of it
 * @opt: options
 */
void tree_finish(struct entry *root, const struct options *opt)
{
	size_t i;

	if (S_ISDIR(root->mode)) {
		if (root->nr_children)
			qsort(root->child, root->nr_children, sizeof(*root->child), compare_names);
		root->size = 0;
		for (i = 0; i < root->nr_children; i++) {
			tree_finish(root->child[i], opt);
			root->size += entry_len(root->child[i]);
		}
	}
	check_representable(root);
}

/**
 * tree_free() - free a tree
 * @e: its root
 */
void tree_free(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->nr_children; i++)
		tree_free(e->child[i]);
	free(e->child);
	free(e->mark);
	free(e->target);
	free(e->name);
	free(e);
}
