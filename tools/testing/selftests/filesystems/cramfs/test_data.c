// SPDX-License-Identifier: GPL-2.0-only
/*
 * What read() and its relatives, FIEMAP and the refusals of writes do on the
 * files of the root image: the bytes are those of the source tree, whatever
 * the layout of the file.
 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "guest.h"

FIXTURE(data) {
	const struct entry *entry;
	const char *path;
	unsigned char *ref;
	unsigned char *buf;
	ssize_t size;
	int fd;
};

FIXTURE_VARIANT(data) {
	const char *path;
};

FIXTURE_VARIANT_ADD(data, stored) { .path = DATA "stored" };
FIXTURE_VARIANT_ADD(data, mixed) { .path = DATA "mixed" };
FIXTURE_VARIANT_ADD(data, deflated) { .path = DATA "deflated" };
FIXTURE_VARIANT_ADD(data, whole_pages) { .path = DATA "full" };
FIXTURE_VARIANT_ADD(data, noise) { .path = DATA "noise" };
FIXTURE_VARIANT_ADD(data, zeros) { .path = DATA "zeros" };

FIXTURE_SETUP(data)
{
	self->entry = find_entry(find_image("root"), variant->path);
	ASSERT_NE(NULL, self->entry);
	self->path = variant->path;
	self->ref = load_ref(self->entry);
	ASSERT_NE(NULL, self->ref);
	self->size = self->entry->size;
	self->buf = malloc(self->size + 2 * PAGE);
	memset(self->buf, 0xa5, self->size + 2 * PAGE);
	self->fd = open(variant->path, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(data)
{
	free(self->ref);
	free(self->buf);
	close(self->fd);
}

TEST_F(data, read_gives_the_source)
{
	EXPECT_EQ(self->size, read(self->fd, self->buf, self->size + PAGE));
	EXPECT_EQ(0, memcmp(self->buf, self->ref, self->size));
	EXPECT_EQ(0xa5, self->buf[self->size]);
	EXPECT_EQ(0, read(self->fd, self->buf, PAGE));
}

TEST_F(data, read_in_small_pieces_gives_the_source)
{
	static const size_t steps[] = { 1, 511, 4095, 4097, 3, 12289 };
	ssize_t at = 0, got;

	for (int n = 0; ; n = (n + 1) % 6) {
		got = read(self->fd, self->buf, steps[n]);
		ASSERT_LE(0, got);
		if (!got)
			break;
		ASSERT_EQ(0, memcmp(self->buf, self->ref + at, got));
		at += got;
	}
	EXPECT_EQ(self->size, at);
}

TEST_F(data, pread_at_odd_offsets_gives_the_source)
{
	for (ssize_t at = 1; at < self->size; at += 1021) {
		size_t want = at + 333 > self->size ? self->size - at : 333;

		ASSERT_EQ((ssize_t)want, pread(self->fd, self->buf, 333, at));
		ASSERT_EQ(0, memcmp(self->buf, self->ref + at, want)) TH_LOG("at %zd", at);
	}
}

TEST_F(data, pread_across_blocks_gives_the_source)
{
	for (size_t at = PAGE - 7; at + PAGE + 14 < (size_t)self->size; at += PAGE) {
		ASSERT_EQ(PAGE + 14, pread(self->fd, self->buf, PAGE + 14, at));
		ASSERT_EQ(0, memcmp(self->buf, self->ref + at, PAGE + 14)) TH_LOG("at %zu", at);
	}
}

TEST_F(data, pread_backwards_gives_the_source)
{
	ASSERT_EQ(0, forget_caches());
	for (ssize_t at = (self->size - 1) / PAGE * PAGE; at >= 0; at -= PAGE) {
		ssize_t want = self->size - at > (ssize_t)PAGE ? (ssize_t)PAGE : self->size - at;

		ASSERT_EQ(want, pread(self->fd, self->buf, PAGE, at));
		ASSERT_EQ(0, memcmp(self->buf, self->ref + at, want)) TH_LOG("at %zd", at);
	}
}

TEST_F(data, pread_at_the_end_stops_there)
{
	EXPECT_EQ(5, pread(self->fd, self->buf, PAGE, self->size - 5));
	EXPECT_EQ(0, memcmp(self->buf, self->ref + self->size - 5, 5));
	EXPECT_EQ(0xa5, self->buf[5]);
	EXPECT_EQ(0, pread(self->fd, self->buf, PAGE, self->size));
	EXPECT_EQ(0, pread(self->fd, self->buf, PAGE, self->size + 1));
	EXPECT_EQ(0, pread(self->fd, self->buf, PAGE, self->size + 3 * PAGE));
}

TEST_F(data, readv_scatters_the_source)
{
	struct iovec iov[4];
	size_t at = 0;

	for (int n = 0; n < 4; n++) {
		static const size_t lens[] = { 13, 5000, 1, 8192 };

		iov[n].iov_base = self->buf + at;
		iov[n].iov_len = lens[n];
		at += lens[n];
	}
	ASSERT_EQ((ssize_t)at, readv(self->fd, iov, 4));
	EXPECT_EQ(0, memcmp(self->buf, self->ref, at));
}

TEST_F(data, read_into_unwritable_memory_is_efault)
{
	void *p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(-1, pread(self->fd, p, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(data, read_stops_at_unwritable_memory)
{
	unsigned char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t got;

	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	got = pread(self->fd, p, 2 * PAGE, 0);
	EXPECT_LT(0, got);
	EXPECT_GE((ssize_t)PAGE, got);
	EXPECT_EQ(0, memcmp(p, self->ref, got));
}

TEST_F(data, sendfile_gives_the_source)
{
	int fd = open("/tmp/sent", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t at = 0;

	while (at < self->size) {
		ASSERT_LT(0, sendfile(fd, self->fd, &at, self->size));
	}
	ASSERT_EQ(self->size, pread(fd, self->buf, self->size + PAGE, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->ref, self->size));
	unlink("/tmp/sent");
}

TEST_F(data, splice_to_a_pipe_gives_the_source)
{
	loff_t at = 3;
	ssize_t got;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	while ((got = splice(self->fd, &at, fds[1], NULL, 3 * PAGE, 0)) > 0) {
		ASSERT_EQ(got, read(fds[0], self->buf, got));
		ASSERT_EQ(0, memcmp(self->buf, self->ref + at - got, got));
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(self->size, at);
}

TEST_F(data, read_after_drop_caches_gives_the_source)
{
	for (int round = 0; round < 3; round++) {
		ASSERT_EQ(0, forget_caches());
		ASSERT_EQ(self->size, pread(self->fd, self->buf, self->size + PAGE, 0));
		ASSERT_EQ(0, memcmp(self->buf, self->ref, self->size));
	}
}

TEST_F(data, readahead_fills_the_page_cache)
{
	/* Of what is in memory already, the kernel reads nothing ahead. */
	bool ahead = !strcmp(guest.mode, "block");
	unsigned int pages = nr_pages(self->entry);
	unsigned char in_core[64] = "";
	void *p;

	ASSERT_EQ(0, forget_caches());
	ASSERT_EQ(0, readahead(self->fd, 0, self->size));
	p = mmap(NULL, self->size, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mincore(p, self->size, in_core));
	for (unsigned int n = 0; ahead && n < pages; n++) {
		EXPECT_EQ(1, in_core[n] & 1) TH_LOG("page %u", n);
	}
	ASSERT_EQ(self->size, pread(self->fd, self->buf, self->size, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->ref, self->size));
}

