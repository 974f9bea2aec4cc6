// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that the image is written to. It has a temporary name in the directory of the output
 * until it is complete; if the program ends before, by an error or a signal, nothing is left and
 * an image that was there before stays as it was. An output that is not a file, such as a device,
 * is written to only when the image is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkcramfs.h"

static struct {
	char *path;
	/* the directory it is in, and its name there */
	struct stat dir;
	char *name;
	/* name of the unfinished file; NULL if there is none */
	char *tmp;
	int fd;
	bool is_device;
	/* what is still to be written, and where */
	unsigned char buf[1 << 18];
	size_t len;
	__u64 offset;
} output;

static void discard(void)
{
	if (output.tmp)
		unlink(output.tmp);
}

static void discard_and_die(int sig)
{
	discard();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_signals(void)
{
	static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGXCPU, 0 };
	const int *sig;

	for (sig = fatal; *sig; sig++) {
		/* As nohup has it, a signal that is ignored stays so. */
		if (signal(*sig, discard_and_die) == SIG_IGN)
			signal(*sig, SIG_IGN);
	}
	/* write() then fails with EFBIG, which is told like any other error. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Where the output is, if a symbolic link leads there. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static char *temporary_name(const char *path, bool is_device)
{
	static const char name[] = ".mkcramfs.XXXXXX";
	char *copy = xstrdup(path);
	const char *dir = dirname(copy);
	char *tmp;

	if (is_device)
		dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	tmp = xalloc(strlen(dir) + 1 + sizeof(name));
	sprintf(tmp, "%s/%s", dir, name);
	free(copy);
	return tmp;
}

static void locate(void)
{
	char *dir = xstrdup(output.path), *base = xstrdup(output.path);
	struct stat st;

	output.name = xstrdup(basename(base));
	if (stat(dirname(dir), &output.dir))
		die_errno(output.path);
	if (!stat(output.path, &st)) {
		if (S_ISDIR(st.st_mode))
			die("%s: is a directory", output.path);
		output.is_device = !S_ISREG(st.st_mode);
	}
	free(base);
	free(dir);
}

/**
 * output_create() - open the file that the image is written to
 * @path: what the image will be called
 */
void output_create(const char *path)
{
	mode_t mask = umask(0);
	sigset_t all, before;
	char *tmp;

	umask(mask);
	output.path = resolve(path);
	locate();
	tmp = temporary_name(output.path, output.is_device);
	catch_signals();
	atexit(discard);

	/* A signal comes either before the file or when discard() knows of it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	output.fd = mkstemp(tmp);
	if (output.fd >= 0)
		output.tmp = tmp;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (output.fd < 0)
		die_errno(path);
	if (!output.is_device && fchmod(output.fd, 0666 & ~mask))
		die_errno(path);
}

static bool is_name_of(const char *name, const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(name, slash ? slash + 1 : path);
}

/**
 * output_is() - whether a name in a directory is the output, which is no part of its own contents
 * @dir: the directory
 * @name: the name
 *
 * Return: true for the output and for the unfinished file.
 */
bool output_is(const struct stat *dir, const char *name)
{
	if (dir->st_dev != output.dir.st_dev || dir->st_ino != output.dir.st_ino)
		return false;
	return !strcmp(name, output.name) || is_name_of(name, output.tmp);
}

static void write_all(int fd, const unsigned char *buf, size_t len)
{
	while (len) {
		ssize_t done = write(fd, buf, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die_errno(output.path);
		buf += done;
		len -= done;
	}
}

static void write_at(const unsigned char *buf, size_t len, __u64 offset)
{
	while (len) {
		ssize_t done = pwrite(output.fd, buf, len, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die_errno(output.path);
		buf += done;
		offset += done;
		len -= done;
	}
}

static void flush(void)
{
	write_at(output.buf, output.len, output.offset);
	output.offset += output.len;
	output.len = 0;
}

/**
 * output_write() - write a part of the image
 * @buf: what
 * @len: how many bytes
 * @offset: image offset; what is never written reads as zeros
 *
 * Writes that continue the one before are put together.
 */
void output_write(const void *buf, size_t len, __u64 offset)
{
	if (offset >= output.offset && offset + len <= output.offset + output.len) {
		memcpy(output.buf + (offset - output.offset), buf, len);
		return;
	}
	if (offset != output.offset + output.len || len > sizeof(output.buf) - output.len) {
		/* What is before is not in need of what is in the buffer, nor the other way. */
		if (offset + len <= output.offset) {
			write_at(buf, len, offset);
			return;
		}
		flush();
		output.offset = offset;
	}
	if (len > sizeof(output.buf)) {
		write_at(buf, len, offset);
		output.offset = offset + len;
		return;
	}
	memcpy(output.buf + output.len, buf, len);
	output.len += len;
}

/* Reads the next part of the image, up to @end; returns how many bytes that is. */
static size_t read_some(unsigned char *buf, size_t room, __u64 offset, __u64 end)
{
	ssize_t got;

	if (room > end - offset)
		room = end - offset;
	do {
		got = pread(output.fd, buf, room, offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		die_errno(output.path);
	if (!got)
		die("%s: somebody has cut the unfinished image", output.path);
	return got;
}

static void set_size(__u64 size)
{
	if (ftruncate(output.fd, size))
		die_errno(output.path);
}

/**
 * output_crc() - checksum of a part of the image, as it has been written
 * @start: image offset of its beginning
 * @end: image offset of its end, the end of the image
 *
 * Return: the CRC-32 that the superblock wants.
 */
__u32 output_crc(__u64 start, __u64 end)
{
	static unsigned char buf[65536];
	__u32 crc = 0;

	flush();
	set_size(end);
	while (start < end) {
		size_t len = read_some(buf, sizeof(buf), start, end);

		crc = libdeflate_crc32(crc, buf, len);
		start += len;
	}
	return crc;
}

static void copy_to_device(__u64 size)
{
	static unsigned char buf[65536];
	int fd = open(output.path, O_WRONLY | O_CLOEXEC);
	__u64 done = 0;

	if (fd < 0)
		die_errno(output.path);
	while (done < size) {
		size_t len = read_some(buf, sizeof(buf), done, size);

		write_all(fd, buf, len);
		done += len;
	}
	/* Pipes and terminals cannot be synchronised, and need not be. */
	if (fsync(fd) && errno != EINVAL && errno != EROFS)
		die_errno(output.path);
	if (close(fd))
		die_errno(output.path);
	discard();
}

/**
 * output_commit() - the image is complete: make it the output
 * @size: of the image in bytes
 */
void output_commit(__u64 size)
{
	char *tmp = output.tmp;

	flush();
	set_size(size);
	if (output.is_device) {
		copy_to_device(size);
	} else {
		if (fsync(output.fd))
			die_errno(output.path);
		if (rename(output.tmp, output.path))
			die_errno(output.path);
	}
	close(output.fd);
	output.tmp = NULL;
	free(tmp);
	free(output.name);
	free(output.path);
}
