// SPDX-License-Identifier: GPL-2.0-only
/*
 * cramfs-map: show which pages of the files that a process has mapped are in flash and which in
 * RAM. It asks the page tables, through /proc/PID/pagemap, and so knows nothing of cramfs but the
 * name under which the kernel claims the memory of an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>

#define MAX_RANGES	32

/* Bits of /proc/PID/pagemap */
#define PAGE_PRESENT	0x8000000000000000ULL
#define PAGE_PFN	0x007fffffffffffffULL

static const char usage_text[] =
	"usage: cramfs-map [-q|-v] [-r START-END[,START-END]...]... PID...|self\n"
	"Show which pages of the files that a process has mapped are in flash.\n"
	"\n"
	" -h  print this help\n"
	" -q  print one line a process only, on its text\n"
	" -v  print each run of pages, too\n"
	" -r  physical addresses of the flash, hexadecimal, END exclusive\n"
	"     (default: cramfs.rom= on the kernel command line and /proc/iomem)\n"
	"\n"
	"See cramfs-map(1) for all of this.\n";

/* A range of physical memory that is flash or ROM; the end is exclusive. */
struct range {
	__u64 start, end;
};

static struct range ranges[MAX_RANGES];
static unsigned int nr_ranges;
static bool quiet, verbose;
static long page_size;

enum place {
	ABSENT,
	IN_RAM,
	IN_FLASH,
	NR_PLACES,
};

/* A line of /proc/PID/maps */
struct mapping {
	__u64 start, end, offset;
	char perms[5];
	const char *path;
};

struct process {
	const char *pid;
	int pagemap;
	unsigned long text[NR_PLACES];
};

static noreturn void die(const char *what, const char *message)
{
	fflush(stdout);
	fprintf(stderr, "cramfs-map: %s: %s\n", what, message);
	exit(EXIT_FAILURE);
}

static void add_range(__u64 start, __u64 end)
{
	if (nr_ranges == MAX_RANGES)
		die("ranges", "too many");
	ranges[nr_ranges++] = (struct range){ start, end };
}

/* START-END[,START-END]..., up to the end of the string or a blank */
static void parse_ranges(const char *arg)
{
	const char *s = arg;
	__u64 start, end;
	char *rest;

	for (;;) {
		start = strtoull(s, &rest, 16);
		if (rest == s || *rest != '-')
			die(arg, "not a range of addresses, START-END in hexadecimal");
		s = rest + 1;
		end = strtoull(s, &rest, 16);
		if (rest == s || end <= start || !strchr("\n ,", *rest))
			die(arg, "not a range of addresses, START-END in hexadecimal");
		add_range(start, end);
		if (*rest != ',')
			break;
		s = rest + 1;
	}
}

static void ranges_from_cmdline(void)
{
	static const char key[] = "cramfs.rom=";
	char line[4096];
	char *s;
	FILE *f = fopen("/proc/cmdline", "r");

	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		for (s = line; (s = strstr(s, key)); s += strlen(key)) {
			if (s == line || s[-1] == ' ')
				parse_ranges(s + strlen(key));
		}
	}
	fclose(f);
}

/* The kernel's names of what an image may be in: claimed by cramfs, or a flash or ROM of MTD's. */
static bool is_flash_name(const char *name)
{
	return !strcmp(name, "cramfs") || strstr(name, "flash") || strstr(name, "mtd") ||
	       !strncmp(name, "rom@", 4);
}

static void ranges_from_iomem(void)
{
	char line[256];
	FILE *f = fopen("/proc/iomem", "r");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		unsigned long long start, last;
		int name = 0;

		line[strcspn(line, "\n")] = '\0';
		/* The addresses are 0 to those who must not know them. */
		if (sscanf(line, " %llx-%llx : %n", &start, &last, &name) == 2 && name && last &&
		    is_flash_name(line + name))
			add_range(start, last + 1);
	}
	fclose(f);
}

static enum place place_of(__u64 entry)
{
	__u64 addr = (entry & PAGE_PFN) * page_size;
	unsigned int i;

	if (!(entry & PAGE_PRESENT))
		return ABSENT;
	for (i = 0; i < nr_ranges; i++) {
		if (addr >= ranges[i].start && addr < ranges[i].end)
			return IN_FLASH;
	}
	return IN_RAM;
}

static bool read_entry(int pagemap, __u64 addr, __u64 *entry)
{
	return pread(pagemap, entry, sizeof(*entry), addr / page_size * sizeof(*entry)) ==
	       sizeof(*entry);
}

/* Without CAP_SYS_ADMIN the kernel says that a page is there, but not where. */
static void check_privilege(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry;

	if (fd < 0)
		die("/proc/self/pagemap", strerror(errno));
	if (!read_entry(fd, (uintptr_t)&entry, &entry) || !(entry & PAGE_PFN))
		die("/proc/self/pagemap", "does not show physical addresses (are you root?)");
	close(fd);
}

/* A run of pages that are in the same kind of place, and but for RAM one after the other. */
struct run {
	__u64 vaddr, paddr;
	unsigned long nr_pages;
	enum place place;
};

