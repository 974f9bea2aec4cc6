// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of block.c: what block pointers become, and which ones are refused. A case
 * is a file with its table of pointers, and what is to be found for one of them.
 */

#include <linux/sizes.h>

#include "tests.h"

#define IMAGE	TEST_IMAGE_LEN
#define PAGE	((u32)PAGE_SIZE)

/* Where the table is, and where the first block begins if the table has @n pointers. */
#define TABLE		256
#define AFTER(n)	(TABLE + 4 * (n))

#define STORED		CRAMFS_BLK_FLAG_UNCOMPRESSED
#define DIRECT(offset)	(CRAMFS_BLK_FLAG_DIRECT_PTR | (offset) >> 2)

/* So many bytes are in the last block of a file that ends inside of it. */
#define TAIL	100

/* As far as the length of a deflated block can be told in front of it. */
#define MAX_DEFLATED	(2 * PAGE < U16_MAX ? 2 * PAGE : U16_MAX)

#define HOLE	{ .nr_blocks = 1 }
#define IS_DEFLATED(at, length)						\
	{ .kind = CRAMFS_BLOCK_DEFLATED, .offset = (at), .len = (length),	\
	  .nr_blocks = 1 }
#define IS_STORED(at, length, nr)					\
	{ .kind = CRAMFS_BLOCK_STORED, .offset = (at), .len = (length),	\
	  .nr_blocks = (nr) }

struct extent_case {
	const char *desc;
	u32 image_len;		/* 0: IMAGE */
	u32 size;		/* of the file */
	u32 ptr[4];		/* its table */
	bool plain;		/* an image without CRAMFS_FLAG_EXT_BLOCK_POINTERS */
	u32 len_at;		/* where there is a length in front of a block, 0: none */
	u16 len;		/* that length */
	pgoff_t index;
	u32 max_blocks;		/* 0: 1 */
	int err;
	struct cramfs_extent want;
};

