// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer. As the first process of a guest it starts another one that tries
 * images, and watches it; what is to be tried is in its arguments, which are
 * those after -- on the kernel's command line. On the host, --make writes the image
 * that a guest would try. run.py starts guests and reads what they say.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "fuzz.h"

/* What run.py looks for. */
#define FINDING		"finding: "
#define BROKEN		"broken: "

#define MNT		"/mnt"
#define MOUNT_FLAGS	(MS_RDONLY | MS_NODEV)
#define WARM_UP		50	/* images before it is counted what is in use */
#define LEAK_CHECK	500	/* images from one count to the next */

static struct {
	const char *way, *memory, *seeds, *image, *output;
	__u64 seed, first, count, time, make, patience, kmemleak;
} options = { .seeds = "/seeds", .way = "block", .count = 1ull << 62, .patience = 60 };

/**
 * struct progress - what the watching process sees of the other one
 * @index: of the image that is being tried
 * @tried: images
 * @changed: how many of them are not a seed; what follows is of these
 * @new: how many were unlike all before them
 * @mounted: how many were mounted
 * @verified: of these, with the option verify
 * @counts: of the walks
 */
struct progress {
	__u64 index;
	unsigned long tried, changed, new, mounted, verified;
	struct walk_counts counts;
};

static struct progress *progress;
static const struct image *current;

/* In one piece, and without what a console takes for something else. */
static void vprint(const char *prefix, const char *format, va_list args)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "fuzz: %s", prefix);

	len += vsnprintf(text + len, sizeof(text) - len - 1, format, args);
	len = len < (int)sizeof(text) - 1 ? len : (int)sizeof(text) - 2;
	for (int i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
	text[len++] = '\n';
	if (write(STDOUT_FILENO, text, len) != len)
		_exit(1);
}

static void __attribute__((format(printf, 1, 2))) print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint("", format, args);
	va_end(args);
}

/**
 * finding() - say what is wrong with the driver, and end
 * @format: as of printf()
 */
void finding(const char *format, ...)
{
	char prefix[128];
	va_list args;

	snprintf(prefix, sizeof(prefix), FINDING "image %llu from %s: ",
		 progress->index, current->seed->name);
	va_start(args, format);
	vprint(prefix, format, args);
	va_end(args);
	_exit(3);
}

/**
 * broken() - say what is wrong with the fuzzer or its guest, and end
 * @format: as of printf()
 */
void broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint(BROKEN, format, args);
	va_end(args);
	tcdrain(STDOUT_FILENO);
	_exit(4);
}

/**
 * check_errno() - a finding if an error is none that an image may give; see expect_errno()
 * @path: where that was
 * @how: what was asked for
 * @expected: which errors may be given; ends with 0
 */
void check_errno(const char *path, const char *how, const int *expected)
{
	int err = errno;

	while (*expected && *expected != err)
		expected++;
	if (!*expected)
		finding("%s: %s: %s", path, how, strerror(err));
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* One image ----------------------------------------------------------------------- */

static bool try_mount(struct place *place, const struct view *view, bool complete, bool verify)
{
	if (place->mount(place, MNT, MOUNT_FLAGS, verify ? "verify" : NULL)) {
		expect_errno(MNT, "mount", EINVAL, EUCLEAN);
		return false;
	}
	if (!complete)
		finding("mounted, and has no whole superblock, or is not there as a whole");
	if (view->flags & ~CRAMFS_SUPPORTED_FLAGS || !S_ISDIR(view->root.mode))
		finding("mounted with flags %#x and a root of mode %o", view->flags,
			view->root.mode);
	if (verify && !view_crc_is_right(view))
		finding("mounted with verify, and has another checksum");
	progress->mounted += current->changed;
	progress->verified += current->changed && verify;
	return true;
}

static void try_options(bool verified)
{
	char text[4096];
	int fd = open("/proc/mounts", O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text)) <= 0)
		finding("/proc/mounts cannot be read");
	close(fd);
	/* Options can be said again, but not changed. */
	if (mount(NULL, MNT, NULL, MS_REMOUNT | MOUNT_FLAGS, "verify"))
		expect_errno(MNT, "remount", verified ? 0 : EINVAL);
	else if (!verified)
		finding("remounted with verify, and was mounted without");
}

/* Of an image that is not a seed. @crc tells it from others, but for a few. */
static void count_image(__u32 crc)
{
	static unsigned char seen[1 << 16];
	unsigned char *byte = &seen[crc / 8 % sizeof(seen)], bit = 1 << crc % 8;
	struct walk_counts *sum = &progress->counts;

	progress->changed++;
	progress->new += !(*byte & bit);
	*byte |= bit;
	sum->entries += walk_counts.entries;
	sum->refused += walk_counts.refused;
	sum->pages += walk_counts.pages;
	sum->bad += walk_counts.bad;
	sum->in_place += walk_counts.in_place;
}

/*
 * All that is decided here, and in the walk, is by the contents of the image, so
 * that it is the same when the image is tried by itself.
 */
static void try_image(struct place *place, const struct image *image)
{
	__u32 crc = crc32(0, image->data, image->len);
	struct rng rng = { crc };
	bool verify = rng_one_in(&rng, 4), good = !image->changed && !image->seed->hostile;
	bool complete, mounted;
	struct rng again;
	struct view view;
	__u64 hash;

	walk_counts = (struct walk_counts){};
	place = place_for(place, &rng);
	place->put(place, image);
	complete = view_open(&view, image->data, place->room);
	mounted = try_mount(place, &view, complete, verify);
	if (!mounted && verify && !(complete && view_crc_is_right(&view))) {
		place->put(place, image);
		verify = false;
		mounted = try_mount(place, &view, complete, verify);
	}
	if (mounted) {
		again = rng;
		hash = walk_image(MNT, &view, rng);
		if (rng_one_in(&rng, 8)) {
			if (rng_one_in(&rng, 2))
				health_forget_caches();
			if (walk_image(MNT, &view, again) != hash)
				finding("the second walk sees something else");
		}
		if (rng_one_in(&rng, 16))
			try_options(verify);
		if (umount2(MNT, 0))
			finding("unmount: %s", strerror(errno));
	}
	if (good && (!mounted || walk_counts.refused || walk_counts.bad))
		finding("a good image is refused, or some of it");
	health_check_log();
	if (image->changed)
		count_image(crc);
	progress->tried++;
}

