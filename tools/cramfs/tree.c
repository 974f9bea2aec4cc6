// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in memory: its entries, their names and paths. It comes from a directory (scan.c) or an
 * archive; what is to be in the image is for others to change (devtable.c, limits.c) before it is
 * sorted here. Contents of files are not read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkcramfs.h"

/* All entries but the root by directory and name, if somebody looks for one: open addressing. */
static struct {
	struct entry **slot;
	size_t nr, room;
} names;

/* The path of @e below the root, each name after a slash, with room for @more before it. */
static char *path_below(const struct entry *e, size_t more)
{
	const struct entry *up;
	size_t len = more;
	char *path, *p;

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
 * entry_path() - path of an entry below the source, for messages and for opening it
 * @e: entry
 *
 * Return: the path, to be freed by the caller.
 */
char *entry_path(const struct entry *e)
{
	const struct entry *root = e;
	size_t len;
	char *path;

	while (root->parent)
		root = root->parent;
	if (e == root)
		return xstrdup(root->name);
	len = strlen(root->name);
	while (len && root->name[len - 1] == '/')
		len--;
	path = path_below(e, len);
	memcpy(path, root->name, len);
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
	return e->parent ? path_below(e, 0) : xstrdup("/");
}

/* Opens a path of any length, in pieces of which each is as long as Linux takes. */
static int open_piecewise(char *path, int flags)
{
	int dir = AT_FDCWD, fd;

	while (strlen(path) >= PATH_MAX) {
		char *cut = memrchr(path, '/', PATH_MAX - 1);

		if (!cut || cut == path)
			break;
		*cut = '\0';
		fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir != AT_FDCWD)
			close(dir);
		if (fd < 0)
			return fd;
		dir = fd;
		path = cut + 1;
	}
	fd = openat(dir, path, flags);
	if (dir != AT_FDCWD)
		close(dir);
	return fd;
}

/**
 * entry_open() - open what an entry is the image of, also if its path is longer than Linux takes
 * @e: entry of a tree that comes from a directory
 * @flags: flags of open(); a symbolic link in the place of the entry is not followed
 *
 * Return: the descriptor, or -1 and errno.
 */
int entry_open(const struct entry *e, int flags)
{
	char *path = entry_path(e);
	int fd, saved;

	/* The operand may well be a symbolic link. */
	fd = open_piecewise(path, flags | O_CLOEXEC | (e->parent ? O_NOFOLLOW : 0));
	saved = errno;
	free(path);
	errno = saved;
	return fd;
}

static char *with_path(const struct entry *e, const char *fmt, va_list args)
{
	char *path = entry_path(e), *text = xvasprintf(fmt, args);
	char *res = xasprintf("%s: %s", path, text);

	free(text);
	free(path);
	return res;
}

/**
 * die_entry() - print an error about an entry and end the program
 * @e: entry, of which the path is printed
 * @fmt: what is wrong with it
 */
void die_entry(const struct entry *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die("%s", with_path(e, fmt, args));
}

/**
 * complain_entry() - print an error about an entry, after which the program can go on
 * @e: entry, of which the path is printed
 * @fmt: what is wrong with it
 */
void complain_entry(const struct entry *e, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = with_path(e, fmt, args);
	va_end(args);
	complain("%s", text);
	free(text);
}

/**
 * warn_entry() - print a warning about an entry, and count it
 * @e: entry, of which the path is printed
 * @fmt: what is doubtful about it
 */
