// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of an ELF file are worth storing as they are: those that the kernel or the dynamic
 * loader will map read-only, and that can therefore be executed or read where they lie; and, if
 * asked for, those that it will map such that pages are copied when they are written to. How and
 * where these blocks are stored is for data.c to say.
 */
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "mkcramfs.h"

/* Whether a segment has another place in its page in the file than in memory. */
static bool is_misplaced(const GElf_Phdr *phdr, const struct options *opt)
{
	return phdr->p_offset % opt->block_size != phdr->p_vaddr % opt->block_size;
}

/* What becomes of the blocks of a segment, which has some. */
static enum mark segment_mark(const GElf_Phdr *phdr, unsigned int ask, const struct options *opt)
{
	if (!(phdr->p_flags & (PF_R | PF_W | PF_X)))
		return MARK_OUTSIDE;
	/* With an MMU, pages are copied when they are written to, be it by zeroing the rest. */
	if (phdr->p_flags & PF_W) {
		if (!(ask & ASK_DATA))
			return MARK_WRITABLE;
		return is_misplaced(phdr, opt) ? MARK_MISPLACED : MARK_IN_PLACE;
	}
	if (!(ask & (phdr->p_flags & PF_X ? ASK_TEXT : ASK_RODATA)))
		return MARK_RULE;
	/*
	 * A segment is mapped from the file only if it is at the same offset in its page there as
	 * in memory. Images for coprocessors, say, are copied instead, and do better compressed.
	 */
	if (is_misplaced(phdr, opt))
		return MARK_MISPLACED;
	/*
	 * If it is longer in memory than in the file, the rest is zeroed after it has been mapped.
	 * Without an MMU nothing keeps that from being done to the image, so this must be mapped as
	 * a copy; and with one, it cannot be done at all.
	 */
	return phdr->p_memsz > phdr->p_filesz ? MARK_ZEROED : MARK_IN_PLACE;
}

static void mark_segment(const struct entry *e, const GElf_Phdr *phdr, unsigned int ask,
			 const struct options *opt, unsigned char *mark)
{
	enum mark wanted = segment_mark(phdr, ask, opt);
	__u64 i, end, nr = nr_blocks(e, opt);

	if (phdr->p_offset > e->size || phdr->p_filesz > e->size - phdr->p_offset) {
		if (wanted == MARK_IN_PLACE)
			warn_entry(e, "ELF segment goes beyond the end of the file: compressed");
		wanted = MARK_DAMAGED;
		end = nr;
	} else {
		end = align_up(phdr->p_offset + phdr->p_filesz, opt->block_size) / opt->block_size;
	}
	/*
	 * A page that is only partly in the segment is mapped with it. If the rest belongs to a
	 * writable segment, that one is copied from there when it is written to.
	 */
	for (i = phdr->p_offset / opt->block_size; i < end; i++) {
		if (mark[i] != MARK_IN_PLACE)
			mark[i] = wanted;
	}
}

static bool mark_segments(const struct entry *e, Elf *elf, unsigned int ask,
			  const struct options *opt, unsigned char *mark)
{
	GElf_Ehdr ehdr;
	GElf_Phdr phdr;
	size_t i, nr;

	if (!gelf_getehdr(elf, &ehdr) || elf_getphdrnum(elf, &nr))
		goto bad;
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return false;

	memset(mark, MARK_OUTSIDE, nr_blocks(e, opt));
	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, i, &phdr))
			goto bad;
		if (phdr.p_type == PT_LOAD && phdr.p_filesz)
			mark_segment(e, &phdr, ask, opt, mark);
	}
	return true;

bad:
	warn_entry(e, "damaged ELF file: compressed");
	memset(mark, MARK_DAMAGED, nr_blocks(e, opt));
	return true;
}

/**
 * elf_mark() - mark the blocks of a program or library that are mapped from the file
 * @e: file
 * @data: its contents
 * @ask: segments to be stored in place, ASK_*
 * @opt: options
 * @mark: one a block; set to MARK_IN_PLACE, or to why it is not
 *
 * Return: false if the file is nothing of the kind; no mark is set then.
 */
bool elf_mark(const struct entry *e, unsigned char *data, unsigned int ask,
	      const struct options *opt, unsigned char *mark)
{
	bool res;
	Elf *elf;

	/* Not every file that begins so is one, but elf_memory() takes archives too. */
	if (e->size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG))
		return false;
	if (elf_version(EV_CURRENT) == EV_NONE)
		die("libelf: %s", elf_errmsg(-1));

	elf = elf_memory((char *)data, e->size);
	if (!elf) {
		warn_entry(e, "damaged ELF file: compressed");
		memset(mark, MARK_DAMAGED, nr_blocks(e, opt));
		return true;
	}
	res = mark_segments(e, elf, ask, opt, mark);
	elf_end(elf);
	return res;
}
