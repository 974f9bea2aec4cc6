/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest tests share: where the guest runs (from the kernel command
 * line), what the host expects of each image (from a disk that it made), and
 * where the memory behind an address is (from pagemap). It asserts nothing.
 */
#ifndef CRAMFS_GUEST_H
#define CRAMFS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <sys/types.h>

#include "proc.h"

/* The harness's 30 seconds may pass in an emulator on a busy machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 240

#define PAGE		4096UL
#define PAGE_ABSENT	(~0UL)
#define CRAMFS_MAGIC	0x28cd3d45
#define TESTS		"/t/bin/"
#define DATA		"/t/data/"
#define MNT		"/t/mnt"

/**
 * struct run - consecutive blocks of one kind
 * @kind: 'X' a page of the image with nothing but zeros after the contents,
 *	'x' the same but with something after it, 's'/'S' stored elsewhere,
 *	'z'/'Z' deflated, 'h' hole; capitals have direct pointers
 * @count: blocks
 * @offset: of the first one in the image, for the stored ones
 */
struct run {
	char kind;
	unsigned int count;
	unsigned long offset;
};

/**
 * struct entry - what the host expects at one path
 * @type: f, d, l, c, b, p or s
 * @mode: permissions
 * @uid: owner
 * @gid: group
 * @size: of a file or symlink in bytes, of a device major << 8 | minor
 * @crc: CRC-32 of the contents
 * @runs: where the blocks are
 * @nr_runs: how many
 * @ref: where in the expectations the contents are, -1 if they are not
 * @alias: shares its data with an entry of other attributes
 * @path: absolute in its image
 * @target: of a symlink
 * @seen: for the tree walk
 */
struct entry {
	char type;
	unsigned int mode, uid, gid;
	unsigned long size;
	__u32 crc;
	struct run *runs;
	unsigned int nr_runs;
	long ref;
	bool alias;
	char *path;
	char *target;
	bool seen;
};

/**
 * struct image - what the host expects of one image
 * @name: "root", or of the corner case
 * @state: "root", "ok" or "bad"
 * @disk: offset on the disk of corner cases
 * @flash: offset in the flash bank
 * @len: bytes on a disk, of the root image in its superblock
 * @files: the superblock's count of entries, of the root image only
 * @entries: sorted by path
 * @nr: how many
 */
struct image {
	char name[32];
	char state[8];
	unsigned long disk, flash, len, files;
	struct entry *entries;
	unsigned int nr;
};

/**
 * struct guest - where this is
 * @mode: mtd, cfi, physmem, rom or block
 * @rom_start: first byte of the memory where images are, 0 if they are not
 * @rom_end: first byte after it
 * @disk: device of expectations
 * @corners: device of corner cases
 * @images: expectations
 * @nr: how many
 */
struct guest {
	char mode[16];
	unsigned long rom_start, rom_end;
	char disk[32];
	char corners[32];
	struct image *images;
	unsigned int nr;
};

extern struct guest guest;

const struct image *find_image(const char *name);
struct entry *find_entry(const struct image *image, const char *path);
unsigned char *load_ref(const struct entry *entry);
unsigned int nr_pages(const struct entry *entry);
char block_kind(const struct entry *entry, unsigned long index, unsigned long *offset);
unsigned long planned_pfn(const struct image *image, const struct entry *entry,
			  unsigned long index);
unsigned long rom_pfn(pid_t pid, const void *addr);
void rom_pfns(pid_t pid, const void *addr, unsigned long *pfns, unsigned int nr);
bool page_is_present(const void *addr);
__u32 crc32(__u32 crc, const void *buf, size_t len);
int crc_file(const char *path, __u32 *crc);

#endif
