// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of an image: every directory is read once, its entries are checked, and those that have
 * data of their own are put into the catalogue. Also the ways through the tree that the other parts
 * take. What files consist of is fsck-blocks.c's concern.
 *
 * Directories are read in the order in which they are found, so that there is no stack. No byte of
 * the image is in two directories: who claims a place that is taken is reported and not read, and
 * so there are no loops, and no more entries than the image has room for.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fsck.h"

#define INODE_SIZE	((__u32)sizeof(struct cramfs_inode))

/* For tsearch(): places that overlap are equal. */
static int compare_places(const void *left, const void *right)
{
	const struct dir *a = left, *b = right;

	if (a->offset + a->size <= b->offset)
		return -1;
	return a->offset >= b->offset + b->size;
}

/**
 * catalog_is_free() - is a place neither a directory's nor the superblock's?
 * @cat: the catalogue
 * @offset: where it begins
 * @len: its length in bytes, above 0
 * @taken: set to what is there, if not NULL; cat->super for the superblock
 *
 * Return: true if it is free.
 */
bool catalog_is_free(const struct catalog *cat, __u32 offset, __u32 len, const struct dir **taken)
{
	struct dir place = { .offset = offset, .size = len };
	struct dir *const *found = tfind(&place, &cat->claims, compare_places);

	if (!found)
		return true;
	if (taken)
		*taken = *found;
	return false;
}

/* Returns where the next entry is in @dir, or 0 if there is something else. */
static __u32 parse_entry(struct reader *rd, const struct dir *dir, __u32 pos, struct node *node)
{
	__u32 left = dir->size - pos;

	node->at = dir->offset + pos;
	if (left < INODE_SIZE)
		return 0;
	reader_inode(rd, node->at, &node->inode);
	if (left - INODE_SIZE < node->inode.name_len)
		return 0;
	reader_read(rd, node->at + INODE_SIZE, node->name, node->inode.name_len);
	node->name[node->inode.name_len] = '\0';
	node->name_len = strlen(node->name);
	return pos + INODE_SIZE + node->inode.name_len;
}

static struct node root_node(const struct reader *rd)
{
	return (struct node){
		.at = rd->base + offsetof(struct cramfs_super, root),
		.inode = rd->root,
	};
}

static bool has_data(const struct inode *inode)
{
	return inode->size &&
	       (S_ISDIR(inode->mode) || S_ISREG(inode->mode) || S_ISLNK(inode->mode));
}

/**
 * bad_name() - is the name of an entry one component of a path?
 * @node: the entry, not the root
 *
 * Return: NULL, or what is wrong.
 */
const char *bad_name(const struct node *node)
{
	unsigned int i;

	for (i = node->name_len; i < node->inode.name_len; i++)
		if (node->name[i])
			return "NUL in the name";
	if (!node->name_len)
		return "empty name";
	if (strchr(node->name, '/'))
		return "slash in the name";
	if (!strcmp(node->name, ".") || !strcmp(node->name, ".."))
		return "reserved name";
	return NULL;
}

/**
 * bad_inode() - is an inode one that can be used?
 * @inode: the inode
 *
 * Return: NULL, or what is wrong.
 */
const char *bad_inode(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		if (!inode->size)
			return "symbolic link without a target";
		if (inode->size > MAX_TARGET)
			return "symbolic link is too long";
		break;
	case S_IFREG:
	case S_IFDIR:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return "unknown type of file";
	}
	if (has_data(inode) && !inode->offset)
		return "has a size but no data";
	return NULL;
}

static bool is_inside(const struct dir *dir, const struct dir *outer)
{
	while (dir && dir != outer)
		dir = dir->parent;
	return dir;
}

static void report_taken(const struct catalog *cat, const struct dir *dir, const struct dir *taken)
{
	const char *how = "overlaps directory";
	char *path = NULL;

	if (taken == cat->super) {
		problem_at(cat, dir->parent, dir->at, "directory overlaps the superblock");
		return;
	}
	if (problems_are_shown() && taken->offset == dir->offset && taken->size == dir->size)
		how = is_inside(dir->parent, taken) ? "loop: it is the same directory as" :
						      "is the same directory as";
	if (problems_are_shown())
		path = catalog_path(cat, taken->parent, taken->at);
	problem_at(cat, dir->parent, dir->at, "%s %s", how, path);
	free(path);
}

