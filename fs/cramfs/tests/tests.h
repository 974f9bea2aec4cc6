/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share: images that are made in memory, byte by byte, and mounts
 * of them. Nothing here checks anything of an image; that is the driver's part.
 */
#ifndef _FS_CRAMFS_TESTS_H
#define _FS_CRAMFS_TESTS_H

#include <kunit/test.h>
#include <linux/fs_context.h>
#include <linux/mount.h>

#include "../cramfs.h"

/* What images are long unless a test is about their length. */
#define TEST_IMAGE_LEN	(15 * (u32)PAGE_SIZE)

/* Where the root directory begins if it is to be in the image at all. */
#define TEST_ROOT	((u32)sizeof(struct cramfs_super))

/* A zlib stream without compression is longer than what it has by this. */
#define TEST_ZLIB_EXTRA	11
/* An empty block in such a stream is as long as this. */
#define TEST_ZLIB_EMPTY	5

/**
 * struct cramfs_test_image - an image, or what is to be taken for one
 * @bytes: all of it; an access past @len is seen by KASAN
 * @len: length in bytes
 */
struct cramfs_test_image {
	u8 *bytes;
	u32 len;
};

/* image.c */
struct cramfs_test_image *cramfs_test_image(struct kunit *test, u32 len);
struct cramfs_super *cramfs_test_super(struct kunit *test,
				       struct cramfs_test_image *image,
				       u32 offset, u32 flags);
void cramfs_test_put(struct kunit *test, struct cramfs_test_image *image,
		     u32 offset, const void *data, u32 len);
void cramfs_test_put32(struct kunit *test, struct cramfs_test_image *image,
		       u32 offset, u32 value);
void cramfs_test_put16(struct kunit *test, struct cramfs_test_image *image,
		       u32 offset, u16 value);
u32 cramfs_test_put_entry(struct kunit *test, struct cramfs_test_image *image,
			  u32 offset, struct cramfs_inode inode,
			  const char *name, u32 name_len);
u32 cramfs_test_zlib(u8 *dst, const u8 *src, u16 len, u32 nr_empty);
void cramfs_test_pattern(u8 *dst, u32 len);

/**
 * struct cramfs_test_mount - a mount of an image in memory
 * @test: whose it is
 * @image: the image
 * @backing_size: what the backing says is its size
 * @piece: the image is given in pieces that begin at multiples of so many bytes, as
 *	a block device gives pages; 0 if it is in the kernel's address space
 * @beyond: what each byte past @image is, as far as @backing_size goes; 0: there are
 *	none; needs @piece
 * @has_phys: the image can be mapped into user space; it has to begin at a page
 * @open_err: what open() is to fail with, or 0
 * @map_err: what map() is to fail with, or 0
 * @read_err: what reading is to fail with, or 0; needs @piece
 * @on_map: is called by map(); may change @image
 * @map_size: what map() was told, 0 if it was not called
 * @nr_kill: how often kill_sb() was called
 *
 * Those up to @on_map are for the test to set, before it mounts the image; the
 * others, and what is not described, are for the mount itself.
 */
struct cramfs_test_mount {
	struct kunit *test;
	struct cramfs_test_image *image;
	u64 backing_size;
	u32 piece;
	u8 beyond;
	bool has_phys;
	int open_err;
	int map_err;
	int read_err;
	void (*on_map)(struct cramfs_test_mount *mount);

	u32 map_size;
	int nr_kill;

	/* private: */
	struct cramfs_backing_ops ops;
	struct cramfs_mount_opts opts;
	struct cramfs_test_piece *pieces;
	struct folio *folio;
};

/* mount.c */
struct cramfs_test_mount *
cramfs_test_new_mount(struct kunit *test, struct cramfs_test_image *image,
		      u32 piece);
struct vfsmount *cramfs_test_try_mount(struct cramfs_test_mount *mount);
struct vfsmount *cramfs_test_mount(struct kunit *test,
				   struct cramfs_test_image *image, u32 piece);
struct inode *cramfs_test_iget(struct kunit *test, struct super_block *sb,
			       const struct cramfs_inode *ci, u32 entry);
struct file *cramfs_test_open(struct kunit *test, struct vfsmount *mnt,
			      const char *path);

#endif /* _FS_CRAMFS_TESTS_H */
