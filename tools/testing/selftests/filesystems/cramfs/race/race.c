// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest in which many processes use cramfs at the same time, for as long as wanted:
 * this is its init, which mounts what it is given, starts workers of all kinds, watches
 * the kernel's log, and looks at the end whether everything has come back.
 *
 * It is also the program that workers execute from the image, and on the host it writes
 * the trees that the images are made of.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/loop.h>
#include <linux/reboot.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "race.h"

/*
 * How long something may take, in beats of init. Each is a nap and some work, which is
 * all that counts when the host is so busy that a round takes minutes: it may take as
 * long as so much work.
 */
#define NAP		100000	/* microseconds */
#define STUCK		2000
#define STUCK_RUN	(2 * STUCK)	/* for a search for leaks, which is all one */
#define INNER		3	/* the home in a file of another one */
#define LEAKS		"/sys/kernel/debug/kmemleak"
#define DROP_CACHES	"/proc/sys/vm/drop_caches"
#define PATIENCE	200	/* beats, for what is to come back */

/* Which kinds there are how often, and how many of them in the group of little memory. */
static const struct { unsigned char nr, in_group; } crew[NR_KINDS] = {
	[DO_READ] = { 3, 1 }, [DO_SPLICE] = { 1, 0 }, [DO_FIEMAP] = { 1, 0 },
	[DO_WALK] = { 1, 0 }, [DO_LOOKUP] = { 2, 1 }, [DO_TWINS] = { 1, 0 },
	[DO_MAP] = { 3, 1 }, [DO_THREADS] = { 1, 0 }, [DO_COW] = { 2, 1 },
	[DO_EXEC] = { 1, 0 }, [DO_PEEK] = { 1, 0 }, [DO_REFUSED] = { 1, 0 },
	[DO_REMOUNT] = { 1, 0 }, [DO_DROP] = { 2, 0 }, [DO_RECLAIM] = { 1, 0 },
	[DO_HOG] = { 1, 0 }, [DO_KILL] = { 2, 0 }, [DO_MOUNT_BLOCK] = { 2, 0 },
	[DO_MOUNT_MTD] = { 2, 0 }, [DO_MOUNT_PHYS] = { 3, 0 }, [DO_MOUNT_LOOP] = { 1, 0 },
};

struct worker {
	pid_t pid;
	enum kind kind;
	bool in_group;
	unsigned int life;
};

static struct worker workers[MAX_WORKERS];
static unsigned int nr_workers, nr_oom_kills;
static bool has_group, has_leaks;
static unsigned int tests;
static uint64_t seed;

/**
 * sum_of_text() - of this program as it is in memory
 *
 * Return: a sum that tells of each bit
 */
uint32_t sum_of_text(void)
{
	uint32_t sum = 0;

	for (const char *p = __executable_start; p < etext; p++)
		sum = (sum << 5 | sum >> 27) ^ (unsigned char)*p;
	return sum;
}

static void result(bool ok, const char *name)
{
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, name);
}

static bool parameter(const char *key, char *value, size_t size)
{
	char line[2048] = "", *word, *save;
	FILE *file = fopen("/proc/cmdline", "r");

	if (!file || !fgets(line, sizeof(line), file))
		return false;
	fclose(file);
	for (word = strtok_r(line, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save)) {
		if (!strncmp(word, key, strlen(key))) {
			snprintf(value, size, "%s", word + strlen(key));
			return true;
		}
	}
	return false;
}

static unsigned long number(const char *key)
{
	char value[64];

	return parameter(key, value, sizeof(value)) ? strtoul(value, NULL, 0) : 0;
}