static noreturn void try_images(void)
{
	__u64 end = options.first + options.count, stop = now_ms() + options.time * 1000;
	struct corpus corpus;
	struct place *place;
	struct image image;

	image_init(&image);
	walk_init();
	place = place_open(options.way, options.memory);
	health_init();
	if (options.image) {
		image_load(&image, options.image);
		current = &image;
		print("at 0");
		try_image(place, &image);
		_exit(0);
	}
	corpus_load(&corpus, options.seeds);
	for (__u64 i = options.first; i < end; i++) {
		if (options.time && now_ms() >= stop)
			break;
		progress->index = i;
		/* What stops the kernel leaves nobody to say which image it was. */
		print("at %llu", i);
		image_make(&image, &corpus, options.seed, i, NULL);
		current = &image;
		try_image(place, &image);
		if (progress->tried >= WARM_UP && progress->tried % LEAK_CHECK == WARM_UP)
			health_check_leaks(progress->tried);
	}
	if (progress->tried > WARM_UP)
		health_check_leaks(progress->tried);
	if (options.kmemleak)
		health_find_lost();
	_exit(0);
}

/* The first process --------------------------------------------------------------- */

static void must(bool good, const char *what)
{
	if (!good)
		broken("%s: %s", what, strerror(errno));
}

static void set_up_guest(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0755);
	mkdir(MNT, 0755);
	must(!mount("proc", "/proc", "proc", 0, NULL), "/proc");
	must(!mount("sysfs", "/sys", "sysfs", 0, NULL), "/sys");
	must(!mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) || errno == EBUSY, "/dev");
	must(!mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "/tmp");
	must(!mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL), "/sys/kernel/debug");
}

/* Where a process is that does not get on. */
static void print_stack(pid_t pid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		print("stack: %s", line);
	}
}

static void watch(pid_t pid)
{
	__u64 last = ~0ull, since = now_ms();
	struct timespec wait = { .tv_sec = 1 };
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (!waitpid(pid, &status, WNOHANG)) {
		sigtimedwait(&child, NULL, &wait);
		if (progress->tried != last) {
			last = progress->tried;
			since = now_ms();
		} else if (now_ms() - since > options.patience * 1000ull) {
			print_stack(pid);
			print(FINDING "image %llu: hangs",
			      progress->index);
			return;
		}
	}
	if (WIFSIGNALED(status))
		print(FINDING "image %llu: the walk was killed by signal %d",
		      progress->index, WTERMSIG(status));
}

static void read_options(int argc, char **argv)
{
	static const struct {
		const char *name;
		const char **text;
		__u64 *number;
	} known[] = {
		{ "way", .text = &options.way }, { "memory", .text = &options.memory },
		{ "seeds", .text = &options.seeds }, { "image", .text = &options.image },
		{ "output", .text = &options.output },
		{ "seed", .number = &options.seed }, { "first", .number = &options.first },
		{ "count", .number = &options.count }, { "time", .number = &options.time },
		{ "make", .number = &options.make }, { "patience", .number = &options.patience },
		{ "kmemleak", .number = &options.kmemleak },
	};

	for (int n = 1; n < argc; n++) {
		const char *value = strchr(argv[n], '=');
		size_t len = value ? value - argv[n] : 0, i;

		/* User-mode Linux adds something of its own to the command line. */
		if (strncmp(argv[n], "--", 2))
			continue;
		for (i = 0; i < ARRAY_SIZE(known); i++) {
			if (len == 2 + strlen(known[i].name) &&
			    !strncmp(argv[n] + 2, known[i].name, len - 2))
				break;
		}
		if (i == ARRAY_SIZE(known))
			broken("%s: no such option", argv[n]);
		if (known[i].text)
			*known[i].text = value + 1;
		else
			*known[i].number = strtoull(value + 1, NULL, 0);
	}
}

static int make_image(void)
{
	struct corpus corpus;
	struct image image;
	FILE *file;

	corpus_load(&corpus, options.seeds);
	image_init(&image);
	image_make(&image, &corpus, options.seed, options.make, stdout);
	file = fopen(options.output, "w");
	if (!file || fwrite(image.data, 1, image.len, file) != image.len || fclose(file))
		broken("%s: %s", options.output, strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	const struct walk_counts *counts;
	sigset_t all;
	pid_t pid;

	read_options(argc, argv);
	if (options.output)
		return make_image();
	if (getpid() != 1)
		broken("this takes a guest; --make=NUMBER --output=FILE does not");

	set_up_guest();
	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(progress != MAP_FAILED, "mmap");
	counts = &progress->counts;
	/* For sigtimedwait(). */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		try_images();
	}
	watch(pid);
	print("images=%lu changed=%lu new=%lu mounted=%lu verified=%lu", progress->tried,
	      progress->changed, progress->new, progress->mounted, progress->verified);
	print("entries=%lu refused=%lu pages=%lu bad=%lu in_place=%lu", counts->entries,
	      counts->refused, counts->pages, counts->bad, counts->in_place);
	print("end");
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	return 1;
}
