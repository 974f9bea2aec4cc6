// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of inode.c: which inodes there can be, and which are the same.
 */

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/limits.h>
#include <linux/pagemap.h>

#include "tests.h"

#define IMAGE	TEST_IMAGE_LEN
#define PAGE	((u32)PAGE_SIZE)

/* Where data can be, and where an inode itself is said to be. */
#define DATA	1024
#define ENTRY	TEST_ROOT

/* The most bytes that a file of @nr blocks can have. */
#define BLOCKS(nr)	((nr) * PAGE)

struct inode_case {
	const char *desc;
	u32 image_len;		/* 0: IMAGE */
	u32 mode;
	u32 size;
	u32 offset;		/* of the data, in bytes */
	int err;
};

static const struct inode_case inode_cases[] = {
	{ .desc = "file", .mode = S_IFREG | 0644, .size = 100, .offset = DATA },
	{ .desc = "directory", .mode = S_IFDIR | 0755, .size = 100, .offset = DATA },
	{ .desc = "symbolic link", .mode = S_IFLNK | 0777, .size = 100, .offset = DATA },
	{ .desc = "empty file", .mode = S_IFREG | 0644 },
	{ .desc = "empty directory", .mode = S_IFDIR | 0755 },
	{ .desc = "empty symbolic link", .mode = S_IFLNK | 0777 },
	{ .desc = "fifo", .mode = S_IFIFO | 0644 },
	{ .desc = "socket", .mode = S_IFSOCK | 0644 },
	{ .desc = "character device", .mode = S_IFCHR | 0644, .size = 0x0405 },
	{ .desc = "block device", .mode = S_IFBLK | 0644, .size = 0xffff },
	{ .desc = "device number of more than 16 bits", .mode = S_IFCHR | 0644,
	  .size = 0x123456 },
	{ .desc = "all bits of a mode", .mode = S_IFREG | 07777 },

	{ .desc = "type 0", .mode = 0x0000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 3", .mode = 0x3000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 5", .mode = 0x5000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 7", .mode = 0x7000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 9", .mode = 0x9000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 11", .mode = 0xb000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 13", .mode = 0xd000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 14", .mode = 0xe000 | 0644, .err = -EUCLEAN },
	{ .desc = "type 15", .mode = 0xf000 | 0644, .err = -EUCLEAN },

	{ .desc = "longest symbolic link", .mode = S_IFLNK | 0777, .size = PATH_MAX - 1,
	  .offset = DATA },
	{ .desc = "symbolic link that is one byte too long", .mode = S_IFLNK | 0777,
	  .size = PATH_MAX, .offset = DATA, .err = -EUCLEAN },
	{ .desc = "longest symbolic link that can be said", .mode = S_IFLNK | 0777,
	  .size = 0xffffff, .offset = DATA, .err = -EUCLEAN },

	{ .desc = "table of one pointer ends where the image ends",
	  .mode = S_IFREG | 0644, .size = BLOCKS(1), .offset = IMAGE - 4 },
	{ .desc = "table of two pointers ends past the image",
	  .mode = S_IFREG | 0644, .size = BLOCKS(1) + 1, .offset = IMAGE - 4,
	  .err = -EUCLEAN },
	{ .desc = "table of four pointers ends where the image ends",
	  .mode = S_IFREG | 0644, .size = BLOCKS(4), .offset = IMAGE - 16 },
	{ .desc = "table of four pointers ends past the image",
	  .mode = S_IFREG | 0644, .size = BLOCKS(4), .offset = IMAGE - 12,
	  .err = -EUCLEAN },
	{ .desc = "table of one pointer ends one byte past an image of odd length",
	  .image_len = IMAGE - 1, .mode = S_IFREG | 0644, .size = 1,
	  .offset = IMAGE - 4, .err = -EUCLEAN },
	{ .desc = "table begins where the image ends", .mode = S_IFREG | 0644, .size = 1,
	  .offset = IMAGE, .err = -EUCLEAN },
	{ .desc = "table begins past the image", .mode = S_IFREG | 0644, .size = 1,
	  .offset = IMAGE + 4, .err = -EUCLEAN },
	{ .desc = "table is as far as can be said", .mode = S_IFREG | 0644, .size = 1,
	  .offset = 0x0ffffffc, .err = -EUCLEAN },
	{ .desc = "longest file that can be said, its table does not fit",
	  .mode = S_IFREG | 0644, .size = 0xffffff,
	  .offset = IMAGE - DIV_ROUND_UP(0xffffff, PAGE) * 4 + 4, .err = -EUCLEAN },
	{ .desc = "longest file that can be said, its table fits",
	  .mode = S_IFREG | 0644, .size = 0xffffff,
	  .offset = IMAGE - DIV_ROUND_UP(0xffffff, PAGE) * 4 },
	{ .desc = "table of a symbolic link ends where the image ends",
	  .mode = S_IFLNK | 0777, .size = 100, .offset = IMAGE - 4 },
	{ .desc = "table of a symbolic link ends past the image",
	  .image_len = IMAGE - 2, .mode = S_IFLNK | 0777, .size = 100,
	  .offset = IMAGE - 4, .err = -EUCLEAN },
	{ .desc = "entries end where the image ends",
	  .mode = S_IFDIR | 0755, .size = 100, .offset = IMAGE - 100 },
	{ .desc = "entries end one byte past the image",
	  .mode = S_IFDIR | 0755, .size = 101, .offset = IMAGE - 100, .err = -EUCLEAN },
	{ .desc = "entries begin where the image ends", .mode = S_IFDIR | 0755, .size = 4,
	  .offset = IMAGE, .err = -EUCLEAN },
	{ .desc = "longest directory that can be said", .mode = S_IFDIR | 0755,
	  .size = 0xffffff, .offset = DATA, .err = -EUCLEAN },

	{ .desc = "empty file with an offset past the image", .mode = S_IFREG | 0644,
	  .offset = IMAGE },
	{ .desc = "empty directory with an offset past the image",
	  .mode = S_IFDIR | 0755, .offset = IMAGE },
	{ .desc = "device with an offset past the image", .mode = S_IFCHR | 0644,
	  .size = 0x0103, .offset = IMAGE },
	{ .desc = "fifo with a size", .mode = S_IFIFO | 0644, .size = 100,
	  .offset = DATA },
};

KUNIT_ARRAY_PARAM_DESC(inode, inode_cases, desc);

static void check_type(struct kunit *test, const struct inode *inode,
		       const struct inode_case *c)
{
	switch (c->mode & S_IFMT) {
	case S_IFREG:
		KUNIT_EXPECT_NOT_NULL(test, inode->i_fop->read_iter);
		KUNIT_EXPECT_NOT_NULL(test, inode->i_mapping->a_ops->read_folio);
		break;
	case S_IFDIR:
		KUNIT_EXPECT_NOT_NULL(test, inode->i_op->lookup);
		KUNIT_EXPECT_NOT_NULL(test, inode->i_fop->iterate_shared);
		break;
	case S_IFLNK:
		KUNIT_EXPECT_NOT_NULL(test, inode->i_op->get_link);
		/* Who follows it uses the page where it is. */
		KUNIT_EXPECT_FALSE(test, mapping_gfp_mask(inode->i_mapping) & __GFP_HIGHMEM);
		break;
	case S_IFCHR:
	case S_IFBLK:
		KUNIT_EXPECT_EQ(test, MAJOR(inode->i_rdev), c->size >> 8 & 0xff);
		KUNIT_EXPECT_EQ(test, MINOR(inode->i_rdev), c->size & 0xff);
		break;
	}
}

static struct super_block *mount_of_len(struct kunit *test, u32 len)
{
	struct cramfs_test_image *image = cramfs_test_image(test, len);

	cramfs_test_super(test, image, 0, 0);
	return cramfs_test_mount(test, image, 0)->mnt_sb;
}

static void inode_is_checked(struct kunit *test)
{
	const struct inode_case *c = test->param_value;
	const struct cramfs_inode ci = {
		.mode = c->mode, .size = c->size, .offset = c->offset >> 2,
		.uid = 0xfedc, .gid = 0xba,
	};
	bool has_data = c->size && (S_ISREG(c->mode) || S_ISDIR(c->mode) ||
				    S_ISLNK(c->mode));
	struct super_block *sb = mount_of_len(test, c->image_len ?: IMAGE);
	struct inode *inode = cramfs_test_iget(test, sb, &ci, ENTRY);

	if (c->err) {
		KUNIT_ASSERT_PTR_EQ(test, inode, ERR_PTR(c->err));
		/* It has not become one by having been asked for. */
		inode = cramfs_test_iget(test, sb, &ci, ENTRY);
		KUNIT_ASSERT_PTR_EQ(test, inode, ERR_PTR(c->err));
		return;
	}

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	KUNIT_EXPECT_EQ(test, inode->i_mode, c->mode);
	KUNIT_EXPECT_EQ(test, i_uid_read(inode), 0xfedc);
	KUNIT_EXPECT_EQ(test, i_gid_read(inode), 0xba);
	KUNIT_EXPECT_EQ(test, i_size_read(inode), has_data ? c->size : 0);
	KUNIT_EXPECT_EQ(test, inode->i_ino, cramfs_ino(sb, &ci, ENTRY));
	if (has_data)
		KUNIT_EXPECT_EQ(test, cramfs_data_offset(inode), c->offset);
	check_type(test, inode, c);
}

struct same_case {
	const char *desc;
	struct cramfs_inode a, b;
	u32 b_entry;		/* 0: the same as that of a */
	bool want;
};

#define A_FILE	.mode = S_IFREG | 0644, .size = 100, .offset = DATA >> 2

static const struct same_case same_cases[] = {
	{
		.desc = "same entry", .want = true,
		.a = { A_FILE }, .b = { A_FILE },
	},
	{
		.desc = "same data and attributes in another entry", .want = true,
		.a = { A_FILE }, .b = { A_FILE }, .b_entry = ENTRY + 20,
	},
	{
		.desc = "other permissions",
		.a = { A_FILE }, .b = { .mode = S_IFREG | 0755, .size = 100, .offset = DATA >> 2 },
	},
	{
		.desc = "set user ID",
		.a = { A_FILE }, .b = { .mode = S_IFREG | 04644, .size = 100, .offset = DATA >> 2 },
	},
	{
		.desc = "other type",
		.a = { A_FILE }, .b = { .mode = S_IFLNK | 0644, .size = 100, .offset = DATA >> 2 },
	},
	{
		.desc = "other owner",
		.a = { A_FILE }, .b = { A_FILE, .uid = 1 },
	},
	{
		.desc = "other group",
		.a = { A_FILE }, .b = { A_FILE, .gid = 1 },
	},
	{
		.desc = "other size",
		.a = { A_FILE }, .b = { .mode = S_IFREG | 0644, .size = 101, .offset = DATA >> 2 },
	},
	{
		.desc = "other data",
		.a = { A_FILE },
		.b = { .mode = S_IFREG | 0644, .size = 100, .offset = (DATA >> 2) + 1 },
	},
	{
		/* The attributes that a number is made of are the same in sum. */
		.desc = "same number, other owner and group",
		.a = { A_FILE, .uid = 1 }, .b = { A_FILE, .gid = 1 << 5 },
	},
	{
		.desc = "empty, same entry", .want = true,
		.a = { .mode = S_IFREG | 0644 }, .b = { .mode = S_IFREG | 0644 },
	},
	{
		.desc = "empty, other entry",
		.a = { .mode = S_IFREG | 0644 }, .b = { .mode = S_IFREG | 0644 },
		.b_entry = ENTRY + 20,
	},
	{
		.desc = "devices of the same number",
		.a = { .mode = S_IFCHR | 0644, .size = 0x0103 },
		.b = { .mode = S_IFCHR | 0644, .size = 0x0103 }, .b_entry = ENTRY + 20,
	},
	{
		/* Half the offset of either is the same but for bit 0. */
		.desc = "empty, its entry is where the other's data are",
		.a = { A_FILE }, .b = { .mode = S_IFREG | 0644 }, .b_entry = DATA,
	},
};

KUNIT_ARRAY_PARAM_DESC(same, same_cases, desc);

static void inode_is_attributes_and_data(struct kunit *test)
{
	const struct same_case *c = test->param_value;
	struct super_block *sb = mount_of_len(test, IMAGE);
	struct inode *a, *b;

	a = cramfs_test_iget(test, sb, &c->a, ENTRY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	b = cramfs_test_iget(test, sb, &c->b, c->b_entry ?: ENTRY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	KUNIT_EXPECT_EQ(test, a == b, c->want);
	KUNIT_EXPECT_EQ(test, b->i_mode, (umode_t)c->b.mode);
	KUNIT_EXPECT_EQ(test, i_uid_read(b), (u32)c->b.uid);
	KUNIT_EXPECT_EQ(test, i_gid_read(b), (u32)c->b.gid);
}

/* As long as an image can be: only what is looked at has to be there. */
static struct super_block *mount_large(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, 0);
	struct vfsmount *mnt;

	cramfs_test_super(test, image, 0, 0)->size = U32_MAX;
	mount->backing_size = U32_MAX;
	mnt = cramfs_test_try_mount(mount);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	return mnt->mnt_sb;
}

static void offsets_of_a_large_image(struct kunit *test)
{
	const u32 offsets[] = { TEST_ROOT, 1U << 27, (1U << 28) - 4 };
	struct super_block *sb = mount_large(test);

	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		const struct cramfs_inode ci = {
			.mode = S_IFREG | 0777, .size = 1, .uid = 0xffff, .gid = 0xff,
			.offset = offsets[i] >> 2,
		};
		const struct cramfs_inode empty = { .mode = S_IFREG | 0644 };
		struct inode *inode = cramfs_test_iget(test, sb, &ci, ENTRY);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
		KUNIT_EXPECT_EQ(test, cramfs_data_offset(inode), offsets[i]);
		KUNIT_EXPECT_FALSE(test, inode->i_ino & CRAMFS_INO_NO_DATA);

		/* Entries can be further away. */
		inode = cramfs_test_iget(test, sb, &empty, offsets[i] * 8);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
		KUNIT_EXPECT_TRUE(test, inode->i_ino & CRAMFS_INO_NO_DATA);
	}
}

static const struct attribute_case {
	const char *desc;
	bool mode, uid, gid;	/* what is changed */
} attribute_cases[] = {
	{ .desc = "permissions", .mode = true },
	{ .desc = "owner", .uid = true },
	{ .desc = "group", .gid = true },
};

KUNIT_ARRAY_PARAM_DESC(attribute, attribute_cases, desc);

/* Numbers are few where the image is large: other things tell inodes apart then. */
static void same_number_of_other_inode(struct kunit *test)
{
	const struct attribute_case *c = test->param_value;
	const struct cramfs_inode ci = { A_FILE };
	struct super_block *sb = mount_large(test);
	struct cramfs_inode other = ci;
	struct inode *a, *b;

	for (u32 value = 1; value <= 0xff; value++) {
		if (c->mode)
			other.mode = S_IFREG | value;
		if (c->uid)
			other.uid = value;
		if (c->gid)
			other.gid = value;
		if (cramfs_ino(sb, &other, ENTRY) == cramfs_ino(sb, &ci, ENTRY))
			break;
	}
	KUNIT_ASSERT_EQ(test, cramfs_ino(sb, &other, ENTRY), cramfs_ino(sb, &ci, ENTRY));
	a = cramfs_test_iget(test, sb, &ci, ENTRY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	b = cramfs_test_iget(test, sb, &other, ENTRY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, b->i_mode, (umode_t)other.mode);
	KUNIT_EXPECT_EQ(test, i_uid_read(b), (u32)other.uid);
	KUNIT_EXPECT_EQ(test, i_gid_read(b), (u32)other.gid);
}

static struct kunit_case inode_test_cases[] = {
	KUNIT_CASE_PARAM(inode_is_checked, inode_gen_params),
	KUNIT_CASE_PARAM(inode_is_attributes_and_data, same_gen_params),
	KUNIT_CASE(offsets_of_a_large_image),
	KUNIT_CASE_PARAM(same_number_of_other_inode, attribute_gen_params),
	{}
};

static struct kunit_suite inode_test_suite = {
	.name = "cramfs_inode",
	.test_cases = inode_test_cases,
};

kunit_test_suite(inode_test_suite);