static char *text(const char *key)
{
	char value[64];

	return parameter(key, value, sizeof(value)) ? strdup(value) : NULL;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* For init, which waits for those that do so. */
static void go_on(void)
{
	shared->run_seen = shared->beats;
}

/* Homes ------------------------------------------------------------------ */

static void add_home(unsigned int tree, const char *name, const char *device, unsigned long rom)
{
	struct home *home = &homes[nr_homes++];

	snprintf(home->top, sizeof(home->top), "/home-%s", name);
	snprintf(home->device, sizeof(home->device), "%s", device);
	home->tree = tree;
	home->rom = rom;
	mkdir(home->top, 0755);
}

static void mount_at(const struct home *home, const char *source, const char *options)
{
	must(!mount(source, home->top, "cramfs", MS_RDONLY, options), home->top);
}

/*
 * The command line has cramfs.rom=ADDRESS-END, which begins with tree 0 and has tree 1
 * race.half= bytes later; race.mtd-rom=, the address of the first MTD device, which has
 * tree 0, and race.mtd=, another one, which has tree 1. Of the disks the first has tree
 * 0 and the second tree 1.
 */
static int mount_homes(void)
{
	char device[32], options[64];
	unsigned long rom = number("cramfs.rom="), mtd_rom = number("race.mtd-rom=");
	int loop;

	nr_homes = 0;
	place.phys = rom + number("race.half=");
	place.empty = place.phys - (1UL << 20);
	place.taken[0] = rom;
	place.taken[1] = mtd_rom;
	place.mtd = text("race.mtd=");
	place.block = "/dev/vdb";
	must(rom && place.mtd, "cramfs.rom= and race.mtd= on the command line");

	add_home(0, "block", "/dev/vda", 0);
	mount_at(&homes[0], "/dev/vda", NULL);
	add_home(0, "mtd", "", mtd_rom);
	mount_at(&homes[1], "mtd0", NULL);
	add_home(0, "phys", "", rom);
	snprintf(options, sizeof(options), "physaddr=%#lx", rom);
	mount_at(&homes[2], "none", options);

	loop = loop_attach("/home-block/inner", device, sizeof(device));
	must(loop >= 0, "a loop device");
	add_home(NR_TREES - 1, "inner", device, 0);
	mount_at(&homes[INNER], device, NULL);
	return loop;
}

/* Everything goes away: also what killed workers have left. */
static bool unmount_homes(int loop)
{
	bool ok = true;

	for (int n = nr_homes; n--;) {
		if (umount2(homes[n].top, 0)) {
			printf("# %s: cannot be unmounted: %s\n", homes[n].top, strerror(errno));
			umount2(homes[n].top, MNT_DETACH);
			ok = false;
		}
		if (n == INNER) {
			ioctl(loop, LOOP_CLR_FD);
			close(loop);
		}
	}
	return ok;
}

static bool is_in(const char *path, const char *what)
{
	FILE *file = fopen(path, "r");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		found = strstr(line, what);
		if (found)
			printf("# %s: %s", path, line);
	}
	if (file)
		fclose(file);
	return found;
}

/* Workers ---------------------------------------------------------------- */

static void note_progress(unsigned int number)
{
	unsigned long now = shared->beats, took = now - shared->seen[number];

	/* Two at once may lose one of the numbers, which only tell how near STUCK is. */
	if (took > shared->longest)
		shared->longest = took;
	shared->seen[number] = now;
}

static void die_by(int sig, siginfo_t *info, void *context)
{
	fail("signal %d (%d) at %p", sig, info->si_code, info->si_addr);
	_exit(97);
}

static void be_worker(unsigned int number)
{
	const struct worker *worker = &workers[number];
	struct sigaction action = { .sa_sigaction = die_by, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	if (worker->in_group)
		write_text(GROUP "/cgroup.procs", "0");
	my_kind = worker->kind;
	snprintf(my_dir, sizeof(my_dir), "/work/%u", number);
	mkdir(my_dir, 0755);
	random_seed(seed ^ (uint64_t)(number + 1) << 32 ^ (uint64_t)worker->life << 48);
	while (!shared->stop) {
		do_round(worker->kind);
		note_progress(number);
	}
	exit(0);
}

static void start_worker(unsigned int number)
{
	struct worker *worker = &workers[number];

	worker->life++;
	shared->seen[number] = shared->beats;
	fflush(stdout);
	worker->pid = fork();
	must(worker->pid >= 0, "fork()");
	if (!worker->pid)
		be_worker(number);
}

static bool left_out(enum kind kind)
{
	return kind == DO_RECLAIM && !has_group;
}

static void start_workers(void)
{
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		for (unsigned int n = 0; n < crew[kind].nr && !left_out(kind); n++) {
			workers[nr_workers].kind = kind;
			workers[nr_workers].in_group = has_group && n < crew[kind].in_group;
			start_worker(nr_workers++);
		}
	}
}

