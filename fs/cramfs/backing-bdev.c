// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image in a block device, read through the device's page cache.
 */

#include <linux/blkdev.h>
#include <linux/fs_context.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "cramfs.h"

/* Pages to read at once when something is read that nobody announced. */
#define CRAMFS_BDEV_READAHEAD	4

static int bdev_open(struct super_block *sb, struct fs_context *fc)
{
	CRAMFS_SB(sb)->backing.size = bdev_nr_bytes(sb->s_bdev);
	return 0;
}

static void bdev_readahead(struct super_block *sb, pgoff_t index,
			   unsigned long nr_pages)
{
	struct address_space *mapping = sb->s_bdev->bd_mapping;
	struct file_ra_state ra = {};

	file_ra_state_init(&ra, mapping);
	page_cache_sync_readahead(mapping, &ra, NULL, index, nr_pages);
}

/*
 * A device may end inside of a page, which the page cache then may not be able to
 * give as a whole. Not by kernel_read(), which takes a lock of the device that
 * others hold when they fault.
 */
static struct folio *bdev_read_last_page(struct super_block *sb, pgoff_t index)
{
	loff_t pos = (loff_t)index << PAGE_SHIFT;
	size_t len = CRAMFS_SB(sb)->backing.size - pos;
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, 0);
	struct iov_iter iter;
	struct kiocb iocb;
	struct kvec vec;
	ssize_t ret;

	if (!folio)
		return ERR_PTR(-ENOMEM);

	vec.iov_base = folio_address(folio);
	vec.iov_len = len;
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);
	init_sync_kiocb(&iocb, sb->s_bdev_file);
	iocb.ki_pos = pos;
	ret = filemap_read(&iocb, &iter, 0);
	if (ret == len)
		return folio;
	folio_put(folio);
	return ERR_PTR(ret < 0 ? ret : -EIO);
}

static struct folio *bdev_read_page(struct super_block *sb, pgoff_t index)
{
	struct address_space *mapping = sb->s_bdev->bd_mapping;
	struct folio *folio;

	if (CRAMFS_SB(sb)->backing.size >> PAGE_SHIFT == index)
		return bdev_read_last_page(sb, index);

	folio = filemap_get_folio(mapping, index);
	if (IS_ERR(folio))
		bdev_readahead(sb, index, CRAMFS_BDEV_READAHEAD);
	else
		folio_put(folio);
	return read_mapping_folio(mapping, index, NULL);
}

static int bdev_get_span(struct super_block *sb, u32 offset, u32 len,
			 struct cramfs_span *span)
{
	struct folio *folio = bdev_read_page(sb, offset >> PAGE_SHIFT);

	if (IS_ERR(folio))
		return PTR_ERR(folio);

	len = min_t(u32, len, PAGE_SIZE - offset_in_page(offset));
	/* Pages behind the end read as zeros; all of them are if the device is gone. */
	if (bdev_nr_bytes(sb->s_bdev) < (u64)offset + len) {
		folio_put(folio);
		return -EIO;
	}

	span->data = kmap_local_folio(folio, offset_in_folio(folio, offset));
	span->len = len;
	span->folio = folio;
	return 0;
}

static void bdev_read_ahead(struct super_block *sb, u32 offset, u32 len)
{
	pgoff_t first = offset >> PAGE_SHIFT;
	pgoff_t last = ((u64)offset + len - 1) >> PAGE_SHIFT;

	bdev_readahead(sb, first, last - first + 1);
}

static const struct cramfs_backing_ops bdev_ops = {
	.open		= bdev_open,
	.get_span	= bdev_get_span,
	.read_ahead	= bdev_read_ahead,
	.kill_sb	= kill_block_super,
};

/**
 * cramfs_get_tree_bdev() - mount the block device that fc->source names
 * @fc: the mount
 *
 * Return: 0 or an error, as fs_context_operations::get_tree does.
 */
int cramfs_get_tree_bdev(struct fs_context *fc)
{
	struct cramfs_sb_info *sbi = cramfs_prepare_sb_info(fc, &bdev_ops);

	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	return get_tree_bdev(fc, cramfs_fill_super);
}
