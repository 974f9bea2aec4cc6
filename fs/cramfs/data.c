// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of regular files and symbolic links for those who want copies: page
 * cache folios, read() and splice(), and the extents for FIEMAP. What the image
 * lives in is not known here; that it may be in memory is.
 */

#include <linux/fiemap.h>
#include <linux/highmem.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "cramfs.h"

/* Bytes of the file in block @index, which is not past its end. */
static u32 block_file_len(struct inode *inode, pgoff_t index)
{
	return min_t(u64, PAGE_SIZE,
		     i_size_read(inode) - ((u64)index << PAGE_SHIFT));
}

static int inflate_block(struct inode *inode, const struct cramfs_block *block,
			 void *dst, u32 dst_len)
{
	u32 offset = block->offset, left = block->len;
	struct cramfs_inflate *stream;
	struct cramfs_span span;
	int err = 0, len;

	stream = cramfs_inflate_begin(dst, dst_len);
	if (IS_ERR(stream))
		return PTR_ERR(stream);

	while (left && !err) {
		err = cramfs_get_span(inode->i_sb, offset, left, &span);
		if (err)
			break;
		err = cramfs_inflate_input(stream, span.data, span.len);
		offset += span.len;
		left -= span.len;
		cramfs_put_span(&span);
	}

	len = cramfs_inflate_end(stream);
	if (!err && len != dst_len)
		err = -EUCLEAN;
	if (err == -EUCLEAN)
		return cramfs_corrupt(inode, block->offset,
				      "compressed block is damaged");
	return err;
}

static int read_block(struct inode *inode, pgoff_t index, void *dst)
{
	struct cramfs_block block;
	u32 len = 0;
	int err;

	err = cramfs_get_block(inode, index, &block);
	if (err)
		return err;

	if (block.kind == CRAMFS_BLOCK_STORED) {
		len = min(block.len, block_file_len(inode, index));
		err = cramfs_read(inode->i_sb, block.offset, dst, len);
	} else if (block.kind == CRAMFS_BLOCK_DEFLATED) {
		len = block_file_len(inode, index);
		err = inflate_block(inode, &block, dst, len);
	}
	if (!err)
		memset(dst + len, 0, PAGE_SIZE - len);
	return err;
}

static int fill_folio(struct inode *inode, struct folio *folio)
{
	void *dst = kmap_local_folio(folio, 0);
	int err = read_block(inode, folio->index, dst);

	if (!err)
		flush_dcache_folio(folio);
	kunmap_local(dst);
	folio_end_read(folio, !err);
	return err;
}

static int cramfs_read_folio(struct file *file, struct folio *folio)
{
	return fill_folio(folio->mapping->host, folio);
}

/* Where the data of blocks @first to @last lies, as far as that is in order. */
static void prefetch_blocks(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct cramfs_block a, b;

	if (cramfs_get_block(inode, first, &a) ||
	    cramfs_get_block(inode, last, &b))
		return;
	if (a.kind == CRAMFS_BLOCK_HOLE || b.kind == CRAMFS_BLOCK_HOLE)
		return;
	if (b.offset > a.offset)
		cramfs_prefetch(inode->i_sb, a.offset,
				(u64)b.offset + b.len - a.offset);
}

static void cramfs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	pgoff_t first = readahead_index(rac);
	struct folio *folio;

	prefetch_blocks(inode, first, first + readahead_count(rac) - 1);

	/* What fails here is tried again, and reported, by read_folio. */
	while ((folio = readahead_folio(rac)))
		fill_folio(inode, folio);
}

const struct address_space_operations cramfs_aops = {
	.read_folio	= cramfs_read_folio,
	.readahead	= cramfs_readahead,
};

/*
 * Copy @len bytes of the image, which is in memory, then zeros up to @total.
 * Return: bytes copied, fewer than @total if the reader's memory is not there.
 */
static size_t copy_stored(struct super_block *sb, u32 offset, size_t len,
			  size_t total, struct iov_iter *to)
{
	struct cramfs_span span;
	size_t done = 0;

	if (len) {
		if (cramfs_get_span(sb, offset, len, &span))
			return 0;
		done = copy_to_iter(span.data, len, to);
		cramfs_put_span(&span);
	}
	if (done == len)
		done += iov_iter_zero(total - len, to);
	return done;
}

/* Read what block @index has at @iocb's position, without the page cache. */
static ssize_t read_uncached(struct kiocb *iocb, struct iov_iter *to,
			     struct inode *inode,
			     const struct cramfs_block *block)
{
	pgoff_t index = iocb->ki_pos >> PAGE_SHIFT;
	u32 from = offset_in_page(iocb->ki_pos);
	size_t total, len;
	ssize_t done;

	total = min_t(size_t, block_file_len(inode, index) - from,
		      iov_iter_count(to));
	len = block->len > from ? min_t(size_t, block->len - from, total) : 0;

	done = copy_stored(inode->i_sb, block->offset + from, len, total, to);
	if (!done)
		return -EFAULT;
	iocb->ki_pos += done;
	return done;
}