static void print_run(const struct run *run)
{
	static const char *const name[] = { "absent", "RAM", "flash" };

	if (!run->nr_pages)
		return;
	printf("    %08llx %5lu %s", run->vaddr, run->nr_pages, name[run->place]);
	if (run->place == IN_FLASH)
		printf(" at %08llx", run->paddr);
	putchar('\n');
}

static void add_to_run(struct run *run, __u64 vaddr, __u64 entry)
{
	__u64 paddr = (entry & PAGE_PFN) * page_size;
	enum place place = place_of(entry);

	if (run->nr_pages && place == run->place &&
	    (place != IN_FLASH || paddr == run->paddr + run->nr_pages * page_size)) {
		run->nr_pages++;
		return;
	}
	print_run(run);
	*run = (struct run){ vaddr, paddr, 1, place };
}

static void print_mapping(const struct mapping *m, const unsigned long *nr)
{
	printf("%08llx-%08llx %s %08llx", m->start, m->end, m->perms, m->offset);
	printf(" flash=%-4lu ram=%-4lu absent=%-4lu %s\n", nr[IN_FLASH], nr[IN_RAM], nr[ABSENT],
	       m->path);
}

static bool show_mapping(struct process *p, const struct mapping *m)
{
	unsigned long nr[NR_PLACES] = { 0 };
	struct run run = { 0 };
	__u64 addr, entry;
	int i;

	for (addr = m->start; addr < m->end; addr += page_size) {
		if (!read_entry(p->pagemap, addr, &entry))
			return false;
		nr[place_of(entry)]++;
	}
	for (i = 0; i < NR_PLACES && m->perms[2] == 'x'; i++)
		p->text[i] += nr[i];
	if (quiet)
		return true;

	print_mapping(m, nr);
	for (addr = m->start; verbose && addr < m->end; addr += page_size) {
		if (!read_entry(p->pagemap, addr, &entry))
			return false;
		add_to_run(&run, addr, entry);
	}
	print_run(&run);
	return true;
}

/* Returns false for memory that is not a file's. */
static bool parse_mapping(char *line, struct mapping *m)
{
	unsigned long long start, end, offset, inode;
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%llx-%llx %4s %llx %*s %llu %n", &start, &end, m->perms, &offset, &inode,
		   &path) != 5 || !path || !inode)
		return false;
	m->start = start;
	m->end = end;
	m->offset = offset;
	m->path = line + path;
	return true;
}

static FILE *open_of(const char *pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	return fopen(path, "re");
}

static bool show_mappings(struct process *p)
{
	FILE *maps = open_of(p->pid, "maps");
	struct mapping m;
	char *line = NULL;
	size_t room = 0;
	bool ok = maps;

	while (ok && getline(&line, &room, maps) >= 0) {
		if (parse_mapping(line, &m))
			ok = show_mapping(p, &m);
	}
	free(line);
	if (maps)
		fclose(maps);
	return ok;
}

static void print_summary(const struct process *p)
{
	FILE *f = open_of(p->pid, "comm");
	char name[32] = "?";

	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	printf("%s %s: text pages in flash %lu, in RAM %lu\n", p->pid, name, p->text[IN_FLASH],
	       p->text[IN_RAM]);
}

static void check_pid(const char *arg)
{
	if (strcmp(arg, "self") && (!*arg || arg[strspn(arg, "0123456789")]))
		die(arg, "not a process ID");
}

static bool show_process(const char *arg)
{
	struct process p = { .pid = arg };
	FILE *pagemap;
	char self[24];
	bool ok;

	if (!strcmp(arg, "self")) {
		snprintf(self, sizeof(self), "%ld", (long)getpid());
		p.pid = self;
	}
	pagemap = open_of(p.pid, "pagemap");
	ok = pagemap;
	if (ok) {
		p.pagemap = fileno(pagemap);
		ok = show_mappings(&p);
	}
	if (ok)
		print_summary(&p);
	else
		fprintf(stderr, "cramfs-map: %s: cannot read its mappings: %s\n", arg,
			errno ? strerror(errno) : "it has ended");
	if (pagemap)
		fclose(pagemap);
	return ok;
}

static noreturn void usage(int status)
{
	fputs(usage_text, status ? stderr : stdout);
	exit(status);
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "hqvr:")) != -1) {
		switch (c) {
		case 'q':
			quiet = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'r':
			parse_ranges(optarg);
			break;
		default:
			usage(c == 'h' ? EXIT_SUCCESS : EXIT_FAILURE);
		}
	}
	if (optind == argc)
		usage(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	bool ok = true;
	int i;

	page_size = sysconf(_SC_PAGESIZE);
	parse_options(argc, argv);
	if (!nr_ranges) {
		ranges_from_cmdline();
		ranges_from_iomem();
	}
	if (!nr_ranges)
		die("flash", "no addresses known; use -r, or boot with cramfs.rom=");
	for (i = optind; i < argc; i++)
		check_pid(argv[i]);
	check_privilege();

	for (i = optind; i < argc; i++) {
		errno = 0;
		ok &= show_process(argv[i]);
	}
	if (fflush(stdout) || ferror(stdout))
		die("standard output", strerror(errno));
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
