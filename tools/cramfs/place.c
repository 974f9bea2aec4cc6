// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where blocks go in the image: each file has its table of block pointers, and its blocks after
 * that; last come all blocks that are stored for execution in place. They are together, or each
 * file would cost half a page of padding, and last since pointers reach further than inodes.
 *
 * Inodes reach 256 MiB only. As soon as a file might not leave enough of these to the tables of
 * all that follow, those are put in one place, and the blocks behind them.
 *
 * A pointer says where a block ends, which begins where the one before ended. That reaches 1 GiB
 * if pointers can have flags. A block that begins elsewhere, or is beyond, has a direct pointer,
 * which says where it begins, in units of four bytes; a compressed one has its length there then.
 */
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "place.h"

/* The length before a compressed block with a direct pointer has 16 bits. */
#define LENGTH_SIZE	2
#define MAX_LENGTH	0xffffU

/* Pointers of a file, some of which count from the beginning of the blocks in place. */
struct table {
	struct table *next;
	const struct entry *e;
	__u64 offset;
	unsigned int nr;
	__u32 *pointer;
	bool *relative;
};

struct place {
	const struct options *opt;
	const struct data *data;
	/* end of what has been given a place; of what is in place, from its own beginning */
	__u64 end, in_place_len;
	/* bytes of pointers of files that have not begun, and of the last one of them */
	__u64 tables_left, last_table;
	/* where the next of these go if they are together; 0: before the blocks */
	__u64 next_table;
	/* most that a pointer can say that is not direct */
	__u64 reach;
	/* the file that blocks come of */
	struct entry *e;
	struct table *table;
	bool needs_in_place;
	/* where a block begins that has no direct pointer, perhaps from the blocks in place on */
	__u64 next;
	bool next_relative;
	/* the latest block of length 0, to point at; 0: there is none yet */
	__u64 hole;
	/* tables that wait for the place of the blocks in place */
	struct table *waiting;
	struct compressor *compressor;
	/* blocks that were compressed by it */
	unsigned int nr_late;
	struct layout layout;
	struct usage *usage, total;
	__u32 flags;
	/* end of what progress_update() has been told of */
	__u64 reported;
};

/**
 * place_create() - begin to give blocks their places
 * @data: the files, after data_analyse()
 * @opt: options
 * @start: image offset of the first table
 *
 * Return: what the functions here need; for place_destroy() to free.
 */
struct place *place_create(const struct data *data, const struct options *opt, __u64 start)
{
	struct place *p = xalloc(sizeof(*p));
	size_t i;

	p->opt = opt;
	p->data = data;
	p->end = start;
	p->layout.data = start;
	p->reach = opt->ext_pointers ? MAX_POINTER : 0xffffffff;
	for (i = 0; i < data->nr; i++) {
		p->last_table = nr_blocks(data->file[i], opt) * 4;
		p->tables_left += p->last_table;
	}
	return p;
}

/* Appends zeros until the end is a multiple of @to; returns it. */
static __u64 pad(struct place *p, unsigned int to)
{
	static const unsigned char zeros[4];
	unsigned int len = align_up(p->end, to) - p->end;

	if (len && len < sizeof(zeros))
		output_write(zeros, len, p->end);
	p->end += len;
	if (p->usage)
		p->usage->padding += len;
	else
		p->total.padding += len;
	return p->end;
}

static void append(struct place *p, const void *buf, size_t len)
{
	output_write(buf, len, p->end);
	p->end += len;
}

/* Zeros for what is known later: so it becomes one write with what follows. */
static void reserve(struct place *p, size_t len)
{
	unsigned char *zeros = xalloc(len);

	append(p, zeros, len);
	free(zeros);
}

static void check_size(const struct place *p)
{
	__u64 size = p->end + p->data->nr_in_place * p->opt->block_size;

	if (align_up(size, p->opt->block_size) > 0xffffffff)
		die_entry(p->e, "image too large: more than 4 GiB");
}

/* Tables of this file and of all that follow go here, blocks behind them. */
static void gather_tables(struct place *p)
{
	p->next_table = pad(p, 4);
	p->end += p->tables_left;
	p->layout.far_data = p->end;
}

