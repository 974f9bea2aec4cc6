// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting: hand-made images with everything that the format allows, from each
 * backing; images and options that must be refused, with the error and a line
 * in the kernel's log; what a mount claims and gives back.
 *
 * Which fixtures apply depends on where the root is: run-guest.sh selects.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tree.h"

#define LOG_SIZE	8192

/* The kernel's log from here on. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	lseek(fd, 0, SEEK_END);
	return fd;
}

static void log_read(int fd, char *text)
{
	size_t len = 0;
	ssize_t got;

	while (len < LOG_SIZE - 2048 && (got = read(fd, text + len, 2047)) > 0)
		len += got;
	text[len] = 0;
	close(fd);
}

/* How many lines there are with both words in them. */
static int log_count(const char *text, const char *one, const char *two)
{
	char line[2048];
	int count = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		count += strstr(line, one) && strstr(line, two);
		text += len + (text[len] == '\n');
	}
	return count;
}

/* The disk of corner cases, of which one partition at a time is made. */
static int set_partition(int op, unsigned long start, unsigned long len)
{
	struct blkpg_partition part = { .start = start, .length = len, .pno = 1 };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(part), .data = &part };
	int fd = open(guest.corners, O_RDONLY);
	int ret = ioctl(fd, BLKPG, &arg);

	close(fd);
	return ret;
}

struct source {
	char name[64];		/* as mount() wants it */
	char options[64];
	char backing[64];	/* as the log calls it */
};

static int block_source(const struct image *image, struct source *source)
{
	set_partition(BLKPG_DEL_PARTITION, 0, 0);
	if (set_partition(BLKPG_ADD_PARTITION, image->disk, (image->len + 511) & ~511UL))
		return -1;
	snprintf(source->name, sizeof(source->name), "%s1", guest.corners);
	snprintf(source->backing, sizeof(source->backing), "%s1: ", guest.corners + 5);
	return 0;
}

static int mtd_source(const struct image *image, struct source *source)
{
	snprintf(source->name, sizeof(source->name), "mtd:%s", image->name);
	snprintf(source->backing, sizeof(source->backing), "mtd%d: ", mtd_number(image->name));
	return mtd_number(image->name) < 0 ? -1 : 0;
}

static int physmem_source(const struct image *image, struct source *source)
{
	unsigned long at = guest.rom_start + image->flash;

	snprintf(source->name, sizeof(source->name), "none");
	snprintf(source->options, sizeof(source->options), "physaddr=%#lx,physsize=%#lx", at,
		 (image->len + PAGE - 1) & ~(PAGE - 1));
	snprintf(source->backing, sizeof(source->backing), "%#lx: ", at);
	return 0;
}

static int mount_source(const struct source *source)
{
	return mount(source->name, MNT, "cramfs", MS_RDONLY, source->options);
}

FIXTURE(corner) {
	struct source source;
	int log;
};

FIXTURE_VARIANT(corner) {
	int (*source)(const struct image *image, struct source *source);
	bool linear;
};

FIXTURE_VARIANT_ADD(corner, block) { .source = block_source, .linear = false };
FIXTURE_VARIANT_ADD(corner, mtd) { .source = mtd_source, .linear = true };
FIXTURE_VARIANT_ADD(corner, physmem) { .source = physmem_source, .linear = true };

FIXTURE_SETUP(corner)
{
	umount2(MNT, MNT_DETACH);
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(corner)
{
	umount2(MNT, MNT_DETACH);
	umount2(MNT "2", MNT_DETACH);
}

#define SOURCE(which) do {						\
	const struct image *__image = find_image(which);		\
									\
	ASSERT_NE(NULL, __image);					\
	ASSERT_EQ(0, variant->source(__image, &self->source));		\
} while (0)

#define MOUNT(which) do {						\
	SOURCE(which);							\
	ASSERT_EQ(0, mount_source(&self->source))			\
		TH_LOG("%s %s: %s", self->source.name, self->source.options, strerror(errno)); \
} while (0)

#define MOUNT_ANEW(which) do {						\
	ASSERT_EQ(0, umount(MNT));					\
	MOUNT(which);							\
} while (0)

/* An image that must mount, and be what the host described. */
#define EXPECT_GOOD(which) do {						\
	const char *__which = (which);					\
									\
	MOUNT(__which);							\
	EXPECT_EQ(0, compare_tree(find_image(__which), MNT, TREE_ALL & ~TREE_TIMES, \
				  variant->linear));			\
	EXPECT_EQ(0, umount(MNT));					\
} while (0)

TEST_F(corner, block_pointers_of_all_kinds_in_one_file)
{
	EXPECT_GOOD("mixed");
}

TEST_F(corner, direct_stored_last_block_of_a_whole_page)
{
	EXPECT_GOOD("full");
}

TEST_F(corner, holes_anywhere)
{
	EXPECT_GOOD("holes");
}

TEST_F(corner, entries_that_share_data_keep_their_attributes)
{
	EXPECT_GOOD("alias");
}

/* A directory of the image "attributes": the entries share their data. */
struct aliases {
	unsigned int nr;
	unsigned int wrong;	/* have not the attributes that they should have */
	unsigned int pairs;	/* of entries with the same inode number */
	struct stat st[300];
};

