// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() of files in the root image: what is the ROM itself, what is a copy,
 * what is refused. See Documentation/admin-guide/mm/nommu-mmap.rst.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "lib.h"

/* The first block of a file that is of another kind than "stored in place", or the end. */
static unsigned int first_elsewhere(const struct file *file)
{
	unsigned int index = 0;

	while (index < nr_pages(file) && kind_of(file, index) == 'X')
		index++;
	return index;
}

static bool private_mapping_is_the_rom_itself(void)
{
	return is_in_place(DATA "stored", 0, 3, PROT_READ, MAP_PRIVATE);
}

static bool shared_mapping_is_the_rom_itself(void)
{
	return is_in_place(DATA "stored", 0, 3, PROT_READ, MAP_SHARED);
}

static bool executable_mapping_is_the_rom_itself(void)
{
	return is_in_place(DATA "stored", 0, 3, PROT_READ | PROT_EXEC, MAP_PRIVATE);
}

static bool mapping_at_an_offset_is_the_rom_there(void)
{
	for (unsigned int index = 1; index < 5; index++) {
		ASSERT_TRUE(is_in_place(DATA "stored", index, 1, PROT_READ, MAP_PRIVATE));
		ASSERT_TRUE(is_in_place(DATA "stored", index, 1, PROT_READ, MAP_SHARED));
	}
	return is_in_place(DATA "stored", 2, 3, PROT_READ, MAP_PRIVATE);
}

static bool whole_file_is_in_place_and_ends_in_zeros(void)
{
	unsigned int nr = nr_pages(find_file(DATA "stored"));

	ASSERT_TRUE(find_file(DATA "stored")->size % PAGE);
	ASSERT_TRUE(is_in_place(DATA "stored", 0, nr, PROT_READ, MAP_PRIVATE));
	return is_in_place(DATA "stored", nr - 1, 1, PROT_READ, MAP_SHARED);
}

static bool file_of_whole_pages_is_in_place_to_its_end(void)
{
	const struct file *full = find_file(DATA "full");

	ASSERT_EQ(0, full->size % PAGE);
	ASSERT_TRUE(is_in_place(DATA "full", 0, nr_pages(full), PROT_READ, MAP_PRIVATE));
	return is_in_place(DATA "full", 1, nr_pages(full) - 1, PROT_READ, MAP_SHARED);
}

static bool length_is_rounded_up_to_pages(void)
{
	void *addr = map(DATA "stored", 1, PROT_READ, MAP_PRIVATE, PAGE);

	ASSERT_EQ(place(find_file(DATA "stored"), 1, 1), addr);
	ASSERT_TRUE(has_contents(DATA "stored", addr, PAGE, PAGE));
	return true;
}

