// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block pointers: from (inode, index) to the place of a block in the image. This
 * is the only decoder of them, and so the only place where a number in a file's
 * table turns into an offset. What becomes of the bytes (page cache, user
 * mapping) is not known here.
 *
 * See "Block pointers" in Documentation/filesystems/cramfs.rst.
 */

#include "cramfs.h"

#define CRAMFS_MAX_DEFLATED	(2 * PAGE_SIZE)

static int read_pointer(struct inode *inode, pgoff_t index, u32 *ptr)
{
	u32 offset = cramfs_data_offset(inode) + index * sizeof(*ptr);
	int err;

	err = cramfs_read(inode->i_sb, offset, ptr, sizeof(*ptr));
	if (err == -EUCLEAN)
		return cramfs_corrupt(inode, offset,
				      "block pointer outside of the image");
	return err;
}

/* A deflated block behind a direct pointer has its length in front. */
static int read_direct_len(struct inode *inode, u64 offset, u16 *len)
{
	int err = -EUCLEAN;

	if (offset <= CRAMFS_SB(inode->i_sb)->size)
		err = cramfs_read(inode->i_sb, offset, len, sizeof(*len));
	if (err == -EUCLEAN)
		return cramfs_corrupt(inode, offset,
				      "block outside of the image");
	return err;
}

static u64 direct_offset(u32 ptr)
{
	return (u64)(ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
}

/* Where a block begins that has no direct pointer: where the previous one ends. */
static int block_start(struct inode *inode, pgoff_t index, u64 *start)
{
	u32 prev;
	u16 len;
	int err;

	if (!index) {
		*start = cramfs_data_offset(inode) +
			 cramfs_nr_blocks(inode) * sizeof(u32);
		return 0;
	}

	err = read_pointer(inode, index - 1, &prev);
	if (err)
		return err;

	if (!(prev & CRAMFS_BLK_FLAG_DIRECT_PTR)) {
		*start = prev & ~CRAMFS_BLK_FLAGS;
		return 0;
	}

	*start = direct_offset(prev);
	if (prev & CRAMFS_BLK_FLAG_UNCOMPRESSED) {
		*start += PAGE_SIZE;
		return 0;
	}

	err = read_direct_len(inode, *start, &len);
	*start += sizeof(len) + len;
	return err;
}

/**
 * cramfs_get_block() - find a block of a file
 * @inode: a regular file or symbolic link
 * @index: which block, in units of PAGE_SIZE
 * @block: filled in
 *
 * A block past the end of the file is a hole.
 *
 * Context: As for cramfs_get_span(): does not sleep if the image is in memory.
 * Return: 0, and the block is inside of the image, a stored one not longer than
 * PAGE_SIZE. -EUCLEAN, after a message, if the pointers make no sense; or the
 * error of the device.
 */
int cramfs_get_block(struct inode *inode, pgoff_t index,
		     struct cramfs_block *block)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	u32 nr_blocks = cramfs_nr_blocks(inode), ptr;
	u64 start, len;
	u16 direct_len;
	bool stored;
	int err;

	*block = (struct cramfs_block){ .kind = CRAMFS_BLOCK_HOLE };
	if (index >= nr_blocks)
		return 0;

	err = read_pointer(inode, index, &ptr);
	if (err)
		return err;
	if ((ptr & CRAMFS_BLK_FLAGS) &&
	    !(sbi->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS))
		return cramfs_corrupt(inode, ptr, "block outside of the image");

	stored = ptr & CRAMFS_BLK_FLAG_UNCOMPRESSED;
	if (!(ptr & CRAMFS_BLK_FLAG_DIRECT_PTR)) {
		err = block_start(inode, index, &start);
		if (err)
			return err;
		len = (u64)(ptr & ~CRAMFS_BLK_FLAGS) - start;
	} else if (stored) {
		start = direct_offset(ptr);
		len = min_t(u64, PAGE_SIZE,
			    i_size_read(inode) - ((u64)index << PAGE_SHIFT));
	} else {
		start = direct_offset(ptr);
		err = read_direct_len(inode, start, &direct_len);
		if (err)
			return err;
		start += sizeof(direct_len);
		len = direct_len;
	}

	if (!len)
		return 0;
	/* A block that ends before it begins is a very long one here. */
	if (len > (stored ? PAGE_SIZE : CRAMFS_MAX_DEFLATED))
		return cramfs_corrupt(inode, start, "bad block length");
	if (start + len > sbi->size)
		return cramfs_corrupt(inode, start,
				      "block outside of the image");

	block->kind = stored ? CRAMFS_BLOCK_STORED : CRAMFS_BLOCK_DEFLATED;
	block->offset = start;
	block->len = len;
	return 0;
}
