// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of verify.c: that the checksum is that of the image, all of it and no more.
 */

#include <linux/crc32.h>

#include "tests.h"

#define IMAGE		TEST_IMAGE_LEN
#define CRC_AT		((u32)offsetof(struct cramfs_super, fsid.crc))
#define BOOT_CODE	512

/* For an offset that is nowhere. */
#define NOWHERE	U32_MAX

struct verify_case {
	const char *desc;
	u32 at;			/* where the superblock is */
	u32 size;		/* length of the image, 0: IMAGE */
	u32 spoil;		/* a byte that changes once the checksum is made */
	int err;
};

static const struct verify_case verify_cases[] = {
	{ .desc = "as it was built", .spoil = NOWHERE },
	{ .desc = "as it was built, at 512", .at = BOOT_CODE, .spoil = NOWHERE },
	{ .desc = "of odd length", .size = IMAGE - PAGE_SIZE - 1, .spoil = NOWHERE },
	{ .desc = "byte in front of the checksum", .spoil = CRC_AT - 1, .err = -EUCLEAN },
	{ .desc = "first byte of the checksum", .spoil = CRC_AT, .err = -EUCLEAN },
	{ .desc = "last byte of the checksum", .spoil = CRC_AT + 3, .err = -EUCLEAN },
	{ .desc = "byte behind the checksum", .spoil = CRC_AT + 4, .err = -EUCLEAN },
	{ .desc = "byte behind the checksum, at 512", .at = BOOT_CODE,
	  .spoil = BOOT_CODE + CRC_AT + 4, .err = -EUCLEAN },
	{ .desc = "last byte of the first page", .spoil = PAGE_SIZE - 1, .err = -EUCLEAN },
	{ .desc = "first byte of the second page", .spoil = PAGE_SIZE, .err = -EUCLEAN },
	{ .desc = "last byte", .spoil = IMAGE - 1, .err = -EUCLEAN },
	{ .desc = "last byte of odd length", .size = IMAGE - PAGE_SIZE - 1,
	  .spoil = IMAGE - PAGE_SIZE - 2, .err = -EUCLEAN },
	{ .desc = "byte behind the image", .size = IMAGE - PAGE_SIZE - 1,
	  .spoil = IMAGE - PAGE_SIZE - 1 },
	{ .desc = "byte of the boot code", .at = BOOT_CODE, .spoil = BOOT_CODE - 1 },
};

KUNIT_ARRAY_PARAM_DESC(verify, verify_cases, desc);

/* An image that is full, with its checksum. */
static struct cramfs_test_image *whole_image(struct kunit *test, u32 at, u32 size)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_super *super;

	cramfs_test_pattern(image->bytes, IMAGE);
	/* Not a superblock by chance: the pattern has no zeros. */
	super = cramfs_test_super(test, image, at, 0);
	super->size = size;
	super->fsid.crc = 0;
	super->fsid.crc = ~crc32_le(~0, image->bytes + at, size - at);
	return image;
}

static void check_verify(struct kunit *test, u32 piece)
{
	const struct verify_case *c = test->param_value;
	struct cramfs_test_image *image = whole_image(test, c->at, c->size ?: IMAGE);
	struct super_block *sb = cramfs_test_mount(test, image, piece)->mnt_sb;

	if (c->spoil != NOWHERE)
		image->bytes[c->spoil] ^= 0x10;
	KUNIT_EXPECT_EQ(test, cramfs_verify(sb), c->err);
}

static void checksum_of_image_in_memory(struct kunit *test)
{
	check_verify(test, 0);
}

static void checksum_of_image_in_pieces(struct kunit *test)
{
	check_verify(test, 64);
}

static void checksum_read_error(struct kunit *test)
{
	struct cramfs_test_image *image = whole_image(test, 0, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, PAGE_SIZE);
	struct vfsmount *mnt = cramfs_test_try_mount(mount);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	mount->read_err = -EIO;
	KUNIT_EXPECT_EQ(test, cramfs_verify(mnt->mnt_sb), -EIO);
	mount->read_err = 0;
	KUNIT_EXPECT_EQ(test, cramfs_verify(mnt->mnt_sb), 0);
}

static struct kunit_case verify_test_cases[] = {
	KUNIT_CASE_PARAM(checksum_of_image_in_memory, verify_gen_params),
	KUNIT_CASE_PARAM(checksum_of_image_in_pieces, verify_gen_params),
	KUNIT_CASE(checksum_read_error),
	{}
};

static struct kunit_suite verify_test_suite = {
	.name = "cramfs_verify",
	.test_cases = verify_test_cases,
};

kunit_test_suite(verify_test_suite);
