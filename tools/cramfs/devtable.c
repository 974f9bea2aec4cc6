// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device tables, in the format of mkfs.jffs2: entries to create, or to change the attributes of,
 * without being root. Only the tree in memory is changed; whether the result can be expressed in
 * the format is for limits_check() to say.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mkcramfs.h"

/* All lines begin with these; what follows depends on the type. */
#define NR_COMMON	5
#define NR_NUMBERS	5
/* The kernel's own limit of minors; keeps a slip of the pen from filling the memory. */
#define MAX_COUNT	1048576

/* A number that is not there. */
#define MISSING		(~0UL)

struct line {
	const struct text *text;
	const char *name, *target;
	mode_t mode;
	unsigned long uid, gid, major, minor, start, increment, count;
};

/* Always false, for the caller to return. */
static bool bad_line(const struct line *line, const char *what, const char *about)
{
	return complain_line(line->text, "%s: %s", about, what);
}

static bool parse_number(const struct line *line, const char *what, const char *field, int base,
			 unsigned long max, unsigned long *val)
{
	char *end;

	*val = strtoul(field, &end, base);
	if (field[0] < '0' || field[0] > '9' || *end)
		return complain_line(line->text, "%s: %s %s is not %s number", line->name, what,
				     field, base == 8 ? "an octal" : "a");
	/* An overflow is the largest number. */
	if (*val > max)
		return complain_line(line->text, base == 8 ? "%s: %s %s is above %lo" :
				     "%s: %s %s is above %lu", line->name, what, field, max);
	return true;
}

static bool parse_type(const char *field, struct line *line)
{
	static const struct {
		char letter;
		mode_t mode;
	} types[] = {
		{ 'f', S_IFREG }, { 'd', S_IFDIR }, { 'c', S_IFCHR }, { 'b', S_IFBLK },
		{ 'p', S_IFIFO }, { 'l', S_IFLNK }, { 0 }
	}, *type;

	for (type = types; type->letter; type++) {
		if (field[0] == type->letter && !field[1]) {
			line->mode = type->mode;
			return true;
		}
	}
	return bad_line(line, "type is none of f, d, c, b, p and l", field);
}

/* The numbers at the end of a line: each may be missing, or "-" where it does not apply. */
static bool parse_numbers(char *text, struct line *line)
{
	const struct {
		const char *name;
		unsigned long *val;
	} numbers[] = {
		{ "major", &line->major }, { "minor", &line->minor }, { "start", &line->start },
		{ "inc", &line->increment }, { "count", &line->count }, { 0 }
	}, *next = numbers;
	char *save, *field;

	for (field = strtok_r(text, BLANKS, &save); field; field = strtok_r(NULL, BLANKS, &save)) {
		if (!next->name)
			return bad_line(line, "more than ten fields", line->name);
		if (strcmp(field, "-") &&
		    !parse_number(line, next->name, field, 10, MAX_COUNT, next->val))
			return false;
		next++;
	}
	if (!S_ISCHR(line->mode) && !S_ISBLK(line->mode))
		return true;
	if (line->major == MISSING || line->minor == MISSING)
		return bad_line(line, "a device needs a major and a minor number", line->name);
	/* Above that, dev_t would cut the last ones. */
	if (line->count && line->minor + (line->count - 1) * line->increment > MAX_COUNT)
		return bad_line(line, "the last minor is above 1048576", line->name);
	return true;
}

/* The rest of the line, blanks and all. */
static bool parse_target(char *text, struct line *line)
{
	size_t len;

	text += strspn(text, BLANKS);
	for (len = strlen(text); len && strchr(BLANKS, text[len - 1]); len--)
		;
	text[len] = '\0';
	if (!len)
		return bad_line(line, "a symbolic link needs a target", line->name);
	line->target = text;
	return true;
}

