/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all programs of this directory share: messages, memory, and numbers as the format has them.
 * They are one binary; main.c looks at its name to see which one it is to be.
 */
#ifndef CRAMFS_COMMON_H
#define CRAMFS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "../../include/uapi/linux/cramfs_fs.h"

/* Of the tools of this directory, together. */
#define VERSION		"1.0"

/* The kernel reads blocks of its page size; 4096 is the only one that all kernels agree on. */
#define BLOCK_SIZE	4096U
#define MAX_BLOCK_SIZE	65536U

/* Where the superblock is, if the image begins with room for boot code. */
#define BOOT_PAD	512U

#define MAX_FILE_SIZE	((1U << CRAMFS_SIZE_WIDTH) - 1)
#define MAX_UID		((1U << CRAMFS_UID_WIDTH) - 1)
#define MAX_GID		((1U << CRAMFS_GID_WIDTH) - 1)
/* An inode points at its data in units of four bytes. */
#define MAX_INODE_OFFSET ((1ULL << (CRAMFS_OFFSET_WIDTH + 2)) - 4)

/* The most that a block pointer can say; the bits above are flags, if these are in use. */
#define MAX_POINTER	(~CRAMFS_BLK_FLAGS)

/* Exit statuses, as fsck(8) and other mkfs programs have them. */
#define EXIT_UNCORRECTED	4
#define EXIT_ERROR		8
#define EXIT_USAGE		16

static inline __u64 align_up(__u64 x, unsigned int to)
{
	return (x + to - 1) / to * to;
}

#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))

/* main.c: the programs, and the name that this one has in messages */
extern const char *program;
int mkcramfs_main(int argc, char **argv);
int fsck_main(int argc, char **argv);

/* message.c */
noreturn __printf(1, 2) void die(const char *fmt, ...);
noreturn void die_errno(const char *what);
noreturn void exit_usage(void);
noreturn __printf(1, 2) void die_usage(const char *fmt, ...);
__printf(1, 2) void complain(const char *fmt, ...);
void die_if_complaints(void);
__printf(1, 2) void warn(const char *fmt, ...);
unsigned int nr_warnings(void);
void *xalloc(size_t size);
void *xgrow(void *old, size_t size);
char *xstrdup(const char *s);
size_t decode_utf8(const char *s, size_t len, __u32 *code);
char *printable(const char *s);
char type_letter(mode_t mode);

/* progress.c: for whoever is about to write to the terminal */
void progress_clear(void);

/* json.c */
void json_string(FILE *f, const char *s, size_t len);
void json_member(FILE *f, const char *key, const char *s, size_t len);
void json_path(FILE *f, const char *path, size_t len);

/* ondisk.c */
void put_u16(unsigned char *p, __u16 val, bool big_endian);
void put_u32(unsigned char *p, __u32 val, bool big_endian);
__u16 get_u16(const unsigned char *p, bool big_endian);
__u32 get_u32(const unsigned char *p, bool big_endian);
bool is_big_endian_host(void);

#endif
