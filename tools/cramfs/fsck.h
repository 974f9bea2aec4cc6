/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of fsck.cramfs share: an image that is read, the catalogue of what is in it, and
 * the functions that one part offers to another. A number from the image is decoded in one place:
 * inodes and the superblock in fsck-image.c, block pointers in fsck-blocks.c.
 *
 * The image is hostile. Memory is of the order of its directories and pointer tables, time is
 * linear in its size (but for sorting), and nothing recurses as deep as the image says.
 */
#ifndef CRAMFS_FSCK_H
#define CRAMFS_FSCK_H

#include <stdio.h>

#include "common.h"

/* The longest path that a message or a listing shows in full. */
#define MAX_PATH_SHOWN	4095U

/* What the kernel takes for a symbolic link's target, without a terminating NUL. */
#define MAX_TARGET	4095U

/**
 * struct inode - an inode, decoded
 * @size: length of the data in bytes; of a device, its number
 * @offset: image offset of the data, in bytes
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @name_len: length of the name with its padding, in bytes
 */
struct inode {
	__u32 size;
	__u32 offset;
	__u16 mode;
	__u16 uid;
	__u8 gid;
	__u8 name_len;
};

/**
 * struct reader - an image that is read
 * @path: its file
 * @fd: open
 * @is_device: it is a block device, which may be larger than the image
 * @file_size: length of the file in bytes
 * @size: length of the image in bytes, from offset 0 on; nothing after it is read
 * @base: offset of the superblock
 * @block_size: bytes of a file in a block
 * @any_block_size: others would do as well
 * @big_endian: byte order
 * @flags: feature flags
 * @crc: CRC-32 that the superblock has
 * @edition: what the superblock has
 * @nr_blocks: likewise
 * @nr_files: likewise
 * @name: volume name
 * @root: inode of the root directory
 * @window: part of the file in memory
 * @window_start: its offset
 * @window_len: its length in bytes
 * @ahead: how many bytes to read next if the reading goes on as before
 */
struct reader {
	const char *path;
	int fd;
	bool is_device;
	__u64 file_size;
	__u32 size;
	__u32 base;
	__u32 block_size;
	bool any_block_size;
	bool big_endian;
	__u32 flags;
	__u32 crc;
	__u32 edition;
	__u32 nr_blocks;
	__u32 nr_files;
	char name[17];
	struct inode root;
	unsigned char *window;
	__u64 window_start;
	size_t window_len;
	size_t ahead;
};

/**
 * struct dir - a directory that has entries
 * @parent: directory that it is in; NULL for the root
 * @next: next one in the order of discovery, in which the directories in one directory follow each
 *	other
 * @first_child: first directory in it that has entries
 * @at: image offset of its inode
 * @offset: image offset of its entries
 * @size: length of these in bytes
 * @name_len: length of its name
 * @name: the name, without a NUL: paths are put together too often to read the image for them
 */
struct dir {
	struct dir *parent;
	struct dir *next;
	struct dir *first_child;
	__u32 at;
	__u32 offset;
	__u32 size;
	unsigned int name_len;
	char name[];
};

/**
 * struct node - an entry of a directory
 * @at: image offset of its inode
 * @inode: this
 * @name_len: bytes of the name, without padding
 * @name: the name, and a NUL after it
 */
struct node {
	__u32 at;
	struct inode inode;
	unsigned int name_len;
	char name[CRAMFS_MAXPATHLEN + 1];
};

/**
 * struct file - an entry that has block pointers: a regular file or a symbolic link
 * @dir: directory that it is in
 * @at: image offset of its inode
 * @word: image offset of its block pointers, divided by four
 * @shared: an earlier one has the same pointers
 * @bad: the pointers are not to be used
 * @overlaps: the pointers are good, but some of the blocks overlap something else
 * @size: length of the data in bytes
 * @gid: group
 * @mode: type and permissions
 * @uid: owner
 */
struct file {
	const struct dir *dir;
	__u32 at;
	__u32 word : CRAMFS_OFFSET_WIDTH, shared : 1, bad : 1, overlaps : 1;
	__u32 size : CRAMFS_SIZE_WIDTH, gid : CRAMFS_GID_WIDTH;
	__u16 mode;
	__u16 uid;
};

/* What a block is, as a record of it has it. */
enum block_kind {
	BLOCK_HOLE,
	BLOCK_STORED,
	BLOCK_DEFLATED,
	/* a deflated one behind a direct pointer: two bytes with its length come first */
	BLOCK_DEFLATED_DIRECT,
};

/**
 * struct block - a block of a file, decoded
 * @kind: how it is kept
 * @direct: its pointer says where it begins
 * @start: image offset of its bytes; after the length, if that comes first
 * @len: how many bytes it has in the image
 * @want: how many bytes of the file it is
 */
struct block {
	enum block_kind kind;
	bool direct;
	__u32 start;
	__u32 len;
	__u32 want;
};

