// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers for those who change inputs: by chance, and such as where mistakes are.
 */
#include "run.h"

/**
 * rng_next() - a number by chance
 * @rng: state, any
 *
 * Return: the number.
 */
__u32 rng_next(struct rng *rng)
{
	__u64 z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z >> 32;
}

/**
 * rng_below() - a number by chance that is below another
 * @rng: state
 * @n: that, above 0
 *
 * Return: the number.
 */
__u32 rng_below(struct rng *rng, __u32 n)
{
	return rng_next(rng) % n;
}

/**
 * rng_one_in() - true in one of so many cases
 * @rng: state
 * @n: how many
 *
 * Return: true, or false.
 */
bool rng_one_in(struct rng *rng, __u32 n)
{
	return !rng_below(rng, n);
}

/**
 * rng_odd() - an offset or length that may not be right
 * @rng: state
 * @size: of what it is in, below 4 GiB
 *
 * Return: beyond or near the end, near the end of a page, near a power of two, or any.
 */
__u64 rng_odd(struct rng *rng, __u64 size)
{
	__u64 near;

	switch (rng_below(rng, 6)) {
	case 0:
		near = size;
		break;
	case 1:
		near = (size / BLOCK_SIZE + rng_below(rng, 3)) * BLOCK_SIZE;
		break;
	case 2:
		near = (__u64)rng_below(rng, size / BLOCK_SIZE + 1) * BLOCK_SIZE;
		break;
	case 3:
		near = 1ULL << rng_below(rng, 64);
		break;
	case 4:
		return rng_below(rng, 16);
	default:
		return rng_next(rng) % (size + 1);
	}
	return rng_one_in(rng, 2) ? near : near + rng_below(rng, 33) - 16;
}
