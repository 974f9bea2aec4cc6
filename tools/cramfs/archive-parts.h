/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files share that read the tree from an archive: archive.c, which knows what the entries
 * of an archive mean, archive-input.c, where their bytes come from, and archive-links.c.
 */
#ifndef ARCHIVE_PARTS_H
#define ARCHIVE_PARTS_H

#include "mkcramfs.h"

struct archive;
struct input;

/* archive.c */
struct entry *archive_find(struct entry *root, const char *path);
noreturn void die_archive(struct archive *a, const char *name);

/* archive-input.c */
struct input *input_open(const char *path, const char *name);
bool input_rewind(struct input *in);
int input_attach(struct input *in, struct archive *a);
void input_finish(struct input *in, __s64 end);

/* archive-links.c */
void links_add(struct entry *e, struct entry *first, const char *target);
void links_settle(struct entry *root);

#endif
