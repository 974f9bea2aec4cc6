// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the kernel command line, the host's expectations and pagemap for the
 * guest tests. Expectations are loaded before main(), so that every test, a
 * process of its own, inherits them. Outside of a guest nothing is loaded and
 * the program ends as skipped.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define PM_PRESENT	0x8000000000000000ULL
#define PM_PFN		((1ULL << 55) - 1)
#define EXIT_SKIP	4

struct guest guest;

/* crc_table[k][b]: what the byte b does to a CRC that goes on for k bytes. */
static __u32 crc_table[4][256];

static void make_crc_table(void)
{
	for (unsigned int n = 0; n < 256; n++) {
		__u32 c = n;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		crc_table[0][n] = c;
	}
	for (unsigned int k = 1; k < 4; k++) {
		for (unsigned int n = 0; n < 256; n++) {
			__u32 c = crc_table[k - 1][n];

			crc_table[k][n] = c >> 8 ^ crc_table[0][c & 0xff];
		}
	}
}

/**
 * crc32() - go on with a CRC-32
 * @crc: result so far, 0 at the start
 * @buf: bytes
 * @len: how many
 *
 * Return: the CRC-32 up to here
 */
__u32 crc32(__u32 crc, const void *buf, size_t len)
{
	const unsigned char *p = buf;

	crc = ~crc;
	/* Emulated processors are slow: four bytes at a time. */
	for (; len >= 4; len -= 4, p += 4) {
		crc ^= p[0] | p[1] << 8 | p[2] << 16 | (__u32)p[3] << 24;
		crc = crc_table[3][crc & 0xff] ^ crc_table[2][crc >> 8 & 0xff] ^
		      crc_table[1][crc >> 16 & 0xff] ^ crc_table[0][crc >> 24];
	}
	while (len--)
		crc = crc_table[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

/**
 * crc_file() - CRC-32 of what read() gives
 * @path: file
 * @crc: result
 *
 * Return: 0, -1 with errno
 */
int crc_file(const char *path, __u32 *crc)
{
	static char buf[16 * 4096];
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return -1;
	*crc = 0;
	while ((len = read(fd, buf, sizeof(buf))) > 0)
		*crc = crc32(*crc, buf, len);
	close(fd);
	return len < 0 ? -1 : 0;
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", guest.disk, what);
	exit(1);
}

static char *unescape(char *word)
{
	char *out = word, hex[3] = "";
	char *in;

	for (in = word; *in; in++) {
		if (*in == '%') {
			memcpy(hex, in + 1, 2);
			*out++ = strtoul(hex, NULL, 16);
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = 0;
	return word;
}

static void parse_runs(struct entry *entry, const char *text)
{
	while (*text && *text != '-') {
		struct run *run;
		char *end;

		entry->runs = realloc(entry->runs, (entry->nr_runs + 1) * sizeof(*run));
		run = &entry->runs[entry->nr_runs++];
		run->kind = *text;
		run->count = strtoul(text + 1, &end, 10);
		run->offset = *end == '@' ? strtoul(end + 1, &end, 16) : 0;
		text = *end ? end + 1 : end;
	}
}

/* The words of a line, which are separated by one tab each. */
static int split(char *line, char **words, int max)
{
	int nr = 0;

	while (line && nr < max)
		words[nr++] = strsep(&line, "\t");
	return nr;
}

static void parse_image(char **words)
{
	struct image *image;

	guest.images = realloc(guest.images, (guest.nr + 1) * sizeof(*image));
	image = &guest.images[guest.nr++];
	memset(image, 0, sizeof(*image));
	snprintf(image->name, sizeof(image->name), "%s", words[1]);
	snprintf(image->state, sizeof(image->state), "%s", words[2]);
	image->disk = strtoul(words[3], NULL, 10);
	image->flash = strtoul(words[4], NULL, 10);
	image->len = strtoul(words[5], NULL, 10);
	image->files = strtoul(words[6], NULL, 10);
}

static void parse_entry(struct image *image, char **words)
{
	struct entry *entry;

	image->entries = realloc(image->entries, (image->nr + 1) * sizeof(*entry));
	entry = &image->entries[image->nr++];
	memset(entry, 0, sizeof(*entry));
	entry->type = words[0][0];
	entry->mode = strtoul(words[1], NULL, 8);
	entry->uid = strtoul(words[2], NULL, 10);
	entry->gid = strtoul(words[3], NULL, 10);
	entry->size = strtoul(words[4], NULL, 10);
	entry->crc = strtoul(words[5], NULL, 16);
	parse_runs(entry, words[6]);
	entry->ref = words[7][0] == '-' ? -1 : strtol(words[7], NULL, 10);
	entry->alias = words[8][0] == 'a';
	entry->path = unescape(words[9]);
	entry->target = unescape(words[10]);
}

static long text_len;

static void load_expectations(void)
{
	char head[32], *text, *line, *words[11];
	int fd = open(guest.disk, O_RDONLY);

	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    sscanf(head, "cramfs-expect\t%ld", &text_len) != 1)
		die("no expectations");
	text = malloc(text_len + 1);
	if (pread(fd, text, text_len, 0) != text_len)
		die("cannot be read");
	close(fd);
	text[text_len] = 0;
	strsep(&text, "\n");
	while ((line = strsep(&text, "\n")) && strcmp(line, "end")) {
		int nr = split(line, words, 11);

		if (nr == 7)
			parse_image(words);
		else if (nr == 11 && guest.nr)
			parse_entry(&guest.images[guest.nr - 1], words);
		else
			die("bad line");
	}
	if (!line)
		die("no end");
}

__attribute__((constructor)) static void load_guest(void)
{
	char range[64];

	make_crc_table();
	if (!cmdline_get("cramfs.mode=", guest.mode, sizeof(guest.mode)) ||
	    !cmdline_get("cramfs.expect=", guest.disk, sizeof(guest.disk))) {
		printf("1..0 # SKIP for the guest of run-guest.sh only\n");
		exit(EXIT_SKIP);
	}
	cmdline_get("cramfs.corners=", guest.corners, sizeof(guest.corners));
	if (cmdline_get("cramfs.rom=", range, sizeof(range)))
		sscanf(range, "%lx-%lx", &guest.rom_start, &guest.rom_end);
	load_expectations();
}

/**
 * find_image() - expectations of one image
 * @name: its name
 *
 * Return: NULL if there is none
 */
const struct image *find_image(const char *name)
{
	for (unsigned int n = 0; n < guest.nr; n++)
		if (!strcmp(guest.images[n].name, name))
			return &guest.images[n];
	return NULL;
}

static int compare_path(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->path);
}

/**
 * find_entry() - expectations of one path
 * @image: in which image
 * @path: absolute there
 *
 * Return: NULL if nothing should be there
 */
struct entry *find_entry(const struct image *image, const char *path)
{
	return bsearch(path, image->entries, image->nr, sizeof(struct entry), compare_path);
}

/**
 * load_ref() - contents that a file should have
 * @entry: one with a reference
 *
 * Return: whole pages, filled up with zeros, to be freed; NULL without one
 */
unsigned char *load_ref(const struct entry *entry)
{
	unsigned char *ref = calloc(nr_pages(entry) + 1, PAGE);
	int fd = open(guest.disk, O_RDONLY);

	if (entry->ref < 0 || fd < 0 ||
	    pread(fd, ref, entry->size, text_len + entry->ref) != (ssize_t)entry->size) {
		free(ref);
		ref = NULL;
	}
	close(fd);
	return ref;
}

/**
 * nr_pages() - pages of a file
 * @entry: the file
 *
 * Return: how many
 */
unsigned int nr_pages(const struct entry *entry)
{
	return (entry->size + PAGE - 1) / PAGE;
}

/**
 * block_kind() - how one block of a file is kept
 * @entry: the file
 * @index: of the block
 * @offset: of the block in the image, for stored ones
 *
 * Return: see struct run; 0 beyond the end
 */
char block_kind(const struct entry *entry, unsigned long index, unsigned long *offset)
{
	for (unsigned int n = 0; n < entry->nr_runs; n++) {
		const struct run *run = &entry->runs[n];

		if (index < run->count) {
			*offset = run->offset + index * PAGE;
			return run->kind;
		}
		index -= run->count;
	}
	return 0;
}

/**
 * planned_pfn() - page frame that a clean mapping of a page should have
 * @image: where the file is
 * @entry: the file
 * @index: of the page in the file
 *
 * Return: a page frame of ROM, or 0: any page of RAM
 */
unsigned long planned_pfn(const struct image *image, const struct entry *entry,
			  unsigned long index)
{
	unsigned long offset;

	if (!guest.rom_start || block_kind(entry, index, &offset) != 'X')
		return 0;
	return (guest.rom_start + image->flash + offset) / PAGE;
}

/* Page table entries as pagemap has them; 0 where it cannot be read. */
static void read_pagemap(pid_t pid, const void *addr, __u64 *entries, unsigned int nr)
{
	char path[64];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		got = pread(fd, entries, nr * 8, (off_t)((uintptr_t)addr / PAGE * 8));
	close(fd);
	if (got < 0)
		got = 0;
	memset((char *)entries + got, 0, nr * 8 - got);
}

static unsigned long rom_pfn_of(__u64 entry)
{
	__u64 at = (entry & PM_PFN) * PAGE;

	if (!(entry & PM_PRESENT))
		return PAGE_ABSENT;
	return guest.rom_start && at >= guest.rom_start && at < guest.rom_end ? at / PAGE : 0;
}

/**
 * rom_pfn() - page frame behind an address, comparable with planned_pfn()
 * @pid: of which process
 * @addr: there
 *
 * Return: a page frame of ROM, 0 for a page of RAM, PAGE_ABSENT
 */
unsigned long rom_pfn(pid_t pid, const void *addr)
{
	__u64 entry;

	read_pagemap(pid, addr, &entry, 1);
	return rom_pfn_of(entry);
}

/**
 * rom_pfns() - page frames behind consecutive pages
 * @pid: of which process
 * @addr: of the first page
 * @pfns: results, as of rom_pfn()
 * @nr: pages
 */
void rom_pfns(pid_t pid, const void *addr, unsigned long *pfns, unsigned int nr)
{
	__u64 *entries = malloc(nr * sizeof(*entries));

	read_pagemap(pid, addr, entries, nr);
	for (unsigned int n = 0; n < nr; n++)
		pfns[n] = rom_pfn_of(entries[n]);
	free(entries);
}

/**
 * page_is_present() - whether this process has a page at an address
 * @addr: there
 *
 * Return: whether its page table entry is present
 */
bool page_is_present(const void *addr)
{
	return rom_pfn(getpid(), addr) != PAGE_ABSENT;
}