static __u64 place_table(struct place *p, struct entry *e)
{
	__u64 len = nr_blocks(e, p->opt) * 4, offset;

	if (!p->opt->ext_pointers && p->end + p->tables_left - p->last_table > MAX_INODE_OFFSET)
		die_entry(e,
			  "image too large: data beyond 256 MiB are reached with -x only");
	if (p->opt->ext_pointers && !p->next_table &&
	    p->end + data_bound(e, p->opt) + p->tables_left > MAX_INODE_OFFSET)
		gather_tables(p);
	p->tables_left -= len;
	if (p->next_table) {
		offset = p->next_table;
		p->next_table += len;
	} else {
		offset = pad(p, 4);
		reserve(p, len);
	}
	if (offset > MAX_INODE_OFFSET)
		die_entry(e, "image too large: data at %llu is out of an inode's reach", offset);
	return offset;
}

static void begin_file(struct place *p, struct entry *e)
{
	struct table *t = xalloc(sizeof(*t));

	p->e = e;
	p->usage = &e->usage;
	t->e = e;
	t->nr = nr_blocks(e, p->opt);
	t->pointer = xalloc(t->nr * sizeof(*t->pointer));
	t->relative = xalloc(t->nr * sizeof(*t->relative));
	t->offset = place_table(p, e);
	e->offset = t->offset;
	p->table = t;
	p->needs_in_place = false;
	p->next = t->offset + t->nr * 4;
	p->next_relative = false;
	p->usage->in_bytes = e->size;
	p->usage->pointer_bytes = t->nr * 4;
}

static void write_table(const struct table *t, const struct options *opt)
{
	unsigned char *out = xgrow(NULL, t->nr * 4);
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		put_u32(out + i * 4, t->pointer[i], opt->big_endian);
	output_write(out, t->nr * 4, t->offset);
	free(out);
}

static void free_table(struct table *t)
{
	free(t->relative);
	free(t->pointer);
	free(t);
}

static void end_file(struct place *p)
{
	struct table *t = p->table;

	pad(p, 4);
	if (p->needs_in_place) {
		t->next = p->waiting;
		p->waiting = t;
	} else {
		write_table(t, p->opt);
		free_table(t);
	}
	check_size(p);
	p->usage = NULL;
	progress_update(p->e->size, p->end - p->reported +
			(__u64)p->e->usage.in_place * p->opt->block_size, true);
	p->reported = p->end;
}

static void set_pointer(struct place *p, unsigned int index, __u32 pointer, bool relative)
{
	if (pointer & CRAMFS_BLK_FLAGS && p->opt->ext_pointers)
		p->flags |= CRAMFS_FLAG_EXT_BLOCK_POINTERS;
	p->table->pointer[index] = pointer;
	p->table->relative[index] = relative;
	p->needs_in_place |= relative;
}

static __u32 direct_pointer(__u64 start, __u32 flags)
{
	return start >> CRAMFS_BLK_DIRECT_PTR_SHIFT | CRAMFS_BLK_FLAG_DIRECT_PTR | flags;
}

/* The block whose pointer this is ends there. */
static void set_next(struct place *p, __u64 next, bool relative)
{
	p->next = next;
	p->next_relative = relative;
}

/*
 * Whether the next block is the last one, cannot have a direct pointer, as it must not be
 * compressed or could be too long for it then, and cannot follow where the block before this one
 * ends: so it has to follow this one.
 */
static bool last_follows(const struct place *p, const struct block *b)
{
	return (p->opt->uncompressed || p->opt->block_size == MAX_BLOCK_SIZE) &&
	       p->opt->ext_pointers && b->index + 2 == p->table->nr &&
	       is_full_last(b->e, b->index + 1, p->opt) && (p->next_relative || p->next != p->end);
}

static void place_hole(struct place *p, const struct block *b)
{
	static const unsigned char length[LENGTH_SIZE];
	bool here = last_follows(p, b);

	p->flags |= CRAMFS_FLAG_HOLES;
	p->usage->holes++;
	p->usage->hole_bytes += b->len;
	if (here || (p->next_relative ? p->data->may_pass_reach : p->next > p->reach)) {
		if (here || !p->hole) {
			p->hole = pad(p, 4);
			append(p, length, sizeof(length));
			p->usage->compressed_bytes += sizeof(length);
		}
		set_pointer(p, b->index, direct_pointer(p->hole, 0), false);
		set_next(p, p->hole + LENGTH_SIZE, false);
		return;
	}
	set_pointer(p, b->index, p->next, p->next_relative);
}

