// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that run from the image: that their text is executed in place, and
 * that debuggers see and change it as any other text.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "guest.h"

/* A mapping of a program, from /proc/PID/maps. */
struct mapping {
	unsigned long start, end, offset;
	char perms[5];
	char path[256];
};

#define MAX_MAPPINGS	64

static int read_mappings(pid_t pid, struct mapping *maps)
{
	char path[64], line[512];
	int nr = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (nr < MAX_MAPPINGS && fgets(line, sizeof(line), file)) {
		struct mapping *m = &maps[nr];

		if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %255s", &m->start, &m->end, m->perms,
			   &m->offset, m->path) == 5 && m->path[0] == '/')
			nr++;
	}
	fclose(file);
	return nr;
}

/*
 * Pages of the read-only mappings of a process: how many are present, in ROM,
 * not where the host says, and in ROM but elsewhere. Pages of data may also be
 * copies; pages of text may not.
 */
struct census {
	unsigned int present, in_rom, misplaced, wrong_rom;
};

static void count_pages(pid_t pid, const char *path, const char *perms, struct census *census)
{
	static struct mapping maps[MAX_MAPPINGS];
	const struct image *root = find_image("root");
	int nr = read_mappings(pid, maps);

	memset(census, 0, sizeof(*census));
	for (int n = 0; n < nr; n++) {
		const struct mapping *m = &maps[n];
		const struct entry *entry = find_entry(root, m->path);

		if (!entry || (path && strcmp(path, m->path)) || strcmp(m->perms, perms))
			continue;
		for (unsigned long at = m->start; at < m->end; at += PAGE) {
			unsigned long index = (m->offset + at - m->start) / PAGE;
			unsigned long plan = planned_pfn(root, entry, index);
			unsigned long pfn = rom_pfn(pid, (void *)at);

			if (pfn == PAGE_ABSENT)
				continue;
			census->present++;
			census->in_rom += pfn != 0;
			census->misplaced += pfn != plan;
			census->wrong_rom += pfn && pfn != plan;
		}
	}
}

