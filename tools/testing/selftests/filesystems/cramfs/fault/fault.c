// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver does when something fails: memory, requests to the disk, the disk
 * itself, bytes of the image. An operation is done with the first failure at the
 * first place that can fail, then at the second, and so on until nothing fails any
 * more. Each time there is a clean error or the right result, the same works as soon
 * as nothing fails, and nothing is leaked.
 *
 * Which variants apply depends on the machine: run-faults.sh selects. With arguments
 * on the host, writes the tree that the image is to be made of.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
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

/* More places than this no operation has. */
#define MAX_PLACES	20000
#define MAX_ERRORS	8

static const struct kind one_object = { .slab = true };
static const struct kind one_page = { .pages = true };
static const struct kind all_pages = { .pages = true, .step = 1, .burst = 12 };
static const struct kind no_pages = { .pages = true, .step = 1, .burst = 1000 };
static const struct kind one_request = { .io = true };
static const struct kind all_requests = { .io = true, .step = PAGE, .burst = 12 };

/* What one run of an operation through all places that can fail came to. */
struct swept {
	unsigned int places;	/* with a failure in each */
	unsigned int injected;	/* failures */
	unsigned int errors;	/* that the operation had for that */
	unsigned int at;	/* place where all that is below was seen first */
	int wrong;		/* result that it must not have */
	int again;		/* what it was when nothing failed any more */
	const char *what;	/* what the test itself could not do */
	long ms;
};

static bool is_one_of(int ret, const int *errors)
{
	for (; *errors; errors++)
		if (ret == -*errors)
			return true;
	return false;
}

static bool allowed(const struct backing *backing, const struct kind *kind,
		    const struct op *op, int ret)
{
	if (ret == -ENOMEM || is_one_of(ret, op->errors))
		return !kind->io;
	if (ret == -EIO)
		return kind->io || op == &op_peek;
	/* A signal, in a mapping: filled from the disk, or by what needs memory. */
	if (ret == -EFAULT)
		return op->forks || op == &op_map || op == &op_copy_on_write;
	return op->unmounted && is_one_of(ret, backing->errors);
}

static int undo(const struct op *op)
{
	if (!is_mounted())
		return 0;
	return umount(MNT) ? -errno : 0;
}

static int prepare(const struct backing *backing, const struct op *op)
{
	if (op->unmounted)
		return 0;
	if (mount_image(backing))
		return -errno;
	return op->prepare ? op->prepare(backing) : 0;
}

/* Without failures: a second unmount has nothing to do, a second mount does. */
static int run_again(const struct backing *backing, const struct op *op)
{
	int ret;

	if (op->unmounted)
		ret = undo(op);
	else
		ret = is_mounted() || op != &op_unmount ? 0 : mount_image(backing);
	if (ret)
		return ret;
	in_child.kind = NULL;
	ret = op->run(backing);
	if (!ret && is_mounted())
		ret = check_page(find_node("deflated"), 1);
	return ret;
}

/* Sets in @swept what was wrong. Returns whether to go on. */
static bool sweep_place(const struct backing *backing, const struct kind *kind,
			const struct op *op, unsigned int n, struct swept *swept)
{
	int injected, ret;

	ret = prepare(backing, op);
	if (ret) {
		swept->what = "prepare";
		swept->again = ret;
		return false;
	}
	in_child = (struct in_child){ kind, n, 0 };
	if (!op->forks && inject_arm(kind, n)) {
		swept->what = "arm";
		return false;
	}
	ret = op->run(backing);
	injected = op->forks ? in_child.injected : inject_disarm(kind);
	if (injected < 0) {
		swept->what = "disarm";
		return false;
	}
	swept->injected += injected;
	swept->places += injected > 0;
	swept->errors += ret < 0;
	if (ret && (!injected || !allowed(backing, kind, op, ret)))
		swept->wrong = ret;
	swept->again = run_again(backing, op);
	ret = undo(op);
	if (ret && !swept->again) {
		swept->what = "unmount";
		swept->again = ret;
	}
	return injected && !swept->wrong && !swept->again;
}

