// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of files and symbolic links: read, found to be the same as other data, and encoded as a
 * table of block pointers and the blocks. What is encoded is returned as bytes; where it goes in
 * the image, and that it gets there, is up to image.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkcramfs.h"

/*
 * Level 9 of libdeflate beats level 9 of zlib in size and time; the levels above win another
 * 1.5 % for four times the time.
 */
#define COMPRESSION_LEVEL 9

/**
 * is_in_place() - whether a block is stored for execution in place
 * @e: file or symbolic link
 * @index: number of the block
 *
 * Return: true if so.
 */
bool is_in_place(const struct entry *e, unsigned int index)
{
	return e->mark && e->mark[index] == MARK_IN_PLACE;
}

/**
 * nr_blocks() - number of blocks, and of block pointers, of an entry
 * @e: file or symbolic link
 * @opt: options
 *
 * Return: their number; the last one may be partial.
 */
unsigned int nr_blocks(const struct entry *e, const struct options *opt)
{
	return align_up(e->size, opt->block_size) / opt->block_size;
}

static unsigned int block_len(const struct entry *e, unsigned int index)
{
	__u64 left = e->size - (__u64)index * BLOCK_SIZE;

	return left < BLOCK_SIZE ? left : BLOCK_SIZE;
}

/* An entry that may have the same data as others. */
struct candidate {
	struct entry *e;
	size_t order;
	__u32 crc;
};

struct candidates {
	struct candidate *list;
	size_t nr;
};

static void collect(struct entry *e, struct candidates *all)
{
	size_t i;

	if (entry_has_data(e)) {
		if (!(all->nr & (all->nr - 1)))
			all->list = xgrow(all->list,
					  (all->nr ? all->nr * 2 : 1) * sizeof(*all->list));
		all->list[all->nr] = (struct candidate){ .e = e, .order = all->nr };
		all->nr++;
	}
	for (i = 0; i < e->nr_children; i++)
		collect(e->child[i], all);
}

static int compare(__u64 x, __u64 y)
{
	return (x > y) - (x < y);
}

/*
 * Entries that share data are one inode for the kernels to date, which take the offset of the data
 * for its number: they must have all attributes in common, or one would show with another's.
 */
static int compare_attributes(const struct candidate *x, const struct candidate *y)
{
	int cmp = compare(x->e->size, y->e->size);

	if (!cmp)
		cmp = compare(x->e->mode, y->e->mode);
	if (!cmp)
		cmp = compare(x->e->uid, y->e->uid);
	if (!cmp)
		cmp = compare(x->e->gid, y->e->gid);
	return cmp;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int cmp = compare_attributes(x, y);

	if (!cmp)
		cmp = compare(x->crc, y->crc);
	if (!cmp)
		cmp = compare(x->order, y->order);
	return cmp;
}

/* Where the run of candidates ends that @from begins, all with the same attributes (and CRC). */
static size_t run_end(const struct candidates *all, size_t from, bool crc)
{
	size_t i;

	for (i = from + 1; i < all->nr; i++) {
		if (compare_attributes(&all->list[from], &all->list[i]))
			break;
		if (crc && all->list[from].crc != all->list[i].crc)
			break;
	}
	return i;
}

static void add_crcs(struct candidates *all)
{
	size_t i, end;

	for (i = 0; i < all->nr; i = end) {
		end = run_end(all, i, false);
		/* One of its kind need not be read. */
		if (end == i + 1)
			continue;
		for (; i < end; i++) {
			struct candidate *c = &all->list[i];
			unsigned char *data = contents_load(c->e);

			c->crc = libdeflate_crc32(0, data, c->e->size);
			free(data);
		}
	}
}

/* Candidates @from to @end look the same. The first of those that are comes first in the image. */
static void join_same(struct candidates *all, size_t from, size_t end)
{
	struct entry *first = all->list[from].e;
	unsigned char *data = contents_load(first);
	size_t i;

	for (i = from + 1; i < end; i++) {
		struct entry *e = all->list[i].e;
		unsigned char *other;

		if (e->same)
			continue;
		other = contents_load(e);
		if (!memcmp(data, other, e->size))
			e->same = first;
		free(other);
	}
	free(data);
}

