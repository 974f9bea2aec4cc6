/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of mkcramfs share: the options, the tree in memory and the functions that one
 * part offers to another. The on-disk format is in the kernel's header; only image.c and data.c
 * encode it.
 */
#ifndef MKCRAMFS_H
#define MKCRAMFS_H

#include <sys/stat.h>

#include "common.h"

/* The superblock has 32 bits for the size, and it is a multiple of the block size. */
#define MAX_IMAGE_SIZE	(0x100000000ULL - BLOCK_SIZE)

enum xip {
	XIP_NONE,
	XIP_NOMMU,
	XIP_MMU,
};

struct options {
	const char *source;
	const char *output;
	const char *label;
	const char *boot_file;
	const char *device_table;
	__u32 edition;
	enum xip xip;
	unsigned int verbose;
	bool big_endian;
	bool ext_pointers;
	bool holes;
	bool pad;
	bool squash;
	bool uncompressed;
	bool warnings_are_errors;
};

/**
 * struct entry - one name in the tree
 * @parent: directory that it is in; NULL for the root
 * @name: its name there; for the root, the path of the source directory
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @size: bytes of data: of a file, of a symbolic link's target, of a directory's entries
 * @rdev: device number of a device node
 * @mtime: when the file was last written, to notice that somebody still does
 * @target: target of a symbolic link
 * @child: entries of a directory
 * @nr_children: how many
 * @same: earlier entry whose data serves this one too, or NULL
 * @stored: for each block, whether it is stored as it is for execution in place; NULL: none is
 * @stored_offset: image offset of the first of these
 * @offset: image offset of the data
 * @encoded_len: bytes of pointers and blocks there
 */
struct entry {
	struct entry *parent;
	char *name;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	__u64 size;
	dev_t rdev;
	struct timespec mtime;
	char *target;
	struct entry **child;
	size_t nr_children;
	struct entry *same;
	bool *stored;
	__u64 stored_offset;
	__u64 offset;
	size_t encoded_len;
};

/* tree.c */
struct entry *tree_scan(const struct options *opt);
struct entry *tree_add(struct entry *dir, const char *name, mode_t mode);
struct entry *tree_find(const struct entry *dir, const char *name, size_t len);
void tree_finish(struct entry *root);
void tree_free(struct entry *e);
char *entry_path(const struct entry *e);
noreturn __printf(2, 3) void die_entry(const struct entry *e, const char *fmt, ...);
__printf(2, 3) void warn_entry(const struct entry *e, const char *fmt, ...);
bool entry_has_data(const struct entry *e);

/* devtable.c */
void devtable_apply(const char *path, struct entry *root);

/* elf.c */
unsigned int elf_mark_stored(const struct entry *e, void *data, bool *stored);

/* flat.c */
unsigned int flat_mark_stored(const struct entry *e, const unsigned char *data, bool *stored);

/* data.c */
unsigned int nr_blocks(const struct entry *e);
unsigned char *data_load(const struct entry *e);
void data_dedup(struct entry *root);
void data_mark_stored(struct entry *e, const struct options *opt);
bool is_zero(const unsigned char *p, size_t len);
size_t data_encode(const struct entry *e, const unsigned char *data, const struct options *opt,
		   unsigned char *out, __u32 *flags);
size_t data_encoded_bound(const struct entry *e);

/* image.c */
__u64 image_write(struct entry *root, const struct options *opt);

/* output.c */
void output_create(const char *path);
bool output_is(const struct stat *dir, const char *name);
void output_write(const void *buf, size_t len, __u64 offset);
__u32 output_crc(__u64 start, __u64 end);
void output_commit(__u64 size);

#endif
