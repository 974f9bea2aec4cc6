// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of a file are stored as they are, so that they can be mapped where they lie: what
 * is known of the formats of programs decides. Where and how they are stored is for data.c to say.
 */
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/**
 * mark_in_place() - decide which blocks of a file are stored for execution in place
 * @e: file; sets e->mark
 * @data: its contents
 * @opt: options
 */
void mark_in_place(struct entry *e, unsigned char *data, const struct options *opt)
{
	unsigned int marked, nr = nr_blocks(e, opt);

	e->mark = xalloc(nr);
	marked = elf_mark(e, data, e->mark);
	if (!marked)
		marked = flat_mark(e, data, e->mark);
	/* The others need not be compressed either, and follow each other best here. */
	if (marked && opt->uncompressed)
		memset(e->mark, MARK_IN_PLACE, nr);
}
