// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader of images for the fuzzer: what is there, and what must be refused. It
 * shares no code with the driver, so that the two can be held against each other;
 * it asks for nothing but the bytes in memory, and trusts none of them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fuzz.h"

/**
 * get32() - a number of an image
 * @p: where it is, at any address
 *
 * Return: the number.
 */
__u32 get32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (__u32)p[3] << 24;
}

/**
 * put32() - set a number of an image
 * @p: where it is, at any address
 * @value: the number
 */
void put32(unsigned char *p, __u32 value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> 8 * i;
}

/**
 * get_inode() - decode an inode
 * @p: INODE_LEN bytes of an image
 * @inode: filled in
 */
void get_inode(const unsigned char *p, struct disk_inode *inode)
{
	__u32 a = get32(p), b = get32(p + 4), c = get32(p + 8);

	*inode = (struct disk_inode){
		.mode = a & 0xffff, .uid = a >> 16,
		.size = b & 0xffffff, .gid = b >> 24,
		.name_len = (c & 63) * 4, .offset = (c >> 6) * 4,
	};
}

/**
 * put_inode() - encode an inode
 * @p: INODE_LEN bytes of an image
 * @inode: what they become, as far as there are bits for it
 */
void put_inode(unsigned char *p, const struct disk_inode *inode)
{
	put32(p, (inode->mode & 0xffff) | inode->uid << 16);
	put32(p + 4, (inode->size & 0xffffff) | inode->gid << 24);
	put32(p + 8, (inode->name_len / 4 & 63) | inode->offset / 4 << 6);
}

/**
 * has_data() - does the offset of an inode mean anything?
 * @inode: the inode
 *
 * Return: whether there is something at it: a table of block pointers, or entries.
 */
bool has_data(const struct disk_inode *inode)
{
	return inode->offset && inode->size &&
	       (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode));
}

/**
 * view_open() - find the superblock
 * @view: filled in
 * @data: what an image is in
 * @room: bytes of that
 *
 * Return: whether there is one, and all of the image is there.
 */
bool view_open(struct view *view, const unsigned char *data, __u32 room)
{
	__u32 start = 0;

	if (room >= SUPER_LEN && get32(data) != CRAMFS_MAGIC)
		start = BOOT_CODE;
	if (room < start + SUPER_LEN || get32(data + start) != CRAMFS_MAGIC)
		return false;
	*view = (struct view){
		.data = data, .limit = room, .start = start,
		.flags = get32(data + start + 8), .crc = get32(data + start + CRC_AT),
	};
	if (view->flags & CRAMFS_FLAG_FSID_VERSION_2)
		view->limit = get32(data + start + 4);
	get_inode(data + start + ROOT_AT, &view->root);
	/* Everybody may read the root. */
	view->root.mode |= 0555;
	return view->limit <= room && view->limit >= start + SUPER_LEN;
}

/**
 * view_crc_is_right() - hold an image against its checksum
 * @view: the image
 *
 * Return: whether it has one, and it is that of the image.
 */
bool view_crc_is_right(const struct view *view)
{
	const unsigned char *data = view->data + view->start;
	__u32 after = CRC_AT + 4;
	uLong crc = crc32(0, data, CRC_AT);

	crc = crc32(crc, (const Bytef *)"\0\0\0", 4);
	crc = crc32(crc, data + after, view->limit - view->start - after);
	return view->flags & CRAMFS_FLAG_FSID_VERSION_2 && crc == view->crc;
}

static bool in_image(const struct view *view, __u64 offset, __u64 len)
{
	return offset + len <= view->limit;
}

/**
 * view_entry() - an entry of a directory
 * @view: the image
 * @dir: the directory
 * @pos: position in it
 * @entry: filled in
 *
 * Return: whether there is one that makes sense, as far as its name goes.
 */
bool view_entry(const struct view *view, const struct disk_inode *dir, __u32 pos,
		struct entry *entry)
{
	__u32 left = has_data(dir) && pos < dir->size ? dir->size - pos : 0;
	__u32 padded, len;

	entry->at = dir->offset + pos;
	if (left < INODE_LEN || !in_image(view, entry->at, INODE_LEN))
		return false;
	get_inode(view->data + entry->at, &entry->inode);
	padded = entry->inode.name_len;
	if (left - INODE_LEN < padded || !in_image(view, entry->at + INODE_LEN, padded))
		return false;

	entry->next = pos + INODE_LEN + padded;
	entry->name = (const char *)view->data + entry->at + INODE_LEN;
	len = strnlen(entry->name, padded);
	entry->name_len = len;
	for (__u32 i = len; i < padded; i++) {
		if (entry->name[i])
			return false;
	}
	return len && !memchr(entry->name, '/', len) &&
	       !(len <= 2 && !memcmp(entry->name, "..", len));
}

