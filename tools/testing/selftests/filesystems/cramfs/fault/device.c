// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver does when what the image lives in fails: a disk with errors, here
 * and there or in some sectors; a disk that goes away; memory whose bytes change while
 * they are read and mapped; an MTD device that cannot be pointed at.
 *
 * Which variants apply depends on the machine: run-faults.sh selects.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* A busy machine may be slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

#include "fault.h"

#define SECTOR		512
#define MAX_PAGES	32	/* of a file */
#define MAX_DEFLATED	(2 * PAGE)

static sigjmp_buf on_sigbus;

static void sigbus(int sig)
{
	siglongjmp(on_sigbus, 1);
}

/* A byte of a mapping, or -1 for SIGBUS. */
static int touch(const volatile unsigned char *at)
{
	signal(SIGBUS, sigbus);
	if (sigsetjmp(on_sigbus, 1))
		return -1;
	return *at;
}

static void clean_up(void)
{
	for (int n = 0; n < 4 && is_mounted(); n++)
		umount2(MNT, MNT_DETACH);
}

static void expect_no_leaks(struct __test_metadata *_metadata, const struct counters *before)
{
	struct counters after;
	char what[256];

	ASSERT_EQ(0, count_until(&after, before, what, sizeof(what)));
	EXPECT_STREQ("", what);
}

static int open_node(const char *path)
{
	char whole[64];

	snprintf(whole, sizeof(whole), MNT "/%s", path);
	return open(whole, O_RDONLY);
}

FIXTURE(disk) {
	int unused;
};

