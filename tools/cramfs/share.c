// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of many things occur more than once, by hashes of them. Eight bytes a thing are kept until
 * all have been seen, and more of those only that do occur again: as a rule few blocks do. That
 * two things with one hash are the same is for the caller to see.
 */
#include <stdlib.h>

#include "share.h"

#define REPEATED	1ULL

/* As it is in a slot: never 0, and with the lowest bit to spare. */
static __u64 key_of(__u64 hash)
{
	return hash < 2 ? 2 : hash & ~REPEATED;
}

static __u64 *find_slot(__u64 *slot, size_t room, __u64 key)
{
	size_t i = (key >> 1) & (room - 1);

	while (slot[i] && (slot[i] & ~REPEATED) != key)
		i = (i + 1) & (room - 1);
	return &slot[i];
}

/**
 * repeats_init() - make an empty set
 * @r: to be set up; for repeats_free() to release
 */
void repeats_init(struct repeats *r)
{
	*r = (struct repeats){ .room = 1024 };
	r->slot = xalloc(r->room * sizeof(*r->slot));
}

static void grow(struct repeats *r)
{
	size_t i, room = r->room * 2;
	__u64 *slot = xalloc(room * sizeof(*slot));

	for (i = 0; i < r->room; i++) {
		if (r->slot[i])
			*find_slot(slot, room, r->slot[i] & ~REPEATED) = r->slot[i];
	}
	free(r->slot);
	r->slot = slot;
	r->room = room;
}

/**
 * repeats_add() - add a hash
 * @r: set
 * @hash: its lowest bit does not count
 */
void repeats_add(struct repeats *r, __u64 hash)
{
	__u64 key = key_of(hash);
	__u64 *slot = find_slot(r->slot, r->room, key);

	if (*slot == key) {
		*slot |= REPEATED;
		r->nr_repeated++;
	}
	if (*slot)
		return;
	*slot = key;
	if (++r->nr > r->room / 4 * 3)
		grow(r);
}

/**
 * repeats_has() - whether a hash has been added more than once
 * @r: set
 * @hash: its lowest bit does not count
 *
 * Return: true if so.
 */
bool repeats_has(const struct repeats *r, __u64 hash)
{
	return *find_slot(r->slot, r->room, key_of(hash)) & REPEATED;
}

/**
 * repeats_free() - free what a set has
 * @r: set
 */
void repeats_free(struct repeats *r)
{
	free(r->slot);
}

static int compare_hashes(const void *a, const void *b)
{
	const struct shared_block *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/**
 * shared_blocks_init() - list the blocks that occur more than once
 * @s: to be set up; the caller frees @s->block
 * @r: the hashes of all blocks
 */
void shared_blocks_init(struct shared_blocks *s, const struct repeats *r)
{
	size_t i;

	*s = (struct shared_blocks){ .block = xalloc(r->nr_repeated * sizeof(*s->block)) };
	for (i = 0; i < r->room; i++) {
		if (r->slot[i] & REPEATED)
			s->block[s->nr++].hash = r->slot[i] & ~REPEATED;
	}
	qsort(s->block, s->nr, sizeof(*s->block), compare_hashes);
}

/**
 * shared_blocks_find() - look for a block
 * @s: the blocks that occur more than once
 * @hash: of the block
 *
 * Return: what is known of it, or NULL if it occurs once only.
 */
struct shared_block *shared_blocks_find(const struct shared_blocks *s, __u64 hash)
{
	struct shared_block key = { .hash = key_of(hash) };

	if (!s->nr)
		return NULL;
	return bsearch(&key, s->block, s->nr, sizeof(key), compare_hashes);
}
