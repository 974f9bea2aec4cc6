/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests without an MMU share: a list of tests to run, what the host
 * expects of the images, mappings and their RAM, other programs. They are built
 * with nolibc and have 1 MiB of RAM, kernel included: nothing is large here.
 */
#ifndef CRAMFS_NOMMU_LIB_H
#define CRAMFS_NOMMU_LIB_H

#include <linux/types.h>
#include <stdbool.h>

#include "kselftest.h"

#define PAGE	4096UL
#define BIN	"/t/bin/"
#define DATA	"/t/data/"
#define MNT	"/mnt"

/* What test_exec, as a tracer, writes to the memory of the program `traced`. */
#define TRACERS_WORD	0xbe00be00UL

/* Where a test makes sense: with which roots, kernels and drivers. */
#define ON_MTD		0x1
#define ON_PHYSMEM	0x2
#define ON_NEW		(ON_MTD | ON_PHYSMEM)
#define ON_BOTH		0x4	/* root on MTD, but physaddr= is known */
#define ON_PEER		0x8	/* the unmodified driver can do that, too */
#define ANYWHERE	(ON_NEW | ON_PEER)

/**
 * struct test - a behaviour
 * @name: says which
 * @run: true if it is so; otherwise it has said what is wrong
 * @where: ON_*
 */
struct test {
	const char *name;
	bool (*run)(void);
	unsigned int where;
};

#define TEST(function, places)	{ #function, function, places }

int run_tests(const struct test *tests, unsigned int nr, int argc, char **argv);

/* In a test only: they return from it. */
#define ASSERT_EQ(want, got)							\
do {										\
	long want_ = (long)(want), got_ = (long)(got);				\
										\
	if (want_ != got_) {							\
		ksft_print_msg("%s:%d: %s is %ld (0x%lx), not %ld (0x%lx)\n",	\
			       __FILE__, __LINE__, #got, got_, got_, want_, want_); \
		return false;							\
	}									\
} while (0)

#define ASSERT_LE(got, most)							\
do {										\
	long most_ = (long)(most), got_ = (long)(got);				\
										\
	if (got_ > most_) {							\
		ksft_print_msg("%s:%d: %s is %ld, which is more than %ld\n",	\
			       __FILE__, __LINE__, #got, got_, most_);		\
		return false;							\
	}									\
} while (0)

#define ASSERT_TRUE(what)							\
do {										\
	if (!(what)) {								\
		ksft_print_msg("%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
		return false;							\
	}									\
} while (0)

/*
 * Expectations. The host puts them behind the root image in the ROM, where they
 * are just read: there is no MMU to keep a program from it. Addresses are
 * physical ones.
 */

/**
 * struct run - consecutive blocks of one kind
 * @kind: 'X' stored by direct pointers one after the other, so that a mapping
 *	can be in place; 'x' a stored last block with something else in the rest
 *	of its page; 's' stored, but not to be mapped in place; 'z' deflated;
 *	'h' hole; '!' cannot be read
 * @count: blocks
 * @addr: of the first one, if stored
 */
struct run {
	__u32 kind;
	__u32 count;
	__u32 addr;
};

struct file {
	__u32 path;
	__u32 size;
	__u32 crc;
	__u32 runs;
	__u32 nr_runs;
};

/**
 * struct image - an image in the ROM
 * @name: of it
 * @addr: where it is
 * @len: in bytes
 * @files: the regular files in it
 * @nr_files: how many
 */
struct image {
	char name[16];
	__u32 addr;
	__u32 len;
	__u32 files;
	__u32 nr_files;
};

struct expect {
	char magic[16];
	__u32 nr_images;
	struct image images[];
};

const struct image *find_image(const char *name);
const struct file *nth_file(const struct image *image, unsigned int n);
const struct file *find_file(const char *path);
const char *path_of(const struct file *file);
unsigned int nr_pages(const struct file *file);
char kind_of(const struct file *file, unsigned int index);
unsigned long place(const struct file *file, unsigned int index, unsigned int nr);
__u32 crc32(__u32 crc, const void *data, unsigned long len);

/* The image at /mnt; paths below that are in this one, all others in the root. */
extern const struct image *mounted;

int mount_address(unsigned long addr, const char *more);
int mount_image(const char *name);
int mount_boot(void);

/*
 * Where init has the kernel's log open for all, out of the way of descriptors that
 * tests use. The log is short: it must be copied before much can happen.
 */
#define LOG_FD	20

bool copy_log(void);

/* Undo what a test has done or has left behind; this is done after each. */
void clean_up(void);

bool in_rom(const void *addr);
bool cmdline_get(const char *key, char *value, unsigned long size);
long mem_kb(const char *key);
long settled_memory(void);
int read_text(const char *path, char *buf, unsigned long size);
long pread(int fd, void *buf, unsigned long len, unsigned long pos);
bool region_of(int pid, const char *perms, const char *name, unsigned long *start);

void *map(const char *path, unsigned long len, int prot, int flags, unsigned long pos);
bool unmap(void *addr, unsigned long len);

/* Whole tests: they say what is wrong. Ranges are in pages. */
bool has_contents(const char *path, const unsigned char *addr, unsigned long pos,
		  unsigned long len);
bool reads_as_expected(const char *path, const struct file *file);
bool is_in_place(const char *path, unsigned int index, unsigned int nr, int prot, int flags);
bool is_copy(const char *path, unsigned int index, unsigned int nr, int prot);
bool is_refused(int err, const char *path, unsigned int index, unsigned int nr, int prot,
		int flags);

__attribute__((returns_twice)) pid_t vfork(void);
int spawn(const char *program, const char *arg, int out);
int status_of(int pid);
int run_program(const char *program, const char *arg);

#endif
