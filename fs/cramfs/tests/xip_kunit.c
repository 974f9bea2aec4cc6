// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of xip.c: which pages of a mapping are the image itself, which are copies,
 * and that neither has anything that is not the file's. The image is in the memory
 * of the kernel, at a physical address that it has: who changes a byte of it sees in
 * the mapping whether that is the image.
 */

#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "tests.h"

#define IMAGE	TEST_IMAGE_LEN
#define PAGE	((u32)PAGE_SIZE)
#define TAIL	100
#define TABLE	256

#define STORED		CRAMFS_BLK_FLAG_UNCOMPRESSED
#define DIRECT(offset)	(CRAMFS_BLK_FLAG_DIRECT_PTR | (offset) >> 2)

/* What a page of a mapping is. */
enum what {
	NOT_THERE,		/* SIGBUS */
	IS_IMAGE,
	IS_COPY,
};

struct xip_case {
	const char *desc;
	u32 image_len;		/* 0: all of IMAGE, which the backing always has */
	u32 size;		/* of the file */
	u32 ptr[3];		/* its table */
	u32 data;		/* where its data begin */
	u32 other;		/* where another file's data begin, 0: nowhere */
	bool no_phys;		/* the backing has no physical address */
	enum what want[4];	/* pages from the beginning of the file */
};

static const struct xip_case xip_cases[] = {
	{
		.desc = "whole blocks",
		.size = 2 * PAGE, .data = 3 * PAGE, .other = 5 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = { IS_IMAGE, IS_IMAGE },
	},
	{
		.desc = "backing without a physical address",
		.size = 2 * PAGE, .data = 3 * PAGE, .other = 5 * PAGE, .no_phys = true,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = { IS_COPY, IS_COPY },
	},
	{
		.desc = "blocks that are not at a page",
		.size = 2 * PAGE, .data = 3 * PAGE + 4, .other = 5 * PAGE + 4,
		.ptr = { STORED | DIRECT(3 * PAGE + 4), STORED | DIRECT(4 * PAGE + 4) },
		.want = { IS_COPY, IS_COPY },
	},
	{
		.desc = "one block is not at a page",
		.size = 2 * PAGE, .data = 3 * PAGE, .other = 5 * PAGE + 4,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE + 4) },
		.want = { IS_IMAGE, IS_COPY },
	},
	{
		.desc = "short last block, zeros after it",
		.size = PAGE + TAIL, .data = 3 * PAGE, .other = 5 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = { IS_IMAGE, IS_IMAGE },
	},
	{
		.desc = "short last block, other data after it",
		.size = PAGE + TAIL, .data = 3 * PAGE, .other = 4 * PAGE + TAIL,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = { IS_IMAGE, IS_COPY },
	},
	{
		.desc = "short last block, other data in the last byte of its page",
		.size = PAGE + TAIL, .data = 3 * PAGE, .other = 5 * PAGE - 1,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(4 * PAGE) },
		.want = { IS_IMAGE, IS_COPY },
	},
	{
		.desc = "only block is short, other data after it",
		.size = TAIL, .data = 3 * PAGE, .other = 3 * PAGE + TAIL,
		.ptr = { STORED | DIRECT(3 * PAGE) },
		.want = { IS_COPY },
	},
	{
		.desc = "last page of the image",
		.size = PAGE, .data = IMAGE - PAGE, .ptr = { STORED | DIRECT(IMAGE - PAGE) },
		.want = { IS_IMAGE },
	},
	{
		.desc = "last page is not all of the image",
		.image_len = IMAGE - 1, .size = TAIL, .data = IMAGE - PAGE,
		.ptr = { STORED | DIRECT(IMAGE - PAGE) },
		.want = { IS_COPY },
	},
	{
		.desc = "stored block that ends where its pointer says",
		.size = PAGE + TAIL, .data = 3 * PAGE, .other = 5 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | (4 * PAGE + TAIL) },
		.want = { IS_IMAGE, IS_IMAGE },
	},
	{
		.desc = "hole between stored blocks",
		.size = 3 * PAGE, .data = 3 * PAGE, .other = 4 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), 4 * PAGE, STORED | DIRECT(3 * PAGE) },
		.want = { IS_IMAGE, IS_COPY, IS_IMAGE },
	},
	{
		.desc = "block past the image between stored blocks",
		.size = 3 * PAGE, .data = 3 * PAGE, .other = 4 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(IMAGE),
			 STORED | DIRECT(3 * PAGE) },
		.want = { IS_IMAGE, NOT_THERE, IS_IMAGE },
	},
	{
		.desc = "block half out of the image",
		.image_len = IMAGE - 4, .size = 2 * PAGE, .data = 3 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), STORED | DIRECT(IMAGE - PAGE) },
		.want = { IS_IMAGE, NOT_THERE },
	},
	{
		.desc = "damaged deflated block that begins at a page, zeros after it",
		.size = 2 * PAGE, .data = 8 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), 4 * PAGE + 50 },
		.want = { IS_IMAGE, NOT_THERE },
	},
	{
		.desc = "damaged deflated block",
		.size = 2 * PAGE, .data = 3 * PAGE, .other = 4 * PAGE,
		.ptr = { STORED | DIRECT(3 * PAGE), 4 * PAGE + 50 },
		.want = { IS_IMAGE, NOT_THERE },
	},
};

