// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semantics of mmap() on cramfs, page by page: contents are those of the source
 * tree, and the memory behind each page is in ROM exactly where the image has
 * the page as it is. The same tests run on files that are stored, deflated and
 * both, wherever the root is: only the plan of the host differs.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "guest.h"

FIXTURE(map) {
	const struct image *image;
	const struct entry *entry;
	unsigned char *ref;
	unsigned int pages;
	size_t len;
	int fd;
};

FIXTURE_VARIANT(map) {
	const char *path;
};

FIXTURE_VARIANT_ADD(map, stored) { .path = DATA "stored" };
FIXTURE_VARIANT_ADD(map, mixed) { .path = DATA "mixed" };
FIXTURE_VARIANT_ADD(map, deflated) { .path = DATA "deflated" };

FIXTURE_SETUP(map)
{
	self->image = find_image("root");
	ASSERT_NE(NULL, self->image);
	self->entry = find_entry(self->image, variant->path);
	ASSERT_NE(NULL, self->entry);
	self->ref = load_ref(self->entry);
	ASSERT_NE(NULL, self->ref);
	self->pages = nr_pages(self->entry);
	ASSERT_GT(self->pages, 8);
	self->len = self->pages * PAGE;
	self->fd = open(variant->path, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(map)
{
	free(self->ref);
	close(self->fd);
}

/* Map COUNT pages from INDEX. */
#define MAP(prot, flags, index, count) ({				\
	unsigned char *__p = mmap(NULL, (count) * PAGE, prot, flags,	\
				  self->fd, (index) * PAGE);		\
	ASSERT_NE(MAP_FAILED, __p);					\
	__p;								\
})

#define MAP_ALL(prot, flags) MAP(prot, flags, 0, self->pages)

/* COUNT pages at P are pages of the file from INDEX, each from where it should be. */
#define EXPECT_FILE_PAGES(p, index, count) do {				\
	for (unsigned int __n = 0; __n < (count); __n++) {		\
		const unsigned char *__at = (p) + __n * PAGE;		\
		unsigned int __i = (index) + __n;			\
									\
		EXPECT_EQ(0, memcmp(__at, self->ref + __i * PAGE, PAGE)) \
			TH_LOG("contents of page %u", __i);		\
		EXPECT_EQ(planned_pfn(self->image, self->entry, __i),	\
			  rom_pfn(getpid(), __at))			\
			TH_LOG("place of page %u", __i);		\
	}								\
} while (0)

/* The page at P is a private copy of page INDEX with BYTE at OFFSET. */
#define EXPECT_COPY(p, index, offset, byte) do {			\
	const unsigned char *__p = (p);					\
	unsigned int __index = (index);					\
	unsigned char __want[PAGE];					\
									\
	memcpy(__want, self->ref + __index * PAGE, PAGE);		\
	__want[offset] = byte;						\
	EXPECT_EQ(0, memcmp(__p, __want, PAGE))				\
		TH_LOG("contents of the copy of page %u", __index);	\
	EXPECT_EQ(0, rom_pfn(getpid(), __p));				\
} while (0)

static unsigned int touch(const unsigned char *p, unsigned int pages)
{
	unsigned int sum = 0;

	while (pages--)
		sum += ((volatile const unsigned char *)p)[pages * PAGE];
	return sum;
}

/* How a child ended that ran FN on ARG. */
static int child_status(void (*fn)(volatile unsigned char *), volatile unsigned char *arg)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		fn(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void read_byte(volatile unsigned char *p)
{
	*p;
}

static void write_byte(volatile unsigned char *p)
{
	*p = 1;
}

TEST_F(map, shared_mapping_is_the_source_in_place)
{
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ, MAP_SHARED), 0, self->pages);
}

TEST_F(map, private_mapping_is_the_source_in_place)
{
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ | PROT_EXEC, MAP_PRIVATE), 0, self->pages);
}

TEST_F(map, private_writable_mapping_starts_in_place)
{
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE), 0, self->pages);
}