FIXTURE_SETUP(disk)
{
	clean_up();
	ASSERT_EQ(0, block.set_up(&block)) TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(disk)
{
	clean_up();
}

TEST_F(disk, read_errors_at_random_are_errors_and_not_other_data)
{
	unsigned int wrong, failed, all_failed = 0, all = 0;
	struct counters before;
	long injected = 0;

	for (int round = 0; round < 20; round++) {
		ASSERT_EQ(0, mount_image(&block));
		ASSERT_EQ(0, inject_at_random(block.disk, 30));
		for (unsigned int n = 0; n < nr_in_root; n++) {
			if (nodes[n].type != 'f')
				continue;
			if (check_file(&nodes[n], &wrong, &failed)) {
				EXPECT_EQ(EIO, errno) TH_LOG("%s", nodes[n].path);
			} else {
				EXPECT_EQ(0, wrong) TH_LOG("%s", nodes[n].path);
				all_failed += failed;
				all += (nodes[n].size + PAGE - 1) / PAGE;
			}
		}
		injected += inject_end_random(block.disk);
		/* Nothing of that stays: the same mount has it all now. */
		EXPECT_EQ(0, check_all());
		ASSERT_EQ(0, umount(MNT));
		/* What is allocated once is there now. */
		if (!round)
			ASSERT_EQ(0, count(&before));
	}
	printf("# %ld failures injected, %u of %u pages failed\n", injected, all_failed, all);
	expect_no_leaks(_metadata, &before);
	EXPECT_LT(0, injected);
	EXPECT_LT(0, all_failed);
	EXPECT_LT(all_failed, all);
}

/* Pages of the image that a page of a file is made of. */
struct needs {
	unsigned int must[4], may[6];
	unsigned int nr_must, nr_may;
};

static bool has(const unsigned int *pages, unsigned int nr, unsigned int page)
{
	while (nr--)
		if (pages[nr] == page)
			return true;
	return false;
}

static union {
	struct fiemap map;
	char room[sizeof(struct fiemap) + MAX_PAGES * sizeof(struct fiemap_extent)];
} extents;

/* The table of pointers is where the file's data begin, which the inode number tells. */
static unsigned long table_of(int fd)
{
	unsigned int shift = 0;
	struct stat st;

	while ((image_len - 1) >> 1 >> shift)
		shift++;
	fstat(fd, &st);
	return (st.st_ino & ((1UL << shift) - 1)) << 1;
}

static int find_needs(int fd, struct needs *needs, unsigned int nr_pages)
{
	unsigned long table = table_of(fd);

	memset(&extents, 0, sizeof(extents));
	extents.map.fm_length = FIEMAP_MAX_OFFSET;
	extents.map.fm_extent_count = MAX_PAGES;
	if (ioctl(fd, FS_IOC_FIEMAP, &extents))
		return -1;
	memset(needs, 0, nr_pages * sizeof(*needs));
	for (unsigned int n = 0; n < nr_pages; n++) {
		needs[n].must[needs[n].nr_must++] = (table + n * 4) / PAGE;
		if (n)
			needs[n].may[needs[n].nr_may++] = (table + n * 4 - 4) / PAGE;
	}
	for (unsigned int n = 0; n < extents.map.fm_mapped_extents; n++) {
		const struct fiemap_extent *extent = &extents.map.fm_extents[n];
		bool deflated = extent->fe_flags & FIEMAP_EXTENT_ENCODED;
		unsigned int page = extent->fe_logical / PAGE;

		for (unsigned long at = 0; at < extent->fe_length; at += PAGE, page++) {
			unsigned long start = extent->fe_physical + at;
			unsigned long end = start + (deflated ? MAX_DEFLATED : PAGE) - 1;

			if (page >= nr_pages)
				return -1;
			needs[page].must[needs[page].nr_must++] = start / PAGE;
			for (start /= PAGE; start <= end / PAGE; start++)
				needs[page].may[needs[page].nr_may++] = start;
			/* Before what is at the beginning of a page there may be its length. */
			needs[page].may[needs[page].nr_may++] =
				(extent->fe_physical + at - 2) / PAGE;
		}
	}
	return 0;
}

/* Reads each page of a file, of which the image's page @bad cannot be read. */
static int check_pages(int fd, const struct node *node, const struct needs *needs,
		       unsigned int bad, unsigned int *nr_bad)
{
	unsigned char buf[PAGE];

	for (unsigned int n = 0; n * PAGE < node->size; n++) {
		size_t left = node->size - n * PAGE, len = left < PAGE ? left : PAGE;
		ssize_t got = pread(fd, buf, PAGE, n * PAGE);
		bool must = has(needs[n].must, needs[n].nr_must, bad);
		bool may = must || has(needs[n].may, needs[n].nr_may, bad);

		if (got < 0 ? errno != EIO || !may :
		    must || got != (ssize_t)len || memcmp(buf, node->data + n * PAGE, len)) {
			printf("# %s, page %u, with page %u of the image bad: %zd, %s\n",
			       node->path, n, bad, got, got < 0 ? strerror(errno) : "data");
			return -1;
		}
		*nr_bad += got < 0;
	}
	return 0;
}

/*
 * Each page of the image in turn: it costs those pages of files that have something of
 * it, and no others, and nothing once it can be read again.
 */
static void bad_sectors(struct __test_metadata *_metadata, const char *path)
{
	const struct node *node = find_node(path);
	unsigned int nr_pages = (node->size + PAGE - 1) / PAGE, nr_bad = 0;
	struct needs needs[MAX_PAGES];
	struct counters before;
	unsigned int wrong, failed;
	int fd;

	for (unsigned int bad = 0; bad < (image_len + PAGE - 1) / PAGE; bad++) {
		ASSERT_EQ(0, mount_image(&block));
		fd = open_node(path);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, find_needs(fd, needs, nr_pages));
		/* The open file stays; what the disk's page cache has does not. */
		ASSERT_EQ(0, forget_caches());
		ASSERT_EQ(0, disk_set_bad(bad * PAGE / SECTOR, PAGE / SECTOR, true));
		EXPECT_EQ(0, check_pages(fd, node, needs, bad, &nr_bad));
		ASSERT_EQ(0, disk_set_bad(bad * PAGE / SECTOR, PAGE / SECTOR, false));
		EXPECT_EQ(0, check_file(node, &wrong, &failed));
		EXPECT_EQ(0, wrong);
		EXPECT_EQ(0, failed);
		close(fd);
		ASSERT_EQ(0, umount(MNT));
		if (!bad)
			ASSERT_EQ(0, count(&before));
	}
	printf("# %u pages failed\n", nr_bad);
	expect_no_leaks(_metadata, &before);
	EXPECT_LE(nr_pages, nr_bad);
}