/* All of them are open at the same time. */
static int stat_aliases(const char *dir, struct aliases *aliases)
{
	const struct image *image = find_image("attributes");
	const struct entry *entries[300];
	char path[64];
	int fds[300];

	aliases->nr = 0;
	for (unsigned int n = 0; n < image->nr; n++) {
		const struct entry *entry = &image->entries[n];

		if (strncmp(entry->path, dir, strlen(dir)) || entry->type != 'f')
			continue;
		snprintf(path, sizeof(path), MNT "%s", entry->path);
		fds[aliases->nr] = open(path, O_RDONLY);
		if (aliases->nr == 300 || fds[aliases->nr] < 0)
			return -1;
		entries[aliases->nr++] = entry;
	}
	for (unsigned int n = 0; n < aliases->nr; n++) {
		struct stat *st = &aliases->st[n];

		if (fstat(fds[n], st))
			return -1;
		aliases->wrong += st->st_mode != (S_IFREG | entries[n]->mode) ||
				  st->st_uid != entries[n]->uid || st->st_gid != entries[n]->gid;
		for (unsigned int other = 0; other < n; other++)
			aliases->pairs += st->st_ino == aliases->st[other].st_ino;
	}
	for (unsigned int n = 0; n < aliases->nr; n++)
		close(fds[n]);
	return 0;
}

/* Without equal inode numbers there would be nothing to hold. */
#define EXPECT_OWN_ATTRIBUTES(dir, count) do {				\
	struct aliases __aliases = {};					\
									\
	MOUNT("attributes");						\
	ASSERT_EQ(0, stat_aliases(dir, &__aliases));			\
	EXPECT_EQ(count, __aliases.nr);					\
	EXPECT_EQ(0, __aliases.wrong);					\
	EXPECT_LT(0, __aliases.pairs);					\
} while (0)

TEST_F(corner, entries_that_differ_in_uid_only_are_told_apart)
{
	EXPECT_OWN_ATTRIBUTES("/uid/", 257);
}

TEST_F(corner, entries_that_differ_in_gid_only_are_told_apart)
{
	EXPECT_OWN_ATTRIBUTES("/gid/", 256);
}

TEST_F(corner, entries_that_differ_in_mode_only_are_told_apart)
{
	EXPECT_OWN_ATTRIBUTES("/mode/", 257);
}

TEST_F(corner, unsorted_directory)
{
	EXPECT_GOOD("unsorted");
}

TEST_F(corner, types_without_data)
{
	EXPECT_GOOD("special");
}

TEST_F(corner, fsid_version_1)
{
	EXPECT_GOOD("v1");
}

TEST_F(corner, superblock_at_512)
{
	EXPECT_GOOD("at512");
}

TEST_F(corner, shifted_root_offset)
{
	EXPECT_GOOD("shifted");
}

TEST_F(corner, empty_image)
{
	EXPECT_GOOD("empty");
}

TEST_F(corner, pages_in_any_order_and_shared)
{
	EXPECT_GOOD("scatter");
}

TEST_F(corner, page_with_other_data_after_the_tail)
{
	EXPECT_GOOD("poison");
}

TEST_F(corner, signature_that_means_nothing)
{
	EXPECT_GOOD("sig");
}

TEST_F(corner, image_that_ends_inside_a_page)
{
	EXPECT_GOOD("odd");
}

/* An image that must be refused, with a line that says why and where. */
#define EXPECT_BAD(which, reason) do {					\
	const char *__why = (reason);					\
	char __text[LOG_SIZE];						\
									\
	SOURCE(which);							\
	EXPECT_EQ(-1, mount_source(&self->source));			\
	EXPECT_EQ(EINVAL, errno);					\
	log_read(self->log, __text);					\
	EXPECT_EQ(1, log_count(__text, self->source.backing, __why))	\
		TH_LOG("no '%s%s' in: %s", self->source.backing, __why, __text); \
} while (0)

TEST_F(corner, wrong_magic_is_refused)
{
	EXPECT_BAD("magic", "wrong magic");
}

TEST_F(corner, wrong_endianness_is_refused_by_name)
{
	EXPECT_BAD("endian", "wrong endianness");
}

TEST_F(corner, wrong_endianness_at_512_is_refused_by_name)
{
	EXPECT_BAD("endian512", "wrong endianness");
}

TEST_F(corner, unknown_feature_flag_is_refused)
{
	EXPECT_BAD("flags", "feature flags");
}

TEST_F(corner, truncated_image_is_refused)
{
	EXPECT_BAD("cut", "does not fit");
}

TEST_F(corner, size_beyond_the_device_is_refused)
{
	EXPECT_BAD("beyond", "does not fit");
}

TEST_F(corner, size_below_a_superblock_is_refused)
{
	EXPECT_BAD("short", "too small");
}

TEST_F(corner, root_that_is_a_file_is_refused)
{
	EXPECT_BAD("rootfile", "not a directory");
}

TEST_F(corner, root_offset_inside_the_superblock_is_refused)
{
	EXPECT_BAD("rootoff", "root offset");
}

TEST_F(corner, refused_image_can_be_followed_by_a_good_one)
{
	SOURCE("magic");
	ASSERT_EQ(-1, mount_source(&self->source));
	MOUNT("mixed");
	ASSERT_EQ(0, umount(MNT));
	SOURCE("magic");
	ASSERT_EQ(-1, mount_source(&self->source));
}

TEST_F(corner, unmount_and_mount_again)
{
	for (int n = 0; n < 10; n++) {
		MOUNT(n % 2 ? "scatter" : "mixed");
		EXPECT_EQ(0, compare_tree(find_image(n % 2 ? "scatter" : "mixed"), MNT,
					  TREE_ALL & ~TREE_TIMES, variant->linear));
		ASSERT_EQ(0, umount(MNT));
	}
}

