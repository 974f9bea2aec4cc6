/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of the data of a tree before the first block is written.
 */
#ifndef DATA_H
#define DATA_H

#include "mkcramfs.h"
#include "share.h"

/* Contents are read in pieces of this size, a multiple of any block size. */
#define PIECE_SIZE	(2 * MAX_BLOCK_SIZE)

/**
 * struct data - the data of a tree
 * @file: entries that have data of their own, in the order that these have in the image
 * @nr: their number
 * @shared: blocks that occur more than once
 * @nr_in_place: number of blocks that are stored for execution in place
 * @may_pass_reach: these might be further than a pointer reaches that is not direct
 */
struct data {
	struct entry **file;
	size_t nr;
	struct shared_blocks shared;
	__u64 nr_in_place;
	bool may_pass_reach;
};

unsigned int block_len(const struct entry *e, unsigned int index, const struct options *opt);
bool is_full_last(const struct entry *e, unsigned int index, const struct options *opt);
bool is_in_place(const struct entry *e, unsigned int index);
bool is_zero(const unsigned char *p, size_t len);
__u64 data_hash(const void *data, size_t len);
__u64 data_bound(const struct entry *e, const struct options *opt);

#endif
