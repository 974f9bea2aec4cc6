// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of files and symbolic links, before any is written: what is the same as other data, in
 * whole or in blocks, and which blocks are stored for execution in place. Contents are read once,
 * in pieces, where two could be the same; hashes find what may be, and bytes decide.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "compress.h"
#include "data.h"

/* Enough of a file to tell what it is. */
#define FIRST_BYTES	64U

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

/**
 * block_len() - length of a block
 * @e: file or symbolic link
 * @index: number of the block
 * @opt: options
 *
 * Return: the length in bytes.
 */
unsigned int block_len(const struct entry *e, unsigned int index, const struct options *opt)
{
	__u64 left = e->size - (__u64)index * opt->block_size;

	return left < opt->block_size ? left : opt->block_size;
}

/**
 * is_full_last() - whether a block is the last one of an entry, and as long as any
 * @e: file or symbolic link
 * @index: number of the block
 * @opt: options
 *
 * Kernels to date take such a block for a hole if it is stored and has a direct pointer.
 *
 * Return: true if so.
 */
bool is_full_last(const struct entry *e, unsigned int index, const struct options *opt)
{
	return (__u64)(index + 1) * opt->block_size == e->size;
}

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

/**
 * data_hash() - hash of some bytes
 * @data: the bytes
 * @len: how many
 *
 * Return: the hash; bytes that differ can have the same one.
 */