/**
 * data_dedup() - find the entries that can share the data of an earlier one
 * @root: root of the tree, sorted; entries are earlier in the order of a walk through it
 */
void data_dedup(struct entry *root)
{
	struct candidates all = { 0 };
	size_t i, from, end;

	collect(root, &all);
	if (all.nr)
		qsort(all.list, all.nr, sizeof(*all.list), compare_candidates);
	add_crcs(&all);
	if (all.nr)
		qsort(all.list, all.nr, sizeof(*all.list), compare_candidates);
	for (from = 0; from < all.nr; from = end) {
		end = run_end(&all, from, true);
		for (i = from; i + 1 < end; i++) {
			if (!all.list[i].e->same)
				join_same(&all, i, end);
		}
	}
	free(all.list);
}

static void mark_file(struct entry *e, const struct options *opt)
{
	unsigned char *data = contents_load(e);
	unsigned int nr = nr_blocks(e, opt);

	mark_in_place(e, data, opt);
	free(data);
	/*
	 * Kernels to date take a full last block with a direct pointer for a hole. It is pointed
	 * at without, as the continuation of the block before, so there must be one.
	 */
	if (is_in_place(e, nr - 1) && block_len(e, nr - 1) == BLOCK_SIZE &&
	    (nr == 1 || !is_in_place(e, nr - 2)))
		e->mark[nr - 1] = MARK_LAST;
}

/**
 * data_mark_stored() - decide which blocks are stored for execution in place
 * @e: root of the tree, after data_dedup(); sets e->mark of the files in it
 * @opt: options
 */
void data_mark_stored(struct entry *e, const struct options *opt)
{
	size_t i;

	if (S_ISREG(e->mode) && e->size && !e->same)
		mark_file(e, opt);
	for (i = 0; i < e->nr_children; i++)
		data_mark_stored(e->child[i], opt);
}

/**
 * data_encoded_bound() - most bytes that data_encode() may need
 * @e: file or symbolic link
 * @opt: options
 *
 * Return: their number.
 */
size_t data_encoded_bound(const struct entry *e, const struct options *opt)
{
	/* Pointer, alignment, length, and what zlib may add to a block that does not shrink. */
	return (size_t)nr_blocks(e, opt) * (4 + 3 + 2 + BLOCK_SIZE + 64);
}

/**
 * is_zero() - whether bytes are zero throughout
 * @p: bytes
 * @len: how many, at least one
 *
 * Return: true if so.
 */
