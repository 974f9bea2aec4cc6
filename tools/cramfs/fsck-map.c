// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every byte of an image and whose it is: the superblock's, a directory's, a file's, or nobody's.
 * No two have the same, or one of them has been left out before; so all that is to be done is to
 * merge three lists that are in order.
 */
#include <stdlib.h>
#include <string.h>

#include "fsck.h"

enum range_kind {
	RANGE_BOOT,
	RANGE_SUPER,
	RANGE_INSERTED,
	RANGE_DIR,
	RANGE_POINTERS,
	RANGE_BLOCK,
	RANGE_PADDING,
	RANGE_UNUSED,
};

/* @dir, @file and @ref are set where they are of @kind; @nr is how many pointers there are. */
struct range {
	enum range_kind kind;
	__u32 from, to;
	const struct dir *dir;
	const struct file *file;
	const struct block_ref *ref;
	size_t nr;
};

/* How far the image, and each of the lists, has been gone through. */
struct map {
	const struct catalog *cat;
	const struct dir **dirs;
	size_t nr_dirs;
	__u32 pos;
	size_t dir, file, ref;
};

static int compare_dirs(const void *left, const void *right)
{
	const struct dir *a = *(const struct dir *const *)left;
	const struct dir *b = *(const struct dir *const *)right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void map_begin(struct map *map, const struct catalog *cat)
{
	const struct dir *dir;
	size_t n = 0;

	memset(map, 0, sizeof(*map));
	map->cat = cat;
	for (dir = cat->dirs; dir; dir = dir->next)
		map->nr_dirs++;
	map->dirs = xgrow(NULL, map->nr_dirs * sizeof(*map->dirs));
	for (dir = cat->dirs; dir; dir = dir->next)
		map->dirs[n++] = dir;
	qsort(map->dirs, n, sizeof(*map->dirs), compare_dirs);
}

static void map_end(struct map *map)
{
	free(map->dirs);
}

static bool is_zero_range(struct reader *rd, __u32 from, __u32 to)
{
	static const unsigned char zeros[4096];
	unsigned char buf[sizeof(zeros)];
	__u32 n;

	for (; from < to; from += n) {
		n = to - from < sizeof(buf) ? to - from : sizeof(buf);
		reader_read(rd, from, buf, n);
		if (memcmp(buf, zeros, n))
			return false;
	}
	return true;
}

static void gap(const struct map *map, __u32 to, struct range *range)
{
	struct reader *rd = map->cat->rd;
	__u32 after_super = rd->base + sizeof(struct cramfs_super);

	range->to = to;
	if (range->from == after_super && rd->flags & CRAMFS_FLAG_SHIFTED_ROOT_OFFSET)
		range->kind = RANGE_INSERTED;
	else if (is_zero_range(rd, range->from, to))
		range->kind = RANGE_PADDING;
	else
		range->kind = RANGE_UNUSED;
}

static void skip_bad(struct map *map)
{
	const struct catalog *cat = map->cat;

	while (map->file < cat->nr_files &&
	       (cat->files[map->file].shared || cat->files[map->file].bad))
		map->file++;
	while (map->ref < cat->nr_refs && cat->refs[map->ref].kind == BLOCK_HOLE)
		map->ref++;
}

/* What begins at the lowest offset of all that has not been seen. */
static void first_owned(struct map *map, struct range *range)
{
	const struct catalog *cat = map->cat;

	skip_bad(map);
	range->from = cat->rd->size;
	range->kind = RANGE_PADDING;
	if (map->dir < map->nr_dirs) {
		range->kind = RANGE_DIR;
		range->from = map->dirs[map->dir]->offset;
	}
	if (map->file < cat->nr_files && cat->files[map->file].word * 4 < range->from) {
		range->kind = RANGE_POINTERS;
		range->from = cat->files[map->file].word * 4;
	}
	if (map->ref < cat->nr_refs && cat->refs[map->ref].from < range->from) {
		range->kind = RANGE_BLOCK;
		range->from = cat->refs[map->ref].from;
	}
}

static void take(struct map *map, struct range *range)
{
	const struct catalog *cat = map->cat;

	if (range->kind == RANGE_DIR) {
		range->dir = map->dirs[map->dir++];
		range->to = range->from + range->dir->size;
	} else if (range->kind == RANGE_POINTERS) {
		range->file = &cat->files[map->file++];
		range->to = file_table_end(cat, range->file);
		while (map->file < cat->nr_files && cat->files[map->file].shared) {
			range->nr++;
			map->file++;
		}
	} else {
		range->ref = &cat->refs[map->ref];
		range->to = ref_end(range->ref);
		range->nr = blocks_same(cat, map->ref);
		map->ref += range->nr;
	}
}

/* Return: whether there was a range left. */
static bool map_next(struct map *map, struct range *range)
{
	const struct reader *rd = map->cat->rd;
	__u32 from = map->pos, super_end = rd->base + sizeof(struct cramfs_super);

	memset(range, 0, sizeof(*range));
	if (from >= rd->size)
		return false;
	if (from < rd->base) {
		range->kind = RANGE_BOOT;
		range->to = rd->base;
	} else if (from == rd->base) {
		range->kind = RANGE_SUPER;
		range->from = from;
		range->to = super_end;
	} else {
		first_owned(map, range);
		if (range->from > from) {
			__u32 to = range->from;

			range->from = from;
			gap(map, to, range);
		} else {
			take(map, range);
		}
	}
	map->pos = range->to;
	return true;
}

/* Only whole pages are mapped: what is behind a short block in its page would be seen, too. */
static bool is_in_place(struct reader *rd, const struct block_ref *ref)
{
	__u64 end = align_up(ref_end(ref), rd->block_size);

	return ref->from % rd->block_size == 0 && end <= rd->size &&
	       is_zero_range(rd, ref_end(ref), end);
}

static const char *block_text(const struct catalog *cat, const struct block_ref *ref)
{
	switch (ref->kind) {
	case BLOCK_STORED:
		return is_in_place(cat->rd, ref) ? "in place" : "stored";
	case BLOCK_DEFLATED_DIRECT:
		return ref->len ? "compressed" : "hole";
	default:
		return "compressed";
	}
}

/* Blocks of one file that follow each other in it as in the image are one line. */
static bool goes_on(const struct catalog *cat, const struct range *a, unsigned int last,
		    const struct range *b)
{
	return a->kind == RANGE_BLOCK && b->kind == RANGE_BLOCK && a->nr == b->nr &&
	       a->ref->owner == b->ref->owner && b->ref->index == last + 1 &&
	       !strcmp(block_text(cat, a->ref), block_text(cat, b->ref));
}

static void print_path(const struct catalog *cat, const struct dir *dir, __u32 at)
{
	char *path = catalog_path(cat, dir, at);

	putchar(' ');
	print_escaped(stdout, path);
	free(path);
}

static void print_range(const struct catalog *cat, const struct range *range, unsigned int last)
{
	static const char *const names[] = {
		[RANGE_BOOT] = "boot code",
		[RANGE_SUPER] = "superblock",
		[RANGE_INSERTED] = "inserted file",
		[RANGE_DIR] = "directory",
		[RANGE_POINTERS] = "pointers",
		[RANGE_PADDING] = "padding",
		[RANGE_UNUSED] = "unused",
	};
	const struct file *f = range->file;

	printf("0x%08x 0x%08x %10u ", range->from, range->to, range->to - range->from);
	if (range->kind == RANGE_BLOCK) {
		printf("%s %u", block_text(cat, range->ref), range->ref->index);
		if (last != range->ref->index)
			printf("-%u", last);
		f = &cat->files[range->ref->owner];
	} else {
		fputs(names[range->kind], stdout);
	}
	if (range->dir)
		print_path(cat, range->dir->parent, range->dir->at);
	if (f)
		print_path(cat, f->dir, f->at);
	if (range->kind == RANGE_POINTERS && range->nr)
		printf(" (and %zu more)", range->nr);
	if (range->kind == RANGE_BLOCK && range->nr > 1)
		printf(" (and %zu more)", range->nr - 1);
	putchar('\n');
}

/**
 * map_print() - print a line for each range of the image, in their order
 * @cat: the catalogue, after blocks_check()
 */
void map_print(const struct catalog *cat)
{
	const struct reader *rd = cat->rd;
	struct range range, next;
	unsigned int last;
	struct map map;
	bool more;

	map_begin(&map, cat);
	more = map_next(&map, &range);
	while (more) {
		last = range.ref ? range.ref->index : 0;
		while ((more = map_next(&map, &next)) && goes_on(cat, &range, last, &next)) {
			range.to = next.to;
			last++;
		}
		print_range(cat, &range, last);
		range = next;
	}
	map_end(&map);
	if (rd->file_size > rd->size)
		printf("0x%08x 0x%08llx %10llu after the image\n", rd->size, rd->file_size,
		       rd->file_size - rd->size);
}

/**
 * map_check() - look for bytes that are nobody's and yet not zero
 * @cat: the catalogue, after blocks_check() without problems
 */
void map_check(const struct catalog *cat)
{
	struct range range;
	struct map map;

	map_begin(&map, cat);
	while (map_next(&map, &range))
		if (range.kind == RANGE_UNUSED)
			doubt("%u bytes at %#x are not zero, and nothing refers to them",
			      range.to - range.from, range.from);
	map_end(&map);
}
