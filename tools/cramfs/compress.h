/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compression of one block to a zlib stream.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include "mkcramfs.h"

/* The most by which a block grows that does not shrink, of any of the compressors. */
#define COMPRESS_GROWTH	64

struct compressor *compressor_create(const struct options *opt);
size_t compressor_run(struct compressor *c, const void *in, size_t len, void *out);
void compressor_destroy(struct compressor *c);

/* zopfli.c */
void zopfli_require(void);
size_t zopfli_run(const void *in, size_t len, void *out, size_t best);

#endif