/* Returns false if the line asks for nothing: it is empty, or wrong. */
static bool parse_line(const struct text *table, char *text, struct line *line)
{
	char *field[NR_COMMON], *save = text;
	unsigned long permissions;
	unsigned int nr = 0;

	*line = (struct line){
		.text = table, .increment = 1, .major = MISSING, .minor = MISSING
	};
	while (nr < NR_COMMON && (field[nr] = strtok_r(nr ? NULL : text, BLANKS, &save)))
		nr++;
	if (!nr || field[0][0] == '#')
		return false;
	line->name = field[0];
	if (field[0][0] != '/')
		return bad_line(line, "path does not begin with /", field[0]);
	if (nr < NR_COMMON)
		return bad_line(line, "name, type, mode, uid and gid are needed", field[0]);
	if (!parse_type(field[1], line) ||
	    !parse_number(line, "mode", field[2], 8, 07777, &permissions) ||
	    !parse_number(line, "uid", field[3], 10, MAX_UID, &line->uid) ||
	    !parse_number(line, "gid", field[4], 10, MAX_GID, &line->gid))
		return false;
	line->mode |= permissions;
	return S_ISLNK(line->mode) ? parse_target(save, line) : parse_numbers(save, line);
}

/*
 * Finds the directory that @path is in, and in *@last the rest of it: the name there, or an empty
 * string if @path is the root. Returns NULL, with a complaint, if there is none.
 */
static struct entry *find_parent(const struct line *line, struct entry *root,
				 const char *path, const char **last)
{
	const char *s = path, *wrong = NULL;
	struct entry *dir = root;
	size_t len;

	for (;;) {
		s += strspn(s, "/");
		len = strcspn(s, "/");
		if ((len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
			wrong = "path has a . or .. in it";
		if (wrong || !s[len + strspn(s + len, "/")])
			break;
		dir = tree_find(dir, s, len);
		if (!dir)
			wrong = "the directory that it is in does not exist";
		else if (!S_ISDIR(dir->mode))
			wrong = "a part of the path is not a directory";
		s += len;
	}
	if (wrong) {
		bad_line(line, wrong, path);
		return NULL;
	}
	*last = s;
	return dir;
}

/*
 * Only devices, FIFOs and symbolic links replace what was there, such as the empty file that
 * fakeroot left.
 */
static bool may_become(const struct line *line, const struct entry *e, const char *path)
{
	if ((e->mode & S_IFMT) == (line->mode & S_IFMT))
		return true;
	if (S_ISDIR(line->mode))
		return bad_line(line, "exists and is not a directory", path);
	if (S_ISREG(line->mode))
		return bad_line(line, "exists and is not a regular file", path);
	if (S_ISDIR(e->mode))
		return bad_line(line, "exists and is a directory", path);
	return true;
}

/* The entry of that path, made if need be; NULL, with a complaint, if there can be none. */
static struct entry *find_or_add(const struct line *line, struct entry *root,
				 const char *path)
{
	const char *last;
	struct entry *dir = find_parent(line, root, path, &last), *e;
	char *name;

	if (!dir)
		return NULL;
	name = xstrdup(last);
	name[strcspn(name, "/")] = '\0';
	e = *name ? tree_find(dir, name, strlen(name)) : root;
	if (e && !may_become(line, e, path))
		e = NULL;
	else if (!e && S_ISREG(line->mode))
		bad_line(line, "no such file", path);
	else if (!e)
		e = tree_add(dir, name, line->mode);
	free(name);
	return e;
}

static void set_entry(const struct line *line, struct entry *root, const char *path,
		      unsigned long minor)
{
	struct entry *e = find_or_add(line, root, path);

	if (!e)
		return;
	e->mode = line->mode;
	e->uid = line->uid;
	e->gid = line->gid;
	if (S_ISREG(e->mode))
		return;
	free(e->target);
	e->target = line->target ? xstrdup(line->target) : NULL;
	e->size = line->target ? strlen(line->target) : 0;
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		e->rdev = makedev(line->major, minor);
}

static void apply_line(const struct line *line, struct entry *root)
{
	unsigned long i;

	if (!line->count)
		set_entry(line, root, line->name, line->minor);
	for (i = 0; i < line->count; i++) {
		char *path = xasprintf("%s%lu", line->name, line->start + i);

		set_entry(line, root, path, line->minor + i * line->increment);
		free(path);
	}
}

/**
 * devtable_apply() - change a tree by a device table
 * @path: path of the table
 * @root: root of the tree
 *
 * Bad lines are errors, see die_if_complaints().
 */
void devtable_apply(const char *path, struct entry *root)
{
	struct text table;
	struct line line;
	char *text;

	text_open(&table, path);
	while ((text = text_next(&table))) {
		if (parse_line(&table, text, &line))
			apply_line(&line, root);
	}
}