TEST_F(map, each_page_alone_is_the_source_in_place)
{
	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_FILE_PAGES(MAP(PROT_READ, MAP_SHARED, n, 1), n, 1);
	}
}

TEST_F(map, pages_touched_backwards_are_in_place)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	for (unsigned int n = self->pages; n-- > 0;) {
		EXPECT_FILE_PAGES(p + n * PAGE, n, 1);
	}
}

TEST_F(map, mapping_populates_nothing)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);

	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_EQ(PAGE_ABSENT, rom_pfn(getpid(), p + n * PAGE));
	}
}

TEST_F(map, fault_maps_neighbours)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	unsigned int present = 0;

	/* Neighbours in RAM are mapped when the page cache has them. The window is 16 pages of
	 * the address space. If page 4 is its first one, it has 4 of the 8 pages at least that
	 * each file has before the first change from ROM to RAM.
	 */
	touch(MAP_ALL(PROT_READ, MAP_SHARED), self->pages);
	touch(p + 4 * PAGE, 1);
	for (unsigned int n = 0; n < self->pages; n++)
		present += page_is_present(p + n * PAGE);
	EXPECT_LE(4, present);
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, fault_around_stays_inside_the_mapping)
{
	unsigned char *p = MAP(PROT_READ, MAP_SHARED, 2, 5);

	ASSERT_EQ(0, munmap(p, PAGE));
	ASSERT_EQ(0, munmap(p + 4 * PAGE, PAGE));
	touch(p + 2 * PAGE, 1);
	EXPECT_FALSE(page_is_present(p));
	EXPECT_FALSE(page_is_present(p + 4 * PAGE));
	EXPECT_FILE_PAGES(p + PAGE, 3, 3);
}

TEST_F(map, two_mappings_share_their_pages)
{
	EXPECT_FILE_PAGES(MAP(PROT_READ, MAP_SHARED, 3, 4), 3, 4);
	EXPECT_FILE_PAGES(MAP(PROT_READ, MAP_PRIVATE, 1, 7), 1, 7);
	EXPECT_FILE_PAGES(MAP(PROT_READ, MAP_SHARED, 4, 4), 4, 4);
}

TEST_F(map, pages_in_the_page_cache_do_not_displace_rom)
{
	unsigned char pages[4 * PAGE];
	int pipes[2];

	/* splice() of what begins with a deflated page brings its neighbours along. */
	ASSERT_EQ(0, pipe(pipes));
	for (unsigned int n = 0; n < self->pages; n++) {
		loff_t at = n * PAGE;
		ssize_t got = splice(self->fd, &at, pipes[1], NULL, 4 * PAGE, 0);

		ASSERT_LT(0, got);
		ASSERT_EQ(got, read(pipes[0], pages, 4 * PAGE));
	}
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ, MAP_SHARED), 0, self->pages);
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE), 0, self->pages);
}

TEST_F(map, tail_of_the_last_page_is_zero)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	ASSERT_NE(0, self->entry->size % PAGE);
	for (size_t n = self->entry->size; n < self->len; n++) {
		ASSERT_EQ(0, p[n]);
	}
}

TEST_F(map, touch_past_the_last_page_is_sigbus)
{
	unsigned char *p = MAP(PROT_READ, MAP_SHARED, 0, self->pages + 2);
	int status;

	status = child_status(read_byte, p + self->len);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, write_past_the_last_page_is_sigbus)
{
	unsigned char *p = MAP(PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, self->pages + 2);
	int status = child_status(write_byte, p + self->len + PAGE);

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
}

TEST_F(map, mapping_wholly_past_the_end_is_sigbus)
{
	int status = child_status(read_byte, MAP(PROT_READ, MAP_PRIVATE, self->pages + 7, 1));

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
}

TEST_F(map, write_to_read_only_mapping_is_sigsegv)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	int status;

	touch(p, self->pages);
	status = child_status(write_byte, p);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
}

