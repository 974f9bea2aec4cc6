// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory for the files that a target needs, in $FUZZ_DIR or, made for the purpose, in memory.
 *
 * It also is where images are extracted to, in a directory of its own that is new each time. While
 * that goes on, each call that changes files is held against what has been made in there: only that
 * may be changed, and nothing be made but in a directory of these, by a name that leads nowhere
 * else. All that is done is summed up in a digest, so that two extractions can be compared; and it
 * is limited, since a small image can have very many bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdint.h>

#include "run.h"
#include "tool.h"

/* Bytes that an extraction may write. */
#define MOST_WRITTEN	(32U << 20)

static char *box;

static struct {
	bool runs;
	/* for tsearch(): struct stat of all that has been made */
	void *made;
	__u64 digest, written;
	/* a call that has failed, but for what is there already */
	const char *denied;
	/* the call, counted from the last one, that fails, and how; 0: none */
	unsigned int fails_after;
	int error;
} extraction;

/**
 * box_path() - path of a file in the box
 * @name: its name there
 *
 * Return: the path, which stays valid.
 */
const char *box_path(const char *name)
{
	/* There are few names, and each is asked for again and again. */
	static char path[16][256];
	static unsigned int nr;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(path[i] + strlen(box) + 1, name))
			return path[i];
	if (nr == sizeof(path) / sizeof(*path))
		finding("the harness has no room for so many paths");
	snprintf(path[nr], sizeof(*path), "%s/%s", box, name);
	return path[nr++];
}

/**
 * box_write() - write a file in the box
 * @name: its name there
 * @data: its contents
 * @len: their length in bytes
 */
void box_write(const char *name, const void *data, size_t len)
{
	int fd = open(box_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd))
		finding("the harness cannot write %s: %s", box_path(name), strerror(errno));
}

/**
 * box_has() - whether a file is in the box
 * @name: its name
 *
 * Return: true if so.
 */
bool box_has(const char *name)
{
	return !access(box_path(name), F_OK);
}

/* Empties a directory however deep it is; returns its descriptor under another number. */
static int empty_directory(int fd)
{
	DIR *stream = fdopendir(dup(fd));
	struct dirent *d;
	unsigned int depth = 0;
	bool down;
	int next;

	for (;;) {
		down = false;
		if (!stream)
			finding("the harness cannot read a directory: %s", strerror(errno));
		rewinddir(stream);
		while (!down && (d = readdir(stream))) {
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (!unlinkat(fd, d->d_name, 0) || !unlinkat(fd, d->d_name, AT_REMOVEDIR))
				continue;
			/* One that is not empty; its permissions may be any. */
			fchmodat(fd, d->d_name, 0700, 0);
			next = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			down = true;
			depth++;
		}
		closedir(stream);
		if (!down && !depth)
			return fd;
		if (!down) {
			next = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			depth--;
		}
		if (next < 0)
			finding("the harness cannot remove a directory: %s", strerror(errno));
		close(fd);
		fd = next;
		stream = fdopendir(dup(fd));
	}
}

/**
 * box_remove() - remove a file or directory, with all that is in it, from the box
 * @name: its name; it need not be there
 */