/* What stays allocated once it was needed is there after this. */
static int warm_up(const struct backing *backing, const struct op *op)
{
	int ret = prepare(backing, op);

	in_child.kind = NULL;
	if (!ret)
		ret = op->run(backing);
	if (!ret)
		ret = run_again(backing, op);
	return ret ?: undo(op);
}

static void sweep(const struct backing *backing, const struct kind *kind, const struct op *op,
		  struct swept *swept)
{
	unsigned int n = 1;
	long start = now_ms();
	int error;

	memset(swept, 0, sizeof(*swept));
	if (inject_select(kind, backing->disk)) {
		swept->what = "select";
		return;
	}
	while (sweep_place(backing, kind, op, n, swept) && n < MAX_PLACES)
		n++;
	swept->at = n;
	if (n == MAX_PLACES)
		swept->what = "end";
	error = errno;
	inject_select(&one_object, backing->disk);
	errno = error;
	swept->ms = now_ms() - start;
}

/* Room for what the kernel has to say of leaks. */
static char text[65536];

/* What memory the test itself has is not to fail. */
static void set_up(struct __test_metadata *_metadata, struct backing *backing)
{
	ASSERT_EQ(0, backing->set_up(backing)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, mlockall(MCL_CURRENT)) TH_LOG("%s", strerror(errno));
}

static const char *name_of(int ret)
{
	return ret < 0 ? strerror(-ret) : "not what it should be";
}

static void expect_survival(struct __test_metadata *_metadata, const struct backing *backing,
			    const struct kind *kind, const struct op *op)
{
	struct counters before, after;
	struct swept swept;

	ASSERT_EQ(0, warm_up(backing, op));
	ASSERT_EQ(0, count(&before)) TH_LOG("%s", strerror(errno));
	sweep(backing, kind, op, &swept);
	printf("# %u failures injected at %u places, %u errors, %ld ms\n", swept.injected,
	       swept.places, swept.errors, swept.ms);
	ASSERT_EQ(NULL, swept.what)
		TH_LOG("%s: %s, %s", swept.what, strerror(errno), strerror(-swept.again));
	ASSERT_EQ(0, swept.wrong) TH_LOG("failure %u: %s", swept.at, name_of(swept.wrong));
	ASSERT_EQ(0, swept.again) TH_LOG("after failure %u: %s", swept.at, name_of(swept.again));
	EXPECT_LT(0, swept.injected);
	/* One page, or one request, is often got another way. */
	if (kind->slab || kind->step)
		EXPECT_LT(0, swept.errors);
	ASSERT_EQ(0, count_until(&after, &before, text, sizeof(text)));
	EXPECT_STREQ("", text);
}

static void clean_up(void)
{
	for (int n = 0; n < 4 && is_mounted(); n++)
		umount2(MNT, MNT_DETACH);
}

/* Has to come first: the workspace is allocated once. */
FIXTURE(first) {
	int unused;
};

FIXTURE_VARIANT(first) {
	struct backing *backing;
};

FIXTURE_VARIANT_ADD(first, block) { .backing = &block };

FIXTURE_SETUP(first)
{
	set_up(_metadata, variant->backing);
	ASSERT_EQ(0, mount_image(variant->backing)) TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(first)
{
	clean_up();
}

/*
 * Reads a page of which nothing but the page itself is in memory, with ever more pages
 * to be had. Returns how often that was an error.
 */
static int read_without_pages(const struct backing *backing, const struct node *node)
{
	int fd, ret = 0, errors = 0, injected = 1;
	char path[64];

	/* With the disk as far as it is used, and nothing read ahead. */
	if (forget_caches() || read_text(backing->source, text, sizeof(text)) < 0)
		return -1;
	snprintf(path, sizeof(path), MNT "/%s", node->path);
	fd = open(path, O_RDONLY);
	if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) ||
	    pread(fd, text, PAGE, PAGE) != (ssize_t)PAGE)
		return -1;
	for (unsigned int n = 1; n < MAX_PLACES && injected > 0; n++) {
		if (inject_arm(&no_pages, n))
			return -1;
		ret = pread(fd, text, PAGE, 0) == (ssize_t)PAGE ? 0 : -errno;
		injected = inject_disarm(&no_pages);
		if (ret && ret != -ENOMEM)
			return -1;
		errors += !!ret;
	}
	close(fd);
	return injected || ret || memcmp(text, node->data, PAGE) ? -1 : errors;
}