TEST_F(disk, bad_sectors_cost_the_pages_of_a_deflated_file_that_are_there)
{
	bad_sectors(_metadata, "deflated");
}

TEST_F(disk, bad_sectors_cost_the_pages_of_a_stored_file_that_are_there)
{
	bad_sectors(_metadata, "stored");
}

TEST_F(disk, bad_sectors_cost_the_pages_of_a_mixed_file_that_are_there)
{
	bad_sectors(_metadata, "mixed");
}

TEST_F(disk, unreadable_superblock_is_an_error)
{
	ASSERT_EQ(0, disk_set_bad(0, PAGE / SECTOR, true));
	EXPECT_EQ(-1, mount_image(&block));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, disk_set_bad(0, PAGE / SECTOR, false));
	ASSERT_EQ(0, mount_image(&block));
	EXPECT_EQ(0, check_all());
}

/* The directory "many", which is not in the page of the superblock's own. */
TEST_F(disk, unreadable_directory_is_an_error)
{
	struct stat st;
	DIR *dir;

	ASSERT_EQ(0, mount_image(&block));
	/* All of the disk: with the root's entries in the same page, or not. */
	ASSERT_EQ(0, forget_caches());
	ASSERT_EQ(0, disk_set_bad(0, image_len / SECTOR, true));
	EXPECT_EQ(-1, lstat(MNT "/many/file-03", &st));
	EXPECT_EQ(EIO, errno);
	dir = opendir(MNT);
	ASSERT_NE(NULL, dir);
	errno = 0;
	while (readdir(dir))
		;
	EXPECT_EQ(EIO, errno);
	closedir(dir);
	ASSERT_EQ(0, disk_set_bad(0, image_len / SECTOR, false));
	EXPECT_EQ(0, check_all());
}

/* With one that can be read and does not change: the data are. */
static void expect_dead(struct __test_metadata *_metadata, const unsigned char *map,
			const struct node *mapped, int fd, const struct node *opened)
{
	unsigned char buf[PAGE];
	struct stat st;

	/* What was there is still there. */
	EXPECT_EQ(mapped->data[0], touch(map));
	ASSERT_EQ(PAGE, pread(fd, buf, PAGE, 0));
	EXPECT_EQ(0, memcmp(buf, opened->data, PAGE));
	/* What was not cannot be had. */
	EXPECT_EQ(-1, touch(map + 16 * PAGE));
	EXPECT_EQ(-1, pread(fd, buf, PAGE, 5 * PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, lstat(MNT "/many/file-03", &st));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, open_node("punched"));
	EXPECT_EQ(EIO, errno);
}

TEST_F(disk, disk_that_goes_away_is_an_error_for_what_is_not_cached)
{
	const struct node *mapped = find_node("stored"), *opened = find_node("deflated");
	unsigned char buf[PAGE], *map;
	struct counters before;
	int fd, first;

	/* Twice: only the second time is known what the first one leaves. */
	for (first = 1; first >= 0; first--) {
		ASSERT_EQ(0, count(&before));
		ASSERT_EQ(0, mount_image(&block));
		fd = open_node("stored");
		map = mmap(NULL, mapped->size, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, map);
		close(fd);
		ASSERT_EQ(0, madvise(map, mapped->size, MADV_RANDOM));
		fd = open_node("deflated");
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM));
		ASSERT_EQ(0, forget_caches());
		ASSERT_EQ(mapped->data[0], touch(map));
		ASSERT_EQ(PAGE, pread(fd, buf, PAGE, 0));

		ASSERT_EQ(0, disk_power(false));
		expect_dead(_metadata, map, mapped, fd, opened);
		EXPECT_EQ(-1, umount(MNT));
		EXPECT_EQ(EBUSY, errno);
		EXPECT_EQ(-1, mount_image(&block));
		close(fd);
		munmap(map, mapped->size);
		EXPECT_EQ(0, umount(MNT));

		ASSERT_EQ(0, disk_power(true));
		ASSERT_EQ(0, mount_image(&block)) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(0, check_all());
		EXPECT_EQ(0, umount(MNT));
	}
	expect_no_leaks(_metadata, &before);
}