bool is_zero(const unsigned char *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* The state of data_encode(). */
struct encoder {
	const struct entry *e;
	const struct options *opt;
	/* output, the image offset of its beginning, and how much there is of it */
	unsigned char *out;
	__u64 offset;
	size_t len;
	/* image offset at which a block begins if its pointer is not direct */
	__u64 next;
	/* that is not here, but after a stored block */
	bool away;
	/* image offset of the next block that is stored for execution in place */
	__u64 stored;
	__u32 flags;
};

static __u32 encode_pointer(struct encoder *enc, __u64 val, __u32 flags)
{
	if (val > MAX_POINTER)
		die_entry(enc->e, "image too large: a block at %llu is out of a pointer's reach",
			  val);
	if (flags)
		enc->flags |= CRAMFS_FLAG_EXT_BLOCK_POINTERS;
	return val | flags;
}

static __u32 encode_direct_pointer(struct encoder *enc, __u64 start, __u32 flags)
{
	return encode_pointer(enc, start >> CRAMFS_BLK_DIRECT_PTR_SHIFT,
		       flags | CRAMFS_BLK_FLAG_DIRECT_PTR);
}

static size_t deflate_block(const unsigned char *block, unsigned int len, unsigned char *out)
{
	static struct libdeflate_compressor *compressor;
	size_t res;

	if (!compressor)
		compressor = libdeflate_alloc_compressor(COMPRESSION_LEVEL);
	if (!compressor)
		die("out of memory");
	res = libdeflate_zlib_compress(compressor, block, len, out, BLOCK_SIZE + 64);
	if (!res)
		die("libdeflate: no room for a block that does not shrink");
	return res;
}

/* The block is with the other stored ones, wherever that is. */
static __u32 encode_stored(struct encoder *enc, unsigned int index)
{
	__u64 start = enc->stored;
	bool last = index == nr_blocks(enc->e, enc->opt) - 1;

	enc->stored += BLOCK_SIZE;
	enc->next = enc->stored;
	enc->away = true;
	/* See mark_file(). */
	if (last && block_len(enc->e, index) == BLOCK_SIZE)
		return encode_pointer(enc, enc->stored, CRAMFS_BLK_FLAG_UNCOMPRESSED);
	return encode_direct_pointer(enc, start, CRAMFS_BLK_FLAG_UNCOMPRESSED);
}

/* The block follows one that lies elsewhere, so it needs a pointer to itself. */
static __u32 encode_direct(struct encoder *enc, const unsigned char *block, unsigned int len)
{
	__u64 start;
	size_t res;

	while (enc->len % 4)
		enc->out[enc->len++] = 0;
	start = enc->offset + enc->len;
	res = deflate_block(block, len, enc->out + enc->len + 2);
	put_u16(enc->out + enc->len, res, enc->opt->big_endian);
	enc->len += 2 + res;
	enc->next = enc->offset + enc->len;
	enc->away = false;
	return encode_direct_pointer(enc, start, 0);
}

static __u32 encode_next(struct encoder *enc, const unsigned char *block, unsigned int len)
{
	__u32 flags = 0;
	size_t res = 0;

	if (!enc->opt->uncompressed)
		res = deflate_block(block, len, enc->out + enc->len);
	if (enc->opt->uncompressed || (enc->opt->ext_pointers && res >= len)) {
		memcpy(enc->out + enc->len, block, len);
		res = len;
		flags = CRAMFS_BLK_FLAG_UNCOMPRESSED;
	}
	enc->len += res;
	enc->next = enc->offset + enc->len;
	return encode_pointer(enc, enc->next, flags);
}

static __u32 encode_block(struct encoder *enc, const unsigned char *block, unsigned int index)
{
	unsigned int len = block_len(enc->e, index);

	if (is_in_place(enc->e, index))
		return encode_stored(enc, index);
	if (enc->opt->holes && is_zero(block, len)) {
		enc->flags |= CRAMFS_FLAG_HOLES;
		return encode_pointer(enc, enc->next, 0);
	}
	if (enc->away)
		return encode_direct(enc, block, len);
	return encode_next(enc, block, len);
}

/**
 * data_encode() - encode the block pointers and blocks of an entry
 * @e: file or symbolic link; e->offset says where in the image the result goes
 * @data: its data
 * @opt: options
 * @out: room for data_encoded_bound() bytes
 * @flags: feature flags that a reader of this needs are added here
 *
 * Blocks stored for execution in place are pointed at, from e->stored_offset on, but not part of
 * the result.
 *
 * Return: length of the result, a multiple of 4. It does not depend on where anything is.
 */
size_t data_encode(const struct entry *e, const unsigned char *data, const struct options *opt,
		   unsigned char *out, __u32 *flags)
{
	unsigned int i, nr = nr_blocks(e, opt);
	struct encoder enc = {
		.e = e,
		.opt = opt,
		.out = out,
		.offset = e->offset,
		.len = nr * 4,
		.next = e->offset + nr * 4,
		.stored = e->stored_offset,
	};

	for (i = 0; i < nr; i++) {
		__u32 ptr = encode_block(&enc, data + (size_t)i * BLOCK_SIZE, i);

		put_u32(out + i * 4, ptr, opt->big_endian);
	}
	while (enc.len % 4)
		out[enc.len++] = 0;
	*flags |= enc.flags;
	return enc.len;
}
