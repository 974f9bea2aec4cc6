// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image: what lies where in it, and its superblock and inodes as bytes.
 *
 * It begins with room for boot code if asked for, then come the superblock, a file image if there
 * is one, the directories, the block pointers and blocks of each file, and last all blocks that are
 * stored for execution in place. They are last since inodes reach only the first 256 MiB, while
 * their pointers reach much further; and together, or each file would cost half a page of padding.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mkcramfs.h"

struct image {
	const struct options *opt;
	/* all up to the end of the directories */
	unsigned char *head;
	size_t head_len, head_room;
	/* end of what has been given a place */
	__u64 end;
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
	put_u32(p + offsetof(struct cramfs_super, size), img->end, big_endian);
	put_u32(p + offsetof(struct cramfs_super, flags), img->flags, big_endian);
	memcpy(p + offsetof(struct cramfs_super, signature), CRAMFS_SIGNATURE,
	       strlen(CRAMFS_SIGNATURE));
	put_u32(p + offsetof(struct cramfs_super, fsid.edition), opt->edition, big_endian);
	put_u32(p + offsetof(struct cramfs_super, fsid.blocks), img->nr_blocks, big_endian);
	put_u32(p + offsetof(struct cramfs_super, fsid.files), img->nr_files, big_endian);
	memcpy(p + offsetof(struct cramfs_super, name), opt->label, strlen(opt->label));
	put_inode(p + offsetof(struct cramfs_super, root), root, big_endian);
}

/* Gives the next @len bytes of the head a place, and returns where they go. */
static unsigned char *add_to_head(struct image *img, size_t len)
{
	unsigned char *p;

	if (img->head_len + len > img->head_room) {
		img->head_room = (img->head_len + len) * 2;
		img->head = xgrow(img->head, img->head_room);
	}
	p = memset(img->head + img->head_len, 0, len);
	img->head_len += len;
	return p;
}

static void add_boot_file(struct image *img)
{
	const char *path = img->opt->boot_file;
	static unsigned char buf[65536];
	FILE *f = fopen(path, "r");
	size_t got;

	if (!f)
		die_errno(path);
	while ((got = fread(buf, 1, sizeof(buf), f))) {
		memcpy(add_to_head(img, got), buf, got);
		if (img->head_len > MAX_INODE_OFFSET)
			die("%s: too large for an image", path);
		img->flags |= CRAMFS_FLAG_SHIFTED_ROOT_OFFSET;
	}
	if (ferror(f))
		die_errno(path);
	fclose(f);
	add_to_head(img, align_up(img->head_len, 4) - img->head_len);
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
	unsigned char *p = img->head + dir->offset;
	size_t i;

	for (i = 0; i < dir->nr_children; i++) {
		const struct entry *e = dir->child[i];
		size_t len = strlen(e->name);

		put_inode(p, e, img->opt->big_endian);
		p += sizeof(struct cramfs_inode);
		/* The head is zeroed: padding is there already. */
		memcpy(p, e->name, len);
		p += align_up(len, 4);
		img->nr_files++;
		if (S_ISDIR(e->mode))
			put_directory(e, img);
	}
}

static __u64 write_stored(const struct entry *e, const unsigned char *data,
			  const struct options *opt)
{
	__u64 offset = e->stored_offset;
	unsigned int i, nr = nr_blocks(e, opt);

	for (i = 0; i < nr; i++) {
		size_t from = (size_t)i * BLOCK_SIZE;
		size_t len = e->size - from < BLOCK_SIZE ? e->size - from : BLOCK_SIZE;

		if (!is_in_place(e, i))
			continue;
		if (!is_zero(data + from, len))
			output_write(data + from, len, offset);
		/* A partial page ends in zeros: who maps it must not see a neighbour's bytes. */
		offset += BLOCK_SIZE;
	}
	return offset;
}

static void print_data(const struct entry *e, const struct options *opt)
{
	unsigned int i, stored = 0, nr = nr_blocks(e, opt);
	char *path = entry_path(e);

	for (i = 0; i < nr; i++)
		stored += is_in_place(e, i);
	printf("%s: %llu bytes to %zu", path, e->size, e->encoded_len);
	if (stored)
		printf(" and %u of %u blocks stored at 0x%llx", stored, nr, e->stored_offset);
	putchar('\n');
	free(path);
}

