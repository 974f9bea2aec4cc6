// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of a file are worth storing as they are: those that the kernel or the dynamic loader
 * will map read-only, and that can therefore be executed or read where they lie. How and where
 * these blocks are stored is for data.c to say.
 */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/*
 * A segment is mapped from the file only if it is at the same offset in its page there as in
 * memory. Images for coprocessors, say, are copied instead, and do better compressed.
 *
 * If it is longer in memory than in the file, the rest is zeroed after it has been mapped. Without
 * an MMU nothing keeps that from being done to the image, so this must be mapped as a copy.
 */
static bool is_mapped_read_only(const GElf_Phdr *phdr)
{
	return phdr->p_type == PT_LOAD && phdr->p_filesz &&
	       (phdr->p_flags & (PF_R | PF_X)) && !(phdr->p_flags & PF_W) &&
	       phdr->p_memsz <= phdr->p_filesz &&
	       phdr->p_offset % BLOCK_SIZE == phdr->p_vaddr % BLOCK_SIZE;
}

static unsigned int mark_segment(const struct entry *e, const GElf_Phdr *phdr, unsigned char *mark)
{
	unsigned int marked = 0;
	__u64 i, last;

	if (phdr->p_offset > e->size || phdr->p_filesz > e->size - phdr->p_offset) {
		warn_entry(e, "ELF segment goes beyond the end of the file: compressed");
		return 0;
	}
	/*
	 * A page that is only partly in the segment is mapped with it. If the rest belongs to a
	 * writable segment, that one is copied from there when it is written to.
	 */
	last = (phdr->p_offset + phdr->p_filesz - 1) / BLOCK_SIZE;
	for (i = phdr->p_offset / BLOCK_SIZE; i <= last; i++) {
		marked += mark[i] != MARK_IN_PLACE;
		mark[i] = MARK_IN_PLACE;
	}
	return marked;
}

static unsigned int mark_segments(const struct entry *e, Elf *elf, unsigned char *mark)
{
	unsigned int marked = 0;
	GElf_Ehdr ehdr;
	GElf_Phdr phdr;
	size_t i, nr;

	if (!gelf_getehdr(elf, &ehdr) || elf_getphdrnum(elf, &nr))
		goto bad;
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return 0;

	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, i, &phdr))
			goto bad;
		if (is_mapped_read_only(&phdr))
			marked += mark_segment(e, &phdr, mark);
	}
	return marked;

bad:
	warn_entry(e, "damaged ELF file: compressed");
	memset(mark, MARK_NONE, align_up(e->size, BLOCK_SIZE) / BLOCK_SIZE);
	return 0;
}

/**
 * elf_mark() - mark the blocks of a program or library that are mapped read-only
 * @e: file
 * @data: its contents
 * @mark: one a block, all MARK_NONE; set to MARK_IN_PLACE for these blocks
 *
 * Return: the number of blocks marked; 0 if the file is nothing of the kind.
 */
unsigned int elf_mark(const struct entry *e, unsigned char *data, unsigned char *mark)
{
	unsigned int marked;
	Elf *elf;

	/* Not every file that begins so is one, but elf_memory() takes archives too. */
	if (e->size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG))
		return 0;
	if (elf_version(EV_CURRENT) == EV_NONE)
		die("libelf: %s", elf_errmsg(-1));

	elf = elf_memory((char *)data, e->size);
	if (!elf) {
		warn_entry(e, "damaged ELF file: compressed");
		return 0;
	}
	marked = mark_segments(e, elf, mark);
	elf_end(elf);
	return marked;
}