/* Runs PATH with an argument and waits until it says that it is ready. */
static pid_t start_and_wait_ready(const char *path)
{
	char ready = 0;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		execl(path, path, "stay", NULL);
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], &ready, 1) != 1 || ready != 'r')
		return -1;
	close(fds[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int run_program(const char *path, uid_t uid)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (setuid(uid))
			_exit(126);
		execl(path, path, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(static_program_runs)
{
	for (int n = 0; n < 20; n++) {
		ASSERT_EQ(42, run_program(TESTS "pages", 0));
	}
}

TEST(text_of_a_static_program_is_in_place)
{
	pid_t pid = start_and_wait_ready(TESTS "pages");
	struct census text;

	ASSERT_LT(0, pid);
	count_pages(pid, TESTS "pages", "r-xp", &text);
	EXPECT_LE(8, text.present);
	EXPECT_EQ(0, text.misplaced);
	end(pid);
}

TEST(written_data_of_a_static_program_is_in_ram)
{
	pid_t pid = start_and_wait_ready(TESTS "pages");
	struct census data;

	ASSERT_LT(0, pid);
	count_pages(pid, TESTS "pages", "rw-p", &data);
	/* What is only read may be in place: the page that is text as well. */
	EXPECT_LT(data.in_rom, data.present);
	EXPECT_EQ(0, data.wrong_rom);
	end(pid);
}

TEST(two_runs_of_a_program_share_its_text)
{
	pid_t one = start_and_wait_ready(TESTS "pages");
	pid_t two = start_and_wait_ready(TESTS "pages");
	struct census text;

	ASSERT_LT(0, one);
	ASSERT_LT(0, two);
	count_pages(one, TESTS "pages", "r-xp", &text);
	EXPECT_EQ(0, text.misplaced);
	count_pages(two, TESTS "pages", "r-xp", &text);
	EXPECT_EQ(0, text.misplaced);
	end(one);
	end(two);
}

TEST(own_text_is_in_place)
{
	struct census text;

	count_pages(getpid(), TESTS "test_proc", "r-xp", &text);
	EXPECT_LT(0, text.present);
	EXPECT_EQ(0, text.misplaced);
}

TEST(libc_text_is_in_place)
{
	static struct mapping maps[MAX_MAPPINGS];
	int nr = read_mappings(getpid(), maps);
	struct census text = { 0 };

	for (int n = 0; n < nr; n++) {
		if (strstr(maps[n].path, "/libc.so") && !strcmp(maps[n].perms, "r-xp"))
			count_pages(getpid(), maps[n].path, "r-xp", &text);
	}
	EXPECT_LT(0, text.present);
	EXPECT_EQ(0, text.misplaced);
}

TEST(init_text_is_in_place)
{
	struct census text;

	count_pages(1, NULL, "r-xp", &text);
	EXPECT_LT(0, text.present);
	EXPECT_EQ(0, text.misplaced);
}

TEST(xip_image_has_text_in_rom)
{
	char image[32];
	struct census text;

	/* Guards the tests above: here they must not hold because nothing is planned. */
	ASSERT_TRUE(cmdline_get("cramfs.image=", image, sizeof(image)));
	count_pages(getpid(), NULL, "r-xp", &text);
	if (guest.rom_start && (!strcmp(image, "xip") || !strcmp(image, "punched"))) {
		EXPECT_LT(0, text.in_rom);
		EXPECT_LT(text.present / 2, text.in_rom);
	} else {
		EXPECT_EQ(0, text.in_rom);
	}
}

TEST(setuid_program_gets_its_owner)
{
	EXPECT_EQ(0, run_program(TESTS "whoami", 1000));
}

TEST(program_without_permission_is_refused)
{
	EXPECT_EQ(-1, execl("/t/attr/private", "private", NULL));
	EXPECT_EQ(EACCES, errno);
}

TEST(script_runs_its_interpreter_from_the_image)
{
	EXPECT_EQ(42, run_program("/t/script", 0));
}

TEST(shell_pipeline_runs_from_the_image)
{
	EXPECT_EQ(0, system("/bin/busybox cat " DATA "mixed | /bin/busybox cmp - " DATA "mixed"));
}

TEST(open_for_writing_of_a_running_program_is_refused)
{
	EXPECT_EQ(-1, open(TESTS "test_proc", O_RDWR));
	EXPECT_TRUE(errno == ETXTBSY || errno == EROFS);
}

/*
 * Debugging. The function that gets the breakpoint is in this program's own
 * text, which the child shares with this process, page for page.
 */
#if defined(__thumb__)
#define BREAKPOINT	0xde01UL
#define BREAKPOINT_MASK	0xffffUL
#elif defined(__arm__)
#define BREAKPOINT	0xe7f001f0UL
#define BREAKPOINT_MASK	0xffffffffUL
#elif defined(__aarch64__)
#define BREAKPOINT	0xd4200000UL
#define BREAKPOINT_MASK	0xffffffffUL
#elif defined(__x86_64__) || defined(__i386__)
#define BREAKPOINT	0xccUL
#define BREAKPOINT_MASK	0xffUL
#elif defined(__riscv)
#define BREAKPOINT	0x9002UL
#define BREAKPOINT_MASK	0xffffUL
#else
#error "no breakpoint instruction for this machine"
#endif

/* On a page of its own, so that nothing else touches it first. */
static __attribute__((noinline, noclone, aligned(4096))) int breakable(int x)
{
	asm volatile("" : "+r" (x));
	return x + 7;
}

static __attribute__((noinline, noclone, aligned(4096))) int after_breakable(int x)
{
	asm volatile("" : "+r" (x));
	return x + 8;
}

static unsigned long text_address(void)
{
	unsigned long at = (unsigned long)breakable;

#ifdef __arm__
	at &= ~1UL;
#endif
	return at;
}

FIXTURE(traced) {
	const struct image *root;
	const struct entry *self;
	unsigned long at;
	unsigned long index;
	pid_t child;
};

/* The page of the program file in which the text at AT is. */
static long page_of_text(unsigned long at)
{
	static struct mapping maps[MAX_MAPPINGS];
	int nr = read_mappings(getpid(), maps);

	for (int n = 0; n < nr; n++)
		if (at >= maps[n].start && at < maps[n].end)
			return (maps[n].offset + at - maps[n].start) / PAGE;
	return -1;
}

FIXTURE_SETUP(traced)
{
	int status;

	self->root = find_image("root");
	self->self = find_entry(self->root, TESTS "test_proc");
	ASSERT_NE(NULL, self->self);
	self->at = text_address();
	self->index = page_of_text(self->at);
	ASSERT_NE(-1UL, self->index);
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(breakable(1) == 8 ? after_breakable(1) == 9 ? 42 : 2 : 1);
	}
	ASSERT_EQ(self->child, waitpid(self->child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
}

FIXTURE_TEARDOWN(traced)
{
	end(self->child);
}

static bool text_is(const struct entry *entry, unsigned long index, const void *seen, size_t len)
{
	unsigned char page[PAGE];
	int fd = open(TESTS "test_proc", O_RDONLY);
	bool same = pread(fd, page, PAGE, index * PAGE) > 0 && !memcmp(page, seen, len);

	close(fd);
	return same && entry;
}

TEST_F(traced, peektext_reads_text)
{
	long words[4];

	for (int n = 0; n < 4; n++) {
		errno = 0;
		words[n] = ptrace(PTRACE_PEEKTEXT, self->child, self->at + n * sizeof(long), 0);
		ASSERT_EQ(0, errno);
	}
	EXPECT_TRUE(text_is(self->self, self->index, words, sizeof(words)));
}

TEST_F(traced, proc_mem_reads_text)
{
	unsigned char buf[PAGE];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", self->child);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(PAGE, pread(fd, buf, PAGE, self->at));
	EXPECT_TRUE(text_is(self->self, self->index, buf, PAGE));
}

TEST_F(traced, peek_leaves_text_in_place)
{
	ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	breakable(1);
	EXPECT_EQ(planned_pfn(self->root, self->self, self->index),
		  rom_pfn(getpid(), (void *)self->at));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->child, 0, 0));
}

TEST_F(traced, process_vm_readv_never_gives_wrong_bytes)
{
	unsigned char buf[64];
	struct iovec local = { buf, sizeof(buf) };
	struct iovec remote = { (void *)self->at, sizeof(buf) };
	ssize_t got = process_vm_readv(self->child, &local, 1, &remote, 1, 0);

	/* It pins pages; a page of ROM has nothing to pin, as in any special mapping. */
	if (planned_pfn(self->root, self->self, self->index)) {
		EXPECT_EQ(-1, got);
		EXPECT_EQ(EFAULT, errno);
	} else {
		ASSERT_EQ((ssize_t)sizeof(buf), got);
		EXPECT_TRUE(text_is(self->self, self->index, buf, sizeof(buf)));
	}
}

TEST_F(traced, poketext_changes_the_child_only)
{
	unsigned long word = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	unsigned long seen;

	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at, ~word));
	seen = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	EXPECT_EQ(~word, seen);
	EXPECT_EQ(0, memcmp((void *)self->at, &word, sizeof(word)));
	EXPECT_EQ(8, breakable(1));
	EXPECT_TRUE(text_is(self->self, self->index, &word, sizeof(word)));
}

