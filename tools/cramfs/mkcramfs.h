/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of mkcramfs share: the options, the tree in memory and the functions that one
 * part offers to another. The on-disk format is in the kernel's header; only image.c, data.c and
 * ondisk.c encode it.
 */
#ifndef MKCRAMFS_H
#define MKCRAMFS_H

#include <stdarg.h>
#include <sys/stat.h>

#include "common.h"

/* The superblock has 32 bits for the size, and it is a multiple of the block size. */
#define MAX_IMAGE_SIZE	(0x100000000ULL - BLOCK_SIZE)

enum xip {
	XIP_NONE,
	XIP_NOMMU,
	XIP_MMU,
};

enum report {
	REPORT_NONE,
	REPORT_TEXT,
	REPORT_JSON,
};

/* So deep may directories be in each other: much of what walks through them recurses. */
#define MAX_DEPTH	8192

/* --lock: whether to wait until nobody else has the output locked */
enum lock {
	LOCK_NONE,
	LOCK_WAIT,
	LOCK_NOWAIT,
};

/* Compression levels are libdeflate's, 1 to 12, and these. */
#define MAX_LEVEL	12
/* 249 MB: 5 to 108.52 MB, 6 to 108.38 in 3.1 s, 7 to 108.32 in 3.6, 9 to 108.18 in 5.9 */
#define LEVEL_DEFAULT	6
#define LEVEL_ZOPFLI	13
/* The stream that zlib makes at its default level. */
#define LEVEL_ZLIB	-1

struct exclude {
	const char *pattern;
	/* some path; set while the tree is read */
	bool matches;
};

struct options {
	/* a directory, or with @archive an archive; "-" is standard input */
	const char *source;
	bool archive;
	/* "-" is standard output */
	const char *output;
	const char *label;
	const char *boot_file;
	const char **device_table;
	size_t nr_device_tables;
	const char *sort_file;
	const char *xip_rules;
	struct exclude *exclude;
	size_t nr_exclude;
	__u32 edition;
	unsigned int block_size;
	unsigned int threads;
	int level;
	enum xip xip;
	enum report report;
	bool show_layout;
	enum lock lock;
	unsigned int verbose;
	bool quiet;
	bool big_endian;
	bool ext_pointers;
	bool holes;
	bool pad;
	bool uncompressed;
	/* blocks are shared between files that are not the same; needs ext_pointers */
	bool share_blocks;
	/* the layout and the bytes of util-linux's mkfs.cramfs */
	bool compat;
	bool warnings_are_errors;
	/* what to do with what the format cannot hold, if not to give up */
	bool squash_ids, truncate_files, skip_unrepresentable, skip_unreadable, last_wins;
	/* attributes that all entries get: the source's, if negative */
	long uid, gid;
	/* for mode_change(), or NULL */
	const char *mode;
};

/**
 * enum mark - whether a block is stored for execution in place, and if not, why
 * @MARK_NONE: nothing asks for it
 * @MARK_IN_PLACE: it is
 * @MARK_WRITABLE: it belongs to a writable segment only
 * @MARK_ZEROED: it belongs to a segment of which the kernel zeroes the rest
 * @MARK_MISPLACED: it belongs to a segment at another offset in its page than in memory
 * @MARK_OUTSIDE: it belongs to no segment that is loaded
 * @MARK_RULE: a rule says no
 * @MARK_LAST: a full last block without a stored one before it (see data.c)
 * @MARK_COPIED: it belongs to a program that the kernel copies to RAM, or to what it copies of one
 * @MARK_RELOCATED: it belongs to text that the kernel would write to
 * @MARK_DAMAGED: it belongs to a program that is damaged
 * @NR_MARKS: how many there are
 */
enum mark {
	MARK_NONE,
	MARK_IN_PLACE,
	MARK_WRITABLE,
	MARK_ZEROED,
	MARK_MISPLACED,
	MARK_OUTSIDE,
	MARK_RULE,
	MARK_LAST,
	MARK_COPIED,
	MARK_RELOCATED,
	MARK_DAMAGED,
	NR_MARKS,
};

