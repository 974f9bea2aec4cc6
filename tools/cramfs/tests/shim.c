// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded by the tests to show mkcramfs a file system that is hard to come by without being
 * root: names in another order, owners and device numbers at will. It changes what the C library
 * says, never what is on disk.
 *
 * SHIM_REVERSE=1             directories list their names in descending order
 * SHIM_STAT=NAME:FIELD=N     fstatat() of NAME, or a path that ends in /NAME, says N for the field,
 *                            one of uid, gid, size, chr and blk (a device with the number N)
 * SHIM_OTHER=NAME:FIELD=N    the same once more
 * SHIM_MKDIR_FROM=PATH       mkdir() writes that file over ...
 * SHIM_MKDIR_TO=PATH         ... this one, too
 * SHIM_MKDIRAT=NAME          mkdirat() of NAME also moves ...
 * SHIM_MOVE_FROM=PATH        ... this ...
 * SHIM_MOVE_TO=PATH          ... there
 * SHIM_CLOCK=MS              the monotonic clock goes on by so much whenever it is looked at
 * SHIM_NO_TMPFILE=1          no file system has files without a name
 * SHIM_POOR=1                the file system has neither links nor owners, and permissions of files
 *                            only that are open
 * SHIM_HASH=1                everything has the same hash
 * SHIM_AT=FUNCTION           when pread(), pwrite() or fchmod() has been called for the first time,
 * SHIM_SHRINK=PATH           cut that file to 5 bytes,
 * SHIM_GROW=PATH             append to it, or make it,
 * SHIM_SIGNAL=NUMBER         and send us that signal
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 64

struct listing {
	DIR *dir;
	struct dirent64 **entry;
	size_t nr, next;
};

static struct listing listings[MAX_DEPTH];

static int descending(const void *a, const void *b)
{
	const struct dirent64 *const *x = a, *const *y = b;

	return strcmp((*y)->d_name, (*x)->d_name);
}

static void fill(struct listing *l, DIR *dir)
{
	struct dirent64 *(*real)(DIR *dir) = dlsym(RTLD_NEXT, "readdir64");
	struct dirent64 *d;

	*l = (struct listing){ .dir = dir };
	while ((d = real(dir))) {
		l->entry = realloc(l->entry, (l->nr + 1) * sizeof(*l->entry));
		l->entry[l->nr] = malloc(sizeof(*d));
		memcpy(l->entry[l->nr++], d, d->d_reclen);
	}
	qsort(l->entry, l->nr, sizeof(*l->entry), descending);
}

static struct listing *listing_of(DIR *dir)
{
	int i, unused = -1;

	for (i = 0; i < MAX_DEPTH; i++) {
		if (listings[i].dir == dir)
			return &listings[i];
		if (!listings[i].dir && unused < 0)
			unused = i;
	}
	if (unused < 0)
		abort();
	fill(&listings[unused], dir);
	return &listings[unused];
}

struct dirent64 *readdir64(DIR *dir)
{
	struct dirent64 *(*real)(DIR *dir) = dlsym(RTLD_NEXT, "readdir64");
	struct listing *l;

	if (!getenv("SHIM_REVERSE"))
		return real(dir);
	l = listing_of(dir);
	if (l->next < l->nr)
		return l->entry[l->next++];
	while (l->nr)
		free(l->entry[--l->nr]);
	free(l->entry);
	l->dir = NULL;
	return NULL;
}

static void change(struct stat64 *st, const char *field, unsigned long val)
{
	if (!strcmp(field, "uid"))
		st->st_uid = val;
	else if (!strcmp(field, "gid"))
		st->st_gid = val;
	else if (!strcmp(field, "size"))
		st->st_size = val;
	else
		st->st_mode = (*field == 'c' ? S_IFCHR : S_IFBLK) | 0600;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		st->st_rdev = val;
}

static void change_as_told(const char *variable, const char *path, struct stat64 *st)
{
	const char *want = getenv(variable), *slash = strrchr(path, '/');
	char name[64], field[8];
	unsigned long val;

	if (want && sscanf(want, "%63[^:]:%7[^=]=%lu", name, field, &val) == 3 &&
	    !strcmp(slash ? slash + 1 : path, name))
		change(st, field, val);
}

