// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream of blocks: all files are read in the order of their data, cut into blocks, and these
 * sent through the pipeline, unless it is clear at once what becomes of them: holes, blocks that
 * are the same as others, and those stored for execution in place, which are not read here.
 */
#include <string.h>

#include "pipeline.h"

struct stream {
	const struct data *data;
	const struct options *opt;
	struct pipeline *pipeline;
	/* the entry whose blocks are compared with */
	struct contents other;
	unsigned char buf[MAX_BLOCK_SIZE];
};

static void open_other(struct stream *s, const struct entry *e)
{
	if (s->other.e == e)
		return;
	if (s->other.e)
		contents_close(&s->other);
	contents_open(&s->other, e);
}

static bool same_block(struct stream *s, const struct shared_block *shared, const struct block *b)
{
	if (block_len(shared->e, shared->index, s->opt) != b->len)
		return false;
	open_other(s, shared->e);
	contents_read(&s->other, s->buf, b->len, (__u64)shared->index * s->opt->block_size);
	return !memcmp(s->buf, b->data, b->len);
}

/*
 * A full last block cannot be stored and have a direct pointer, see is_full_last(). If it must not
 * be compressed, or could be too long then for a direct pointer, it has to follow the one before
 * it, so that one cannot be anywhere.
 */
static bool may_share(const struct stream *s, const struct block *b)
{
	unsigned int nr = nr_blocks(b->e, s->opt);

	if (!s->opt->uncompressed && s->opt->block_size < MAX_BLOCK_SIZE)
		return true;
	return !is_full_last(b->e, nr - 1, s->opt) || b->index + 2 < nr;
}

static void classify(struct stream *s, struct block *b)
{
	struct shared_block *shared;

	b->kind = BLOCK_OWN;
	if (s->opt->holes && is_zero(b->data, b->len)) {
		b->kind = BLOCK_HOLE;
		return;
	}
	if (!s->data->shared.nr || !may_share(s, b))
		return;
	shared = shared_blocks_find(&s->data->shared, data_hash(b->data, b->len));
	if (!shared)
		return;
	if (!shared->e) {
		shared->e = b->e;
		shared->index = b->index;
		b->shared = shared;
	} else if (same_block(s, shared, b)) {
		b->kind = BLOCK_SHARED;
		b->shared = shared;
	}
}

static struct block *add_block(struct batch *batch, struct entry *e, unsigned int index,
			       const struct options *opt)
{
	struct block *b = &batch->block[batch->nr++];

	*b = (struct block){ .e = e, .index = index, .len = block_len(e, index, opt) };
	return b;
}

/* How many blocks that have to be read fit into the batch, from @index on. */
static unsigned int blocks_to_read(const struct stream *s, const struct batch *batch,
				   const struct entry *e, unsigned int index)
{
	unsigned int i, nr = nr_blocks(e, s->opt);
	size_t room = PIECE_SIZE - batch->data_len;

	for (i = index; i < nr && i - index < BATCH_BLOCKS - batch->nr; i++) {
		unsigned int len = block_len(e, i, s->opt);

		if (is_in_place(e, i) || len > room)
			break;
		room -= len;
	}
	return i - index;
}

static void read_blocks(struct stream *s, struct batch *batch, struct contents *c,
			struct entry *e, unsigned int index, unsigned int nr)
{
	__u64 offset = (__u64)index * s->opt->block_size;
	unsigned char *p = batch->data + batch->data_len;
	unsigned int i;
	size_t len = 0;

	for (i = index; i < index + nr; i++)
		len += block_len(e, i, s->opt);
	if (!c->e)
		contents_open(c, e);
	contents_read(c, p, len, offset);
	batch->data_len += len;
	for (i = index; i < index + nr; i++) {
		struct block *b = add_block(batch, e, i, s->opt);

		b->data = p;
		p += b->len;
		classify(s, b);
	}
}

static void stream_file(struct stream *s, struct entry *e)
{
	unsigned int i = 0, nr = nr_blocks(e, s->opt);
	struct contents c = { 0 };

	while (i < nr) {
		struct batch *batch = pipeline_next(s->pipeline);
		unsigned int n = blocks_to_read(s, batch, e, i);

		if (n) {
			read_blocks(s, batch, &c, e, i, n);
		} else if (is_in_place(e, i) && batch->nr < BATCH_BLOCKS) {
			add_block(batch, e, i, s->opt)->kind = BLOCK_IN_PLACE;
			n = 1;
		} else {
			pipeline_submit(s->pipeline);
		}
		i += n;
	}
	if (c.e)
		contents_close(&c);
}

/**
 * stream_files() - send the blocks of all files through the pipeline
 * @data: the files, after data_analyse()
 * @opt: options
 * @done: called with each batch of blocks when they are compressed, in the order of the data
 * @arg: passed to @done
 */
void stream_files(const struct data *data, const struct options *opt, batch_fn done, void *arg)
{
	struct stream s = { .data = data, .opt = opt };
	size_t i;

	s.pipeline = pipeline_create(opt, done, arg);
	for (i = 0; i < data->nr; i++)
		stream_file(&s, data->file[i]);
	if (data->nr)
		pipeline_submit(s.pipeline);
	if (s.other.e)
		contents_close(&s.other);
	pipeline_finish(s.pipeline);
}