/**
 * struct block_ref - a pointer to a block
 * @from: image offset of the first byte that belongs to the block
 * @len: as in struct block
 * @index: block of the file, from 0
 * @owner: the file, an index in the catalogue
 * @kind: enum block_kind; BLOCK_HOLE if the block is not to be used
 */
struct block_ref {
	__u32 from;
	__u32 len : 20, index : 12;
	__u32 owner : 30, kind : 2;
};

/**
 * struct catalog - all that is in an image
 * @rd: the image
 * @dirs: the directories that have entries, the root first
 * @last_dir: last of them
 * @super: not a directory, but stands for the superblock, and what is before it
 * @claims: for tsearch(): the places that these have; no two of them overlap
 * @files: the entries with block pointers, in the order of these
 * @nr_files: how many
 * @room_files: for how many there is room
 * @refs: the pointers to blocks, in the order of these
 * @nr_refs: how many
 * @room_refs: for how many there is room
 * @nr_entries: entries in all, the root included
 * @nr_pointers: block pointers in all
 */
struct catalog {
	struct reader *rd;
	struct dir *dirs, *last_dir;
	struct dir *super;
	void *claims;
	struct file *files;
	size_t nr_files, room_files;
	struct block_ref *refs;
	size_t nr_refs, room_refs;
	__u64 nr_entries;
	__u64 nr_pointers;
};

/**
 * struct walk - a way through all entries, each directory before what is in it
 * @cat: the catalogue
 * @dir: directory that is being read; NULL at the beginning
 * @pos: where in it
 * @child: next directory in it that has entries
 * @left_root: the end
 * @node: the entry that has been reached
 */
struct walk {
	const struct catalog *cat;
	const struct dir *dir;
	__u32 pos;
	const struct dir *child;
	bool left_root;
	struct node node;
};

enum walk_step {
	WALK_END,
	WALK_ENTRY,	/* @node; if it is a directory with entries, these are next */
	WALK_LEAVE,	/* the last of the entries of @dir has been seen; @dir is the parent now */
};

/* fsck-report.c */
void report_set_quiet(void);
__printf(1, 2) void problem(const char *fmt, ...);
__printf(4, 5) void problem_at(const struct catalog *cat, const struct dir *dir, __u32 at,
			       const char *fmt, ...);
__printf(1, 2) void doubt(const char *fmt, ...);
__printf(4, 5) void doubt_at(const struct catalog *cat, const struct dir *dir, __u32 at,
			     const char *fmt, ...);
bool problems_are_shown(void);
unsigned long nr_problems(void);
void report_end(const char *path);
void print_escaped(FILE *out, const char *s);
void finish_stdout(void);

/* fsck-image.c */
void reader_open(struct reader *rd, const char *path);
bool reader_super(struct reader *rd);
bool reader_check_super(struct reader *rd, bool crc);
void reader_close(struct reader *rd);
bool reader_has(const struct reader *rd, __u64 offset, __u64 len);
void reader_read(struct reader *rd, __u64 offset, void *buf, size_t len);
void reader_inode(struct reader *rd, __u32 at, struct inode *inode);

/* fsck-tree.c */
void catalog_fill(struct catalog *cat, struct reader *rd);
void catalog_free(struct catalog *cat);
const char *bad_name(const struct node *node);
const char *bad_inode(const struct inode *inode);
bool catalog_is_free(const struct catalog *cat, __u32 offset, __u32 len, const struct dir **taken);
char *catalog_path(const struct catalog *cat, const struct dir *dir, __u32 at);
void walk_begin(struct walk *walk, const struct catalog *cat);
enum walk_step walk_next(struct walk *walk);
const struct dir *walk_enters(const struct walk *walk);
void walk_skip(struct walk *walk);
bool walk_find(const struct catalog *cat, const char *path, struct node *node);

/* fsck-blocks.c */
typedef void (*block_fn)(void *ctx, const unsigned char *data, __u32 len);
void blocks_check(struct catalog *cat, bool contents);
__u32 blocks_find_size(const struct catalog *cat);
bool blocks_are_its_own(const struct catalog *cat, const struct inode *inode);
size_t blocks_same(const struct catalog *cat, size_t i);
__u64 ref_end(const struct block_ref *ref);
__u32 file_table_end(const struct catalog *cat, const struct file *f);
const char *file_read(struct reader *rd, const struct inode *inode, block_fn fn, void *ctx);

/* fsck-list.c */
const char *read_target(struct reader *rd, const struct inode *inode, const char **target);
void list_entry(const struct walk *walk);
void list_text(const struct catalog *cat);
void list_json(const struct catalog *cat);
void cat_file(const struct catalog *cat, const char *path);

/* fsck-map.c */
void map_print(const struct catalog *cat);
void map_check(const struct catalog *cat);

/* fsck-extract.c */
bool extract(const struct catalog *cat, const char *path, bool verbose);

#endif
