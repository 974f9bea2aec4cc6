// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks a mounted tree and counts its differences from the expectations of the
 * host. It says what differs, as comments of the test output; whether that is
 * a failure is for the caller.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tree.h"

#define MAX_SHOWN	10

struct walk {
	const struct image *image;
	const char *top;
	unsigned int what;
	bool linear;
	bool peer;
	dev_t dev;
	int bad;
};

static void differ(struct walk *walk, const char *path, const char *what)
{
	if (walk->bad++ < MAX_SHOWN)
		printf("# %s: %.200s: %s\n", walk->image->name, path, what);
}

static char type_letter(unsigned int mode)
{
	static const char letters[] = "?pc?d?b?f?l?s???";

	return letters[mode >> 12 & 15];
}

static void compare_contents(struct walk *walk, const struct entry *entry, const char *path)
{
	__u32 crc;

	if (crc_file(path, &crc))
		differ(walk, entry->path, strerror(errno));
	else if (crc != entry->crc)
		differ(walk, entry->path, "contents by read()");
}

static void compare_places(struct walk *walk, const struct entry *entry,
			   const volatile unsigned char *p)
{
	unsigned int nr = nr_pages(entry);
	unsigned long *pfns = malloc(nr * sizeof(*pfns));

	for (unsigned int n = 0; n < nr; n++)
		p[n * PAGE];
	rom_pfns(getpid(), (const void *)p, pfns, nr);
	for (unsigned int n = 0; n < nr; n++) {
		unsigned long want = walk->linear ? planned_pfn(walk->image, entry, n) : 0;

		if (pfns[n] != want) {
			differ(walk, entry->path, want ? "a page is not in its place" :
						  "a page is in ROM that should not be");
			break;
		}
	}
	free(pfns);
}

static void compare_mapped_contents(struct walk *walk, const struct entry *entry,
				    const unsigned char *p)
{
	if (crc32(0, p, entry->size) != entry->crc)
		differ(walk, entry->path, "contents by mmap()");
	for (unsigned long n = entry->size; n % PAGE; n++) {
		if (p[n]) {
			differ(walk, entry->path, "bytes after the end in its mapping");
			break;
		}
	}
}

static void compare_mapping(struct walk *walk, const struct entry *entry, const char *path)
{
	int fd = open(path, O_RDONLY);
	unsigned char *p;

	if (!entry->size) {
		close(fd);
		return;
	}
	p = mmap(NULL, entry->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		differ(walk, entry->path, "mmap() fails");
		return;
	}
	if (walk->what & TREE_MAPPED)
		compare_mapped_contents(walk, entry, p);
	if (walk->what & TREE_PLACES)
		compare_places(walk, entry, p);
	munmap(p, entry->size);
}

static void compare_link(struct walk *walk, const struct entry *entry, const char *path)
{
	static char target[PATH_MAX + 1];
	ssize_t len = readlink(path, target, PATH_MAX);

	target[len > 0 ? len : 0] = 0;
	if (strcmp(target, entry->target))
		differ(walk, entry->path, "target");
}

static void compare_times(struct walk *walk, const struct entry *entry, const struct stat *st)
{
	if (st->st_mtime || st->st_atime || st->st_ctime)
		differ(walk, entry->path, "not the epoch");
}

