// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages and the end of the program: an error names its object, goes to standard error and ends
 * the program; the unfinished image is removed by output.c, which has asked for that at exit.
 * Running out of memory is such an error too, so that callers need not think of it. Names come from
 * anybody, so characters that control a terminal are not printed as such.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common.h"

/* Of these, only so many are worth reading; the others are counted. */
#define MAX_COMPLAINTS	100

static unsigned int warnings, complaints;

static void message(const char *kind, const char *fmt, va_list args)
{
	char *raw, *text;

	/* die() would come back here. */
	if (vasprintf(&raw, fmt, args) < 0) {
		fprintf(stderr, "%s: out of memory\n", program);
		exit(EXIT_ERROR);
	}
	text = printable(raw);
	progress_clear();
	fflush(stdout);
	fprintf(stderr, "%s: %s%s\n", program, kind, text);
	free(text);
	free(raw);
}

/**
 * die() - print an error and end the program
 * @fmt: what is wrong, beginning with the name of the object that it is wrong with
 */
void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message("", fmt, args);
	va_end(args);
	exit(EXIT_ERROR);
}

/**
 * die_errno() - print what errno says of an object and end the program
 * @what: the object, as a rule a path
 */
void die_errno(const char *what)
{
	die("%s: %s", what, strerror(errno));
}

/**
 * exit_usage() - end the program, since the command line is wrong, as has been said
 */
void exit_usage(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program);
	exit(EXIT_USAGE);
}

/**
 * die_usage() - print what is wrong with the command line and end the program
 * @fmt: the option or operand, and what is wrong with it
 */
void die_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message("", fmt, args);
	va_end(args);
	exit_usage();
}

/**
 * complain() - print an error after which the program can go on to look for others
 * @fmt: what is wrong, beginning with the name of the object that it is wrong with
 */
void complain(const char *fmt, ...)
{
	va_list args;

	if (complaints++ >= MAX_COMPLAINTS)
		return;
	va_start(args, fmt);
	message("", fmt, args);
	va_end(args);
}

/**
 * die_if_complaints() - end the program if there were errors that had let it go on
 */
void die_if_complaints(void)
{
	if (complaints > MAX_COMPLAINTS)
		die("%u more errors", complaints - MAX_COMPLAINTS);
	if (complaints)
		exit(EXIT_ERROR);
}

/**
 * warn() - print a warning, and count it
 * @fmt: what is doubtful, beginning with the name of the object that it is about
 */
void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message("warning: ", fmt, args);
	va_end(args);
	warnings++;
}

/**
 * nr_warnings() - how many warnings have been printed
 *
 * Return: their number.
 */
unsigned int nr_warnings(void)
{
	return warnings;
}

/**
 * xgrow() - change the size of an allocation
 * @old: allocation, or NULL
 * @size: new size in bytes
 *
 * Return: the allocation; new bytes are not initialised.
 */
void *xgrow(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		die("out of memory");
	return p;
}

/**
 * xalloc() - allocate zeroed memory
 * @size: in bytes
 *
 * Return: the allocation.
 */
void *xalloc(size_t size)
{
	return memset(xgrow(NULL, size), 0, size);
}

/**
 * xstrdup() - copy a string
 * @s: string
 *
 * Return: the copy.
 */
char *xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xgrow(NULL, len), s, len);
}

/**
 * decode_utf8() - decode a character
 * @s: bytes
 * @len: how many, at least one
 * @code: set to the number of the character
 *
 * Return: how many bytes it has, or 0 if these are not UTF-8.
 */
size_t decode_utf8(const char *s, size_t len, __u32 *code)
{
	/* The least number that needs so many bytes; fewer make an overlong sequence. */
	static const __u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t need, i;

	*code = p[0];
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc0 || p[0] >= 0xf8)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < need)
		return 0;
	*code &= 0x7f >> need;
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[need] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return need;
}

/* Control characters, and those that change how others are laid out. */
static bool is_unfit(__u32 code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || (code >= 0xfff9 && code <= 0xfffb) ||
	       code == 0xfeff;
}

/**
 * printable() - a string as text of one line, without anything that a terminal obeys
 * @s: string, in UTF-8 or not
 *
 * Return: the same, to be freed by the caller. What is not UTF-8 or not printable is \xHH for each
 * byte, a backslash is two.
 */
char *printable(const char *s)
{
	size_t left = strlen(s), n, i;
	char *res = xgrow(NULL, left * 4 + 1), *out = res;
	__u32 code;

	for (; left; s += n, left -= n) {
		n = decode_utf8(s, left, &code);
		if (n && !is_unfit(code)) {
			if (code == '\\')
				*out++ = '\\';
			out = mempcpy(out, s, n);
			continue;
		}
		n = n ? n : 1;
		for (i = 0; i < n; i++)
			out += sprintf(out, "\\x%02x", (unsigned char)s[i]);
	}
	*out = '\0';
	return res;
}

/**
 * type_letter() - letter for the type of a file
 * @mode: its mode
 *
 * Return: the letter, or a question mark.
 */
char type_letter(mode_t mode)
{
	/* The high four bits of a mode number the types; these are the defined ones. */
	return "?pc?d?b?f?l?s???"[(mode & S_IFMT) >> 12];
}