TEST_F(map, proc_maps_shows_the_file_offset)
{
	unsigned char *p = MAP(PROT_READ, MAP_PRIVATE, 3, 2);
	char want[128], text[16384];

	touch(p, 2);
	ASSERT_LT(0, read_text("/proc/self/maps", text, sizeof(text)));
	snprintf(want, sizeof(want), "%08lx-%08lx r--p %08lx ", (unsigned long)p,
		 (unsigned long)(p + 2 * PAGE), 3 * PAGE);
	EXPECT_NE(NULL, strstr(text, want)) TH_LOG("no '%s' in %s", want, text);
}

/* A number in the entry of /proc/self/smaps for the mapping at P, in pages. */
static long smaps_pages(const unsigned char *p, const char *key)
{
	char want[32], text[32768], *at;

	if (read_text("/proc/self/smaps", text, sizeof(text)) < 0)
		return -1;
	snprintf(want, sizeof(want), "%08lx-", (unsigned long)p);
	at = strstr(text, want);
	at = at ? strstr(at, key) : NULL;
	return at ? strtol(at + strlen(key), NULL, 10) / 4 : -1;
}

TEST_F(map, smaps_counts_no_ram_for_rom)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	unsigned int in_ram = 0;

	touch(p, self->pages);
	for (unsigned int n = 0; n < self->pages; n++)
		in_ram += !planned_pfn(self->image, self->entry, n);
	EXPECT_EQ(in_ram, smaps_pages(p, "\nRss:"));
}

TEST_F(map, smaps_counts_the_pages_that_were_copied)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	touch(p, self->pages);
	EXPECT_EQ(0, smaps_pages(p, "\nPrivate_Dirty:"));
	p[2 * PAGE] = 1;
	p[6 * PAGE] = 1;
	EXPECT_EQ(2, smaps_pages(p, "\nPrivate_Dirty:"));
	EXPECT_EQ(2, smaps_pages(p, "\nAnonymous:"));
}

TEST_F(map, smaps_flags_are_those_of_a_file_mapping)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	char want[32], text[32768], *at;

	touch(p, self->pages);
	ASSERT_LT(0, read_text("/proc/self/smaps", text, sizeof(text)));
	snprintf(want, sizeof(want), "%08lx-", (unsigned long)p);
	at = strstr(text, want);
	ASSERT_NE(NULL, at);
	at = strstr(at, "VmFlags:");
	ASSERT_NE(NULL, at);
	at[strcspn(at, "\n")] = 0;
	EXPECT_NE(NULL, strstr(at, " rd "));
	EXPECT_NE(NULL, strstr(at, " mr "));
	EXPECT_EQ(NULL, strstr(at, " pf ")) TH_LOG("a raw PFN map: %s", at);
	EXPECT_EQ(NULL, strstr(at, " io "));
}

TEST_F(map, write_after_read_copies_one_page)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned int n = self->pages / 2;

	touch(p, self->pages);
	p[n * PAGE + 77] = 0xee;
	EXPECT_COPY(p + n * PAGE, n, 77, 0xee);
	EXPECT_FILE_PAGES(p, 0, n);
	EXPECT_FILE_PAGES(p + (n + 1) * PAGE, n + 1, self->pages - n - 1);
}

TEST_F(map, write_without_read_copies_one_page)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned int n = self->pages / 2;

	p[n * PAGE + 77] = 0xee;
	EXPECT_COPY(p + n * PAGE, n, 77, 0xee);
	EXPECT_FILE_PAGES(p, 0, n);
	EXPECT_FILE_PAGES(p + (n + 1) * PAGE, n + 1, self->pages - n - 1);
}

TEST_F(map, every_page_can_be_copied)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	for (unsigned int n = 0; n < self->pages; n++)
		p[n * PAGE + n] = n;
	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_COPY(p + n * PAGE, n, n, n);
	}
}

