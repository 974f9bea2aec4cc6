// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of data in the image: a file of priorities, in the format that gensquashfs of
 * squashfs-tools-ng reads, gives each file its place; the pipeline keeps to it.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/* What an entry has until the first line about it. */
#define UNSET		INT64_MIN

enum how {
	EXACTLY,
	AS_PATH,
	AS_STRING,
};

struct line {
	struct text text;
	__s64 priority;
	enum how how;
	const char *path;
};

static bool parse_flag(struct line *line, const char *flag)
{
	/* gensquashfs knows them; none is about the order. */
	static const char *const others[] = { "align", "dont_fragment", "dont_compress",
					      "dont_deduplicate", "nosparse", NULL };
	const char *const *other;

	if (!strcmp(flag, "glob")) {
		line->how = AS_PATH;
		return true;
	}
	if (!strcmp(flag, "glob_no_path")) {
		line->how = AS_STRING;
		return true;
	}
	for (other = others; *other; other++) {
		if (!strcmp(flag, *other)) {
			warn_line(&line->text, "%s: ignored", flag);
			return true;
		}
	}
	return complain_line(&line->text, "%s: no such flag", flag);
}

static bool parse_flags(struct line *line, char *list)
{
	char *flag, *save;

	for (flag = strtok_r(list, "," BLANKS, &save); flag;
	     flag = strtok_r(NULL, "," BLANKS, &save)) {
		if (!parse_flag(line, flag))
			return false;
	}
	return true;
}

static bool parse_quoted(struct line *line, char *text)
{
	const char *rest = text_unquote(text);

	if (!rest)
		return complain_line(&line->text, "no quotation mark at the end of the name");
	if (*rest)
		return complain_line(&line->text, "%s: more than a name", rest);
	line->path = text;
	return true;
}

/* Returns false if the line asks for nothing: it is empty, or wrong. */
static bool parse_line(struct line *line, char *text)
{
	size_t len = strlen(text);
	char *end;

	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	text += strspn(text, BLANKS);
	if (!*text || *text == '#')
		return false;

	errno = 0;
	line->priority = strtoll(text, &end, 10);
	if (end == text || errno || line->priority == UNSET || !*end || !strchr(BLANKS, *end)) {
		text[strcspn(text, BLANKS)] = '\0';
		return complain_line(&line->text, "%s: not a priority followed by a name", text);
	}
	text = end + strspn(end, BLANKS);

	line->how = EXACTLY;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end)
			return complain_line(&line->text, "%s: no ] after the flags", text);
		*end = '\0';
		if (!parse_flags(line, text + 1))
			return false;
		text = end + 1 + strspn(end + 1, BLANKS);
	}
	if (!*text)
		return complain_line(&line->text, "no name");
	line->path = text;
	return *text != '"' || parse_quoted(line, text);
}

static bool matches(const struct line *line, const struct entry *e)
{
	char *path = entry_image_path(e);
	bool res;

	if (line->how == AS_STRING)
		res = !fnmatch(line->path, path + 1, 0);
	else
		res = glob_match(line->path, path);
	free(path);
	return res;
}

/* Returns how many entries the line is about, whether an earlier one was or not. */
static size_t apply_to_all(const struct line *line, struct entry *e)
{
	size_t i, nr = 0;

	if ((S_ISREG(e->mode) || S_ISLNK(e->mode)) && matches(line, e)) {
		if (e->priority == UNSET)
			e->priority = line->priority;
		nr++;
	}
	for (i = 0; i < e->nr_children; i++)
		nr += apply_to_all(line, e->child[i]);
	return nr;
}

static struct entry *find(struct entry *root, const char *path)
{
	struct entry *e = root;
	size_t len;

	for (path += strspn(path, "/"); *path && e; path += strspn(path, "/")) {
		len = strcspn(path, "/");
		e = S_ISDIR(e->mode) ? tree_find(e, path, len) : NULL;
		path += len;
	}
	return e;
}

static void apply_line(struct line *line, struct entry *root)
{
	struct entry *e;
	char *anchored;

	if (line->how == EXACTLY) {
		e = find(root, line->path);
		if (!e)
			warn_line(&line->text, "%s: not in the image", line->path);
		else if (!S_ISREG(e->mode) && !S_ISLNK(e->mode))
			warn_line(&line->text, "%s: not a file", line->path);
		else if (e->priority == UNSET)
			e->priority = line->priority;
		return;
	}
	/* Without a slash it is for the root directory here, not for any. */
	line->path += strspn(line->path, "/");
	anchored = xasprintf("%s%s", line->how == AS_PATH ? "/" : "", line->path);
	line->path = anchored;
	if (!apply_to_all(line, root))
		warn_line(&line->text, "%s: matches no file", line->path);
	free(anchored);
}

static void set_all(struct entry *e, __s64 from, __s64 to)
{
	size_t i;

	if (e->priority == from)
		e->priority = to;
	for (i = 0; i < e->nr_children; i++)
		set_all(e->child[i], from, to);
}

/**
 * sort_apply() - give files their priorities
 * @path: path of the file that has them
 * @root: root of the tree
 *
 * The first line about a file counts. Bad lines are errors, see die_if_complaints().
 */
void sort_apply(const char *path, struct entry *root)
{
	struct line line;
	char *text;

	text_open(&line.text, path);
	set_all(root, 0, UNSET);
	while ((text = text_next(&line.text))) {
		if (parse_line(&line, text))
			apply_line(&line, root);
	}
	set_all(root, UNSET, 0);
}