static const struct extent_case extent_cases[] = {
	/* The pointers of old, which say where a block ends. */
	{
		.desc = "first block begins behind the table",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) + 50 },
		.want = IS_DEFLATED(AFTER(1), 50),
	},
	{
		.desc = "first block begins behind a table of three",
		.plain = true, .size = 2 * PAGE + 1, .ptr = { AFTER(3) + 50 },
		.want = IS_DEFLATED(AFTER(3), 50),
	},
	{
		.desc = "block begins where the previous one ends",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { AFTER(2) + 50, AFTER(2) + 51 },
		.want = IS_DEFLATED(AFTER(2) + 50, 1),
	},
	{
		.desc = "hole is first",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) },
		.want = HOLE,
	},
	{
		.desc = "hole follows a block",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { AFTER(2) + 50, AFTER(2) + 50 },
		.want = HOLE,
	},
	{
		.desc = "block past the end of the file is a hole",
		.plain = true, .size = PAGE, .index = 1, .ptr = { AFTER(1) + 50, 1 },
		.want = HOLE,
	},
	{
		.desc = "block far past the end of the file is a hole",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) + 50 },
		.index = ULONG_MAX >> PAGE_SHIFT,
		.want = HOLE,
	},
	{
		.desc = "first pointer is 0",
		.plain = true, .size = PAGE, .ptr = { 0 },
		.err = -EUCLEAN,
	},
	{
		.desc = "second pointer is 0",
		.plain = true, .size = 2 * PAGE, .index = 1, .ptr = { AFTER(2) + 50, 0 },
		.err = -EUCLEAN,
	},
	{
		.desc = "first block ends one byte before it begins",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) - 1 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block ends one byte before it begins",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { AFTER(2) + 50, AFTER(2) + 49 },
		.err = -EUCLEAN,
	},
	{
		.desc = "deflated block is as long as it can be",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) + 2 * PAGE },
		.want = IS_DEFLATED(AFTER(1), 2 * PAGE),
	},
	{
		.desc = "deflated block is one byte too long",
		.plain = true, .size = PAGE, .ptr = { AFTER(1) + 2 * PAGE + 1 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block ends where the image ends",
		.plain = true, .size = 2 * PAGE, .index = 1, .ptr = { IMAGE - 50, IMAGE },
		.want = IS_DEFLATED(IMAGE - 50, 50),
	},
	{
		.desc = "block ends one byte past the image",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { IMAGE - 50, IMAGE + 1 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block ends one byte past an image of odd length",
		.plain = true, .size = 2 * PAGE, .index = 1, .image_len = IMAGE - 3,
		.ptr = { IMAGE - 50, IMAGE - 2 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block begins where the image ends",
		.plain = true, .size = 2 * PAGE, .index = 1, .ptr = { IMAGE, IMAGE + 1 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block begins past the image",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { IMAGE + 1, IMAGE + 2 },
		.err = -EUCLEAN,
	},
	{
		.desc = "hole past the image",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { IMAGE + 1, IMAGE + 1 },
		.want = HOLE,
	},
	{
		.desc = "highest pointers without flags",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { 0x3ffffffe, 0x3fffffff },
		.err = -EUCLEAN,
	},
	{
		.desc = "flag for stored blocks in an image without flags",
		.plain = true, .size = PAGE, .ptr = { STORED | (AFTER(1) + PAGE) },
		.err = -EUCLEAN,
	},
	{
		.desc = "flag for direct pointers in an image without flags",
		.plain = true, .size = PAGE, .ptr = { DIRECT(PAGE) },
		.len_at = PAGE, .len = 50,
		.err = -EUCLEAN,
	},
	{
		.desc = "flags of the previous pointer in an image without flags",
		.plain = true, .size = 2 * PAGE, .index = 1,
		.ptr = { STORED | (AFTER(2) + 50), AFTER(2) + 60 },
		.err = -EUCLEAN,
	},

	/* Direct pointers to stored blocks. */
	{
		.desc = "direct stored",
		.size = PAGE, .ptr = { STORED | DIRECT(3 * PAGE) },
		.want = IS_STORED(3 * PAGE, PAGE, 1),
	},
	{
		.desc = "direct stored, not at a page",
		.size = 2 * PAGE, .index = 1, .ptr = { 0, STORED | DIRECT(3 * PAGE + 4) },
		.want = IS_STORED(3 * PAGE + 4, PAGE, 1),
	},
	{
		.desc = "direct stored, short last block",
		.size = PAGE + TAIL, .index = 1, .ptr = { 0, STORED | DIRECT(3 * PAGE) },
		.want = IS_STORED(3 * PAGE, TAIL, 1),
	},
	{
		.desc = "direct stored at 0",
		.size = PAGE, .ptr = { STORED | DIRECT(0) },
		.want = IS_STORED(0, PAGE, 1),
	},
	{
		.desc = "direct stored ends where the image ends",
		.size = PAGE, .ptr = { STORED | DIRECT(IMAGE - PAGE) },
		.want = IS_STORED(IMAGE - PAGE, PAGE, 1),
	},
	{
		.desc = "direct stored ends a word past the image",
		.size = PAGE, .ptr = { STORED | DIRECT(IMAGE - PAGE + 4) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct stored ends one byte past the image",
		.size = PAGE, .image_len = IMAGE - 1,
		.ptr = { STORED | DIRECT(IMAGE - PAGE) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct stored, short last block ends where the image ends",
		.size = TAIL, .ptr = { STORED | DIRECT(IMAGE - TAIL) },
		.want = IS_STORED(IMAGE - TAIL, TAIL, 1),
	},
	{
		.desc = "direct stored, short last block ends past the image",
		.size = TAIL, .ptr = { STORED | DIRECT(IMAGE - TAIL + 4) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct stored begins where the image ends",
		.size = 1, .ptr = { STORED | DIRECT(IMAGE) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct stored begins past the image",
		.size = 1, .ptr = { STORED | DIRECT(IMAGE + 4) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct stored at the end of what 32 bits reach",
		.size = PAGE, .ptr = { ~0U },
		.err = -EUCLEAN,
	},

	/* Direct pointers to deflated blocks. */
	{
		.desc = "direct deflated",
		.size = PAGE, .ptr = { DIRECT(3 * PAGE) },
		.len_at = 3 * PAGE, .len = 50,
		.want = IS_DEFLATED(3 * PAGE + 2, 50),
	},
	{
		.desc = "direct deflated, its length is cut by a page",
		.size = PAGE, .ptr = { DIRECT(3 * PAGE - 4) },
		.len_at = 3 * PAGE - 4, .len = 0x201,
		.want = IS_DEFLATED(3 * PAGE - 2, 0x201),
	},
	{
		.desc = "direct deflated of length 0",
		.size = PAGE, .ptr = { DIRECT(3 * PAGE) },
		.len_at = 3 * PAGE, .len = 0,
		.want = HOLE,
	},
	{
		.desc = "direct deflated as long as it can be",
		.size = PAGE, .ptr = { DIRECT(3 * PAGE) },
		.len_at = 3 * PAGE, .len = MAX_DEFLATED,
		.want = IS_DEFLATED(3 * PAGE + 2, MAX_DEFLATED),
	},
#if PAGE_SIZE <= SZ_16K
	{
		.desc = "direct deflated, one byte too long",
		.size = PAGE, .ptr = { DIRECT(3 * PAGE) },
		.len_at = 3 * PAGE, .len = 2 * PAGE + 1,
		.err = -EUCLEAN,
	},
#endif
	{
		.desc = "direct deflated ends where the image ends",
		.size = PAGE, .ptr = { DIRECT(IMAGE - 52) },
		.len_at = IMAGE - 52, .len = 50,
		.want = IS_DEFLATED(IMAGE - 50, 50),
	},
	{
		.desc = "direct deflated ends one byte past the image",
		.size = PAGE, .ptr = { DIRECT(IMAGE - 52) },
		.len_at = IMAGE - 52, .len = 51,
		.err = -EUCLEAN,
	},
	{
		.desc = "direct deflated of length 0 at the end of the image",
		.size = PAGE, .image_len = IMAGE - 2, .ptr = { DIRECT(IMAGE - 4) },
		.len_at = IMAGE - 4, .len = 0,
		.want = HOLE,
	},
	{
		.desc = "direct deflated, its length is half out of the image",
		.size = PAGE, .image_len = IMAGE - 3, .ptr = { DIRECT(IMAGE - 4) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct deflated, its length is out of the image",
		.size = PAGE, .ptr = { DIRECT(IMAGE) },
		.err = -EUCLEAN,
	},
	{
		.desc = "direct deflated at the end of what 32 bits reach",
		.size = PAGE, .ptr = { DIRECT(0xfffffffcU) },
		.err = -EUCLEAN,
	},

	/* Pointers with flags that say where a block ends. */
	{
		.desc = "stored first block",
		.size = PAGE, .ptr = { STORED | (AFTER(1) + PAGE) },
		.want = IS_STORED(AFTER(1), PAGE, 1),
	},
	{
		.desc = "stored first block is one byte too long",
		.size = PAGE, .ptr = { STORED | (AFTER(1) + PAGE + 1) },
		.err = -EUCLEAN,
	},
	{
		.desc = "stored first block ends one byte before it begins",
		.size = PAGE, .ptr = { STORED | (AFTER(1) - 1) },
		.err = -EUCLEAN,
	},
	{
		.desc = "stored block of length 0 is a hole",
		.size = PAGE, .ptr = { STORED | AFTER(1) },
		.want = HOLE,
	},
	{
		.desc = "stored block is shorter than its part of the file",
		.size = PAGE, .ptr = { STORED | (AFTER(1) + 50) },
		.want = IS_STORED(AFTER(1), 50, 1),
	},
	{
		.desc = "stored last block",
		.size = TAIL, .ptr = { STORED | (AFTER(1) + TAIL) },
		.want = IS_STORED(AFTER(1), TAIL, 1),
	},
	{
		.desc = "stored last block is longer than its part of the file",
		.size = TAIL, .ptr = { STORED | (AFTER(1) + TAIL + 1) },
		.want = IS_STORED(AFTER(1), TAIL, 1),
	},
	{
		.desc = "stored block behind a stored one",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | (AFTER(2) + PAGE), STORED | (AFTER(2) + 2 * PAGE) },
		.want = IS_STORED(AFTER(2) + PAGE, PAGE, 1),
	},
	{
		.desc = "deflated block behind a stored one",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | (AFTER(2) + PAGE), AFTER(2) + PAGE + 50 },
		.want = IS_DEFLATED(AFTER(2) + PAGE, 50),
	},
	{
		.desc = "deflated block behind a direct stored one",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | DIRECT(3 * PAGE), 4 * PAGE + 50 },
		.want = IS_DEFLATED(4 * PAGE, 50),
	},
	{
		.desc = "stored last block behind a direct stored one",
		.size = PAGE + TAIL, .index = 1,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | (4 * PAGE + TAIL) },
		.want = IS_STORED(4 * PAGE, TAIL, 1),
	},
	{
		.desc = "deflated block behind a direct deflated one",
		.size = 2 * PAGE, .index = 1, .ptr = { DIRECT(3 * PAGE), 3 * PAGE + 2 + 60 },
		.len_at = 3 * PAGE, .len = 50,
		.want = IS_DEFLATED(3 * PAGE + 52, 10),
	},
	{
		.desc = "stored block behind a direct deflated one",
		.size = 2 * PAGE, .index = 1,
		.ptr = { DIRECT(3 * PAGE), STORED | (4 * PAGE + 52) },
		.len_at = 3 * PAGE, .len = 50,
		.want = IS_STORED(3 * PAGE + 52, PAGE, 1),
	},
	{
		.desc = "block behind a direct deflated one of length 0",
		.size = 2 * PAGE, .index = 1, .ptr = { DIRECT(3 * PAGE), 3 * PAGE + 52 },
		.len_at = 3 * PAGE, .len = 0,
		.want = IS_DEFLATED(3 * PAGE + 2, 50),
	},
	{
		.desc = "block behind a direct stored one ends where the image ends",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | DIRECT(IMAGE - PAGE - 8), IMAGE },
		.want = IS_DEFLATED(IMAGE - 8, 8),
	},
	{
		.desc = "block behind a direct stored one that leaves no room",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | DIRECT(IMAGE - PAGE), IMAGE + 1 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block behind a direct stored one past the image",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | DIRECT(IMAGE), IMAGE + PAGE + 50 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block behind a direct stored one that wraps around",
		.size = 2 * PAGE, .index = 1,
		.ptr = { ~0U, 0xfffffffcU + PAGE + 50 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block behind a direct stored one that wraps around to 0",
		.size = 2 * PAGE, .index = 1,
		.ptr = { STORED | DIRECT(0U - PAGE), 50 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block behind a direct deflated one without a length",
		.size = 2 * PAGE, .index = 1, .ptr = { DIRECT(IMAGE), IMAGE + 60 },
		.err = -EUCLEAN,
	},
	{
		.desc = "block behind a direct deflated one that ends past the image",
		.size = 2 * PAGE, .index = 1, .ptr = { DIRECT(IMAGE - 4), IMAGE + 10 },
		.len_at = IMAGE - 4, .len = 7,
		.err = -EUCLEAN,
	},

	/* Stored blocks that follow each other. */
	{
		.desc = "run of four",
		.size = 4 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE),
			 STORED | DIRECT(5 * PAGE), STORED | DIRECT(6 * PAGE) },
		.want = IS_STORED(3 * PAGE, 4 * PAGE, 4),
	},
	{
		.desc = "run of four, two are wanted",
		.size = 4 * PAGE, .max_blocks = 2,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE),
			 STORED | DIRECT(5 * PAGE), STORED | DIRECT(6 * PAGE) },
		.want = IS_STORED(3 * PAGE, 2 * PAGE, 2),
	},
	{
		.desc = "run from inside of the file",
		.size = 4 * PAGE, .max_blocks = 64, .index = 2,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE),
			 STORED | DIRECT(5 * PAGE), STORED | DIRECT(6 * PAGE) },
		.want = IS_STORED(5 * PAGE, 2 * PAGE, 2),
	},
	{
		.desc = "run ends with the file",
		.size = 2 * PAGE, .max_blocks = U32_MAX,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE),
			 STORED | DIRECT(5 * PAGE), STORED | DIRECT(6 * PAGE) },
		.want = IS_STORED(3 * PAGE, 2 * PAGE, 2),
	},
	{
		.desc = "run with a short last block",
		.size = PAGE + TAIL, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = IS_STORED(3 * PAGE, PAGE + TAIL, 2),
	},
	{
		.desc = "run is not at a page",
		.size = 2 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE + 4), STORED | DIRECT(4 * PAGE + 4) },
		.want = IS_STORED(3 * PAGE + 4, 2 * PAGE, 2),
	},
	{
		.desc = "run up to a block that is apart",
		.size = 3 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE),
			 STORED | DIRECT(5 * PAGE + 4) },
		.want = IS_STORED(3 * PAGE, 2 * PAGE, 2),
	},
	{
		.desc = "no run: the next block is before this one",
		.size = 2 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(2 * PAGE) },
		.want = IS_STORED(3 * PAGE, PAGE, 1),
	},
	{
		.desc = "no run: the next block is deflated",
		.size = 2 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), DIRECT(4 * PAGE) },
		.want = IS_STORED(3 * PAGE, PAGE, 1),
	},
	{
		.desc = "no run of deflated blocks",
		.size = 2 * PAGE, .max_blocks = 4,
		.ptr = { DIRECT(3 * PAGE), DIRECT(4 * PAGE) },
		.len_at = 3 * PAGE, .len = 50,
		.want = IS_DEFLATED(3 * PAGE + 2, 50),
	},
	{
		.desc = "run ends with a pointer to the end",
		.size = PAGE + TAIL, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | (4 * PAGE + TAIL) },
		.want = IS_STORED(3 * PAGE, PAGE + TAIL, 2),
	},
	{
		.desc = "no run: the pointer to the end is one byte off",
		.size = PAGE + TAIL, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | (4 * PAGE + TAIL + 1) },
		.want = IS_STORED(3 * PAGE, PAGE, 1),
	},
	{
		.desc = "no run: the pointer to the end is of a deflated block",
		.size = PAGE + TAIL, .max_blocks = 4,
		.ptr = { STORED | DIRECT(3 * PAGE), 4 * PAGE + TAIL },
		.want = IS_STORED(3 * PAGE, PAGE, 1),
	},
	{
		.desc = "run ends where the image ends",
		.size = 2 * PAGE, .max_blocks = 4,
		.ptr = { STORED | DIRECT(IMAGE - 2 * PAGE), STORED | DIRECT(IMAGE - PAGE) },
		.want = IS_STORED(IMAGE - 2 * PAGE, 2 * PAGE, 2),
	},
	{
		.desc = "run would end past the image",
		.size = 2 * PAGE, .max_blocks = 4, .image_len = IMAGE - 1,
		.ptr = { STORED | DIRECT(IMAGE - 2 * PAGE), STORED | DIRECT(IMAGE - PAGE) },
		.want = IS_STORED(IMAGE - 2 * PAGE, PAGE, 1),
	},
	{
		.desc = "run with a short last block would end past the image",
		.size = PAGE + TAIL, .max_blocks = 4, .image_len = IMAGE - PAGE + TAIL - 1,
		.ptr = { STORED | DIRECT(IMAGE - 2 * PAGE), STORED | DIRECT(IMAGE - PAGE) },
		.want = IS_STORED(IMAGE - 2 * PAGE, PAGE, 1),
	},
};

