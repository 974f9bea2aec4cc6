// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events: what is mapped from the image, what is copied, and what is
 * read into the page cache, each told once, with the place that the host expects.
 * For a kernel with trace events and a root in memory that can be mapped.
 *
 * Events are filtered by the inode number of one file that nobody else uses.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"
#include "guest.h"

#define TRACEFS		"/sys/kernel/tracing"
#define FILE_TO_TRACE	DATA "mixed"
#define MAX_EVENTS	64

struct event {
	bool fault;		/* cramfs_fault, else cramfs_read_block */
	char how[16];
	unsigned long index;
	unsigned long offset;
	unsigned int nr;	/* pages or bytes */
};

static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	ssize_t done = write(fd, text, strlen(text));

	close(fd);
	return done == (ssize_t)strlen(text) ? 0 : -1;
}

static int trace_inode(const struct stat *st)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "ino == %lu", (unsigned long)st->st_ino);
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		return -1;
	return put_text(TRACEFS "/events/cramfs/filter", filter) ||
	       put_text(TRACEFS "/events/cramfs/cramfs_fault/enable", "1") ||
	       put_text(TRACEFS "/events/cramfs/cramfs_read_block/enable", "1");
}

static int parse_event(const char *line, const struct stat *st, struct event *event)
{
	char prefix[64];
	const char *at;
	int len;

	event->fault = strstr(line, "cramfs_fault: ");
	at = strstr(line, event->fault ? "cramfs_fault: " : "cramfs_read_block: ");
	len = snprintf(prefix, sizeof(prefix), ": dev %u:%u ino %lu index ", major(st->st_dev),
		       minor(st->st_dev), (unsigned long)st->st_ino);
	at = at ? strchr(at, ':') : NULL;
	if (!at || strncmp(at, prefix, len))
		return -1;
	at += len;
	if (event->fault)
		return sscanf(at, "%lu nr_pages %u offset %lx %15[a-z ]", &event->index,
			      &event->nr, &event->offset, event->how) == 4 ? 0 : -1;
	return sscanf(at, "%lu %15s offset %lx len %u", &event->index, event->how,
		      &event->offset, &event->nr) == 4 ? 0 : -1;
}

FIXTURE(trace) {
	const struct image *image;
	const struct entry *entry;
	struct stat st;
	unsigned char *ref;
	unsigned int pages;
	int fd;
	struct event events[MAX_EVENTS];
	unsigned int nr;
};

FIXTURE_SETUP(trace)
{
	self->image = find_image("root");
	ASSERT_NE(NULL, self->image);
	self->entry = find_entry(self->image, FILE_TO_TRACE);
	ASSERT_NE(NULL, self->entry);
	self->ref = load_ref(self->entry);
	ASSERT_NE(NULL, self->ref);
	self->pages = nr_pages(self->entry);
	self->fd = open(FILE_TO_TRACE, O_RDONLY);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, fstat(self->fd, &self->st));
	ASSERT_EQ(0, trace_inode(&self->st)) TH_LOG("%s", strerror(errno));
	/* Nothing of the file may be in the page cache. */
	ASSERT_EQ(0, forget_caches());
	ASSERT_EQ(0, put_text(TRACEFS "/trace", ""));
}

FIXTURE_TEARDOWN(trace)
{
	put_text(TRACEFS "/events/cramfs/enable", "0");
	put_text(TRACEFS "/events/cramfs/filter", "0");
	free(self->ref);
	close(self->fd);
}

/* Take what has happened since the last time. */
#define TAKE_EVENTS() do {						\
	char __text[16384], *__rest = __text, *__line;			\
									\
	ASSERT_LE(0, read_text(TRACEFS "/trace", __text, sizeof(__text))); \
	ASSERT_EQ(0, put_text(TRACEFS "/trace", ""));			\
	self->nr = 0;							\
	while ((__line = strsep(&__rest, "\n"))) {			\
		if (!*__line || *__line == '#')				\
			continue;					\
		ASSERT_GT(MAX_EVENTS, self->nr);			\
		ASSERT_EQ(0, parse_event(__line, &self->st, &self->events[self->nr++])) \
			TH_LOG("%s", __line);				\
	}								\
} while (0)

/* A block of one of the KINDS that has one of them before it, too. */
#define FIND_BLOCK(kinds) ({						\
	unsigned long __n = 1, __offset;				\
	const char *__kinds = (kinds);					\
									\
	while (__n < self->pages &&					\
	       !(strchr(__kinds, block_kind(self->entry, __n, &__offset)) && \
		 strchr(__kinds, block_kind(self->entry, __n - 1, &__offset)))) \
		__n++;							\
	ASSERT_GT(self->pages, __n);					\
	__n;								\
})

