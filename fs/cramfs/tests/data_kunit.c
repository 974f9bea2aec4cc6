// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of data.c: what read() and the page cache have of a file, of blocks of each
 * kind, and of blocks that are not what they should be. Nothing of the image that
 * is not the file's is ever among it.
 */

#include <linux/dcache.h>
#include <linux/highmem.h>
#include <linux/namei.h>
#include <linux/pagemap.h>

#include "tests.h"

#define PAGE	((u32)PAGE_SIZE)
#define TAIL	100

#define STORED		CRAMFS_BLK_FLAG_UNCOMPRESSED
#define DIRECT(offset)	(CRAMFS_BLK_FLAG_DIRECT_PTR | (offset) >> 2)

/* Empty blocks that make a stream with a page as long as it may be, or nearly. */
#define MAX_EMPTY	((PAGE - TEST_ZLIB_EXTRA) / TEST_ZLIB_EMPTY)

enum kind {
	IN_NO_PLACE,
	AS_IT_IS,
	IN_A_STREAM,
};

struct read_case {
	const char *desc;
	u32 size;		/* of the file, which has one block */
	enum kind kind;
	u32 at;			/* where the block is, 0: 3 * PAGE */
	bool direct;		/* by a direct pointer; else it follows its table */
	int more;		/* bytes that it has more than the file */
	u32 nr_empty;		/* empty blocks in the stream */
	int len_more;		/* bytes that its length is more than the stream */
	bool spoil;		/* a byte in the middle is changed */
	int err;
};

static const struct read_case read_cases[] = {
	{ .desc = "hole", .size = PAGE },
	{ .desc = "hole, short", .size = TAIL },

	{ .desc = "direct stored", .kind = AS_IT_IS, .direct = true, .size = PAGE },
	{ .desc = "direct stored, short", .kind = AS_IT_IS, .direct = true, .size = TAIL },
	{ .desc = "direct stored, one byte", .kind = AS_IT_IS, .direct = true, .size = 1 },
	{ .desc = "direct stored, across pages of the image", .kind = AS_IT_IS,
	  .direct = true, .at = 3 * PAGE + 8, .size = PAGE },
	{ .desc = "direct stored at the end of the image", .kind = AS_IT_IS,
	  .direct = true, .at = TEST_IMAGE_LEN - PAGE, .size = PAGE },
	{ .desc = "direct stored, short, at the end of the image", .kind = AS_IT_IS,
	  .direct = true, .at = TEST_IMAGE_LEN - TAIL, .size = TAIL },
	{ .desc = "stored", .kind = AS_IT_IS, .size = PAGE },
	{ .desc = "stored, short", .kind = AS_IT_IS, .size = TAIL },
	{ .desc = "stored, shorter than the file", .kind = AS_IT_IS, .size = PAGE,
	  .more = -50 },
	{ .desc = "stored, longer than the file", .kind = AS_IT_IS, .size = TAIL,
	  .more = 50 },
	{ .desc = "stored, longer than a page", .kind = AS_IT_IS, .size = PAGE,
	  .more = 1, .err = -EUCLEAN },

	{ .desc = "deflated", .kind = IN_A_STREAM, .size = PAGE },
	{ .desc = "deflated, short", .kind = IN_A_STREAM, .size = TAIL },
	{ .desc = "deflated, one byte", .kind = IN_A_STREAM, .size = 1 },
	{ .desc = "direct deflated", .kind = IN_A_STREAM, .direct = true, .size = PAGE },
	{ .desc = "direct deflated, short", .kind = IN_A_STREAM, .direct = true,
	  .size = TAIL },
	{ .desc = "deflated, long as can be", .kind = IN_A_STREAM, .size = PAGE,
	  .nr_empty = MAX_EMPTY },
	{ .desc = "deflated, long as can be, in three pages", .kind = IN_A_STREAM,
	  .at = 4 * PAGE - 4, .size = PAGE, .nr_empty = MAX_EMPTY },
	{ .desc = "direct deflated, long as can be, in three pages",
	  .kind = IN_A_STREAM, .direct = true, .at = 4 * PAGE - 4, .size = PAGE,
	  .nr_empty = MAX_EMPTY - 1 },
	{ .desc = "deflated at the end of the image", .kind = IN_A_STREAM,
	  .at = TEST_IMAGE_LEN - PAGE - TEST_ZLIB_EXTRA - 1, .size = PAGE },
	{ .desc = "deflated, too long", .kind = IN_A_STREAM, .size = PAGE,
	  .nr_empty = MAX_EMPTY + 1, .err = -EUCLEAN },
	{ .desc = "deflated, has a byte too few", .kind = IN_A_STREAM, .size = PAGE,
	  .more = -1, .err = -EUCLEAN },
	{ .desc = "deflated, has a byte too many", .kind = IN_A_STREAM, .size = PAGE,
	  .more = 1, .err = -EUCLEAN },
	{ .desc = "deflated, has nothing", .kind = IN_A_STREAM, .size = TAIL,
	  .more = -TAIL, .err = -EUCLEAN },
	{ .desc = "deflated, short, has a byte too few", .kind = IN_A_STREAM,
	  .size = TAIL, .more = -1, .err = -EUCLEAN },
	{ .desc = "deflated, short, has a byte too many", .kind = IN_A_STREAM,
	  .size = TAIL, .more = 1, .err = -EUCLEAN },
	{ .desc = "deflated, short, has a page", .kind = IN_A_STREAM,
	  .size = TAIL, .more = PAGE - TAIL, .err = -EUCLEAN },
	{ .desc = "deflated, the last byte of the stream is missing",
	  .kind = IN_A_STREAM, .size = PAGE, .len_more = -1, .err = -EUCLEAN },
	{ .desc = "deflated, a byte follows the stream", .kind = IN_A_STREAM,
	  .size = PAGE, .len_more = 1, .err = -EUCLEAN },
	{ .desc = "deflated, a page follows the stream", .kind = IN_A_STREAM,
	  .size = TAIL, .len_more = PAGE, .err = -EUCLEAN },
	{ .desc = "deflated, a bit is wrong", .kind = IN_A_STREAM, .size = PAGE,
	  .spoil = true, .err = -EUCLEAN },
};