TEST_F(traced, poketext_copies_one_page)
{
	unsigned long word = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);

	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at, word));
	breakable(1);
	after_breakable(1);
	EXPECT_EQ(0, rom_pfn(self->child, (void *)self->at));
	EXPECT_EQ(planned_pfn(self->root, self->self, self->index),
		  rom_pfn(getpid(), (void *)self->at));
}

TEST_F(traced, breakpoint_stops_the_child)
{
	unsigned long word = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at,
			    (word & ~BREAKPOINT_MASK) | BREAKPOINT));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->child, 0, 0));
	ASSERT_EQ(self->child, waitpid(self->child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGTRAP, WSTOPSIG(status));
	/* The parent runs through the same text meanwhile. */
	EXPECT_EQ(8, breakable(1));
}

TEST_F(traced, child_goes_on_when_its_breakpoint_is_removed)
{
	unsigned long word = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at,
			    (word & ~BREAKPOINT_MASK) | BREAKPOINT));
	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at, word));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->child, 0, 0));
	ASSERT_EQ(self->child, waitpid(self->child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(42, WEXITSTATUS(status));
}

TEST_F(traced, fork_of_the_tracer_sees_text_without_breakpoint)
{
	unsigned long word = ptrace(PTRACE_PEEKTEXT, self->child, self->at, 0);
	int status;
	pid_t pid;

	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at,
			    (word & ~BREAKPOINT_MASK) | BREAKPOINT));
	pid = fork();
	if (!pid)
		_exit(breakable(1));
	waitpid(pid, &status, 0);
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(8, WEXITSTATUS(status));
}

