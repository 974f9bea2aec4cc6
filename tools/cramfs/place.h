/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where blocks go in the image, and the pointers to them.
 */
#ifndef PLACE_H
#define PLACE_H

#include "pipeline.h"

struct place *place_create(const struct data *data, const struct options *opt, __u64 start);
void place_batch(struct batch *b, void *place);
void place_in_place(struct place *p);
void place_destroy(struct place *p, struct layout *layout, struct usage *total, __u32 *flags);

#endif
