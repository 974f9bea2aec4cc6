// SPDX-License-Identifier: GPL-2.0-only
/*
 * What fsck.cramfs says of an image: problems, which make it a bad one, and doubts, which do not.
 * Both are counted, and after a hundred of a kind only counted. Names come from the image, so that
 * what a terminal might obey in them is shown, not sent.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fsck.h"

#define MAX_SHOWN	100UL

static unsigned long problems, doubts;
static bool quiet;

/**
 * report_set_quiet() - let doubts be counted only
 */
void report_set_quiet(void)
{
	quiet = true;
}

/**
 * problems_are_shown() - is the next problem printed?
 *
 * Return: false if it is only counted, so that nothing needs to be found out for its message.
 */
bool problems_are_shown(void)
{
	return problems < MAX_SHOWN;
}

/**
 * nr_problems() - how many problems there are so far
 *
 * Return: their number.
 */
unsigned long nr_problems(void)
{
	return problems;
}

static void say(const char *kind, const struct catalog *cat, const struct dir *dir, __u32 at,
		const char *fmt, va_list args)
{
	char *path, *text;

	fflush(stdout);
	fprintf(stderr, "%s: %s", program, kind);
	if (cat) {
		path = catalog_path(cat, dir, at);
		print_escaped(stderr, path);
		fputs(": ", stderr);
		free(path);
	}
	if (vasprintf(&text, fmt, args) < 0)
		die("out of memory");
	print_escaped(stderr, text);
	fputc('\n', stderr);
	free(text);
}

/**
 * problem() - say what is wrong with the image
 * @fmt: what is wrong, with its place
 */
void problem(const char *fmt, ...)
{
	va_list args;

	if (problems++ >= MAX_SHOWN)
		return;
	va_start(args, fmt);
	say("", NULL, NULL, 0, fmt, args);
	va_end(args);
}

/**
 * problem_at() - say what is wrong with an entry of the image
 * @cat: the catalogue
 * @dir: directory that the entry is in; NULL for the root
 * @at: image offset of its inode
 * @fmt: what is wrong
 */
void problem_at(const struct catalog *cat, const struct dir *dir, __u32 at, const char *fmt, ...)
{
	va_list args;

	if (problems++ >= MAX_SHOWN)
		return;
	va_start(args, fmt);
	say("", cat, dir, at, fmt, args);
	va_end(args);
}

/**
 * doubt() - say what is odd about the image, though it can be read
 * @fmt: what is odd
 */
void doubt(const char *fmt, ...)
{
	va_list args;

	if (quiet || doubts++ >= MAX_SHOWN)
		return;
	va_start(args, fmt);
	say("warning: ", NULL, NULL, 0, fmt, args);
	va_end(args);
}

/**
 * doubt_at() - say what is odd about an entry of the image
 * @cat: the catalogue
 * @dir: directory that the entry is in; NULL for the root
 * @at: image offset of its inode
 * @fmt: what is odd
 */
void doubt_at(const struct catalog *cat, const struct dir *dir, __u32 at, const char *fmt, ...)
{
	va_list args;

	if (quiet || doubts++ >= MAX_SHOWN)
		return;
	va_start(args, fmt);
	say("warning: ", cat, dir, at, fmt, args);
	va_end(args);
}

/**
 * report_end() - say how much has not been said
 * @path: the image's file
 */
void report_end(const char *path)
{
	if (problems > MAX_SHOWN)
		fprintf(stderr, "%s: %s: %lu more errors\n", program, path, problems - MAX_SHOWN);
	if (doubts > MAX_SHOWN)
		fprintf(stderr, "%s: %s: %lu more warnings\n", program, path, doubts - MAX_SHOWN);
}

/**
 * print_escaped() - print bytes of the image as text of one line
 * @out: where to
 * @s: string
 *
 * What is not UTF-8 or not printable is shown as \xHH, a backslash as two.
 */
void print_escaped(FILE *out, const char *s)
{
	char *text = printable(s);

	fputs(text, out);
	free(text);
}

/**
 * finish_stdout() - see to it that all that was printed has got where it was to go
 */
void finish_stdout(void)
{
	if (fflush(stdout) || ferror(stdout) || (fclose(stdout) && errno != EBADF))
		die_errno("standard output");
}