/**
 * view_find() - the first entry of a name, whatever the order
 * @view: the image
 * @dir: where to look
 * @name: what for
 * @entry: filled in
 *
 * Return: whether there is one.
 */
bool view_find(const struct view *view, const struct disk_inode *dir, const char *name,
	       struct entry *entry)
{
	__u32 pos = 0, len = strlen(name);

	while (view_entry(view, dir, pos, entry)) {
		if (entry->name_len == len && !memcmp(entry->name, name, len))
			return true;
		pos = entry->next;
	}
	return false;
}

static bool inflate_exactly(const unsigned char *src, __u32 src_len, unsigned char *dst,
			    __u32 dst_len)
{
	static z_stream stream;
	static bool ready;

	if (!ready) {
		if (inflateInit(&stream) != Z_OK)
			broken("zlib");
		ready = true;
	}
	inflateReset(&stream);
	stream.next_in = (Bytef *)src;
	stream.avail_in = src_len;
	stream.next_out = dst;
	stream.avail_out = dst_len;
	return inflate(&stream, Z_SYNC_FLUSH) == Z_STREAM_END && !stream.avail_in &&
	       !stream.avail_out;
}

static bool read_pointer(const struct view *view, const struct disk_inode *file, __u32 index,
			 __u32 *ptr)
{
	__u64 at = file->offset + (__u64)index * 4;

	if (!in_image(view, at, 4))
		return false;
	*ptr = get32(view->data + at);
	return view->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS || !(*ptr & CRAMFS_BLK_FLAGS);
}

static bool direct_len(const struct view *view, __u64 at, __u32 *len)
{
	if (!in_image(view, at, 2))
		return false;
	*len = view->data[at] | view->data[at + 1] << 8;
	return true;
}

/* Where a block ends, for the one after it. */
static bool block_end(const struct view *view, __u32 ptr, __u64 *end)
{
	__u64 at = (__u64)(ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
	__u32 len = PAGE - 2;

	if (!(ptr & CRAMFS_BLK_FLAG_DIRECT_PTR)) {
		*end = ptr & ~CRAMFS_BLK_FLAGS;
		return true;
	}
	if (!(ptr & CRAMFS_BLK_FLAG_UNCOMPRESSED) && !direct_len(view, at, &len))
		return false;
	*end = at + 2 + len;
	return true;
}

/**
 * view_locate() - where a block is, whether or not it makes sense there
 * @view: the image
 * @file: a regular file or symbolic link
 * @index: which block
 * @block: filled in
 *
 * Return: whether there is such a block, and it is inside of the image.
 */
bool view_locate(const struct view *view, const struct disk_inode *file, __u32 index,
		 struct block *block)
{
	__u32 nr = has_data(file) ? PAGES(file->size) : 0, ptr, prev, len;
	__u64 at;

	if (index >= nr || !read_pointer(view, file, index, &ptr))
		return false;
	block->stored = ptr & CRAMFS_BLK_FLAG_UNCOMPRESSED;
	block->direct = ptr & CRAMFS_BLK_FLAG_DIRECT_PTR;
	block->want = min_u32(PAGE, file->size - index * PAGE);

	if (block->direct) {
		at = (__u64)(ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
		len = block->want;
		if (!block->stored) {
			if (!direct_len(view, at, &len))
				return false;
			at += 2;
		}
	} else {
		at = file->offset + (__u64)nr * 4;
		if (index && !(read_pointer(view, file, index - 1, &prev) &&
			       block_end(view, prev, &at)))
			return false;
		if ((ptr & ~CRAMFS_BLK_FLAGS) < at)
			return false;
		len = (ptr & ~CRAMFS_BLK_FLAGS) - at;
	}
	block->at = at;
	block->len = len;
	return !len || in_image(view, at, len);
}

/**
 * view_block() - a page of a file, with zeros after its end
 * @view: the image
 * @file: a regular file or symbolic link
 * @index: which page
 * @page: where it goes, PAGE bytes
 *
 * Return: false if the file does not have the page, or it must not be had.
 */
bool view_block(const struct view *view, const struct disk_inode *file, __u32 index,
		unsigned char *page)
{
	struct block block;

	if (!view_locate(view, file, index, &block))
		return false;
	memset(page, 0, PAGE);
	if (!block.len)
		return true;
	if (block.len > (block.stored ? PAGE : 2 * PAGE))
		return false;
	if (!block.stored)
		return inflate_exactly(view->data + block.at, block.len, page, block.want);
	memcpy(page, view->data + block.at, min_u32(block.len, block.want));
	return true;
}
