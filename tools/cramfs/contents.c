// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of files and symbolic links, wherever they are: in the file of that name, which must
 * stay as it was found while the image is made, or in the spool file that has those of an archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data.h"

/**
 * contents_state() - what is known of a file, and is another as soon as the file is
 * @st: what stat() says of it
 *
 * Return: a hash of it. The time of change is in it, which nobody can put back.
 */
__u64 contents_state(const struct stat *st)
{
	__u64 all[] = {
		st->st_dev, st->st_ino, st->st_mode, st->st_size, st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec
	};

	return data_hash(all, sizeof(all));
}

static void check_unchanged(const struct contents *c)
{
	const struct entry *e = c->e;
	struct stat st;

	if (fstat(c->fd, &st))
		die_entry(e, "%s", strerror(errno));
	if (contents_state(&st) != e->state)
		die_entry(e, "changed while the image was made");
}

/**
 * contents_open() - begin to read the contents of an entry
 * @c: to be set up; for contents_close() to release
 * @e: file or symbolic link
 */
void contents_open(struct contents *c, const struct entry *e)
{
	*c = (struct contents){ .e = e, .fd = -1 };
	if (S_ISLNK(e->mode) || e->spooled >= 0)
		return;
	/* O_NONBLOCK: should a FIFO have taken its place, do not wait for a writer. */
	c->fd = entry_open(e, O_RDONLY | O_NONBLOCK);
	if (c->fd < 0)
		die_entry(e, "%s", strerror(errno));
}

noreturn static void die_of_read(const struct contents *c, const char *why)
{
	/* If it is something else by now, that is why. */
	if (c->fd >= 0)
		check_unchanged(c);
	die_entry(c->e, "%s", why);
}

/**
 * contents_read() - read a part of the contents
 * @c: contents, open
 * @buf: where to
 * @len: how many bytes
 * @offset: of the first one; all of the range must be in the entry
 */
void contents_read(struct contents *c, void *buf, size_t len, __u64 offset)
{
	const struct entry *e = c->e;
	bool spooled = e->spooled >= 0;
	unsigned char *p = buf;

	if (S_ISLNK(e->mode)) {
		memcpy(buf, e->target + offset, len);
		return;
	}
	if (spooled)
		offset += e->spooled;
	while (len) {
		ssize_t got = pread(spooled ? spool_fd() : c->fd, p, len, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			die_of_read(c, got ? strerror(errno) : "ends too early");
		p += got;
		offset += got;
		len -= got;
	}
}

/**
 * contents_close() - all that is needed has been read: see that it is still as it was
 * @c: contents, open
 */
void contents_close(struct contents *c)
{
	if (c->fd >= 0) {
		check_unchanged(c);
		close(c->fd);
	}
}

/**
 * contents_load() - read all of the contents into memory
 * @e: file or symbolic link
 *
 * Return: the contents, to be freed by the caller.
 */
unsigned char *contents_load(const struct entry *e)
{
	unsigned char *data = xgrow(NULL, e->size);
	struct contents c;

	contents_open(&c, e);
	contents_read(&c, data, e->size, 0);
	contents_close(&c);
	return data;
}
