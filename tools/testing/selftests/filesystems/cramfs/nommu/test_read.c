// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of all files of the root image by read() and pread().
 */
#include <linux/fcntl.h>

#include "lib.h"

static bool every_file_reads_as_in_the_tree(void)
{
	const struct image *root = find_image("root");
	bool good = true;

	ASSERT_TRUE(root->nr_files > 10);
	for (unsigned int n = 0; n < root->nr_files; n++) {
		const struct file *file = nth_file(root, n);

		if (!reads_as_expected(path_of(file), file)) {
			ksft_print_msg("%s\n", path_of(file));
			good = false;
		}
	}
	return good;
}

static bool reading_behind_the_end_gives_nothing(void)
{
	const struct file *file = find_file(DATA "stored");
	int fd = open(DATA "stored", O_RDONLY);
	char buf[16];

	ASSERT_EQ(0, pread(fd, buf, sizeof(buf), file->size));
	ASSERT_EQ(0, pread(fd, buf, sizeof(buf), file->size + PAGE));
	ASSERT_EQ(3, pread(fd, buf, sizeof(buf), file->size - 3));
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(every_file_reads_as_in_the_tree, ANYWHERE),
		TEST(reading_behind_the_end_gives_nothing, ANYWHERE),
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
