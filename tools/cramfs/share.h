/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of many things occur more than once, by hashes of them; and the blocks of which this is so.
 */
#ifndef SHARE_H
#define SHARE_H

#include "mkcramfs.h"

/**
 * struct repeats - a set of hashes that knows which have been added more than once
 * @slot: open addressing, 0 if unused; the lowest bit says that it was added again
 * @room: number of slots, a power of two
 * @nr: number of slots that are used
 * @nr_repeated: number of hashes that were added again
 */
struct repeats {
	__u64 *slot;
	size_t room, nr, nr_repeated;
};

void repeats_init(struct repeats *r);
void repeats_add(struct repeats *r, __u64 hash);
bool repeats_has(const struct repeats *r, __u64 hash);
void repeats_free(struct repeats *r);

/**
 * struct shared_block - a block that occurs more than once
 * @hash: of its bytes
 * @e: entry where it was first seen, or NULL
 * @pointer: direct pointer to it, once it has a place
 * @len: what it takes of the image, if it is compressed
 * @index: number of the block in @e
 * @in_place: @pointer counts from the beginning of the blocks in place
 */
struct shared_block {
	__u64 hash;
	const struct entry *e;
	__u32 pointer;
	__u32 len : 17, index : 13, in_place : 1;
};

/**
 * struct shared_blocks - all of them, in the order of their hashes
 * @block: an array of them
 * @nr: their number
 */
struct shared_blocks {
	struct shared_block *block;
	size_t nr;
};

void shared_blocks_init(struct shared_blocks *s, const struct repeats *r);
struct shared_block *shared_blocks_find(const struct shared_blocks *s, __u64 hash);

#endif