TEST_F(map, copied_tail_is_zero_past_the_end)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned int n = self->pages - 1;

	p[n * PAGE] = 1;
	EXPECT_COPY(p + n * PAGE, n, 0, 1);
}

TEST_F(map, write_after_mprotect_copies_one_page)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);

	touch(p, self->pages);
	ASSERT_EQ(0, mprotect(p + 3 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
	p[4 * PAGE] = 0xee;
	EXPECT_COPY(p + 4 * PAGE, 4, 0, 0xee);
	EXPECT_FILE_PAGES(p, 0, 4);
	EXPECT_FILE_PAGES(p + 5 * PAGE, 5, self->pages - 5);
}

TEST_F(map, copy_survives_mprotect_to_read_only)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	p[4 * PAGE + 5] = 0xee;
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ));
	EXPECT_COPY(p + 4 * PAGE, 4, 5, 0xee);
	EXPECT_FILE_PAGES(p, 0, 4);
}

TEST_F(map, mprotect_none_and_back_keeps_pages_in_place)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	int status;

	touch(p, self->pages);
	ASSERT_EQ(0, mprotect(p, self->len, PROT_NONE));
	status = child_status(read_byte, p);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ | PROT_EXEC));
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, what_cannot_be_read_can_be_written_by_force)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE), byte = 0xee;
	int fd = open("/proc/self/mem", O_WRONLY);

	ASSERT_LE(0, fd);
	touch(p, self->pages);
	ASSERT_EQ(0, mprotect(p, self->len, PROT_NONE));
	ASSERT_EQ(1, pwrite64(fd, &byte, 1, (uintptr_t)p + 4 * PAGE + 5));
	close(fd);
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ));
	EXPECT_COPY(p + 4 * PAGE, 4, 5, 0xee);
	EXPECT_FILE_PAGES(p, 0, 4);
	EXPECT_FILE_PAGES(p + 5 * PAGE, 5, self->pages - 5);
}

TEST_F(map, private_write_leaves_the_file_alone)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char buf[PAGE];

	memset(p, 0xee, self->entry->size);
	for (unsigned int n = 0; n < self->pages - 1; n++) {
		ASSERT_EQ(PAGE, pread(self->fd, buf, PAGE, n * PAGE));
		EXPECT_EQ(0, memcmp(buf, self->ref + n * PAGE, PAGE));
	}
	EXPECT_FILE_PAGES(MAP_ALL(PROT_READ, MAP_PRIVATE), 0, self->pages);
}

TEST_F(map, refaults_after_madv_dontneed)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);

	for (int round = 0; round < 3; round++) {
		EXPECT_FILE_PAGES(p, 0, self->pages);
		ASSERT_EQ(0, madvise(p, self->len, MADV_DONTNEED));
		for (unsigned int n = 0; n < self->pages; n++) {
			ASSERT_FALSE(page_is_present(p + n * PAGE));
		}
	}
}

TEST_F(map, madv_dontneed_drops_a_private_copy)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	memset(p, 0xee, self->len);
	ASSERT_EQ(0, madvise(p, self->len, MADV_DONTNEED));
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, munmap_of_the_head_leaves_the_rest)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, 5);
	ASSERT_EQ(0, munmap(p, 3 * PAGE));
	EXPECT_FILE_PAGES(p + 3 * PAGE, 3, self->pages - 3);
}

TEST_F(map, munmap_of_the_tail_leaves_the_rest)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, self->pages);
	ASSERT_EQ(0, munmap(p + 5 * PAGE, self->len - 5 * PAGE));
	EXPECT_FILE_PAGES(p, 0, 5);
}

TEST_F(map, munmap_of_the_middle_leaves_both_sides)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, 4);
	ASSERT_EQ(0, munmap(p + 3 * PAGE, 3 * PAGE));
	ASSERT_EQ(0, madvise(p, 3 * PAGE, MADV_DONTNEED));
	EXPECT_FILE_PAGES(p, 0, 3);
	EXPECT_FILE_PAGES(p + 6 * PAGE, 6, self->pages - 6);
}