int fstatat64(int dir, const char *path, struct stat64 *st, int flags)
{
	int (*real)(int dir, const char *path, struct stat64 *st, int flags) =
		dlsym(RTLD_NEXT, "fstatat64");
	int ret = real(dir, path, st, flags);

	if (!ret) {
		change_as_told("SHIM_STAT", path, st);
		change_as_told("SHIM_OTHER", path, st);
	}
	return ret;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int (*real)(clockid_t clock, struct timespec *ts) = dlsym(RTLD_NEXT, "clock_gettime");
	const char *step = getenv("SHIM_CLOCK");
	static long ms;

	if (clock != CLOCK_MONOTONIC || !step)
		return real(clock, ts);
	ms += atol(step);
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	return 0;
}

static void overwrite(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "r+");
	int c;

	while ((c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
	fclose(out);
}

int mkdir(const char *path, mode_t mode)
{
	int (*real)(const char *path, mode_t mode) = dlsym(RTLD_NEXT, "mkdir");
	const char *from = getenv("SHIM_MKDIR_FROM");

	if (from)
		overwrite(from, getenv("SHIM_MKDIR_TO"));
	return real(path, mode);
}

/* What is done once, at the first call of the function that SHIM_AT names. */
static void interfere(const char *function)
{
	const char *at = getenv("SHIM_AT"), *path;

	if (!at || strcmp(at, function))
		return;
	unsetenv("SHIM_AT");
	path = getenv("SHIM_SHRINK");
	if (path && truncate(path, 5))
		abort();
	path = getenv("SHIM_GROW");
	if (path) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);

		if (fd < 0 || write(fd, "more", 4) != 4 || close(fd))
			abort();
	}
	if (getenv("SHIM_SIGNAL"))
		kill(getpid(), atoi(getenv("SHIM_SIGNAL")));
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t offset)
{
	ssize_t (*real)(int fd, void *buf, size_t len, off64_t offset) =
		dlsym(RTLD_NEXT, "pread64");
	ssize_t got = real(fd, buf, len, offset);

	interfere("pread");
	return got;
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
	ssize_t (*real)(int fd, const void *buf, size_t len, off64_t offset) =
		dlsym(RTLD_NEXT, "pwrite64");
	ssize_t done = real(fd, buf, len, offset);

	interfere("pwrite");
	return done;
}

int fchmod(int fd, mode_t mode)
{
	int (*real)(int fd, mode_t mode) = dlsym(RTLD_NEXT, "fchmod");
	int ret = real(fd, mode);

	interfere("fchmod");
	return ret;
}

int open64(const char *path, int flags, ...)
{
	int (*real)(const char *path, int flags, ...) = dlsym(RTLD_NEXT, "open64");
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (getenv("SHIM_NO_TMPFILE") && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return real(path, flags, mode);
}

int fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	int (*real)(int dir, const char *path, uid_t uid, gid_t gid, int flags) =
		dlsym(RTLD_NEXT, "fchownat");

	errno = EOPNOTSUPP;
	return getenv("SHIM_POOR") ? -1 : real(dir, path, uid, gid, flags);
}

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
	int (*real)(int dir, const char *path, mode_t mode, int flags) =
		dlsym(RTLD_NEXT, "fchmodat");

	errno = EOPNOTSUPP;
	return getenv("SHIM_POOR") ? -1 : real(dir, path, mode, flags);
}

int symlinkat(const char *target, int dir, const char *path)
{
	int (*real)(const char *target, int dir, const char *path) =
		dlsym(RTLD_NEXT, "symlinkat");

	errno = EPERM;
	return getenv("SHIM_POOR") ? -1 : real(target, dir, path);
}

unsigned long XXH3_64bits(const void *data, size_t len)
{
	unsigned long (*real)(const void *data, size_t len) = dlsym(RTLD_NEXT, "XXH3_64bits");

	return getenv("SHIM_HASH") ? 42 : real(data, len);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	int (*real)(int dir, const char *path, mode_t mode) = dlsym(RTLD_NEXT, "mkdirat");
	const char *name = getenv("SHIM_MKDIRAT");

	if (name && !strcmp(path, name))
		rename(getenv("SHIM_MOVE_FROM"), getenv("SHIM_MOVE_TO"));
	return real(dir, path, mode);
}
