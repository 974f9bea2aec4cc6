// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that are executed in place: where their text and data are, what they
 * cost, and that nothing is lost by running many.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/signal.h>

#include "lib.h"

#define TOGETHER	5	/* at a time */
#define IN_A_ROW	200

static const char constant[] = "in the text segment";
static int initialised = 42;
static int cleared;

/* Where code is: a function's address is that of its descriptor in the data. */
static unsigned long code_of(int (*function)(int argc, char **argv))
{
	return *(unsigned long *)function & ~1UL;
}

int main(int argc, char **argv);

/* The text segment begins where the file does. */
static unsigned long text_place(const char *path)
{
	return place(find_file(path), 0, 1);
}

static bool text_of_init_lies_in_rom(void)
{
	unsigned long text;

	ASSERT_TRUE(region_of(1, "r-xp", BIN "init", &text));
	ASSERT_EQ(text_place(BIN "init"), text);
	ASSERT_TRUE(in_rom((void *)text));
	return true;
}

static bool functions_are_where_the_image_has_them(void)
{
	unsigned long text = text_place(BIN "test_exec"), code = code_of(main);
	unsigned long size = find_file(BIN "test_exec")->size;

	ASSERT_TRUE(text && in_rom((void *)text));
	ASSERT_TRUE(code > text && code < text + size);
	return true;
}

static bool constants_lie_in_rom_and_data_in_ram(void)
{
	int local = 1;

	ASSERT_TRUE(in_rom(constant));
	ASSERT_TRUE(!in_rom(&initialised));
	ASSERT_TRUE(!in_rom(&cleared));
	ASSERT_TRUE(!in_rom(&local));
	ASSERT_EQ(42, initialised);
	ASSERT_EQ(0, cleared);
	return true;
}

static bool maps_of_a_process_show_text_in_rom(void)
{
	unsigned long text, data;

	ASSERT_TRUE(region_of(getpid(), "r-xp", BIN "test_exec", &text));
	ASSERT_EQ(text_place(BIN "test_exec"), text);
	ASSERT_TRUE(region_of(getpid(), "rw-p", BIN "test_exec", &data));
	ASSERT_TRUE(!in_rom((void *)data));
	return true;
}

static bool maps_of_the_system_show_no_executable_region_in_ram(void)
{
	static char text[2048];
	unsigned int nr = 0;

	ASSERT_TRUE(read_text("/proc/maps", text, sizeof(text)) > 0);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		if (line[20] != 'x' || line[19] == 'w')
			continue;
		nr++;
		if (!in_rom((void *)strtoul(line, NULL, 16))) {
			*end = 0;
			ksft_print_msg("%s\n", line);
			return false;
		}
	}
	/* init and this. */
	ASSERT_EQ(2, nr);
	return true;
}

/* A program that says when it has run through its text; then it waits. */
static bool start_waiting(const char *program, int *pid)
{
	int fds[2];
	char byte;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	*pid = spawn(program, "wait", fds[1]);
	/* If it ends before it says so, the pipe has to end, too. */
	close(fds[1]);
	ASSERT_EQ(1, read(fds[0], &byte, 1));
	close(fds[0]);
	return true;
}

/* Where the text of a program is when it runs. */
static bool find_text(const char *program, unsigned long *text)
{
	int pid;

	ASSERT_TRUE(start_waiting(program, &pid));
	ASSERT_TRUE(region_of(pid, "r-xp", program, text));
	kill(pid, SIGKILL);
	ASSERT_EQ(128 + SIGKILL, status_of(pid));
	return true;
}

/* Some of a program is compressed: all of its text is a copy. Or it is all stored. */
static bool program_runs_from_where_its_blocks_permit(void)
{
	const struct file *pages = find_file(BIN "pages");
	unsigned long text, want;

	ASSERT_EQ(42, run_program(BIN "pages", NULL));

	/* Its last page is not of interest: the text is at least so long. */
	want = place(pages, 0, 8);
	ASSERT_TRUE(find_text(BIN "pages", &text));
	if (want)
		ASSERT_EQ(want, text);
	ASSERT_EQ(!!want, in_rom((void *)text));
	return true;
}

/* Start them all, and say when each has run through its text. */
static bool start_together(int *pids, unsigned long *text, long *copies)
{
	for (int n = 0; n < TOGETHER; n++) {
		ASSERT_TRUE(start_waiting(BIN "pages", &pids[n]));
		ASSERT_TRUE(region_of(pids[n], "r-xp", BIN "pages", &text[n]));
		copies[n] = mem_kb("MmapCopy");
	}
	return true;
}

