// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of super.c: which superblocks are taken, and what a mount that fails
 * leaves behind.
 */

#include <linux/statfs.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "tests.h"

#define IMAGE		TEST_IMAGE_LEN
#define BOOT_CODE	512
#define SUPER_LEN	((u32)sizeof(struct cramfs_super))

/* For fields where 0 is a value that a case wants. */
#define ZERO	U32_MAX

struct super_case {
	const char *desc;
	u32 at;			/* where the superblock is */
	u32 image_len;		/* 0: IMAGE */
	u64 backing_size;	/* 0: as long as the image */
	u32 magic;		/* 0: the right one */
	u32 flags;		/* besides CRAMFS_FLAG_FSID_VERSION_2 */
	bool old;		/* without CRAMFS_FLAG_FSID_VERSION_2 */
	u32 size;		/* what the image says its size is; 0: the right one */
	u16 root_mode;		/* 0: a directory's */
	u32 root;		/* where the root directory is, 0: nowhere */
	u32 root_len;		/* 0: it is empty */
	int err;
	u32 want_size;		/* 0: that of the image */
};

static const struct super_case super_cases[] = {
	{ .desc = "at 0" },
	{ .desc = "at 512", .at = BOOT_CODE },
	{ .desc = "at 4", .at = 4, .err = -EINVAL },
	{ .desc = "at 508", .at = BOOT_CODE - 4, .err = -EINVAL },
	{ .desc = "at 1024", .at = 2 * BOOT_CODE, .err = -EINVAL },
	{ .desc = "at 512 of an image that ends with it", .at = BOOT_CODE,
	  .image_len = BOOT_CODE + SUPER_LEN },

	{ .desc = "magic is one bit off", .magic = CRAMFS_MAGIC ^ 1, .err = -EINVAL },
	{ .desc = "magic is 0", .magic = ZERO, .err = -EINVAL },
	{ .desc = "other endianness", .magic = CRAMFS_MAGIC_WEND, .err = -EINVAL },
	{ .desc = "other endianness, at 512", .at = BOOT_CODE,
	  .magic = CRAMFS_MAGIC_WEND, .err = -EINVAL },

	{ .desc = "every flag that is known",
	  .flags = CRAMFS_SUPPORTED_FLAGS & ~0xffU },
	{ .desc = "flags below 0x100 need not be known", .flags = 0xfe },
	{ .desc = "lowest flag that has to be known", .flags = 0x1000, .err = -EINVAL },
	{ .desc = "highest flag", .flags = 0x80000000, .err = -EINVAL },
	{ .desc = "all flags", .flags = ~0U, .err = -EINVAL },

	{ .desc = "root is a file", .root_mode = S_IFREG | 0755, .err = -EINVAL },
	{ .desc = "root is a symbolic link", .root_mode = S_IFLNK | 0777, .err = -EINVAL },
	{ .desc = "root is of no type", .root_mode = 0755, .err = -EINVAL },
	{ .desc = "root is of all types", .root_mode = S_IFMT | 0755, .err = -EINVAL },
	{ .desc = "root has no permissions", .root_mode = S_IFDIR },

	{ .desc = "image fills the backing", .size = IMAGE, .want_size = IMAGE },
	{ .desc = "image is shorter than the backing", .size = IMAGE - 1,
	  .want_size = IMAGE - 1 },
	{ .desc = "image is one byte longer than the backing", .size = IMAGE + 1,
	  .err = -EINVAL },
	{ .desc = "longest size there is", .size = U32_MAX - 1, .err = -EINVAL },
	{ .desc = "backing is one byte shorter than it could be", .backing_size = IMAGE - 1,
	  .size = IMAGE, .err = -EINVAL },
	{ .desc = "backing of unknown size", .backing_size = U64_MAX,
	  .want_size = IMAGE },
	{ .desc = "backing of more than 4 GiB", .backing_size = BIT_ULL(32) + 100,
	  .want_size = IMAGE },
	{ .desc = "size is 0", .size = ZERO, .err = -EINVAL },
	{ .desc = "size is that of the superblock", .size = SUPER_LEN,
	  .want_size = SUPER_LEN },
	{ .desc = "size is less than that of the superblock", .size = SUPER_LEN - 1,
	  .err = -EINVAL },
	{ .desc = "size ends with the superblock at 512", .at = BOOT_CODE,
	  .size = BOOT_CODE + SUPER_LEN, .want_size = BOOT_CODE + SUPER_LEN },
	{ .desc = "size ends inside of the superblock at 512", .at = BOOT_CODE,
	  .size = BOOT_CODE + SUPER_LEN - 1, .err = -EINVAL },
	{ .desc = "size is that of the boot code", .at = BOOT_CODE, .size = BOOT_CODE,
	  .err = -EINVAL },
	{ .desc = "backing has the superblock and nothing else", .image_len = SUPER_LEN },
	{ .desc = "backing ends inside of the superblock",
	  .backing_size = SUPER_LEN - 1, .err = -EINVAL },
	{ .desc = "backing ends inside of the superblock at 512", .at = BOOT_CODE,
	  .backing_size = BOOT_CODE + SUPER_LEN - 1, .err = -EINVAL },

	{ .desc = "old image, which does not tell its size", .old = true, .size = 12,
	  .want_size = IMAGE },
	{ .desc = "old image, its size means nothing", .old = true, .size = U32_MAX - 1,
	  .want_size = IMAGE },
	{ .desc = "old image in a backing of unknown size", .old = true,
	  .backing_size = U64_MAX, .err = -EINVAL },
	{ .desc = "old image in a backing of more than 4 GiB", .old = true,
	  .backing_size = BIT_ULL(32) + 100, .want_size = U32_MAX },

	{ .desc = "root directory follows the superblock",
	  .root = SUPER_LEN, .root_len = 16 },
	{ .desc = "root directory follows the superblock at 512", .at = BOOT_CODE,
	  .root = BOOT_CODE + SUPER_LEN, .root_len = 16 },
	{ .desc = "root directory of a superblock at 0 leaves room for boot code",
	  .root = BOOT_CODE + SUPER_LEN, .root_len = 16 },
	{ .desc = "root directory is a word further", .root = SUPER_LEN + 4,
	  .root_len = 16, .err = -EINVAL },
	{ .desc = "root directory is a word too early", .root = SUPER_LEN - 4,
	  .root_len = 16, .err = -EINVAL },
	{ .desc = "root directory of a superblock at 512 is where that at 0 would end",
	  .at = BOOT_CODE, .root = SUPER_LEN, .root_len = 16, .err = -EINVAL },
	{ .desc = "root directory is shifted", .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET,
	  .root = SUPER_LEN + 4, .root_len = 16 },
	{ .desc = "shifted root directory ends where the image ends",
	  .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, .root = IMAGE - 16, .root_len = 16 },
	{ .desc = "shifted root directory ends past the image",
	  .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, .root = IMAGE - 16, .root_len = 17,
	  .err = -EUCLEAN },
	{ .desc = "shifted root directory begins where the image ends",
	  .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, .root = IMAGE, .root_len = 1,
	  .err = -EUCLEAN },
	{ .desc = "shifted root directory begins past the image",
	  .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, .root = IMAGE + 4, .root_len = 16,
	  .err = -EUCLEAN },
	{ .desc = "shifted root directory is as far as can be said",
	  .flags = CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, .root = 0x0ffffffc,
	  .root_len = 0xffffff, .err = -EUCLEAN },
	{ .desc = "root directory without an offset", .root_len = 16 },
};