KUNIT_ARRAY_PARAM_DESC(read, read_cases, desc);

/* What else is in an image, that no file may show. */
#define OTHER	0xee

/*
 * An image of one file, "f". Return: what it reads as, to the end of its last page.
 */
static u8 *image_of_block(struct kunit *test, const struct read_case *c,
			  struct cramfs_test_image **made)
{
	u32 at = c->at ?: 3 * PAGE, table = c->direct ? 256 : at - 4;
	struct cramfs_test_image *image = cramfs_test_image(test, TEST_IMAGE_LEN);
	struct cramfs_inode ci = {
		.mode = S_IFREG | 0644, .size = c->size, .offset = table >> 2,
	};
	u32 has = c->size + c->more, len = 0, ptr = 0;
	u8 *text = kunit_kzalloc(test, 2 * PAGE, GFP_KERNEL);
	u8 *stream = kunit_kzalloc(test, 4 * PAGE, GFP_KERNEL);
	struct cramfs_super *super;

	KUNIT_ASSERT_TRUE(test, text && stream);
	memset(image->bytes, OTHER, image->len);
	cramfs_test_pattern(text, has);

	switch (c->kind) {
	case IN_NO_PLACE:
		ptr = at;
		memset(text, 0, PAGE);
		break;
	case AS_IT_IS:
		cramfs_test_put(test, image, at, text, has);
		ptr = STORED | (c->direct ? DIRECT(at) : at + has);
		break;
	case IN_A_STREAM:
		len = cramfs_test_zlib(stream, text, has, c->nr_empty);
		if (c->spoil)
			stream[len / 2] ^= 0x04;
		if (c->direct)
			cramfs_test_put16(test, image, at, len + c->len_more);
		cramfs_test_put(test, image, at + (c->direct ? 2 : 0), stream, len);
		ptr = c->direct ? DIRECT(at) : at + len + c->len_more;
		break;
	}

