// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images other than the root: a hand-made one with what the format permits, ones
 * that must be refused or whose contents must be, and what a mount claims.
 *
 * The first one is at physical address 0. With the root behind MTD, it is an MTD
 * device elsewhere; the others can be mounted by their address only.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "lib.h"

static bool image_behind_boot_code_is_read(void)
{
	ASSERT_EQ(0, mount_boot());
	ASSERT_TRUE(mounted->nr_files > 4);
	for (unsigned int n = 0; n < mounted->nr_files; n++) {
		char path[64] = MNT;

		strlcat(path, path_of(nth_file(mounted, n)), sizeof(path));
		ASSERT_TRUE(reads_as_expected(path, nth_file(mounted, n)));
	}
	return true;
}

static bool file_of_a_second_image_is_mapped_in_place(void)
{
	ASSERT_EQ(0, mount_boot());
	return is_in_place(MNT "/full", 0, 2, PROT_READ, MAP_PRIVATE) &&
	       is_in_place(MNT "/full", 1, 1, PROT_READ, MAP_SHARED);
}

static bool program_of_a_second_image_runs_in_place(void)
{
	unsigned long text, code = 0;
	int fds[2], pid;

	ASSERT_EQ(0, mount_boot());
	text = place(find_file(MNT "/where"), 0, 1);
	ASSERT_TRUE(text);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = spawn(MNT "/where", NULL, fds[1]);
	close(fds[1]);
	ASSERT_EQ(4, read(fds[0], &code, 4));
	close(fds[0]);
	ASSERT_EQ(42, status_of(pid));
	ASSERT_TRUE(code >= text && code < text + PAGE);
	return true;
}

static bool file_of_an_image_at_address_0_is_mapped_in_place(void)
{
	ASSERT_EQ(0, mount_image("boot"));
	ASSERT_EQ(0, mounted->addr);
	ASSERT_LE(place(find_file(MNT "/full"), 0, 2), 0x10000);
	return is_in_place(MNT "/full", 0, 2, PROT_READ, MAP_PRIVATE);
}

static bool last_block_with_a_neighbour_in_its_page_is_copied(void)
{
	const struct file *tail;

	ASSERT_EQ(0, mount_boot());
	tail = find_file(MNT "/tail");
	ASSERT_EQ('x', kind_of(tail, 1));
	return is_copy(MNT "/tail", 0, 2, PROT_READ) &&
	       is_copy(MNT "/tail", 1, 1, PROT_READ) &&
	       is_refused(ENODEV, MNT "/tail", 0, 2, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, MNT "/tail", 1, 1, PROT_READ, MAP_SHARED) &&
	       is_in_place(MNT "/tail", 0, 1, PROT_READ, MAP_SHARED);
}

static bool blocks_at_a_multiple_of_4_are_mapped_in_place(void)
{
	unsigned long addr;

	ASSERT_EQ(0, mount_boot());
	addr = place(find_file(MNT "/unaligned"), 0, 2);
	ASSERT_TRUE(addr % PAGE && addr % 4 == 0);
	return is_in_place(MNT "/unaligned", 0, 2, PROT_READ, MAP_PRIVATE) &&
	       is_in_place(MNT "/unaligned", 1, 1, PROT_READ, MAP_SHARED);
}

static bool block_at_an_odd_address_is_copied(void)
{
	ASSERT_EQ(0, mount_boot());
	ASSERT_EQ('s', kind_of(find_file(MNT "/odd"), 1));
	return is_copy(MNT "/odd", 1, 1, PROT_READ) &&
	       is_refused(ENODEV, MNT "/odd", 1, 1, PROT_READ, MAP_SHARED);
}

static bool range_with_a_hole_is_copied(void)
{
	ASSERT_EQ(0, mount_boot());
	ASSERT_EQ('h', kind_of(find_file(MNT "/scatter"), 2));
	return is_copy(MNT "/scatter", 1, 3, PROT_READ) &&
	       is_copy(MNT "/scatter", 2, 1, PROT_READ) &&
	       is_refused(ENODEV, MNT "/scatter", 1, 2, PROT_READ, MAP_SHARED) &&
	       is_refused(ENODEV, MNT "/scatter", 2, 1, PROT_READ, MAP_SHARED) &&
	       is_in_place(MNT "/scatter", 3, 1, PROT_READ, MAP_SHARED);
}