KUNIT_ARRAY_PARAM_DESC(super, super_cases, desc);

static u32 or_zero(u32 value)
{
	return value == ZERO ? 0 : value;
}

static struct cramfs_test_image *image_of(struct kunit *test,
					  const struct super_case *c)
{
	struct cramfs_test_image *image;
	struct cramfs_super *super;

	image = cramfs_test_image(test, c->image_len ?: IMAGE);
	super = cramfs_test_super(test, image, c->at, c->flags);
	if (c->old)
		super->flags &= ~CRAMFS_FLAG_FSID_VERSION_2;
	if (c->magic)
		super->magic = or_zero(c->magic);
	if (c->size)
		super->size = or_zero(c->size);
	if (c->root_mode)
		super->root.mode = c->root_mode;
	super->root.offset = c->root >> 2;
	super->root.size = c->root_len;
	return image;
}

static void check_super(struct kunit *test, u32 piece)
{
	const struct super_case *c = test->param_value;
	struct cramfs_test_image *image = image_of(test, c);
	struct cramfs_test_mount *mount;
	struct vfsmount *mnt;
	struct inode *root;

	mount = cramfs_test_new_mount(test, image, piece);
	if (c->backing_size)
		mount->backing_size = c->backing_size;
	mnt = cramfs_test_try_mount(mount);
	if (c->err) {
		KUNIT_ASSERT_PTR_EQ(test, mnt, ERR_PTR(c->err));
		return;
	}

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	KUNIT_EXPECT_EQ(test, CRAMFS_SB(mnt->mnt_sb)->size, c->want_size ?: image->len);
	KUNIT_EXPECT_EQ(test, mount->map_size, CRAMFS_SB(mnt->mnt_sb)->size);
	root = d_inode(mnt->mnt_root);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(root->i_mode));
	KUNIT_EXPECT_EQ(test, root->i_mode & 0555, 0555);
	KUNIT_EXPECT_EQ(test, i_size_read(root), c->root ? c->root_len : 0);
	if (c->root)
		KUNIT_EXPECT_EQ(test, cramfs_data_offset(root), c->root);
}

