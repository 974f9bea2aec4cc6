// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permissions as --mode has them: octal numbers for files and for directories, or changes as
 * chmod(1) knows them. Only these two types have permissions that matter.
 */
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

#define ALL_EXECUTE	0111
#define ALL_READ	0444

/* Reads a number of permissions; returns what follows it, or NULL if it is none. */
static const char *read_octal(const char *s, mode_t *bits)
{
	char *end;
	unsigned long val = strtoul(s, &end, 8);

	*bits = val;
	return *s >= '0' && *s <= '7' && val <= 07777 ? end : NULL;
}

static bool set_octal(const char *s, mode_t *mode)
{
	mode_t file, dir;

	s = read_octal(s, &file);
	if (!s)
		return false;
	/* Who may read a directory may go through it, too. */
	dir = file | (file & ALL_READ) >> 2;
	if (*s == ',')
		s = read_octal(s + 1, &dir);
	*mode = (*mode & S_IFMT) | (S_ISDIR(*mode) ? dir : file);
	return s && !*s;
}

/* The bits that one of "rwxXst" stands for, or 0 if it is another character. */
static mode_t bits_of(char c, mode_t mode)
{
	switch (c) {
	case 'r':
		return ALL_READ;
	case 'w':
		return 0222;
	case 'x':
		return ALL_EXECUTE;
	case 'X':
		/* A bit that nothing has, so that it is known but does nothing. */
		return S_ISDIR(mode) || mode & ALL_EXECUTE ? ALL_EXECUTE : 1 << 20;
	case 's':
		return S_ISUID | S_ISGID;
	case 't':
		return S_ISVTX;
	default:
		return 0;
	}
}

/* Reads for whom a change is; returns what follows. */
static const char *read_who(const char *s, mode_t *who)
{
	*who = 0;
	for (; *s && strchr("ugoa", *s); s++) {
		if (*s == 'u' || *s == 'a')
			*who |= S_ISUID | 0700;
		if (*s == 'g' || *s == 'a')
			*who |= S_ISGID | 0070;
		if (*s == 'o' || *s == 'a')
			*who |= S_ISVTX | 0007;
	}
	if (!*who)
		*who = 07777;
	return s;
}

/**
 * mode_change() - change permissions
 * @text: the permissions, or how to change them: "644", "644,755", "u=rwX,go-w"
 * @mode: type and permissions of a file or a directory; undefined after a failure
 *
 * Return: false if @text is not understood.
 */
bool mode_change(const char *text, mode_t *mode)
{
	const char *s = text;
	mode_t who, bits, bit, old;
	char how;

	if (*s >= '0' && *s <= '9')
		return set_octal(s, mode);
	do {
		s = read_who(s, &who);
		if (!*s || !strchr("+-=", *s))
			return false;
		while (*s && strchr("+-=", *s)) {
			how = *s++;
			old = *mode;
			bits = 0;
			while ((bit = bits_of(*s, old))) {
				bits |= bit & who;
				s++;
			}
			if (how == '=')
				*mode &= ~who;
			if (how == '-')
				*mode &= ~bits;
			else
				*mode |= bits;
		}
	} while (*s++ == ',');
	return !s[-1];
}
