// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of regular files and symbolic links for those who want copies: page
 * cache folios, read() and splice(). What the image lives in is not known here;
 * that it may be in memory is.
 */

#include <linux/highmem.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include <trace/events/cramfs.h>

#include "cramfs.h"

/* A deflated block, wherever it begins, is in no more pages than these. */
#define CRAMFS_MAX_SPANS	(CRAMFS_MAX_DEFLATED / PAGE_SIZE + 1)

static int inflate_spans(const struct cramfs_span *spans, int nr, void *dst,
			 u32 dst_len)
{
	struct cramfs_inflate *stream;
	int err = 0, len;

	stream = cramfs_inflate_begin(dst, dst_len);
	if (IS_ERR(stream))
		return PTR_ERR(stream);

	for (int i = 0; i < nr && !err; i++)
		err = cramfs_inflate_input(stream, spans[i].data, spans[i].len);

	len = cramfs_inflate_end(stream);
	return err ?: len == dst_len ? 0 : -EUCLEAN;
}

/*
 * All of the input is got before a stream is: whoever has a stream must not wait
 * for a device, which may need one itself (an image on a loop device on cramfs).
 */
static int inflate_block(struct inode *inode, const struct cramfs_extent *block,
			 void *dst, u32 dst_len)
{
	struct cramfs_span spans[CRAMFS_MAX_SPANS];
	u32 offset = block->offset, left = block->len;
	int nr = 0, err = 0;

	for (; left; left -= spans[nr++].len) {
		err = cramfs_get_span(inode->i_sb, offset, left, &spans[nr]);
		if (err)
			goto put;
		offset += spans[nr].len;
	}
	err = inflate_spans(spans, nr, dst, dst_len);
put:
	while (nr)
		cramfs_put_span(&spans[--nr]);

	if (err == -EUCLEAN)
		return cramfs_corrupt(inode, block->offset,
				      "compressed block is damaged");
	return err;
}

static int read_block(struct inode *inode, pgoff_t index, void *dst)
{
	struct cramfs_extent block;
	u32 len = 0;
	int err;

	err = cramfs_get_extent(inode, index, 1, &block);
	if (err)
		return err;

	if (block.kind != CRAMFS_BLOCK_HOLE)
		trace_cramfs_read_block(inode, index,
					block.kind == CRAMFS_BLOCK_DEFLATED,
					block.offset, block.len);
	if (block.kind == CRAMFS_BLOCK_STORED) {
		len = block.len;
		err = cramfs_read(inode->i_sb, block.offset, dst, len);
	} else if (block.kind == CRAMFS_BLOCK_DEFLATED) {
		len = cramfs_file_len(inode, index, 1);
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

/* Announce the data of blocks @first to @last, if it lies in order. */
static void read_blocks_ahead(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct cramfs_extent a, b;

	if (cramfs_get_extent(inode, first, 1, &a) ||
	    cramfs_get_extent(inode, last, 1, &b))
		return;
	if (a.kind == CRAMFS_BLOCK_HOLE || b.kind == CRAMFS_BLOCK_HOLE)
		return;
	if (b.offset > a.offset &&
	    b.offset - a.offset <= (last - first) * CRAMFS_MAX_DEFLATED)
		cramfs_read_ahead(inode->i_sb, a.offset,
				  (u64)b.offset + b.len - a.offset);
}

static void cramfs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	pgoff_t first = readahead_index(rac);
	struct folio *folio;

	read_blocks_ahead(inode, first, first + readahead_count(rac) - 1);

	/* What fails here is tried again by read_folio. */
	while ((folio = readahead_folio(rac)))
		fill_folio(inode, folio);
}

/* The kernel does not read ahead from what is in memory. */
const struct address_space_operations cramfs_aops = {
	.read_folio	= cramfs_read_folio,
	.readahead	= IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV) ?
			  cramfs_readahead : NULL,
};

/*
 * Read what @extent, which is stored or a hole, has at @iocb's position: from the
 * image, which is in memory, then zeros.
 */
static ssize_t read_uncached(struct kiocb *iocb, struct iov_iter *to,
			     struct inode *inode,
			     const struct cramfs_extent *extent)
{
	u32 from = offset_in_page(iocb->ki_pos);
	struct cramfs_span span;
	size_t total, len, done = 0;
	int err;

	total = min3((u64)iov_iter_count(to),
		     ((u64)extent->nr_blocks << PAGE_SHIFT) - from,
		     (u64)(i_size_read(inode) - iocb->ki_pos));
	len = extent->len > from ? min_t(size_t, extent->len - from, total) : 0;

	if (len) {
		err = cramfs_get_span(inode->i_sb, extent->offset + from, len,
				      &span);
		if (err)
			return err;
		/* Hardened usercopy knows no data at address 0, where ROM can be. */
		done = _copy_to_iter(span.data, len, to);
		cramfs_put_span(&span);
	}
	if (done == len)
		done += iov_iter_zero(total - len, to);

	iocb->ki_pos += done;
	return done ?: -EFAULT;
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

/* Blocks to read at a time: flash can be slow. */
#define CRAMFS_MAX_COPY		64UL

/*
 * With the image in memory a stored block needs no copy in the page cache. The
 * runs of blocks in between go the usual way.
 */
static ssize_t cramfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct cramfs_extent extent;
	ssize_t done = 0, ret = 0;

	if (!cramfs_in_memory(&CRAMFS_SB(inode->i_sb)->backing))
		return generic_file_read_iter(iocb, to);

	while (iov_iter_count(to) && iocb->ki_pos < i_size_read(inode)) {
		pgoff_t index = iocb->ki_pos >> PAGE_SHIFT, end = index;
		u32 max_blocks = min((iov_iter_count(to) >> PAGE_SHIFT) + 2,
				     CRAMFS_MAX_COPY);

		do {
			ret = cramfs_get_extent(inode, end, max_blocks, &extent);
			if (ret || extent.kind != CRAMFS_BLOCK_DEFLATED)
				break;
		} while (++end - index < max_blocks);

		if (end > index)
			ret = read_cached(iocb, to, (loff_t)end << PAGE_SHIFT);
		else if (!ret)
			ret = read_uncached(iocb, to, inode, &extent);

		if (ret <= 0)
			break;
		done += ret;
		cond_resched();
	}
	return done ?: ret;
}

/* A pipe needs pages, but stored blocks need none that stay in the page cache. */
static ssize_t cramfs_splice_read(struct file *in, loff_t *ppos,
				  struct pipe_inode_info *pipe, size_t len,
				  unsigned int flags)
{
	struct inode *inode = file_inode(in);
	struct cramfs_extent extent;

	if (cramfs_in_memory(&CRAMFS_SB(inode->i_sb)->backing) &&
	    !cramfs_get_extent(inode, *ppos >> PAGE_SHIFT, 1, &extent) &&
	    extent.kind != CRAMFS_BLOCK_DEFLATED)
		return copy_splice_read(in, ppos, pipe, len, flags);
	return filemap_splice_read(in, ppos, pipe, len, flags);
}

const struct file_operations cramfs_file_operations = {
	.llseek		= generic_file_llseek,
	.read_iter	= cramfs_read_iter,
	.splice_read	= cramfs_splice_read,
	CRAMFS_FILE_MMAP_OPS,
};
