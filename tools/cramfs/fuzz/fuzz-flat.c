// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of bFLT programs: words of the header, and relocations, are changed.
 */
#include "run.h"

#define HEADER_WORDS	16U

/* Words of the header: where the data begin, and the relocations; how many these are; flags. */
#define REVISION	1U
#define DATA_START	3U
#define RELOC_START	7U
#define RELOC_COUNT	8U
#define FLAGS		9U

static __u32 get(const uint8_t *data, unsigned int word)
{
	return get_u32(data + word * 4, true);
}

static void put(uint8_t *data, unsigned int word, __u32 val)
{
	put_u32(data + word * 4, val, true);
}

static void change_header(uint8_t *data, size_t size, struct rng *rng)
{
	unsigned int word = 2 + rng_below(rng, 8);

	if (rng_one_in(rng, 32))
		put(data, REVISION, rng_below(rng, 6));
	else if (word == FLAGS)
		put(data, word, rng_below(rng, 32));
	else if (word == RELOC_COUNT && rng_one_in(rng, 2))
		/* To just the end of the file. */
		put(data, word, (size - get(data, RELOC_START)) / 4 + rng_below(rng, 3) - 1);
	else if (word == RELOC_START && rng_one_in(rng, 2))
		put(data, word, size - get(data, RELOC_COUNT) * 4 + rng_below(rng, 9) - 4);
	else if (word == DATA_START && rng_one_in(rng, 2))
		put(data, word, size + rng_below(rng, 3) - 1);
	else if (rng_one_in(rng, 8))
		put(data, word, 0x10000000 - rng_below(rng, 3));
	else
		put(data, word, rng_odd(rng, size));
}

static void change_relocation(uint8_t *data, size_t size, struct rng *rng)
{
	__u64 start = get(data, RELOC_START), nr = get(data, RELOC_COUNT), at;

	if (!nr)
		return;
	at = start + rng_below(rng, nr < 16 ? nr : 16) * 4ULL;
	if (at + 4 <= size)
		put_u32(data + at, rng_odd(rng, get(data, DATA_START)), true);
}

/**
 * LLVMFuzzerCustomMutator() - change a bFLT program
 * @data: the file, and a byte of options; changed
 * @size: length of both
 * @max: what there is room for
 * @seed: for numbers by chance
 *
 * Return: the new length.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct rng rng = { seed };
	size_t len = size - 1;

	if (size < HEADER_WORDS * 4 + 1 || rng_one_in(&rng, 6))
		return LLVMFuzzerMutate(data, size, max);
	do {
		switch (rng_below(&rng, 8)) {
		case 0:
			data[len] = rng_next(&rng);
			break;
		case 1 ... 2:
			change_relocation(data, len, &rng);
			break;
		default:
			change_header(data, len, &rng);
		}
	} while (rng_one_in(&rng, 2));
	/* The file may end anywhere in what the header tells. */
	if (rng_one_in(&rng, 8)) {
		size_t end = rng_odd(&rng, len) % (len + 1);

		data[end] = data[len];
		return end + 1;
	}
	return size;
}