static bool blocks_that_are_not_in_a_row_are_copied(void)
{
	ASSERT_EQ(0, mount_boot());
	ASSERT_EQ('X', kind_of(find_file(MNT "/scatter"), 0));
	ASSERT_EQ('X', kind_of(find_file(MNT "/scatter"), 1));
	return is_copy(MNT "/scatter", 0, 2, PROT_READ) &&
	       is_refused(ENODEV, MNT "/scatter", 0, 2, PROT_READ, MAP_SHARED) &&
	       is_in_place(MNT "/scatter", 0, 1, PROT_READ, MAP_SHARED) &&
	       is_in_place(MNT "/scatter", 1, 1, PROT_READ, MAP_PRIVATE);
}

static bool mapping_keeps_the_mount_busy(void)
{
	void *addr;

	ASSERT_EQ(0, mount_boot());
	addr = map(MNT "/full", PAGE, PROT_READ, MAP_PRIVATE, 0);
	ASSERT_EQ(place(find_file(MNT "/full"), 0, 1), addr);
	ASSERT_EQ(-1, umount2(MNT, 0));
	ASSERT_EQ(EBUSY, errno);
	unmap(addr, PAGE);
	ASSERT_EQ(0, umount2(MNT, 0));
	return true;
}

static bool mounting_again_and_again_loses_no_memory(void)
{
	long before = 0;

	for (int n = 0; n < 50; n++) {
		if (n == 10)
			before = settled_memory();
		ASSERT_EQ(0, mount_boot());
		ASSERT_TRUE(is_in_place(MNT "/full", 0, 1, PROT_READ, MAP_PRIVATE));
		ASSERT_TRUE(is_copy(MNT "/scatter", 1, 3, PROT_READ));
		ASSERT_EQ(0, umount2(MNT, 0));
	}
	ASSERT_LE(before - settled_memory(), 8);
	return true;
}

/* Damage ---------------------------------------------------------------------- */

static bool is_damage(int err)
{
	return err == EUCLEAN || err == EIO;
}

static bool read_fails(const char *path, unsigned int index)
{
	int fd = open(path, O_RDONLY);
	char buf[16];

	ASSERT_TRUE(fd >= 0);
	errno = 0;
	ASSERT_EQ(-1, pread(fd, buf, sizeof(buf), index * PAGE));
	ASSERT_TRUE(is_damage(errno));
	close(fd);
	return true;
}

static bool map_fails(const char *path, unsigned int index, int flags)
{
	errno = 0;
	ASSERT_EQ(MAP_FAILED, map(path, PAGE, PROT_READ, flags, index * PAGE));
	ASSERT_TRUE(is_damage(errno) || (flags == MAP_SHARED && errno == ENODEV));
	return true;
}

static bool block_is_refused(const char *path, unsigned int index)
{
	return read_fails(path, index) &&
	       map_fails(path, index, MAP_PRIVATE) &&
	       map_fails(path, index, MAP_SHARED);
}

/* If a range can be mapped at all, then as a copy without what is behind the image. */
static bool secret_is_not_in(const char *path, unsigned int index, unsigned int nr, int flags)
{
	const char *addr = map(path, nr * PAGE, PROT_READ, flags, index * PAGE);

	if (addr == MAP_FAILED)
		return true;
	for (unsigned long n = 0; n < nr * PAGE; n++)
		ASSERT_TRUE(memcmp(addr + n, "secret: ", 8));
	ASSERT_TRUE(!in_rom(addr));
	unmap((void *)addr, nr * PAGE);
	return true;
}

static bool block_outside_the_image_is_an_error(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_TRUE(is_in_place(MNT "/pointer", 0, 1, PROT_READ, MAP_PRIVATE));
	ASSERT_TRUE(block_is_refused(MNT "/pointer", 1));
	return is_in_place(MNT "/pointer", 2, 1, PROT_READ, MAP_SHARED);
}