/* The kernel may have killed one for its memory; nothing else ends one early. */
static void bury_workers(void)
{
	char dir[32];
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned int n = 0; n < nr_workers; n++) {
			if (workers[n].pid != pid)
				continue;
			workers[n].pid = 0;
			my_kind = workers[n].kind;
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
				nr_oom_kills++;
				snprintf(dir, sizeof(dir), "/work/%u", n);
				unmount_all_below(dir);
				if (!shared->stop)
					start_worker(n);
			} else if (status) {
				fail("a worker's end is %#x", status);
			}
		}
	}
}

static void show_stack(pid_t pid)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		printf("#   %s", line);
	if (file)
		fclose(file);
}

static void show_stuck(unsigned int number)
{
	printf("# %s has done nothing for %lu beats\n", kind_names[workers[number].kind],
	       shared->beats - shared->seen[number]);
	show_stack(workers[number].pid);
}

static bool anybody_stuck(void)
{
	bool stuck = false;

	for (unsigned int n = 0; n < nr_workers; n++) {
		if (workers[n].pid && shared->beats - shared->seen[n] > STUCK) {
			show_stuck(n);
			stuck = true;
		}
	}
	return stuck;
}

static unsigned int count_workers(void)
{
	unsigned int nr = 0;

	for (unsigned int n = 0; n < nr_workers; n++)
		nr += workers[n].pid != 0;
	return nr;
}

/* As long as there is one who ends, the others have not had their turn yet. */
static bool end_workers(void)
{
	unsigned long since = shared->beats;
	unsigned int left = count_workers(), now;

	shared->stop = 1;
	while (left && shared->beats - since <= STUCK) {
		usleep(20000);
		go_on();
		bury_workers();
		now = count_workers();
		if (now != left)
			since = shared->beats;
		left = now;
	}

	for (unsigned int n = 0; n < nr_workers; n++) {
		if (workers[n].pid) {
			show_stuck(n);
			kill(workers[n].pid, SIGKILL);
		}
	}
	return !left;
}

/* The kernel's log ------------------------------------------------------- */

static const char *const splats[] = {
#define SPLAT(text) text,
#include "../splats.h"
#undef SPLAT
	/* Of cramfs: an inode that makes no sense, where nothing is wrong with the image */
	": inode ",
};

static char **driver_symbols;
static unsigned int nr_symbols;
static unsigned long nr_foreign;	/* data races elsewhere in the kernel */

/* Names of functions, one a line; with KCSAN. */
static void load_symbols(void)
{
	FILE *file = fopen("/symbols", "r");
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		driver_symbols = realloc(driver_symbols, (nr_symbols + 1) * sizeof(char *));
		driver_symbols[nr_symbols++] = strdup(line);
	}
	if (file)
		fclose(file);
}

/* Is it a frame of a stack, and one of a function of the driver? */
static bool of_driver(const char *line)
{
	while (*line == ' ')
		line++;
	for (unsigned int n = 0; n < nr_symbols; n++) {
		size_t len = strlen(driver_symbols[n]);

		if (!strncmp(line, driver_symbols[n], len) && strchr("+.", line[len]))
			return true;
	}
	return false;
}

/* What only does what it was called for: its accesses are the caller's. */
static bool of_library(const char *line)
{
	static const char *const names[] = {
		"zlib_", "inflate_", "mem", "__mem", "list_", "__list_", "copy_", "_copy_", "str",
	};

	while (*line == ' ')
		line++;
	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		if (!strncmp(line, names[n], strlen(names[n])))
			return true;
	}
	return false;
}

#define MAX_REPORT	80
#define VMEMMAP		0xffffea0000000000ULL	/* of x86-64, where struct page is */

/*
 * Is a race about struct page? Its flags change under those who look at others of them,
 * by functions of the memory management that the compiler puts into their callers.
 */
static bool of_page(const char *line)
{
	const char *addr = strstr(line, " to 0x");
	unsigned long long at = addr ? strtoull(addr + 4, NULL, 16) : 0;

	return at >> 40 == VMEMMAP >> 40;
}

