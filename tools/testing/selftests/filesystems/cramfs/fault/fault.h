/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of failures share: the tree that the image has, where the image is,
 * operations on it, failures to order, and what must be the same afterwards. None of
 * it asserts anything; fault.c does.
 */
#ifndef CRAMFS_FAULT_H
#define CRAMFS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <sys/types.h>

#include "../proc.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define PAGE		4096UL
#define MNT		"/tmp/mnt"
#define IMAGE		"/image"
#define PROGRAM		"/fault_exec"
#define MTD_NAME	"cramfs-faults"
#define CRAMFS_MAGIC	0x28cd3d45

/* What an operation returns when it gets something else than it should. */
#define WRONG		1
/* What fault_exec's exit status is. */
#define EXEC_STATUS	42

/* tree.c: what is in the image */

/**
 * struct node - an entry of the tree
 * @path: below the root
 * @type: f, d or l
 * @size: of a file in bytes; of a link, the length of its target
 * @data: contents of a file, target of a link
 */
struct node {
	const char *path;
	char type;
	size_t size;
	unsigned char *data;
};

extern struct node nodes[];
extern const unsigned int nr_nodes;
extern const unsigned int nr_in_root;

int load_nodes(const char *program);
int write_nodes(const char *dir);
const struct node *find_node(const char *path);

/* backing.c: where the image is */

/**
 * struct backing - a place of the image
 * @set_up: put the image there; 0, or -1 with errno
 * @write: change bytes of it behind the driver's back; 0, or -1 with errno
 * @type: of the filesystem
 * @source: for mount()
 * @options: for mount()
 * @disk: of a block device, its name in /sys/block; else NULL
 * @errors: other errors than -ENOMEM that mount() may have for want of memory, 0 at
 *	the end
 */
struct backing {
	int (*set_up)(struct backing *backing);
	int (*write)(const struct backing *backing, off_t at, const void *buf, size_t len);
	const char *type;
	char source[64];
	char options[64];
	const char *disk;
	int errors[4];
};

extern struct backing block, ramdisk, mtd, physmem, xip;
extern unsigned char *image;
extern size_t image_len;

int load_image(void);
int mount_image(const struct backing *backing);
int disk_create(void);
int disk_fill(void);
int disk_power(bool on);
int disk_remove(void);
int disk_set_bad(__u64 sector, unsigned int nr, bool bad);
int mtd_remove(void);

/* inject.c: failures to order */

/**
 * struct kind - what is made to fail
 * @slab: objects of slabs
 * @pages: pages
 * @io: requests to the block device
 * @step: 0: one failure, the nth. Otherwise so much may be allocated n times, or
 *	read, then there is more than one failure.
 * @burst: how many come one after the other then: what tries again, or has another
 *	way, fails as well
 */
struct kind {
	bool slab, pages, io;
	unsigned int step, burst;
};

int inject_select(const struct kind *kind, const char *disk);
int inject_arm(const struct kind *kind, unsigned int n);
int inject_disarm(const struct kind *kind);
int inject_of_child(const struct kind *kind, pid_t pid);
int inject_at_random(const char *disk, unsigned int percent);
long inject_end_random(const char *disk);

/* leak.c: what must be the same afterwards */

#define NR_SLABS	6

/**
 * struct counters - what a leak changes
 * @pages: that nobody accounts for
 * @lru: pages of files and of processes that none of them has
 * @areas: of the kernel's address space that are mapped to something
 * @slabs: objects of slab caches
 * @slab_slack: how many of them may be more without being used
 * @iomem: hash of /proc/iomem
 * @mtd: hash of /proc/mtd
 */
struct counters {
	long pages, lru, areas;
	long slabs[NR_SLABS], slab_slack[NR_SLABS];
	__u32 iomem, mtd;
};

int count(struct counters *counters);
int count_until(struct counters *after, const struct counters *before, char *what, size_t size);
long now_ms(void);

/* ops.c: operations */

/**
 * struct op - an operation to make failures happen in
 * @name: for messages
 * @prepare: what must be there before, on the fresh mount; optional
 * @run: 0, -errno, or WRONG
 * @unmounted: @run needs the image not to be mounted
 * @forks: @run has the failure happen in a child, and arms it by itself
 * @errors: other errors than -ENOMEM that the VFS has for want of memory, 0 at the end
 */
struct op {
	const char *name;
	int (*prepare)(const struct backing *backing);
	int (*run)(const struct backing *backing);
	bool unmounted;
	bool forks;
	int errors[4];
};

extern const struct op op_mount, op_fsopen, op_refuse, op_unmount, op_remount, op_show, op_walk,
	op_read, op_reread, op_readahead, op_map, op_copy_on_write, op_peek, op_exec,
	op_exec_deflated, op_splice, op_fiemap;

/**
 * struct in_child - for operations that fork
 * @kind: what to arm in the child
 * @n: with which number
 * @injected: result: failures that there were
 */
struct in_child {
	const struct kind *kind;
	unsigned int n;
	int injected;
};

extern struct in_child in_child;

int check_file(const struct node *node, unsigned int *wrong, unsigned int *failed);
int check_page(const struct node *node, unsigned int index);
int check_all(void);
bool is_mounted(void);

#endif
