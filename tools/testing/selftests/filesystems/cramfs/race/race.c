// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest in which many processes use cramfs at the same time, for as long as wanted:
 * this is its init, and the run from its beginning to its results.
 *
 * It is also the program that workers execute from the image, and on the host it writes
 * the trees that the images are made of.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/reboot.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "race.h"

static unsigned int tests;

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

/**
 * text() - a word on the kernel's command line
 * @key: what is in front of it, with the '='
 *
 * Return: the word, NULL if there is none
 */
char *text(const char *key)
{
	char value[64];

	return cmdline_get(key, value, sizeof(value)) ? strdup(value) : NULL;
}

/**
 * must() - end the run if it cannot go on
 * @ok: whether it can
 * @what: what cannot be had, or has no sense; errno says why
 */
void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

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
	/* The kernel goes by the clock. */
	write_text("/proc/sys/kernel/hung_task_timeout_secs", "0");
	write_text("/proc/sys/vm/panic_on_oom", "0");
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

		note_progress();
		walk_tree(homes[n].top, tree);
		for (unsigned int f = 0; f < tree->nr_files; f++) {
			if (tree->files[f]->len && one_in(4))
				map_some(homes[n].top, tree->files[f], homes[n].rom);
		}
	}
}

static bool watch(long time, bool *lasted)
{
	long begin = seconds(), said = begin;
	bool stuck = false;

	while (!shared->stop && !stuck && seconds() - begin < time) {
		usleep(NAP);
		note_progress();
		bury_workers();
		read_log();
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

static void run(void)
{
	long time = cmdline_number("race.time=") ?: 60;
	bool has_leaks = begin_leaks(), lasted, ended, all_unmounted, mounted_back, unmounted_back;
	uint64_t seed = cmdline_number("race.seed=");
	int loop;

	printf("# seed %llu, %ld s\n", (unsigned long long)seed, time);
	random_seed(seed);
	make_trees();

	loop = mount_homes();
	look_at_homes();
	must(unmount_homes(loop), "homes");
	printf("# nothing wrong before it begins: %s\n", shared->failed ? "no" : "yes");
	begin_balance();

	memset(shared->rounds, 0, sizeof(shared->rounds));
	shared->longest = 0;
	loop = mount_homes();
	start_workers(seed);
	ended = watch(time, &lasted);
	ended = end_workers() && ended;
	unmount_all_below("/work");
	mounted_back = comes_back("mounted");
	all_unmounted = unmount_homes(loop);
	unmounted_back = comes_back("unmounted");
	read_log();

	printf("1..%d\n", has_leaks ? 10 : 9);
	result(lasted, "the time has not been cut short");
	result(all_have_worked(), "workers of every kind have done something");
	result(!shared->failed, "nobody has seen anything wrong");
	result(shared->in_rom, "pages are mapped in place");
	result(shared->busy, "a range in use is refused");
	result(ended, "everybody goes on and ends when told to");
	result(all_unmounted, "everything is unmounted and no range is claimed");
	result(mounted_back, "inodes, dentries and pages of what is mounted come back");
	result(unmounted_back, "inodes, dentries and pages come back");
	if (has_leaks)
		result(!find_leaks(), "the kernel has not lost any memory");
	read_log();
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

	while (shared->beats - shared->seen[RUN] <= STUCK) {
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
	/* What the run itself could not show, since it has died or is stuck in the kernel. */
	if (!has_ended(pid, &status) || status)
		read_log();
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
