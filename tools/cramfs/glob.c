// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of paths in the image, for all that takes such: one component after the other is matched
 * as a shell does it, by bytes whatever the locale, and "**" stands for any number of components.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/* Cuts a path into its components; returns the end of the string, at which the last one ends. */
static char *cut(char *path)
{
	size_t len = strlen(path), i;

	for (i = 0; i < len; i++) {
		if (path[i] == '/')
			path[i] = '\0';
	}
	return path + len;
}

/* The first component from @p on, or NULL if there is none before @end. */
static char *component(char *p, const char *end)
{
	while (p < end && !*p)
		p++;
	return p < end ? p : NULL;
}

static char *next(char *p, const char *end)
{
	return component(p + strlen(p), end);
}

/*
 * Whatever the last "**" does not stand for must match from there to the end, so that only this
 * one needs to be tried with another component.
 */
static bool match_components(char *pattern, const char *pattern_end, char *path,
			     const char *path_end)
{
	char *after = NULL, *retry = NULL;

	pattern = component(pattern, pattern_end);
	path = component(path, path_end);
	for (;;) {
		if (pattern && !strcmp(pattern, "**")) {
			after = next(pattern, pattern_end);
			retry = path;
			/* At the end of the pattern it stands for one component at least. */
			if (!after)
				return path;
			pattern = after;
			continue;
		}
		if (!pattern && !path)
			return true;
		if (pattern && path && !fnmatch(pattern, path, 0)) {
			pattern = next(pattern, pattern_end);
			path = next(path, path_end);
			continue;
		}
		if (!retry)
			return false;
		retry = next(retry, path_end);
		pattern = after;
		path = retry;
	}
}

/**
 * glob_match() - whether a pattern matches a path
 * @pattern: the pattern; without a slash in it (but at the end), it is for the last component
 *	alone, otherwise for all of them from the root on
 * @path: path in the image, as entry_image_path() has it
 *
 * Return: true if it does. What is in a directory does not match since the directory does.
 */
bool glob_match(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);
	char *p, *s;
	bool res;

	while (len && pattern[len - 1] == '/')
		len--;
	if (!memchr(pattern, '/', len) && len) {
		const char *slash = strrchr(path, '/');

		/* The root has no name. */
		if (slash && !slash[1])
			return false;
		path = slash ? slash + 1 : path;
	}
	p = xstrdup(pattern);
	s = xstrdup(path);
	res = match_components(p, cut(p), s, cut(s));
	free(s);
	free(p);
	return res;
}