TEST_F(map, mremap_moves_pages_in_place)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	unsigned char *to = mmap(NULL, self->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	touch(p, self->pages / 2);
	ASSERT_EQ(to, mremap(p, self->len, self->len, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_FILE_PAGES(to, 0, self->pages);
	ASSERT_EQ(0, madvise(to, self->len, MADV_DONTNEED));
	EXPECT_FILE_PAGES(to, 0, self->pages);
}

TEST_F(map, mremap_moves_a_private_copy)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *to = mmap(NULL, self->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[2 * PAGE + 9] = 0xee;
	ASSERT_EQ(to, mremap(p, self->len, self->len, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_COPY(to + 2 * PAGE, 2, 9, 0xee);
	EXPECT_FILE_PAGES(to, 0, 2);
}

TEST_F(map, mremap_grows_into_the_file)
{
	unsigned char *p = MAP(PROT_READ, MAP_SHARED, 1, 2);

	touch(p, 2);
	p = mremap(p, 2 * PAGE, (self->pages - 1) * PAGE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_FILE_PAGES(p, 1, self->pages - 1);
}

TEST_F(map, mremap_grows_from_each_page_on)
{
	for (unsigned int n = 0; n + 3 < self->pages; n++) {
		unsigned char *p = MAP(PROT_READ, MAP_SHARED, n, 1);

		/* Whatever the first page is, the next ones are in their own places. */
		touch(p, 1);
		p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
		ASSERT_NE(MAP_FAILED, p);
		EXPECT_FILE_PAGES(p, n, 3);
		munmap(p, 3 * PAGE);
	}
}

TEST_F(map, mremap_shrinks)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, self->pages);
	ASSERT_EQ(p, mremap(p, self->len, 3 * PAGE, 0));
	EXPECT_FILE_PAGES(p, 0, 3);
	EXPECT_FALSE(page_is_present(p + 3 * PAGE));
}

TEST_F(map, map_fixed_replaces_pages)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, self->pages);
	ASSERT_EQ(p, mmap(p, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, self->fd, 4 * PAGE));
	EXPECT_FILE_PAGES(p, 4, 4);
	EXPECT_FILE_PAGES(p + 4 * PAGE, 4, self->pages - 4);
}

TEST_F(map, fork_child_has_the_same_pages)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	pid_t pid;

	touch(p, self->pages / 2);
	pid = fork();
	ASSERT_LE(0, pid);
	EXPECT_FILE_PAGES(p, 0, self->pages);
	if (!pid)
		_exit(_metadata->exit_code);
	waitpid(pid, NULL, 0);
}

TEST_F(map, write_of_a_fork_child_is_its_own)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t pid;

	touch(p, self->pages);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		p[PAGE] = 0xee;
		EXPECT_COPY(p + PAGE, 1, 0, 0xee);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, fork_child_inherits_a_private_copy)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t pid;

	p[PAGE] = 0xee;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_COPY(p + PAGE, 1, 0, 0xee);
		p[PAGE] = 0xdd;
		EXPECT_COPY(p + PAGE, 1, 0, 0xdd);
		EXPECT_FILE_PAGES(p + 2 * PAGE, 2, self->pages - 2);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	EXPECT_COPY(p + PAGE, 1, 0, 0xee);
}

TEST_F(map, map_populate_maps_all_pages)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED | MAP_POPULATE);

	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_TRUE(page_is_present(p + n * PAGE));
	}
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, mlock_maps_all_pages)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	ASSERT_EQ(0, mlock(p, self->len));
	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_TRUE(page_is_present(p + n * PAGE));
	}
	ASSERT_EQ(0, munlock(p, self->len));
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, mincore_sees_mapped_pages)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	unsigned char in_core[64] = "";

	touch(p, self->pages);
	ASSERT_EQ(0, mincore(p, self->len, in_core));
	for (unsigned int n = 0; n < self->pages; n++) {
		EXPECT_EQ(1, in_core[n] & 1);
	}
}