static bool address_that_is_asked_for_is_ignored(void)
{
	int fd = open(DATA "stored", O_RDONLY);
	void *addr = mmap((void *)0x21080000, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	ASSERT_EQ(place(find_file(DATA "stored"), 0, 1), addr);
	unmap(addr, PAGE);
	return true;
}

static bool writable_mapping_is_a_copy(void)
{
	return is_copy(DATA "stored", 0, 3, PROT_READ | PROT_WRITE) &&
	       is_copy(DATA "stored", 1, 1, PROT_READ | PROT_WRITE) &&
	       is_copy(DATA "full", 0, 4, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static bool writing_to_a_private_mapping_does_not_reach_the_rom(void)
{
	const struct file *file = find_file(DATA "stored");
	__u32 crc = crc32(0, (void *)place(file, 0, 2), 2 * PAGE);
	char *addr = map(DATA "stored", 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), byte;
	int fd;

	ASSERT_TRUE(addr != MAP_FAILED);
	memset(addr, 0x5a, 2 * PAGE);
	ASSERT_EQ(crc, crc32(0, (void *)place(file, 0, 2), 2 * PAGE));
	fd = open(DATA "stored", O_RDONLY);
	ASSERT_EQ(1, pread(fd, &byte, 1, PAGE));
	close(fd);
	ASSERT_EQ(*(char *)place(file, 1, 1), byte);
	return true;
}

static bool two_writable_mappings_are_two_copies(void)
{
	char *one = map(DATA "stored", PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	char *two = map(DATA "stored", PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

	ASSERT_TRUE(one != MAP_FAILED && two != MAP_FAILED && one != two);
	one[7] = two[7] + 1;
	ASSERT_TRUE(has_contents(DATA "stored", (void *)two, 0, PAGE));
	return true;
}

static bool compressed_range_is_copied(void)
{
	ASSERT_EQ('z', kind_of(find_file(DATA "deflated"), 1));
	return is_copy(DATA "deflated", 0, 3, PROT_READ) &&
	       is_copy(DATA "deflated", 1, 1, PROT_READ | PROT_EXEC) &&
	       is_copy(DATA "deflated", 1, 2, PROT_READ | PROT_WRITE) &&
	       is_copy(DATA "deflated", 0, nr_pages(find_file(DATA "deflated")), PROT_READ);
}

static bool mixed_range_is_copied(void)
{
	const struct file *mixed = find_file(DATA "mixed");
	unsigned int border = first_elsewhere(mixed);

	ASSERT_TRUE(border > 1 && border < nr_pages(mixed));
	return is_copy(DATA "mixed", border - 1, 2, PROT_READ) &&
	       is_copy(DATA "mixed", 0, nr_pages(mixed), PROT_READ);
}

static bool stored_part_of_a_mixed_file_is_in_place(void)
{
	unsigned int border = first_elsewhere(find_file(DATA "mixed"));

	return is_in_place(DATA "mixed", 0, border, PROT_READ, MAP_PRIVATE) &&
	       is_in_place(DATA "mixed", border - 1, 1, PROT_READ, MAP_SHARED);
}

static bool shared_mapping_of_a_compressed_range_is_refused(void)
{
	return is_refused(ENODEV, DATA "deflated", 0, 2, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, DATA "deflated", 1, 1, PROT_READ | PROT_EXEC, MAP_SHARED);
}

static bool shared_mapping_of_a_mixed_range_is_refused(void)
{
	const struct file *mixed = find_file(DATA "mixed");

	return is_refused(ENODEV, DATA "mixed", first_elsewhere(mixed) - 1, 2, PROT_READ,
			  MAP_SHARED) &&
	       is_refused(ENODEV, DATA "mixed", 0, nr_pages(mixed), PROT_READ, MAP_SHARED);
}

static bool private_range_past_the_end_is_copied_with_zeros(void)
{
	unsigned int stored = nr_pages(find_file(DATA "stored"));
	unsigned int deflated = nr_pages(find_file(DATA "deflated"));

	return is_copy(DATA "stored", 0, stored + 2, PROT_READ) &&
	       is_copy(DATA "stored", stored - 1, 2, PROT_READ | PROT_WRITE) &&
	       is_copy(DATA "full", 0, nr_pages(find_file(DATA "full")) + 1, PROT_READ) &&
	       is_copy(DATA "deflated", deflated - 1, 2, PROT_READ);
}

static bool private_range_behind_the_end_is_zeros(void)
{
	return is_copy(DATA "stored", nr_pages(find_file(DATA "stored")), 1, PROT_READ) &&
	       is_copy(DATA "full", nr_pages(find_file(DATA "full")) + 3, 2, PROT_READ) &&
	       is_copy(DATA "byte", 1, 1, PROT_READ) &&
	       is_copy(DATA "empty", 0, 1, PROT_READ);
}

static bool shared_range_past_the_end_is_refused(void)
{
	unsigned int stored = nr_pages(find_file(DATA "stored"));
	unsigned int full = nr_pages(find_file(DATA "full"));

	return is_refused(ENODEV, DATA "stored", 0, stored + 1, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, DATA "full", full - 1, 2, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, DATA "full", full, 1, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, DATA "empty", 0, 1, PROT_READ, MAP_SHARED);
}

static bool fixed_address_is_refused(void)
{
	int fd = open(DATA "stored", O_RDONLY);
	unsigned long at = place(find_file(DATA "stored"), 0, 1);

	ASSERT_EQ(MAP_FAILED, mmap((void *)at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0));
	ASSERT_EQ(EINVAL, errno);
	close(fd);
	return true;
}

static bool shared_writable_mapping_is_refused(void)
{
	ASSERT_EQ(-1, open(DATA "stored", O_RDWR));
	ASSERT_TRUE(errno == EACCES || errno == EROFS);
	return is_refused(EACCES, DATA "stored", 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED) &&
	       is_refused(EACCES, DATA "deflated", 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static bool every_file_can_be_mapped_whole(void)
{
	const struct image *root = find_image("root");
	unsigned int in_place = 0;

	for (unsigned int n = 0; n < root->nr_files; n++) {
		const struct file *file = nth_file(root, n);
		unsigned long len = nr_pages(file) * PAGE, want = place(file, 0, nr_pages(file));
		void *addr;

		/* Programs that run are mapped already. */
		if (!file->size || !strncmp(path_of(file), BIN, strlen(BIN)))
			continue;
		addr = map(path_of(file), len, PROT_READ, MAP_PRIVATE, 0);
		ksft_print_msg("%s at 0x%lx\n", path_of(file), (unsigned long)addr);
		ASSERT_TRUE(addr != MAP_FAILED);
		ASSERT_EQ(want ? want : 0, in_rom(addr) ? (unsigned long)addr : 0);
		ASSERT_EQ(file->crc, crc32(0, addr, file->size));
		ASSERT_TRUE(has_contents(path_of(file), addr, 0, len));
		unmap(addr, len);
		in_place += !!want;
	}
	ASSERT_TRUE(in_place > 1);
	return true;
}

/* There cannot be two mappings at one address, so others of the range are copies. */
static bool second_mapping_of_a_range_is_a_copy(void)
{
	static const struct {
		unsigned int index, nr;
	} ranges[] = { { 1, 3 }, { 1, 3 }, { 2, 1 }, { 0, 2 } };
	long copies = mem_kb("MmapCopy");
	void *addr[ARRAY_SIZE(ranges)];

	for (unsigned int n = 0; n < ARRAY_SIZE(ranges); n++) {
		unsigned long pos = ranges[n].index * PAGE, len = ranges[n].nr * PAGE;

		addr[n] = map(DATA "stored", len, PROT_READ, MAP_PRIVATE, pos);
		ASSERT_TRUE(addr[n] != MAP_FAILED);
		ASSERT_EQ(n == 0, in_rom(addr[n]));
		ASSERT_TRUE(has_contents(DATA "stored", addr[n], pos, len));
	}
	for (unsigned int n = 0; n < ARRAY_SIZE(ranges); n++)
		ASSERT_TRUE(unmap(addr[n], ranges[n].nr * PAGE));
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	return is_in_place(DATA "stored", 0, 5, PROT_READ, MAP_PRIVATE);
}

/* Only the end of the first one is at the same address: both can be unmapped. */
static bool mappings_may_overlap_at_the_end_in_place(void)
{
	const struct file *file = find_file(DATA "stored");
	void *first = map(DATA "stored", 3 * PAGE, PROT_READ, MAP_PRIVATE, 0);
	void *second = map(DATA "stored", 3 * PAGE, PROT_READ, MAP_PRIVATE, 2 * PAGE);

	ASSERT_EQ(place(file, 0, 3), first);
	ASSERT_EQ(place(file, 2, 3), second);
	ASSERT_TRUE(unmap(first, 3 * PAGE));
	ASSERT_TRUE(unmap(second, 3 * PAGE));
	return is_in_place(DATA "stored", 0, 5, PROT_READ, MAP_PRIVATE);
}

static bool shared_mapping_in_the_middle_of_another_is_refused(void)
{
	void *addr = map(DATA "stored", 3 * PAGE, PROT_READ, MAP_PRIVATE, 0);

	ASSERT_EQ(place(find_file(DATA "stored"), 0, 3), addr);
	ASSERT_TRUE(is_refused(ENODEV, DATA "stored", 1, 1, PROT_READ, MAP_SHARED));
	ASSERT_TRUE(unmap(addr, 3 * PAGE));
	return is_in_place(DATA "stored", 1, 1, PROT_READ, MAP_SHARED);
}

static bool shared_mapping_does_not_get_a_private_copy(void)
{
	ASSERT_TRUE(map(DATA "deflated", 2 * PAGE, PROT_READ, MAP_PRIVATE, 0) != MAP_FAILED);
	return is_refused(ENODEV, DATA "deflated", 0, 2, PROT_READ, MAP_SHARED);
}

/* 300 KiB of copies, if any were left behind, are more than there is. */
static bool mapping_again_and_again_loses_no_memory(void)
{
	long before = 0;

	for (int n = 0; n < 110; n++) {
		if (n == 10)
			before = settled_memory();
		ASSERT_TRUE(is_in_place(DATA "full", 0, 2, PROT_READ, MAP_PRIVATE));
		ASSERT_TRUE(is_copy(DATA "full", 0, 2, PROT_READ | PROT_WRITE));
	}
	ASSERT_LE(before - settled_memory(), 8);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(private_mapping_is_the_rom_itself, ANYWHERE),
		TEST(shared_mapping_is_the_rom_itself, ANYWHERE),
		TEST(executable_mapping_is_the_rom_itself, ANYWHERE),
		TEST(mapping_at_an_offset_is_the_rom_there, ANYWHERE),
		TEST(whole_file_is_in_place_and_ends_in_zeros, ANYWHERE),
		TEST(file_of_whole_pages_is_in_place_to_its_end, ON_NEW),
		TEST(length_is_rounded_up_to_pages, ANYWHERE),
		TEST(address_that_is_asked_for_is_ignored, ANYWHERE),
		TEST(writable_mapping_is_a_copy, ANYWHERE),
		TEST(writing_to_a_private_mapping_does_not_reach_the_rom, ANYWHERE),
		TEST(two_writable_mappings_are_two_copies, ANYWHERE),
		TEST(compressed_range_is_copied, ANYWHERE),
		TEST(mixed_range_is_copied, ANYWHERE),
		TEST(stored_part_of_a_mixed_file_is_in_place, ANYWHERE),
		TEST(shared_mapping_of_a_compressed_range_is_refused, ANYWHERE),
		TEST(shared_mapping_of_a_mixed_range_is_refused, ANYWHERE),
		TEST(private_range_past_the_end_is_copied_with_zeros, ON_NEW),
		TEST(private_range_behind_the_end_is_zeros, ON_NEW),
		TEST(shared_range_past_the_end_is_refused, ON_NEW),
		TEST(fixed_address_is_refused, ANYWHERE),
		TEST(shared_writable_mapping_is_refused, ANYWHERE),
		TEST(every_file_can_be_mapped_whole, ON_NEW),
		TEST(second_mapping_of_a_range_is_a_copy, ON_NEW),
		TEST(mappings_may_overlap_at_the_end_in_place, ON_NEW),
		TEST(shared_mapping_in_the_middle_of_another_is_refused, ON_NEW),
		TEST(shared_mapping_does_not_get_a_private_copy, ON_NEW),
		TEST(mapping_again_and_again_loses_no_memory, ANYWHERE),
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
