/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the fuzzer share. Images come from corpus.c and mutate.c; what
 * an image holds is image.c's to say, which is a reader of its own; place.c puts
 * images where the driver finds them; walk.c holds what the driver gives against
 * what image.c says; health.c looks after the kernel; fuzz.c is the first process.
 */
#ifndef CRAMFS_FUZZ_H
#define CRAMFS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <linux/cramfs_fs.h>
#include <linux/magic.h>
#include <linux/types.h>

#define PAGE		4096u
#define PAGES(len)	(((len) + PAGE - 1) / PAGE)
#define MAX_FILE	((1u << CRAMFS_SIZE_WIDTH) - 1)
#define SUPER_LEN	76u
#define ROOT_AT		64u	/* in the superblock */
#define CRC_AT		32u
#define INODE_LEN	12u
#define BOOT_CODE	512u

/* What there is room for wherever an image is, in bytes. */
#define ROOM		(512u * 1024)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct rng - numbers that look random, the same ones on every machine
 * @state: all there is
 */
struct rng {
	__u64 state;
};

static inline __u32 rng_next(struct rng *rng)
{
	__u64 z = rng->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z >> 32;
}

static inline __u32 rng_below(struct rng *rng, __u32 limit)
{
	return (__u64)rng_next(rng) * limit >> 32;
}

static inline bool rng_one_in(struct rng *rng, __u32 n)
{
	return !rng_below(rng, n);
}

