/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the race test share: the tree that both sides know, what all
 * processes of a run see, and the workers.
 */
#ifndef CRAMFS_RACE_H
#define CRAMFS_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "../proc.h"

/* Where the linker has the text of this program. */
extern const char __executable_start[], etext[];

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define PAGE		((size_t)4096)
#define MAX_LEN		(96 * PAGE)	/* of a file of the tree, but for programs and images */
#define NR_TREES	3
#define NR_TWINS	32	/* files and links that have two names */

/*
 * How long something may take, in beats of init. Each is a nap and some work, which
 * takes longer when the host is busy: nobody is stuck who has been given no more of a
 * processor than so many beats take.
 */
#define NAP		100000	/* microseconds */
#define STUCK		4000	/* 8 minutes of an idle host */

#define GROUP		"/cgroup/group"	/* of processes that have little memory */

/* tree.c */

enum node_type { NODE_DIR, NODE_FILE, NODE_LINK, NODE_OTHER };

/**
 * struct node - something in a tree
 * @path: without a '/' in front; "" is the root
 * @type: what it is; NODE_OTHER is a file whose contents only the host knows
 * @len: of a file or a link's target, in bytes
 * @children: of a directory
 * @contents: of a file, whole pages, filled up with zeros
 */
struct node {
	char path[64];
	enum node_type type;
	size_t len;
	unsigned int children;
	unsigned char *contents;
};

/**
 * struct tree - what is in an image
 * @nodes: sorted by path
 * @nr: how many
 * @files: those that have contents
 * @nr_files: how many
 */
struct tree {
	struct node *nodes;
	unsigned int nr;
	struct node **files;
	unsigned int nr_files;
};

void tree_make(struct tree *tree, unsigned int number);
struct node *tree_find(const struct tree *tree, const char *path);
int tree_write(const struct tree *tree, const char *top);

/* run.c */

enum kind {
	DO_READ, DO_SPLICE, DO_FIEMAP, DO_WALK, DO_LOOKUP, DO_TWINS, DO_MAP, DO_THREADS, DO_COW,
	DO_EXEC, DO_PEEK, DO_REFUSED, DO_REMOUNT, DO_DROP, DO_RECLAIM, DO_HOG, DO_KILL,
	DO_MOUNT_BLOCK, DO_MOUNT_MTD, DO_MOUNT_PHYS, DO_MOUNT_LOOP, NR_KINDS
};

#define MAX_HOMES	8
#define MAX_WORKERS	64
#define RUN		MAX_WORKERS	/* the number of who starts them */

/**
 * struct home - a mount that is there all the time
 * @top: where
 * @tree: what is in it
 * @device: its block device, "" without one
 * @rom: physical address of the image, 0 if it is not in memory
 */
struct home {
	char top[32];
	unsigned int tree;
	char device[32];
	unsigned long rom;
};

/**
 * struct shared - what all processes of a run share
 * @stop: everybody is to come to an end
 * @failed: something is wrong; said once
 * @rounds: what has been done, by kind
 * @busy: mounts that were refused since another one had the range
 * @holders: mounts that have the contested range now
 * @killed: processes that a signal ended in the middle of something
 * @in_rom: pages that were seen mapped from the image itself
 * @beats: of init, see there
 * @seen: for each worker, and the run itself, the beat at which it has gone on last
 * @longest: beats that one has taken to go on
 * @slowest: who that was
 */
struct shared {
	volatile int stop;
	int failed;
	unsigned long rounds[NR_KINDS];
	unsigned long busy;
	int holders;
	unsigned long killed;
	unsigned long in_rom;
	volatile unsigned long beats, seen[RUN + 1], longest;
	enum kind slowest;
};

/**
 * struct place - where images are that workers mount and unmount
 * @block: a disk, or NULL
 * @mtd: name of an MTD device, as in mtd:NAME, or NULL
 * @phys: physical address of the contested range, 0 without one
 * @taken: addresses that a home and a driver have claimed
 * @empty: a range that nobody claims, with nothing in it
 */
struct place {
	const char *block;
	const char *mtd;
	unsigned long phys;
	unsigned long taken[2];
	unsigned long empty;
};

extern struct shared *shared;
extern struct tree trees[NR_TREES];
extern struct home homes[MAX_HOMES];
extern unsigned int nr_homes;
extern struct place place;
extern const char *const kind_names[NR_KINDS];

/* This process: what it does, who it is, and a directory of its own. */
extern enum kind my_kind;
extern unsigned int my_number;
extern char my_dir[32];

void random_seed(uint64_t seed);
uint64_t random_word(void);
unsigned int random_below(unsigned int n);
bool one_in(unsigned int n);
void short_sleep(unsigned int max_us);
long seconds(void);
void note_progress(void);
__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
unsigned long number_in(const char *path, const char *key);
pid_t start_child(void);
void end_child(pid_t pid);
void do_round(enum kind kind);
const struct home *any_home(void);
const struct node *any_file(const struct home *home);
const struct node *any_mappable(const struct tree *tree);
int open_in(const char *top, const struct node *node);
bool same(const char *what, const struct node *node, const void *buf, size_t offset, size_t len);

/* race.c */
uint32_t sum_of_text(void);
char *text(const char *key);
void must(bool ok, const char *what);

/* homes.c */
int mount_homes(void);
bool unmount_homes(int loop);

/* crew.c */
void start_workers(uint64_t chances);
bool bury_workers(void);
bool anybody_stuck(void);
bool end_workers(void);
bool all_have_worked(void);
void say_counts(long elapsed);
void show_stack(pid_t pid);

/* log.c */
extern unsigned long nr_foreign_races;
void read_log(void);

/* balance.c */
void begin_balance(void);
bool comes_back(const char *when);
bool begin_leaks(void);
bool find_leaks(void);

/* read.c */
void read_round(void);
void read_some(const char *top, const struct tree *tree);
void splice_round(void);
void fiemap_round(void);
void walk_round(void);
void walk_tree(const char *top, const struct tree *tree);
void lookup_round(void);
void refused_round(void);

void check_stat(const struct node *node, const struct stat *st);
void check_link(const struct node *node, const char *path);

/* twins.c */
void twins_round(void);
void look_at_twins(const char *top, const struct tree *tree);

/* map.c */
void map_round(void);
void map_some(const char *top, const struct node *node, unsigned long rom);
void threads_round(void);
void cow_round(void);
void exec_round(void);
void peek_round(void);

/* mount.c */
void remount_round(void);
void mount_block_round(void);
void mount_mtd_round(void);
void mount_phys_round(void);
void mount_loop_round(void);
unsigned int unmount_all_below(const char *top);
int loop_attach(const char *path, char *device, size_t size);

/* memory.c */
void drop_round(void);
void reclaim_round(void);
void hog_round(void);
void kill_round(void);

#endif