TEST_F(disk, disk_that_goes_away_ends_those_who_read_it)
{
	enum { READERS = 3 };
	pid_t pids[READERS];
	int ready[2], status;
	char byte;

	ASSERT_EQ(0, mount_image(&block));
	ASSERT_EQ(0, pipe(ready));
	for (int n = 0; n < READERS; n++) {
		pids[n] = fork();
		if (!pids[n]) {
			while (!check_all()) {
				write(ready[1], "", 1);
				forget_caches();
			}
			_exit(check_all() == -EIO ? 0 : 1);
		}
	}
	for (int n = 0; n < 4 * READERS; n++)
		ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, disk_power(false));
	for (int n = 0; n < READERS; n++) {
		ASSERT_EQ(pids[n], waitpid(pids[n], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, umount(MNT));
	ASSERT_EQ(0, disk_power(true));
	ASSERT_EQ(0, mount_image(&block));
	EXPECT_EQ(0, check_all());
}

TEST_F(disk, disk_that_went_away_can_be_removed_after_the_unmount)
{
	ASSERT_EQ(0, mount_image(&block));
	ASSERT_EQ(0, disk_power(false));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, disk_remove());
	ASSERT_EQ(0, block.set_up(&block));
	ASSERT_EQ(0, mount_image(&block));
	EXPECT_EQ(0, check_all());
}

/* Bytes of the image that change. */
FIXTURE(flip) {
	int unused;
};

FIXTURE_VARIANT(flip) {
	struct backing *backing;
};

FIXTURE_VARIANT_ADD(flip, mtd) { .backing = &mtd };
FIXTURE_VARIANT_ADD(flip, physmem) { .backing = &physmem };
FIXTURE_VARIANT_ADD(flip, xip) { .backing = &xip };

FIXTURE_SETUP(flip)
{
	clean_up();
	ASSERT_EQ(0, variant->backing->set_up(variant->backing));
}

FIXTURE_TEARDOWN(flip)
{
	clean_up();
}

/* What the walker below saw, for the one who changes bytes. */
struct seen {
	unsigned int rounds, ok, other, errors, strange;
	int strange_errno;
};

static void note_error(struct seen *seen, int error)
{
	/* Of the driver, and of the VFS for names and types that are something else now. */
	static const int clean[] = {
		EUCLEAN, EIO, EINVAL, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES, ENXIO,
		EISDIR, EPERM, ESTALE, ENODATA,
	};

	seen->errors++;
	for (unsigned int n = 0; n < ARRAY_SIZE(clean); n++)
		if (clean[n] == error)
			return;
	seen->strange++;
	seen->strange_errno = error;
}

