// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the format cannot hold: for each entry an error that says what to do, so that one run tells
 * of all of them; or, where an option allows it, the entry is made to fit, or left out, with a
 * warning. Attributes that no image has are counted here, too.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mkcramfs.h"

/* The kernel reads one page of a target, and takes no longer path anyway. */
#define MAX_TARGET	4095

/* As many entries are named for each option; the others are counted. */
#define MAX_NAMED	10

enum kind {
	SQUASHED,
	TRUNCATED,
	UNREPRESENTABLE,
	UNREADABLE,
	NR_KINDS,
};

static const char *const option[NR_KINDS] = {
	[SQUASHED] = "--squash-ids",
	[TRUNCATED] = "--truncate-files",
	[UNREPRESENTABLE] = "--skip-unrepresentable",
	[UNREADABLE] = "--skip-unreadable",
};

static unsigned int allowed[NR_KINDS];

static struct {
	char *first;
	unsigned int entries, capabilities;
} attributes;

static __printf(3, 4) void allow(enum kind kind, const struct entry *e, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (allowed[kind]++ >= MAX_NAMED)
		return;
	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	warn_entry(e, "%s", text);
	free(text);
}

/**
 * limits_unreadable() - an entry cannot be read, says errno, and will be left out
 * @e: entry
 * @opt: options, of which one allows that
 */
void limits_unreadable(const struct entry *e, const struct options *opt)
{
	const char *why = strerror(errno);

	if (opt->skip_unreadable)
		allow(UNREADABLE, e, "left out: %s", why);
	else
		complain_entry(e, "%s (--skip-unreadable leaves it out)", why);
}

/**
 * limits_drop_attributes() - an entry has extended attributes or an ACL
 * @e: entry
 * @capabilities: one of them is the file's capabilities
 */
void limits_drop_attributes(const struct entry *e, bool capabilities)
{
	if (!attributes.entries++)
		attributes.first = entry_path(e);
	attributes.capabilities += capabilities;
}

/*
 * Says why an entry cannot be in the image, and, in @hint, which option changes that. Returns
 * whether it is left out.
 */
static __printf(4, 5) bool skip(const struct entry *e, const struct options *opt, const char *hint,
				const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	if (opt->skip_unrepresentable)
		allow(UNREPRESENTABLE, e, "left out: %s", text);
	else
		complain_entry(e, "%s (%s--skip-unrepresentable leaves it out)", text, hint);
	free(text);
	return opt->skip_unrepresentable;
}

static bool skip_name(const struct entry *e, const struct options *opt)
{
	size_t len = strlen(e->name);

	return e->parent && len > CRAMFS_MAXPATHLEN &&
	       skip(e, opt, "", "name has %zu bytes, the format holds %d", len, CRAMFS_MAXPATHLEN);
}

static bool skip_file(struct entry *e, const struct options *opt)
{
	if (e->size <= MAX_FILE_SIZE)
		return false;
	if (opt->truncate_files) {
		allow(TRUNCATED, e, "cut from %llu to %u bytes", e->size, MAX_FILE_SIZE);
		e->size = MAX_FILE_SIZE;
		return false;
	}
	return skip(e, opt, "--truncate-files cuts it, ", "size %llu is above %u bytes", e->size,
		    MAX_FILE_SIZE);
}

static bool skip_link(const struct entry *e, const struct options *opt)
{
	if (!e->size)
		return skip(e, opt, "", "symbolic link has no target");
	return e->size > MAX_TARGET &&
	       skip(e, opt, "", "target of the symbolic link has %llu bytes, Linux reads %u",
		    e->size, MAX_TARGET);
}

static bool skip_device(const struct entry *e, const struct options *opt)
{
	return (major(e->rdev) > 255 || minor(e->rdev) > 255) &&
	       skip(e, opt, "", "device number %u:%u is above 255:255", major(e->rdev),
		    minor(e->rdev));
}

static bool skip_entry(struct entry *e, const struct options *opt)
{
	if (skip_name(e, opt))
		return true;
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return skip_file(e, opt);
	case S_IFLNK:
		return skip_link(e, opt);
	case S_IFCHR:
	case S_IFBLK:
		return skip_device(e, opt);
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return false;
	default:
		return skip(e, opt, "", "type %o is not known", e->mode & S_IFMT);
	}
}

/* Set-ID bits were to give the rights of somebody else than root: @bits says that they go. */
static void check_id(struct entry *e, const char *what, uid_t *id, uid_t max, const char *bits,
		     const struct options *opt)
{
	if (*id <= max)
		return;
	if (opt->squash_ids) {
		allow(SQUASHED, e, "%s %u made 0%s", what, *id, bits);
		*id = 0;
		e->mode &= ~(S_ISUID | S_ISGID);
	} else {
		complain_entry(e, "%s %u is above %u (--squash-ids makes it 0, -q all of them)",
			       what, *id, max);
	}
}

static void check_owner(struct entry *e, const struct options *opt)
{
	const char *bits = e->mode & (S_ISUID | S_ISGID) ? ", set-ID bits dropped" : "";

	check_id(e, "uid", &e->uid, MAX_UID, bits, opt);
	check_id(e, "gid", &e->gid, MAX_GID, bits, opt);
}

static void check(struct entry *e, const struct options *opt)
{
	size_t i, kept = 0;

	check_owner(e, opt);
	for (i = 0; i < e->nr_children; i++) {
		if (skip_entry(e->child[i], opt)) {
			tree_free(e->child[i]);
			continue;
		}
		e->child[kept++] = e->child[i];
		check(e->child[i], opt);
	}
	e->nr_children = kept;
}

/**
 * limits_check() - hold a tree against what the format can express
 * @root: its root
 * @opt: options
 *
 * Errors do not end the program yet, see die_if_complaints().
 */
void limits_check(struct entry *root, const struct options *opt)
{
	enum kind kind;

	check(root, opt);
	for (kind = 0; kind < NR_KINDS; kind++) {
		if (allowed[kind] > MAX_NAMED)
			warn("%s: and %u more", option[kind], allowed[kind] - MAX_NAMED);
	}
	if (attributes.entries)
		warn("%s: extended attributes and ACLs left out (%u entries, %u with capabilities)",
		     attributes.first, attributes.entries, attributes.capabilities);
	free(attributes.first);
}