/* Take a directory that has entries into the catalogue, if it has a place of its own. */
static void add_dir(struct catalog *cat, struct dir *parent, const struct node *node)
{
	const struct inode *inode = &node->inode;
	struct dir *dir, **found;

	if (!reader_has(cat->rd, inode->offset, inode->size)) {
		problem_at(cat, parent, node->at, "directory past the end of the image");
		return;
	}
	dir = xalloc(sizeof(*dir) + node->name_len);
	dir->parent = parent;
	dir->at = node->at;
	dir->name_len = node->name_len;
	memcpy(dir->name, node->name, node->name_len);
	dir->offset = inode->offset;
	dir->size = inode->size;
	found = tsearch(dir, &cat->claims, compare_places);
	if (!found)
		die("out of memory");
	if (*found != dir) {
		report_taken(cat, dir, *found);
		free(dir);
		return;
	}

	if (parent && !parent->first_child)
		parent->first_child = dir;
	if (cat->last_dir)
		cat->last_dir->next = dir;
	else
		cat->dirs = dir;
	cat->last_dir = dir;
}

static void add_file(struct catalog *cat, const struct dir *dir, const struct node *node)
{
	if (cat->nr_files == cat->room_files) {
		cat->room_files *= 2;
		cat->files = xgrow(cat->files, cat->room_files * sizeof(*cat->files));
	}
	cat->files[cat->nr_files++] = (struct file){
		.dir = dir,
		.at = node->at,
		.word = node->inode.offset / 4,
		.size = node->inode.size,
		.gid = node->inode.gid,
		.mode = node->inode.mode,
		.uid = node->inode.uid,
	};
}

/* What is wrong, or odd, and leaves no doubt of what is meant. */
static void check_details(const struct catalog *cat, const struct dir *dir,
			  const struct node *node)
{
	const struct inode *inode = &node->inode;
	bool is_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode);

	if (is_device && inode->size > 0xffff)
		problem_at(cat, dir, node->at, "device number of more than 16 bits (%#x)",
			   inode->size);
	if ((S_ISFIFO(inode->mode) || S_ISSOCK(inode->mode)) && inode->size)
		doubt_at(cat, dir, node->at, "has a size (%u), though it has no data", inode->size);
	if (!has_data(inode) && inode->offset)
		doubt_at(cat, dir, node->at, "has a data offset, though it has no data");
}