/* Of the file's pages, the first one is deflated and the second one is not. */
TEST_F(first, inflate_without_memory_for_its_workspace_is_an_error)
{
	const struct node *node = find_node("mixed");
	int without, with;

	ASSERT_EQ(0, inject_select(&no_pages, NULL));
	without = read_without_pages(variant->backing, node);
	ASSERT_LE(0, without) TH_LOG("%s", strerror(errno));
	with = read_without_pages(variant->backing, node);
	ASSERT_LE(0, with) TH_LOG("%s", strerror(errno));
	printf("# %d errors, %d with the workspace there\n", without, with);
	EXPECT_LT(with, without);
}

/* A test for each operation with each kind of failure, where the image is. */
#define TEST_OF_FAILURES(fixture, op)						\
	TEST_F(fixture, op)							\
	{									\
		expect_survival(_metadata, variant->backing, variant->kind, &op_##op); \
	}

FIXTURE(one_object) {
	int unused;
};

FIXTURE_VARIANT(one_object) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(one_object, block) { .backing = &block, .kind = &one_object };
FIXTURE_VARIANT_ADD(one_object, mtd) { .backing = &mtd, .kind = &one_object };
FIXTURE_VARIANT_ADD(one_object, physmem) { .backing = &physmem, .kind = &one_object };
FIXTURE_VARIANT_ADD(one_object, xip) { .backing = &xip, .kind = &one_object };

FIXTURE_SETUP(one_object)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(one_object)
{
	clean_up();
}

TEST_OF_FAILURES(one_object, mount)
TEST_OF_FAILURES(one_object, fsopen)
TEST_OF_FAILURES(one_object, unmount)
TEST_OF_FAILURES(one_object, remount)
TEST_OF_FAILURES(one_object, show)
TEST_OF_FAILURES(one_object, walk)
TEST_OF_FAILURES(one_object, read)
TEST_OF_FAILURES(one_object, reread)
TEST_OF_FAILURES(one_object, readahead)
TEST_OF_FAILURES(one_object, map)
TEST_OF_FAILURES(one_object, copy_on_write)
TEST_OF_FAILURES(one_object, peek)
TEST_OF_FAILURES(one_object, splice)
TEST_OF_FAILURES(one_object, fiemap)

TEST_F(one_object, refuse)
{
	const unsigned char no_magic[4] = { 0 };

	ASSERT_EQ(0, variant->backing->write(variant->backing, 0, no_magic, 4));
	expect_survival(_metadata, variant->backing, variant->kind, &op_refuse);
	ASSERT_EQ(0, variant->backing->write(variant->backing, 0, image, 4));
}

FIXTURE(one_page) {
	int unused;
};

FIXTURE_VARIANT(one_page) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(one_page, block) { .backing = &block, .kind = &one_page };
FIXTURE_VARIANT_ADD(one_page, mtd) { .backing = &mtd, .kind = &one_page };
FIXTURE_VARIANT_ADD(one_page, physmem) { .backing = &physmem, .kind = &one_page };

FIXTURE_SETUP(one_page)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(one_page)
{
	clean_up();
}

TEST_OF_FAILURES(one_page, walk)
TEST_OF_FAILURES(one_page, read)
TEST_OF_FAILURES(one_page, readahead)
TEST_OF_FAILURES(one_page, map)
TEST_OF_FAILURES(one_page, copy_on_write)
TEST_OF_FAILURES(one_page, peek)
TEST_OF_FAILURES(one_page, splice)

FIXTURE(all_pages) {
	int unused;
};

FIXTURE_VARIANT(all_pages) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(all_pages, block) { .backing = &block, .kind = &all_pages };
FIXTURE_VARIANT_ADD(all_pages, mtd) { .backing = &mtd, .kind = &all_pages };
FIXTURE_VARIANT_ADD(all_pages, physmem) { .backing = &physmem, .kind = &all_pages };

FIXTURE_SETUP(all_pages)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(all_pages)
{
	clean_up();
}

TEST_OF_FAILURES(all_pages, walk)
TEST_OF_FAILURES(all_pages, read)
TEST_OF_FAILURES(all_pages, readahead)
TEST_OF_FAILURES(all_pages, map)
TEST_OF_FAILURES(all_pages, copy_on_write)
TEST_OF_FAILURES(all_pages, splice)

/* To mount what is in memory of the kernel takes no pages. */
FIXTURE(mount_pages) {
	int unused;
};

FIXTURE_VARIANT(mount_pages) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(mount_pages, block_one_page) { .backing = &block, .kind = &one_page };
FIXTURE_VARIANT_ADD(mount_pages, block_all_pages) { .backing = &block, .kind = &all_pages };
FIXTURE_VARIANT_ADD(mount_pages, physmem_one_page) { .backing = &physmem, .kind = &one_page };
FIXTURE_VARIANT_ADD(mount_pages, physmem_all_pages) { .backing = &physmem, .kind = &all_pages };

FIXTURE_SETUP(mount_pages)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(mount_pages)
{
	clean_up();
}

TEST_OF_FAILURES(mount_pages, mount)
TEST_OF_FAILURES(mount_pages, fsopen)

/*
 * User-mode Linux cannot do without memory when it copies to a new process, so these
 * are for other machines.
 */
FIXTURE(exec) {
	int unused;
};

FIXTURE_VARIANT(exec) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(exec, ramdisk_one_object) { .backing = &ramdisk, .kind = &one_object };
FIXTURE_VARIANT_ADD(exec, ramdisk_one_page) { .backing = &ramdisk, .kind = &one_page };
FIXTURE_VARIANT_ADD(exec, ramdisk_all_pages) { .backing = &ramdisk, .kind = &all_pages };
FIXTURE_VARIANT_ADD(exec, physmem_one_object) { .backing = &physmem, .kind = &one_object };
FIXTURE_VARIANT_ADD(exec, physmem_one_page) { .backing = &physmem, .kind = &one_page };
FIXTURE_VARIANT_ADD(exec, physmem_all_pages) { .backing = &physmem, .kind = &all_pages };

FIXTURE_SETUP(exec)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(exec)
{
	clean_up();
}

TEST_OF_FAILURES(exec, exec)
TEST_OF_FAILURES(exec, exec_deflated)

FIXTURE(requests) {
	int unused;
};

FIXTURE_VARIANT(requests) {
	struct backing *backing;
	const struct kind *kind;
};

FIXTURE_VARIANT_ADD(requests, one_request) { .backing = &block, .kind = &one_request };
FIXTURE_VARIANT_ADD(requests, all_requests) { .backing = &block, .kind = &all_requests };

FIXTURE_SETUP(requests)
{
	set_up(_metadata, variant->backing);
}

FIXTURE_TEARDOWN(requests)
{
	clean_up();
}

TEST_OF_FAILURES(requests, mount)
TEST_OF_FAILURES(requests, walk)
TEST_OF_FAILURES(requests, read)
TEST_OF_FAILURES(requests, readahead)
TEST_OF_FAILURES(requests, map)
TEST_OF_FAILURES(requests, copy_on_write)
TEST_OF_FAILURES(requests, exec)
TEST_OF_FAILURES(requests, exec_deflated)
TEST_OF_FAILURES(requests, splice)
TEST_OF_FAILURES(requests, fiemap)

/* Last of all: what has lost all pointers to it since boot. */
TEST(nothing_is_leaked)
{
	int len = read_leaks(text, sizeof(text));

	ASSERT_LE(0, len) TH_LOG("kmemleak: %s", strerror(errno));
	EXPECT_EQ(0, len) TH_LOG("%s", text);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--write-tree")) {
		if (!load_nodes(argv[2]) && !write_nodes(argv[3]))
			return 0;
		fprintf(stderr, "fault: %s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	if (load_nodes(PROGRAM) || load_image()) {
		printf("1..0 # SKIP for the guest of run-faults.sh only\n");
		return KSFT_SKIP;
	}
	mkdir(MNT, 0755);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return test_harness_run(argc, argv);
}