KUNIT_ARRAY_PARAM_DESC(extent, extent_cases, desc);

static struct super_block *mount_blocks(struct kunit *test,
					struct cramfs_test_image *image,
					bool plain, u32 piece)
{
	cramfs_test_super(test, image, 0,
			  plain ? 0 : CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	return cramfs_test_mount(test, image, piece)->mnt_sb;
}

/* A file of @size bytes, with its table in the image. */
static struct inode *file_of(struct kunit *test, struct super_block *sb, u32 size)
{
	struct cramfs_inode ci = {
		.mode = S_IFREG | 0644, .size = size, .offset = TABLE >> 2,
	};
	struct inode *inode = cramfs_test_iget(test, sb, &ci, TEST_ROOT);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	return inode;
}

static void check_extent(struct kunit *test, u32 piece)
{
	const struct extent_case *c = test->param_value;
	struct cramfs_extent extent, want = c->want;
	struct cramfs_test_image *image;
	struct inode *inode;
	int err;

	image = cramfs_test_image(test, c->image_len ?: IMAGE);
	cramfs_test_put(test, image, TABLE, c->ptr, sizeof(c->ptr));
	if (c->len_at)
		cramfs_test_put16(test, image, c->len_at, c->len);
	inode = file_of(test, mount_blocks(test, image, c->plain, piece), c->size);

	/* Pointers are compared as far as a piece of the table reaches. */
	if (piece && want.nr_blocks > 1 + piece / sizeof(u32)) {
		want.nr_blocks = 1 + piece / sizeof(u32);
		want.len = min(want.len, want.nr_blocks << PAGE_SHIFT);
	}

	err = cramfs_get_extent(inode, c->index, c->max_blocks ?: 1, &extent);
	KUNIT_EXPECT_EQ(test, err, c->err);
	if (err)
		return;
	KUNIT_EXPECT_EQ(test, extent.kind, want.kind);
	KUNIT_EXPECT_EQ(test, extent.offset, want.offset);
	KUNIT_EXPECT_EQ(test, extent.len, want.len);
	KUNIT_EXPECT_EQ(test, extent.nr_blocks, want.nr_blocks);
}

static void extent_of_image_in_memory(struct kunit *test)
{
	check_extent(test, 0);
}

static void extent_of_image_in_pieces(struct kunit *test)
{
	check_extent(test, sizeof(u32));
}

/* cramfs_iget() sees to it that a table is in the image; the decoder looks again. */
static void extent_of_table_outside_of_the_image(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct super_block *sb = mount_blocks(test, image, true, 0);
	struct inode *inode = file_of(test, sb, 2 * PAGE);
	struct cramfs_extent extent;

	cramfs_test_put32(test, image, AFTER(0), AFTER(2));
	cramfs_test_put32(test, image, AFTER(1), AFTER(2));
	CRAMFS_SB(sb)->size = AFTER(1);
	KUNIT_EXPECT_EQ(test, -EUCLEAN, cramfs_get_extent(inode, 1, 1, &extent));
	CRAMFS_SB(sb)->size = AFTER(2) - 1;
	KUNIT_EXPECT_EQ(test, -EUCLEAN, cramfs_get_extent(inode, 1, 1, &extent));
	CRAMFS_SB(sb)->size = AFTER(2);
	KUNIT_EXPECT_EQ(test, 0, cramfs_get_extent(inode, 1, 1, &extent));
}

/* In an image of nearly 4 GiB all that 32 bits can hold is an offset. */
static void extent_behind_a_deflated_one_that_wraps_around(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	const u32 prev = 0xfffff000, len = 0x4040, start = prev + 2 + len;
	struct cramfs_test_mount *mount;
	struct cramfs_extent extent;
	struct vfsmount *mnt;
	struct inode *inode;

	cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS)->size = U32_MAX;
	cramfs_test_put32(test, image, AFTER(0), DIRECT(prev));
	cramfs_test_put32(test, image, AFTER(1), start + 50);
	mount = cramfs_test_new_mount(test, image, sizeof(u32));
	mount->backing_size = U32_MAX;
	/* So this is what that block says of its length. */
	mount->beyond = len & 0xff;
	mnt = cramfs_test_try_mount(mount);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	inode = file_of(test, mnt->mnt_sb, 2 * PAGE);

	KUNIT_ASSERT_LT(test, start, IMAGE);
	KUNIT_EXPECT_EQ(test, -EUCLEAN, cramfs_get_extent(inode, 1, 1, &extent));
}