/*
 * A report of KCSAN, line by line. Most are of what the rest of the kernel does on
 * purpose; one is the driver's if an access is by it.
 *
 * Return: whether the line belongs to a report.
 */
static bool report_line(const char *line)
{
	static char *report[MAX_REPORT];
	static unsigned int nr;
	static bool frame;	/* the one that did it has been seen */
	static bool ours, page;

	if (!nr && !strstr(line, "BUG: KCSAN"))
		return false;
	if (strstr(line, " to 0x") || strstr(line, "race at unknown"))
		frame = false;
	page = page || of_page(line);
	if (strchr(line, '+') && !frame && !of_library(line)) {
		frame = true;
		ours = ours || of_driver(line);
	}
	if (nr < MAX_REPORT)
		report[nr++] = strdup(line);
	if (strncmp(line, "=====", 5) && nr < MAX_REPORT)
		return true;

	ours = ours && !page;
	for (unsigned int n = 0; n < nr; n++) {
		if (ours)
			printf("# kmsg %s\n", report[n]);
		free(report[n]);
	}
	if (!ours)
		nr_foreign++;
	else if (!shared->stop)
		printf("# the end, for a data race\n");
	if (ours)
		shared->stop = 1;
	ours = false;
	page = false;
	nr = 0;
	return true;
}

static bool is_splat(const char *line)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(splats); n++) {
		if (strstr(line, splats[n]))
			return true;
	}
	return false;
}

/* What is not right is shown, with what follows it, and ends the run. */
static void log_line(const char *line)
{
	static unsigned int show;

	if (nr_symbols && report_line(line))
		return;
	if (is_splat(line)) {
		if (strncmp(line, "cramfs: ", 8))
			show = 60;
		else
			printf("# kmsg BUG: %s\n", line);
		shared->stop = 1;
	}
	if (show) {
		printf("# kmsg %s\n", line);
		show--;
	}
}

static void read_log(int fd)
{
	char record[4096], *line;
	ssize_t len;

	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len <= 0) {
			printf("# kmsg lost\n");
			continue;
		}
		record[len] = 0;
		line = strchr(record, ';');
		if (!line)
			continue;
		line++;
		line[strcspn(line, "\n")] = 0;
		log_line(line);
	}
}

/* What has to come back -------------------------------------------------- */

/* Pages are those in the cache, of files and of devices. */
struct balance {
	long inodes;
	long dentries;
	long pages;
	long free_kb;
};

/* What is not there, or is no number, does not compare with anything. */
static unsigned long number_in(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	unsigned long value = 0;
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, key);

		found = at && sscanf(at + strlen(key), "%lu", &value) == 1;
	}
	if (file)
		fclose(file);
	errno = ENOMSG;
	must(found, path);
	return value;
}

static long slab_objects(const char *cache)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	must(!write_text(path, "1"), path);
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return number_in(path, "");
}

static struct balance take_balance(void)
{
	struct balance balance;

	/* Inodes of the last one are freed after a grace period, as are pages of a cache. */
	sync();
	for (int n = 0; n < 3; n++) {
		must(!write_text(DROP_CACHES, "3"), DROP_CACHES);
		usleep(200000);
	}
	balance.inodes = slab_objects("inode_cache");
	balance.dentries = slab_objects("dentry");
	balance.pages = number_in("/proc/vmstat", "nr_file_pages ");
	balance.free_kb = number_in("/proc/meminfo", "MemFree:");
	go_on();
	return balance;
}

static struct balance take_settled_balance(void)
{
	struct balance balance = take_balance(), last;

	do {
		last = balance;
		balance = take_balance();
	} while (balance.pages < last.pages);
	return balance;
}

static void show_balance(const char *when, const struct balance *balance)
{
	printf("# %s: inodes %ld, dentries %ld, pages %ld, free %ld kB\n", when, balance->inodes,
	       balance->dentries, balance->pages, balance->free_kb);
}

/*
 * The kernel has a few of each more or less, for /proc and for itself. Of pages there
 * are none but in the initramfs, whether something is mounted or not.
 */
static bool is_balanced(const struct balance *before, const struct balance *after)
{
	return after->inodes <= before->inodes + 16 && after->dentries <= before->dentries + 150 &&
	       after->pages <= before->pages &&
	       after->free_kb >= before->free_kb - 16 * 1024;
}

