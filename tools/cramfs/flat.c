// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of a bFLT program are worth storing as they are. Without an MMU, the kernel maps its
 * header and text from the beginning of the file; the data, which it reads into RAM, follow. How
 * and where these blocks are stored is for data.c to say.
 */
#include <string.h>

#include "mkcramfs.h"

/* The fields of the header that matter, in words from its beginning; all are big-endian. */
enum {
	FLAT_REV = 1,
	FLAT_ENTRY,
	FLAT_DATA_START,
	FLAT_DATA_END,
	FLAT_BSS_END,
	FLAT_STACK_SIZE,
	FLAT_RELOC_START,
	FLAT_RELOC_COUNT,
	FLAT_FLAGS,
};

#define FLAT_HEADER_LEN	64
#define FLAT_VERSION	4

/* The text is copied to RAM, or it is compressed together with all else. */
#define FLAT_FLAG_RAM	0x1
#define FLAT_FLAG_GZIP	0x4

/* The kernel takes no program that is larger than this in any respect. */
#define FLAT_MAX	0x10000000

static __u32 field(const unsigned char *data, unsigned int word)
{
	const unsigned char *p = data + word * 4;

	return (__u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/*
 * Most of what the kernel asks of a header, and that the text is in the file. It has a limit for
 * data and relocations together, too, and refuses a file that is beyond that, stored or not.
 */
static bool is_sane(const struct entry *e, const unsigned char *data)
{
	__u32 data_start = field(data, FLAT_DATA_START);
	__u32 data_end = field(data, FLAT_DATA_END);
	__u32 bss_end = field(data, FLAT_BSS_END);

	return data_start > FLAT_HEADER_LEN && data_start <= e->size &&
	       data_end >= data_start && bss_end >= data_end && bss_end < FLAT_MAX &&
	       field(data, FLAT_STACK_SIZE) < FLAT_MAX &&
	       field(data, FLAT_RELOC_COUNT) < FLAT_MAX / 4;
}

/**
 * flat_mark() - mark the blocks of a bFLT program that are mapped
 * @e: file
 * @data: its contents
 * @mark: one a block, all MARK_NONE; set to MARK_IN_PLACE for these blocks
 *
 * Return: the number of blocks marked; 0 if the file is nothing of the kind.
 */
unsigned int flat_mark(const struct entry *e, const unsigned char *data, unsigned char *mark)
{
	unsigned int i, nr;

	if (e->size < FLAT_HEADER_LEN || memcmp(data, "bFLT", 4) ||
	    field(data, FLAT_REV) != FLAT_VERSION)
		return 0;
	if (!is_sane(e, data)) {
		warn_entry(e, "damaged bFLT file: compressed");
		return 0;
	}
	if (field(data, FLAT_FLAGS) & (FLAT_FLAG_RAM | FLAT_FLAG_GZIP))
		return 0;

	/* Data may begin in the last page of the text; they are mapped, and copied from there. */
	nr = align_up(field(data, FLAT_DATA_START), BLOCK_SIZE) / BLOCK_SIZE;
	for (i = 0; i < nr; i++)
		mark[i] = MARK_IN_PLACE;
	return nr;
}
