// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hard links of an archive. While it is read, an entry that is one, or that one leads to, has
 * nothing of its own but a pointer to the file (@same): an entry outside of the tree, which all
 * names of the file share. So a name may be given to something else, and the other names keep what
 * they had. A file of which no name has come yet has mode 0, and is called by the path where it is
 * expected. In the end, each name gets a copy of its file.
 */
#include <stdlib.h>

#include "archive-parts.h"

static struct entry **files;
static size_t nr_files;

static struct entry *add_file(const char *path)
{
	/* Room doubles whenever the number is a power of two. */
	if (!(nr_files & (nr_files - 1)))
		files = xgrow(files, (nr_files ? nr_files * 2 : 1) * sizeof(*files));
	files[nr_files] = tree_new(path, 0);
	return files[nr_files++];
}

static void copy(struct entry *to, const struct entry *from)
{
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->rdev = from->rdev;
	to->size = from->size;
	to->spooled = from->spooled;
	to->target = from->target ? xstrdup(from->target) : NULL;
}

/* The file itself, if it turned out to be one that is known by another name. */
static struct entry *end_of(struct entry *file)
{
	while (file->same) {
		/* So a long chain is gone through once. */
		if (file->same->same)
			file->same = file->same->same;
		file = file->same;
	}
	return file;
}

static struct entry *file_of(struct entry *e)
{
	if (!e->same) {
		struct entry *file = add_file("");

		copy(file, e);
		free(e->target);
		e->target = NULL;
		e->same = file;
	}
	return end_of(e->same);
}

/**
 * links_add() - make an entry a hard link
 * @e: the entry, which is nothing yet
 * @first: entry that it is a link to, or NULL if there is none yet
 * @target: path of that in the archive
 */
void links_add(struct entry *e, struct entry *first, const char *target)
{
	if (first && first != e && !S_ISDIR(first->mode))
		e->same = file_of(first);
	else
		e->same = add_file(target);
}

/* Looks again for a file that had not come when it was linked to. */
static void resolve(struct entry *file, struct entry *root)
{
	struct entry *first = archive_find(root, file->name), *other;

	if (!first || S_ISDIR(first->mode))
		return;
	other = file_of(first);
	/* They may be links to each other only. */
	if (other != file)
		file->same = other;
}

static void settle(struct entry *e, struct entry *root)
{
	const struct entry *file, *found;
	size_t i;

	for (i = 0; i < e->nr_children; i++)
		settle(e->child[i], root);
	if (!e->same)
		return;
	file = end_of(e->same);
	e->same = NULL;
	copy(e, file);
	if (file->mode)
		return;
	found = archive_find(root, file->name);
	if (found && S_ISDIR(found->mode))
		complain_entry(e, "is a hard link to %s, a directory", file->name);
	else
		complain_entry(e, "is a hard link to %s, which is not in the archive", file->name);
	/* This is all that is to be said about it. */
	e->mode = S_IFREG;
}

/**
 * links_settle() - make all hard links what they are links to
 * @root: root of the tree, which is complete
 */
void links_settle(struct entry *root)
{
	size_t i;

	for (i = 0; i < nr_files; i++) {
		if (!files[i]->mode)
			resolve(files[i], root);
	}
	settle(root, root);
	for (i = 0; i < nr_files; i++)
		tree_free(files[i]);
	free(files);
}
