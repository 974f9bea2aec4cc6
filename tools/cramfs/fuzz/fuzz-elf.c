// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of ELF files: fields of the header and of the program headers are changed, in
 * both sizes and byte orders.
 */
#include <elf.h>

#include "run.h"

struct field {
	unsigned char offset, len;
};

#define FIELD(type, field)	{ offsetof(type, field), sizeof(((type *)0)->field) }

/* What is read of the header, or says where what is read is. */
enum { PHOFF = 2, PHNUM = 5, NR_HEADER_FIELDS = 8 };

static const struct field header[2][NR_HEADER_FIELDS] = {
	{
		FIELD(Elf32_Ehdr, e_type), FIELD(Elf32_Ehdr, e_version),
		FIELD(Elf32_Ehdr, e_phoff), FIELD(Elf32_Ehdr, e_shoff),
		FIELD(Elf32_Ehdr, e_phentsize), FIELD(Elf32_Ehdr, e_phnum),
		FIELD(Elf32_Ehdr, e_shnum), FIELD(Elf32_Ehdr, e_shentsize)
	}, {
		FIELD(Elf64_Ehdr, e_type), FIELD(Elf64_Ehdr, e_version),
		FIELD(Elf64_Ehdr, e_phoff), FIELD(Elf64_Ehdr, e_shoff),
		FIELD(Elf64_Ehdr, e_phentsize), FIELD(Elf64_Ehdr, e_phnum),
		FIELD(Elf64_Ehdr, e_shnum), FIELD(Elf64_Ehdr, e_shentsize)
	}
};

enum { TYPE, FLAGS, OFFSET, VADDR, FILESZ, MEMSZ, NR_SEGMENT_FIELDS };

static const struct field segment[2][NR_SEGMENT_FIELDS] = {
	{
		FIELD(Elf32_Phdr, p_type), FIELD(Elf32_Phdr, p_flags),
		FIELD(Elf32_Phdr, p_offset), FIELD(Elf32_Phdr, p_vaddr),
		FIELD(Elf32_Phdr, p_filesz), FIELD(Elf32_Phdr, p_memsz)
	}, {
		FIELD(Elf64_Phdr, p_type), FIELD(Elf64_Phdr, p_flags),
		FIELD(Elf64_Phdr, p_offset), FIELD(Elf64_Phdr, p_vaddr),
		FIELD(Elf64_Phdr, p_filesz), FIELD(Elf64_Phdr, p_memsz)
	}
};

struct program {
	unsigned char *data;
	size_t size;
	bool is_64, is_big_endian;
	struct rng rng;
};

static __u64 get(const struct program *p, size_t at, const struct field *f)
{
	const unsigned char *from = p->data + at + f->offset;
	__u64 val = 0;
	unsigned int i;

	for (i = 0; i < f->len; i++)
		val = val << 8 | from[p->is_big_endian ? i : f->len - 1 - i];
	return val;
}

static void put(struct program *p, size_t at, const struct field *f, __u64 val)
{
	unsigned char *to = p->data + at + f->offset;
	unsigned int i;

	for (i = 0; i < f->len; i++, val >>= 8)
		to[p->is_big_endian ? f->len - 1 - i : i] = val;
}

static void change_header(struct program *p)
{
	const struct field *f = &header[p->is_64][rng_below(&p->rng, NR_HEADER_FIELDS)];

	if (rng_one_in(&p->rng, 6))
		p->data[EI_CLASS + rng_below(&p->rng, 3)] = rng_below(&p->rng, 4);
	else if (f->len == 2)
		put(p, 0, f, rng_one_in(&p->rng, 4) ? 0xffff - rng_below(&p->rng, 3) :
						       rng_below(&p->rng, 70));
	else
		put(p, 0, f, rng_odd(&p->rng, p->size));
}

/* Segments that begin or end where others do, or where the file does. */
static void change_segment(struct program *p)
{
	size_t len = p->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	__u64 start = get(p, 0, &header[p->is_64][PHOFF]), at;
	__u64 nr = get(p, 0, &header[p->is_64][PHNUM]);
	const struct field *f = segment[p->is_64];
	unsigned int which = rng_below(&p->rng, NR_SEGMENT_FIELDS);

	if (!nr || start > p->size)
		return;
	at = start + rng_below(&p->rng, nr) * len;
	if (at + len > p->size)
		return;
	if (which == TYPE)
		put(p, at, &f[TYPE], rng_one_in(&p->rng, 4) ? rng_next(&p->rng) : PT_LOAD);
	else if (which == FLAGS)
		put(p, at, &f[FLAGS], rng_below(&p->rng, 8));
	else if (which == FILESZ && rng_one_in(&p->rng, 2))
		/* To just the end of the file. */
		put(p, at, &f[FILESZ],
		    p->size - get(p, at, &f[OFFSET]) + rng_below(&p->rng, 5) - 2);
	else
		put(p, at, &f[which], rng_odd(&p->rng, p->size));
	/* As a rule a segment is at the same place in its page in memory, and as long. */
	if (which == OFFSET && !rng_one_in(&p->rng, 4))
		put(p, at, &f[VADDR], get(p, at, &f[OFFSET]));
	if (which == FILESZ && !rng_one_in(&p->rng, 4))
		put(p, at, &f[MEMSZ], get(p, at, &f[FILESZ]));
}

/**
 * LLVMFuzzerCustomMutator() - change an ELF file
 * @data: the file, and a byte of options; changed
 * @size: length of both
 * @max: what there is room for
 * @seed: for numbers by chance
 *
 * Return: the new length.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct program p = { .data = data, .size = size ? size - 1 : 0, .rng = { seed } };

	if (p.size < sizeof(Elf64_Ehdr) || memcmp(data, ELFMAG, SELFMAG) ||
	    rng_one_in(&p.rng, 6))
		return LLVMFuzzerMutate(data, size, max);
	do {
		p.is_64 = data[EI_CLASS] == ELFCLASS64;
		p.is_big_endian = data[EI_DATA] == ELFDATA2MSB;
		switch (rng_below(&p.rng, 8)) {
		case 0 ... 1:
			change_header(&p);
			break;
		case 2:
			data[size - 1] = rng_next(&p.rng);
			break;
		default:
			change_segment(&p);
		}
	} while (rng_one_in(&p.rng, 2));
	return size;
}