static void check_entry(struct catalog *cat, struct dir *dir, const struct node *node)
{
	const struct inode *inode = &node->inode;
	const char *bad = bad_name(node);

	if (!bad && inode->name_len - node->name_len > 3)
		bad = "name with more padding than it needs";
	cat->nr_entries++;
	if (bad)
		problem_at(cat, dir, node->at, "%s (entry at %#x)", bad, node->at);
	bad = bad_inode(inode);
	if (bad)
		problem_at(cat, dir, node->at, "%s (mode %#o, size %u)", bad, inode->mode,
			   inode->size);
	else
		check_details(cat, dir, node);
	if (bad || !has_data(inode))
		return;
	if (S_ISDIR(inode->mode))
		add_dir(cat, dir, node);
	else
		add_file(cat, dir, node);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Where the order does not bring equal names together, all of the directory is needed at once. */
static void find_duplicates(const struct catalog *cat, const struct dir *dir)
{
	/* Twelve bytes of each entry are not its name: enough for the place of the name. */
	char *names = xgrow(NULL, dir->size), *end = names, **name;
	__u32 pos, next, nr = 0, i;
	struct node node;

	for (pos = 0; pos < dir->size; pos = next, nr++) {
		next = parse_entry(cat->rd, dir, pos, &node);
		if (!next)
			break;
		end = mempcpy(end, node.name, node.name_len + 1);
	}

	name = xgrow(NULL, nr * sizeof(*name));
	for (i = 0, end = names; i < nr; i++, end += strlen(end) + 1)
		name[i] = end;
	qsort(name, nr, sizeof(*name), compare_names);
	for (i = 1; i < nr; i++) {
		if (strcmp(name[i - 1], name[i]))
			continue;
		problem_at(cat, dir->parent, dir->at, "has two entries of the name %s", name[i]);
	}
	free(name);
	free(names);
}

static void scan_dir(struct catalog *cat, struct dir *dir)
{
	bool sorted = true, distinct = true;
	__u32 pos, next;
	char last[CRAMFS_MAXPATHLEN + 1] = "";
	struct node node;

	for (pos = 0; pos < dir->size; pos = next) {
		next = parse_entry(cat->rd, dir, pos, &node);
		if (!next) {
			problem_at(cat, dir->parent, dir->at,
				   "entry at %#x reaches past the end of the directory", node.at);
			break;
		}
		check_entry(cat, dir, &node);
		if (pos && strcmp(last, node.name) > 0)
			sorted = false;
		if (pos && !strcmp(last, node.name))
			distinct = false;
		memcpy(last, node.name, node.name_len + 1);
	}
	if (!sorted && cat->rd->flags & CRAMFS_FLAG_SORTED_DIRS)
		problem_at(cat, dir->parent, dir->at, "directory is not sorted");
	if (!sorted || !distinct)
		find_duplicates(cat, dir);
}

static int compare_files(const void *left, const void *right)
{
	const struct file *a = left, *b = right;

	if (a->word != b->word)
		return a->word < b->word ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/**
 * catalog_fill() - read all directories of an image and check their entries
 * @cat: filled in
 * @rd: the image
 */
void catalog_fill(struct catalog *cat, struct reader *rd)
{
	struct node root = root_node(rd);
	struct dir *dir;

	memset(cat, 0, sizeof(*cat));
	cat->rd = rd;
	cat->nr_entries = 1;
	cat->room_files = 64;
	cat->files = xgrow(NULL, cat->room_files * sizeof(*cat->files));
	/* What is before the superblock is not the file system's either. */
	cat->super = xalloc(sizeof(*cat->super));
	cat->super->size = rd->base + sizeof(struct cramfs_super);
	if (!tsearch(cat->super, &cat->claims, compare_places))
		die("out of memory");

	if (rd->root.size && !rd->root.offset)
		problem("superblock: the root has a size but no data");
	else if (rd->root.size)
		add_dir(cat, NULL, &root);
	for (dir = cat->dirs; dir; dir = dir->next)
		scan_dir(cat, dir);
	qsort(cat->files, cat->nr_files, sizeof(*cat->files), compare_files);
}

static void free_nothing(void *place)
{
	(void)place;
}

/**
 * catalog_free() - free all that a catalogue has
 * @cat: the catalogue
 */
void catalog_free(struct catalog *cat)
{
	struct dir *dir, *next;

	tdestroy(cat->claims, free_nothing);
	for (dir = cat->dirs; dir; dir = next) {
		next = dir->next;
		free(dir);
	}
	free(cat->super);
	free(cat->files);
	free(cat->refs);
}

static unsigned int read_name(struct reader *rd, __u32 at, char *name)
{
	struct inode inode;

	reader_inode(rd, at, &inode);
	reader_read(rd, at + INODE_SIZE, name, inode.name_len);
	name[inode.name_len] = '\0';
	return strlen(name);
}

/**
 * catalog_path() - the path of an entry
 * @cat: the catalogue
 * @dir: directory that it is in; NULL for the root
 * @at: image offset of its inode
 *
 * Return: the path, which the caller frees. Of one that is too long to be shown, the beginning is
 * three dots.
 */
char *catalog_path(const struct catalog *cat, const struct dir *dir, __u32 at)
{
	char buf[MAX_PATH_SHOWN + 1], leaf[CRAMFS_MAXPATHLEN + 1];
	const char *name = leaf;
	size_t start = sizeof(buf) - 1, len;

	buf[start] = '\0';
	if (!dir)
		buf[--start] = '/';
	else
		len = read_name(cat->rd, at, leaf);
	for (; dir; name = dir->name, len = dir->name_len, dir = dir->parent) {
		if (start < len + 1 + strlen("...")) {
			start -= strlen("...");
			memcpy(buf + start, "...", strlen("..."));
			break;
		}
		start -= len;
		memcpy(buf + start, name, len);
		buf[--start] = '/';
	}
	return xstrdup(buf + start);
}

/**
 * walk_begin() - stand before the root
 * @walk: the way
 * @cat: the catalogue
 */
void walk_begin(struct walk *walk, const struct catalog *cat)
{
	memset(walk, 0, sizeof(*walk));
	walk->cat = cat;
}

/**
 * walk_enters() - is the next step into the entry that has been reached?
 * @walk: the way
 *
 * Return: its directory, or NULL.
 */
const struct dir *walk_enters(const struct walk *walk)
{
	const struct dir *child = walk->dir ? walk->child : walk->cat->dirs;

	if (walk->left_root || !child || child->at != walk->node.at)
		return NULL;
	return S_ISDIR(walk->node.inode.mode) ? child : NULL;
}

/**
 * walk_skip() - do not step into the entry that has been reached
 * @walk: the way; not at the root
 */
void walk_skip(struct walk *walk)
{
	const struct dir *dir = walk_enters(walk);

	if (dir)
		walk->child = dir->next;
}

/**
 * walk_next() - take a step
 * @walk: the way
 *
 * The entries of a directory come after it, in their order in the image. Directories that have been
 * found bad are taken for empty ones.
 *
 * Return: what has been reached.
 */
enum walk_step walk_next(struct walk *walk)
{
	const struct catalog *cat = walk->cat;
	const struct dir *dir;
	__u32 next;

	if (!walk->node.at) {
		walk->node = root_node(cat->rd);
		return WALK_ENTRY;
	}

	dir = walk_enters(walk);
	if (dir) {
		walk->dir = dir;
		walk->pos = 0;
		walk->child = dir->first_child;
	}
	dir = walk->dir;
	if (!dir)
		return WALK_END;

	next = walk->pos < dir->size ? parse_entry(cat->rd, dir, walk->pos, &walk->node) : 0;
	if (next) {
		walk->pos = next;
		return WALK_ENTRY;
	}

	/* Back to after the entry that the directory is in its parent. */
	walk->dir = dir->parent;
	walk->child = dir->next;
	if (!walk->dir) {
		walk->left_root = true;
		walk->node = root_node(cat->rd);
		return WALK_LEAVE;
	}
	walk->pos = dir->at - dir->parent->offset;
	walk->pos = parse_entry(cat->rd, dir->parent, walk->pos, &walk->node);
	/* Only if somebody writes to the image meanwhile. */
	if (!walk->pos)
		walk->pos = dir->parent->size;
	return WALK_LEAVE;
}

/**
 * walk_find() - find an entry by its path
 * @cat: the catalogue
 * @path: the path, from the root, whether or not it begins with a slash
 * @node: filled in
 *
 * Return: true if there is one. Symbolic links on the way are not followed.
 */
bool walk_find(const struct catalog *cat, const char *path, struct node *node)
{
	const struct dir *dir = cat->dirs, *child;
	__u32 pos, next;
	size_t len;

	*node = root_node(cat->rd);

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		if (!dir || dir->at != node->at)
			return false;
		len = strcspn(path, "/");
		child = dir->first_child;
		for (pos = 0; pos < dir->size; pos = next) {
			next = parse_entry(cat->rd, dir, pos, node);
			if (!next)
				return false;
			if (node->name_len == len && !memcmp(node->name, path, len))
				break;
			if (child && child->at == node->at)
				child = child->next;
		}
		if (pos >= dir->size)
			return false;
		dir = child;
		path += len;
		if (*path && !S_ISDIR(node->inode.mode))
			return false;
	}
	return true;
}
