/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the targets share: to run one of the programs in this process (run.c), a directory for the
 * files that it needs (box.c), to make images and hold them against what they must be (image.c),
 * and to change inputs (mutate.c).
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>

#include "../common.h"

/* A target has these; libFuzzer calls the first one and, where there is one, the second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
void target_init(void);

/*
 * What the sanitizer of addresses is told: programs rightly end with memory in use; and whoever has
 * no llvm-symbolizer may have addr2line.
 */
#define ASAN_OPTIONS	"detect_leaks=0:quarantine_size_mb=32:allow_addr2line=1"
extern const char target_asan_options[];

/* run.c has what these call. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* libFuzzer's */
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/**
 * struct printed - what a program has printed
 * @len: how much
 * @bytes: the beginning of it
 */
struct printed {
	size_t len;
	unsigned char bytes[1 << 20];
};

/* run.c */
extern struct printed run_out, run_err;
noreturn __printf(1, 2) void finding(const char *fmt, ...);
int run(int (*tool)(int argc, char **argv), const char *name, ...);
int run_args(int (*tool)(int argc, char **argv), const char *const *args);
const char *run_first_line(void);

/* box.c */
void box_init(void);
const char *box_path(const char *name);
void box_write(const char *name, const void *data, size_t len);
void box_remove(const char *name);
bool box_has(const char *name);
void box_begin_extraction(unsigned int fails_after, int error);
__u64 box_end_extraction(const char **denied);

/* image.c */
int make_image(const char *source, const char *const *options);
void image_must_be_good(void);
__u32 image_crc(void);
void image_must_have(const char *path, const void *data, size_t len);

/* is-json.c */
bool is_json(const unsigned char *text, size_t len);

/* mutate.c */
struct rng {
	__u64 state;
};

__u32 rng_next(struct rng *rng);
__u32 rng_below(struct rng *rng, __u32 n);
bool rng_one_in(struct rng *rng, __u32 n);
__u64 rng_odd(struct rng *rng, __u64 size);

#endif
