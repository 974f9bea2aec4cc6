// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that the image is written to. It has no name until it is complete, so that nothing is
 * left however the program ends before, and an image that was there before stays as it was. Where
 * the file system knows no such files, it has a temporary name in the directory of the output, and
 * errors and signals remove it. An output that is not a file, such as a device or standard output,
 * is written to only when the image is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "data.h"

static struct {
	char *path;
	/* the directory it is in, and its name there */
	struct stat dir;
	char *name;
	/* name of the unfinished file; NULL if there is none */
	char *tmp;
	/* the pattern of that name */
	char *pattern;
	int fd;
	/* of the file, for others */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool is_device, is_block;
	/* standard output, if it is that; else 0 */
	int copy_to;
	/* what is still to be written, and where */
	unsigned char buf[1 << 18];
	size_t len;
	__u64 offset;
} output;

static void discard(void)
{
	if (output.tmp)
		unlink(output.tmp);
	output.tmp = NULL;
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

/* Where the output is, or will be, if a symbolic link leads there. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL), *copy, *next;
	char target[PATH_MAX] = "";

	if (real)
		return real;
	/* With ENOENT, there is an end to it. */
	if (errno != ENOENT || readlink(path, target, sizeof(target) - 1) < 0)
		return xstrdup(path);
	copy = xstrdup(path);
	next = *target == '/' ? xstrdup(target) :
				xasprintf("%s/%s", dirname(copy), target);
	real = resolve(next);
	free(next);
	free(copy);
	return real;
}

static const char *temporary_directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

static char *temporary_pattern(const char *path, bool is_device)
{
	char *copy = xstrdup(path);
	char *pattern = xasprintf("%s/.mkcramfs.XXXXXX",
				  is_device ? temporary_directory() : dirname(copy));

	free(copy);
	return pattern;
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
		output.is_block = S_ISBLK(st.st_mode);
		output.mode = st.st_mode & 0777;
		output.uid = st.st_uid;
		output.gid = st.st_gid;
	}
	free(base);
	free(dir);
}

/* No signal comes between a name and what discard() knows of it. */
static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

static void unblock_signals(const sigset_t *before)
{
	int err = errno;

	sigprocmask(SIG_SETMASK, before, NULL);
	errno = err;
}

/* Opens a file without a name, if it can be given one later. */
static int open_nameless(void)
{
	char *copy = xstrdup(output.pattern);
	int fd = -1;

	if (!access("/proc/self/fd", X_OK))
		fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(copy);
	return fd;
}

static int open_named(void)
{
	char *tmp = xstrdup(output.pattern);
	sigset_t before;
	int fd;

	block_signals(&before);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd >= 0)
		output.tmp = tmp;
	unblock_signals(&before);
	return fd;
}

/**
 * temporary_file() - open a file for our own use, which nobody sees
 *
 * Return: its descriptor, or -1 and errno.
 */