TEST_F(map, msync_succeeds)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, self->pages);
	EXPECT_EQ(0, msync(p, self->len, MS_SYNC));
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, reclaim_advice_loses_nothing)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);

	touch(p, self->pages);
	madvise(p, self->len, MADV_COLD);
	madvise(p, self->len, MADV_PAGEOUT);
	ASSERT_EQ(0, forget_caches());
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, mapping_outlives_its_descriptor)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);

	close(self->fd);
	ASSERT_EQ(0, forget_caches());
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_F(map, shared_writable_mapping_is_refused)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(map, mprotect_of_a_shared_mapping_to_writable_is_refused)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p, self->pages);
	EXPECT_EQ(-1, mprotect(p, self->len, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(map, write_from_a_mapping_gives_its_bytes)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	unsigned char *copy = malloc(self->len);
	int fd = open("/tmp/copy", O_RDWR | O_CREAT | O_TRUNC, 0600);

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)self->len, write(fd, p, self->len));
	ASSERT_EQ((ssize_t)self->len, pread(fd, copy, self->len, 0));
	EXPECT_EQ(0, memcmp(copy, self->ref, self->len));
	unlink("/tmp/copy");
}

TEST_F(map, write_from_a_mapping_to_a_pipe_gives_its_bytes)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	unsigned char buf[PAGE];
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	for (unsigned int n = 0; n < self->pages; n++) {
		ASSERT_EQ(PAGE, write(fds[1], p + n * PAGE, PAGE));
		ASSERT_EQ(PAGE, read(fds[0], buf, PAGE));
		EXPECT_EQ(0, memcmp(buf, self->ref + n * PAGE, PAGE));
	}
}

TEST_F(map, read_into_a_private_mapping_copies)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	touch(p, self->pages);
	ASSERT_EQ(PAGE, pread(self->fd, p + 5 * PAGE, PAGE, 2 * PAGE));
	EXPECT_EQ(0, memcmp(p + 5 * PAGE, self->ref + 2 * PAGE, PAGE));
	EXPECT_EQ(0, rom_pfn(getpid(), p + 5 * PAGE));
	EXPECT_FILE_PAGES(p, 0, 5);
	EXPECT_FILE_PAGES(p + 6 * PAGE, 6, self->pages - 6);
}

TEST_F(map, read_of_a_file_into_its_own_mapping)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	/* Nothing touched before: the copy faults on what it reads. */
	ASSERT_EQ((ssize_t)self->entry->size, pread(self->fd, p, self->entry->size, 0));
	EXPECT_EQ(0, memcmp(p, self->ref, self->len));
}

struct faulter {
	unsigned char *p;
	const unsigned char *ref;
	unsigned int pages, step;
	int bad;
};

static void *fault_all(void *arg)
{
	struct faulter *f = arg;

	for (unsigned int n = 0; n < f->pages; n++) {
		unsigned int at = n * f->step % f->pages;

		f->bad += memcmp(f->p + at * PAGE, f->ref + at * PAGE, PAGE) != 0;
		if (n % 5 == 4)
			madvise(f->p + at * PAGE, PAGE, MADV_DONTNEED);
	}
	return NULL;
}

TEST_F(map, threads_fault_and_unmap_together)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	static const unsigned int steps[4] = { 1, 3, 7, 11 };
	struct faulter faulters[4];
	pthread_t threads[4];

	for (int round = 0; round < 20; round++) {
		for (int n = 0; n < 4; n++) {
			faulters[n] = (struct faulter){ p, self->ref, self->pages, steps[n], 0 };
			ASSERT_EQ(0, pthread_create(&threads[n], NULL, fault_all, &faulters[n]));
		}
		for (int n = 0; n < 4; n++) {
			pthread_join(threads[n], NULL);
			EXPECT_EQ(0, faulters[n].bad);
		}
	}
	EXPECT_FILE_PAGES(p, 0, self->pages);
}

TEST_HARNESS_MAIN
