/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the driver share: the superblock in memory, the decoded
 * form of a block, and the functions that one file has and another calls.
 *
 * Data flows one way: VFS, then data.c or xip.c, then block.c, then a backing.
 */
#ifndef _FS_CRAMFS_H
#define _FS_CRAMFS_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <uapi/linux/cramfs_fs.h>

#include "backing.h"

struct fs_context;
struct vm_area_struct;

/**
 * struct cramfs_sb_info - a mounted image
 * @backing: what the image lives in
 * @size: length of the image in bytes; nothing past it is ever looked at
 * @flags: CRAMFS_FLAG_* of the superblock
 * @blocks: data blocks, as the builder counted them; 0 if it did not
 * @files: entries, as the builder counted them; 0 if it did not
 * @start: where the superblock is, in bytes: what is in front of it is boot code
 * @ino_shift: bits of an inode number that are an offset
 * @verified: all of it was held against its checksum
 * @dir_lock: held while a directory is given its place
 */
struct cramfs_sb_info {
	struct cramfs_backing backing;
	u32 size;
	u32 flags;
	u32 blocks;
	u32 files;
	u16 start;
	u8 ino_shift;
	bool verified;
	/* for give_place() in dir.c */
	struct mutex dir_lock;
};

static inline struct cramfs_sb_info *CRAMFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/**
 * struct cramfs_mount_opts - mount options, in fs_context::fs_private
 * @physaddr: physical address of the image, in bytes
 * @physsize: room there, in bytes
 * @has_physaddr: @physaddr was given
 * @has_physsize: @physsize was given
 * @verify: hold the image against its checksum
 */
struct cramfs_mount_opts {
	u64 physaddr;
	u64 physsize;
	bool has_physaddr;
	bool has_physsize;
	bool verify;
};

/*
 * An inode number holds all that reads need to know of the inode on disk. Bit 0 is
 * clear if there is data; then the bits up to cramfs_sb_info::ino_shift are half
 * the offset of it, and those above keep apart, for user space, entries that share
 * their data but not their attributes. If there is no data, the number is half the
 * offset of the entry itself.
 */
#define CRAMFS_INO_NO_DATA	1U
#define CRAMFS_INO_MAX_SHIFT	(CRAMFS_OFFSET_WIDTH + 1)

/**
 * cramfs_data_offset() - where an inode's data begins
 * @inode: a regular file or symbolic link (the block pointers begin there) or a
 *	directory (the first entry does), not empty
 *
 * Return: the offset in the image, in bytes.
 */
static inline u32 cramfs_data_offset(const struct inode *inode)
{
	u32 mask = (1U << CRAMFS_SB(inode->i_sb)->ino_shift) - 1;

	return (inode->i_ino & mask) << 1;
}

/* Blocks of PAGE_SIZE bytes that the inode's data is cut into. */
static inline u32 cramfs_nr_blocks(const struct inode *inode)
{
	return DIV_ROUND_UP((u32)i_size_read(inode), PAGE_SIZE);
}

/* Bytes of the file in @nr_blocks from @index on, which is not past its end. */
static inline u32 cramfs_file_len(const struct inode *inode, pgoff_t index,
				  u32 nr_blocks)
{
	return min_t(u64, (u64)nr_blocks << PAGE_SHIFT,
		     i_size_read(inode) - ((u64)index << PAGE_SHIFT));
}

/* super.c */
int cramfs_fill_super(struct super_block *sb, struct fs_context *fc);
struct cramfs_sb_info *
cramfs_prepare_sb_info(struct fs_context *fc,
		       const struct cramfs_backing_ops *ops);
int __cold cramfs_corrupt(const struct inode *inode, u64 offset,
			  const char *what);

/* verify.c, which is there with CONFIG_CRAMFS_VERIFY */
int cramfs_verify(struct super_block *sb);

/* inode.c */
ino_t cramfs_ino(const struct super_block *sb, const struct cramfs_inode *ci,
		 u32 entry);
struct inode *cramfs_iget(struct super_block *sb, const struct cramfs_inode *ci,
			  u32 entry);

/* dir.c */
extern const struct inode_operations cramfs_dir_inode_operations;
extern const struct file_operations cramfs_dir_operations;

/* block.c */
enum cramfs_block_kind {
	CRAMFS_BLOCK_HOLE,
	CRAMFS_BLOCK_STORED,
	CRAMFS_BLOCK_DEFLATED,
};

/* The longest that a deflated block may be in the image, in bytes. */
#define CRAMFS_MAX_DEFLATED	(2 * PAGE_SIZE)

/**
 * struct cramfs_extent - where the bytes of blocks of a file are
 * @kind: how they are kept
 * @offset: where they begin in the image, in bytes; 0 for a hole
 * @len: how many there are in the image, 0 for a hole; what a stored block
 *	lacks to its part of the file reads as zeros
 * @nr_blocks: how many blocks these are; more than one only if all are stored,
 *	and all but the last one fill a block
 */
struct cramfs_extent {
	enum cramfs_block_kind kind;
	u32 offset;
	u32 len;
	u32 nr_blocks;
};

int cramfs_get_extent(struct inode *inode, pgoff_t index, u32 max_blocks,
		      struct cramfs_extent *extent);
bool cramfs_fills_blocks(struct inode *inode,
			 const struct cramfs_extent *extent);

/* data.c */
extern const struct address_space_operations cramfs_aops;
extern const struct file_operations cramfs_file_operations;

/* fiemap.c, which is there with CONFIG_CRAMFS_BLOCKDEV */
extern const struct inode_operations cramfs_file_inode_operations;

/* inflate.c */
struct cramfs_inflate;
struct cramfs_inflate *cramfs_inflate_begin(void *dst, u32 len);
int cramfs_inflate_input(struct cramfs_inflate *stream, const void *src,
			 u32 len);
int cramfs_inflate_end(struct cramfs_inflate *stream);
void cramfs_inflate_exit(void);

/* xip.c or xip-nommu.c: what cramfs_file_operations has for mmap() */
#ifdef CONFIG_CRAMFS_XIP
int cramfs_file_mmap(struct file *file, struct vm_area_struct *vma);
#else
#define cramfs_file_mmap generic_file_readonly_mmap
#endif

#if defined(CONFIG_CRAMFS_XIP) && !defined(CONFIG_MMU)
unsigned long cramfs_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags);
unsigned int cramfs_mmap_capabilities(struct file *file);
#define CRAMFS_FILE_MMAP_OPS						\
	.mmap			= cramfs_file_mmap,			\
	.get_unmapped_area	= cramfs_get_unmapped_area,		\
	.mmap_capabilities	= cramfs_mmap_capabilities
#else
#define CRAMFS_FILE_MMAP_OPS						\
	.mmap			= cramfs_file_mmap
#endif

#endif /* _FS_CRAMFS_H */
