// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in memory from an archive, of which the contents of files go to a spool file.
 */
#include "mkcramfs.h"

static int spool = -1;

/**
 * spool_fd() - the file that has the contents of an archive's files
 *
 * Return: its descriptor.
 */
int spool_fd(void)
{
	return spool;
}

/**
 * archive_scan() - read the source archive
 * @opt: options
 *
 * Return: the root of the tree.
 */
struct entry *archive_scan(const struct options *opt)
{
	die("%s: archives are not read yet", opt->source);
}
