// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root image against the tree that it was made from, aspect by aspect, and
 * the behaviour of its directories and special files. The fixture "tree" holds
 * on the unmodified driver too, "own" on ours only.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tree.h"

FIXTURE(tree) {
	const struct image *root;
};

FIXTURE_SETUP(tree)
{
	self->root = find_image("root");
	ASSERT_NE(NULL, self->root);
	ASSERT_LT(100, self->root->nr);
}

FIXTURE_TEARDOWN(tree)
{
}

FIXTURE(own) {
	const struct image *root;
};

FIXTURE_SETUP(own)
{
	self->root = find_image("root");
	ASSERT_NE(NULL, self->root);
}

FIXTURE_TEARDOWN(own)
{
}

TEST_F(tree, all_entries_are_there_and_no_other)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_NAMES, true));
}

TEST_F(tree, types_and_modes_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_MODES, true));
}

TEST_F(tree, owners_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_OWNERS, true));
}

TEST_F(tree, sizes_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_SIZES, true));
}

TEST_F(tree, contents_by_read_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_READ, true));
}

TEST_F(tree, contents_by_mmap_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_MAPPED, true));
}

TEST_F(tree, link_targets_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_LINKS, true));
}

TEST_F(tree, device_numbers_are_the_source)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_DEVICES, true));
}

TEST_F(tree, times_are_the_epoch)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_TIMES, true));
}

TEST_F(tree, directories_agree_with_stat)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_DIRENTS, true));
}

TEST_F(tree, symlinks_are_followed)
{
	const struct entry *entry = find_entry(self->root, DATA "stored");
	__u32 crc;

	ASSERT_EQ(0, crc_file("/t/link", &crc));
	EXPECT_EQ(entry->crc, crc);
	EXPECT_EQ(-1, open("/t/dangling", O_RDONLY));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(tree, missing_names_are_not_found)
{
	static const char *const names[] = {
		"/", "!", "e", "e149", "e500", "e00", "zzzz", "~", "\xff", "many", "d0",
	};
	char path[64];
	struct stat st;

	for (unsigned int n = 1; n < ARRAY_SIZE(names); n++) {
		snprintf(path, sizeof(path), "/t/dirs/many/%s", names[n]);
		EXPECT_EQ(-1, stat(path, &st)) TH_LOG("%s", path);
		EXPECT_EQ(ENOENT, errno);
	}
}

TEST_F(tree, every_entry_of_a_large_directory_is_found)
{
	char path[64], pad[32] = "";
	struct stat st;

	for (int n = 0; n < 500; n++) {
		memset(pad, 'e', n % 23);
		pad[n % 23] = 0;
		snprintf(path, sizeof(path), "/t/dirs/many/%s%d", pad, n);
		ASSERT_EQ(0, lstat(path, &st)) TH_LOG("%s", path);
		ASSERT_TRUE(S_ISLNK(st.st_mode));
	}
}

TEST_F(own, names_of_252_bytes_work_and_longer_ones_do_not)
{
	char path[320] = "/t/names/";
	struct stat st;

	memset(path + 9, 'n', 252);
	EXPECT_EQ(0, stat(path, &st));
	for (int len = 253; len <= 255; len++) {
		path[9 + len - 1] = 'n';
		EXPECT_EQ(-1, stat(path, &st));
		EXPECT_TRUE(errno == ENOENT || errno == ENAMETOOLONG);
	}
	path[9 + 255] = 'n';
	EXPECT_EQ(-1, stat(path, &st));
	EXPECT_EQ(ENAMETOOLONG, errno);
}

TEST_F(tree, file_as_a_directory_is_enotdir)
{
	EXPECT_EQ(-1, open(DATA "stored/x", O_RDONLY));
	EXPECT_EQ(ENOTDIR, errno);
	EXPECT_EQ(NULL, opendir(DATA "stored"));
	EXPECT_EQ(ENOTDIR, errno);
}

TEST_F(tree, read_of_a_directory_is_eisdir)
{
	int fd = open("/t/dirs", O_RDONLY);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EISDIR, errno);
}

TEST_F(tree, fifo_passes_bytes)
{
	int fd = open("/t/nodes/fifo", O_RDWR | O_NONBLOCK);
	char byte = 0;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ('x', byte);
}

TEST_F(tree, device_node_opens_its_device)
{
	int fd = open("/t/nodes/null", O_RDWR);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(5, write(fd, "hello", 5));
	EXPECT_EQ(0, read(fd, &byte, 1));
}

TEST_F(own, node_without_a_driver_is_enxio)
{
	EXPECT_EQ(-1, open("/t/nodes/chr", O_RDONLY));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, open("/t/nodes/socket", O_RDONLY));
	EXPECT_EQ(ENXIO, errno);
}

TEST_F(own, modes_are_enforced)
{
	if (fork() == 0) {
		ASSERT_EQ(0, setgid(7));
		ASSERT_EQ(0, setuid(7));
		EXPECT_EQ(-1, open("/t/attr/private", O_RDONLY));
		EXPECT_EQ(EACCES, errno);
		EXPECT_EQ(-1, open("/t/attr/closed/file", O_RDONLY));
		EXPECT_EQ(EACCES, errno);
		EXPECT_LE(0, open("/t/attr/public", O_RDONLY));
		_exit(0);
	}
	wait(NULL);
}

struct listing {
	unsigned int nr;
	long where[2000];
	char names[2000][32];
};