static inline __u32 min_u32(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* image.c ------------------------------------------------------------------------- */

/**
 * struct disk_inode - an inode, decoded
 * @mode: as st_mode
 * @uid: owner
 * @size: in bytes; a device's number
 * @gid: group
 * @name_len: of the name that follows, with its padding, in bytes
 * @offset: of the data, in bytes
 */
struct disk_inode {
	__u32 mode, uid, size, gid, name_len, offset;
};

/**
 * struct view - an image, as far as it may be looked at
 * @data: all bytes of what it is in
 * @limit: how many of them are the image
 * @flags: CRAMFS_FLAG_* of the superblock
 * @start: where the superblock is
 * @crc: what the superblock says of it
 * @root: the root directory
 */
struct view {
	const unsigned char *data;
	__u32 limit;
	__u32 flags;
	__u32 start;
	__u32 crc;
	struct disk_inode root;
};

/**
 * struct entry - an entry of a directory
 * @at: where it is in the image
 * @next: position in the directory of the one after it
 * @inode: what it names
 * @name: not terminated
 * @name_len: without the padding
 */
struct entry {
	__u32 at;
	__u32 next;
	struct disk_inode inode;
	const char *name;
	__u32 name_len;
};

/**
 * struct block - where a block of a file is
 * @stored: as it is, not deflated
 * @direct: by a pointer to its beginning
 * @at: where the bytes begin in the image
 * @len: how many there are; 0 for a hole
 * @want: bytes that the file has in it
 */
struct block {
	bool stored, direct;
	__u32 at, len, want;
};

__u32 get32(const unsigned char *p);
void put32(unsigned char *p, __u32 value);
void get_inode(const unsigned char *p, struct disk_inode *inode);
void put_inode(unsigned char *p, const struct disk_inode *inode);
bool has_data(const struct disk_inode *inode);
bool view_open(struct view *view, const unsigned char *data, __u32 room);
bool view_crc_is_right(const struct view *view);
bool view_entry(const struct view *view, const struct disk_inode *dir, __u32 pos,
		struct entry *entry);
bool view_find(const struct view *view, const struct disk_inode *dir, const char *name,
	       struct entry *entry);
bool view_locate(const struct view *view, const struct disk_inode *file, __u32 index,
		 struct block *block);
bool view_block(const struct view *view, const struct disk_inode *file, __u32 index,
		unsigned char *page);

/* corpus.c ------------------------------------------------------------------------ */

/**
 * struct seed - an image to start from
 * @name: for people
 * @hostile: it has errors already
 * @data: the image
 * @len: bytes of it
 */
struct seed {
	const char *name;
	bool hostile;
	const unsigned char *data;
	__u32 len;
};

/**
 * struct corpus - all seeds
 * @seeds: in the order of the file
 * @nr: how many
 */
struct corpus {
	struct seed *seeds;
	unsigned int nr;
};

/**
 * struct image - one image to try
 * @data: ROOM bytes; after @len there is poison
 * @len: bytes that are not poison
 * @seed: what it was made from
 * @changed: it is not the seed
 */
struct image {
	unsigned char *data;
	__u32 len;
	const struct seed *seed;
	bool changed;
};

void corpus_load(struct corpus *corpus, const char *path);
void image_init(struct image *image);
void image_load(struct image *image, const char *path);
void image_make(struct image *image, const struct corpus *corpus, __u64 seed, __u64 index,
		FILE *log);
void image_poison(struct image *image, __u32 len);

/* mutate.c ------------------------------------------------------------------------ */

void mutate(struct image *image, const struct corpus *corpus, struct rng *rng, FILE *log);

/* fields.c ------------------------------------------------------------------------ */

enum field_kind {
	FIELD_INODE,	/* 12 bytes */
	FIELD_NAME,
	FIELD_POINTER,	/* 4 bytes */
	FIELD_LENGTH,	/* 2 bytes in front of a deflated block */
	FIELD_STREAM,	/* a deflated block */
	FIELD_STORED,	/* a stored block */
};

/**
 * struct field - a place in an image that means something
 * @kind: what
 * @at: where it is
 * @len: bytes of it
 * @inode: index of the field of the inode that it belongs to
 * @block: of a pointer and what it points to: which block of the file
 */
struct field {
	enum field_kind kind;
	__u32 at;
	__u32 len;
	__u32 inode;
	__u32 block;
};

#define MAX_FIELDS	4096

/**
 * struct fields - all that an image has
 * @nr: how many
 * @list: in the order of a walk
 */
struct fields {
	unsigned int nr;
	struct field list[MAX_FIELDS];
};

void fields_find(struct fields *fields, const unsigned char *data, __u32 len);
const struct field *fields_pick(const struct fields *fields, struct rng *rng, unsigned int kinds);

/* place.c ------------------------------------------------------------------------- */

/**
 * struct place - where images are put
 * @name: for --way
 * @room: bytes that there are; a place may have less than ROOM
 * @put: write an image there
 * @mount: mount it
 */
struct place {
	const char *name;
	__u32 room;
	void (*put)(struct place *place, const struct image *image);
	int (*mount)(struct place *place, const char *where, unsigned long flags,
		     const char *options);
};

struct place *place_open(const char *way, const char *memory);
struct place *place_for(struct place *place, struct rng *rng);

/* walk.c -------------------------------------------------------------------------- */

/**
 * struct walk_counts - what all walks have seen
 * @entries: looked up
 * @refused: look-ups that failed
 * @pages: compared
 * @bad: that were not to be had
 * @in_place: seen in a mapping at their place in the image
 */
struct walk_counts {
	unsigned long entries, refused, pages, bad, in_place;
};

extern struct walk_counts walk_counts;
extern __u32 walk_phys_start, walk_phys_pages;

void walk_init(void);
__u32 walk_pfn(const void *map);
__u64 walk_image(const char *where, const struct view *view, struct rng rng);

/* health.c ------------------------------------------------------------------------ */

void health_init(void);
void health_check_log(void);
void health_forget_caches(void);
void health_check_leaks(unsigned long images);
void health_find_lost(void);

/* fuzz.c -------------------------------------------------------------------------- */

noreturn void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_errno(const char *path, const char *how, const int *expected);

/* The last call has failed: with one of these errors, or that is a finding. */
#define expect_errno(path, how, ...) \
	check_errno(path, how, (const int[]){ __VA_ARGS__, 0 })

#endif