void box_remove(const char *name)
{
	const char *path = box_path(name);
	int fd;

	if (!unlink(path) || !rmdir(path) || errno == ENOENT)
		return;
	chmod(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(empty_directory(fd));
	if (rmdir(path))
		finding("the harness cannot remove %s: %s", path, strerror(errno));
}

static void remove_box(void)
{
	int fd = open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		close(empty_directory(fd));
	rmdir(box);
}

/* However this process ends, as a rule not by its own will, another one sees it and cleans up. */
static void remove_box_at_end(void)
{
	int fd[2];
	char c;

	if (pipe2(fd, O_CLOEXEC))
		finding("the harness cannot make a pipe: %s", strerror(errno));
	switch (fork()) {
	case -1:
		finding("the harness cannot fork: %s", strerror(errno));
	case 0:
		/* Signals of the terminal are for the others. */
		setsid();
		close(fd[1]);
		while (read(fd[0], &c, 1) < 0 && errno == EINTR)
			;
		remove_box();
		_exit(0);
	}
	close(fd[0]);
}

/**
 * box_init() - make the box
 */
void box_init(void)
{
	const char *parent = getenv("FUZZ_DIR");

	if (!parent)
		parent = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	if (asprintf(&box, "%s/cramfs-fuzz.XXXXXX", parent) < 0 || !mkdtemp(box))
		finding("the harness cannot make a directory in %s: %s", parent, strerror(errno));
	remove_box_at_end();
}

/* The guard of extractions */

static int compare_stats(const void *left, const void *right)
{
	const struct stat *a = left, *b = right;

	if (a->st_dev != b->st_dev)
		return a->st_dev < b->st_dev ? -1 : 1;
	return a->st_ino < b->st_ino ? -1 : a->st_ino > b->st_ino;
}

static void note_made(const struct stat *st)
{
	struct stat *copy = malloc(sizeof(*copy)), **found;

	if (!copy)
		finding("the harness has no memory");
	*copy = *st;
	found = tsearch(copy, &extraction.made, compare_stats);
	/* The inode of something that has been removed meanwhile. */
	if (*found != copy)
		free(copy);
}

static void note_fd(int fd)
{
	struct stat st;

	if (!fstat(fd, &st))
		note_made(&st);
}

static void must_be_made(int fd, const char *call)
{
	struct stat st;

	if (!extraction.runs)
		return;
	if (fstat(fd, &st) || !tfind(&st, &extraction.made, compare_stats))
		finding("extraction: %s() of something that it has not made", call);
}

/* A place for a new entry, or one that has been made. */
static void must_be_inside(int dir, const char *name, const char *call)
{
	if (!extraction.runs)
		return;
	must_be_made(dir, call);
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		finding("extraction: %s() of the name '%s'", call, name);
}

static void must_not_run(const char *call)
{
	if (extraction.runs)
		finding("extraction: unexpected %s()", call);
}

static void digest(const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		extraction.digest = (extraction.digest ^ p[i]) * 0x100000001b3ULL;
}

static void digest_numbers(__u64 a, __u64 b)
{
	digest(&a, sizeof(a));
	digest(&b, sizeof(b));
}

static int done(const char *call, const char *name, int res)
{
	if (!extraction.runs)
		return res;
	digest(call, strlen(call));
	digest(name, strlen(name) + 1);
	if (res < 0 && errno != EEXIST)
		extraction.denied = call;
	return res;
}

/* Whether a call is the one that is to fail. */
static bool fails(void)
{
	if (!extraction.runs || !extraction.fails_after || --extraction.fails_after)
		return false;
	errno = extraction.error;
	return true;
}

/**
 * box_begin_extraction() - from now on, there is only what an extraction may do
 * @fails_after: which of the calls that change something fails, from 1 on; 0: none
 * @error: errno then
 */
void box_begin_extraction(unsigned int fails_after, int error)
{
	extraction.fails_after = fails_after;
	extraction.error = error;
	extraction.digest = 0xcbf29ce484222325ULL;
	extraction.written = 0;
	extraction.denied = NULL;
	extraction.runs = true;
}

/**
 * box_end_extraction() - the extraction has ended
 * @denied: set to the last call that has failed, and not since something is there already; or NULL
 *
 * Return: digest of what it has done.
 */
__u64 box_end_extraction(const char **denied)
{
	extraction.runs = false;
	tdestroy(extraction.made, free);
	extraction.made = NULL;
	*denied = extraction.denied;
	return extraction.digest;
}

/* The only directory that is named by a path is the one that is extracted to. */
int tool_mkdir(const char *path, mode_t mode)
{
	int res = mkdir(path, mode);
	struct stat st;

	if (extraction.runs && extraction.made)
		finding("extraction: mkdir(%s)", path);
	if (!res && extraction.runs && !stat(path, &st))
		note_made(&st);
	return res;
}

int tool_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (extraction.runs && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)))
		finding("extraction: open(%s) for writing", path);
	return open(path, flags, mode);
}

int tool_openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;
	int fd;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (!(flags & (O_ACCMODE | O_CREAT | O_TRUNC)))
		return openat(dir, name, flags);
	must_be_inside(dir, name, "openat");
	if (extraction.runs && !(flags & O_EXCL))
		finding("extraction: openat(%s) of what may be there", name);
	fd = done("openat", name, fails() ? -1 : openat(dir, name, flags, mode));
	if (fd >= 0 && extraction.runs)
		note_fd(fd);
	return fd;
}

