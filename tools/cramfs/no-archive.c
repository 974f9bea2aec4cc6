// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of reading archives without libarchive.
 */
#include "mkcramfs.h"

struct entry *archive_scan(const struct options *opt)
{
	die("%s: this mkcramfs has been built without libarchive, which --tar needs", opt->source);
}

int spool_fd(void)
{
	return -1;
}