__u64 data_hash(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

/**
 * data_bound() - the most that an entry takes of the image, blocks in place aside
 * @e: file or symbolic link
 * @opt: options
 *
 * Return: pointers, blocks that do not shrink, their lengths and alignment, in bytes.
 */
__u64 data_bound(const struct entry *e, const struct options *opt)
{
	return (__u64)nr_blocks(e, opt) * (4 + 3 + 2 + COMPRESS_GROWTH) + e->size;
}

/* The state of data_analyse(). */
struct analysis {
	const struct options *opt;
	/* attributes of entries, and blocks of those that are not the same as others */
	struct repeats attributes, blocks;
	/* entries by the hash of their contents and attributes: open addressing */
	struct known {
		__u64 hash;
		struct entry *e;
	} *known;
	size_t room;
	/* of the blocks of one file, 0 for holes; then of its attributes */
	__u64 *hash;
	unsigned char *piece, *other;
};

static void collect(struct entry *e, struct data *data)
{
	size_t i;

	if (entry_has_data(e)) {
		if (!(data->nr & (data->nr - 1)))
			data->file = xgrow(data->file,
					   (data->nr ? data->nr * 2 : 1) * sizeof(*data->file));
		/* Until they are in order, this is the place in the tree. */
		e->offset = data->nr;
		data->file[data->nr++] = e;
	}
	for (i = 0; i < e->nr_children; i++)
		collect(e->child[i], data);
}

static int compare_places(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority < (*y)->priority ? -1 : 1;
	return (*x)->offset < (*y)->offset ? -1 : 1;
}

static void list_files(struct entry *root, struct data *data)
{
	collect(root, data);
	if (data->nr)
		qsort(data->file, data->nr, sizeof(*data->file), compare_places);
}

/*
 * Entries that share data are one inode for the kernels to date, which take the offset of the data
 * for its number: they must have all attributes in common, or one would show with another's.
 */
static bool same_attributes(const struct entry *x, const struct entry *y)
{
	return x->size == y->size && x->mode == y->mode && x->uid == y->uid && x->gid == y->gid;
}

static __u64 hash_attributes(const struct entry *e)
{
	__u64 all[] = { e->size, e->mode, e->uid, e->gid };

	return data_hash(all, sizeof(all));
}

/* Hashes the blocks of an entry; returns a hash of all, with the attributes. */
static __u64 hash_blocks(struct analysis *a, const struct entry *e)
{
	const struct options *opt = a->opt;
	unsigned int i, nr = nr_blocks(e, opt);
	struct contents c;

	contents_open(&c, e);
	for (i = 0; i < nr; i++) {
		unsigned int len = block_len(e, i, opt);
		__u64 offset = (__u64)i * opt->block_size;
		unsigned char *p = a->piece + offset % PIECE_SIZE;

		if (p == a->piece)
			contents_read(&c, p, e->size - offset < PIECE_SIZE ?
				      e->size - offset : PIECE_SIZE, offset);
		a->hash[i] = opt->holes && is_zero(p, len) ? 0 : data_hash(p, len);
	}
	contents_close(&c);
	a->hash[nr] = hash_attributes(e);
	return data_hash(a->hash, (nr + 1) * sizeof(*a->hash));
}

/* @e has been read last: if that is one piece, it is still there. */
static bool same_contents(struct analysis *a, const struct entry *other, const struct entry *e)
{
	bool read_both = e->size > PIECE_SIZE, same = true;
	struct contents c, co;
	__u64 offset;

	contents_open(&co, other);
	if (read_both)
		contents_open(&c, e);
	for (offset = 0; same && offset < e->size; offset += PIECE_SIZE) {
		size_t len = e->size - offset < PIECE_SIZE ? e->size - offset : PIECE_SIZE;

		contents_read(&co, a->other, len, offset);
		if (read_both)
			contents_read(&c, a->piece, len, offset);
		same = !memcmp(a->piece, a->other, len);
	}
	if (read_both)
		contents_close(&c);
	contents_close(&co);
	return same;
}

/* Returns the earlier entry that is the same; else @e is known from now on. */
static struct entry *find_same(struct analysis *a, struct entry *e, __u64 hash)
{
	size_t i = hash & (a->room - 1);

	for (; a->known[i].e; i = (i + 1) & (a->room - 1)) {
		struct entry *other = a->known[i].e;

		if (a->known[i].hash == hash && same_attributes(other, e) &&
		    same_contents(a, other, e))
			return other;
	}
	a->known[i] = (struct known){ .hash = hash, .e = e };
	return NULL;
}

static void analyse_entry(struct analysis *a, struct entry *e)
{
	bool share = a->opt->share_blocks;
	unsigned int i, nr = nr_blocks(e, a->opt);

	/* One of its kind need not be read. */
	if (!share && !repeats_has(&a->attributes, hash_attributes(e)))
		return;
	e->same = find_same(a, e, hash_blocks(a, e));
	for (i = 0; share && !e->same && i < nr; i++) {
		if (a->hash[i])
			repeats_add(&a->blocks, a->hash[i]);
	}
}

static void find_repeats(struct data *data, const struct options *opt)
{
	struct analysis a = { .opt = opt, .room = 2 };
	size_t i, nr = 0;

	repeats_init(&a.attributes);
	repeats_init(&a.blocks);
	while (a.room < 2 * data->nr)
		a.room *= 2;
	a.known = xalloc(a.room * sizeof(*a.known));
	a.hash = xgrow(NULL, (MAX_FILE_SIZE / opt->block_size + 2) * sizeof(*a.hash));
	a.piece = xgrow(NULL, PIECE_SIZE);
	a.other = xgrow(NULL, PIECE_SIZE);

	for (i = 0; i < data->nr; i++)
		repeats_add(&a.attributes, hash_attributes(data->file[i]));
	for (i = 0; i < data->nr; i++)
		analyse_entry(&a, data->file[i]);
	shared_blocks_init(&data->shared, &a.blocks);

	for (i = 0; i < data->nr; i++) {
		if (!data->file[i]->same)
			data->file[nr++] = data->file[i];
	}
	data->nr = nr;

	free(a.other);
	free(a.piece);
	free(a.hash);
	free(a.known);
	repeats_free(&a.blocks);
	repeats_free(&a.attributes);
}

/* Blocks elsewhere that are the same as this one in place can be left to it. */
static void share_in_place(struct data *data, const struct entry *e, unsigned int index,
			   const unsigned char *block, unsigned int len,
			   const struct options *opt)
{
	struct shared_block *s = shared_blocks_find(&data->shared, data_hash(block, len));

	if (!s || s->e)
		return;
	s->e = e;
	s->index = index;
	s->in_place = true;
	s->pointer = (data->nr_in_place * opt->block_size) >> CRAMFS_BLK_DIRECT_PTR_SHIFT |
		     CRAMFS_BLK_FLAG_DIRECT_PTR | CRAMFS_BLK_FLAG_UNCOMPRESSED;
}

static void mark_file(struct data *data, struct entry *e, const struct options *opt)
{
	unsigned char *contents = contents_load(e);
	unsigned int i, nr = nr_blocks(e, opt);

	mark_in_place(e, contents, opt);
	/*
	 * A full last block is pointed at without a direct pointer, as the continuation of the
	 * block before, so there must be one.
	 */
	if (is_in_place(e, nr - 1) && is_full_last(e, nr - 1, opt) &&
	    (nr == 1 || !is_in_place(e, nr - 2)))
		e->mark[nr - 1] = MARK_LAST;
	for (i = 0; i < nr; i++) {
		if (!is_in_place(e, i))
			continue;
		share_in_place(data, e, i, contents + (size_t)i * opt->block_size,
			       block_len(e, i, opt), opt);
		data->nr_in_place++;
	}
	free(contents);
}

static void mark_files(struct data *data, const struct options *opt)
{
	size_t i;

	for (i = 0; i < data->nr; i++) {
		struct entry *e = data->file[i];
		unsigned char first[FIRST_BYTES];
		struct contents c;
		size_t len = e->size < sizeof(first) ? e->size : sizeof(first);

		if (!S_ISREG(e->mode))
			continue;
		contents_open(&c, e);
		contents_read(&c, first, len, 0);
		contents_close(&c);
		if (may_be_in_place(e, first, len, opt))
			mark_file(data, e, opt);
	}
}

static __u64 most_bytes(const struct data *data, const struct options *opt)
{
	/* Inodes do not reach further, so what comes before data does not either. */
	__u64 sum = MAX_INODE_OFFSET + data->nr_in_place * opt->block_size;
	size_t i;

	for (i = 0; i < data->nr; i++)
		sum += data_bound(data->file[i], opt);
	return sum;
}

/*
 * The pointer to a full last block in place is one that is not direct, and those reach 1 GiB only.
 * Where the blocks in place might pass that, these few are not among them.
 */
static void unmark_last(struct data *data, const struct options *opt)
{
	size_t i;

	data->nr_in_place = 0;
	for (i = 0; i < data->nr; i++) {
		struct entry *e = data->file[i];
		unsigned int k, nr = nr_blocks(e, opt);

		if (is_in_place(e, nr - 1) && is_full_last(e, nr - 1, opt))
			e->mark[nr - 1] = MARK_LAST;
		for (k = 0; k < nr; k++)
			data->nr_in_place += is_in_place(e, k);
	}
	/* Their places are not what they were. */
	for (i = 0; i < data->shared.nr; i++) {
		data->shared.block[i].e = NULL;
		data->shared.block[i].in_place = false;
		data->shared.block[i].pointer = 0;
	}
}

/**
 * data_analyse() - find out what is to be written, and where that is once only
 * @root: root of the tree, after tree_finish(); sets e->same and e->mark of what is in it
 * @opt: options
 *
 * Return: what image_write() needs to know; for data_free() to free.
 */
struct data *data_analyse(struct entry *root, const struct options *opt)
{
	struct data *data = xalloc(sizeof(*data));

	list_files(root, data);
	find_repeats(data, opt);
	if (opt->xip_rules)
		rules_apply(root, opt);
	if (opt->xip != XIP_NONE || opt->xip_rules) {
		mark_files(data, opt);
		data->may_pass_reach = most_bytes(data, opt) > MAX_POINTER;
		if (data->may_pass_reach)
			unmark_last(data, opt);
	}
	if (opt->xip_rules)
		rules_check(opt);
	return data;
}

/**
 * data_free() - free what data_analyse() has returned
 * @data: that
 */
void data_free(struct data *data)
{
	free(data->shared.block);
	free(data->file);
	free(data);
}