/* The error of a device is none of the image. */
static void extent_read_error(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount;
	struct cramfs_extent extent;
	struct vfsmount *mnt;
	struct inode *inode;

	cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	cramfs_test_put32(test, image, TABLE, STORED | DIRECT(PAGE));
	mount = cramfs_test_new_mount(test, image, PAGE);
	mnt = cramfs_test_try_mount(mount);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	inode = file_of(test, mnt->mnt_sb, PAGE);

	mount->read_err = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, cramfs_get_extent(inode, 0, 1, &extent));
	mount->read_err = 0;
	KUNIT_EXPECT_EQ(test, 0, cramfs_get_extent(inode, 0, 1, &extent));
}

struct fills_case {
	const char *desc;
	u32 image_len;		/* 0: IMAGE */
	u32 backing_len;	/* 0: the length of the image */
	u32 size;		/* of the file */
	u32 offset;		/* where its last block is stored */
	u32 other;		/* where another file's data begin, 0: nowhere */
	bool want;
};

static const struct fills_case fills_cases[] = {
	{
		.desc = "whole block",
		.size = PAGE, .offset = 3 * PAGE, .other = 4 * PAGE, .want = true,
	},
	{
		.desc = "whole block at the end of the image",
		.size = PAGE, .offset = IMAGE - PAGE, .want = true,
	},
	{
		.desc = "zeros up to the end of the page",
		.size = TAIL, .offset = 3 * PAGE, .other = 4 * PAGE, .want = true,
	},
	{
		.desc = "other data from the next byte on",
		.size = TAIL, .offset = 3 * PAGE, .other = 3 * PAGE + TAIL,
	},
	{
		.desc = "other data from the last byte of the page on",
		.size = TAIL, .offset = 3 * PAGE, .other = 4 * PAGE - 1,
	},
	{
		.desc = "one byte short of a page, other data in it",
		.size = PAGE - 1, .offset = 3 * PAGE, .other = 4 * PAGE - 1,
	},
	{
		.desc = "one byte short of a page, zero",
		.size = PAGE - 1, .offset = 3 * PAGE, .other = 4 * PAGE, .want = true,
	},
	{
		.desc = "zeros up to the end of the image, which is that of the page",
		.size = TAIL, .offset = IMAGE - PAGE, .want = true,
	},
	{
		.desc = "image ends one byte before the page",
		.size = TAIL, .image_len = IMAGE - 1, .offset = IMAGE - PAGE,
	},
	{
		.desc = "image ends with the file",
		.size = TAIL, .image_len = IMAGE - PAGE + TAIL, .offset = IMAGE - PAGE,
	},
	{
		.desc = "zeros of the backing are not the image's",
		.size = TAIL, .image_len = IMAGE - PAGE + TAIL, .backing_len = IMAGE,
		.offset = IMAGE - PAGE,
	},
	{
		.desc = "run with zeros after it",
		.size = 2 * PAGE + TAIL, .offset = 5 * PAGE, .other = 6 * PAGE,
		.want = true,
	},
	{
		.desc = "run with other data after it",
		.size = 2 * PAGE + TAIL, .offset = 5 * PAGE, .other = 5 * PAGE + TAIL,
	},
};

