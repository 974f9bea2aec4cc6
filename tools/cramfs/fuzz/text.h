/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkcramfs with a text file that tells what to do: text.c has all but which option that is.
 */
#ifndef FUZZ_TEXT_H
#define FUZZ_TEXT_H

#include <stdint.h>

int text_run(const char *const *options, const uint8_t *data, size_t size);

#endif