	cramfs_test_put32(test, image, table, ptr);
	super = cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = cramfs_test_put_entry(test, image, TEST_ROOT, ci, "f", 1) -
			   TEST_ROOT;
	memset(text + c->size, 0, 2 * PAGE - c->size);
	*made = image;
	return text;
}

static void check_page(struct kunit *test, struct file *file, const u8 *want, int err)
{
	struct folio *folio = read_mapping_folio(file->f_mapping, 0, NULL);
	void *page;

	if (err) {
		KUNIT_EXPECT_PTR_EQ(test, folio, ERR_PTR(err));
	} else {
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
		page = kmap_local_folio(folio, 0);
		KUNIT_EXPECT_MEMEQ(test, page, want, PAGE);
		kunmap_local(page);
	}
	if (!IS_ERR(folio))
		folio_put(folio);
}

static void check_read(struct kunit *test, u32 piece)
{
	const struct read_case *c = test->param_value;
	struct cramfs_test_image *image;
	u8 *want = image_of_block(test, c, &image);
	u8 *got = kunit_kzalloc(test, 2 * PAGE, GFP_KERNEL);
	struct vfsmount *mnt = cramfs_test_mount(test, image, piece);
	struct file *file = cramfs_test_open(test, mnt, "f");
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, kernel_read(file, got, 2 * PAGE, &pos),
			c->err ?: (ssize_t)c->size);
	/* No more than the file is written to. */
	if (!c->err)
		KUNIT_EXPECT_MEMEQ(test, got, want, 2 * PAGE);
	/* Without the page cache an error, too, is found once more. */
	check_page(test, file, want, c->err);
}

static void read_of_image_in_memory(struct kunit *test)
{
	check_read(test, 0);
}

static void read_of_image_in_pages(struct kunit *test)
{
	check_read(test, PAGE);
}

/* Blocks of each kind in one file, read in all kinds of steps. */
static void check_mixed(struct kunit *test, u32 piece)
{
	static const u32 steps[] = { 1, 100, PAGE - 1, PAGE, PAGE + 1, 16 * PAGE };
	struct cramfs_test_image *image = cramfs_test_image(test, TEST_IMAGE_LEN);
	struct cramfs_super *super;
	const struct cramfs_inode ci = {
		.mode = S_IFREG | 0644, .size = 5 * PAGE + TAIL, .offset = 256 >> 2,
	};
	u8 *want = kunit_kzalloc(test, 6 * PAGE, GFP_KERNEL);
	u8 *got = kunit_kzalloc(test, 6 * PAGE, GFP_KERNEL);
	struct file *file;
	u32 len, done;
	ssize_t ret;
	loff_t pos;

	KUNIT_ASSERT_TRUE(test, want && got);
	cramfs_test_pattern(want, ci.size);
	memset(want + 2 * PAGE, 0, PAGE);

	/* Stored, stored behind it, hole, deflated, stored, deflated. */
	cramfs_test_put(test, image, 3 * PAGE, want, 2 * PAGE);
	cramfs_test_put32(test, image, 256, STORED | DIRECT(3 * PAGE));
	cramfs_test_put32(test, image, 260, STORED | DIRECT(4 * PAGE));
	cramfs_test_put32(test, image, 264, 5 * PAGE);
	len = cramfs_test_zlib(image->bytes + 5 * PAGE, want + 3 * PAGE, PAGE, 0);
	cramfs_test_put32(test, image, 268, 5 * PAGE + len);
	cramfs_test_put(test, image, 8 * PAGE, want + 4 * PAGE, PAGE);
	cramfs_test_put32(test, image, 272, STORED | DIRECT(8 * PAGE));
	len = cramfs_test_zlib(image->bytes + 9 * PAGE, want + 5 * PAGE, TAIL, 0);
	cramfs_test_put32(test, image, 276, 9 * PAGE + len);
	super = cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = cramfs_test_put_entry(test, image, TEST_ROOT, ci, "f", 1) -
			   TEST_ROOT;

	file = cramfs_test_open(test, cramfs_test_mount(test, image, piece), "f");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	for (int i = 0; i < ARRAY_SIZE(steps); i++) {
		memset(got, 0xa5, 6 * PAGE);
		pos = 0;
		for (done = 0; done < ci.size; done += ret) {
			ret = kernel_read(file, got + done,
					  min(steps[i], 6 * PAGE - done), &pos);
			KUNIT_ASSERT_GT(test, ret, 0);
		}
		KUNIT_EXPECT_EQ(test, done, 5 * PAGE + TAIL);
		KUNIT_EXPECT_MEMEQ(test, got, want, ci.size);
		KUNIT_EXPECT_EQ(test, kernel_read(file, got, 1, &pos), 0);
	}
}