KUNIT_ARRAY_PARAM_DESC(fills, fills_cases, desc);

static void only_zeros_fill_a_page(struct kunit *test)
{
	const struct fills_case *c = test->param_value;
	u32 len = c->image_len ?: IMAGE, nr = DIV_ROUND_UP(c->size, PAGE);
	u32 first = c->offset - (nr - 1) * PAGE;
	struct cramfs_extent extent;
	struct cramfs_test_image *image;
	struct cramfs_super *super;
	struct super_block *sb;
	struct inode *inode;

	image = cramfs_test_image(test, c->backing_len ?: len);
	for (u32 i = 0; i < nr; i++)
		cramfs_test_put32(test, image, AFTER(i),
				  STORED | DIRECT(first + i * PAGE));
	cramfs_test_pattern(image->bytes + first, c->size);
	if (c->other)
		cramfs_test_pattern(image->bytes + c->other, len - c->other);
	super = cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	super->size = len;
	sb = cramfs_test_mount(test, image, 0)->mnt_sb;
	inode = file_of(test, sb, c->size);

	KUNIT_ASSERT_EQ(test, 0, cramfs_get_extent(inode, 0, nr, &extent));
	KUNIT_ASSERT_EQ(test, extent.nr_blocks, nr);
	KUNIT_EXPECT_EQ(test, c->want, cramfs_fills_blocks(inode, &extent));
}

