// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image: what lies where in it, and its superblock and inodes as bytes.
 *
 * It begins with room for boot code if asked for, then come the superblock, a file image if there
 * is one, the directories, and then all else, of which place.c has the order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "place.h"

struct image {
	const struct options *opt;
	/* all directories, and where they begin in the image */
	unsigned char *dirs;
	__u64 dirs_offset;
	__u64 size;
	__u32 flags;
	__u32 nr_blocks;
	__u32 nr_files;
};

/* Bit fields of a big-endian cramfs begin at the most significant bit. */
static __u32 two_fields(__u32 first, unsigned int first_width, __u32 second, bool big_endian)
{
	if (big_endian)
		return first << (32 - first_width) | second;
	return first | second << first_width;
}

static void put_inode(unsigned char *p, const struct entry *e, bool big_endian)
{
	/* The name of the root is a path of the host's and no part of the image. */
	__u32 name_words = e->parent ? align_up(strlen(e->name), 4) / 4 : 0;
	__u32 size = e->size;

	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		size = major(e->rdev) << 8 | minor(e->rdev);

	put_u32(p, two_fields(e->mode, CRAMFS_MODE_WIDTH, e->uid, big_endian), big_endian);
	put_u32(p + 4, two_fields(size, CRAMFS_SIZE_WIDTH, e->gid, big_endian), big_endian);
	put_u32(p + 8, two_fields(name_words, CRAMFS_NAMELEN_WIDTH, e->offset / 4, big_endian),
		big_endian);
}

static void put_super(unsigned char *p, const struct entry *root, const struct image *img)
{
	const struct options *opt = img->opt;
	bool big_endian = opt->big_endian;

	put_u32(p + offsetof(struct cramfs_super, magic), CRAMFS_MAGIC, big_endian);
	put_u32(p + offsetof(struct cramfs_super, size), img->size, big_endian);
	put_u32(p + offsetof(struct cramfs_super, flags), img->flags, big_endian);
	memcpy(p + offsetof(struct cramfs_super, signature), CRAMFS_SIGNATURE,
	       strlen(CRAMFS_SIGNATURE));
	put_u32(p + offsetof(struct cramfs_super, fsid.edition), opt->edition, big_endian);
	put_u32(p + offsetof(struct cramfs_super, fsid.blocks), img->nr_blocks, big_endian);
	put_u32(p + offsetof(struct cramfs_super, fsid.files), img->nr_files, big_endian);
	memcpy(p + offsetof(struct cramfs_super, name), opt->label, strlen(opt->label));
	put_inode(p + offsetof(struct cramfs_super, root), root, big_endian);
}

/* Returns the offset after the file. */
static __u64 write_boot_file(struct image *img, __u64 offset)
{
	const char *path = img->opt->boot_file;
	static unsigned char buf[65536];
	FILE *f = fopen(path, "r");
	size_t got;

	if (!f)
		die_errno(path);
	while ((got = fread(buf, 1, sizeof(buf), f))) {
		output_write(buf, got, offset);
		offset += got;
		if (offset > MAX_INODE_OFFSET)
			die("%s: too large for an image", path);
		img->flags |= CRAMFS_FLAG_SHIFTED_ROOT_OFFSET;
	}
	if (ferror(f))
		die_errno(path);
	fclose(f);
	return align_up(offset, 4);
}

/* Each directory's entries lie together, those of its first directory after them, and so on. */
static __u64 place_directory(struct entry *dir, __u64 offset)
{
	size_t i;

	dir->offset = offset;
	offset += dir->size;
	for (i = 0; i < dir->nr_children; i++) {
		struct entry *e = dir->child[i];

		if (S_ISDIR(e->mode) && e->size)
			offset = place_directory(e, offset);
	}
	return offset;
}

static void put_directory(const struct entry *dir, struct image *img)
{
	unsigned char *p = img->dirs + (dir->offset - img->dirs_offset);
	size_t i;

	for (i = 0; i < dir->nr_children; i++) {
		const struct entry *e = dir->child[i];
		size_t len = strlen(e->name);

		put_inode(p, e, img->opt->big_endian);
		p += sizeof(struct cramfs_inode);
		/* It is zeroed: padding is there already. */
		memcpy(p, e->name, len);
		p += align_up(len, 4);
		img->nr_files++;
		if (S_ISDIR(e->mode) && e->size)
			put_directory(e, img);
	}
}

