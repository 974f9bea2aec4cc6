// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workers of the race test: how many there are of each kind, that they go on, and
 * that they end when they are to and not before.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

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
static unsigned int nr_workers, nr_oom_kills, nr_ended;
static bool has_group;
static uint64_t seed;

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
	my_number = number;
	snprintf(my_dir, sizeof(my_dir), "/work/%u", number);
	mkdir(my_dir, 0755);
	random_seed(seed ^ (uint64_t)(number + 1) << 32 ^ (uint64_t)worker->life << 48);
	while (!shared->stop)
		do_round(worker->kind);
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

/* Those of the workers that are in it have little memory. */
static void make_group(void)
{
	mkdir("/cgroup", 0755);
	has_group = !mount("cgroup2", "/cgroup", "cgroup2", 0, NULL) &&
		    !write_text("/cgroup/cgroup.subtree_control", "+memory") &&
		    !mkdir(GROUP, 0755);
	if (has_group) {
		write_text(GROUP "/memory.high", "12M");
		write_text(GROUP "/memory.max", "32M");
	}
}

static bool left_out(enum kind kind)
{
	return kind == DO_RECLAIM && !has_group;
}

/**
 * start_workers() - start all that there are
 * @chances: from which each has its own
 */
void start_workers(uint64_t chances)
{
	seed = chances;
	make_group();
	/* Their children hold what they have until the last of them has ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (enum kind kind = 0; kind < NR_KINDS; kind++) {
		for (unsigned int n = 0; n < crew[kind].nr && !left_out(kind); n++) {
			workers[nr_workers].kind = kind;
			workers[nr_workers].in_group = has_group && n < crew[kind].in_group;
			start_worker(nr_workers++);
		}
	}
}

/**
 * bury_workers() - look who has ended, and start others instead
 *
 * The kernel may have killed one for its memory; nothing else ends one early. What a
 * worker leaves behind ends here, too.
 *
 * Return: whether there is still somebody
 */
bool bury_workers(void)
{
	char dir[32];
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		nr_ended++;
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
	return !pid;
}

/**
 * show_stack() - say where in the kernel a process is
 * @pid: the process
 */
void show_stack(pid_t pid)
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

/**
 * anybody_stuck() - look for workers that do not go on, and show where they are
 *
 * Return: whether there are any
 */
bool anybody_stuck(void)
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

/**
 * end_workers() - wait for all to end
 *
 * As long as there is one who does, the others have not had their turn yet.
 *
 * Return: whether all have, and their children; if not, after showing where they are
 */
bool end_workers(void)
{
	unsigned long since = shared->beats;
	unsigned int seen = 0;
	bool left;

	shared->stop = 1;
	while ((left = bury_workers()) && shared->beats - since <= STUCK) {
		usleep(20000);
		note_progress();
		if (nr_ended != seen)
			since = shared->beats;
		seen = nr_ended;
	}

	for (unsigned int n = 0; n < nr_workers; n++) {
		if (workers[n].pid) {
			show_stuck(n);
			kill(workers[n].pid, SIGKILL);
		}
	}
	return !left;
}

/**
 * say_counts() - say what has been done so far
 * @elapsed: in how many seconds
 */
void say_counts(long elapsed)
{
	printf("# after %ld s, at beat %lu, at most %lu without progress (%s):", elapsed,
	       shared->beats, shared->longest, kind_names[shared->slowest]);
	for (enum kind kind = 0; kind < NR_KINDS; kind++)
		printf(" %s %lu", kind_names[kind], shared->rounds[kind]);
	printf("\n# refused %lu mounts of a range in use, killed %lu", shared->busy,
	       shared->killed);
	printf(", lost %u to the kernel, saw %lu pages in place", nr_oom_kills, shared->in_rom);
	printf(", %lu data races elsewhere\n", nr_foreign_races);
}

/**
 * all_have_worked() - has every kind of worker done something?
 *
 * Return: whether it has
 */
bool all_have_worked(void)
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
