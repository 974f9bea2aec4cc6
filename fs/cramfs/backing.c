// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to the bytes of an image, the same for every backing. All numbers that
 * come from the image pass here before they become an address: nothing outside
 * of the image is ever handed out.
 */

#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "cramfs.h"

/**
 * cramfs_get_span() - get at some bytes of the image
 * @sb: the filesystem
 * @offset: where they begin in the image, in bytes
 * @len: how many are wanted, at least 1
 * @span: set to the first of them, all of them if the image is in memory
 *
 * Context: May sleep, but not if the image is in memory. Spans nest: the one got
 * last is put first.
 * Return: 0, and the caller must call cramfs_put_span(). -EUCLEAN if any of the
 * bytes are outside of the image, or the error of the device.
 */
int cramfs_get_span(struct super_block *sb, u32 offset, u32 len,
		    struct cramfs_span *span)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);

	if ((u64)offset + len > sbi->size)
		return -EUCLEAN;

	if (!cramfs_in_memory(&sbi->backing))
		return sbi->backing.ops->get_span(sb, offset, len, span);

	span->data = sbi->backing.virt + offset;
	span->len = len;
	span->folio = NULL;
	return 0;
}

/**
 * cramfs_put_span() - be done with bytes of the image
 * @span: from cramfs_get_span()
 */
void cramfs_put_span(struct cramfs_span *span)
{
	if (!IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV) || !span->folio)
		return;
	kunmap_local(span->data);
	folio_put(span->folio);
}

/**
 * cramfs_read() - copy bytes of the image
 * @sb: the filesystem
 * @offset: where they begin in the image, in bytes
 * @buf: where they go
 * @len: how many
 *
 * Context: As for cramfs_get_span().
 * Return: 0, or an error as from cramfs_get_span(), with @buf filled in part.
 */
int cramfs_read(struct super_block *sb, u32 offset, void *buf, u32 len)
{
	struct cramfs_span span;
	int err;

	while (len) {
		err = cramfs_get_span(sb, offset, len, &span);
		if (err)
			return err;
		memcpy(buf, span.data, span.len);
		buf += span.len;
		offset += span.len;
		len -= span.len;
		cramfs_put_span(&span);
	}
	return 0;
}

/**
 * cramfs_read_ahead() - announce that bytes of the image will be read
 * @sb: the filesystem
 * @offset: where they begin in the image, in bytes
 * @len: how many; may reach past the image
 */
void cramfs_read_ahead(struct super_block *sb, u32 offset, u64 len)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);

	if (IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV) &&
	    sbi->backing.ops->read_ahead && offset < sbi->size)
		sbi->backing.ops->read_ahead(sb, offset,
					     min_t(u64, len,
						   sbi->size - offset));
}
