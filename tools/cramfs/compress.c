// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compression of one block to a zlib stream, by the library that is best at what is asked for.
 * Nothing here depends on earlier blocks, so that it does not matter which thread gets which.
 */
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

#include "compress.h"

struct compressor {
	int level;
	struct libdeflate_compressor *deflate;
	z_stream zlib;
};

/**
 * compressor_create() - prepare to compress blocks
 * @opt: options; says how well
 *
 * Return: the compressor, for one thread at a time.
 */
struct compressor *compressor_create(const struct options *opt)
{
	struct compressor *c = xalloc(sizeof(*c));

	c->level = opt->level;
	if (c->level == LEVEL_ZLIB) {
		if (deflateInit(&c->zlib, Z_DEFAULT_COMPRESSION) != Z_OK)
			die("out of memory");
		return c;
	}
	/* Where zopfli's stream is not shorter, libdeflate's is taken. */
	c->deflate = libdeflate_alloc_compressor(c->level > MAX_LEVEL ? MAX_LEVEL : c->level);
	if (!c->deflate)
		die("out of memory");
	return c;
}

static size_t run_zlib(struct compressor *c, const void *in, size_t len, void *out, size_t room)
{
	deflateReset(&c->zlib);
	c->zlib.next_in = (void *)in;
	c->zlib.avail_in = len;
	c->zlib.next_out = out;
	c->zlib.avail_out = room;
	return deflate(&c->zlib, Z_FINISH) == Z_STREAM_END ? c->zlib.total_out : 0;
}

/**
 * compressor_run() - compress a block
 * @c: compressor
 * @in: the block
 * @len: its length in bytes, at least one and at most MAX_BLOCK_SIZE
 * @out: room for @len + COMPRESS_GROWTH bytes
 *
 * Return: length of the zlib stream.
 */
size_t compressor_run(struct compressor *c, const void *in, size_t len, void *out)
{
	size_t res, room = len + COMPRESS_GROWTH;

	if (c->level == LEVEL_ZLIB)
		res = run_zlib(c, in, len, out, room);
	else
		res = libdeflate_zlib_compress(c->deflate, in, len, out, room);
	if (!res)
		die("no room for a block that does not shrink");
	if (c->level == LEVEL_ZOPFLI)
		res = zopfli_run(in, len, out, res);
	return res;
}

/**
 * compressor_destroy() - free a compressor
 * @c: compressor, or NULL
 */
void compressor_destroy(struct compressor *c)
{
	if (!c)
		return;
	if (c->level == LEVEL_ZLIB)
		deflateEnd(&c->zlib);
	else
		libdeflate_free_compressor(c->deflate);
	free(c);
}