KUNIT_ARRAY_PARAM_DESC(xip, xip_cases, desc);

struct pages {
	void *first;
	size_t len;
};

static void free_pages_of_image(void *data)
{
	struct pages *pages = data;

	free_pages_exact(pages->first, pages->len);
}

/* An image that begins at a page, in pages that are nothing else's. */
static struct cramfs_test_image *image_in_pages(struct kunit *test)
{
	struct cramfs_test_image *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);
	struct pages *pages = kunit_kzalloc(test, sizeof(*pages), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, image && pages);
	pages->len = IMAGE;
	pages->first = alloc_pages_exact(IMAGE, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, pages->first);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_pages_of_image,
							   pages));
	image->bytes = pages->first;
	image->len = IMAGE;
	return image;
}

static struct file *open_xip_file(struct kunit *test, const struct xip_case *c,
				  struct cramfs_test_image *image)
{
	struct cramfs_inode ci = {
		.mode = S_IFREG | 0755, .size = c->size, .offset = TABLE >> 2,
	};
	struct cramfs_test_mount *mount = cramfs_test_new_mount(test, image, 0);
	u32 len = c->image_len ?: IMAGE;
	struct cramfs_super *super;
	struct vfsmount *mnt;
	struct file *file;

	cramfs_test_pattern(image->bytes + c->data, min(c->size, len - c->data));
	if (c->other)
		memset(image->bytes + c->other, 0xee, IMAGE - c->other);
	cramfs_test_put(test, image, TABLE, c->ptr, sizeof(c->ptr));
	super = cramfs_test_super(test, image, 0, CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	super->size = len;
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = cramfs_test_put_entry(test, image, TEST_ROOT, ci, "f", 1) -
			   TEST_ROOT;

	mount->has_phys = !c->no_phys;
	mnt = cramfs_test_try_mount(mount);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	file = cramfs_test_open(test, mnt, "f");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

/*
 * What a page of the mapping is, and its contents. Where it would be in the image, the
 * first byte is changed for a moment: a copy, once it is made, stays what it was.
 */
static enum what what_is(unsigned long addr, u8 *in_image, u8 *got)
{
	u8 now = 0;

	if (copy_from_user(got, (void __user *)addr, PAGE))
		return NOT_THERE;
	*in_image ^= 0xff;
	if (copy_from_user(&now, (void __user *)addr, 1))
		now = got[0];
	*in_image ^= 0xff;
	return now == got[0] ? IS_COPY : IS_IMAGE;
}

/* Where page @nr of the file is in the image if it is there. */
static u32 place_of(const struct xip_case *c, u32 nr)
{
	if (c->ptr[nr] & CRAMFS_BLK_FLAG_DIRECT_PTR)
		return (c->ptr[nr] & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
	return c->data + nr * PAGE;
}

static bool same_as_read(struct file *file, u32 nr, const u8 *page, u8 *buf)
{
	loff_t pos = (loff_t)nr * PAGE;

	memset(buf, 0, PAGE);
	if (kernel_read(file, buf, PAGE, &pos) < 0)
		return false;
	return !memcmp(page, buf, PAGE);
}

/*
 * KUnit gives a test the memory of a process, and leaves it to the end of the thread,
 * which does not give all of it back. The files that were mapped go with it.
 */
static void end_process(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
	flush_delayed_fput();
}

/*
 * From the last page to the first, as faults do not: each has to be right whatever
 * is mapped around it.
 */
static void check_mapping(struct kunit *test, unsigned long prot)
{
	const struct xip_case *c = test->param_value;
	struct cramfs_test_image *image = image_in_pages(test);
	struct file *file = open_xip_file(test, c, image);
	u8 *got = kunit_kzalloc(test, 2 * PAGE, GFP_KERNEL);
	u32 nr = DIV_ROUND_UP(c->size, PAGE);
	unsigned long addr;
	enum what what;
	u32 place;

	KUNIT_ASSERT_NOT_NULL(test, got);
	/* One page more than the file has. */
	addr = kunit_vm_mmap(test, file, 0, (nr + 1) * PAGE, prot, MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));

	/* Nothing here ends the test before the mapping is gone, and what it refers to. */
	for (int i = nr; i >= 0; i--) {
		place = i < nr ? place_of(c, i) : 0;
		what = what_is(addr + i * PAGE,
			       image->bytes + (place < IMAGE ? place : 0), got);
		KUNIT_EXPECT_EQ_MSG(test, what, c->want[i], "page %d", i);
		if (what != NOT_THERE)
			KUNIT_EXPECT_TRUE_MSG(test, same_as_read(file, i, got, got + PAGE),
					      "page %d is not what is read", i);
	}
	end_process();
}

static void mapping_that_is_read(struct kunit *test)
{
	check_mapping(test, PROT_READ);
}

static void mapping_that_could_be_written(struct kunit *test)
{
	check_mapping(test, PROT_READ | PROT_WRITE);
}

/* The image is not what is written to, and the rest of a page is copied with it. */
static void write_makes_a_copy(struct kunit *test)
{
	const struct xip_case *c = &xip_cases[0];
	struct cramfs_test_image *image = image_in_pages(test);
	struct file *file = open_xip_file(test, c, image);
	u8 *got = kunit_kzalloc(test, PAGE, GFP_KERNEL);
	u8 *want = kunit_kzalloc(test, PAGE, GFP_KERNEL);
	unsigned long addr;
	u8 byte = 0xee;

	KUNIT_ASSERT_TRUE(test, got && want);
	memcpy(want, image->bytes + c->data, PAGE);
	addr = kunit_vm_mmap(test, file, 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			     0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));

	/* Page 0 is written to at once, page 1 once it is mapped. */
	KUNIT_EXPECT_EQ(test, what_is(addr + PAGE, image->bytes + c->data + PAGE, got),
			IS_IMAGE);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0, copy_to_user((void __user *)(addr + i * PAGE + 7),
						      &byte, 1));
		KUNIT_EXPECT_NE(test, image->bytes[c->data + i * PAGE + 7], byte);
		memcpy(want, image->bytes + c->data + i * PAGE, PAGE);
		want[7] = byte;
		KUNIT_EXPECT_EQ(test, what_is(addr + i * PAGE,
					      image->bytes + c->data + i * PAGE, got),
				IS_COPY);
		KUNIT_EXPECT_MEMEQ(test, got, want, PAGE);
	}
	end_process();
}

static struct kunit_case xip_test_cases[] = {
	KUNIT_CASE_PARAM(mapping_that_is_read, xip_gen_params),
	KUNIT_CASE_PARAM(mapping_that_could_be_written, xip_gen_params),
	KUNIT_CASE(write_makes_a_copy),
	{}
};

static struct kunit_suite xip_test_suite = {
	.name = "cramfs_xip",
	.test_cases = xip_test_cases,
};

kunit_test_suite(xip_test_suite);