static bool block_behind_the_image_is_an_error(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	return block_is_refused(MNT "/outside", 0);
}

static bool block_that_the_end_of_the_image_is_in_is_an_error(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	return block_is_refused(MNT "/outside", 1);
}

/* Block by block these are in a row, from inside the image to what is behind it. */
static bool range_that_leaves_the_image_shows_nothing_of_what_is_behind(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_TRUE(is_in_place(MNT "/verge", 0, 1, PROT_READ, MAP_PRIVATE));
	return secret_is_not_in(MNT "/verge", 0, 2, MAP_PRIVATE) &&
	       secret_is_not_in(MNT "/verge", 0, 2, MAP_SHARED) &&
	       secret_is_not_in(MNT "/verge", 1, 1, MAP_PRIVATE) &&
	       read_fails(MNT "/verge", 1);
}

static bool range_with_a_damaged_block_is_an_error(void)
{
	long copies = mem_kb("MmapCopy");

	ASSERT_EQ(0, mount_image("hostile"));
	errno = 0;
	ASSERT_EQ(MAP_FAILED, map(MNT "/pointer", 3 * PAGE, PROT_READ, MAP_PRIVATE, 0));
	ASSERT_TRUE(is_damage(errno));
	ASSERT_EQ(copies, mem_kb("MmapCopy"));
	return true;
}

static bool table_that_the_end_of_the_image_is_in_is_an_error(void)
{
	/* Its first word is still there, and points to a block of another file. */
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_EQ(-1, open(MNT "/index", O_RDONLY));
	ASSERT_TRUE(is_damage(errno));
	return true;
}

static bool table_outside_the_image_is_an_error(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_EQ(-1, open(MNT "/table", O_RDONLY));
	ASSERT_TRUE(is_damage(errno));
	return true;
}

static bool damaged_stream_is_an_error(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_TRUE(read_fails(MNT "/stream", 0));
	return map_fails(MNT "/stream", 0, MAP_PRIVATE);
}

static bool tail_that_the_image_does_not_have_is_zeros(void)
{
	ASSERT_EQ(0, mount_image("short"));
	ASSERT_EQ('x', kind_of(find_file(MNT "/last"), 1));
	return is_copy(MNT "/last", 0, 2, PROT_READ) &&
	       is_copy(MNT "/last", 1, 1, PROT_READ) &&
	       is_refused(ENODEV, MNT "/last", 1, 1, PROT_READ, MAP_SHARED) &&
	       is_in_place(MNT "/last", 0, 1, PROT_READ, MAP_SHARED);
}

static bool compressed_block_with_zeros_behind_it_is_copied(void)
{
	ASSERT_EQ(0, mount_image("packed"));
	ASSERT_EQ('z', kind_of(find_file(MNT "/packed"), 0));
	return is_copy(MNT "/packed", 0, 1, PROT_READ) &&
	       is_refused(ENODEV, MNT "/packed", 0, 1, PROT_READ, MAP_SHARED);
}

static bool good_image_can_follow_the_damaged_ones(void)
{
	ASSERT_EQ(0, mount_image("hostile"));
	ASSERT_TRUE(read_fails(MNT "/pointer", 1));
	clean_up();
	ASSERT_EQ(0, mount_boot());
	return is_in_place(MNT "/full", 0, 2, PROT_READ, MAP_PRIVATE);
}

/* Refusal --------------------------------------------------------------------- */

static bool address_is_refused(int err, unsigned long addr, const char *more)
{
	errno = 0;
	ASSERT_EQ(-1, mount_address(addr, more));
	ASSERT_EQ(err, errno);
	return true;
}

static bool unaligned_address_is_refused(void)
{
	return address_is_refused(EINVAL, find_image("root")->addr + 512, "") &&
	       address_is_refused(EINVAL, find_image("hostile")->addr + 4, "");
}

static bool ram_of_the_system_is_refused(void)
{
	return address_is_refused(EINVAL, 0x21000000, "") &&
	       address_is_refused(EINVAL, 0x21040000, ",physsize=4096");
}

