/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What cramfs does with the pages of files: which are mapped from the image, and
 * which are read into RAM.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cramfs

#if !defined(_TRACE_CRAMFS_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CRAMFS_H

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

/* A fault has mapped pages of the image, or copied one of them. */
TRACE_EVENT(cramfs_fault,
	TP_PROTO(const struct inode *inode, pgoff_t index, u32 nr_pages,
		 u32 offset, bool copy),

	TP_ARGS(inode, index, nr_pages, offset, copy),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(pgoff_t, index)
		__field(u32, nr_pages)
		__field(u32, offset)
		__field(bool, copy)
	),

	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->nr_pages = nr_pages;
		__entry->offset = offset;
		__entry->copy = copy;
	),

	TP_printk("dev %d:%d ino %llu index %lu nr_pages %u offset %#x %s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->nr_pages, __entry->offset,
		  __entry->copy ? "copied" : "in place")
);

/* A block is read into the page cache. */
TRACE_EVENT(cramfs_read_block,
	TP_PROTO(const struct inode *inode, pgoff_t index, bool deflated,
		 u32 offset, u32 len),

	TP_ARGS(inode, index, deflated, offset, len),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(pgoff_t, index)
		__field(bool, deflated)
		__field(u32, offset)
		__field(u32, len)
	),

	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->deflated = deflated;
		__entry->offset = offset;
		__entry->len = len;
	),

	TP_printk("dev %d:%d ino %llu index %lu %s offset %#x len %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->deflated ? "deflated" : "stored",
		  __entry->offset, __entry->len)
);

#endif /* _TRACE_CRAMFS_H */

#include <trace/define_trace.h>
