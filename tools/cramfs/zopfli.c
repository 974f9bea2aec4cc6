// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compression by zopfli, where there is this library; otherwise no-zopfli.c is in its place.
 */
#include <stdlib.h>
#include <string.h>
#include <zopfli/zopfli.h>

#include "compress.h"

/**
 * zopfli_require() - end the program if this cannot compress by zopfli
 */
void zopfli_require(void)
{
}

/**
 * zopfli_run() - compress a block by zopfli
 * @in: the block
 * @len: its length in bytes
 * @out: a zlib stream, which is kept if zopfli's is not shorter
 * @best: its length
 *
 * Return: length of the zlib stream.
 */
size_t zopfli_run(const void *in, size_t len, void *out, size_t best)
{
	unsigned char *stream = NULL;
	ZopfliOptions options;
	size_t res = 0;

	ZopfliInitOptions(&options);
	ZopfliCompress(&options, ZOPFLI_FORMAT_ZLIB, in, len, &stream, &res);
	if (res < best) {
		memcpy(out, stream, res);
		best = res;
	}
	free(stream);
	return best;
}