static void compare_entry(struct walk *walk, const struct entry *entry, const char *path,
			  const struct stat *st)
{
	/* The unmodified driver takes entries that share data for one inode. */
	bool attributes = !(walk->peer && entry->alias);
	unsigned int what = walk->what;

	if (what & TREE_MODES && attributes &&
	    (type_letter(st->st_mode) != entry->type || (st->st_mode & 07777) != entry->mode))
		differ(walk, entry->path, "type or mode");
	if (what & TREE_OWNERS && attributes &&
	    (st->st_uid != entry->uid || st->st_gid != entry->gid))
		differ(walk, entry->path, "owner");
	if (what & TREE_SIZES && strchr("fl", entry->type) &&
	    (unsigned long)st->st_size != entry->size)
		differ(walk, entry->path, "size");
	if (what & TREE_DEVICES && strchr("cb", entry->type) &&
	    st->st_rdev != makedev(entry->size >> 8, entry->size & 0xff))
		differ(walk, entry->path, "device number");
	if (what & TREE_TIMES)
		compare_times(walk, entry, st);
	if (entry->type == 'f' && what & TREE_READ)
		compare_contents(walk, entry, path);
	if (entry->type == 'f' && what & (TREE_MAPPED | TREE_PLACES))
		compare_mapping(walk, entry, path);
	if (entry->type == 'l' && what & TREE_LINKS)
		compare_link(walk, entry, path);
}

static void walk_dir(struct walk *walk, const char *inside);

static void visit(struct walk *walk, const char *inside, const struct dirent *de)
{
	char path[PATH_MAX], at[PATH_MAX];
	struct entry *entry;
	struct stat st;

	snprintf(at, sizeof(at), "%s/%s", strcmp(inside, "/") ? inside : "", de->d_name);
	snprintf(path, sizeof(path), "%s%s", walk->top, at);
	entry = find_entry(walk->image, at);
	if (!entry || entry->seen) {
		differ(walk, at, entry ? "twice" : "not expected");
		return;
	}
	entry->seen = true;
	if (lstat(path, &st)) {
		differ(walk, at, strerror(errno));
		return;
	}
	if (st.st_dev != walk->dev)
		return;		/* a mount point, like /proc */
	compare_entry(walk, entry, path, &st);
	if (walk->what & TREE_DIRENTS && !(walk->peer && entry->alias) &&
	    (de->d_ino != st.st_ino || de->d_type != st.st_mode >> 12))
		differ(walk, at, "type or inode number in its directory");
	if (entry->type == 'd')
		walk_dir(walk, at);
}

static void walk_dir(struct walk *walk, const char *inside)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", walk->top, inside);
	dir = opendir(path);
	if (!dir) {
		differ(walk, inside, strerror(errno));
		return;
	}
	while ((errno = 0, de = readdir(dir)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			visit(walk, inside, de);
	if (errno)
		differ(walk, inside, strerror(errno));
	closedir(dir);
}

static bool below_mount(const struct walk *walk, const struct entry *entry)
{
	char path[PATH_MAX];
	struct stat st;

	/* Other filesystems hide what is below them. */
	snprintf(path, sizeof(path), "%s%s", walk->top, entry->path);
	*strrchr(path, '/') = 0;
	return !stat(*path ? path : "/", &st) && st.st_dev != walk->dev;
}

/**
 * compare_tree() - compare a mounted image with what the host expects of it
 * @image: expectations
 * @top: where it is mounted, "" for the root
 * @what: TREE_* flags
 * @linear: the image is mapped from ROM, so pages should be there
 *
 * Return: how many differences there are
 */
int compare_tree(const struct image *image, const char *top, unsigned int what, bool linear)
{
	struct walk walk = { .image = image, .top = top, .what = what, .linear = linear };
	char peer[8];
	struct stat st;

	walk.peer = cmdline_get("cramfs.peer=", peer, sizeof(peer));
	if (stat(*top ? top : "/", &st)) {
		differ(&walk, top, strerror(errno));
		return walk.bad;
	}
	walk.dev = st.st_dev;
	for (unsigned int n = 0; n < image->nr; n++)
		image->entries[n].seen = false;
	if (image->nr) {
		image->entries[0].seen = true;
		compare_entry(&walk, &image->entries[0], *top ? top : "/", &st);
	}
	walk_dir(&walk, "/");
	if (!(what & TREE_NAMES))
		return walk.bad;
	for (unsigned int n = 0; n < image->nr; n++)
		if (!image->entries[n].seen && !below_mount(&walk, &image->entries[n]))
			differ(&walk, image->entries[n].path, "missing");
	return walk.bad;
}