/* The page that is not all of the image can be the last one of 4 GiB. */
static void fills_up_to_4_gib(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, 0);
	struct cramfs_extent extent;
	struct vfsmount *mnt;
	struct inode *inode;

	cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS)->size = U32_MAX;
	cramfs_test_put32(test, image, AFTER(0), STORED | DIRECT(0U - PAGE));
	mount->backing_size = U32_MAX;
	mnt = cramfs_test_try_mount(mount);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	inode = file_of(test, mnt->mnt_sb, TAIL);

	KUNIT_ASSERT_EQ(test, 0, cramfs_get_extent(inode, 0, 1, &extent));
	KUNIT_ASSERT_EQ(test, extent.offset, 0U - PAGE);
	KUNIT_EXPECT_FALSE(test, cramfs_fills_blocks(inode, &extent));
}

/* A stored block in the middle of a file, too, can be short of its page. */
static void other_data_behind_a_short_block(struct kunit *test)
{
	struct cramfs_test_image *image = cramfs_test_image(test, IMAGE);
	struct cramfs_extent extent;
	struct inode *inode;

	cramfs_test_put32(test, image, AFTER(0), STORED | DIRECT(3 * PAGE));
	cramfs_test_put32(test, image, AFTER(1), STORED | (4 * PAGE + TAIL));
	cramfs_test_pattern(image->bytes + 3 * PAGE, PAGE + TAIL);
	inode = file_of(test, mount_blocks(test, image, false, 0), 3 * PAGE);

	KUNIT_ASSERT_EQ(test, 0, cramfs_get_extent(inode, 1, 1, &extent));
	KUNIT_ASSERT_EQ(test, extent.len, TAIL);
	KUNIT_EXPECT_TRUE(test, cramfs_fills_blocks(inode, &extent));
	image->bytes[5 * PAGE - 1] = 1;
	KUNIT_EXPECT_FALSE(test, cramfs_fills_blocks(inode, &extent));
}

static struct kunit_case block_test_cases[] = {
	KUNIT_CASE_PARAM(extent_of_image_in_memory, extent_gen_params),
	KUNIT_CASE_PARAM(extent_of_image_in_pieces, extent_gen_params),
	KUNIT_CASE(extent_of_table_outside_of_the_image),
	KUNIT_CASE(extent_behind_a_deflated_one_that_wraps_around),
	KUNIT_CASE(extent_read_error),
	KUNIT_CASE_PARAM(only_zeros_fill_a_page, fills_gen_params),
	KUNIT_CASE(fills_up_to_4_gib),
	KUNIT_CASE(other_data_behind_a_short_block),
	{}
};

static struct kunit_suite block_test_suite = {
	.name = "cramfs_block",
	.test_cases = block_test_cases,
};

kunit_test_suite(block_test_suite);