TEST_F(data, lseek_ends_at_the_size)
{
	EXPECT_EQ(self->size, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(7, lseek(self->fd, 7, SEEK_SET));
	EXPECT_EQ(-1, lseek(self->fd, -8, SEEK_CUR));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(data, mmap_and_read_agree_in_any_order)
{
	unsigned char *p = mmap(NULL, self->size, PROT_READ, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	for (ssize_t n = 0, at = 0; n < 200; n++, at = (at + 40503) % (self->size - 9)) {
		ASSERT_EQ(9, pread(self->fd, self->buf, 9, at));
		ASSERT_EQ(0, memcmp(p + at, self->buf, 9));
		ASSERT_EQ(0, memcmp(p + at, self->ref + at, 9));
	}
}

#define MAX_EXTENTS	64

struct map {
	struct fiemap head;
	struct fiemap_extent extents[MAX_EXTENTS];
};

static int get_extents(int fd, unsigned long long start, struct map *map)
{
	memset(map, 0, sizeof(*map));
	map->head.fm_start = start;
	map->head.fm_length = FIEMAP_MAX_OFFSET;
	map->head.fm_extent_count = MAX_EXTENTS;
	return ioctl(fd, FS_IOC_FIEMAP, &map->head);
}

static const struct fiemap_extent *extent_of(const struct map *map, unsigned long long at)
{
	for (unsigned int n = 0; n < map->head.fm_mapped_extents; n++) {
		const struct fiemap_extent *extent = &map->extents[n];

		if (at >= extent->fe_logical && at - extent->fe_logical < extent->fe_length)
			return extent;
	}
	return NULL;
}

TEST_F(data, fiemap_shows_where_the_image_has_each_block)
{
	struct map map;

	ASSERT_EQ(0, get_extents(self->fd, 0, &map));
	for (unsigned int n = 0; n < nr_pages(self->entry); n++) {
		const struct fiemap_extent *extent = extent_of(&map, n * PAGE);
		unsigned long offset;
		char kind = block_kind(self->entry, n, &offset);

		if (kind == 'h') {
			EXPECT_EQ(NULL, extent);
			continue;
		}
		ASSERT_NE(NULL, extent) TH_LOG("block %u", n);
		EXPECT_EQ(kind == 'z' || kind == 'Z',
			  !!(extent->fe_flags & FIEMAP_EXTENT_ENCODED)) TH_LOG("block %u", n);
		if (strchr("XxS", kind)) {
			EXPECT_EQ(offset, extent->fe_physical + n * PAGE - extent->fe_logical)
				TH_LOG("block %u", n);
		}
	}
	ASSERT_LT(0, map.head.fm_mapped_extents);
	EXPECT_TRUE(map.extents[map.head.fm_mapped_extents - 1].fe_flags & FIEMAP_EXTENT_LAST);
}

TEST_F(data, fiemap_from_the_middle_skips_the_start)
{
	struct map map;

	ASSERT_EQ(0, get_extents(self->fd, 3 * PAGE, &map));
	EXPECT_EQ(NULL, extent_of(&map, 0));
	EXPECT_NE(NULL, extent_of(&map, self->size - 1));
}

TEST_F(data, open_for_writing_is_refused)
{
	EXPECT_EQ(-1, open(self->path, O_WRONLY));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, open(self->path, O_RDWR));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, open(self->path, O_RDONLY | O_TRUNC));
	EXPECT_EQ(EROFS, errno);
}

TEST_F(data, write_to_a_reading_descriptor_is_refused)
{
	EXPECT_EQ(-1, write(self->fd, "x", 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(data, truncate_is_refused)
{
	EXPECT_EQ(-1, truncate(self->path, 0));
	EXPECT_EQ(EROFS, errno);
}

TEST(directory_changes_are_refused)
{
	EXPECT_EQ(-1, mkdir("/t/new", 0755));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, unlink(DATA "stored"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, rename(DATA "stored", DATA "other"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, symlink("x", "/t/new"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, open("/t/new", O_CREAT | O_WRONLY, 0644));
	EXPECT_EQ(EROFS, errno);
}

TEST(attribute_changes_are_refused)
{
	EXPECT_EQ(-1, chmod(DATA "stored", 0777));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, chown(DATA "stored", 1, 1));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, utimensat(AT_FDCWD, DATA "stored", NULL, 0));
	EXPECT_EQ(EROFS, errno);
}

TEST(remount_stays_read_only)
{
	char text[4096];

	mount(NULL, "/", NULL, MS_REMOUNT, NULL);
	EXPECT_EQ(-1, mkdir("/t/new", 0755));
	EXPECT_EQ(EROFS, errno);
	ASSERT_LT(0, read_text("/proc/mounts", text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, " / cramfs"));
	EXPECT_NE(NULL, strstr(strstr(text, " / cramfs"), " ro"));
}

TEST(empty_file_is_empty)
{
	int fd = open(DATA "empty", O_RDONLY);
	unsigned char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, read(fd, &byte, 1));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
}

TEST(one_byte_file_has_one_byte)
{
	int fd = open(DATA "byte", O_RDONLY);
	unsigned char bytes[2], *p;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, read(fd, bytes, 2));
	EXPECT_EQ('!', bytes[0]);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ('!', p[0]);
	for (unsigned int n = 1; n < PAGE; n++) {
		ASSERT_EQ(0, p[n]);
	}
}

TEST(file_of_16_mib_less_one_is_whole)
{
	const struct entry *entry = find_entry(find_image("root"), DATA "big");
	struct stat st;
	__u32 crc;

	ASSERT_NE(NULL, entry);
	ASSERT_EQ(0, stat(DATA "big", &st));
	EXPECT_EQ((1 << 24) - 1, st.st_size);
	ASSERT_EQ(0, crc_file(DATA "big", &crc));
	EXPECT_EQ(entry->crc, crc);
}

TEST(file_of_16_mib_less_one_ends_in_a_mapping)
{
	int fd = open(DATA "big", O_RDONLY);
	unsigned char end[100], *p;

	ASSERT_EQ(100, pread(fd, end, 100, (1 << 24) - 101));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (1 << 24) - PAGE);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, memcmp(p + PAGE - 101, end, 100));
	EXPECT_EQ(0, p[PAGE - 1]);
}