static void look_at_file(const char *path, const struct node *node, struct seen *seen)
{
	unsigned char buf[4 * PAGE];
	unsigned char *map;
	int fd, byte;

	/* It may be something else than a file now. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		note_error(seen, errno);
		return;
	}
	for (size_t at = 0; at < node->size; at += sizeof(buf)) {
		size_t len = node->size - at;
		ssize_t got = pread(fd, buf, sizeof(buf), at);

		if (len > sizeof(buf))
			len = sizeof(buf);
		if (got < 0)
			note_error(seen, errno);
		else if (got != (ssize_t)len || memcmp(buf, node->data + at, len))
			seen->other++;
		else
			seen->ok++;
	}
	map = mmap(NULL, node->size + PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		for (size_t at = 0; at < node->size; at += PAGE) {
			byte = touch(map + at);
			if (byte < 0)
				note_error(seen, EIO);
			else if (byte != node->data[at])
				seen->other++;
		}
		munmap(map, node->size + PAGE);
	} else {
		note_error(seen, errno);
	}
	close(fd);
}

static void look_at_dir(const char *path, struct seen *seen)
{
	unsigned int nr = 0;
	DIR *dir = opendir(path);

	if (!dir) {
		note_error(seen, errno);
		return;
	}
	errno = 0;
	while (nr++ < 200 && readdir(dir))
		;
	if (errno)
		note_error(seen, errno);
	closedir(dir);
}

static void look_at_all(struct seen *seen)
{
	char path[64], target[512];
	struct stat st;

	look_at_dir(MNT, seen);
	look_at_dir(MNT "/many", seen);
	for (unsigned int n = 0; n < nr_nodes; n++) {
		const struct node *node = &nodes[n];

		snprintf(path, sizeof(path), MNT "/%s", node->path);
		if (lstat(path, &st))
			note_error(seen, errno);
		else if (st.st_size != (off_t)node->size && node->type != 'd')
			seen->other++;
		else
			seen->ok++;
		if (node->type == 'l' && readlink(path, target, sizeof(target)) < 0)
			note_error(seen, errno);
		if (node->type == 'f' && node->size)
			look_at_file(path, node, seen);
	}
	forget_caches();
	seen->rounds++;
}

static __u32 random_state = 4711;

static __u32 any(__u32 below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % below;
}

/* Mostly what says where things are: the first page, and the tables before data. */
static off_t place(void)
{
	return any(4) ? any(4 * PAGE) % image_len : any(image_len);
}

/* Changes a byte, or puts back what was changed. */
static int change(const struct backing *backing, bool back)
{
	enum { CHANGES = 4 };
	static off_t at[CHANGES];
	static unsigned int nr;
	off_t where = back || nr == CHANGES ? 0 : place();
	unsigned char byte = image[where] ^ 1 << any(8);

	if (!back && nr < CHANGES) {
		at[nr++] = where;
		return backing->write(backing, where, &byte, 1);
	}
	while (nr) {
		nr--;
		if (backing->write(backing, at[nr], &image[at[nr]], 1))
			return -1;
	}
	return 0;
}

/* At least, and at most: until all that is to be seen has been. */
#define ROUNDS		12
#define MAX_ROUNDS	500
#define SUPERBLOCK	76

TEST_F(flip, bytes_that_change_under_a_mount_are_errors_or_other_data)
{
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int changes = 0;
	int status = 0;
	pid_t pid;

	ASSERT_EQ(0, mount(variant->backing->source, MNT, variant->backing->type,
			   MS_RDONLY | MS_NODEV, variant->backing->options));
	pid = fork();
	if (!pid) {
		while (seen->rounds < ROUNDS ||
		       (seen->rounds < MAX_ROUNDS &&
			!(seen->ok && seen->other && seen->errors)))
			look_at_all(seen);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		ASSERT_EQ(0, change(variant->backing, false)) TH_LOG("%s", strerror(errno));
		changes++;
		/* With one processor the other one has to get a turn. */
		sched_yield();
	}
	EXPECT_EQ(0, status);
	printf("# %u changes, %u results as they were, %u other ones, %u errors\n", changes,
	       seen->ok, seen->other, seen->errors);
	EXPECT_LT(0, seen->ok);
	EXPECT_LT(0, seen->other);
	EXPECT_LT(0, seen->errors);
	EXPECT_EQ(0, seen->strange) TH_LOG("%s", strerror(seen->strange_errno));

	/* A wrong inode may be in the cache of inodes, but none is there for good. */
	ASSERT_EQ(0, change(variant->backing, true));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_image(variant->backing)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(0, check_all());
}

/* Puts a byte of the image back and changes it again, and leaves it as it was. */
static void toggle(const struct backing *backing, off_t at, unsigned char byte)
{
	for (int n = 0; n < 20; n++) {
		backing->write(backing, at, &image[at], 1);
		sched_yield();
		backing->write(backing, at, &byte, 1);
	}
	backing->write(backing, at, &image[at], 1);
	_exit(0);
}

TEST_F(flip, mount_of_bytes_that_change_is_an_error_or_a_mount)
{
	const struct backing *backing = variant->backing;
	unsigned int mounted = 0, refused = 0;
	struct seen seen = { 0 };
	int status;
	pid_t pid;

	for (int n = 0; n < SUPERBLOCK; n++) {
		unsigned char byte = image[n] ^ 1 << any(8);

		ASSERT_EQ(0, backing->write(backing, n, &byte, 1));
		pid = fork();
		if (!pid)
			toggle(backing, n, byte);
		if (mount(backing->source, MNT, backing->type, MS_RDONLY | MS_NODEV,
			  backing->options)) {
			EXPECT_TRUE(errno == EINVAL || errno == EUCLEAN || errno == EBUSY)
				TH_LOG("%s", strerror(errno));
			refused++;
		} else {
			mounted++;
			look_at_dir(MNT, &seen);
			ASSERT_EQ(0, umount(MNT));
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
	}
	printf("# %u mounted, %u refused\n", mounted, refused);
	EXPECT_LT(0, mounted);
	EXPECT_LT(0, refused);
	ASSERT_EQ(0, mount_image(backing));
	EXPECT_EQ(0, check_all());
}

/* MTD devices that are not simply there as a whole. */
FIXTURE(point) {
	int unused;
};

FIXTURE_SETUP(point)
{
	clean_up();
}

FIXTURE_TEARDOWN(point)
{
	clean_up();
}

#define BLOCK2MTD	"/sys/module/block2mtd/parameters/block2mtd"

TEST_F(point, mtd_that_cannot_be_pointed_at_is_read_as_a_disk)
{
	struct backing whole = { .type = "cramfs" };
	int number, fd;

	fd = open("/dev/ram0", O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)image_len, write(fd, image, image_len));
	close(fd);
	if (mtd_number("block2mtd: /dev/ram0") < 0)
		ASSERT_EQ(0, write_text(BLOCK2MTD, "/dev/ram0,4096"));
	number = mtd_number("block2mtd: /dev/ram0");
	ASSERT_LE(0, number);

	snprintf(whole.source, sizeof(whole.source), "mtd%d", number);
	EXPECT_EQ(-1, mount_image(&whole));
	EXPECT_EQ(EOPNOTSUPP, errno);
	snprintf(whole.source, sizeof(whole.source), "/dev/mtdblock%d", number);
	ASSERT_EQ(0, mount_image(&whole)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(0, check_all());
	EXPECT_EQ(0, umount(MNT));
	snprintf(whole.source, sizeof(whole.source), "mtd%d", number);
	EXPECT_EQ(-1, mount_image(&whole));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* To be run after all others that use it: it lives as long as anybody does. */
TEST_F(point, mtd_has_no_user_left)
{
	ASSERT_EQ(0, mtd.set_up(&mtd));
	ASSERT_EQ(0, mount_image(&mtd));
	EXPECT_EQ(0, check_all());
	ASSERT_EQ(0, mtd_remove());
	/* The mount is one. */
	EXPECT_LE(0, mtd_number(MTD_NAME));
	ASSERT_EQ(0, umount(MNT));
	EXPECT_EQ(-1, mtd_number(MTD_NAME));
}

int main(int argc, char **argv)
{
	if (load_nodes(PROGRAM) || load_image()) {
		printf("1..0 # SKIP for the guest of run-faults.sh only\n");
		return KSFT_SKIP;
	}
	mkdir(MNT, 0755);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return test_harness_run(argc, argv);
}