static bool range_of_another_mount_is_refused(void)
{
	ASSERT_TRUE(address_is_refused(EBUSY, find_image("root")->addr, ""));
	ASSERT_EQ(0, mount_boot());
	return address_is_refused(EBUSY, 0, "");
}

static bool range_of_an_mtd_driver_is_refused(void)
{
	return address_is_refused(EBUSY, find_image("root")->addr, "") &&
	       address_is_refused(EBUSY, find_image("boot copy")->addr, "");
}

static bool registers_of_a_driver_are_refused(void)
{
	return address_is_refused(EBUSY, 0x40004000, ",physsize=4096");
}

static bool what_is_no_image_is_refused(void)
{
	return address_is_refused(EINVAL, find_image("no image")->addr, "") &&
	       address_is_refused(EINVAL, find_image("no image")->addr, ",physsize=4096");
}

static bool image_that_reaches_into_ram_is_refused(void)
{
	return address_is_refused(EINVAL, find_image("huge")->addr, "");
}

static bool image_larger_than_physsize_is_refused(void)
{
	ASSERT_LE(2 * PAGE, find_image("hostile")->len);
	return address_is_refused(EINVAL, find_image("hostile")->addr, ",physsize=4096");
}

static bool refused_mount_gives_back_its_claim(void)
{
	for (int n = 0; n < 20; n++)
		ASSERT_TRUE(address_is_refused(EINVAL, find_image("hostile")->addr,
					       ",physsize=4096"));
	return mount_image("hostile") == 0;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(image_behind_boot_code_is_read, ON_NEW),
		TEST(file_of_a_second_image_is_mapped_in_place, ON_NEW),
		TEST(program_of_a_second_image_runs_in_place, ON_NEW),
		TEST(file_of_an_image_at_address_0_is_mapped_in_place, ON_PHYSMEM),
		TEST(last_block_with_a_neighbour_in_its_page_is_copied, ON_NEW),
		TEST(blocks_at_a_multiple_of_4_are_mapped_in_place, ON_NEW),
		TEST(block_at_an_odd_address_is_copied, ON_NEW),
		TEST(range_with_a_hole_is_copied, ON_NEW),
		TEST(blocks_that_are_not_in_a_row_are_copied, ON_NEW),
		TEST(mapping_keeps_the_mount_busy, ON_NEW),
		TEST(mounting_again_and_again_loses_no_memory, ON_NEW),
		TEST(block_outside_the_image_is_an_error, ON_PHYSMEM),
		TEST(block_behind_the_image_is_an_error, ON_PHYSMEM),
		TEST(block_that_the_end_of_the_image_is_in_is_an_error, ON_PHYSMEM),
		TEST(range_that_leaves_the_image_shows_nothing_of_what_is_behind, ON_PHYSMEM),
		TEST(range_with_a_damaged_block_is_an_error, ON_PHYSMEM),
		TEST(table_that_the_end_of_the_image_is_in_is_an_error, ON_PHYSMEM),
		TEST(table_outside_the_image_is_an_error, ON_PHYSMEM),
		TEST(damaged_stream_is_an_error, ON_PHYSMEM),
		TEST(tail_that_the_image_does_not_have_is_zeros, ON_PHYSMEM),
		TEST(compressed_block_with_zeros_behind_it_is_copied, ON_PHYSMEM),
		TEST(good_image_can_follow_the_damaged_ones, ON_PHYSMEM),
		TEST(unaligned_address_is_refused, ON_PHYSMEM),
		TEST(ram_of_the_system_is_refused, ON_PHYSMEM | ON_BOTH),
		TEST(range_of_another_mount_is_refused, ON_PHYSMEM),
		TEST(range_of_an_mtd_driver_is_refused, ON_BOTH),
		TEST(registers_of_a_driver_are_refused, ON_PHYSMEM | ON_BOTH),
		TEST(what_is_no_image_is_refused, ON_PHYSMEM),
		TEST(image_that_reaches_into_ram_is_refused, ON_PHYSMEM),
		TEST(image_larger_than_physsize_is_refused, ON_PHYSMEM),
		TEST(refused_mount_gives_back_its_claim, ON_PHYSMEM),
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