static bool has_in_place(const struct entry *e, const struct options *opt)
{
	return e->mark && memchr(e->mark, MARK_IN_PLACE, nr_blocks(e, opt));
}

static void write_file(struct entry *e, struct image *img)
{
	unsigned char *data = contents_load(e);
	unsigned char *out = xgrow(NULL, data_encoded_bound(e, img->opt));

	e->offset = img->end;
	if (e->offset > MAX_INODE_OFFSET)
		die_entry(e, "image too large: data at %llu is out of an inode's reach",
			  e->offset);
	e->encoded_len = data_encode(e, data, img->opt, out, &img->flags);
	img->end += e->encoded_len;
	img->nr_blocks += nr_blocks(e, img->opt);
	if (!has_in_place(e, img->opt)) {
		output_write(out, e->encoded_len, e->offset);
		if (img->opt->verbose > 1)
			print_data(e, img->opt);
	}
	free(out);
	free(data);
}

/* Files that have stored blocks only get a place: they cannot be written before these have one. */
static void write_files(struct entry *e, struct image *img)
{
	size_t i;

	if (e->same)
		e->offset = e->same->offset;
	else if (entry_has_data(e))
		write_file(e, img);
	for (i = 0; i < e->nr_children; i++)
		write_files(e->child[i], img);
}

static void write_stored_file(struct entry *e, struct image *img)
{
	/*
	 * Without an MMU a mapping begins anywhere, but what is in it may need some alignment. 32
	 * bytes are a cache line of the processors concerned, and what bFLT tools align data to.
	 */
	unsigned int align = img->opt->xip == XIP_MMU ? BLOCK_SIZE : 32;
	unsigned char *data = contents_load(e);
	unsigned char *out = xgrow(NULL, data_encoded_bound(e, img->opt));

	e->stored_offset = align_up(img->end, align);
	if (data_encode(e, data, img->opt, out, &img->flags) != e->encoded_len)
		die_entry(e, "changed while the image was made");
	output_write(out, e->encoded_len, e->offset);
	img->end = write_stored(e, data, img->opt);
	if (img->opt->verbose > 1)
		print_data(e, img->opt);
	free(out);
	free(data);
}

static void write_stored_files(struct entry *e, struct image *img)
{
	size_t i;

	if (has_in_place(e, img->opt))
		write_stored_file(e, img);
	for (i = 0; i < e->nr_children; i++)
		write_stored_files(e->child[i], img);
}

static void write_crc(size_t super, const struct image *img)
{
	unsigned char crc[4];

	put_u32(crc, output_crc(super, img->end), img->opt->big_endian);
	output_write(crc, sizeof(crc), super + offsetof(struct cramfs_super, fsid.crc));
}

/**
 * image_write() - write the image of a tree
 * @root: root of the tree, after tree_finish() and data_dedup()
 * @opt: options
 *
 * Return: size of the image in bytes.
 */
__u64 image_write(struct entry *root, const struct options *opt)
{
	size_t super = opt->pad ? BOOT_PAD : 0;
	struct image img = {
		.opt = opt,
		.flags = CRAMFS_FLAG_FSID_VERSION_2 | CRAMFS_FLAG_SORTED_DIRS,
		.nr_files = 1,	/* the root */
	};

	add_to_head(&img, super + sizeof(struct cramfs_super));
	if (opt->boot_file)
		add_boot_file(&img);
	img.end = place_directory(root, img.head_len);
	if (img.end > MAX_INODE_OFFSET)
		die("%s: too many entries for an image", opt->source);
	add_to_head(&img, img.end - img.head_len);

	if (opt->xip != XIP_NONE)
		data_mark_stored(root, opt);
	write_files(root, &img);
	write_stored_files(root, &img);
	img.end = align_up(img.end, BLOCK_SIZE);
	if (img.end > MAX_IMAGE_SIZE)
		die("%s: image too large: %llu bytes", opt->output, img.end);

	put_directory(root, &img);
	put_super(img.head + super, root, &img);
	output_write(img.head, img.head_len, 0);
	write_crc(super, &img);
	free(img.head);
	return img.end;
}
