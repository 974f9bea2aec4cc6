// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execute in place: user mappings of the image itself, with an MMU.
 *
 * mmap() decides nothing. Each page is decided on when it is touched: a stored
 * block that fills a page of the image is mapped from there, any other one from
 * the page cache. A private mapping that is written to starts from the image
 * too, and one page is copied with the first write to it.
 */

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/string.h>

#include "cramfs.h"

/* Pages that a fault maps at most, the aligned window around the address. */
#define CRAMFS_FAULT_AROUND	16

/*
 * A page can be mapped if it is a page of the image, and if the rest of it, after
 * a short block, is zeros: it may be another file's data.
 *
 * Return: 1, with @offset set to where the page is in the image, 0 if not, or an
 * error. Does not sleep.
 */
static int xip_page(struct inode *inode, pgoff_t index, u32 *offset)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(inode->i_sb);
	struct cramfs_block block;
	struct cramfs_span span;
	int ret;

	ret = cramfs_get_block(inode, index, &block);
	if (ret)
		return ret;
	if (block.kind != CRAMFS_BLOCK_STORED ||
	    !PAGE_ALIGNED(sbi->backing.phys + block.offset))
		return 0;

	if (cramfs_get_span(inode->i_sb, block.offset, PAGE_SIZE, &span))
		return 0;
	ret = !memchr_inv(span.data + block.len, 0, PAGE_SIZE - block.len);
	cramfs_put_span(&span);

	*offset = block.offset;
	return ret;
}

static vm_fault_t insert_page_of_image(struct vm_area_struct *vma,
				       unsigned long addr, u32 offset)
{
	struct inode *inode = file_inode(vma->vm_file);
	phys_addr_t phys = CRAMFS_SB(inode->i_sb)->backing.phys + offset;

	return vmf_insert_mixed(vma, addr, phys_to_pfn_t(phys, PFN_DEV));
}

/* Map what else is of the image in the window around @vmf, as far as it goes. */
static void fault_around(struct vm_fault *vmf, struct inode *inode)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long size = CRAMFS_FAULT_AROUND * PAGE_SIZE;
	unsigned long addr = max(ALIGN_DOWN(vmf->address, size), vma->vm_start);
	unsigned long end = min(ALIGN_DOWN(vmf->address, size) + size,
				vma->vm_end);
	pgoff_t index = linear_page_index(vma, addr);
	u32 offset;

	for (; addr != end; addr += PAGE_SIZE, index++) {
		if (addr == (vmf->address & PAGE_MASK) ||
		    index >= cramfs_nr_blocks(inode))
			continue;
		if (xip_page(inode, index, &offset) == 1 &&
		    insert_page_of_image(vma, addr, offset) != VM_FAULT_NOPAGE)
			return;
	}
}

/*
 * The first access to a page of a private mapping is a write: copy the page of
 * the image at once. Modules cannot: finish_fault() is not for them; they map
 * it first, and it is copied at the next fault.
 */
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
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;
	u32 offset;
	int err;

	if (vmf->pgoff >= cramfs_nr_blocks(inode))
		return VM_FAULT_SIGBUS;

	err = xip_page(inode, vmf->pgoff, &offset);
	if (err < 0)
		return VM_FAULT_SIGBUS;
	if (!err)
		return filemap_fault(vmf);

	if (IS_BUILTIN(CONFIG_CRAMFS) && vmf->cow_page)
		return copy_page_of_image(vmf, inode, offset);

	ret = insert_page_of_image(vmf->vma, vmf->address, offset);
	if (ret == VM_FAULT_NOPAGE)
		fault_around(vmf, inode);
	return ret;
}

/*
 * Map pages from the page cache around a fault, but none that should come from
 * the image: read() of a file by splice or a kernel reader can have brought it
 * into the page cache as well. Called under RCU.
 */
static vm_fault_t cramfs_xip_map_pages(struct vm_fault *vmf, pgoff_t start,
				       pgoff_t end)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = 0;
	pgoff_t index;
	u32 offset;

	for (index = start; index <= end; index++) {
		if (xip_page(inode, index, &offset) == 0)
			continue;
		if (index > start)
			ret |= filemap_map_pages(vmf, start, index - 1);
		start = index + 1;
	}
	if (index > start)
		ret |= filemap_map_pages(vmf, start, index - 1);
	return ret;
}

/*
 * For ptrace() and /proc/PID/mem: pages of the image have no struct page by
 * which others could get hold of them.
 */
static int cramfs_xip_access(struct vm_area_struct *vma, unsigned long addr,
			     void *buf, int len, int write)
{
	struct inode *inode = file_inode(vma->vm_file);
	u32 offset;

	if (write)
		return -EACCES;
	if (xip_page(inode, linear_page_index(vma, addr), &offset) != 1)
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

/**
 * cramfs_file_mmap() - file_operations::mmap of regular files
 * @file: the file
 * @vma: the mapping to set up
 *
 * Return: 0, or -EINVAL for a shared mapping that could become writable.
 */
int cramfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(file_inode(file)->i_sb);
	int ret = generic_file_readonly_mmap(file, vma);

	if (ret || !sbi->backing.has_phys ||
	    !(sbi->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS))
		return ret;

	vma->vm_ops = &cramfs_xip_vm_ops;
	vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}
