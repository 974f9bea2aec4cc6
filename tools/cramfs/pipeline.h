/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Batches of blocks, and the threads that compress them.
 */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "data.h"

#define BATCH_BLOCKS	64

enum block_kind {
	/* zero */
	BLOCK_HOLE,
	/* stored for execution in place, which comes later */
	BLOCK_IN_PLACE,
	/* the same as one that has been before, or is in place */
	BLOCK_SHARED,
	/* none of these */
	BLOCK_OWN,
};

/**
 * struct block - a block on its way into the image
 * @e: file or symbolic link that it belongs to
 * @index: number of it there
 * @kind: what is to be done with it
 * @len: its length in bytes
 * @data: its bytes; NULL if these do not matter
 * @packed: its zlib stream, if it is %BLOCK_OWN and opt->uncompressed is not set
 * @packed_len: length of that
 * @shared: what it shares, if %BLOCK_SHARED; what others share with it, if %BLOCK_OWN
 */
struct block {
	struct entry *e;
	unsigned int index;
	enum block_kind kind;
	unsigned int len;
	const unsigned char *data;
	unsigned char *packed;
	size_t packed_len;
	struct shared_block *shared;
};

/**
 * struct batch - some blocks that follow each other
 * @block: the blocks
 * @nr: their number
 * @data: room for PIECE_SIZE bytes of contents
 * @data_len: how much of that is used
 * @packed: room for the zlib streams of all that
 * @state: for the pipeline only
 */
struct batch {
	struct block block[BATCH_BLOCKS];
	unsigned int nr;
	unsigned char *data;
	size_t data_len;
	unsigned char *packed;
	enum { BATCH_FREE, BATCH_WAITS, BATCH_BUSY, BATCH_DONE } state;
};

/* What becomes of batches that are done. */
typedef void (*batch_fn)(struct batch *b, void *arg);

struct pipeline *pipeline_create(const struct options *opt, batch_fn done, void *arg);
struct batch *pipeline_next(struct pipeline *p);
void pipeline_submit(struct pipeline *p);
void pipeline_finish(struct pipeline *p);

/* stream.c */
void stream_files(const struct data *data, const struct options *opt, batch_fn done, void *arg);

#endif