int temporary_file(void)
{
	int fd = open(temporary_directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *path;
	sigset_t before;

	if (fd >= 0)
		return fd;
	/* Some file systems know no files without a name. */
	path = temporary_pattern("", true);
	block_signals(&before);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	unblock_signals(&before);
	free(path);
	return fd;
}

/* From now on, what others print there goes to standard error. */
static void take_stdout(void)
{
	if (isatty(STDOUT_FILENO))
		die("%s: an image is not for a terminal", output.path);
	output.copy_to = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (output.copy_to < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		die_errno(output.path);
}

/**
 * output_create() - open the file that the image is written to
 * @path: what the image will be called; "-" is standard output
 */
void output_create(const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	output.mode = 0666 & ~mask;
	output.uid = -1;
	output.gid = -1;
	if (!strcmp(path, "-")) {
		output.path = xstrdup("standard output");
		output.is_device = true;
		take_stdout();
	} else {
		output.path = resolve(path);
		locate();
	}
	output.pattern = temporary_pattern(output.path, output.is_device);
	catch_signals();
	atexit(discard);

	output.fd = open_nameless();
	if (output.fd < 0)
		output.fd = open_named();
	if (output.fd < 0)
		die_errno(output.is_device ? temporary_directory() : path);
}

/* Whether a name in a directory is a regular file that is open. */
static bool is_file(int dir, const char *name, int file)
{
	struct stat st, open;

	return !fstat(file, &open) && S_ISREG(open.st_mode) &&
	       !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && st.st_dev == open.st_dev &&
	       st.st_ino == open.st_ino;
}

/**
 * output_is() - whether a name in a directory is the output, which is no part of its own contents
 * @fd: the directory
 * @dir: what fstat() says of it
 * @name: the name
 *
 * Return: true for the output and for the unfinished file.
 */
bool output_is(int fd, const struct stat *dir, const char *name)
{
	if (output.tmp && is_file(fd, name, output.fd))
		return true;
	if (output.copy_to)
		return is_file(fd, name, output.copy_to);
	return dir->st_dev == output.dir.st_dev && dir->st_ino == output.dir.st_ino &&
	       !strcmp(name, output.name);
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

/* Nothing is written twice where it could matter: a long run of zeros need not be at all. */
static void flush(void)
{
	if (output.len < sizeof(output.buf) / 2 || !is_zero(output.buf, output.len))
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

/* Opens a device, unless it is in use or has no room for that many bytes. */
static int open_device(__u64 size)
{
	int fd = open(output.path, O_WRONLY | O_CLOEXEC | (output.is_block ? O_EXCL : 0));
	off_t room;

	if (fd < 0)
		die_errno(output.path);
	if (output.is_block) {
		room = lseek(fd, 0, SEEK_END);
		if (room < 0 || lseek(fd, 0, SEEK_SET))
			die_errno(output.path);
		if ((__u64)room < size)
			die("%s: has %jd bytes, the image %llu", output.path, (intmax_t)room, size);
	}
	return fd;
}

static void copy_part(int fd, __u64 start, __u64 end)
{
	if (output.is_block && lseek(fd, start, SEEK_SET) < 0)
		die_errno(output.path);
	while (start < end) {
		size_t len = read_some(output.buf, sizeof(output.buf), start, end);

		write_all(fd, output.buf, len);
		start += len;
	}
	/* Pipes and terminals cannot be synchronised, and need not be. */
	if (fsync(fd) && errno != EINVAL && errno != EROFS)
		die_errno(output.path);
}

static void copy_to_device(__u64 size)
{
	static const unsigned char zeros[BLOCK_SIZE];
	int fd = output.copy_to ? output.copy_to : open_device(size);

	if (output.is_block) {
		/* What an error leaves in the middle has no superblock, old or new. */
		write_all(fd, zeros, sizeof(zeros));
		copy_part(fd, sizeof(zeros), size);
		size = sizeof(zeros);
	}
	copy_part(fd, 0, size);
	if (close(fd))
		die_errno(output.path);
	discard();
}

/* Links the file that has no name where mkstemp() would have made it. */
static void give_name(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *tmp = xstrdup(output.pattern), *end = tmp + strlen(tmp);
	char file[32], *p;
	sigset_t before;
	int err;

	snprintf(file, sizeof(file), "/proc/self/fd/%d", output.fd);
	do {
		unsigned char random[6];

		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			die_errno(output.path);
		for (p = end - sizeof(random); p < end; p++)
			*p = letters[random[end - p - 1] % (sizeof(letters) - 1)];
		block_signals(&before);
		err = linkat(AT_FDCWD, file, AT_FDCWD, tmp, AT_SYMLINK_FOLLOW);
		if (!err)
			output.tmp = tmp;
		unblock_signals(&before);
	} while (err && errno == EEXIST);
	if (err)
		die_errno(output.path);
}

/* That the file has its name is on the medium when its directory is. */
static void sync_directory(void)
{
	char *copy = xstrdup(output.path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A directory that may be written to need not be readable, nor able to do this. */
	if (fd >= 0 && fsync(fd) && errno != EINVAL)
		die_errno(output.path);
	if (fd >= 0)
		close(fd);
	free(copy);
}

static void replace_output(void)
{
	char *tmp;
	sigset_t before;

	/* Who could read the one before can read this one. Not everybody may give a file away. */
	if ((fchown(output.fd, output.uid, output.gid) && errno != EPERM) ||
	    fchmod(output.fd, output.mode))
		die_errno(output.path);
	if (fsync(output.fd))
		die_errno(output.path);
	if (!output.tmp)
		give_name();
	block_signals(&before);
	if (rename(output.tmp, output.path))
		die_errno(output.path);
	tmp = output.tmp;
	output.tmp = NULL;
	unblock_signals(&before);
	free(tmp);
	sync_directory();
}

/**
 * output_commit() - the image is complete: make it the output
 * @size: of the image in bytes
 */
void output_commit(__u64 size)
{
	flush();
	set_size(size);
	if (output.is_device)
		copy_to_device(size);
	else
		replace_output();
	close(output.fd);
	free(output.pattern);
	free(output.name);
	free(output.path);
}