TEST_F(corner, unknown_option_is_refused)
{
	SOURCE("mixed");
	strcat(self->source.options, ",nosuchoption");
	EXPECT_EQ(-1, mount_source(&self->source));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(corner, open_file_keeps_the_mount_busy)
{
	int fd;

	MOUNT("mixed");
	fd = open(MNT "/all", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, umount(MNT));
	EXPECT_EQ(EBUSY, errno);
	close(fd);
	EXPECT_EQ(0, umount(MNT));
}

TEST_F(corner, mapping_keeps_the_mount_busy)
{
	unsigned char *p;
	int fd;

	MOUNT("scatter");
	fd = open(MNT "/back", O_RDONLY);
	p = mmap(NULL, 7 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	EXPECT_EQ(-1, umount(MNT));
	EXPECT_EQ(EBUSY, errno);
	munmap(p, 7 * PAGE);
	EXPECT_EQ(0, umount(MNT));
}

TEST_F(corner, mapping_outlives_a_lazy_unmount)
{
	const struct entry *entry = find_entry(find_image("scatter"), "/back");
	unsigned char *p;
	int fd;

	MOUNT("scatter");
	fd = open(MNT "/back", O_RDONLY);
	p = mmap(NULL, 7 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	ASSERT_EQ(0, umount2(MNT, MNT_DETACH));
	EXPECT_EQ(entry->crc, crc32(0, p, entry->size));
	munmap(p, 7 * PAGE);
}

TEST_F(corner, mount_is_read_only_even_when_asked_otherwise)
{
	SOURCE("mixed");
	if (mount(self->source.name, MNT, "cramfs", 0, self->source.options)) {
		EXPECT_TRUE(errno == EACCES || errno == EROFS);
	} else {
		EXPECT_EQ(-1, mkdir(MNT "/new", 0755));
		EXPECT_EQ(EROFS, errno);
	}
}

/* The image "hostile" is sound but for three files and a directory. */
static ssize_t read_block(const char *path, unsigned long index)
{
	unsigned char buf[PAGE];
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = pread(fd, buf, PAGE, index * PAGE);
	close(fd);
	return got;
}

TEST_F(corner, block_pointer_beyond_the_image_is_an_error)
{
	char text[LOG_SIZE];

	MOUNT("hostile");
	EXPECT_EQ(-1, read_block(MNT "/ptr", 1));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
	log_read(self->log, text);
	EXPECT_LE(1, log_count(text, self->source.backing, "inode"));
	EXPECT_EQ(PAGE, read_block(MNT "/ptr", 0));
	EXPECT_EQ(PAGE, read_block(MNT "/ptr", 2));
}

TEST_F(corner, bytes_between_the_image_and_the_end_of_the_device_stay_hidden)
{
	MOUNT("hostile");
	EXPECT_EQ(-1, read_block(MNT "/outside", 0));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
	EXPECT_EQ(-1, read_block(MNT "/outside", 1));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
	EXPECT_EQ(PAGE, read_block(MNT "/outside", 2));
}

TEST_F(corner, mapping_of_bytes_outside_the_image_is_sigbus)
{
	for (unsigned int n = 0; n < 2; n++) {
		volatile unsigned char *p;
		int fd, status;
		pid_t pid;

		MOUNT("hostile");
		fd = open(MNT "/outside", O_RDONLY);
		p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
		ASSERT_NE(MAP_FAILED, p);
		pid = fork();
		if (!pid) {
			p[n * PAGE];
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGBUS, WTERMSIG(status));
		close(fd);
		munmap((void *)p, 3 * PAGE);
		ASSERT_EQ(0, umount(MNT));
	}
}

TEST_F(corner, mapping_of_a_block_beyond_the_image_is_sigbus)
{
	int fd, status;
	volatile unsigned char *p;
	pid_t pid;

	MOUNT("hostile");
	fd = open(MNT "/ptr", O_RDONLY);
	p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	pid = fork();
	if (!pid) {
		p[0];
		p[2 * PAGE];
		p[PAGE];
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	close(fd);
	munmap((void *)p, 3 * PAGE);
}

TEST_F(corner, damaged_stream_is_an_error)
{
	MOUNT("hostile");
	EXPECT_EQ(-1, read_block(MNT "/stream", 0));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
	EXPECT_EQ(PAGE, read_block(MNT "/stream", 1));
}

TEST_F(corner, pointer_table_beyond_the_image_is_an_error)
{
	MOUNT("hostile");
	EXPECT_EQ(-1, read_block(MNT "/table", 0));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
}

/*
 * The images "torn-N" have a directory that ends N bytes into its second entry.
 */
#define EXPECT_TORN(which) do {						\
	struct dirent *__de;						\
	struct stat __st;						\
	DIR *__dir;							\
									\
	MOUNT(which);							\
	__dir = opendir(MNT "/dir");					\
	ASSERT_NE(NULL, __dir);						\
	for (int __n = 0; __n < 3; __n++) {				\
		__de = readdir(__dir);					\
		ASSERT_NE(NULL, __de);					\
	}								\
	EXPECT_STREQ("inside", __de->d_name);				\
	errno = 0;							\
	EXPECT_EQ(NULL, readdir(__dir));				\
	EXPECT_EQ(EUCLEAN, errno);					\
	closedir(__dir);						\
	EXPECT_EQ(0, stat(MNT "/dir/inside", &__st));			\
	EXPECT_EQ(-1, stat(MNT "/dir/secret", &__st));			\
	EXPECT_EQ(EUCLEAN, errno);					\
	EXPECT_EQ(0, umount(MNT));					\
} while (0)

TEST_F(corner, directory_entry_with_the_end_of_the_directory_in_it_stays_hidden)
{
	EXPECT_TORN("torn-6");
	EXPECT_TORN("torn-12");
	EXPECT_TORN("torn-14");
}

TEST_F(corner, directory_that_the_image_has_only_a_part_of_stays_hidden)
{
	struct stat st;

	MOUNT("cut-dir");
	EXPECT_EQ(NULL, opendir(MNT "/dir"));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(-1, stat(MNT "/dir/inside", &st));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(0, stat(MNT "/file", &st));
}

TEST_F(corner, directory_behind_the_image_stays_hidden)
{
	struct stat st;

	MOUNT("behind");
	EXPECT_EQ(NULL, opendir(MNT "/dir"));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(-1, stat(MNT "/dir/secret", &st));
	EXPECT_EQ(EUCLEAN, errno);
}

TEST_F(corner, pointer_table_behind_the_image_is_not_followed)
{
	char target[16];

	MOUNT("behind");
	EXPECT_EQ(-1, open(MNT "/file", O_RDONLY));
	EXPECT_EQ(EUCLEAN, errno);
	/* The first pointer of two is in the image. */
	EXPECT_EQ(-1, open(MNT "/table", O_RDONLY));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(-1, readlink(MNT "/link", target, sizeof(target)));
	EXPECT_EQ(EUCLEAN, errno);
}

TEST_F(corner, link_target_behind_the_image_stays_hidden)
{
	char target[16];

	MOUNT("behind");
	EXPECT_EQ(-1, readlink(MNT "/target", target, sizeof(target)));
	EXPECT_TRUE(errno == EUCLEAN || errno == EIO);
}

/* The kernel drops messages of a kind when 10 have come in 5 seconds. */
#define MESSAGES_FLOW_AGAIN	6

/* Lines that an access gives, which has to fail. */
#define EXPECT_LINES(access, reason, low, high) do {			\
	char __text[LOG_SIZE];						\
	int __log = log_open(), __count;				\
									\
	EXPECT_TRUE(access);						\
	log_read(__log, __text);					\
	__count = log_count(__text, self->source.backing, reason);	\
	EXPECT_LE(low, __count) TH_LOG("%s: %s", #access, __text);	\
	EXPECT_GE(high, __count) TH_LOG("%s: %s", #access, __text);	\
} while (0)

static bool listing_fails(const char *path)
{
	DIR *dir = opendir(path);
	bool failed;

	errno = 0;
	while (dir && readdir(dir))
		;
	failed = errno;
	closedir(dir);
	return failed;
}

TEST_F(corner, what_is_behind_the_image_is_logged_once_an_access)
{
	char target[16];
	struct stat st;

	sleep(MESSAGES_FLOW_AGAIN);
	MOUNT("torn-6");
	/* The call that lists what is inside of the image meets its end as well. */
	EXPECT_LINES(listing_fails(MNT "/dir"), "directory entry is cut off", 1, 2);
	EXPECT_LINES(stat(MNT "/dir/secret", &st), "directory entry is cut off", 1, 1);
	ASSERT_EQ(0, umount(MNT));
	MOUNT("behind");
	EXPECT_LINES(stat(MNT "/dir", &st), "data outside", 1, 1);
	EXPECT_LINES(stat(MNT "/file", &st), "data outside", 1, 1);
	EXPECT_LINES(readlink(MNT "/target", target, sizeof(target)) < 0, "block outside", 1, 1);
	EXPECT_LINES(stat(MNT "/table", &st), "data outside", 1, 1);
}

/* Not by VFS, which would move a directory to where it is found again. */
TEST_F(corner, directory_has_one_place)
{
	char text[LOG_SIZE];
	struct stat st;

	MOUNT("hostile");
	EXPECT_EQ(0, stat(MNT "/up", &st));
	EXPECT_EQ(-1, stat(MNT "/up/x", &st));
	EXPECT_EQ(EUCLEAN, errno);
	MOUNT_ANEW("twice");
	EXPECT_EQ(0, stat(MNT "/a/file", &st));
	EXPECT_EQ(-1, stat(MNT "/b", &st));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(0, stat(MNT "/a/file", &st));
	log_read(self->log, text);
	EXPECT_EQ(2, log_count(text, "cramfs: ", "second place")) TH_LOG("%s", text);
	EXPECT_EQ(0, log_count(text, "VFS", "")) TH_LOG("%s", text);
}

TEST_F(corner, entries_named_like_no_file_are_errors)
{
	static const char *const dirs[] = { "dot", "dots", "empty", "nul", "slash" };
	struct stat st;

	MOUNT("names");
	for (unsigned int n = 0; n < ARRAY_SIZE(dirs); n++) {
		char path[64];

		snprintf(path, sizeof(path), MNT "/%s", dirs[n]);
		EXPECT_TRUE(listing_fails(path)) TH_LOG("%s", path);
		strcat(path, "/x");
		EXPECT_EQ(-1, stat(path, &st)) TH_LOG("%s", path);
	}
	/* The bytes up to the first NUL are its name, as builders pad it. */
	EXPECT_EQ(EUCLEAN, (stat(MNT "/nul/x", &st), errno));
	EXPECT_EQ(0, stat(MNT "/good/x", &st));
}

static bool mount_line_has(const char *dir, const char *option)
{
	char text[4096], want[64], *line;

	snprintf(want, sizeof(want), " %s cramfs", dir);
	if (read_text("/proc/mounts", text, sizeof(text)) < 0)
		return false;
	line = strstr(text, want);
	if (!line)
		return false;
	line[strcspn(line, "\n")] = 0;
	return strstr(line, option);
}

#define VERIFY(which) ({						\
	SOURCE(which);							\
	strcat(self->source.options, self->source.options[0] ? ",verify" : "verify"); \
	mount_source(&self->source) ? errno : 0;			\
})

TEST_F(corner, verify_finds_nothing_in_what_was_built)
{
	static const char *const images[] = { "mixed", "at512", "odd", "empty", "shifted" };

	for (unsigned int n = 0; n < ARRAY_SIZE(images); n++) {
		self->source = (struct source){};
		ASSERT_EQ(0, VERIFY(images[n])) TH_LOG("%s", images[n]);
		EXPECT_TRUE(mount_line_has(MNT, ",verify"));
		EXPECT_EQ(0, compare_tree(find_image(images[n]), MNT, TREE_READ,
					  variant->linear));
		ASSERT_EQ(0, umount(MNT));
	}
}

TEST_F(corner, verify_finds_one_byte_that_changed)
{
	char text[LOG_SIZE];

	EXPECT_GOOD("decayed");
	EXPECT_EQ(EUCLEAN, VERIFY("decayed"));
	log_read(self->log, text);
	EXPECT_EQ(1, log_count(text, self->source.backing, "checksum")) TH_LOG("%s", text);
	self->source = (struct source){};
	EXPECT_EQ(EUCLEAN, VERIFY("decayed512"));
	/* Nothing of it is left. */
	self->source = (struct source){};
	EXPECT_GOOD("decayed");
}

TEST_F(corner, verify_needs_a_checksum)
{
	EXPECT_EQ(EINVAL, VERIFY("v1"));
}

TEST_F(corner, verify_is_not_satisfied_by_a_mount_that_was_not_verified)
{
	const char *second = MNT "2";

	if (variant->source == physmem_source)
		SKIP(return, "a range is mounted once");
	MOUNT("decayed");
	EXPECT_FALSE(mount_line_has(MNT, ",verify"));
	EXPECT_EQ(-1, mount(self->source.name, second, "cramfs", MS_RDONLY, "verify"));
	EXPECT_EQ(EUCLEAN, errno);
	EXPECT_EQ(0, compare_tree(find_image("decayed"), MNT, TREE_READ, variant->linear));
	EXPECT_EQ(0, umount(MNT));

	MOUNT("mixed");
	ASSERT_EQ(0, mount(self->source.name, second, "cramfs", MS_RDONLY, "verify"));
	EXPECT_TRUE(mount_line_has(second, ",verify"));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, compare_tree(find_image("mixed"), second, TREE_READ, variant->linear));
	EXPECT_EQ(0, umount(second));
}

TEST_F(corner, verify_cannot_be_had_by_a_remount)
{
	MOUNT("decayed");
	EXPECT_EQ(-1, mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, "verify"));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, umount(MNT));
	self->source = (struct source){};
	ASSERT_EQ(0, VERIFY("mixed"));
	EXPECT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, "verify"));
}

