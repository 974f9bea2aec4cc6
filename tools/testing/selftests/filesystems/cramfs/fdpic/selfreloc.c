// SPDX-License-Identifier: GPL-2.0-only
/*
 * Relocates a static FDPIC program from within. The linker lists the addresses
 * of all words that hold an address; both the place and the contents of such a
 * word are as linked, and the load map says where each segment is instead. The
 * last entry of the list is the address of the GOT.
 *
 * This runs before there is a GOT: no global data, no calls to other files.
 * The order of the arguments is that of the function of the same name in the
 * crtreloc.o of uClibc-ng, whose crt1.o can be linked with this one.
 */

struct loadseg {
	unsigned int addr;
	unsigned int vaddr;
	unsigned int memsz;
};

struct loadmap {
	unsigned short version;
	unsigned short nr_segs;
	struct loadseg segs[];
};

/* Where a linked address is now. */
static inline unsigned int moved(const struct loadmap *map, unsigned int linked)
{
	unsigned int end = linked;

	for (unsigned int n = 0; n < map->nr_segs; n++) {
		const struct loadseg *seg = &map->segs[n];
		unsigned int offset = linked - seg->vaddr;

		if (offset < seg->memsz)
			return seg->addr + offset;
		/* The end of a segment, unless another one begins there. */
		if (offset == seg->memsz)
			end = seg->addr + offset;
	}
	return end;
}

__attribute__((visibility("hidden")))
unsigned int __self_reloc(const struct loadmap *map, const unsigned int *fixup,
			  const unsigned int *fixup_end)
{
	for (fixup_end--; fixup < fixup_end; fixup++) {
		unsigned int *place = (unsigned int *)moved(map, *fixup);

		/* An undefined weak symbol stays NULL. */
		if (*place)
			*place = moved(map, *place);
	}
	return moved(map, *fixup_end);
}
