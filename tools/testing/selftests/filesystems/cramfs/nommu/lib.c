// SPDX-License-Identifier: GPL-2.0-only
/*
 * See lib.h.
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/signal.h>

#include "lib.h"

#define MAX_MAPPED	4
#define MAX_SPAWNED	8

const struct image *mounted;

/* Are images mounted by their address? */
static bool by_address;

/* What a test has mapped; one that fails leaves it behind. */
static struct {
	void *addr;
	unsigned long len;
} mapped[MAX_MAPPED];

/* Processes that nobody has waited for. */
static int spawned[MAX_SPAWNED];

/*
 * The first argument says where this runs: mtd, mtd-only, physmem or peer. Further
 * ones are names of tests, to run only these.
 */
static bool selected(const struct test *test, int argc, char **argv)
{
	static const struct {
		char name[12];
		unsigned int where;
	} places[] = {
		{ "mtd", ON_MTD | ON_BOTH }, { "mtd-only", ON_MTD },
		{ "physmem", ON_PHYSMEM }, { "peer", ON_PEER },
	};
	unsigned int where = 0;

	for (unsigned int n = 0; n < ARRAY_SIZE(places); n++) {
		if (!strcmp(argv[1], places[n].name))
			where = places[n].where;
	}
	if (!(test->where & where))
		return false;
	for (int n = 2; n < argc; n++) {
		if (!strcmp(test->name, argv[n]))
			return true;
	}
	return argc <= 2;
}

/**
 * copy_log() - copy the kernel's log since the last time to the console
 *
 * The kernel tells of records that are gone already, or too long. One of them may
 * be a splat: console-to-tap.awk takes it for one.
 *
 * Return: whether there is a log.
 */
bool copy_log(void)
{
	static char record[1024];
	int len;

	for (;;) {
		char *text;

		len = read(LOG_FD, record, sizeof(record) - 1);
		if (len < 0 && errno == EAGAIN)
			return true;
		if (len < 0 && (errno == EPIPE || errno == EINVAL)) {
			printf("# kmsg lost\n");
			continue;
		}
		if (len <= 0)
			return false;
		/* LEVEL,NUMBER,TIME,FLAGS;TEXT, and lines with details */
		record[len] = 0;
		text = strchr(record, ';');
		if (!text || !strchr(text, '\n'))
			return false;
		*strchr(text, '\n') = 0;
		printf("# kmsg <%d> %s\n", atoi(record) & 7, text + 1);
	}
}

void clean_up(void)
{
	for (int n = 0; n < MAX_MAPPED; n++) {
		if (mapped[n].addr)
			unmap(mapped[n].addr, mapped[n].len);
	}
	for (int n = 0; n < MAX_SPAWNED; n++) {
		if (spawned[n]) {
			kill(spawned[n], SIGKILL);
			status_of(spawned[n]);
		}
	}
	for (int fd = STDERR_FILENO + 1; fd < LOG_FD; fd++)
		close(fd);
	umount2(MNT, 2 /* MNT_DETACH */);
	mounted = NULL;
}

int run_tests(const struct test *tests, unsigned int nr, int argc, char **argv)
{
	unsigned int count = 0;

	by_address = argc > 1 && !strcmp(argv[1], "physmem");
	if (argc < 2)
		ksft_exit_fail_msg("usage: %s mtd|mtd-only|physmem|peer [TEST]...\n", argv[0]);
	for (unsigned int n = 0; n < nr; n++)
		count += selected(&tests[n], argc, argv);
	ksft_print_header();
	ksft_set_plan(count);
	for (unsigned int n = 0; n < nr; n++) {
		bool passed;

		if (!selected(&tests[n], argc, argv))
			continue;
		printf("#  RUN           %s\n", tests[n].name);
		passed = tests[n].run();
		copy_log();
		ksft_test_result(passed, "%s\n", tests[n].name);
		clean_up();
	}
	ksft_finished();
}