static const char *const readers_files[] = {
	DATA "stored", DATA "mixed", DATA "deflated", DATA "full", DATA "noise", DATA "zeros",
	"/bin/busybox", TESTS "test_map",
};

/* Reads every file, each reader in an order of its own; files that differ. */
static int read_all(int reader)
{
	const struct image *root = find_image("root");
	int bad = 0;

	for (int round = 0; round < 3; round++) {
		for (int n = 0; n < 8; n++) {
			const char *path = readers_files[(n * (2 * reader + 1) + round) % 8];
			const struct entry *entry = find_entry(root, path);
			__u32 crc;

			if (!entry || crc_file(path, &crc) || crc != entry->crc)
				bad++;
		}
		forget_caches();
	}
	return bad;
}

FIXTURE(readers) {
	pid_t pids[4];
};

FIXTURE_SETUP(readers)
{
}

FIXTURE_TEARDOWN(readers)
{
}

TEST_F(readers, four_at_once_read_the_source)
{
	for (int n = 0; n < 4; n++) {
		self->pids[n] = fork();
		ASSERT_LE(0, self->pids[n]);
		if (!self->pids[n])
			_exit(!!read_all(n));
	}
	for (int n = 0; n < 4; n++) {
		int status;

		ASSERT_EQ(self->pids[n], waitpid(self->pids[n], &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
