// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images for the tests: bytes in memory that the functions here put something
 * into. They know the layout of what they put and nothing else, so that a test can
 * make what no builder would.
 */

#include <linux/string.h>

#include "tests.h"

/**
 * cramfs_test_image() - begin with an image of nothing but zeros
 * @test: whose it is; frees it
 * @len: its length in bytes
 *
 * Return: the image.
 */
struct cramfs_test_image *cramfs_test_image(struct kunit *test, u32 len)
{
	struct cramfs_test_image *image;

	image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, image);
	image->bytes = kunit_kzalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, image->bytes);
	image->len = len;
	return image;
}

/**
 * cramfs_test_put() - put bytes into an image
 * @test: fails if they do not fit
 * @image: the image
 * @offset: where they go in the image, in bytes
 * @data: the bytes
 * @len: how many there are
 */
void cramfs_test_put(struct kunit *test, struct cramfs_test_image *image,
		     u32 offset, const void *data, u32 len)
{
	KUNIT_ASSERT_LE(test, (u64)offset + len, image->len);
	memcpy(image->bytes + offset, data, len);
}

/**
 * cramfs_test_put32() - put a word into an image
 * @test: fails if it does not fit
 * @image: the image
 * @offset: where it goes in the image, in bytes
 * @value: the word
 */
void cramfs_test_put32(struct kunit *test, struct cramfs_test_image *image,
		       u32 offset, u32 value)
{
	cramfs_test_put(test, image, offset, &value, sizeof(value));
}

/**
 * cramfs_test_put16() - put half a word into an image
 * @test: fails if it does not fit
 * @image: the image
 * @offset: where it goes in the image, in bytes
 * @value: the half word
 */
void cramfs_test_put16(struct kunit *test, struct cramfs_test_image *image,
		       u32 offset, u16 value)
{
	cramfs_test_put(test, image, offset, &value, sizeof(value));
}

/**
 * cramfs_test_super() - put a superblock into an image
 * @test: fails if it does not fit
 * @image: the image
 * @offset: where it goes in the image, in bytes
 * @flags: CRAMFS_FLAG_*, besides CRAMFS_FLAG_FSID_VERSION_2
 *
 * Return: the superblock, of an image without any entries, in place.
 */
struct cramfs_super *cramfs_test_super(struct kunit *test,
				       struct cramfs_test_image *image,
				       u32 offset, u32 flags)
{
	struct cramfs_super super = {
		.magic		= CRAMFS_MAGIC,
		.size		= image->len,
		.flags		= flags | CRAMFS_FLAG_FSID_VERSION_2,
		.signature	= CRAMFS_SIGNATURE,
		.fsid.files	= 1,
		.root.mode	= S_IFDIR | 0755,
	};

	cramfs_test_put(test, image, offset, &super, sizeof(super));
	return (struct cramfs_super *)(image->bytes + offset);
}

/**
 * cramfs_test_put_entry() - put an entry of a directory into an image
 * @test: fails if it does not fit
 * @image: the image
 * @offset: where it goes in the image, in bytes
 * @inode: its inode, but for the length of the name
 * @name: its name
 * @name_len: length of the name in bytes, without the NUL that it is padded with
 *
 * Return: the offset of what follows.
 */
u32 cramfs_test_put_entry(struct kunit *test, struct cramfs_test_image *image,
			  u32 offset, struct cramfs_inode inode,
			  const char *name, u32 name_len)
{
	char padded[CRAMFS_MAXPATHLEN] = {};

	KUNIT_ASSERT_LE(test, name_len, sizeof(padded));
	memcpy(padded, name, name_len);
	name_len = round_up(name_len, 4);
	inode.namelen = name_len >> 2;
	cramfs_test_put(test, image, offset, &inode, sizeof(inode));
	cramfs_test_put(test, image, offset + sizeof(inode), padded, name_len);
	return offset + sizeof(inode) + name_len;
}

static u32 adler32(const u8 *src, u32 len)
{
	u32 a = 1, b = 0;

	for (u32 i = 0; i < len; i++) {
		a = (a + src[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static u8 *put_zlib_block(u8 *dst, bool last, const u8 *src, u16 len)
{
	*dst++ = last;
	*dst++ = len & 0xff;
	*dst++ = len >> 8;
	*dst++ = ~len & 0xff;
	*dst++ = (u16)~len >> 8;
	memcpy(dst, src, len);
	return dst + len;
}

/**
 * cramfs_test_zlib() - make a zlib stream, by the book and not compressed
 * @dst: where it goes; needs room for what is returned
 * @src: what the stream has
 * @len: length of it in bytes
 * @nr_empty: empty blocks in the stream, which make it longer
 *
 * Return: length of the stream in bytes: @len and TEST_ZLIB_EXTRA, and
 * TEST_ZLIB_EMPTY for each empty block.
 */
u32 cramfs_test_zlib(u8 *dst, const u8 *src, u16 len, u32 nr_empty)
{
	u32 check = adler32(src, len);
	u8 *begin = dst;

	*dst++ = 0x78;
	*dst++ = 0x01;
	while (nr_empty--)
		dst = put_zlib_block(dst, false, src, 0);
	dst = put_zlib_block(dst, true, src, len);
	for (int shift = 24; shift >= 0; shift -= 8)
		*dst++ = check >> shift;
	return dst - begin;
}

/**
 * cramfs_test_pattern() - fill memory with bytes that tell where they are
 * @dst: where they go
 * @len: how many
 *
 * None of them is zero, and those of different pages are different.
 */
void cramfs_test_pattern(u8 *dst, u32 len)
{
	for (u32 i = 0; i < len; i++)
		dst[i] = i % 251 + 1;
}