/* Sooner or later: there are processes that are about to end, with what they have mapped. */
static bool comes_back(const char *when, const struct balance *before)
{
	unsigned long since = shared->beats;
	struct balance after;
	bool balanced;

	do {
		after = take_balance();
		balanced = is_balanced(before, &after);
	} while (!balanced && shared->beats - since < PATIENCE);
	show_balance("before", before);
	show_balance(when, &after);
	return balanced;
}

/* Is there an object that nobody knows of, made after @since, in jiffies? By whomever. */
static bool list_leaks(unsigned long since)
{
	FILE *file = fopen(LEAKS, "r");
	unsigned int show = 0, found = 0;
	char line[256], head[256] = "", *at;

	must(file, LEAKS);
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, ", jiffies ");
		if (!strncmp(line, "unreferenced", 12)) {
			snprintf(head, sizeof(head), "%s", line);
			show = 0;
		} else if (at && (long)(strtoul(at + 10, NULL, 10) - since) >= 0) {
			show = found++ < 5 ? 30 : 0;
			if (show)
				printf("# %s", head);
		}
		if (show && show--)
			printf("# %s", line);
	}
	fclose(file);
	return found;
}

/*
 * The first scan notes sums of new objects: what changes is not lost. Nor is what is on
 * its way from one place to another, which the last one is for.
 */
static bool find_leaks(unsigned long since)
{
	for (int n = 0; n < 3; n++) {
		sleep(6);
		must(!write_text(LEAKS, "scan"), LEAKS);
		go_on();
	}
	return list_leaks(since);
}

/* The run ---------------------------------------------------------------- */

static void set_up(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED, "shared memory");
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mkdir("/work", 0755);
	mkdir("/cgroup", 0755);
	write_text("/proc/sys/kernel/hung_task_timeout_secs", "600");
	write_text("/proc/sys/vm/panic_on_oom", "0");

	has_group = !mount("cgroup2", "/cgroup", "cgroup2", 0, NULL) &&
		    !write_text("/cgroup/cgroup.subtree_control", "+memory") &&
		    !mkdir(GROUP, 0755);
	if (has_group) {
		write_text(GROUP "/memory.high", "12M");
		write_text(GROUP "/memory.max", "32M");
	}
	/* It is on if the kernel was told so; a search takes a minute or more. */
	has_leaks = !write_text(LEAKS, "scan=off");
}

static void make_trees(void)
{
	for (unsigned int n = 0; n < NR_TREES; n++)
		tree_make(&trees[n], n);
}

/* All that follows is compared with this, when nobody else is there. */
static void look_at_homes(void)
{
	for (unsigned int n = 0; n < nr_homes; n++) {
		const struct tree *tree = &trees[homes[n].tree];

		go_on();
		walk_tree(homes[n].top, tree);
		for (unsigned int f = 0; f < tree->nr_files; f++) {
			if (tree->files[f]->len && one_in(4))
				map_some(homes[n].top, tree->files[f], homes[n].rom);
		}
	}
}

static void say_counts(long elapsed)
{
	printf("# after %ld s, at beat %lu, at most %lu a round:", elapsed, shared->beats,
	       shared->longest);
	for (enum kind kind = 0; kind < NR_KINDS; kind++)
		printf(" %s %lu", kind_names[kind], shared->rounds[kind]);
	printf("\n# refused %lu mounts of a range in use, killed %lu", shared->busy,
	       shared->killed);
	printf(", lost %u to the kernel, saw %lu pages in place", nr_oom_kills, shared->in_rom);
	if (nr_symbols)
		printf(", %lu data races elsewhere", nr_foreign);
	printf("\n");
}

static bool watch(int log, long time, bool *lasted)
{
	long begin = seconds(), said = begin;
	bool stuck = false;

	while (!shared->stop && !stuck && seconds() - begin < time) {
		usleep(NAP);
		go_on();
		bury_workers();
		read_log(log);
		stuck = anybody_stuck();
		if (seconds() - said >= 60) {
			said = seconds();
			say_counts(said - begin);
		}
	}
	/* Who has stopped it has said why, or is in the kernel's log. */
	*lasted = !shared->stop && !stuck;
	say_counts(seconds() - begin);
	return !stuck;
}

