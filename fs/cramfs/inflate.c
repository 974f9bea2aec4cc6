// SPDX-License-Identifier: GPL-2.0-only
/*
 * zlib streams. A stream needs more than 40 KB of workspace, so that none is
 * allocated before something compressed is read; from then on there may be one
 * a CPU, and they are kept. Where the input comes from, and what it is part of,
 * is the caller's concern.
 */

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/zlib.h>

#include "cramfs.h"

struct cramfs_inflate {
	struct list_head idle;
	struct z_stream_s z;
	int status;
	unsigned long workspace[];
};

static LIST_HEAD(idle_streams);
static DEFINE_SPINLOCK(idle_lock);
static DECLARE_WAIT_QUEUE_HEAD(idle_wait);

/* Streams in all, idle or not. Only module exit takes one away again. */
static unsigned int nr_streams;
static DEFINE_MUTEX(grow_lock);

static struct cramfs_inflate *pop_idle(void)
{
	struct cramfs_inflate *stream;

	spin_lock(&idle_lock);
	stream = list_first_entry_or_null(&idle_streams, struct cramfs_inflate,
					  idle);
	if (stream)
		list_del(&stream->idle);
	spin_unlock(&idle_lock);

	return stream;
}

static void push_idle(struct cramfs_inflate *stream)
{
	spin_lock(&idle_lock);
	list_add(&stream->idle, &idle_streams);
	spin_unlock(&idle_lock);
	wake_up(&idle_wait);
}

static size_t stream_size(void)
{
	return sizeof(struct cramfs_inflate) + zlib_inflate_workspacesize();
}

/* Without an MMU, __vmalloc() rounds up to a power of two: half as much again. */
static struct cramfs_inflate *alloc_stream(void)
{
	struct cramfs_inflate *stream;
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;

	stream = IS_ENABLED(CONFIG_MMU) ? __vmalloc(stream_size(), gfp) :
					  alloc_pages_exact(stream_size(), gfp);
	if (stream)
		stream->z.workspace = stream->workspace;
	return stream;
}

static void free_stream(struct cramfs_inflate *stream)
{
	if (IS_ENABLED(CONFIG_MMU))
		vfree(stream);
	else
		free_pages_exact(stream, stream_size());
}

static struct cramfs_inflate *get_stream(void)
{
	struct cramfs_inflate *stream = pop_idle();

	if (stream)
		return stream;

	mutex_lock(&grow_lock);
	if (nr_streams < num_online_cpus()) {
		/* Failure is one reader's only while there are no streams yet. */
		stream = alloc_stream();
		if (stream) {
			nr_streams++;
		} else if (!nr_streams) {
			mutex_unlock(&grow_lock);
			return NULL;
		}
	}
	mutex_unlock(&grow_lock);

	if (!stream)
		wait_event(idle_wait, (stream = pop_idle()));

	return stream;
}

/**
 * cramfs_inflate_begin() - begin to inflate a zlib stream
 * @dst: where the result goes
 * @len: room at @dst, in bytes
 *
 * Context: May sleep, to allocate or until another reader is done. The caller
 * must not sleep before it calls cramfs_inflate_end().
 * Return: the stream, or an ERR_PTR: -ENOMEM.
 */
struct cramfs_inflate *cramfs_inflate_begin(void *dst, u32 len)
{
	struct cramfs_inflate *stream = get_stream();

	if (!stream)
		return ERR_PTR(-ENOMEM);

	stream->z.next_in = NULL;
	stream->z.avail_in = 0;
	stream->status = zlib_inflateInit(&stream->z);
	stream->z.next_out = dst;
	stream->z.avail_out = len;

	return stream;
}

/**
 * cramfs_inflate_input() - inflate the next piece of a stream
 * @stream: from cramfs_inflate_begin()
 * @src: compressed bytes
 * @len: how many there are
 *
 * Context: Does not sleep.
 * Return: 0, or -EUCLEAN when the bytes are no such stream, or do not all belong
 * to it, or are too many for the room.
 */
int cramfs_inflate_input(struct cramfs_inflate *stream, const void *src,
			 u32 len)
{
	if (stream->status != Z_OK)
		return -EUCLEAN;

	stream->z.next_in = src;
	stream->z.avail_in = len;
	stream->status = zlib_inflate(&stream->z, Z_SYNC_FLUSH);

	if (stream->z.avail_in)
		return -EUCLEAN;
	if (stream->status != Z_OK && stream->status != Z_STREAM_END)
		return -EUCLEAN;
	return 0;
}

/**
 * cramfs_inflate_end() - end a stream, whatever became of it
 * @stream: from cramfs_inflate_begin(); not to be used any more
 *
 * Context: Does not sleep.
 * Return: the length of the result in bytes, or -EUCLEAN when the stream did not
 * come to its end.
 */
int cramfs_inflate_end(struct cramfs_inflate *stream)
{
	int ret = -EUCLEAN;

	if (stream->status == Z_STREAM_END)
		ret = stream->z.total_out;
	zlib_inflateEnd(&stream->z);
	push_idle(stream);

	return ret;
}

/**
 * cramfs_inflate_exit() - free all streams
 *
 * Context: Module exit, when there are no readers.
 */
void cramfs_inflate_exit(void)
{
	struct cramfs_inflate *stream;

	while ((stream = pop_idle()))
		free_stream(stream);
	nr_streams = 0;
}
