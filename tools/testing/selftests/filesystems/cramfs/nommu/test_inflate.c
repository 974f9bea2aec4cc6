// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workspace to inflate with, over 40 KiB, is taken when it is needed first.
 * This must run before anything else in a system whose root has nothing that is
 * compressed; what is read here is in the image at address 0.
 */
#include <linux/fcntl.h>

#include "lib.h"

#define WORKSPACE	41	/* KiB that zlib wants at least */

static bool read_some(const char *path)
{
	int fd = open(path, O_RDONLY);
	char buf[64];

	ASSERT_EQ(sizeof(buf), read(fd, buf, sizeof(buf)));
	close(fd);
	return true;
}

static bool programs_and_stored_files_need_no_workspace(void)
{
	long free;

	/* What the first reader of any file may leave behind. */
	ASSERT_TRUE(read_some(DATA "full"));
	free = settled_memory();
	ASSERT_TRUE(read_some(DATA "stored"));
	ASSERT_EQ(0, run_program(BIN "whoami", NULL));
	ASSERT_LE(free - settled_memory(), WORKSPACE - 9);
	return true;
}

static bool first_compressed_block_takes_the_workspace(void)
{
	long free, taken;

	ASSERT_EQ(0, mount_boot());
	ASSERT_EQ('z', kind_of(find_file(MNT "/odd"), 0));
	free = settled_memory();
	ASSERT_TRUE(read_some(MNT "/odd"));
	taken = free - settled_memory();
	ASSERT_LE(WORKSPACE, taken);
	/* Not rounded up to a power of two. */
	ASSERT_LE(taken, WORKSPACE + 16);
	return true;
}

static bool the_next_one_uses_it_again(void)
{
	long free = 0;

	for (int n = 0; n < 5; n++) {
		if (n < 2)
			free = settled_memory();
		ASSERT_EQ(0, mount_boot());
		ASSERT_TRUE(read_some(MNT "/odd"));
		clean_up();
	}
	ASSERT_LE(free - settled_memory(), WORKSPACE - 9);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(programs_and_stored_files_need_no_workspace, ON_NEW),
		TEST(first_compressed_block_takes_the_workspace, ON_NEW),
		TEST(the_next_one_uses_it_again, ON_NEW),
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