#define MAP_ALL(prot, flags) ({						\
	unsigned char *__p = mmap(NULL, self->pages * PAGE, prot, flags, self->fd, 0); \
	ASSERT_NE(MAP_FAILED, __p);					\
	__p;								\
})

/* One page of the file by read(). */
#define READ_PAGE(index) do {						\
	unsigned char __buf[PAGE];					\
	unsigned long __at = (index) * PAGE;				\
									\
	ASSERT_EQ(PAGE, pread(self->fd, __buf, PAGE, __at));		\
	EXPECT_EQ(0, memcmp(__buf, self->ref + __at, PAGE));		\
} while (0)

static unsigned char touch(const volatile unsigned char *p)
{
	return *p;
}

TEST_F(trace, touching_a_stored_page_tells_what_is_mapped_in_place)
{
	unsigned long n = FIND_BLOCK("X"), offset;
	const struct event *event = self->events;
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);

	touch(p + n * PAGE);
	TAKE_EVENTS();
	ASSERT_EQ(1, self->nr);
	EXPECT_TRUE(event->fault);
	EXPECT_STREQ("in place", event->how);
	EXPECT_LE(event->index, n);
	EXPECT_GT(event->index + event->nr, n);
	for (unsigned int k = 0; k < event->nr; k++) {
		EXPECT_EQ('X', block_kind(self->entry, event->index + k, &offset));
		EXPECT_EQ(offset, event->offset + k * PAGE);
		EXPECT_TRUE(page_is_present(p + (event->index + k) * PAGE));
		touch(p + (event->index + k) * PAGE);
	}
	TAKE_EVENTS();
	EXPECT_EQ(0, self->nr);
}

TEST_F(trace, pages_that_are_mapped_in_place_are_all_told)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_PRIVATE);
	unsigned long stored = 0, told = 0, offset;

	for (unsigned long n = 0; n < self->pages; n++) {
		stored += block_kind(self->entry, n, &offset) == 'X';
		touch(p + n * PAGE);
	}
	TAKE_EVENTS();
	for (unsigned int k = 0; k < self->nr; k++)
		told += self->events[k].fault ? self->events[k].nr : 0;
	EXPECT_LT(0, stored);
	EXPECT_EQ(stored, told);
}

TEST_F(trace, writing_first_to_a_private_page_tells_of_a_copy)
{
	unsigned char *p = MAP_ALL(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned long n = FIND_BLOCK("X"), offset;
	const struct event *event = self->events;

	((volatile unsigned char *)p)[n * PAGE] = 1;
	TAKE_EVENTS();
	ASSERT_EQ(1, self->nr);
	EXPECT_TRUE(event->fault);
	EXPECT_STREQ("copied", event->how);
	EXPECT_EQ(n, event->index);
	EXPECT_EQ(1, event->nr);
	EXPECT_EQ('X', block_kind(self->entry, n, &offset));
	EXPECT_EQ(offset, event->offset);
}

TEST_F(trace, reading_a_deflated_block_is_told_the_first_time)
{
	const struct event *event = self->events;
	unsigned long n = FIND_BLOCK("zZ");

	READ_PAGE(n);
	TAKE_EVENTS();
	ASSERT_EQ(1, self->nr);
	EXPECT_FALSE(event->fault);
	EXPECT_STREQ("deflated", event->how);
	EXPECT_EQ(n, event->index);
	EXPECT_LT(0, event->offset);
	EXPECT_GT(self->image->len, event->offset + event->nr);
	EXPECT_LT(0, event->nr);
	EXPECT_GT(PAGE, event->nr);

	READ_PAGE(n);
	TAKE_EVENTS();
	EXPECT_EQ(0, self->nr);
}

TEST_F(trace, touching_a_deflated_page_tells_of_a_read_and_no_mapping)
{
	unsigned char *p = MAP_ALL(PROT_READ, MAP_SHARED);
	const struct event *event = self->events;
	unsigned long n = FIND_BLOCK("zZ");

	touch(p + n * PAGE);
	TAKE_EVENTS();
	ASSERT_EQ(1, self->nr);
	EXPECT_FALSE(event->fault);
	EXPECT_STREQ("deflated", event->how);
	EXPECT_EQ(n, event->index);
}

TEST_F(trace, reading_a_stored_block_brings_nothing_into_the_page_cache)
{
	unsigned long n = FIND_BLOCK("X");

	READ_PAGE(n);
	READ_PAGE(n - 1);
	TAKE_EVENTS();
	EXPECT_EQ(0, self->nr);
}

TEST_HARNESS_MAIN