/* Read blocks from @iocb's position to before @end through the page cache. */
static ssize_t read_cached(struct kiocb *iocb, struct iov_iter *to, loff_t end)
{
	size_t left = iov_iter_count(to), len;
	ssize_t ret;

	len = min_t(u64, left, end - iocb->ki_pos);
	iov_iter_truncate(to, len);
	ret = generic_file_read_iter(iocb, to);
	iov_iter_reexpand(to, left - len + iov_iter_count(to));
	return ret;
}

/*
 * With the image in memory a stored block needs no copy in the page cache. The
 * runs of blocks in between go the usual way.
 */
static ssize_t cramfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct cramfs_block block;
	ssize_t done = 0, ret = 0;

	if (!CRAMFS_SB(inode->i_sb)->backing.virt)
		return generic_file_read_iter(iocb, to);

	while (iov_iter_count(to) && iocb->ki_pos < i_size_read(inode)) {
		pgoff_t index = iocb->ki_pos >> PAGE_SHIFT, end = index;

		do {
			ret = cramfs_get_block(inode, end, &block);
			if (ret || block.kind != CRAMFS_BLOCK_DEFLATED)
				break;
		} while (++end - index <= iov_iter_count(to) >> PAGE_SHIFT);

		if (end > index)
			ret = read_cached(iocb, to, (loff_t)end << PAGE_SHIFT);
		else if (!ret)
			ret = read_uncached(iocb, to, inode, &block);

		if (ret <= 0)
			break;
		done += ret;
		cond_resched();
	}
	return done ?: ret;
}

static ssize_t cramfs_splice_read(struct file *in, loff_t *ppos,
				  struct pipe_inode_info *pipe, size_t len,
				  unsigned int flags)
{
	/* A pipe needs pages, but not pages that stay in the page cache. */
	if (CRAMFS_SB(file_inode(in)->i_sb)->backing.virt)
		return copy_splice_read(in, ppos, pipe, len, flags);
	return filemap_splice_read(in, ppos, pipe, len, flags);
}

const struct file_operations cramfs_file_operations = {
	.llseek		= generic_file_llseek,
	.read_iter	= cramfs_read_iter,
	.splice_read	= cramfs_splice_read,
	.mmap		= cramfs_file_mmap,
};

struct extent {
	u64 logical;
	u64 physical;
	u64 len;
	u32 flags;
};

static bool extent_append(struct extent *extent, const struct extent *next)
{
	if (extent->flags || next->flags ||
	    extent->logical + extent->len != next->logical ||
	    extent->physical + extent->len != next->physical)
		return false;
	extent->len += next->len;
	return true;
}

/*
 * Physical offsets are offsets in the image. Consecutive stored blocks are one
 * extent; a deflated block is one of its own.
 */
static int cramfs_fiemap(struct inode *inode, struct fiemap_extent_info *info,
			 u64 start, u64 len)
{
	struct extent extent = {}, next;
	struct cramfs_block block;
	u64 end;
	int ret;

	ret = fiemap_prep(inode, info, start, &len, 0);
	if (ret)
		return ret;
	end = start + len;

	for (pgoff_t index = start >> PAGE_SHIFT;
	     index < cramfs_nr_blocks(inode); index++) {
		ret = cramfs_get_block(inode, index, &block);
		if (ret)
			return ret;
		if (block.kind == CRAMFS_BLOCK_HOLE)
			continue;

		next.logical = (u64)index << PAGE_SHIFT;
		next.physical = block.offset;
		next.len = PAGE_SIZE;
		next.flags = 0;
		if (block.kind == CRAMFS_BLOCK_DEFLATED)
			next.flags |= FIEMAP_EXTENT_ENCODED;
		if (offset_in_page(block.offset))
			next.flags |= FIEMAP_EXTENT_NOT_ALIGNED;

		if (extent.len && extent_append(&extent, &next))
			continue;
		/* The last one is known as such only when there is no next. */
		if (extent.len) {
			ret = fiemap_fill_next_extent(info, extent.logical,
						      extent.physical,
						      extent.len, extent.flags);
			if (ret)
				return ret < 0 ? ret : 0;
		}
		extent = next;
		if (next.logical >= end)
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
	}

	if (extent.len)
		ret = fiemap_fill_next_extent(info, extent.logical,
					      extent.physical, extent.len,
					      extent.flags |
					      FIEMAP_EXTENT_LAST);
	return ret < 0 ? ret : 0;
}

const struct inode_operations cramfs_file_inode_operations = {
	.fiemap		= cramfs_fiemap,
};
