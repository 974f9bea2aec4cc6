// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of an archive, from a file or a pipe, without compression. libarchive unpacks all but
 * gzip, of which it checks neither the CRC nor the length: this we do ourselves. And it stops where
 * it thinks that something ends; here all is read to its end, so that nothing is left out unseen.
 */
#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "archive-parts.h"

#define READ_SIZE	65536

/* Of a stream: how far it has been read, and the end of what is not zero so far. */
struct extent {
	__s64 pos, end;
};

struct input {
	const char *name;
	int fd;
	bool can_seek;
	unsigned char buf[READ_SIZE];
	/* bytes in @buf that somebody has looked at only */
	size_t waiting;
	struct extent packed, unpacked;
	/* libarchive's filters, if they are in use */
	struct archive *filter;
	bool is_filtered;
	bool is_gzip;
	/* within a part of the file that has a CRC of its own */
	bool is_in_member;
	z_stream gzip;
	unsigned char out[READ_SIZE];
};

static void pass(struct extent *x, const unsigned char *p, size_t len)
{
	size_t end = len;

	while (end && !p[end - 1])
		end--;
	if (end && x->pos + (__s64)end > x->end)
		x->end = x->pos + end;
	x->pos += len;
}

/**
 * die_archive() - say what libarchive says, and end the program
 * @a: archive
 * @name: what it is called
 */
void die_archive(struct archive *a, const char *name)
{
	const char *what = archive_error_string(a);

	die("%s: %s", name, what ? what : "cut off or damaged");
}

static noreturn void die_rest(const struct input *in)
{
	die("%s: more follows the end of what is compressed", in->name);
}