/* A guest whose command line has rootflags=verify. */
FIXTURE(verified) {
	int unused;
};

FIXTURE_SETUP(verified)
{
}

FIXTURE_TEARDOWN(verified)
{
}

TEST_F(verified, root_says_so)
{
	EXPECT_TRUE(mount_line_has("/", ",verify"));
}

FIXTURE(block) {
	struct source source;
	int log;
};

FIXTURE_SETUP(block)
{
	umount2(MNT, MNT_DETACH);
	self->log = log_open();
}

FIXTURE_TEARDOWN(block)
{
	umount2(MNT, MNT_DETACH);
	umount2(MNT "2", MNT_DETACH);
}

TEST_F(block, device_smaller_than_a_superblock_is_refused)
{
	char text[LOG_SIZE];

	ASSERT_EQ(0, block_source(find_image("tiny"), &self->source));
	EXPECT_EQ(-1, mount_source(&self->source));
	EXPECT_EQ(EINVAL, errno);
	log_read(self->log, text);
	EXPECT_EQ(1, log_count(text, self->source.backing, ""));
}

TEST_F(block, missing_device_is_refused)
{
	EXPECT_EQ(-1, mount("/dev/nosuch", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(block, character_device_is_refused)
{
	EXPECT_EQ(-1, mount("/dev/null", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(ENOTBLK, errno);
}

TEST_F(block, second_mount_of_a_device_is_the_same_filesystem)
{
	struct stat one, two;

	ASSERT_EQ(0, block_source(find_image("mixed"), &self->source));
	ASSERT_EQ(0, mount_source(&self->source));
	ASSERT_EQ(0, mount(self->source.name, MNT "2", "cramfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, stat(MNT "/all", &one));
	ASSERT_EQ(0, stat(MNT "2/all", &two));
	EXPECT_EQ(one.st_dev, two.st_dev);
	EXPECT_EQ(one.st_ino, two.st_ino);
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, compare_tree(find_image("mixed"), MNT "2", TREE_READ, false));
	EXPECT_EQ(0, umount(MNT "2"));
}

FIXTURE(mtd) {
	struct source source;
	int log;
};

FIXTURE_SETUP(mtd)
{
	umount2(MNT, MNT_DETACH);
	self->log = log_open();
}

FIXTURE_TEARDOWN(mtd)
{
	umount2(MNT, MNT_DETACH);
	umount2(MNT "2", MNT_DETACH);
}

TEST_F(mtd, device_by_number)
{
	snprintf(self->source.name, sizeof(self->source.name), "mtd%d", mtd_number("mixed"));
	ASSERT_EQ(0, mount_source(&self->source));
	EXPECT_EQ(0, compare_tree(find_image("mixed"), MNT, TREE_READ | TREE_PLACES, true));
}

TEST_F(mtd, device_by_its_block_device)
{
	snprintf(self->source.name, sizeof(self->source.name), "/dev/mtdblock%d",
		 mtd_number("mixed"));
	ASSERT_EQ(0, mount_source(&self->source));
	EXPECT_EQ(0, compare_tree(find_image("mixed"), MNT, TREE_READ | TREE_PLACES, true));
}

TEST_F(mtd, missing_device_is_refused)
{
	EXPECT_EQ(-1, mount("mtd:nosuch", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_NE(0, errno);
	EXPECT_EQ(-1, mount("mtd4711", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_NE(0, errno);
}

TEST_F(mtd, second_mount_of_a_device_is_the_same_filesystem)
{
	struct stat one, two;

	ASSERT_EQ(0, mount("mtd:mixed", MNT, "cramfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, mount("mtd:mixed", MNT "2", "cramfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, stat(MNT "/all", &one));
	ASSERT_EQ(0, stat(MNT "2/all", &two));
	EXPECT_EQ(one.st_dev, two.st_dev);
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, compare_tree(find_image("mixed"), MNT "2", TREE_READ | TREE_PLACES, true));
	EXPECT_EQ(0, umount(MNT "2"));
}

TEST_F(mtd, device_without_physical_address_mounts_without_xip)
{
	/* phram shows the image "scatter" once more. */
	ASSERT_EQ(0, mount("mtd:phram", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(0, compare_tree(find_image("scatter"), MNT, TREE_ALL, false));
}

TEST_F(mtd, device_without_physical_address_says_so_once)
{
	char text[LOG_SIZE];

	ASSERT_EQ(0, mount("mtd:phram", MNT, "cramfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, compare_tree(find_image("scatter"), MNT, TREE_ALL, false));
	log_read(self->log, text);
	EXPECT_EQ(1, log_count(text, "phram", "physical address")) TH_LOG("%s", text);
}

/* Where the root is, so that there are two ways to the same bytes. */
static unsigned long root_at(void)
{
	return guest.rom_start;
}

static void drop_rawio(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &head, data);
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	data[0].permitted &= ~(1U << CAP_SYS_RAWIO);
	syscall(SYS_capset, &head, data);
}

static int mount_phys(unsigned long long addr, unsigned long long size)
{
	char options[96];

	snprintf(options, sizeof(options), size == 1 ? "physaddr=%#llx" :
		 "physaddr=%#llx,physsize=%#llx", addr, size);
	return mount("none", MNT, "cramfs", MS_RDONLY, options);
}

#define WHOLE	1ULL	/* no physsize= */

/* There is nothing on the bus of QEMU's virt machine there, behind its flash. */
#define UNANSWERED	0x0d000000ULL

/* A refused address: error, and one line with both words. */
#define REFUSED(addr, size, error, reason) do {				\
	const char *__why = (reason);					\
	char __text[LOG_SIZE];						\
	int __log = log_open();						\
									\
	EXPECT_EQ(-1, mount_phys(addr, size));				\
	EXPECT_EQ(error, errno);					\
	log_read(__log, __text);					\
	EXPECT_EQ(1, log_count(__text, "cramfs: ", __why))		\
		TH_LOG("no '%s' in: %s", __why, __text);		\
} while (0)

FIXTURE(physaddr) {
	unsigned long good;	/* address of an image */
	unsigned long len;	/* of the room that it takes */
};

FIXTURE_SETUP(physaddr)
{
	const struct image *image = find_image("scatter");

	umount2(MNT, MNT_DETACH);
	ASSERT_NE(NULL, image);
	self->good = guest.rom_start + image->flash;
	self->len = (image->len + PAGE - 1) & ~(PAGE - 1);
}

FIXTURE_TEARDOWN(physaddr)
{
	umount2(MNT, MNT_DETACH);
	umount2(MNT "2", MNT_DETACH);
}

TEST_F(physaddr, unaligned_address_is_refused)
{
	REFUSED(self->good + 512, WHOLE, EINVAL, "page-aligned");
	REFUSED(self->good + 1, self->len, EINVAL, "page-aligned");
}

TEST_F(physaddr, size_of_zero_is_refused)
{
	REFUSED(self->good, 0, EINVAL, "empty");
}

TEST_F(physaddr, range_that_wraps_is_refused)
{
	REFUSED(0xfffff000ULL, 0x2000, EINVAL, "wraps");
	REFUSED(0xfffffffffffff000ULL, 0x2000, EINVAL, "wraps");
}

TEST_F(physaddr, range_beyond_the_address_space_is_refused)
{
	REFUSED(0x100000000ULL, 0x1000, EINVAL, "wraps");
	REFUSED(self->good, 0x100000000ULL, EINVAL, "");
}

/* First and last byte of what the kernel calls NAME. */
static int iomem_range(const char *name, unsigned long *first, unsigned long *last)
{
	char text[8192], wanted[32], *at, *start;

	if (read_text("/proc/iomem", text, sizeof(text)) < 0)
		return -1;
	snprintf(wanted, sizeof(wanted), " : %s\n", name);
	at = strstr(text, wanted);
	if (!at)
		return -1;
	*at = 0;
	start = strrchr(text, '\n');
	return sscanf(start ? start : text, " %lx-%lx", first, last) == 2 ? 0 : -1;
}

TEST_F(physaddr, system_ram_is_refused)
{
	unsigned long first, last;

	ASSERT_EQ(0, iomem_range("System RAM", &first, &last));
	REFUSED(first, WHOLE, EINVAL, "memory of the system");
	REFUSED(first, 0x1000, EINVAL, "memory of the system");
	REFUSED(first + 0x8000, 0x1000, EINVAL, "memory of the system");
	REFUSED(last + 1 - 0x1000, 0x1000, EINVAL, "memory of the system");
}

/* In the resources below System RAM. */
TEST_F(physaddr, kernel_is_refused)
{
	static const char *const names[] = { "Kernel code", "Kernel data" };
	unsigned long first, last;

	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		ASSERT_EQ(0, iomem_range(names[n], &first, &last));
		first &= ~(PAGE - 1);
		REFUSED(first, WHOLE, EINVAL, "memory of the system");
		REFUSED(first + PAGE, PAGE, EINVAL, "memory of the system");
	}
}

/* What the kernel has no addresses for; a guest with more memory than it can map. */
TEST_F(physaddr, high_memory_is_refused)
{
	unsigned long first, last, high = 0;
	char text[8192], *at;

	ASSERT_LT(0, read_text("/proc/meminfo", text, sizeof(text)));
	at = strstr(text, "HighTotal:");
	if (at)
		sscanf(at, "HighTotal: %lu", &high);
	if (!high && !cmdline_get("vmalloc", text, sizeof(text)))
		SKIP(return, "no high memory");
	ASSERT_NE(0, high);
	ASSERT_EQ(0, iomem_range("System RAM", &first, &last));
	REFUSED(last + 1 - high * 1024, WHOLE, EINVAL, "memory of the system");
	REFUSED(last + 1 - PAGE, PAGE, EINVAL, "memory of the system");
}

TEST_F(physaddr, range_that_reaches_into_system_ram_is_refused)
{
	unsigned long first, last;

	ASSERT_EQ(0, iomem_range("System RAM", &first, &last));
	REFUSED(first - 0x1000, 0x2000, EINVAL, "memory of the system");
	REFUSED(last + 1 - 0x1000, 0x2000, EINVAL, "memory of the system");
	REFUSED(self->good, last - self->good, EINVAL, "memory of the system");
}

TEST_F(physaddr, image_that_reaches_into_system_ram_is_refused)
{
	/* The range is not known before its superblock is read: "beyond" says 2 GiB. */
	const struct image *image = find_image("beyond");

	REFUSED(guest.rom_start + image->flash, WHOLE, EINVAL, "memory of the system");
}

TEST_F(physaddr, range_of_another_mount_is_refused)
{
	REFUSED(root_at(), WHOLE, EBUSY, "in use");
	REFUSED(root_at() + PAGE, 0x1000, EBUSY, "in use");
	ASSERT_EQ(0, mount_phys(self->good, self->len));
	REFUSED(self->good, self->len, EBUSY, "in use");
	REFUSED(self->good + PAGE, 0x1000, EBUSY, "in use");
}

TEST_F(physaddr, registers_of_a_driver_are_refused)
{
	/* The UART of this console. */
	REFUSED(0x09000000, 0x1000, EBUSY, "in use");
}

TEST_F(physaddr, address_where_nothing_answers_is_refused)
{
	REFUSED(UNANSWERED, WHOLE, ENXIO, "nothing answers");
	REFUSED(UNANSWERED, 0x10000, ENXIO, "nothing answers");
}

TEST_F(physaddr, caller_without_cap_sys_rawio_is_refused)
{
	drop_rawio();
	REFUSED(self->good, self->len, EPERM, "CAP_SYS_RAWIO");
	EXPECT_EQ(-1, mount("rom:nosuch", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, mount("none", MNT, "cramfs_physmem", MS_RDONLY, "physaddr=0x8000000"));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(physaddr, caller_in_a_user_namespace_is_refused)
{
	ASSERT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWNS));
	EXPECT_EQ(-1, mount_phys(self->good, self->len));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(physaddr, missing_region_by_name_is_refused)
{
	EXPECT_EQ(-1, mount("rom:nosuch", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(physaddr, image_larger_than_physsize_is_refused)
{
	REFUSED(self->good, self->len - PAGE, EINVAL, "does not fit");
	REFUSED(self->good, PAGE, EINVAL, "does not fit");
}

TEST_F(physaddr, options_that_make_no_sense_are_refused)
{
	static const char *const options[] = {
		"physaddr", "physaddr=", "physaddr=here", "physaddr=0x", "physsize=0x1000",
		"physaddr=-4096", "physaddr=0x4000000x",
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(options); n++) {
		EXPECT_EQ(-1, mount("none", MNT, "cramfs", MS_RDONLY, options[n]))
			TH_LOG("%s", options[n]);
		EXPECT_EQ(EINVAL, errno) TH_LOG("%s", options[n]);
	}
	EXPECT_EQ(-1, mount("none", MNT, "cramfs_physmem", MS_RDONLY, NULL));
	EXPECT_EQ(EINVAL, errno);
}

static bool iomem_has(unsigned long start, unsigned long len)
{
	char text[8192], want[64];

	snprintf(want, sizeof(want), "%08lx-%08lx : cramfs", start, start + len - 1);
	return read_text("/proc/iomem", text, sizeof(text)) > 0 && strstr(text, want);
}

TEST_F(physaddr, root_is_claimed_in_iomem)
{
	unsigned long len = (find_image("root")->len + PAGE - 1) & ~(PAGE - 1);

	EXPECT_TRUE(iomem_has(root_at(), len));
}

TEST_F(physaddr, mount_claims_and_unmount_releases)
{
	EXPECT_FALSE(iomem_has(self->good, self->len));
	ASSERT_EQ(0, mount_phys(self->good, self->len));
	EXPECT_TRUE(iomem_has(self->good, self->len));
	ASSERT_EQ(0, umount(MNT));
	EXPECT_FALSE(iomem_has(self->good, self->len));
}

TEST_F(physaddr, refused_mount_releases_its_claim)
{
	const struct image *bad = find_image("magic");
	char before[8192], after[8192];

	ASSERT_LT(0, read_text("/proc/iomem", before, sizeof(before)));
	REFUSED(guest.rom_start + bad->flash, WHOLE, EINVAL, "wrong magic");
	REFUSED(self->good, PAGE, EINVAL, "does not fit");
	ASSERT_LT(0, read_text("/proc/iomem", after, sizeof(after)));
	EXPECT_STREQ(before, after);
}

TEST_F(physaddr, lazily_unmounted_range_stays_claimed_while_mapped)
{
	unsigned char *p;
	int fd;

	ASSERT_EQ(0, mount_phys(self->good, self->len));
	fd = open(MNT "/back", O_RDONLY);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	ASSERT_EQ(0, umount2(MNT, MNT_DETACH));
	EXPECT_TRUE(iomem_has(self->good, self->len));
	REFUSED(self->good, self->len, EBUSY, "in use");
	munmap(p, PAGE);
	EXPECT_FALSE(iomem_has(self->good, self->len));
}

TEST_F(physaddr, size_is_not_needed)
{
	ASSERT_EQ(0, mount_phys(self->good, WHOLE));
	EXPECT_EQ(0, compare_tree(find_image("scatter"), MNT, TREE_ALL, true));
	EXPECT_TRUE(iomem_has(self->good, self->len));
}

TEST_F(physaddr, type_for_root_mounts_too)
{
	char options[64];

	snprintf(options, sizeof(options), "physaddr=%lu", self->good);
	ASSERT_EQ(0, mount("none", MNT, "cramfs_physmem", MS_RDONLY, options));
	EXPECT_EQ(0, compare_tree(find_image("scatter"), MNT, TREE_ALL, true));
}

TEST_F(physaddr, proc_mounts_shows_the_options)
{
	char text[4096], want[96];

	ASSERT_EQ(0, mount_phys(self->good, self->len));
	ASSERT_LT(0, read_text("/proc/mounts", text, sizeof(text)));
	snprintf(want, sizeof(want), "physaddr=%#lx,physsize=%#lx", self->good, self->len);
	EXPECT_NE(NULL, strstr(text, want)) TH_LOG("no %s in %s", want, text);
	snprintf(want, sizeof(want), " / cramfs_physmem ro,relatime,physaddr=%#lx ", root_at());
	EXPECT_NE(NULL, strstr(text, want)) TH_LOG("no %s in %s", want, text);
}

TEST_F(physaddr, remount_to_another_address_is_refused)
{
	char options[64];

	ASSERT_EQ(0, mount_phys(self->good, self->len));
	snprintf(options, sizeof(options), "physaddr=%#lx", self->good + PAGE);
	EXPECT_EQ(-1, mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, options));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(physaddr, failed_claims_do_not_pile_up)
{
	const struct image *bad = find_image("magic");

	for (int n = 0; n < 50; n++) {
		ASSERT_EQ(-1, mount_phys(guest.rom_start + bad->flash, WHOLE));
	}
	ASSERT_EQ(0, mount_phys(self->good, self->len));
}

/* The root is a region that the device tree describes. */
FIXTURE(rom) {
	unsigned long len;
};

FIXTURE_SETUP(rom)
{
	self->len = (find_image("root")->len + PAGE - 1) & ~(PAGE - 1);
	umount2(MNT, MNT_DETACH);
}

FIXTURE_TEARDOWN(rom)
{
	umount2(MNT, MNT_DETACH);
}

TEST_F(rom, root_is_claimed_in_iomem)
{
	EXPECT_TRUE(iomem_has(root_at(), self->len));
}

TEST_F(rom, proc_mounts_shows_no_address)
{
	char text[4096], *at;

	ASSERT_LT(0, read_text("/proc/mounts", text, sizeof(text)));
	at = strstr(text, " / cramfs_physmem ro");
	ASSERT_NE(NULL, at);
	at[strcspn(at, "\n")] = 0;
	EXPECT_EQ(NULL, strstr(at, "physaddr"));
}

TEST_F(rom, second_mount_by_name_is_refused)
{
	EXPECT_EQ(-1, mount("rom:xip", MNT, "cramfs", MS_RDONLY, NULL));
	EXPECT_EQ(EBUSY, errno);
}

TEST_F(rom, other_names_are_refused)
{
	static const char *const names[] = { "rom:", "rom:xi", "rom:xipp", "rom:chosen" };

	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		EXPECT_EQ(-1, mount(names[n], MNT, "cramfs", MS_RDONLY, NULL));
		EXPECT_EQ(ENODEV, errno) TH_LOG("%s", names[n]);
	}
}

/* Cannot be undone: to be run last. */
FIXTURE(lockdown) {
	unsigned long good;
};

FIXTURE_SETUP(lockdown)
{
	int fd;

	umount2(MNT, MNT_DETACH);
	self->good = guest.rom_start + find_image("scatter")->flash;
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	fd = open("/sys/kernel/security/lockdown", O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(9, write(fd, "integrity", 9));
	close(fd);
}

FIXTURE_TEARDOWN(lockdown)
{
}

TEST_F(lockdown, physical_address_is_refused)
{
	REFUSED(self->good, WHOLE, EPERM, "locked down");
}

/* A root by MTD: its driver has claimed the flash. */
FIXTURE(claimed) {
	int unused;
};

FIXTURE_SETUP(claimed)
{
}

FIXTURE_TEARDOWN(claimed)
{
}

TEST_F(claimed, flash_of_an_mtd_driver_is_refused)
{
	const struct image *image = find_image("scatter");

	REFUSED(root_at(), WHOLE, EBUSY, "in use");
	REFUSED(guest.rom_start + image->flash, 0x1000, EBUSY, "in use");
}

/* The flash has an MTD driver, and nothing that is in it is mounted. */
FIXTURE(contended) {
	unsigned long good;
};

#define DRIVER	"/sys/bus/platform/drivers/physmap-flash/"
#define DEVICE	"4000000.flash"

/* Bind the driver to the flash, or unbind it. Return: 0 or an errno. */
static int write_driver(const char *what)
{
	char path[96];
	int fd, err;

	snprintf(path, sizeof(path), DRIVER "%s", what);
	fd = open(path, O_WRONLY);
	err = write(fd, DEVICE, strlen(DEVICE)) < 0 ? errno : 0;
	close(fd);
	return err;
}

FIXTURE_SETUP(contended)
{
	umount2(MNT, MNT_DETACH);
	self->good = guest.rom_start + find_image("scatter")->flash;
	ASSERT_EQ(0, access(DRIVER DEVICE, F_OK));
}

FIXTURE_TEARDOWN(contended)
{
	umount2(MNT, MNT_DETACH);
	write_driver("bind");
}

TEST_F(contended, mount_is_refused_while_a_driver_has_the_flash)
{
	REFUSED(self->good, WHOLE, EBUSY, "in use");
	ASSERT_EQ(0, write_driver("unbind"));
	EXPECT_EQ(0, mount_phys(self->good, WHOLE));
}

TEST_F(contended, driver_is_refused_while_a_mount_has_the_flash)
{
	ASSERT_EQ(0, write_driver("unbind"));
	ASSERT_EQ(0, mount_phys(self->good, WHOLE));
	EXPECT_EQ(EBUSY, write_driver("bind"));
	EXPECT_EQ(0, compare_tree(find_image("scatter"), MNT, TREE_ALL, true));
	ASSERT_EQ(0, umount(MNT));
	EXPECT_EQ(0, write_driver("bind"));
}

TEST_HARNESS_MAIN