int read_text(const char *path, char *buf, unsigned long size)
{
	int fd = open(path, O_RDONLY), got, len = 0;

	if (fd < 0)
		return -1;
	while ((got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	close(fd);
	buf[len] = 0;
	return len;
}

bool cmdline_get(const char *key, char *value, unsigned long size)
{
	static char line[1024];
	unsigned long key_len = strlen(key);

	read_text("/proc/cmdline", line, sizeof(line));
	for (char *word = line; *word; word++) {
		unsigned long len = 0;

		if ((word != line && word[-1] != ' ') || strncmp(word, key, key_len) ||
		    word[key_len] != '=')
			continue;
		word += key_len + 1;
		while (word[len] && word[len] != ' ' && word[len] != '\n' && len < size - 1)
			len++;
		memcpy(value, word, len);
		value[len] = 0;
		return true;
	}
	return false;
}

/* In kB; -1 if there is no such line. */
long mem_kb(const char *key)
{
	static char text[1536];
	unsigned long len = strlen(key);

	read_text("/proc/meminfo", text, sizeof(text));
	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, key, len) && line[len] == ':') {
			for (line += len + 1; *line == ' '; line++)
				;
			return atol(line);
		}
	}
	return -1;
}

/* Free memory in kB, once what others give back late is there. */
long settled_memory(void)
{
	long before, now = -1;

	for (int n = 0; n < 20; n++) {
		before = now;
		usleep(100000);
		now = mem_kb("MemFree");
		if (now == before)
			break;
	}
	return now;
}

