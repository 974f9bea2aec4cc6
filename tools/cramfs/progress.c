// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line that shows on a terminal how far a long build is. There is none in a pipe, none before a
 * second has passed, and none for long: everybody who prints something clears it first.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "mkcramfs.h"

/* In seconds: when the line is shown first, and how often it is renewed. */
#define FIRST		1.0
#define INTERVAL	0.2

static struct {
	pthread_mutex_t lock;
	bool running, shown;
	double began, next;
	__u64 in, in_total, out;
	size_t files, files_total;
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool has_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

/* A job in the background leaves the terminal to others. */
static bool may_write(void)
{
	return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

static void count(const struct entry *e)
{
	size_t i;

	if (entry_has_data(e) && !e->same) {
		progress.files_total++;
		progress.in_total += e->size;
	}
	for (i = 0; i < e->nr_children; i++)
		count(e->child[i]);
}

/* Hours if there are any, minutes, and seconds. */
static void put_duration(char *out, size_t room, double seconds)
{
	unsigned int s = seconds > 359999 ? 359999 : seconds + 0.99;

	if (s >= 3600)
		snprintf(out, room, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, room, "%u:%02u", s / 60, s % 60);
}

static void show(double elapsed)
{
	char line[160], left[16] = "-:--";
	unsigned int width = columns();
	double ratio = progress.in ? 100.0 * progress.out / progress.in : 0;

	if (progress.in && progress.in <= progress.in_total)
		put_duration(left, sizeof(left),
			     elapsed / progress.in * (progress.in_total - progress.in));
	snprintf(line, sizeof(line), "%zu of %zu files, %.1f of %.1f MB, to %.1f %%, %s left",
		 progress.files, progress.files_total, progress.in / 1e6, progress.in_total / 1e6,
		 ratio, left);
	/* A line that wraps cannot be cleared. */
	fprintf(stderr, "\r%.*s\033[K", width ? (int)width - 1 : 0, line);
	fflush(stderr);
	progress.shown = true;
}

static void clear(void)
{
	if (!progress.shown)
		return;
	progress.shown = false;
	/* Give who has cleared it the time to write. */
	progress.next = now() + INTERVAL;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

/**
 * progress_start() - the contents of files are about to be read
 * @root: root of the tree
 * @opt: options
 */
void progress_start(const struct entry *root, const struct options *opt)
{
	if (opt->quiet || !has_terminal())
		return;
	count(root);
	progress.began = now();
	progress.next = progress.began + FIRST;
	progress.running = true;
}

/**
 * progress_update() - some more has been done
 * @in_bytes: bytes of the source that have been dealt with since the last call
 * @out_bytes: what they take in the image
 * @file_is_done: that was the rest of a file
 *
 * Any thread may call it.
 */
void progress_update(__u64 in_bytes, __u64 out_bytes, bool file_is_done)
{
	double t;

	if (!progress.running)
		return;
	t = now();
	pthread_mutex_lock(&progress.lock);
	progress.in += in_bytes;
	progress.out += out_bytes;
	progress.files += file_is_done;
	if (t >= progress.next && may_write()) {
		progress.next = t + INTERVAL;
		show(t - progress.began);
	}
	pthread_mutex_unlock(&progress.lock);
}

/**
 * progress_clear() - make room for a message
 *
 * The line comes back with one of the next calls of progress_update().
 */
void progress_clear(void)
{
	if (!progress.running)
		return;
	pthread_mutex_lock(&progress.lock);
	clear();
	pthread_mutex_unlock(&progress.lock);
}

/**
 * progress_end() - all has been done
 */
void progress_end(void)
{
	progress_clear();
	progress.running = false;
}
