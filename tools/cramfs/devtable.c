// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device tables, in the format of mkfs.jffs2: entries to create, or to change the attributes of,
 * without being root. Only the tree in memory is changed; whether the result can be expressed in
 * the format is for tree_finish() to say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mkcramfs.h"

#define MAX_FIELDS	10
#define BLANKS		" \t\r\n\v\f"
/* The kernel's own limit of minors; keeps a slip of the pen from filling the memory. */
#define MAX_COUNT	1048576

/* Where we are in the table, for messages. */
struct position {
	const char *path;
	unsigned long line;
};

struct line {
	const char *name;
	mode_t mode;
	unsigned long uid, gid, major, minor, start, increment, count;
};

static noreturn void bad_line(const struct position *pos, const char *what, const char *about)
{
	die("%s:%lu: %s: %s", pos->path, pos->line, about, what);
}

static unsigned long parse_number(const struct position *pos, const char *field, int base,
				  unsigned long max)
{
	unsigned long val;
	char *end;

	errno = 0;
	val = strtoul(field, &end, base);
	if (field[0] < '0' || field[0] > '9' || *end || errno || val > max)
		bad_line(pos, "not a number, or out of range", field);
	return val;
}

/* A field may be missing or "-" where it does not apply. */
static unsigned long optional(const struct position *pos, char **field, unsigned int index,
			      unsigned long otherwise)
{
	if (!field[index] || !strcmp(field[index], "-"))
		return otherwise;
	return parse_number(pos, field[index], 10, MAX_COUNT);
}

static mode_t file_type(const struct position *pos, const char *field)
{
	if (field[0] && !field[1]) {
		switch (field[0]) {
		case 'f':
			return S_IFREG;
		case 'd':
			return S_IFDIR;
		case 'c':
			return S_IFCHR;
		case 'b':
			return S_IFBLK;
		case 'p':
			return S_IFIFO;
		default:
			break;
		}
	}
	bad_line(pos, "type is none of f, d, c, b and p", field);
}

/* Returns false if there is nothing on the line. */
static bool parse_line(const struct position *pos, char *text, struct line *line)
{
	char *field[MAX_FIELDS + 1] = { NULL };
	unsigned int nr = 0;
	char *save, *s;

	for (s = strtok_r(text, BLANKS, &save); s; s = strtok_r(NULL, BLANKS, &save)) {
		if (!nr && s[0] == '#')
			return false;
		if (nr == MAX_FIELDS)
			bad_line(pos, "more than ten fields", field[0]);
		field[nr++] = s;
	}
	if (!nr)
		return false;
	if (field[0][0] != '/')
		bad_line(pos, "path does not begin with /", field[0]);
	if (nr < 5)
		bad_line(pos, "name, type, mode, uid and gid are needed", field[0]);

	line->name = field[0];
	line->mode = file_type(pos, field[1]) | parse_number(pos, field[2], 8, 07777);
	line->uid = parse_number(pos, field[3], 10, MAX_UID);
	line->gid = parse_number(pos, field[4], 10, MAX_GID);
	line->major = optional(pos, field, 5, 0);
	line->minor = optional(pos, field, 6, 0);
	line->start = optional(pos, field, 7, 0);
	line->increment = optional(pos, field, 8, 1);
	line->count = optional(pos, field, 9, 0);
	return true;
}

/*
 * Finds the directory that @path is in, and in *@last the rest of it: the name there, or an empty
 * string if @path is the root.
 */
static struct entry *find_parent(const struct position *pos, struct entry *root, const char *path,
				 const char **last)
{
	struct entry *dir = root;
	const char *s = path;
	size_t len;

	for (;;) {
		s += strspn(s, "/");
		len = strcspn(s, "/");
		if ((len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
			bad_line(pos, "path has a . or .. in it", path);
		if (!s[len + strspn(s + len, "/")])
			break;
		dir = tree_find(dir, s, len);
		if (!dir)
			bad_line(pos, "the directory that it is in does not exist", path);
		if (!S_ISDIR(dir->mode))
			bad_line(pos, "a part of the path is not a directory", path);
		s += len;
	}
	*last = s;
	return dir;
}

/* Only devices and FIFOs replace what was there, such as the empty file that fakeroot left. */
static void check_override(const struct position *pos, const struct entry *e, mode_t mode,
			   const char *path)
{
	bool same = (e->mode & S_IFMT) == (mode & S_IFMT);

	if (S_ISDIR(mode) && !same)
		bad_line(pos, "exists and is not a directory", path);
	if (S_ISREG(mode) && !same)
		bad_line(pos, "exists and is not a regular file", path);
	if (S_ISDIR(e->mode) && !same)
		bad_line(pos, "exists and is a directory", path);
}

static void set_entry(const struct position *pos, struct entry *root, const char *path,
		      const struct line *line, dev_t rdev)
{
	const char *last;
	struct entry *dir = find_parent(pos, root, path, &last);
	char *name = xstrdup(last);
	struct entry *e;

	name[strcspn(name, "/")] = '\0';
	e = *name ? tree_find(dir, name, strlen(name)) : root;
	if (e)
		check_override(pos, e, line->mode, path);
	else if (S_ISREG(line->mode))
		bad_line(pos, "no such file", path);
	else
		e = tree_add(dir, name, line->mode);
	free(name);

	e->mode = line->mode;
	e->uid = line->uid;
	e->gid = line->gid;
	e->rdev = rdev;
	if (!S_ISREG(e->mode))
		e->size = 0;
}

static void apply_line(const struct position *pos, struct entry *root, const struct line *line)
{
	bool device = S_ISCHR(line->mode) || S_ISBLK(line->mode);
	unsigned long i;

	if (!device || !line->count) {
		set_entry(pos, root, line->name, line,
			  device ? makedev(line->major, line->minor) : 0);
		return;
	}
	for (i = 0; i < line->count; i++) {
		char *path = xalloc(strlen(line->name) + 24);

		sprintf(path, "%s%lu", line->name, line->start + i);
		set_entry(pos, root, path, line,
			  makedev(line->major, line->minor + i * line->increment));
		free(path);
	}
}

/**
 * devtable_apply() - change a tree by a device table
 * @path: path of the table
 * @root: root of the tree
 */
void devtable_apply(const char *path, struct entry *root)
{
	struct position pos = { .path = path };
	struct line line;
	char *text = NULL;
	size_t room = 0;
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		die_errno(path);
	while (getline(&text, &room, f) >= 0) {
		pos.line++;
		if (parse_line(&pos, text, &line))
			apply_line(&pos, root, &line);
	}
	if (ferror(f))
		die_errno(path);
	fclose(f);
	free(text);
}
