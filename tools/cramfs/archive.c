// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in memory from an archive, whatever libarchive reads: owners, permissions and device
 * numbers are those of the archive, so that nobody needs to be root. The contents of files go to a
 * spool file that has no name, as an archive can be read in one direction only.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive-parts.h"

/* A block of zeros, at least, ends a tar archive. */
#define TAR_BLOCK	512

struct reader {
	const struct options *opt;
	/* in messages */
	const char *name;
	/* for archives whose names are not bytes but characters; 0: not in use */
	locale_t utf8;
	struct input *input;
	struct archive *archive;
	/* next entry; NULL: there is none */
	struct archive_entry *header;
	/* libarchive has something to say about it */
	bool doubtful;
	struct entry *root;
	/* end of the spool file */
	__u64 end;
	/* how far the archive had been read, without compression, after the last entry */
	__s64 after_entry;
};

static int spool = -1;

/**
 * spool_fd() - the file that has the contents of an archive's files
 *
 * Return: its descriptor.
 */
int spool_fd(void)
{
	return spool;
}

static noreturn void die_spool(void)
{
	die("cannot keep the archive's files in $TMPDIR: %s", strerror(errno));
}

static void write_spool(const void *buf, size_t len, __u64 offset)
{
	const char *p = buf;

	while (len) {
		ssize_t done = pwrite(spool, p, len, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die_spool();
		p += done;
		offset += done;
		len -= done;
	}
}

static bool is_format(const struct reader *r, int format)
{
	return (archive_format(r->archive) & ARCHIVE_FORMAT_BASE_MASK) == format;
}

/* In these a name is a string of bytes, whatever somebody may take it for. */
static bool has_names_of_bytes(const struct reader *r)
{
	return is_format(r, ARCHIVE_FORMAT_TAR) || is_format(r, ARCHIVE_FORMAT_CPIO);
}

/*
 * In the C locale, which we are in, libarchive cannot convert names from UTF-8, says so, and
 * keeps them as they are: what we want, while in others it would normalise them.
 */
static bool is_about_conversion(const struct reader *r)
{
	const char *what = archive_error_string(r->archive);

	return what && strstr(what, "be converted");
}

static void next_header(struct reader *r)
{
	int res = archive_read_next_header(r->archive, &r->header);

	if (res == ARCHIVE_EOF)
		r->header = NULL;
	else if (res != ARCHIVE_OK && res != ARCHIVE_WARN)
		die_archive(r->archive, r->name);
	r->doubtful = res == ARCHIVE_WARN;
}

static void check_header(const struct reader *r)
{
	/* A part of the header is then ignored: anything may be wrong with the entry. */
	if (r->doubtful && !(is_about_conversion(r) && has_names_of_bytes(r)))
		complain("%s: %s", r->name, archive_error_string(r->archive));
}

/*
 * All formats but two: mtree, which says which files of this machine are to be read, and zip from
 * its beginning to its end, since permissions and links are known at its end only.
 */
static void support_formats(struct archive *a)
{
	archive_read_support_format_tar(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_zip_seekable(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_ar(a);
	archive_read_support_format_cab(a);
	archive_read_support_format_empty(a);
	archive_read_support_format_iso9660(a);
	archive_read_support_format_lha(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_warc(a);
	archive_read_support_format_xar(a);
}

static void open_archive(struct reader *r)
{
	struct archive *a = archive_read_new();

	r->archive = a;
	if (!a)
		die("out of memory");
	support_formats(a);
	/* If somebody has put one tar archive after the other, they want both. */
	archive_read_set_option(a, "tar", "read_concatenated_archives", "1");
	if (input_attach(r->input, a) != ARCHIVE_OK)
		die_archive(a, r->name);
	next_header(r);
	if (archive_format(a) == ARCHIVE_FORMAT_EMPTY)
		die("%s: empty", r->name);
}

static void begin(struct reader *r)
{
	r->input = input_open(r->opt->source, r->name);
	open_archive(r);
	if (!has_names_of_bytes(r) && input_rewind(r->input)) {
		/* The others have names in Unicode, of which we want UTF-8. */
		r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
		if (r->utf8)
			uselocale(r->utf8);
		archive_read_free(r->archive);
		open_archive(r);
	}
	check_header(r);
}

static void finish(struct reader *r)
{
	__s64 end = archive_filter_bytes(r->archive, 0);

	if (is_format(r, ARCHIVE_FORMAT_TAR) && end - r->after_entry < TAR_BLOCK)
		die("%s: cut off: it has no end mark", r->name);
	/* libarchive stops at the end mark, but another archive may follow, as in an initramfs. */
	input_finish(r->input, is_format(r, ARCHIVE_FORMAT_CPIO) ? end : -1);
	archive_read_free(r->archive);
	uselocale(LC_GLOBAL_LOCALE);
	if (r->utf8)
		freelocale(r->utf8);
}

/* The entry of a directory on the way to another; if it is not there, it is made. */
static struct entry *enter(struct entry *dir, const char *name, size_t len)
{
	struct entry *e = tree_find(dir, name, len);
	char *copy;

	if (e)
		return e;
	copy = xasprintf("%.*s", (int)len, name);
	e = tree_add(dir, copy, S_IFDIR | 0755);
	free(copy);
	return e;
}

/*
 * Goes to the directory that @path leads to, all but the last component of which must be
 * directories; with @make, missing ones are made. Returns NULL, or what is wrong with the path;
 * *@dir is the directory, or how far the path led, if anywhere. *@last is the last component, empty
 * for the root.
 */
static const char *walk(struct entry **dir, const char *path, bool make, char **last)
{
	const char *s = path, *name = "";
	size_t len = 0, next, depth = 0;

	for (s += strspn(s, "/"); *s; s += next + strspn(s + next, "/")) {
		next = strcspn(s, "/");
		if (next == 1 && s[0] == '.')
			continue;
		if (len)
			*dir = make ? enter(*dir, name, len) : tree_find(*dir, name, len);
		if (next == 2 && s[0] == '.' && s[1] == '.')
			return "has a .. in its path";
		if (!*dir || !S_ISDIR((*dir)->mode))
			return "a part of its path is no directory";
		if (++depth > MAX_DEPTH)
			return "is in too many directories";
		name = s;
		len = next;
	}
	*last = xasprintf("%.*s", (int)len, name);
	return NULL;
}

/**
 * archive_find() - the entry of a path in the archive
 * @root: root of the tree
 * @path: the path
 *
 * Return: the entry, or NULL.
 */
struct entry *archive_find(struct entry *root, const char *path)
{
	struct entry *e = root;
	char *last;

	if (walk(&e, path, false, &last))
		return NULL;
	if (*last)
		e = tree_find(e, last, strlen(last));
	free(last);
	return e;
}

/* Makes room for another entry of the same name; other names of the same file do not change. */
static void clear(struct entry *e)
{
	free(e->target);
	e->target = NULL;
	e->mode = 0;
	e->size = 0;
	e->spooled = -1;
	e->rdev = 0;
	e->same = NULL;
}

/* Whether a path, or a directory on the way there, is left out: then nothing is wrong with it. */
static bool is_excluded(const char *path, const struct options *opt)
{
	char *copy = xalloc(strlen(path) + 2), *end = copy;
	bool res = false;
	size_t len;

	while (*path && !res) {
		len = strcspn(path, "/");
		if (len && (len != 1 || *path != '.')) {
			*end++ = '/';
			memcpy(end, path, len);
			end += len;
			*end = '\0';
			res = tree_excludes_path(copy, opt);
		}
		path += len;
		path += strspn(path, "/");
	}
	free(copy);
	return res;
}

static void complain_path(const struct reader *r, const char *path, const char *what,
			  const struct entry *dir)
{
	bool is_link = dir && S_ISLNK(dir->mode);
	char *link = is_link ? entry_image_path(dir) : NULL;

	path += strspn(path, "/");
	if (is_link)
		complain("%s:/%s: %s: %s is a symbolic link to %s", r->name, path, what, link,
			 dir->target);
	else
		complain("%s:/%s: %s", r->name, path, what);
	free(link);
}

/* The entry that a header is about; NULL, with a complaint, if there can be none. */
static struct entry *place(const struct reader *r, const char *path)
{
	bool is_dir = archive_entry_filetype(r->header) == AE_IFDIR &&
		      !archive_entry_hardlink(r->header);
	struct entry *dir = r->root, *e;
	const char *wrong;
	char *last;

	wrong = walk(&dir, path, true, &last);
	if (wrong) {
		if (!is_excluded(path, r->opt))
			complain_path(r, path, wrong, dir);
		return NULL;
	}
	e = *last ? tree_find(dir, last, strlen(last)) : r->root;
	if (!e) {
		e = tree_add(dir, last, 0);
	} else if (!S_ISDIR(e->mode) && (r->opt->last_wins || is_excluded(path, r->opt))) {
		clear(e);
	} else if (!S_ISDIR(e->mode)) {
		complain_entry(e, "is in the archive twice (--last-wins takes the last one)");
		e = NULL;
	} else if (!is_dir) {
		if (!is_excluded(path, r->opt))
			complain_entry(e, "is in the archive twice, once as a directory");
		e = NULL;
	}
	free(last);
	return e;
}

/* An ID that is out of range stays so. */
static uid_t id_of(__s64 id)
{
	return id < 0 || id > UINT32_MAX ? UINT32_MAX : id;
}

/* Nor does half of a device number. */
static unsigned int device_of(dev_t number)
{
	return number > UINT32_MAX ? UINT32_MAX : number;
}

/* Without the ACL, the group must not have more than the ACL's mask has left it. */
static void take_group_rights(struct archive_entry *h, struct entry *e)
{
	const int access = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	int type, rights, tag, id;
	const char *name;

	archive_entry_acl_reset(h, access);
	while (archive_entry_acl_next(h, access, &type, &rights, &tag, &id, &name) == ARCHIVE_OK) {
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			e->mode &= ~0070 | (rights & 7) << 3;
	}
}

static void take_attributes(const struct reader *r, struct entry *e)
{
	struct archive_entry *h = r->header;

	e->mode = archive_entry_filetype(h) | archive_entry_perm(h);
	/* In the archives of ar there is nothing but files, and not all say so. */
	if (!(e->mode & S_IFMT) && is_format(r, ARCHIVE_FORMAT_AR))
		e->mode |= S_IFREG;
	take_group_rights(h, e);
	e->uid = id_of(archive_entry_uid(h));
	e->gid = id_of(archive_entry_gid(h));
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		e->rdev = makedev(device_of(archive_entry_rdevmajor(h)),
				  device_of(archive_entry_rdevminor(h)));
}

static void look_for_attributes(const struct reader *r, const struct entry *e)
{
	bool any = archive_entry_acl_types(r->header), capabilities = false;
	const char *name;
	const void *val;
	size_t len;

	archive_entry_xattr_reset(r->header);
	while (archive_entry_xattr_next(r->header, &name, &val, &len) == ARCHIVE_OK) {
		any |= tree_wants_attribute(name);
		capabilities |= !strcmp(name, "security.capability");
	}
	if (any)
		limits_drop_attributes(e, capabilities);
}

/* Reads the contents of @e, which another entry may have for it. */
static void take_contents(struct reader *r, const struct entry *e, struct entry *file)
{
	bool knows_size = archive_entry_size_is_set(r->header);
	__u64 whole = knows_size ? archive_entry_size(r->header) : 0, size = 0;
	const void *buf = NULL;
	la_int64_t offset = 0;
	size_t len = 0;
	int res;

	file->spooled = r->end;
	while ((res = archive_read_data_block(r->archive, &buf, &len, &offset)) != ARCHIVE_EOF) {
		/* It is about the contents, as is a CRC that is wrong. */
		if (res == ARCHIVE_WARN)
			complain_entry(e, "%s", archive_error_string(r->archive));
		else if (res != ARCHIVE_OK)
			die_archive(r->archive, r->name);
		if (!len)
			continue;
		if ((__u64)offset < size || (knows_size && offset + len > whole))
			die_entry(e, "damaged: its parts overlap or are beyond its end");
		size = offset + len;
		/* No image has more of a file; it cannot be made, or the file is cut. */
		if (offset >= MAX_FILE_SIZE)
			continue;
		if (size > MAX_FILE_SIZE)
			len = MAX_FILE_SIZE - offset;
		write_spool(buf, len, r->end + offset);
	}
	/* A file may end with a hole. */
	if (whole > size)
		size = whole;
	file->size = size;
	r->end += size < MAX_FILE_SIZE ? size : MAX_FILE_SIZE;
}

static void take_target(const struct reader *r, struct entry *e)
{
	const char *target = archive_entry_symlink(r->header);

	e->target = xstrdup(target ? target : "");
	e->size = strlen(e->target);
}

static void take_link(struct reader *r, struct entry *e)
{
	const char *target = archive_entry_hardlink(r->header);

	links_add(e, archive_find(r->root, target), target);
	/* In a cpio archive, the last name may bring the contents. */
	if (S_ISREG(e->same->mode) && archive_entry_size_is_set(r->header) &&
	    archive_entry_size(r->header))
		take_contents(r, e, e->same);
}

static void take_entry(struct reader *r)
{
	const char *path = archive_entry_pathname(r->header);
	struct entry *e;

	if (!path) {
		complain("%s: a name in it cannot be read", r->name);
		return;
	}
	e = place(r, path);
	if (!e)
		return;
	look_for_attributes(r, e);
	if (archive_entry_hardlink(r->header)) {
		take_link(r, e);
		return;
	}
	take_attributes(r, e);
	if (S_ISREG(e->mode))
		take_contents(r, e, e);
	else if (S_ISLNK(e->mode))
		take_target(r, e);
}

static void take_entries(struct reader *r)
{
	while (r->header) {
		take_entry(r);
		if (archive_read_data_skip(r->archive) != ARCHIVE_OK)
			die_archive(r->archive, r->name);
		r->after_entry = archive_filter_bytes(r->archive, 0);
		next_header(r);
		check_header(r);
	}
}

/**
 * archive_scan() - read the source archive
 * @opt: options
 *
 * Return: the root of the tree, its directories in no order.
 */
struct entry *archive_scan(const struct options *opt)
{
	struct reader r = {
		.opt = opt,
		.name = strcmp(opt->source, "-") ? opt->source : "standard input",
	};
	char *root;

	/* As in ARCHIVE:/path */
	root = xasprintf("%s:", r.name);
	r.root = tree_new(root, S_IFDIR | 0755);
	free(root);
	spool = temporary_file();
	if (spool < 0)
		die_spool();
	begin(&r);
	take_entries(&r);
	finish(&r);
	/* Holes at the end have not been written. */
	if (ftruncate(spool, r.end))
		die_spool();
	links_settle(r.root);
	if (opt->nr_exclude)
		tree_drop_excluded(r.root, opt);
	return r.root;
}
