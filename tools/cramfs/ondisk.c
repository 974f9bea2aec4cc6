// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers in the byte order of the machine that an image is for, which need not be that of this
 * one.
 */
#include "common.h"

/**
 * put_u16() - encode 16 bits
 * @p: where to
 * @val: value
 * @big_endian: byte order
 */
void put_u16(unsigned char *p, __u16 val, bool big_endian)
{
	p[big_endian ? 1 : 0] = val;
	p[big_endian ? 0 : 1] = val >> 8;
}

/**
 * put_u32() - encode 32 bits
 * @p: where to
 * @val: value
 * @big_endian: byte order
 */
void put_u32(unsigned char *p, __u32 val, bool big_endian)
{
	put_u16(p + (big_endian ? 2 : 0), val, big_endian);
	put_u16(p + (big_endian ? 0 : 2), val >> 16, big_endian);
}

/**
 * get_u16() - decode 16 bits
 * @p: where from
 * @big_endian: byte order
 *
 * Return: the value.
 */
__u16 get_u16(const unsigned char *p, bool big_endian)
{
	return p[big_endian ? 1 : 0] | p[big_endian ? 0 : 1] << 8;
}

/**
 * get_u32() - decode 32 bits
 * @p: where from
 * @big_endian: byte order
 *
 * Return: the value.
 */
__u32 get_u32(const unsigned char *p, bool big_endian)
{
	return get_u16(p + (big_endian ? 2 : 0), big_endian) |
	       (__u32)get_u16(p + (big_endian ? 0 : 2), big_endian) << 16;
}

/**
 * is_big_endian_host() - the byte order of this machine
 *
 * Return: true if it is big-endian.
 */
bool is_big_endian_host(void)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}
