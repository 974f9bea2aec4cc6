// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execute in place without an MMU: user mappings that are the image itself.
 *
 * There are no page tables: a mapping is one range of memory, so that it is
 * either wholly in the image or wholly a copy, which mm/nommu.c makes by reading
 * the file. Here it is only decided whether the image can serve, and where.
 */

#include <linux/bits.h>
#include <linux/mm.h>

#include "cramfs.h"

/* What direct block pointers can say, and code and data of 32 bits need. */
#define CRAMFS_XIP_ALIGN	BIT(CRAMFS_BLK_DIRECT_PTR_SHIFT)

/**
 * cramfs_get_unmapped_area() - file_operations::get_unmapped_area
 * @file: the file
 * @addr: not used: the image is where it is
 * @len: length of the mapping in bytes, whole pages
 * @pgoff: its first page
 * @flags: not used: writable private mappings do not come here
 *
 * The image serves if it has all of the range in consecutive stored blocks,
 * aligned to a word, in which the bytes after the end of the file, if any, are
 * zeros: what follows them may be another file's data.
 *
 * Context: mmap_lock of the process and mm/nommu.c's list of regions held.
 * Return: the address; -ENOSYS if a copy has to be made, which is an error for a
 * shared mapping; -EUCLEAN if the image is damaged.
 */
unsigned long cramfs_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags)
{
	struct inode *inode = file_inode(file);
	const struct cramfs_backing *backing =
		&CRAMFS_SB(inode->i_sb)->backing;
	unsigned long nr_pages = len >> PAGE_SHIFT;
	struct cramfs_extent extent;
	int err;

	if (!backing->has_phys || nr_pages > cramfs_nr_blocks(inode))
		return -ENOSYS;

	err = cramfs_get_extent(inode, pgoff, nr_pages, &extent);
	if (err)
		return err;
	addr = backing->phys + extent.offset;
	if (extent.kind != CRAMFS_BLOCK_STORED || extent.nr_blocks < nr_pages ||
	    !IS_ALIGNED(addr, CRAMFS_XIP_ALIGN) ||
	    !cramfs_fills_blocks(inode, &extent))
		return -ENOSYS;

	return addr;
}

/**
 * cramfs_file_mmap() - file_operations::mmap of regular files
 * @file: the file
 * @vma: the mapping, at the address from cramfs_get_unmapped_area()
 *
 * Return: 0, or -ENOSYS if a copy has to be made.
 */
int cramfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return is_nommu_shared_mapping(vma->vm_flags) ? 0 : -ENOSYS;
}

/**
 * cramfs_mmap_capabilities() - file_operations::mmap_capabilities
 * @file: the file
 *
 * Return: NOMMU_MAP_* that some mapping of some file can have. What cannot be
 * mapped directly after all is copied all the same.
 */
unsigned int cramfs_mmap_capabilities(struct file *file)
{
	return NOMMU_MAP_COPY | NOMMU_MAP_DIRECT | NOMMU_MAP_READ |
	       NOMMU_MAP_EXEC;
}
