// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of inflate.c: what is a whole stream and nothing else, and what is not.
 */

#include "tests.h"

#define TEXT_LEN	300
#define STREAM_LEN	(TEXT_LEN + TEST_ZLIB_EXTRA)

/* Where the last four bytes of a stream are, which are its checksum. */
#define CHECK_AT	(STREAM_LEN - 4)

struct inflate_case {
	const char *desc;
	u32 input;		/* bytes of the stream that are given */
	u32 piece;		/* so many at a time, 0: all at once */
	u32 room;		/* for the result */
	u32 spoil;		/* a byte of the stream that is changed */
	u8 spoil_by;		/* by this XOR, 0: none is */
	int len;		/* of the result, or an error */
};

static const struct inflate_case inflate_cases[] = {
	{
		.desc = "room for all of it",
		.input = STREAM_LEN, .room = TEXT_LEN, .len = TEXT_LEN,
	},
	{
		.desc = "byte by byte",
		.input = STREAM_LEN, .piece = 1, .room = TEXT_LEN, .len = TEXT_LEN,
	},
	{
		.desc = "more room than needed",
		.input = STREAM_LEN, .room = TEXT_LEN + 1, .len = TEXT_LEN,
	},
	{
		.desc = "one byte too long for the room",
		.input = STREAM_LEN, .room = TEXT_LEN - 1, .len = -EUCLEAN,
	},
	{
		.desc = "one byte too long for the room, byte by byte",
		.input = STREAM_LEN, .piece = 1, .room = TEXT_LEN - 1, .len = -EUCLEAN,
	},
	{
		.desc = "no room at all",
		.input = STREAM_LEN, .room = 0, .len = -EUCLEAN,
	},
	{
		.desc = "room is full, the end of the stream is missing",
		.input = CHECK_AT, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "last byte is missing",
		.input = STREAM_LEN - 1, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "last byte is missing, byte by byte",
		.input = STREAM_LEN - 1, .piece = 1, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "only the header",
		.input = 2, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "nothing",
		.input = 0, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "one byte after the end",
		.input = STREAM_LEN + 1, .room = TEXT_LEN, .len = -EUCLEAN,
	},
	{
		.desc = "one byte after the end, by itself",
		.input = STREAM_LEN + 1, .piece = STREAM_LEN, .room = TEXT_LEN,
		.len = -EUCLEAN,
	},
	{
		.desc = "not a zlib stream",
		.input = STREAM_LEN, .room = TEXT_LEN, .spoil = 0, .spoil_by = 0xff,
		.len = -EUCLEAN,
	},
	{
		/* The header's bit for it, and what makes it a multiple of 31 again. */
		.desc = "wants a dictionary",
		.input = STREAM_LEN, .room = TEXT_LEN, .spoil = 1, .spoil_by = 0x01 ^ 0x20,
		.len = -EUCLEAN,
	},
	{
		.desc = "block of a kind that there is not",
		.input = STREAM_LEN, .room = TEXT_LEN, .spoil = 2, .spoil_by = 0x06,
		.len = -EUCLEAN,
	},
	{
		.desc = "wrong checksum",
		.input = STREAM_LEN, .room = TEXT_LEN, .spoil = CHECK_AT, .spoil_by = 0x01,
		.len = -EUCLEAN,
	},
};

KUNIT_ARRAY_PARAM_DESC(inflate, inflate_cases, desc);

/* As the driver does: once it has failed, a stream gets no more input. */
static int inflate_all(struct kunit *test, const u8 *src, u32 len, u32 piece,
		       u8 *dst, u32 room)
{
	struct cramfs_inflate *stream;
	int err = 0, ret;
	u32 now;

	stream = cramfs_inflate_begin(dst, room);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stream);
	for (; len && !err; src += now, len -= now) {
		now = piece ? min(len, piece) : len;
		err = cramfs_inflate_input(stream, src, now);
	}
	ret = cramfs_inflate_end(stream);
	return err ?: ret;
}

static void inflate_gives_whole_streams_only(struct kunit *test)
{
	const struct inflate_case *c = test->param_value;
	u8 *text = kunit_kzalloc(test, TEXT_LEN, GFP_KERNEL);
	u8 *dst = kunit_kzalloc(test, TEXT_LEN + 2, GFP_KERNEL);
	u8 *src, *input;
	int len;

	src = kunit_kzalloc(test, STREAM_LEN + 1, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, text && dst && src);
	cramfs_test_pattern(text, TEXT_LEN);
	KUNIT_ASSERT_EQ(test, STREAM_LEN, cramfs_test_zlib(src, text, TEXT_LEN, 0));
	src[c->spoil] ^= c->spoil_by;
	/* Without the bytes that are not given, for KASAN to watch. */
	input = kunit_kzalloc(test, c->input + !c->input, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, input);
	memcpy(input, src, c->input);
	memset(dst, 0xa5, TEXT_LEN + 2);

	len = inflate_all(test, input, c->input, c->piece, dst, c->room);
	KUNIT_EXPECT_EQ(test, len, c->len);
	if (len >= 0)
		KUNIT_EXPECT_MEMEQ(test, dst, text, TEXT_LEN);
	KUNIT_EXPECT_EQ_MSG(test, dst[c->room], 0xa5, "written past the room");
}

/* Input that cannot be right is refused when it is given, not only at the end. */
static void inflate_tells_at_once(struct kunit *test)
{
	u8 src[1 + TEST_ZLIB_EXTRA], dst[1];
	struct cramfs_inflate *stream;

	cramfs_test_zlib(src, "a", 1, 0);
	src[sizeof(src) - 1] ^= 0x01;
	stream = cramfs_inflate_begin(dst, sizeof(dst));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stream);
	KUNIT_EXPECT_EQ(test, 0, cramfs_inflate_input(stream, src, sizeof(src) - 1));
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			cramfs_inflate_input(stream, src + sizeof(src) - 1, 1));
	KUNIT_EXPECT_EQ(test, -EUCLEAN, cramfs_inflate_end(stream));
}

/* Streams are used again, and those that failed are no exception. */
static void inflate_works_after_failures(struct kunit *test)
{
	u8 text[16], src[sizeof(text) + TEST_ZLIB_EXTRA], dst[sizeof(text)];
	u32 len;

	cramfs_test_pattern(text, sizeof(text));
	len = cramfs_test_zlib(src, text, sizeof(text), 0);

	/* More often than there can be streams. */
	for (int i = 0; i < nr_cpu_ids + 1; i++) {
		KUNIT_EXPECT_EQ(test, -EUCLEAN,
				inflate_all(test, src, len - 1, 0, dst, sizeof(dst)));
		KUNIT_EXPECT_EQ(test, -EUCLEAN,
				inflate_all(test, src + 1, len - 1, 0, dst, sizeof(dst)));
		memset(dst, 0, sizeof(dst));
		KUNIT_EXPECT_EQ(test, sizeof(text),
				inflate_all(test, src, len, 0, dst, sizeof(dst)));
		KUNIT_EXPECT_MEMEQ(test, dst, text, sizeof(text));
	}
}

static struct kunit_case inflate_test_cases[] = {
	KUNIT_CASE_PARAM(inflate_gives_whole_streams_only, inflate_gen_params),
	KUNIT_CASE(inflate_tells_at_once),
	KUNIT_CASE(inflate_works_after_failures),
	{}
};

static struct kunit_suite inflate_test_suite = {
	.name = "cramfs_inflate",
	.test_cases = inflate_test_cases,
};

kunit_test_suite(inflate_test_suite);