long pread(int fd, void *buf, unsigned long len, unsigned long pos)
{
	/* A pair of registers begins at an even one. */
	long ret = my_syscall6(__NR_pread64, fd, buf, len, 0, pos, 0);

	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

/* Expectations -------------------------------------------------------------- */

/* It begins at 0: the kernel and the boot image are in front of the root. */
bool in_rom(const void *addr)
{
	static unsigned long end;
	char value[40];

	if (!end && cmdline_get("cramfs.rom", value, sizeof(value)) && strchr(value, '-'))
		end = strtoul(strchr(value, '-') + 1, NULL, 16);
	return (unsigned long)addr < end;
}

static const struct expect *expectations(void)
{
	static const struct expect *expect;
	char value[16];

	if (!expect && cmdline_get("nommu.expect", value, sizeof(value)))
		expect = (const void *)strtoul(value, NULL, 16);
	if (!expect || strcmp(expect->magic, "cramfs-nommu"))
		ksft_exit_fail_msg("the ROM has no table of what to expect\n");
	return expect;
}

static const void *expected(__u32 offset)
{
	return (const char *)expectations() + offset;
}

const struct image *find_image(const char *name)
{
	const struct expect *expect = expectations();

	for (__u32 n = 0; n < expect->nr_images; n++) {
		if (!strcmp(expect->images[n].name, name))
			return &expect->images[n];
	}
	return NULL;
}

const struct file *nth_file(const struct image *image, unsigned int n)
{
	return (const struct file *)expected(image->files) + n;
}

const char *path_of(const struct file *file)
{
	return expected(file->path);
}

const struct file *find_file(const char *path)
{
	const struct image *image = find_image("root");

	if (mounted && !strncmp(path, MNT "/", strlen(MNT "/"))) {
		image = mounted;
		path += strlen(MNT);
	}
	for (__u32 n = 0; n < image->nr_files; n++) {
		if (!strcmp(path_of(nth_file(image, n)), path))
			return nth_file(image, n);
	}
	ksft_exit_fail_msg("%s: not among the expectations\n", path);
}

unsigned int nr_pages(const struct file *file)
{
	return (file->size + PAGE - 1) / PAGE;
}

static const struct run *run_of(const struct file *file, unsigned int *index)
{
	const struct run *run = expected(file->runs);

	for (__u32 n = 0; n < file->nr_runs; n++, run++) {
		if (*index < run->count)
			return run;
		*index -= run->count;
	}
	return NULL;
}

/* Kind of a block, 0 past the end. */
char kind_of(const struct file *file, unsigned int index)
{
	const struct run *run = run_of(file, &index);

	return run ? run->kind : 0;
}

/* Where a mapping of some blocks is in place; 0 if it cannot be. */
unsigned long place(const struct file *file, unsigned int index, unsigned int nr)
{
	const struct run *run = run_of(file, &index);

	if (!run || run->kind != 'X' || nr > run->count - index)
		return 0;
	return run->addr + index * PAGE;
}

__u32 crc32(__u32 crc, const void *data, unsigned long len)
{
	/* A nibble at a time. */
	static const __u32 table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	crc = ~crc;
	for (const unsigned char *p = data; len; p++, len--) {
		crc ^= *p;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* Other images ----------------------------------------------------------- */

int mount_address(unsigned long addr, const char *more)
{
	char options[80] = "physaddr=0x";

	strlcat(options, utoh(addr), sizeof(options));
	strlcat(options, more, sizeof(options));
	return mount("none", MNT, "cramfs_physmem", 1 /* MS_RDONLY */, options);
}

int mount_image(const char *name)
{
	mounted = find_image(name);
	return mount_address(mounted->addr, "");
}

/* The image at address 0; if it has to be an MTD device, its copy. */
int mount_boot(void)
{
	if (by_address)
		return mount_image("boot");
	mounted = find_image("boot copy");
	return mount("mtd:boot", MNT, "cramfs", 1, NULL);
}

/* Mappings ------------------------------------------------------------------ */

/*
 * Map some of a file. Tests for all drivers do not map a range twice in one process
 * at a time: mm/nommu.c of 6.12 loses its way with two mappings at one address.
 */
void *map(const char *path, unsigned long len, int prot, int flags, unsigned long pos)
{
	int fd = open(path, O_RDONLY), err;
	void *addr;

	if (fd < 0)
		return MAP_FAILED;
	addr = mmap(NULL, len, prot, flags, fd, pos);
	err = errno;
	close(fd);
	errno = err;
	for (int n = 0; addr != MAP_FAILED && n < MAX_MAPPED; n++) {
		if (!mapped[n].addr) {
			mapped[n].addr = addr;
			mapped[n].len = len;
			break;
		}
	}
	return addr;
}

bool unmap(void *addr, unsigned long len)
{
	for (int n = 0; n < MAX_MAPPED; n++) {
		if (mapped[n].addr == addr)
			mapped[n].addr = NULL;
	}
	ASSERT_EQ(0, munmap(addr, len));
	return true;
}

/* Are these bytes of a file what they should be, and zeros after its end? */
bool has_contents(const char *path, const unsigned char *addr, unsigned long pos,
		  unsigned long len)
{
	unsigned long size = find_file(path)->size, inside = pos < size ? size - pos : 0;
	static char buf[512];
	int fd = open(path, O_RDONLY);

	if (inside > len)
		inside = len;
	for (unsigned long n = 0; n < inside; n += sizeof(buf)) {
		unsigned long part = inside - n < sizeof(buf) ? inside - n : sizeof(buf);

		ASSERT_EQ(part, pread(fd, buf, part, pos + n));
		ASSERT_EQ(0, memcmp(buf, addr + n, part));
	}
	close(fd);
	for (unsigned long n = inside; n < len; n++)
		ASSERT_EQ(0, addr[n]);
	return true;
}

/* By read() and pread(), in parts that are no pages. */
bool reads_as_expected(const char *path, const struct file *file)
{
	int fd = open(path, O_RDONLY);
	__u32 by_read = 0, by_pread = 0;
	unsigned long pos = 0;
	static char buf[777];
	int got;

	ASSERT_TRUE(fd >= 0);
	errno = 0;
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		by_read = crc32(by_read, buf, got);
	ASSERT_EQ(0, errno);
	ASSERT_EQ(file->crc, by_read);
	while ((got = pread(fd, buf, sizeof(buf), pos)) > 0) {
		by_pread = crc32(by_pread, buf, got);
		pos += got;
	}
	ASSERT_EQ(0, errno);
	ASSERT_EQ(file->crc, by_pread);
	ASSERT_EQ(file->size, pos);
	close(fd);
	return true;
}

/* The mapping is the image, and there is no copy of it. */
bool is_in_place(const char *path, unsigned int index, unsigned int nr, int prot, int flags)
{
	unsigned long want = place(find_file(path), index, nr);
	long copies = mem_kb("MmapCopy");
	void *addr;

	ASSERT_TRUE(want);
	addr = map(path, nr * PAGE, prot, flags, index * PAGE);
	ASSERT_EQ(want, addr);
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	ASSERT_TRUE(has_contents(path, addr, index * PAGE, nr * PAGE));
	ASSERT_TRUE(unmap(addr, nr * PAGE));
	return true;
}

/* The mapping is in RAM, with the file's contents and nothing else. */
bool is_copy(const char *path, unsigned int index, unsigned int nr, int prot)
{
	long copies = mem_kb("MmapCopy");
	void *addr = map(path, nr * PAGE, prot, MAP_PRIVATE, index * PAGE);

	if (addr == MAP_FAILED)
		ASSERT_EQ(0, errno);
	ASSERT_TRUE(!in_rom(addr));
	ASSERT_EQ(copies + nr * PAGE / 1024, mem_kb("MmapCopy"));
	ASSERT_TRUE(has_contents(path, addr, index * PAGE, nr * PAGE));
	ASSERT_TRUE(unmap(addr, nr * PAGE));
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	return true;
}

bool is_refused(int err, const char *path, unsigned int index, unsigned int nr, int prot,
		int flags)
{
	long copies = mem_kb("MmapCopy");

	errno = 0;
	ASSERT_EQ(MAP_FAILED, map(path, nr * PAGE, prot, flags, index * PAGE));
	ASSERT_EQ(err, errno);
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	return true;
}

static bool ends_with(const char *line, unsigned long len, const char *name)
{
	unsigned long name_len = strlen(name);

	return len > name_len && !memcmp(line + len - name_len, name, name_len) &&
	       line[len - name_len - 1] == ' ';
}

/**
 * region_of() - find a mapping in /proc/PID/maps
 * @pid: process
 * @perms: as in "r-xp"
 * @name: file
 * @start: set to its address
 *
 * Return: whether there is one.
 */
bool region_of(int pid, const char *perms, const char *name, unsigned long *start)
{
	static char text[1024];
	char path[32] = "/proc/";

	strlcat(path, itoa(pid), sizeof(path));
	strlcat(path, "/maps", sizeof(path));
	if (read_text(path, text, sizeof(text)) < 0)
		return false;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		/* ssssssss-eeeeeeee perm ... name */
		if (memcmp(line + 18, perms, 4) || !ends_with(line, end - line, name))
			continue;
		*start = strtoul(line, NULL, 16);
		return true;
	}
	return false;
}

/* Programs ------------------------------------------------------------------ */

/*
 * nolibc has none. Parent and child return on the same stack, so that nothing
 * may be left on it to be overwritten by the child.
 */
__attribute__((naked))
pid_t vfork(void)
{
	__asm__ volatile ("mov ip, r7; mov r7, %0; svc #0; mov r7, ip; bx lr" :: "i"(__NR_vfork));
}

static int vfork_and_exec(const char *program, const char *arg, int out)
{
	static char *const envp[] = { NULL };
	char *argv[3];
	int pid;

	argv[0] = (char *)program;
	argv[1] = (char *)arg;
	argv[2] = NULL;
	pid = vfork();

	if (pid)
		return pid;
	if (out >= 0)
		my_syscall2(__NR_dup2, out, STDOUT_FILENO);
	my_syscall3(__NR_execve, program, argv, envp);
	my_syscall1(__NR_exit, 127);
	__builtin_unreachable();
}

/* Start a program with one argument or none and, if @out is not -1, this as its stdout. */
int spawn(const char *program, const char *arg, int out)
{
	int pid = vfork_and_exec(program, arg, out);

	for (int n = 0; pid > 0 && n < MAX_SPAWNED; n++) {
		if (!spawned[n]) {
			spawned[n] = pid;
			break;
		}
	}
	return pid;
}

/* Exit status, or 128 and the signal. */
int status_of(int pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	for (int n = 0; n < MAX_SPAWNED; n++) {
		if (spawned[n] == pid)
			spawned[n] = 0;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_program(const char *program, const char *arg)
{
	return status_of(spawn(program, arg, -1));
}
