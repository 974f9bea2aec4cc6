// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execute in place: user mappings of the image itself, with an MMU.
 *
 * mmap() only looks whether there is anything to map in place. Each page is
 * decided on when it is touched: a stored block that fills a page of the image is
 * mapped from there, any other one from the page cache. A private mapping that is
 * written to starts from the image too, and one page is copied with the first
 * write to it.
 */

#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/sizes.h>

#include <trace/events/cramfs.h>

#include "cramfs.h"

/*
 * A fault maps what it can of so many bytes, aligned, around the address: what
 * the page cache does by default.
 */
#define CRAMFS_FAULT_AROUND	max_t(unsigned long, PAGE_SIZE, SZ_64K)

/*
 * Which pages from @index on, @max at most, can be mapped from the image: those
 * that are whole pages of it.
 *
 * Return: how many, with @offset set to where the first one is in the image, 0 if
 * that one cannot, or an error. Does not sleep.
 */
static int xip_pages(struct inode *inode, pgoff_t index, u32 max, u32 *offset)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	struct cramfs_extent extent;
	int ret;

	ret = cramfs_get_extent(inode, index, max, &extent);
	if (ret)
		return ret;
	if (extent.kind != CRAMFS_BLOCK_STORED ||
	    !PAGE_ALIGNED(sbi->backing.phys + extent.offset))
		return 0;

	*offset = extent.offset;
	return extent.nr_blocks - !cramfs_fills_blocks(inode, &extent);
}

/* Map @nr pages of the image at @addr. Those that are mapped already stay. */
static vm_fault_t insert_pages(struct vm_area_struct *vma, unsigned long addr,
			       u32 offset, u32 nr)
{
	struct inode *inode = file_inode(vma->vm_file);
	phys_addr_t phys = CRAMFS_SB(inode->i_sb)->backing.phys + offset;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (; nr-- && ret == VM_FAULT_NOPAGE; addr += PAGE_SIZE) {
		ret = vmf_insert_mixed(vma, addr, phys_to_pfn_t(phys, PFN_DEV));
		phys += PAGE_SIZE;
	}
	return ret;
}

/* The first access to a page of a private mapping is a write: copy it at once. */
static vm_fault_t copy_page_of_image(struct vm_fault *vmf, struct inode *inode,
				     u32 offset)
{
	void *dst = kmap_local_page(vmf->cow_page);
	int err = cramfs_read(inode->i_sb, offset, dst, PAGE_SIZE);
	vm_fault_t ret;

	kunmap_local(dst);
	if (err)
		return VM_FAULT_SIGBUS;

	flush_dcache_page(vmf->cow_page);
	__folio_mark_uptodate(page_folio(vmf->cow_page));
	ret = finish_fault(vmf);
	return ret ?: VM_FAULT_DONE_COW;
}

static vm_fault_t cramfs_xip_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = file_inode(vma->vm_file);
	unsigned long window = ALIGN_DOWN(vmf->address, CRAMFS_FAULT_AROUND);
	unsigned long addr = max(window, vma->vm_start);
	unsigned long end = min(window + CRAMFS_FAULT_AROUND, vma->vm_end);
	u32 before = (vmf->address - addr) >> PAGE_SHIFT, offset;
	int nr;

	if (vmf->pgoff >= cramfs_nr_blocks(inode))
		return VM_FAULT_SIGBUS;

	/* From the window's beginning, if all from there on is of the image. */
	nr = xip_pages(inode, vmf->pgoff - before, (end - addr) >> PAGE_SHIFT,
		       &offset);
	if (nr <= (int)before) {
		addr += before << PAGE_SHIFT;
		before = 0;
		nr = xip_pages(inode, vmf->pgoff, (end - addr) >> PAGE_SHIFT,
			       &offset);
	}
	if (nr < 0)
		return VM_FAULT_SIGBUS;
	if (!nr)
		return filemap_fault(vmf);

	if (!vmf->cow_page) {
		trace_cramfs_fault(inode, vmf->pgoff - before, nr, offset,
				   false);
		return insert_pages(vma, addr, offset, nr);
	}

	/* Modules cannot: finish_fault() is not exported. */
	if (!IS_BUILTIN(CONFIG_CRAMFS))
		return filemap_fault(vmf);

	offset += before << PAGE_SHIFT;
	trace_cramfs_fault(inode, vmf->pgoff, 1, offset, true);
	return copy_page_of_image(vmf, inode, offset);
}

/*
 * Map pages from the page cache around a fault, as far as there are none between
 * that are mapped from the image: those may be in the page cache as well, after
 * splice() for example. Called under RCU.
 */
static vm_fault_t cramfs_xip_map_pages(struct vm_fault *vmf, pgoff_t start,
				       pgoff_t end)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	pgoff_t first = vmf->pgoff, last = vmf->pgoff;
	u32 offset;

	if (xip_pages(inode, vmf->pgoff, 1, &offset))
		return 0;
	while (first > start && !xip_pages(inode, first - 1, 1, &offset))
		first--;
	while (last < end && !xip_pages(inode, last + 1, 1, &offset))
		last++;
	return filemap_map_pages(vmf, first, last);
}

/*
 * For ptrace() and /proc/PID/mem: pages of the image have no struct page by
 * which others could get hold of them. Also how the mm copies such a page when a
 * debugger writes to it.
 */
static int cramfs_xip_access(struct vm_area_struct *vma, unsigned long addr,
			     void *buf, int len, int write)
{
	struct inode *inode = file_inode(vma->vm_file);
	u32 offset;

	if (write)
		return -EACCES;
	if (xip_pages(inode, linear_page_index(vma, addr), 1, &offset) != 1)
		return -EIO;

	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	if (cramfs_read(inode->i_sb, offset + offset_in_page(addr), buf, len))
		return -EIO;
	return len;
}

static const struct vm_operations_struct cramfs_xip_vm_ops = {
	.fault		= cramfs_xip_fault,
	.map_pages	= cramfs_xip_map_pages,
	.access		= cramfs_xip_access,
};

/* Has the file any page that is mapped from the image? A mapping may grow. */
static bool any_xip(struct inode *inode)
{
	u32 index, offset;

	for (index = 0; index < cramfs_nr_blocks(inode); index++) {
		if (xip_pages(inode, index, 1, &offset) > 0)
			return true;
	}
	return false;
}

/**
 * cramfs_file_mmap() - file_operations::mmap of regular files
 * @file: the file
 * @vma: the mapping to set up
 *
 * Return: 0, or -EINVAL for a shared mapping that could become writable.
 */
int cramfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	int ret = generic_file_readonly_mmap(file, vma);

	if (ret || !sbi->backing.has_phys ||
	    !(sbi->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS) ||
	    !any_xip(inode))
		return ret;

	vma->vm_ops = &cramfs_xip_vm_ops;
	vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}
