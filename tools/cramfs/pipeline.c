// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pipeline: one thread fills batches of blocks, others compress them, and the first one gets
 * them back in the order in which it has filled them. So the image does not depend on who was
 * faster, and memory is bounded by the number of batches. With one thread, that does all.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "compress.h"
#include "pipeline.h"

/* Memory is bounded by this, too. */
#define MOST_THREADS	64U

struct pipeline {
	const struct options *opt;
	batch_fn done;
	void *arg;
	/* a ring: the oldest one, the next to be compressed, the next to be filled */
	struct batch *batch;
	unsigned int nr_batches;
	unsigned int first, work, fill;
	/* the threads that compress; without any, the first one's is for the one that there is */
	struct worker {
		struct pipeline *p;
		struct compressor *compressor;
		pthread_t thread;
	} worker[MOST_THREADS];
	unsigned int nr_threads;
	bool ends;
	pthread_mutex_t lock;
	pthread_cond_t has_work, has_done;
};

static void compress_batch(struct compressor *c, struct batch *b, const struct options *opt)
{
	unsigned char *out = b->packed;
	unsigned int i;

	if (opt->uncompressed)
		return;
	for (i = 0; i < b->nr; i++) {
		struct block *block = &b->block[i];

		if (block->kind != BLOCK_OWN)
			continue;
		block->packed = out;
		block->packed_len = compressor_run(c, block->data, block->len, out);
		out += block->len + COMPRESS_GROWTH;
	}
}

static struct batch *wait_for_work(struct pipeline *p)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&p->lock);
	while (p->batch[p->work].state != BATCH_WAITS && !p->ends)
		pthread_cond_wait(&p->has_work, &p->lock);
	if (p->batch[p->work].state == BATCH_WAITS) {
		b = &p->batch[p->work];
		b->state = BATCH_BUSY;
		p->work = (p->work + 1) % p->nr_batches;
	}
	pthread_mutex_unlock(&p->lock);
	return b;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct pipeline *p = worker->p;
	struct batch *b;

	while ((b = wait_for_work(p))) {
		compress_batch(worker->compressor, b, p->opt);
		pthread_mutex_lock(&p->lock);
		b->state = BATCH_DONE;
		pthread_cond_signal(&p->has_done);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

static void start_threads(struct pipeline *p, unsigned int nr)
{
	sigset_t all, before;

	/* Signals are for the thread that knows what there is to be cleaned up. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->nr_threads < nr) {
		struct worker *worker = &p->worker[p->nr_threads];

		if (pthread_create(&worker->thread, NULL, work, worker))
			break;
		p->nr_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/**
 * pipeline_create() - start the threads that compress blocks
 * @opt: options
 * @done: called with each batch that is done, in the order of pipeline_submit(), by the thread
 *	that calls the functions here
 * @arg: passed to @done
 *
 * Return: the pipeline, for pipeline_finish() to free.
 */
struct pipeline *pipeline_create(const struct options *opt, batch_fn done, void *arg)
{
	struct pipeline *p = xalloc(sizeof(*p));
	unsigned int i, threads = opt->threads < MOST_THREADS ? opt->threads : MOST_THREADS;

	p->opt = opt;
	p->done = done;
	p->arg = arg;
	p->nr_batches = threads > 1 ? 2 * threads + 2 : 1;
	p->batch = xalloc(p->nr_batches * sizeof(*p->batch));
	for (i = 0; i < p->nr_batches; i++) {
		p->batch[i].data = xgrow(NULL, PIECE_SIZE);
		p->batch[i].packed = xgrow(NULL, PIECE_SIZE + BATCH_BLOCKS * COMPRESS_GROWTH);
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->has_work, NULL);
	pthread_cond_init(&p->has_done, NULL);
	/* Memory that lacks is told here, where no other thread is yet. */
	for (i = 0; i < threads; i++)
		p->worker[i] = (struct worker){ .p = p, .compressor = compressor_create(opt) };
	if (threads > 1)
		start_threads(p, threads);
	return p;
}

static bool is_free(struct pipeline *p, const struct batch *b)
{
	bool res;

	pthread_mutex_lock(&p->lock);
	res = b->state == BATCH_FREE;
	pthread_mutex_unlock(&p->lock);
	return res;
}

/* Hands out the first batch, which is done or will be. */
static void hand_out(struct pipeline *p)
{
	struct batch *b = &p->batch[p->first];

	pthread_mutex_lock(&p->lock);
	while (b->state != BATCH_DONE)
		pthread_cond_wait(&p->has_done, &p->lock);
	pthread_mutex_unlock(&p->lock);

	p->done(b, p->arg);
	b->nr = 0;
	b->data_len = 0;
	p->first = (p->first + 1) % p->nr_batches;

	pthread_mutex_lock(&p->lock);
	b->state = BATCH_FREE;
	pthread_mutex_unlock(&p->lock);
}

/**
 * pipeline_next() - the batch to be filled
 * @p: pipeline
 *
 * May hand out other batches that are done.
 *
 * Return: the batch, which is the same until pipeline_submit().
 */
struct batch *pipeline_next(struct pipeline *p)
{
	struct batch *b = &p->batch[p->fill];

	/* If it is not free, none is, and it is the first one. */
	if (!is_free(p, b))
		hand_out(p);
	return b;
}

/**
 * pipeline_submit() - let the batch that has been filled be compressed
 * @p: pipeline
 */
void pipeline_submit(struct pipeline *p)
{
	struct batch *b = &p->batch[p->fill];

	if (!p->nr_threads)
		compress_batch(p->worker[0].compressor, b, p->opt);
	p->fill = (p->fill + 1) % p->nr_batches;
	pthread_mutex_lock(&p->lock);
	b->state = p->nr_threads ? BATCH_WAITS : BATCH_DONE;
	pthread_cond_signal(&p->has_work);
	pthread_mutex_unlock(&p->lock);
}

static void stop_threads(struct pipeline *p)
{
	unsigned int i;

	pthread_mutex_lock(&p->lock);
	p->ends = true;
	pthread_cond_broadcast(&p->has_work);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->nr_threads; i++)
		pthread_join(p->worker[i].thread, NULL);
}

/**
 * pipeline_finish() - hand out all batches that have been submitted, and free the pipeline
 * @p: pipeline
 */
void pipeline_finish(struct pipeline *p)
{
	unsigned int i;

	while (!is_free(p, &p->batch[p->first]))
		hand_out(p);
	stop_threads(p);
	for (i = 0; i < p->nr_batches; i++) {
		free(p->batch[i].data);
		free(p->batch[i].packed);
	}
	for (i = 0; i < MOST_THREADS; i++)
		compressor_destroy(p->worker[i].compressor);
	pthread_cond_destroy(&p->has_done);
	pthread_cond_destroy(&p->has_work);
	pthread_mutex_destroy(&p->lock);
	free(p->batch);
	free(p);
}
