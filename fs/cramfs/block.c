// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block pointers: from (inode, index) to the place of a block in the image. This
 * is the only decoder of them, and so the only place where a number in a file's
 * table turns into an offset. What becomes of the bytes (page cache, user
 * mapping) is not known here.
 *
 * See "Block pointers" in Documentation/filesystems/cramfs.rst.
 */

#include <linux/overflow.h>
#include <linux/string.h>

#include "cramfs.h"

static int read_pointer(struct inode *inode, pgoff_t index, u32 *ptr)
{
	u32 offset = cramfs_data_offset(inode) + index * sizeof(*ptr);
	int err;

	err = cramfs_read(inode->i_sb, offset, ptr, sizeof(*ptr));
	if (!err && (*ptr & CRAMFS_BLK_FLAGS) &&
	    !(CRAMFS_SB(inode->i_sb)->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS))
		return cramfs_corrupt(inode, *ptr, "block outside of the image");
	return err;
}

/* A deflated block behind a direct pointer has its length in front. */
static int read_direct_len(struct inode *inode, u32 offset, u16 *len)
{
	int err = cramfs_read(inode->i_sb, offset, len, sizeof(*len));

	if (err == -EUCLEAN)
		return cramfs_corrupt(inode, offset,
				      "block outside of the image");
	return err;
}

static u32 direct_offset(u32 ptr)
{
	return (ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
}

/* Where a block begins that has no direct pointer: where the previous one ends. */
static int block_start(struct inode *inode, pgoff_t index, u32 *start)
{
	u32 prev, prev_len;
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
		prev_len = PAGE_SIZE;
	} else {
		err = read_direct_len(inode, *start, &len);
		if (err)
			return err;
		prev_len = sizeof(len) + len;
	}
	if (check_add_overflow(*start, prev_len, start))
		return cramfs_corrupt(inode, prev, "block outside of the image");
	return 0;
}

/*
 * Add to @extent, which is block @index and has the direct pointer @ptr, the
 * stored blocks that follow it in the file and in the image alike. The last one
 * may have a pointer that is not direct: it begins where the one before ends.
 */
static void extend_stored(struct inode *inode, pgoff_t index, u32 ptr,
			  u32 max_blocks, struct cramfs_extent *extent)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	struct cramfs_span span;
	u32 nr = 1, next, len;

	max_blocks = min_t(u32, max_blocks, cramfs_nr_blocks(inode) - index);
	if (max_blocks < 2 ||
	    cramfs_get_span(inode->i_sb,
			    cramfs_data_offset(inode) + (index + 1) * sizeof(u32),
			    (max_blocks - 1) * sizeof(u32), &span))
		return;

	for (; nr <= span.len / sizeof(u32); nr++) {
		/* Once, since flash may change its mind. */
		next = READ_ONCE(((const u32 *)span.data)[nr - 1]);
		ptr += PAGE_SIZE >> CRAMFS_BLK_DIRECT_PTR_SHIFT;
		if (next == ptr)
			continue;
		len = cramfs_file_len(inode, index + nr, 1);
		if ((next & CRAMFS_BLK_FLAGS) == CRAMFS_BLK_FLAG_UNCOMPRESSED &&
		    (next & ~CRAMFS_BLK_FLAGS) == direct_offset(ptr) + len)
			nr++;
		break;
	}
	cramfs_put_span(&span);

	len = cramfs_file_len(inode, index, nr);
	if (len <= sbi->size - extent->offset) {
		extent->nr_blocks = nr;
		extent->len = len;
	}
}

/**
 * cramfs_get_extent() - find blocks of a file
 * @inode: a regular file or symbolic link
 * @index: the first block, in units of PAGE_SIZE
 * @max_blocks: the most blocks that are wanted, at least 1
 * @extent: filled in
 *
 * A block past the end of the file is a hole.
 *
 * Context: As for cramfs_get_span(): does not sleep if the image is in memory.
 * Return: 0, and the extent has at least one block and is inside of the image.
 * -EUCLEAN, after a message, if the pointers make no sense; or the error of the
 * device.
 */
int cramfs_get_extent(struct inode *inode, pgoff_t index, u32 max_blocks,
		      struct cramfs_extent *extent)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	u32 start, len;
	u16 direct_len;
	bool stored;
	u32 ptr;
	int err;

	*extent = (struct cramfs_extent){ .nr_blocks = 1 };
	if (index >= cramfs_nr_blocks(inode))
		return 0;

	err = read_pointer(inode, index, &ptr);
	if (err)
		return err;

	stored = ptr & CRAMFS_BLK_FLAG_UNCOMPRESSED;
	if (!(ptr & CRAMFS_BLK_FLAG_DIRECT_PTR)) {
		err = block_start(inode, index, &start);
		if (err)
			return err;
		len = (ptr & ~CRAMFS_BLK_FLAGS) - start;
	} else if (stored) {
		start = direct_offset(ptr);
		len = cramfs_file_len(inode, index, 1);
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
	if (start > sbi->size || len > sbi->size - start)
		return cramfs_corrupt(inode, start,
				      "block outside of the image");

	extent->kind = stored ? CRAMFS_BLOCK_STORED : CRAMFS_BLOCK_DEFLATED;
	extent->offset = start;
	extent->len = len;
	if (stored)
		extent->len = min(extent->len, cramfs_file_len(inode, index, 1));
	if (stored && (ptr & CRAMFS_BLK_FLAG_DIRECT_PTR))
		extend_stored(inode, index, ptr, max_blocks, extent);
	return 0;
}

/**
 * cramfs_fills_blocks() - can the blocks of an extent be seen as whole ones?
 * @inode: a file of an image that is in memory
 * @extent: stored blocks of it
 *
 * What follows a short last block in the image may be another file's data.
 *
 * Context: Does not sleep.
 * Return: true if up to the end of the last block there is only what the file
 * has, and zeros.
 */
bool cramfs_fills_blocks(struct inode *inode, const struct cramfs_extent *extent)
{
	u32 rest = (extent->nr_blocks << PAGE_SHIFT) - extent->len;
	struct cramfs_span span;
	bool zeros;

	if (!rest)
		return true;
	if (cramfs_get_span(inode->i_sb, extent->offset + extent->len, rest,
			    &span))
		return false;
	zeros = !memchr_inv(span.data, 0, rest);
	cramfs_put_span(&span);
	return zeros;
}