static void place_later(struct place *p, const struct block *b)
{
	__u64 start = p->in_place_len;

	p->in_place_len += p->opt->block_size;
	p->usage->in_place++;
	p->usage->in_place_bytes += b->len;
	p->usage->padding += p->opt->block_size - b->len;
	if (is_full_last(b->e, b->index, p->opt))
		set_pointer(p, b->index, p->in_place_len | CRAMFS_BLK_FLAG_UNCOMPRESSED, true);
	else
		set_pointer(p, b->index, direct_pointer(start, CRAMFS_BLK_FLAG_UNCOMPRESSED), true);
	set_next(p, p->in_place_len, true);
}

/* Whether a block that is @len bytes long can have a pointer that is not direct. */
static bool continues(const struct place *p, size_t len)
{
	return p->next == p->end && !p->next_relative && p->end + len <= p->reach;
}

static void place_stored(struct place *p, const struct block *b, bool direct)
{
	p->usage->stored++;
	p->usage->stored_bytes += b->len;
	if (direct) {
		__u32 pointer = direct_pointer(pad(p, 4), CRAMFS_BLK_FLAG_UNCOMPRESSED);

		set_pointer(p, b->index, pointer, false);
		if (b->shared)
			b->shared->pointer = pointer;
		append(p, b->data, b->len);
	} else {
		append(p, b->data, b->len);
		set_pointer(p, b->index, p->end | CRAMFS_BLK_FLAG_UNCOMPRESSED, false);
	}
	set_next(p, p->end, false);
}

static void place_compressed(struct place *p, const struct block *b, const void *packed, size_t len,
			     bool direct)
{
	p->usage->compressed++;
	p->usage->compressed_bytes += len;
	if (direct) {
		__u32 pointer = direct_pointer(pad(p, 4), 0);
		unsigned char length[LENGTH_SIZE];

		if (len > MAX_LENGTH)
			die_entry(p->e, "block %u is too long; use smaller ones (-b)", b->index);
		set_pointer(p, b->index, pointer, false);
		if (b->shared) {
			b->shared->pointer = pointer;
			b->shared->len = sizeof(length) + len;
		}
		put_u16(length, len, p->opt->big_endian);
		append(p, length, sizeof(length));
		append(p, packed, len);
		p->usage->compressed_bytes += sizeof(length);
	} else {
		append(p, packed, len);
		set_pointer(p, b->index, p->end, false);
	}
	set_next(p, p->end, false);
}

/* A block that was thought to need none, but cannot do without. */
static void place_compressed_late(struct place *p, const struct block *b, bool direct)
{
	unsigned char packed[MAX_BLOCK_SIZE + COMPRESS_GROWTH];
	size_t len;

	if (!p->compressor)
		p->compressor = compressor_create(p->opt);
	len = compressor_run(p->compressor, b->data, b->len, packed);
	p->nr_late++;
	place_compressed(p, b, packed, len, direct || !continues(p, len));
}

static void place_own(struct place *p, const struct block *b)
{
	const struct options *opt = p->opt;
	bool stored = opt->uncompressed || (opt->ext_pointers && b->packed_len >= b->len);
	/* Others can point at it only if it has a direct pointer. */
	bool direct = b->shared;

	if (stored && continues(p, b->len) && !direct)
		place_stored(p, b, false);
	else if (stored && !is_full_last(b->e, b->index, opt))
		place_stored(p, b, true);
	else if (b->packed)
		place_compressed(p, b, b->packed, b->packed_len,
				 direct || !continues(p, b->packed_len));
	else
		place_compressed_late(p, b, direct);
}