static bool all_have_worked(void)
{
	bool all = true;

	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		if (!shared->rounds[kind] && !left_out(kind)) {
			printf("# %s: nothing done\n", kind_names[kind]);
			all = false;
		}
	}
	return all;
}

static void run(void)
{
	struct balance before;
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), loop;
	long time = number("race.time=") ?: 60;
	unsigned long since = has_leaks ? number_in("/proc/timer_list", "jiffies: ") : 0;
	bool lasted, ended, all_unmounted, mounted_back, unmounted_back;

	seed = number("race.seed=");
	printf("# seed %llu, %ld s\n", (unsigned long long)seed, time);
	random_seed(seed);
	load_symbols();
	make_trees();

	loop = mount_homes();
	look_at_homes();
	must(unmount_homes(loop), "homes");
	printf("# nothing wrong before it begins: %s\n", shared->failed ? "no" : "yes");
	before = take_settled_balance();

	memset(shared->rounds, 0, sizeof(shared->rounds));
	loop = mount_homes();
	start_workers();
	ended = watch(log, time, &lasted);
	ended = end_workers() && ended;
	unmount_all_below("/work");
	mounted_back = comes_back("mounted", &before);
	all_unmounted = unmount_homes(loop) && !is_in("/proc/self/mounts", " cramfs") &&
		    !is_in("/proc/iomem", "cramfs");
	unmounted_back = comes_back("unmounted", &before);
	read_log(log);

	printf("1..%d\n", has_leaks ? 10 : 9);
	result(lasted, "the run has lasted as long as it was to");
	result(all_have_worked(), "workers of every kind have done something");
	result(!shared->failed, "nobody has seen anything wrong");
	result(shared->in_rom, "pages are mapped in place");
	result(shared->busy, "a range in use is refused");
	result(ended, "everybody goes on and ends when told to");
	result(all_unmounted, "everything is unmounted and no range is claimed");
	result(mounted_back, "inodes, dentries and pages of what is mounted come back");
	result(unmounted_back, "inodes, dentries and pages come back");
	if (has_leaks)
		result(!find_leaks(since), "the kernel has not lost any memory");
	read_log(log);
	printf("# kmsg end\n");
}

static void beat(void)
{
	usleep(NAP);
	sum_of_text();
	sum_of_text();
	shared->beats++;
}

/* Orphans are ours, too. Sooner or later is soon enough, but not never. */
static bool has_ended(pid_t pid, int *status)
{
	pid_t ended;

	while (shared->beats - shared->run_seen <= STUCK_RUN) {
		beat();
		while ((ended = waitpid(-1, status, WNOHANG)) > 0) {
			if (ended == pid)
				return true;
		}
	}
	printf("# the run itself is stuck\n");
	show_stack(pid);
	*status = -1;
	return false;
}

/* What the run itself could not show, since it has died or is stuck in the kernel. */
static void show_log(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	load_symbols();
	read_log(log);
	close(log);
}

/* As init: there is nothing outside of the guest that waits for more than the console. */
static int run_as_init(void)
{
	pid_t pid;
	int status = 0;

	set_up();
	printf("# run race\n");
	pid = fork();
	if (!pid) {
		run();
		exit(0);
	}
	if (!has_ended(pid, &status) || status)
		show_log();
	printf("# end %d\n# all run\n", status);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	/* Nothing is to be written, and sync() waits for whoever is stuck in unmounting. */
	reboot(RB_POWER_OFF);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--look"))
		return sum_of_text() != strtoul(argv[2], NULL, 16);
	if (argc == 3 && !strcmp(argv[1], "--wait")) {
		if (write(STDOUT_FILENO, "", 1) != 1)
			return 1;
		while (1)
			sum_of_text();
	}
	if (argc == 4 && !strcmp(argv[1], "--write")) {
		struct tree tree = {};

		tree_make(&tree, atoi(argv[2]));
		return tree_write(&tree, argv[3]) ? 1 : 0;
	}
	if (getpid() == 1)
		return run_as_init();
	fprintf(stderr, "usage: race --write NUMBER DIRECTORY, or as init of a guest\n");
	return 2;
}