TEST_F(traced, mprotect_of_text_to_writable_copies_on_write)
{
	unsigned char *page = (unsigned char *)self->at;
	unsigned char byte = page[0];

	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	*(volatile unsigned char *)page = byte;
	EXPECT_EQ(0, rom_pfn(getpid(), page));
	EXPECT_TRUE(text_is(self->self, self->index, page, PAGE));
	EXPECT_EQ(8, breakable(1));
}

/* A debugger and a program that have no text in common, at any address. */
FIXTURE(attached) {
	unsigned char text[PAGE];	/* of the page to look at, from the file */
	unsigned long at;
	pid_t child;
};

FIXTURE_SETUP(attached)
{
	static struct mapping maps[MAX_MAPPINGS];
	int nr, status, fd = open(TESTS "pages", O_RDONLY);

	self->child = start_and_wait_ready(TESTS "pages");
	ASSERT_LT(0, self->child);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, self->child, 0, 0));
	ASSERT_EQ(self->child, waitpid(self->child, &status, 0));
	nr = read_mappings(self->child, maps);
	ASSERT_LT(0, nr);
	for (int n = 0; n < nr && !self->at; n++)
		if (!strcmp(maps[n].perms, "r-xp"))
			self->at = maps[n].start + 4 * PAGE;
	ASSERT_EQ(PAGE, pread(fd, self->text, PAGE, 4 * PAGE));
	close(fd);
}

FIXTURE_TEARDOWN(attached)
{
	end(self->child);
}

#define EXPECT_TEXT_OF_CHILD(want) do {					\
	for (unsigned int __n = 0; __n < PAGE; __n += sizeof(long)) {	\
		long __word = ptrace(PTRACE_PEEKTEXT, self->child, self->at + __n, 0); \
									\
		ASSERT_EQ(0, memcmp(&__word, (want) + __n, sizeof(__word))) \
			TH_LOG("at %u", __n);				\
	}								\
} while (0)

TEST_F(attached, text_can_be_read)
{
	EXPECT_TEXT_OF_CHILD(self->text);
}

TEST_F(attached, proc_mem_can_be_read)
{
	unsigned char buf[2 * PAGE];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", self->child);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(2 * PAGE, pread(fd, buf, 2 * PAGE, self->at - PAGE / 2));
	EXPECT_EQ(0, memcmp(buf + PAGE / 2, self->text, PAGE));
}

TEST_F(attached, written_word_is_the_only_change)
{
	unsigned long word;

	memcpy(&word, self->text + 64, sizeof(word));
	word = ~word;
	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at + 64, word));
	memcpy(self->text + 64, &word, sizeof(word));
	EXPECT_TEXT_OF_CHILD(self->text);
	EXPECT_EQ(0, rom_pfn(self->child, (void *)self->at));
}

TEST_F(attached, written_word_is_not_seen_by_others)
{
	unsigned long word;

	memcpy(&word, self->text, sizeof(word));
	ASSERT_EQ(0, ptrace(PTRACE_POKETEXT, self->child, self->at, ~word));
	EXPECT_EQ(42, run_program(TESTS "pages", 0));
}

TEST_HARNESS_MAIN