static void super_of_image_in_memory(struct kunit *test)
{
	check_super(test, 0);
}

static void super_of_image_in_pieces(struct kunit *test)
{
	check_super(test, sizeof(u32));
}

/* What is at 512 is not looked at if there is something at 0 that says enough. */
static void super_at_0_is_the_one(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_super *first, *second;
	struct vfsmount *mnt;

	first = cramfs_test_super(test, image, 0, 0);
	first->fsid.files = 10;
	second = cramfs_test_super(test, image, BOOT_CODE, 0);
	second->fsid.files = 20;
	mnt = cramfs_test_mount(test, image, 0);
	KUNIT_EXPECT_EQ(test, CRAMFS_SB(mnt->mnt_sb)->files, 10);

	first->magic = CRAMFS_MAGIC_WEND;
	mnt = cramfs_test_try_mount(cramfs_test_new_mount(test, image, 0));
	KUNIT_EXPECT_PTR_EQ(test, mnt, ERR_PTR(-EINVAL));

	first->magic = 0;
	mnt = cramfs_test_mount(test, image, 0);
	KUNIT_EXPECT_EQ(test, CRAMFS_SB(mnt->mnt_sb)->files, 20);
}

/* A superblock that is wrong is not used to map anything. */
static void image_is_mapped_after_the_checks(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, 0);
	struct cramfs_super *super = cramfs_test_super(test, image, 0, 0);

	super->size = IMAGE + 1;
	KUNIT_EXPECT_PTR_EQ(test, cramfs_test_try_mount(mount), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, mount->map_size, 0);
}

struct failure_case {
	const char *desc;
	u32 piece;
	int open_err, map_err, read_err;
	int err;
};

static const struct failure_case failure_cases[] = {
	{ .desc = "open", .open_err = -ENODEV, .err = -ENODEV },
	{ .desc = "map", .map_err = -ENOMEM, .err = -ENOMEM },
	{ .desc = "read", .piece = PAGE_SIZE, .read_err = -EIO, .err = -EIO },
};

