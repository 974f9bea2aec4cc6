// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take what the kernel knows of its own coverage out of a guest that is user-mode
 * Linux, into a directory of the host. coverage.py reads it there.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define HOST	"/host"

static int copy_counts(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base, *end = strrchr(name, '.');
	char target[300], buf[65536];
	int from, to;
	ssize_t len;

	if (type != FTW_F || !end || strcmp(end, ".gcda"))
		return 0;
	snprintf(target, sizeof(target), HOST "/%s", name);
	from = open(path, O_RDONLY | O_CLOEXEC);
	to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (from < 0 || to < 0)
		broken("%s: %s", name, strerror(errno));
	while ((len = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, len) != len)
			broken("%s: %s", target, strerror(errno));
	}
	close(from);
	close(to);
	return 0;
}

/**
 * coverage_save() - write down what was executed
 * @path: a directory of the host
 */
void coverage_save(const char *path)
{
	mkdir(HOST, 0755);
	if (mount("none", HOST, "hostfs", 0, path) ||
	    mount("none", "/sys/kernel/debug", "debugfs", 0, NULL))
		broken("%s: %s", path, strerror(errno));
	nftw("/sys/kernel/debug/gcov", copy_counts, 16, FTW_PHYS);
}
