// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text files that tell what to do, line by line, and strings that are put together. Messages about
 * a line begin with the path of the file and the number of the line.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/**
 * xvasprintf() - print to a string
 * @fmt: as printf() has it
 * @args: the arguments
 *
 * Return: the string, to be freed by the caller.
 */
char *xvasprintf(const char *fmt, va_list args)
{
	char *res;

	if (vasprintf(&res, fmt, args) < 0)
		die("out of memory");
	return res;
}

/**
 * xasprintf() - print to a string
 * @fmt: as printf() has it
 *
 * Return: the string, to be freed by the caller.
 */
char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *res;

	va_start(args, fmt);
	res = xvasprintf(fmt, args);
	va_end(args);
	return res;
}

/**
 * text_open() - begin to read a text file; ends the program if it cannot be read
 * @text: to be filled in
 * @path: path of the file, which is kept
 */
void text_open(struct text *text, const char *path)
{
	*text = (struct text){ .path = path, .file = fopen(path, "r") };
	if (!text->file)
		die_errno(path);
}

/**
 * text_next() - read a line; those that are no text are complained of and left out
 * @text: the file, which is closed at its end
 *
 * Return: the line, which the caller may change, until the next one is read; NULL at the end.
 */
char *text_next(struct text *text)
{
	ssize_t len;

	while ((len = getline(&text->buf, &text->room, text->file)) >= 0) {
		text->line++;
		if (!memchr(text->buf, '\0', len))
			return text->buf;
		complain_line(text, "a byte of zero: this is no text");
	}
	if (ferror(text->file))
		die_errno(text->path);
	fclose(text->file);
	free(text->buf);
	return NULL;
}

/**
 * complain_line() - print an error about the line that was read last, after which one can go on
 * @text: the file
 * @fmt: what is wrong
 *
 * Return: false, for the caller to return.
 */
bool complain_line(const struct text *text, const char *fmt, ...)
{
	va_list args;
	char *what;

	va_start(args, fmt);
	what = xvasprintf(fmt, args);
	va_end(args);
	complain("%s:%lu: %s", text->path, text->line, what);
	free(what);
	return false;
}

/**
 * warn_line() - print a warning about the line that was read last, and count it
 * @text: the file
 * @fmt: what is doubtful
 */
void warn_line(const struct text *text, const char *fmt, ...)
{
	va_list args;
	char *what;

	va_start(args, fmt);
	what = xvasprintf(fmt, args);
	va_end(args);
	warn("%s:%lu: %s", text->path, text->line, what);
	free(what);
}

/**
 * text_unquote() - take a word out of its quotes, in place
 * @word: begins with a quotation mark; a backslash takes the meaning from one, and from another
 *	backslash. The word without all that is there afterwards.
 *
 * Return: what follows the quotation mark at the end, or NULL if there is none.
 */
char *text_unquote(char *word)
{
	char *in = word + 1, *out = word;

	while (*in && *in != '"') {
		if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
			in++;
		*out++ = *in++;
	}
	if (!*in)
		return NULL;
	*out = '\0';
	return in + 1;
}
