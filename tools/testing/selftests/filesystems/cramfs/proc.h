/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CRAMFS_PROC_H
#define CRAMFS_PROC_H

#include <stdbool.h>
#include <stddef.h>

bool cmdline_get(const char *key, char *value, size_t size);
int mtd_number(const char *name);
int read_text(const char *path, char *buf, size_t size);

#endif