int tool_mkdirat(int dir, const char *name, mode_t mode)
{
	struct stat st;
	int res;

	must_be_inside(dir, name, "mkdirat");
	res = done("mkdirat", name, fails() ? -1 : mkdirat(dir, name, mode));
	if (!res && extraction.runs && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		note_made(&st);
	return res;
}

int tool_mknodat(int dir, const char *name, mode_t mode, dev_t dev)
{
	must_be_inside(dir, name, "mknodat");
	digest_numbers(mode, dev);
	return done("mknodat", name, fails() ? -1 : mknodat(dir, name, mode, dev));
}

int tool_symlinkat(const char *target, int dir, const char *name)
{
	must_be_inside(dir, name, "symlinkat");
	digest(target, strlen(target) + 1);
	return done("symlinkat", name, fails() ? -1 : symlinkat(target, dir, name));
}

int tool_unlinkat(int dir, const char *name, int flags)
{
	must_be_inside(dir, name, "unlinkat");
	return done("unlinkat", name, fails() ? -1 : unlinkat(dir, name, flags));
}

/* Of the entry itself: never of what a symbolic link leads to. */
static void must_not_follow(int dir, const char *name, int flags, const char *call)
{
	if (!extraction.runs)
		return;
	if (!*name && flags & AT_EMPTY_PATH) {
		must_be_made(dir, call);
		return;
	}
	must_be_inside(dir, name, call);
	if (!(flags & AT_SYMLINK_NOFOLLOW))
		finding("extraction: %s(%s) follows symbolic links", call, name);
}

int tool_fchownat(int dir, const char *name, uid_t uid, gid_t gid, int flags)
{
	must_not_follow(dir, name, flags, "fchownat");
	digest_numbers(uid, gid);
	return done("fchownat", name, fails() ? -1 : fchownat(dir, name, uid, gid, flags));
}

int tool_fchmodat(int dir, const char *name, mode_t mode, int flags)
{
	must_not_follow(dir, name, flags, "fchmodat");
	digest_numbers(mode, 0);
	return done("fchmodat", name, fails() ? -1 : fchmodat(dir, name, mode, flags));
}

int tool_utimensat(int dir, const char *name, const struct timespec *times, int flags)
{
	must_not_follow(dir, name, flags, "utimensat");
	return done("utimensat", name, fails() ? -1 : utimensat(dir, name, times, flags));
}

int tool_fchown(int fd, uid_t uid, gid_t gid)
{
	must_be_made(fd, "fchown");
	digest_numbers(uid, gid);
	return done("fchown", "", fails() ? -1 : fchown(fd, uid, gid));
}

int tool_fchmod(int fd, mode_t mode)
{
	must_be_made(fd, "fchmod");
	digest_numbers(mode, 0);
	return done("fchmod", "", fails() ? -1 : fchmod(fd, mode));
}

int tool_futimens(int fd, const struct timespec *times)
{
	must_be_made(fd, "futimens");
	return done("futimens", "", fails() ? -1 : futimens(fd, times));
}

int tool_ftruncate(int fd, off_t size)
{
	must_be_made(fd, "ftruncate");
	digest_numbers(size, 0);
	return done("ftruncate", "", fails() ? -1 : ftruncate(fd, size));
}

ssize_t tool_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	ssize_t put;

	if (!extraction.runs)
		return pwrite(fd, buf, len, offset);
	must_be_made(fd, "pwrite");
	extraction.written += len;
	if (extraction.written > MOST_WRITTEN) {
		put = -1;
		errno = ENOSPC;
	} else {
		put = fails() ? -1 : pwrite(fd, buf, len, offset);
	}
	digest_numbers(len, offset);
	digest(buf, len);
	return done("pwrite", "", put);
}

int tool_unlink(const char *path)
{
	must_not_run("unlink");
	return unlink(path);
}

int tool_rename(const char *from, const char *to)
{
	must_not_run("rename");
	return rename(from, to);
}

int tool_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	must_not_run("linkat");
	return linkat(from_dir, from, to_dir, to, flags);
}
