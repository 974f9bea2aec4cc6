/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * On-disk format of cramfs, for the kernel and for the programs that write and
 * check images. Documentation/filesystems/cramfs.rst describes it in prose.
 *
 * Every value has the byte order of the machine that the image is for. The bit
 * fields are laid out as that machine's C compiler does: from the least
 * significant bit on little-endian machines, from the most significant one on
 * big-endian machines.
 */
#ifndef _UAPI__CRAMFS_H
#define _UAPI__CRAMFS_H

#include <linux/types.h>
#include <linux/magic.h>

#define CRAMFS_SIGNATURE	"Compressed ROMFS"

/* Widths of the fields of struct cramfs_inode, in bits. */
#define CRAMFS_MODE_WIDTH	16
#define CRAMFS_UID_WIDTH	16
#define CRAMFS_SIZE_WIDTH	24
#define CRAMFS_GID_WIDTH	8
#define CRAMFS_NAMELEN_WIDTH	6
#define CRAMFS_OFFSET_WIDTH	26

/* The longest name, in bytes: the name length is stored divided by four. */
#define CRAMFS_MAXPATHLEN	(((1 << CRAMFS_NAMELEN_WIDTH) - 1) << 2)

/**
 * struct cramfs_inode - an inode, and the fixed part of a directory entry
 * @mode: type and permissions, as in st_mode
 * @uid: owner
 * @size: length in bytes; of a device node, its number (8 bits major, 8 minor)
 * @gid: group
 * @namelen: length of the name that follows, padded with NUL, divided by four
 * @offset: where the data begins, divided by four: the block pointers of a
 *	regular file or symbolic link, the first entry of a directory; 0 where
 *	there is no data
 */
struct cramfs_inode {
	__u32 mode : CRAMFS_MODE_WIDTH, uid : CRAMFS_UID_WIDTH;
	__u32 size : CRAMFS_SIZE_WIDTH, gid : CRAMFS_GID_WIDTH;
	__u32 namelen : CRAMFS_NAMELEN_WIDTH, offset : CRAMFS_OFFSET_WIDTH;
};

/**
 * struct cramfs_info - what tells one image from another
 * @crc: CRC-32 of the whole image, taken with this field as zero
 * @edition: number that the builder was given
 * @blocks: data blocks in the image
 * @files: entries in the image
 *
 * Meaningful with CRAMFS_FLAG_FSID_VERSION_2 only.
 */
struct cramfs_info {
	__u32 crc;
	__u32 edition;
	__u32 blocks;
	__u32 files;
};

/**
 * struct cramfs_super - superblock, at byte 0 or 512 of the image
 * @magic: CRAMFS_MAGIC
 * @size: length of the image in bytes, with CRAMFS_FLAG_FSID_VERSION_2
 * @flags: CRAMFS_FLAG_*
 * @future: reserved, 0
 * @signature: CRAMFS_SIGNATURE without a terminating NUL
 * @fsid: identity of the image
 * @name: volume name, not terminated when it fills the field
 * @root: the root directory; its name length is 0
 */
struct cramfs_super {
	__u32 magic;
	__u32 size;
	__u32 flags;
	__u32 future;
	__u8 signature[16];
	struct cramfs_info fsid;
	__u8 name[16];
	struct cramfs_inode root;
};

/*
 * Feature flags. A driver that does not know a flag above 0xff must refuse the
 * image; it may ignore the ones below.
 */
#define CRAMFS_FLAG_FSID_VERSION_2	0x00000001	/* fsid and size are valid */
#define CRAMFS_FLAG_SORTED_DIRS		0x00000002	/* entries are in byte order */
#define CRAMFS_FLAG_HOLES		0x00000100	/* blocks may be absent */
#define CRAMFS_FLAG_WRONG_SIGNATURE	0x00000200	/* signature means nothing */
#define CRAMFS_FLAG_SHIFTED_ROOT_OFFSET	0x00000400	/* root offset is free */
#define CRAMFS_FLAG_EXT_BLOCK_POINTERS	0x00000800	/* CRAMFS_BLK_FLAG_* in use */

#define CRAMFS_SUPPORTED_FLAGS	(0x000000ff | \
				 CRAMFS_FLAG_HOLES | \
				 CRAMFS_FLAG_WRONG_SIGNATURE | \
				 CRAMFS_FLAG_SHIFTED_ROOT_OFFSET | \
				 CRAMFS_FLAG_EXT_BLOCK_POINTERS)

/*
 * Flags in a block pointer, with CRAMFS_FLAG_EXT_BLOCK_POINTERS. Without
 * DIRECT_PTR the rest of the pointer is the byte offset where the block ends;
 * with it, the offset where the block begins, in units of four bytes.
 */
#define CRAMFS_BLK_FLAG_UNCOMPRESSED	0x80000000U
#define CRAMFS_BLK_FLAG_DIRECT_PTR	0x40000000U

#define CRAMFS_BLK_FLAGS		(CRAMFS_BLK_FLAG_UNCOMPRESSED | \
					 CRAMFS_BLK_FLAG_DIRECT_PTR)

#define CRAMFS_BLK_DIRECT_PTR_SHIFT	2

#endif /* _UAPI__CRAMFS_H */