/* All names of a directory with the position before each. */
static int list(DIR *dir, struct listing *listing)
{
	struct dirent *de;

	listing->nr = 0;
	while (listing->where[listing->nr] = telldir(dir), de = readdir(dir)) {
		if (listing->nr == 1999)
			return -1;
		snprintf(listing->names[listing->nr++], 32, "%.31s", de->d_name);
	}
	return 0;
}

static struct listing first, second;

TEST_F(own, readdir_lists_each_entry_once)
{
	DIR *dir = opendir("/t/dirs/many");
	unsigned int twice = 0;

	ASSERT_NE(NULL, dir);
	ASSERT_EQ(0, list(dir, &first));
	EXPECT_EQ(502, first.nr);
	for (unsigned int a = 0; a < first.nr; a++)
		for (unsigned int b = 0; b < a; b++)
			twice += !strcmp(first.names[a], first.names[b]);
	EXPECT_EQ(0, twice);
}

TEST_F(own, seekdir_resumes_at_any_position)
{
	DIR *dir = opendir("/t/dirs/many");

	ASSERT_EQ(0, list(dir, &first));
	for (unsigned int n = first.nr - 1; n > 20; n -= 13) {
		struct dirent *de;

		seekdir(dir, first.where[n]);
		de = readdir(dir);
		ASSERT_NE(NULL, de);
		ASSERT_EQ(0, strcmp(first.names[n], de->d_name));
	}
}

TEST_F(own, rewinddir_starts_again)
{
	DIR *dir = opendir("/t/dirs/many");

	ASSERT_EQ(0, list(dir, &first));
	rewinddir(dir);
	ASSERT_EQ(0, list(dir, &second));
	EXPECT_EQ(0, memcmp(&first, &second, sizeof(first)));
}

TEST_F(own, getdents_with_a_small_buffer_lists_all)
{
	int fd = open("/t/dirs/many", O_RDONLY | O_DIRECTORY);
	unsigned int nr = 0;
	char buf[64];
	long len;

	ASSERT_LE(0, fd);
	while ((len = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len; at += *(unsigned short *)(buf + at + 16))
			nr++;
	}
	EXPECT_EQ(0, len);
	EXPECT_EQ(502, nr);
	EXPECT_EQ(0, syscall(SYS_getdents64, fd, buf, sizeof(buf)));
}

TEST_F(own, nothing_is_read_beyond_a_directory)
{
	int fd = open("/t/dirs/many", O_RDONLY | O_DIRECTORY);
	char buf[512];

	/* A position that no entry has may be refused, as may the seek. */
	for (long at = 1 << 20; at <= 1 << 28; at = at * 2 + 1) {
		if (lseek(fd, at, SEEK_SET) != at) {
			EXPECT_EQ(EINVAL, errno);
		} else if (syscall(SYS_getdents64, fd, buf, sizeof(buf)) != 0) {
			EXPECT_EQ(EINVAL, errno);
		}
	}
	EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
	EXPECT_LT(0, syscall(SYS_getdents64, fd, buf, sizeof(buf)));
}

TEST_F(own, empty_directory_is_empty)
{
	DIR *dir = opendir("/t/dirs/empty");

	ASSERT_NE(NULL, dir);
	ASSERT_EQ(0, list(dir, &first));
	EXPECT_EQ(2, first.nr);
}

TEST_F(own, statfs_tells_what_the_superblock_says)
{
	struct statfs st;

	ASSERT_EQ(0, statfs("/", &st));
	EXPECT_EQ(CRAMFS_MAGIC, st.f_type);
	EXPECT_EQ(PAGE, st.f_bsize);
	EXPECT_LT(0, st.f_blocks);
	EXPECT_EQ(0, st.f_bfree);
	EXPECT_EQ(self->root->files, st.f_files);
	EXPECT_EQ(0, st.f_ffree);
	EXPECT_EQ(252, st.f_namelen);
}

TEST_F(own, tree_survives_drop_caches)
{
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(0, forget_caches());
		EXPECT_EQ(0, compare_tree(self->root, "",
					  TREE_NAMES | TREE_MODES | TREE_OWNERS | TREE_SIZES |
					  TREE_LINKS, true));
	}
}

TEST_F(own, every_page_of_every_file_is_where_the_image_has_it)
{
	EXPECT_EQ(0, compare_tree(self->root, "", TREE_PLACES, true));
}

TEST_F(own, four_walkers_agree)
{
	pid_t pids[4];

	for (int n = 0; n < 4; n++) {
		pids[n] = fork();
		ASSERT_LE(0, pids[n]);
		if (!pids[n])
			_exit(!!compare_tree(self->root, "", TREE_NAMES | TREE_MODES | TREE_LINKS |
					     (n % 2 ? TREE_MAPPED : TREE_READ), true));
		if (n == 1)
			forget_caches();
	}
	for (int n = 0; n < 4; n++) {
		int status;

		ASSERT_EQ(pids[n], waitpid(pids[n], &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_F(own, entries_with_one_content_are_inodes_of_their_own)
{
	static const char *const names[] = {
		"private", "public", "setuid", "setgid", "sticky", "none",
	};
	struct stat st[ARRAY_SIZE(names)];
	char path[64];

	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		snprintf(path, sizeof(path), "/t/attr/%s", names[n]);
		ASSERT_EQ(0, stat(path, &st[n]));
		for (unsigned int other = 0; other < n; other++) {
			EXPECT_NE(st[n].st_ino, st[other].st_ino);
		}
	}
}

TEST_HARNESS_MAIN