KUNIT_ARRAY_PARAM_DESC(failure, failure_cases, desc);

static void failure_of_the_backing(struct kunit *test)
{
	const struct failure_case *c = test->param_value;
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, c->piece);

	cramfs_test_super(test, image, 0, 0);
	mount->open_err = c->open_err;
	mount->map_err = c->map_err;
	mount->read_err = c->read_err;
	KUNIT_EXPECT_PTR_EQ(test, cramfs_test_try_mount(mount), ERR_PTR(c->err));
}

struct change_case {
	const char *desc;
	u32 at;			/* where the superblock is */
	u32 offset;		/* in it: a byte that changes */
	int err;
};

static const struct change_case change_cases[] = {
	{ .desc = "byte in front of the superblock", .at = BOOT_CODE, .offset = -1 },
	{ .desc = "magic", .err = -EINVAL },
	{ .desc = "size", .offset = offsetof(struct cramfs_super, size), .err = -EINVAL },
	{ .desc = "flags", .offset = offsetof(struct cramfs_super, flags), .err = -EINVAL },
	{ .desc = "last byte", .offset = SUPER_LEN - 1, .err = -EINVAL },
	{ .desc = "last byte, at 512", .at = BOOT_CODE, .offset = SUPER_LEN - 1,
	  .err = -EINVAL },
	{ .desc = "byte behind the superblock", .offset = SUPER_LEN },
};

KUNIT_ARRAY_PARAM_DESC(change, change_cases, desc);

static void flip_byte(struct cramfs_test_mount *mount)
{
	const struct change_case *c = mount->test->param_value;

	mount->image->bytes[c->at + c->offset] ^= 0x10;
}

/* The superblock that is used is the one that was checked. */
static void change_while_mapping(struct kunit *test)
{
	const struct change_case *c = test->param_value;
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, 0);
	struct vfsmount *mnt;

	cramfs_test_super(test, image, c->at, 0);
	mount->on_map = flip_byte;
	mnt = cramfs_test_try_mount(mount);
	if (c->err)
		KUNIT_EXPECT_PTR_EQ(test, mnt, ERR_PTR(c->err));
	else
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, mnt);
}

static void statfs_tells_what_the_builder_counted(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_super *super = cramfs_test_super(test, image, 0, 0);
	struct kstatfs buf;
	struct path path;

	super->fsid.blocks = 12345;
	super->fsid.files = 678;
	path.mnt = cramfs_test_mount(test, image, 0);
	path.dentry = path.mnt->mnt_root;
	KUNIT_ASSERT_EQ(test, 0, vfs_statfs(&path, &buf));
	KUNIT_EXPECT_EQ(test, buf.f_type, CRAMFS_MAGIC);
	KUNIT_EXPECT_EQ(test, buf.f_bsize, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, buf.f_blocks, 12345);
	KUNIT_EXPECT_EQ(test, buf.f_files, 678);
	KUNIT_EXPECT_EQ(test, buf.f_bfree, 0);
	KUNIT_EXPECT_EQ(test, buf.f_namelen, CRAMFS_MAXPATHLEN);
}

static struct kunit_case super_test_cases[] = {
	KUNIT_CASE_PARAM(super_of_image_in_memory, super_gen_params),
	KUNIT_CASE_PARAM(super_of_image_in_pieces, super_gen_params),
	KUNIT_CASE(super_at_0_is_the_one),
	KUNIT_CASE(image_is_mapped_after_the_checks),
	KUNIT_CASE_PARAM(failure_of_the_backing, failure_gen_params),
	KUNIT_CASE_PARAM(change_while_mapping, change_gen_params),
	KUNIT_CASE(statfs_tells_what_the_builder_counted),
	{}
};

static struct kunit_suite super_test_suite = {
	.name = "cramfs_super",
	.test_cases = super_test_cases,
};

kunit_test_suite(super_test_suite);