static bool programs_share_one_text_and_cost_their_data_only(void)
{
	/* Initialised and cleared data and the GOT take 5 pages, the stack 2. */
	const long data = 7 * PAGE / 1024;
	unsigned long text[TOGETHER];
	long copies[TOGETHER], before = mem_kb("MmapCopy");
	int pids[TOGETHER] = { };
	bool started = start_together(pids, text, copies);

	for (int n = 0; n < TOGETHER && pids[n] > 0; n++) {
		kill(pids[n], SIGKILL);
		ASSERT_EQ(128 + SIGKILL, status_of(pids[n]));
	}
	ASSERT_TRUE(started);
	for (int n = 1; n < TOGETHER; n++) {
		ASSERT_EQ(text[0], text[n]);
		ASSERT_EQ(data, copies[n] - copies[n - 1]);
	}
	if (in_rom((void *)text[0]))
		ASSERT_EQ(data, copies[0] - before);
	ASSERT_EQ(before, mem_kb("MmapCopy"));
	return true;
}

static bool many_programs_in_a_row_lose_no_memory(void)
{
	long before, copies;

	/* What is allocated once and kept. */
	for (int n = 0; n < 8; n++)
		ASSERT_EQ(0, run_program(BIN "whoami", NULL));
	before = settled_memory();
	copies = mem_kb("MmapCopy");
	for (int n = 0; n < IN_A_ROW; n++) {
		ASSERT_EQ(0, run_program(BIN "whoami", NULL));
		/* What the dead have is given back late, which is no loss. */
		if (n % 10 == 9)
			settled_memory();
	}
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	/* 82 bytes each: less than what any allocation for a program takes. */
	ASSERT_LE(before - settled_memory(), 16);
	return true;
}

static bool bflt_program_runs_in_place(void)
{
	unsigned long text, want = place(find_file(BIN "flat"), 0, 8);

	ASSERT_TRUE(want);
	ASSERT_EQ(42, run_program(BIN "flat", NULL));
	ASSERT_TRUE(find_text(BIN "flat", &text));
	ASSERT_EQ(want, text);
	return true;
}

static bool mapping_of_a_traced_process_is_a_copy(void)
{
	unsigned long addr = 0, rom = text_place(DATA "stored"), word = *(unsigned long *)rom;
	int fds[2], pid, status = 0;

	ASSERT_TRUE(rom && word != TRACERS_WORD);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = spawn(BIN "traced", DATA "stored", fds[1]);
	close(fds[1]);
	ASSERT_EQ(4, read(fds[0], &addr, 4));
	close(fds[0]);
	ASSERT_TRUE(!in_rom((void *)addr));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGSTOP << 8 | 0x7f, status);
	ASSERT_EQ(word, *(unsigned long *)addr);
	ASSERT_EQ(0, my_syscall4(__NR_ptrace, PTRACE_POKETEXT, pid, addr, TRACERS_WORD));
	ASSERT_EQ(0, my_syscall4(__NR_ptrace, PTRACE_CONT, pid, 0, 0));
	ASSERT_EQ(42, status_of(pid));
	ASSERT_EQ(word, *(unsigned long *)rom);
	return true;
}

/* The first mapping of a process is the ROM, the second one a copy for itself. */
static bool second_mapping_of_a_process_is_not_run_by_others(void)
{
	const struct file *pages = find_file(BIN "pages");
	unsigned long text, len = 0;
	void *first, *second;

	/* If it is punched, others run a copy anyway. */
	if (!place(pages, 0, 8))
		return true;
	while (kind_of(pages, len / PAGE) == 'X')
		len += PAGE;
	first = map(BIN "pages", len, PROT_READ, MAP_PRIVATE, 0);
	second = map(BIN "pages", len, PROT_READ, MAP_PRIVATE, 0);
	ASSERT_EQ(place(pages, 0, 8), first);
	ASSERT_TRUE(second != MAP_FAILED && !in_rom(second));
	ASSERT_TRUE(unmap(first, len));
	ASSERT_TRUE(find_text(BIN "pages", &text));
	ASSERT_EQ(first, text);
	return true;
}

/* Two regions that begin at one address and differ in length. */
static bool program_whose_beginning_is_mapped_can_be_run(void)
{
	void *addr = map(BIN "pages", PAGE, PROT_READ, MAP_PRIVATE, 0);

	ASSERT_EQ(place(find_file(BIN "pages"), 0, 1), addr);
	ASSERT_EQ(42, run_program(BIN "pages", NULL));
	ASSERT_TRUE(unmap(addr, PAGE));
	ASSERT_EQ(42, run_program(BIN "pages", NULL));
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(text_of_init_lies_in_rom, ANYWHERE),
		TEST(functions_are_where_the_image_has_them, ANYWHERE),
		TEST(constants_lie_in_rom_and_data_in_ram, ANYWHERE),
		TEST(maps_of_a_process_show_text_in_rom, ANYWHERE),
		TEST(maps_of_the_system_show_no_executable_region_in_ram, ANYWHERE),
		TEST(program_runs_from_where_its_blocks_permit, ANYWHERE),
		TEST(programs_share_one_text_and_cost_their_data_only, ANYWHERE),
		TEST(many_programs_in_a_row_lose_no_memory, ANYWHERE),
		TEST(bflt_program_runs_in_place, ANYWHERE),
		TEST(program_whose_beginning_is_mapped_can_be_run, ON_NEW),
		TEST(second_mapping_of_a_process_is_not_run_by_others, ON_NEW),
		TEST(mapping_of_a_traced_process_is_a_copy, ON_NEW),
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