/**
 * struct usage - what became of the blocks of a file, or of all
 * @in_place: stored for execution in place
 * @stored: stored since compression does not make them smaller, or is not wanted
 * @compressed: compressed
 * @shared: not in the image a second time, since they are there already
 * @holes: left out, since they are zero
 * @in_bytes: bytes of the source
 * @in_place_bytes: bytes of blocks in place, without the padding of the last one
 * @stored_bytes: bytes of stored ones
 * @compressed_bytes: bytes that the compressed blocks take
 * @shared_bytes: bytes of shared ones in the source
 * @hole_bytes: bytes of holes in the source
 * @pointer_bytes: bytes of pointers
 * @padding: bytes that are nothing
 */
struct usage {
	__u32 in_place, stored, compressed, shared, holes;
	__u64 in_bytes, in_place_bytes, stored_bytes, compressed_bytes, shared_bytes, hole_bytes;
	__u64 pointer_bytes, padding;
};

/**
 * struct entry - one name in the tree
 * @parent: directory that it is in; NULL for the root
 * @name: its name there; for the root, the path of the source
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @size: bytes of data: of a file, of a symbolic link's target, of a directory's entries
 * @rdev: device number of a device node
 * @state: contents_state() of the file, to notice that somebody still writes to it
 * @target: target of a symbolic link
 * @child: entries of a directory
 * @nr_children: how many
 * @spooled: where the contents are in the spool file (spool_fd()); negative: they are in the
 *	file of this path
 * @priority: place in the order of data, smaller first (--sort)
 * @same: earlier entry whose data serves this one too, or NULL
 * @rule: which blocks are to be stored in place, see rules.c; NULL: as -X has it
 * @mark: for each block, an enum mark; NULL: MARK_NONE for all
 * @usage: what became of the blocks, once they are written
 * @offset: image offset of the data
 * @in_place_offset: image offset of the first block in place, if there is one
 */
struct entry {
	struct entry *parent;
	char *name;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	__u64 size;
	dev_t rdev;
	__u64 state;
	char *target;
	struct entry **child;
	size_t nr_children;
	__s64 spooled;
	__s64 priority;
	struct entry *same;
	struct rule *rule;
	unsigned char *mark;
	struct usage usage;
	__u64 offset, in_place_offset;
};

/**
 * struct layout - what lies where in the image, for reports; all in bytes from its beginning
 * @directories: first directory
 * @data: block pointers and blocks
 * @far_data: blocks without pointers, of files whose pointers had to be nearer (or @data_end)
 * @data_end: end of both; what follows, up to @in_place, is padding
 * @in_place: blocks that are stored for execution in place
 * @end: end of these
 * @size: of the image
 */
struct layout {
	__u64 directories, data, far_data, data_end, in_place, end, size;
};

/* options.c */
void options_parse(int argc, char **argv, struct options *opt);

/* scan.c */
struct entry *tree_scan(const struct options *opt);
bool tree_wants_attribute(const char *name);

/* tree.c */
struct entry *tree_new(const char *name, mode_t mode);
struct entry *tree_add(struct entry *dir, const char *name, mode_t mode);
struct entry *tree_find(struct entry *dir, const char *name, size_t len);
void tree_drop(struct entry *e);
void tree_set_attributes(struct entry *e, const struct options *opt);
bool tree_excludes_path(const char *path, const struct options *opt);
bool tree_excludes(const struct entry *e, const struct options *opt);
void tree_drop_excluded(struct entry *dir, const struct options *opt);
void tree_finish(struct entry *root);
void tree_free(struct entry *e);
char *entry_path(const struct entry *e);
char *entry_image_path(const struct entry *e);
int entry_open(const struct entry *e, int flags);
bool entry_has_data(const struct entry *e);
noreturn __printf(2, 3) void die_entry(const struct entry *e, const char *fmt, ...);
__printf(2, 3) void complain_entry(const struct entry *e, const char *fmt, ...);
__printf(2, 3) void warn_entry(const struct entry *e, const char *fmt, ...);