static void mixed_blocks_of_image_in_memory(struct kunit *test)
{
	check_mixed(test, 0);
}

static void mixed_blocks_of_image_in_pages(struct kunit *test)
{
	check_mixed(test, PAGE);
}

struct link_case {
	const char *desc;
	u32 size;		/* 0: the length of the target */
	u32 cut;		/* bytes that its stream lacks */
	const char *want;
	int err;
};

static const struct link_case link_cases[] = {
	{ .desc = "as it should be", .want = "target" },
	{ .desc = "shorter than its stream", .size = 5, .err = -EUCLEAN },
	{ .desc = "longer than its stream", .size = 7, .err = -EUCLEAN },
	{ .desc = "its stream is cut off", .cut = 1, .err = -EUCLEAN },
	{ .desc = "as long as can be, its stream is not", .size = PATH_MAX - 1, .err = -EUCLEAN },
};

KUNIT_ARRAY_PARAM_DESC(link, link_cases, desc);

static void symbolic_link(struct kunit *test)
{
	static const char target[] = "target";
	const struct link_case *c = test->param_value;
	struct cramfs_test_image *image = cramfs_test_image(test, TEST_IMAGE_LEN);
	struct cramfs_super *super = cramfs_test_super(test, image, 0, 0);
	const struct cramfs_inode ci = {
		.mode = S_IFLNK | 0777, .size = c->size ?: strlen(target),
		.offset = 256 >> 2,
	};
	DEFINE_DELAYED_CALL(done);
	struct vfsmount *mnt;
	const char *found;
	struct path path;
	u32 len;

	len = cramfs_test_zlib(image->bytes + 260, target, strlen(target), 0);
	cramfs_test_put32(test, image, 256, 260 + len - c->cut);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = cramfs_test_put_entry(test, image, TEST_ROOT, ci, "l", 1) -
			   TEST_ROOT;

	mnt = cramfs_test_mount(test, image, 0);
	KUNIT_ASSERT_EQ(test, 0, vfs_path_lookup(mnt->mnt_root, mnt, "l", 0, &path));
	found = vfs_get_link(path.dentry, &done);
	if (IS_ERR(found))
		KUNIT_EXPECT_EQ(test, PTR_ERR(found), c->err);
	else
		KUNIT_EXPECT_STREQ(test, found, c->want);
	do_delayed_call(&done);
	path_put(&path);
}

static struct kunit_case data_test_cases[] = {
	KUNIT_CASE_PARAM(read_of_image_in_memory, read_gen_params),
	KUNIT_CASE_PARAM(read_of_image_in_pages, read_gen_params),
	KUNIT_CASE(mixed_blocks_of_image_in_memory),
	KUNIT_CASE(mixed_blocks_of_image_in_pages),
	KUNIT_CASE_PARAM(symbolic_link, link_gen_params),
	{}
};

static struct kunit_suite data_test_suite = {
	.name = "cramfs_data",
	.test_cases = data_test_cases,
};

kunit_test_suite(data_test_suite);
