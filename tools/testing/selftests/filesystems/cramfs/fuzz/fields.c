// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where an image has what: inodes, names, block pointers, blocks. For those who
 * change images; so it takes what it finds, and leaves out what it does not.
 */
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_DEPTH	24
#define MAX_BLOCKS	100	/* of a file */

static void add(struct fields *fields, enum field_kind kind, __u32 at, __u32 len,
		__u32 inode, __u32 block)
{
	if (fields->nr < MAX_FIELDS)
		fields->list[fields->nr++] = (struct field){ kind, at, len, inode, block };
}

static void add_blocks(struct fields *fields, const struct view *view,
		       const struct disk_inode *file, __u32 inode)
{
	struct block block;

	for (__u32 i = 0; i < PAGES(file->size) && i < MAX_BLOCKS; i++) {
		if (file->offset + i * 4 + 4 > view->limit)
			return;
		add(fields, FIELD_POINTER, file->offset + i * 4, 4, inode, i);
		if (!view_locate(view, file, i, &block) || !block.len)
			continue;
		if (!block.stored && block.direct)
			add(fields, FIELD_LENGTH, block.at - 2, 2, inode, i);
		add(fields, block.stored ? FIELD_STORED : FIELD_STREAM, block.at, block.len,
		    inode, i);
	}
}

static void add_inode(struct fields *fields, const struct view *view,
		      const struct disk_inode *inode, __u32 at, int depth)
{
	__u32 nr = fields->nr;
	struct entry entry;

	add(fields, FIELD_INODE, at, INODE_LEN, nr, 0);
	if (!has_data(inode))
		return;
	if (!S_ISDIR(inode->mode)) {
		add_blocks(fields, view, inode, nr);
		return;
	}
	if (depth == MAX_DEPTH)
		return;
	for (__u32 pos = 0; view_entry(view, inode, pos, &entry); pos = entry.next) {
		if (fields->nr == MAX_FIELDS)
			return;
		add(fields, FIELD_NAME, entry.at + INODE_LEN, entry.inode.name_len, fields->nr + 1,
		    0);
		add_inode(fields, view, &entry.inode, entry.at, depth + 1);
	}
}

/**
 * fields_find() - find the fields of an image
 * @fields: filled in
 * @data: the image
 * @len: bytes of it
 */
void fields_find(struct fields *fields, const unsigned char *data, __u32 len)
{
	struct view view;

	fields->nr = 0;
	if (view_open(&view, data, len))
		add_inode(fields, &view, &view.root, view.start + ROOT_AT, 0);
}

/**
 * fields_pick() - one of some kinds
 * @fields: of an image
 * @rng: which
 * @kinds: bits of 1 << enum field_kind
 *
 * Return: it, or NULL if there is none.
 */
const struct field *fields_pick(const struct fields *fields, struct rng *rng, unsigned int kinds)
{
	unsigned int nr = 0, n;

	for (unsigned int i = 0; i < fields->nr; i++)
		nr += kinds >> fields->list[i].kind & 1;
	if (!nr)
		return NULL;
	n = rng_below(rng, nr);
	for (const struct field *field = fields->list;; field++) {
		if ((kinds >> field->kind & 1) && !n--)
			return field;
	}
}
