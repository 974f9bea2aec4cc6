/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparison of a mounted tree with what the host expects of it.
 */
#ifndef CRAMFS_TREE_H
#define CRAMFS_TREE_H

#include "guest.h"

/* What to compare; each is a test of its own. */
#define TREE_NAMES	0x01	/* every entry is there, and no other */
#define TREE_MODES	0x02	/* type and permissions */
#define TREE_OWNERS	0x04
#define TREE_SIZES	0x08
#define TREE_READ	0x10	/* contents by read() */
#define TREE_MAPPED	0x20	/* contents by mmap() */
#define TREE_PLACES	0x40	/* page frame behind each page of each file */
#define TREE_LINKS	0x80	/* targets of symlinks */
#define TREE_DEVICES	0x100	/* numbers of device nodes */
#define TREE_TIMES	0x200	/* all are the epoch */
#define TREE_DIRENTS	0x400	/* type and inode number in directories are those of stat() */
#define TREE_ALL	0x7ff

int compare_tree(const struct image *image, const char *top, unsigned int what, bool linear);

#endif