static __u64 start_of(__u32 direct_pointer)
{
	return (__u64)(direct_pointer & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
}

static void place_shared(struct place *p, const struct block *b)
{
	const struct shared_block *s = b->shared;
	bool stored = s->pointer & CRAMFS_BLK_FLAG_UNCOMPRESSED;

	if (stored && is_full_last(b->e, b->index, p->opt)) {
		struct block own = *b;

		own.shared = NULL;
		place_compressed_late(p, &own, false);
		return;
	}
	p->usage->shared++;
	p->usage->shared_bytes += b->len;
	set_pointer(p, b->index, s->pointer, s->in_place);
	set_next(p, start_of(s->pointer) + (stored ? p->opt->block_size : s->len), s->in_place);
}

static void place_block(struct place *p, const struct block *b)
{
	if (!b->index)
		begin_file(p, b->e);
	switch (b->kind) {
	case BLOCK_HOLE:
		place_hole(p, b);
		break;
	case BLOCK_IN_PLACE:
		place_later(p, b);
		break;
	case BLOCK_SHARED:
		place_shared(p, b);
		break;
	case BLOCK_OWN:
		place_own(p, b);
		break;
	}
	if (b->index == p->table->nr - 1)
		end_file(p);
}

/**
 * place_batch() - give blocks their places, and write them
 * @b: the blocks, which follow the ones before in the order of the data
 * @place: what place_create() has returned
 */
void place_batch(struct batch *b, void *place)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		place_block(place, &b->block[i]);
}

/* Now that it is known where the blocks in place begin, so is where they are. */
static void finish_tables(struct place *p, __u64 start)
{
	unsigned int i;

	while (p->waiting) {
		struct table *t = p->waiting;

		for (i = 0; i < t->nr; i++) {
			if (!t->relative[i])
				continue;
			if (t->pointer[i] & CRAMFS_BLK_FLAG_DIRECT_PTR)
				t->pointer[i] += start >> CRAMFS_BLK_DIRECT_PTR_SHIFT;
			else
				t->pointer[i] += start;
		}
		write_table(t, p->opt);
		p->waiting = t->next;
		free_table(t);
	}
}

static void copy_in_place(struct place *p, struct entry *e, unsigned char *buf)
{
	const struct options *opt = p->opt;
	unsigned int i, nr = nr_blocks(e, opt);
	struct contents c;

	e->in_place_offset = p->end;
	contents_open(&c, e);
	for (i = 0; i < nr; i++) {
		unsigned int len = block_len(e, i, opt);

		if (!is_in_place(e, i))
			continue;
		contents_read(&c, buf, len, (__u64)i * opt->block_size);
		/* Who maps a partial page must not see a neighbour's bytes. */
		memset(buf + len, 0, opt->block_size - len);
		append(p, buf, opt->block_size);
	}
	contents_close(&c);
}

/**
 * place_in_place() - write the blocks that are stored for execution in place
 * @p: after all files have been placed
 */
void place_in_place(struct place *p)
{
	const struct options *opt = p->opt;
	/*
	 * Without an MMU a mapping begins anywhere, but what is in it may need some alignment. 32
	 * bytes are a cache line of the processors concerned, and what bFLT tools align data to.
	 */
	unsigned int align = opt->xip == XIP_NOMMU ? 32 : opt->block_size;
	unsigned char *buf = xgrow(NULL, opt->block_size);
	size_t i;

	p->layout.data_end = p->end;
	p->layout.in_place = p->data->nr_in_place ? pad(p, align) : p->end;
	finish_tables(p, p->end);
	for (i = 0; i < p->data->nr; i++) {
		if (p->data->file[i]->usage.in_place)
			copy_in_place(p, p->data->file[i], buf);
	}
	p->layout.end = p->end;
	p->layout.size = pad(p, opt->block_size);
	if (!p->layout.far_data)
		p->layout.far_data = p->layout.data_end;
	free(buf);
}

/**
 * place_destroy() - all blocks have their places
 * @p: freed
 * @layout: filled in, but for what is before the data
 * @total: padding that belongs to no file is added
 * @flags: feature flags that a reader of the pointers needs are added
 */
void place_destroy(struct place *p, struct layout *layout, struct usage *total, __u32 *flags)
{
	*layout = p->layout;
	total->padding += p->total.padding;
	*flags |= p->flags;
	if (p->opt->uncompressed && p->nr_late)
		warn("blocks that had to be compressed, as they could not be reached: %u",
		     p->nr_late);
	compressor_destroy(p->compressor);
	free(p);
}
