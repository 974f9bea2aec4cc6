// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIEMAP: where a file's blocks are, for those who want to see the layout of a
 * device. Physical offsets are offsets in the image.
 */

#include <linux/fiemap.h>
#include <linux/sched/signal.h>

#include "cramfs.h"

static int fiemap_add(struct fiemap_extent_info *info, u64 logical,
		      const struct cramfs_extent *extent, u32 flags)
{
	if (extent->kind == CRAMFS_BLOCK_DEFLATED)
		flags |= FIEMAP_EXTENT_ENCODED;
	if (offset_in_page(extent->offset))
		flags |= FIEMAP_EXTENT_NOT_ALIGNED;

	return fiemap_fill_next_extent(info, logical, extent->offset,
				       (u64)extent->nr_blocks << PAGE_SHIFT,
				       flags);
}

/* Consecutive stored blocks are one extent; a deflated block is one of its own. */
static int cramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
			 u64 start, u64 len)
{
	struct cramfs_extent extent, last = {};
	u64 logical = 0;
	pgoff_t index;
	int ret;

	ret = fiemap_prep(inode, info, start, &len, 0);
	if (ret)
		return ret;

	/* The last extent is known as such only when no other has followed. */
	for (index = start >> PAGE_SHIFT; index < cramfs_nr_blocks(inode);
	     index += extent.nr_blocks) {
		ret = cramfs_get_extent(inode, index, U32_MAX, &extent);
		if (ret)
			return ret;
		if (extent.kind == CRAMFS_BLOCK_HOLE)
			continue;

		if (last.len)
			ret = fiemap_add(info, logical, &last, 0);
		if (ret || (u64)index << PAGE_SHIFT >= start + len)
			return min(ret, 0);
		last = extent;
		logical = (u64)index << PAGE_SHIFT;

		if (fatal_signal_pending(current))
			return -EINTR;
	}

	if (last.len)
		ret = fiemap_add(info, logical, &last, FIEMAP_EXTENT_LAST);
	return min(ret, 0);
}

const struct inode_operations cramfs_file_inode_operations = {
	.fiemap		= cramfs_fiemap,
};