static size_t read_packed(struct input *in, const void **buf)
{
	size_t len = in->waiting;

	*buf = in->buf;
	in->waiting = 0;
	if (len)
		return len;
	while (len < READ_SIZE) {
		ssize_t done = read(in->fd, in->buf + len, READ_SIZE - len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die_errno(in->name);
		if (!done)
			break;
		len += done;
	}
	pass(&in->packed, in->buf, len);
	return len;
}

static la_ssize_t read_packed_callback(struct archive *a, void *data, const void **buf)
{
	(void)a;
	return read_packed(data, buf);
}

/* The zeros that fill the last block of a tape may follow. */
static bool is_end_of_gzip(struct input *in)
{
	while (in->gzip.avail_in && !*in->gzip.next_in) {
		in->gzip.next_in++;
		in->gzip.avail_in--;
	}
	return !in->gzip.avail_in;
}

static size_t read_gzip(struct input *in, const void **buf)
{
	z_stream *z = &in->gzip;

	z->next_out = in->out;
	z->avail_out = READ_SIZE;
	while (z->avail_out) {
		const void *more;
		int res;

		if (!z->avail_in) {
			z->avail_in = read_packed(in, &more);
			z->next_in = (unsigned char *)more;
		}
		if (!z->avail_in && in->is_in_member)
			die("%s: cut off", in->name);
		if (!z->avail_in)
			break;
		if (!in->is_in_member) {
			if (is_end_of_gzip(in))
				continue;
			if (*z->next_in != 0x1f)
				die_rest(in);
			inflateReset(z);
			in->is_in_member = true;
		}
		res = inflate(z, Z_NO_FLUSH);
		if (res != Z_OK && res != Z_STREAM_END)
			die("%s: damaged: %s", in->name, z->msg ? z->msg : "gzip");
		in->is_in_member = res != Z_STREAM_END;
	}
	*buf = in->out;
	return READ_SIZE - z->avail_out;
}

static size_t read_filtered(struct input *in, const void **buf)
{
	la_int64_t offset;
	size_t len;
	int res;

	do {
		res = archive_read_data_block(in->filter, buf, &len, &offset);
	} while (res == ARCHIVE_OK && !len);
	if (res == ARCHIVE_EOF)
		return 0;
	if (res != ARCHIVE_OK)
		die_archive(in->filter, in->name);
	return len;
}

static la_ssize_t read_unpacked(struct archive *a, void *data, const void **buf)
{
	struct input *in = data;
	size_t len;

	(void)a;
	if (in->is_gzip)
		len = read_gzip(in, buf);
	else if (in->filter)
		len = read_filtered(in, buf);
	else
		len = read_packed(in, buf);
	pass(&in->unpacked, *buf, len);
	return len;
}

static la_int64_t seek(struct archive *a, void *data, la_int64_t offset, int whence)
{
	struct input *in = data;

	(void)a;
	offset = lseek(in->fd, offset, whence);
	if (offset < 0)
		return ARCHIVE_FATAL;
	in->unpacked.pos = offset;
	return offset;
}

static void begin_gzip(struct input *in)
{
	/* 16: gzip, not zlib */
	if (inflateInit2(&in->gzip, 16 + MAX_WBITS) != Z_OK)
		die("out of memory");
	in->is_gzip = true;
	in->is_in_member = true;
}

static void begin_filter(struct input *in)
{
	struct archive_entry *header;
	struct archive *a = archive_read_new();

	if (!a)
		die("out of memory");
	archive_read_support_filter_all(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	archive_read_set_read_callback(a, read_packed_callback);
	archive_read_set_callback_data(a, in);
	if (archive_read_open1(a) != ARCHIVE_OK ||
	    archive_read_next_header(a, &header) < ARCHIVE_WARN)
		die_archive(a, in->name);
	/* Text may follow it, which libarchive would skip. */
	if (archive_filter_code(a, 0) == ARCHIVE_FILTER_UU)
		die("%s: uuencoded, which is for mail", in->name);
	/* The last one is none. */
	if (archive_filter_count(a) > 2)
		die("%s: compressed more than once", in->name);
	in->filter = a;
	in->is_filtered = archive_filter_count(a) == 2;
}

static void go_back(struct input *in)
{
	if (lseek(in->fd, 0, SEEK_SET))
		die_errno(in->name);
	in->waiting = 0;
	memset(&in->packed, 0, sizeof(in->packed));
	memset(&in->unpacked, 0, sizeof(in->unpacked));
}

static void end(struct input *in)
{
	if (in->is_gzip)
		inflateEnd(&in->gzip);
	in->is_gzip = false;
	archive_read_free(in->filter);
	in->filter = NULL;
}

static void begin(struct input *in)
{
	const void *buf;

	in->waiting = read_packed(in, &buf);
	if (!in->waiting)
		die("%s: empty", in->name);
	if (in->waiting > 1 && in->buf[0] == 0x1f && in->buf[1] == 0x8b) {
		begin_gzip(in);
		return;
	}
	begin_filter(in);
	/* Some formats are read from their ends. */
	if (!in->is_filtered && in->can_seek) {
		end(in);
		go_back(in);
	}
}

/**
 * input_open() - open an archive
 * @path: its path; "-" is standard input
 * @name: what it is called in messages
 *
 * Return: what is to be given to input_finish().
 */
struct input *input_open(const char *path, const char *name)
{
	struct input *in = xalloc(sizeof(*in));

	in->name = name;
	in->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (in->fd < 0)
		die_errno(name);
	in->can_seek = !lseek(in->fd, 0, SEEK_CUR);
	begin(in);
	return in;
}

/**
 * input_rewind() - go back to the beginning of the archive
 * @in: input
 *
 * Return: false for a pipe.
 */
bool input_rewind(struct input *in)
{
	if (!in->can_seek)
		return false;
	end(in);
	go_back(in);
	begin(in);
	return true;
}

/**
 * input_attach() - let libarchive read the archive
 * @in: input, at its beginning
 * @a: archive that is yet to be opened
 *
 * Return: ARCHIVE_OK, or what archive_read_open() says.
 */
int input_attach(struct input *in, struct archive *a)
{
	archive_read_set_read_callback(a, read_unpacked);
	if (in->can_seek && !in->is_gzip && !in->filter)
		archive_read_set_seek_callback(a, seek);
	archive_read_set_callback_data(a, in);
	return archive_read_open1(a);
}

/**
 * input_finish() - read the rest of the archive, which checks it, and close it
 * @in: input
 * @len: bytes of the archive that have been of use; nothing but zeros may follow. Negative: what
 *	follows does not matter.
 */
void input_finish(struct input *in, __s64 len)
{
	const void *buf;

	while (read_unpacked(NULL, in, &buf))
		;
	while (read_packed(in, &buf))
		;
	if (in->is_filtered && in->packed.end > archive_filter_bytes(in->filter, 1))
		die_rest(in);
	if (len >= 0 && in->unpacked.end > len)
		die("%s: more follows its end mark", in->name);
	end(in);
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	free(in);
}