void warn_entry(const struct entry *e, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = with_path(e, fmt, args);
	va_end(args);
	warn("%s", text);
	free(text);
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

/* Where the name is, or, if it is not there, where it would be. */
static struct entry **slot_of(const struct entry *dir, const char *name, size_t len)
{
	/* FNV-1a */
	__u64 hash = 0xcbf29ce484222325ULL ^ (uintptr_t)dir;
	struct entry *e;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	for (i = hash ^ hash >> 32; ; i++) {
		i &= names.room - 1;
		e = names.slot[i];
		if (!e || (e->parent == dir && !strncmp(e->name, name, len) && !e->name[len]))
			return &names.slot[i];
	}
}

static void remember(struct entry *e)
{
	struct entry **old = names.slot;
	size_t i, room = names.room;

	if (names.nr * 2 >= room) {
		names.room = room ? room * 2 : 1024;
		names.slot = xalloc(names.room * sizeof(*names.slot));
		for (i = 0; i < room; i++) {
			if (old[i])
				*slot_of(old[i]->parent, old[i]->name, strlen(old[i]->name)) =
					old[i];
		}
		free(old);
	}
	*slot_of(e->parent, e->name, strlen(e->name)) = e;
	names.nr++;
}

static void remember_all(struct entry *dir)
{
	size_t i;

	for (i = 0; i < dir->nr_children; i++) {
		remember(dir->child[i]);
		remember_all(dir->child[i]);
	}
}

static void forget_all(void)
{
	free(names.slot);
	names.slot = NULL;
	names.nr = 0;
	names.room = 0;
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
	if (names.slot)
		remember(e);
	return e;
}

/**
 * tree_drop() - take an entry, and all that is in it, out of the tree
 * @e: entry, not the root
 */
void tree_drop(struct entry *e)
{
	struct entry *dir = e->parent;
	size_t i = dir->nr_children;

	do {
		i--;
	} while (dir->child[i] != e);
	dir->nr_children--;
	memmove(&dir->child[i], &dir->child[i + 1], (dir->nr_children - i) * sizeof(*dir->child));
	forget_all();
	tree_free(e);
}

/**
 * tree_find() - look for a name in a directory, sorted or not
 * @dir: directory
 * @name: name, which need not end in a NUL
 * @len: its length in bytes
 *
 * Return: the entry, or NULL.
 */
struct entry *tree_find(struct entry *dir, const char *name, size_t len)
{
	struct entry *root = dir;

	if (!names.slot) {
		while (root->parent)
			root = root->parent;
		names.room = 1024;
		names.slot = xalloc(names.room * sizeof(*names.slot));
		remember_all(root);
	}
	return *slot_of(dir, name, len);
}

/**
 * tree_new() - begin a tree
 * @name: what the paths of entries begin with in messages
 * @mode: type and permissions of the root
 *
 * Return: the root.
 */
struct entry *tree_new(const char *name, mode_t mode)
{
	struct entry *root = xalloc(sizeof(*root));

	root->name = xstrdup(name);
	root->mode = mode;
	root->spooled = -1;
	return root;
}

/**
 * tree_excludes_path() - whether a path is to be left out by --exclude
 * @path: path in the image, beginning with a slash
 * @opt: options, which keep in mind which patterns have matched
 *
 * Return: true if so; then what is in it is left out, too.
 */
bool tree_excludes_path(const char *path, const struct options *opt)
{
	bool res = false;
	size_t i;

	for (i = 0; i < opt->nr_exclude; i++) {
		if (glob_match(opt->exclude[i].pattern, path)) {
			opt->exclude[i].matches = true;
			res = true;
		}
	}
	return res;
}

/**
 * tree_excludes() - whether an entry is to be left out by --exclude
 * @e: entry
 * @opt: options
 *
 * Return: true if so; then what is in it is left out, too.
 */
bool tree_excludes(const struct entry *e, const struct options *opt)
{
	char *path;
	bool res;

	if (!opt->nr_exclude)
		return false;
	path = entry_image_path(e);
	res = tree_excludes_path(path, opt);
	free(path);
	return res;
}

/**
 * tree_drop_excluded() - take out of the tree what is to be left out by --exclude
 * @dir: its root
 * @opt: options
 */
void tree_drop_excluded(struct entry *dir, const struct options *opt)
{
	size_t i, kept = 0;

	forget_all();
	for (i = 0; i < dir->nr_children; i++) {
		struct entry *e = dir->child[i];

		if (tree_excludes(e, opt)) {
			tree_free(e);
			continue;
		}
		dir->child[kept++] = e;
		tree_drop_excluded(e, opt);
	}
	dir->nr_children = kept;
}

/**
 * tree_set_attributes() - give all entries the attributes that the options want
 * @e: root of the tree
 * @opt: options
 */
void tree_set_attributes(struct entry *e, const struct options *opt)
{
	size_t i;

	if (opt->uid >= 0)
		e->uid = opt->uid;
	if (opt->gid >= 0)
		e->gid = opt->gid;
	if (opt->mode && (S_ISREG(e->mode) || S_ISDIR(e->mode)))
		mode_change(opt->mode, &e->mode);
	for (i = 0; i < e->nr_children; i++)
		tree_set_attributes(e->child[i], opt);
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

static void sort_directory(struct entry *dir)
{
	size_t i;

	if (dir->nr_children)
		qsort(dir->child, dir->nr_children, sizeof(*dir->child), compare_names);
	dir->size = 0;
	for (i = 0; i < dir->nr_children; i++) {
		struct entry *e = dir->child[i];

		if (i && !strcmp(dir->child[i - 1]->name, e->name))
			complain_entry(e, "is there twice");
		if (S_ISDIR(e->mode))
			sort_directory(e);
		dir->size += entry_len(e);
	}
	if (dir->size > MAX_FILE_SIZE)
		complain_entry(dir, "its names take %llu bytes, the format holds %u", dir->size,
			       MAX_FILE_SIZE);
}

/**
 * tree_finish() - sort the tree and find the sizes of directories; nothing is added any more
 * @root: root of the tree
 */
void tree_finish(struct entry *root)
{
	forget_all();
	sort_directory(root);
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