/**
 * entry_usage() - what became of the blocks of an entry
 * @e: file or symbolic link, after image_write()
 * @opt: options
 *
 * Return: all are shared if they are another entry's.
 */
struct usage entry_usage(const struct entry *e, const struct options *opt)
{
	if (!e->same)
		return e->usage;
	return (struct usage){
		.shared = nr_blocks(e, opt),
		.shared_bytes = e->size,
		.in_bytes = e->size,
	};
}

static void add_usage(struct usage *sum, const struct usage *u)
{
	sum->in_place += u->in_place;
	sum->stored += u->stored;
	sum->compressed += u->compressed;
	sum->shared += u->shared;
	sum->holes += u->holes;
	sum->in_bytes += u->in_bytes;
	sum->in_place_bytes += u->in_place_bytes;
	sum->stored_bytes += u->stored_bytes;
	sum->compressed_bytes += u->compressed_bytes;
	sum->shared_bytes += u->shared_bytes;
	sum->hole_bytes += u->hole_bytes;
	sum->pointer_bytes += u->pointer_bytes;
	sum->padding += u->padding;
}

static void print_data(const struct entry *e, const struct options *opt)
{
	const struct usage *u = &e->usage;
	char *path = entry_path(e), *name = printable(path);

	printf("%s: %llu bytes to %llu", name, e->size,
	       u->stored_bytes + u->compressed_bytes + u->pointer_bytes);
	if (u->in_place)
		printf(" and %u of %u blocks stored at 0x%llx", u->in_place, nr_blocks(e, opt),
		       e->in_place_offset);
	putchar('\n');
	free(name);
	free(path);
}

/* What entries share is known when all have been written. */
static void finish_files(struct entry *e, struct image *img, struct usage *total)
{
	struct usage usage = entry_usage(e, img->opt);
	size_t i;

	add_usage(total, &usage);
	if (e->same) {
		e->offset = e->same->offset;
	} else if (entry_has_data(e)) {
		img->nr_blocks += nr_blocks(e, img->opt);
		if (img->opt->verbose > 1)
			print_data(e, img->opt);
	}
	for (i = 0; i < e->nr_children; i++)
		finish_files(e->child[i], img, total);
}

static void write_crc(size_t super, const struct image *img)
{
	unsigned char crc[4];

	put_u32(crc, output_crc(super, img->size), img->opt->big_endian);
	output_write(crc, sizeof(crc), super + offsetof(struct cramfs_super, fsid.crc));
}

/**
 * image_write() - write the image of a tree
 * @root: root of the tree, after tree_finish(); sets e->usage of what is in it
 * @data: what data_analyse() has found
 * @opt: options
 * @layout: what lies where in the image
 * @total: what became of all blocks
 */
void image_write(struct entry *root, struct data *data, const struct options *opt,
		 struct layout *layout, struct usage *total)
{
	size_t super = opt->pad ? BOOT_PAD : 0;
	struct image img = {
		.opt = opt,
		.flags = CRAMFS_FLAG_FSID_VERSION_2 | CRAMFS_FLAG_SORTED_DIRS,
		.nr_files = 1,	/* the root */
	};
	unsigned char super_bytes[sizeof(struct cramfs_super)] = { 0 };
	struct place *place;
	__u64 data_start;

	/* util-linux says so whether there are any or not. */
	if (opt->compat && opt->holes)
		img.flags |= CRAMFS_FLAG_HOLES;
	img.dirs_offset = super + sizeof(super_bytes);
	if (opt->boot_file)
		img.dirs_offset = write_boot_file(&img, img.dirs_offset);
	data_start = place_directory(root, img.dirs_offset);
	if (data_start > MAX_INODE_OFFSET)
		die("%s: too many entries for an image", opt->source);
	img.dirs = xalloc(data_start - img.dirs_offset);

	*total = (struct usage){ 0 };
	place = place_create(data, opt, data_start);
	stream_files(data, opt, place_batch, place);
	place_in_place(place);
	place_destroy(place, layout, total, &img.flags);
	layout->directories = root->offset;
	img.size = layout->size;

	finish_files(root, &img, total);
	put_directory(root, &img);
	output_write(img.dirs, data_start - img.dirs_offset, img.dirs_offset);
	put_super(super_bytes, root, &img);
	output_write(super_bytes, sizeof(super_bytes), super);
	write_crc(super, &img);
	free(img.dirs);
}
