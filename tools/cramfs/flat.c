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

/* The text is copied to RAM; or it is compressed together with all else; or the data are. */
#define FLAT_FLAG_RAM		0x1
#define FLAT_FLAG_GOTPIC	0x2
#define FLAT_FLAG_GZIP		0x4
#define FLAT_FLAG_GZDATA	0x8

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

/*
 * The kernel writes the address that is meant to where each relocation says, by its distance from
 * the end of the header. It does so in text that is in ROM, too. If the relocations are compressed,
 * they cannot be read here, and only those of a global offset table are known to be harmless.
 */
static bool relocates_text(const struct entry *e, const unsigned char *data)
{
	__u32 text_len = field(data, FLAT_DATA_START) - FLAT_HEADER_LEN;
	__u32 flags = field(data, FLAT_FLAGS), nr = field(data, FLAT_RELOC_COUNT), i;
	__u64 start = field(data, FLAT_RELOC_START);

	if (flags & FLAT_FLAG_GZDATA)
		return nr && !(flags & FLAT_FLAG_GOTPIC);
	for (i = 0; i < nr && start + i * 4ULL + 4 <= e->size; i++) {
		if (field(data + start + i * 4ULL, 0) < text_len)
			return true;
	}
	return false;
}

static enum mark text_mark(const struct entry *e, const unsigned char *data)
{
	if (!is_sane(e, data)) {
		warn_entry(e, "damaged bFLT file: compressed");
		return MARK_DAMAGED;
	}
	if (field(data, FLAT_FLAGS) & (FLAT_FLAG_RAM | FLAT_FLAG_GZIP))
		return MARK_COPIED;
	if (relocates_text(e, data)) {
		warn_entry(e, "bFLT program that the kernel would relocate in ROM: compressed");
		return MARK_RELOCATED;
	}
	return MARK_IN_PLACE;
}

/**
 * flat_mark() - mark the blocks of a bFLT program that are mapped
 * @e: file
 * @data: its contents
 * @ask: what is to be stored in place, ASK_*; what the program has of it is text
 * @opt: options
 * @mark: one a block; set to MARK_IN_PLACE, or to why it is not
 *
 * Return: false if the file is nothing of the kind; no mark is set then.
 */
bool flat_mark(const struct entry *e, const unsigned char *data, unsigned int ask,
	       const struct options *opt, unsigned char *mark)
{
	enum mark text;
	__u32 nr;

	if (e->size < FLAT_HEADER_LEN || memcmp(data, "bFLT", 4) ||
	    field(data, FLAT_REV) != FLAT_VERSION)
		return false;
	text = text_mark(e, data);
	if (text == MARK_DAMAGED) {
		memset(mark, MARK_DAMAGED, nr_blocks(e, opt));
		return true;
	}
	if (!(ask & ASK_TEXT))
		text = MARK_RULE;
	memset(mark, MARK_COPIED, nr_blocks(e, opt));
	/* Data may begin in the last page of the text; they are mapped, and copied from there. */
	nr = align_up(field(data, FLAT_DATA_START), opt->block_size) / opt->block_size;
	memset(mark, text, nr);
	return true;
}
