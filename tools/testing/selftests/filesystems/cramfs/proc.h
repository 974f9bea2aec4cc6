/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CRAMFS_PROC_H
#define CRAMFS_PROC_H

#include <stdbool.h>
#include <stddef.h>

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

bool cmdline_get(const char *key, char *value, size_t size);
unsigned long cmdline_number(const char *key);
long count_areas(void);
int forget_caches(void);
char *kmsg_text(char *record);
int mtd_number(const char *name);
long pages_kept(void);
int read_leaks(char *buf, size_t size);
int read_text(const char *path, char *buf, size_t size);
__attribute__((format(printf, 2, 3))) int write_text(const char *path, const char *format, ...);

#endif