/* archive.c */
struct entry *archive_scan(const struct options *opt);
int spool_fd(void);

/* text.c */
#define BLANKS		" \t\r\n\v\f"

/* A text file that is read line by line; the number of the last line, and what is for text.c. */
struct text {
	const char *path;
	unsigned long line;
	FILE *file;
	char *buf;
	size_t room;
};

__printf(1, 0) char *xvasprintf(const char *fmt, va_list args);
__printf(1, 2) char *xasprintf(const char *fmt, ...);
void text_open(struct text *text, const char *path);
char *text_next(struct text *text);
__printf(2, 3) bool complain_line(const struct text *text, const char *fmt, ...);
__printf(2, 3) void warn_line(const struct text *text, const char *fmt, ...);
char *text_unquote(char *word);

/* limits.c */
void limits_unreadable(const struct entry *e, const struct options *opt);
void limits_drop_attributes(const struct entry *e, bool capabilities);
void limits_check(struct entry *root, const struct options *opt);

/* devtable.c */
void devtable_apply(const char *path, struct entry *root);

/* sort.c */
void sort_apply(const char *path, struct entry *root);

/* modes.c */
bool mode_change(const char *text, mode_t *mode);

/* glob.c */
bool glob_match(const char *pattern, const char *path);

/* contents.c */
struct contents {
	const struct entry *e;
	int fd;
};

__u64 contents_state(const struct stat *st);
void contents_open(struct contents *c, const struct entry *e);
void contents_read(struct contents *c, void *buf, size_t len, __u64 offset);
void contents_close(struct contents *c);
unsigned char *contents_load(const struct entry *e);

/* rules.c */
void rules_read(const char *path);
void rules_apply(struct entry *root, const struct options *opt);
bool may_be_in_place(const struct entry *e, const unsigned char *first_bytes, size_t len,
		     const struct options *opt);
void rules_check(const struct options *opt);
bool rule_is_none(const struct rule *rule);
void mark_in_place(struct entry *e, unsigned char *data, const struct options *opt);

/* What is to be stored in place of a file: segments of programs and libraries, or all of it. */
#define ASK_TEXT	0x1
#define ASK_RODATA	0x2
#define ASK_DATA	0x4
#define ASK_SEGMENTS	(ASK_TEXT | ASK_RODATA | ASK_DATA)
#define ASK_ALL		0x8

/* elf.c */
bool elf_mark(const struct entry *e, unsigned char *data, unsigned int ask,
	      const struct options *opt, unsigned char *mark);

/* flat.c */
bool flat_mark(const struct entry *e, const unsigned char *data, unsigned int ask,
	       const struct options *opt, unsigned char *mark);

/* data.c */
struct data;

unsigned int nr_blocks(const struct entry *e, const struct options *opt);
struct data *data_analyse(struct entry *root, const struct options *opt);
void data_free(struct data *data);

/* image.c */
void image_write(struct entry *root, struct data *data, const struct options *opt,
		 struct layout *layout, struct usage *total);
struct usage entry_usage(const struct entry *e, const struct options *opt);

/* progress.c */
void progress_start(const struct entry *root, const struct options *opt);
void progress_update(__u64 in_bytes, __u64 out_bytes, bool file_is_done);
void progress_end(void);

/* summary.c */
void summary_print(const struct entry *root, const struct options *opt,
		   const struct layout *layout, const struct usage *total);

/* output.c */
void output_create(const char *path);
int temporary_file(void);
bool output_is(int fd, const struct stat *dir, const char *name);
void output_write(const void *buf, size_t len, __u64 offset);
__u32 output_crc(__u64 start, __u64 end);
void output_commit(__u64 size);

#endif
