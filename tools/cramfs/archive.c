// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree in memory from an archive, whatever libarchive reads: owners, permissions and device
 * numbers are those of the archive, so that nobody needs to be root. The contents of files go to a
 * spool file that has no name, as an archive can be read in one direction only.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "data.h"
#include "mkcramfs.h"

#define READ_SIZE	65536

/* A block of zeros, at least, ends a tar archive. */
#define TAR_BLOCK	512

/* A hard link to what has not come yet, if it ever does. */
struct pending {
	struct entry *e;
	char *target;
};

struct reader {
	const struct options *opt;
	/* in messages */
	const char *name;
	/* for archives whose names are not bytes but characters; 0: not in use */
	locale_t utf8;
	struct archive *archive;
	/* next entry; NULL: there is none */
	struct archive_entry *header;
	/* libarchive has something to say about it */
	bool doubtful;
	struct entry *root;
	struct pending *pending;
	size_t nr_pending;
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

static void create_spool(void)
{
	const char *dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	char *path;

	spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool >= 0)
		return;
	/* Some file systems know no files without a name. */
	if (asprintf(&path, "%s/.mkcramfs.XXXXXX", dir) < 0)
		die("out of memory");
	spool = mkostemp(path, O_CLOEXEC);
	if (spool < 0 || unlink(path))
		die_spool();
	free(path);
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

static noreturn void die_archive(const struct reader *r)
{
	const char *what = archive_error_string(r->archive);

	die("%s: %s", r->name, what ? what : "cut off or damaged");
}

static bool is_tar(const struct reader *r)
{
	return (archive_format(r->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

static bool is_cpio(const struct reader *r)
{
	return (archive_format(r->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_CPIO;
}

/* In these a name is a string of bytes, whatever somebody may take it for. */
static bool has_names_of_bytes(const struct reader *r)
{
	return is_tar(r) || is_cpio(r);
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
		die_archive(r);
	r->doubtful = res == ARCHIVE_WARN;
}

static void check_header(const struct reader *r)
{
	if (!r->doubtful)
		return;
	if (!is_about_conversion(r))
		warn("%s: %s", r->name, archive_error_string(r->archive));
	else if (!has_names_of_bytes(r))
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
	const char *path = strcmp(r->opt->source, "-") ? r->opt->source : NULL;
	struct archive *a = archive_read_new();

	r->archive = a;
	if (!a)
		die("out of memory");
	archive_read_support_filter_all(a);
	support_formats(a);
	/* If somebody has put one tar archive after the other, they want both. */
	archive_read_set_option(a, "tar", "read_concatenated_archives", "1");
	if (archive_read_open_filename(a, path, READ_SIZE) != ARCHIVE_OK) {
		errno = archive_errno(a);
		/* So it says that it does not know the format. */
		if (errno == EILSEQ)
			die_archive(r);
		die_errno(r->name);
	}
}

static void begin(struct reader *r)
{
	open_archive(r);
	next_header(r);
	if (archive_format(r->archive) == ARCHIVE_FORMAT_EMPTY)
		die("%s: empty", r->name);
	/* There is no second look at a pipe. */
	if (has_names_of_bytes(r) || !strcmp(r->opt->source, "-")) {
		check_header(r);
		return;
	}
	/* The others have names in Unicode, of which we want UTF-8. */
	r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (r->utf8)
		uselocale(r->utf8);
	archive_read_free(r->archive);
	open_archive(r);
	next_header(r);
	check_header(r);
}

/* libarchive stops at the end mark, but there may be another archive, as in an initramfs. */
static void check_rest(const struct reader *r)
{
	__s64 offset = archive_filter_bytes(r->archive, 0);
	int fd = open(r->opt->source, O_RDONLY | O_CLOEXEC);
	unsigned char buf[4096];
	ssize_t len;

	if (fd < 0)
		die_errno(r->name);
	while ((len = pread(fd, buf, sizeof(buf), offset)) > 0) {
		if (!is_zero(buf, len))
			die("%s: more follows its end mark", r->name);
		offset += len;
	}
	close(fd);
}

static void finish(struct reader *r)
{
	bool is_compressed = archive_filter_count(r->archive) > 1;

	if (is_tar(r) && archive_filter_bytes(r->archive, 0) - r->after_entry < TAR_BLOCK)
		die("%s: cut off: it has no end mark", r->name);
	if (is_cpio(r) && !is_compressed && strcmp(r->opt->source, "-"))
		check_rest(r);
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
	copy = strndup(name, len);
	if (!copy)
		die("out of memory");
	e = tree_add(dir, copy, S_IFDIR | 0755);
	free(copy);
	return e;
}

/*
 * Goes to the directory that @path leads to, all but the last component of which must be
 * directories. Returns NULL, with a complaint if @make is set, if that is not so. In *@last is the
 * last component, empty for the root; with @make, missing directories are made.
 */
static struct entry *walk(const struct reader *r, const char *path, bool make, char **last)
{
	struct entry *dir = r->root;
	const char *s = path, *name = "", *wrong = NULL;
	size_t len = 0, next, depth = 0;

	for (s += strspn(s, "/"); *s && !wrong; s += next + strspn(s + next, "/")) {
		next = strcspn(s, "/");
		if (next == 1 && s[0] == '.')
			continue;
		if (len)
			dir = make ? enter(dir, name, len) : tree_find(dir, name, len);
		if (next == 2 && s[0] == '.' && s[1] == '.')
			wrong = "has a .. in its path";
		else if (!dir || !S_ISDIR(dir->mode))
			wrong = "a part of its path is no directory";
		else if (++depth > MAX_DEPTH)
			wrong = "is in too many directories";
		name = s;
		len = next;
	}
	if (wrong && make)
		complain("%s:/%s: %s", r->name, path + strspn(path, "/"), wrong);
	if (wrong)
		return NULL;
	*last = strndup(name, len);
	if (!*last)
		die("out of memory");
	return dir;
}

static struct entry *find(const struct reader *r, const char *path)
{
	char *last;
	struct entry *e = walk(r, path, false, &last);

	if (!e)
		return NULL;
	if (*last)
		e = tree_find(e, last, strlen(last));
	free(last);
	return e;
}

/* Makes a hard link what it is a link to. */
static void settle(struct entry *e)
{
	const struct entry *first = e->same;

	e->mode = first->mode;
	e->uid = first->uid;
	e->gid = first->gid;
	e->rdev = first->rdev;
	e->size = first->size;
	e->source_size = first->source_size;
	e->spooled = first->spooled;
	e->target = first->target ? xstrdup(first->target) : NULL;
	e->same = NULL;
}

/* Settles the links to @first, or all if it is NULL. */
static void settle_links(struct entry *e, const struct entry *first)
{
	size_t i;

	if (e->same && (!first || e->same == first))
		settle(e);
	for (i = 0; i < e->nr_children; i++)
		settle_links(e->child[i], first);
}

/* Makes room for another entry of the same name. */
static void clear(const struct reader *r, struct entry *e)
{
	/* Other names of the same file are what they were. */
	settle_links(r->root, e);
	free(e->target);
	e->target = NULL;
	e->mode = 0;
	e->size = 0;
	e->source_size = 0;
	e->spooled = -1;
	e->rdev = 0;
	e->same = NULL;
}

/* The entry that a header is about; NULL, with a complaint, if there can be none. */
static struct entry *place(const struct reader *r, const char *path)
{
	bool is_dir = archive_entry_filetype(r->header) == AE_IFDIR &&
		      !archive_entry_hardlink(r->header);
	char *last;
	struct entry *dir, *e;

	dir = walk(r, path, true, &last);
	if (!dir)
		return NULL;
	e = *last ? tree_find(dir, last, strlen(last)) : r->root;
	if (!e) {
		e = tree_add(dir, last, 0);
	} else if (!S_ISDIR(e->mode) && r->opt->last_wins) {
		clear(r, e);
	} else if (!S_ISDIR(e->mode)) {
		complain_entry(e, "is in the archive twice (--last-wins takes the last one)");
		e = NULL;
	} else if (!is_dir) {
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

static void take_attributes(const struct reader *r, struct entry *e)
{
	struct archive_entry *h = r->header;

	e->mode = archive_entry_filetype(h) | archive_entry_perm(h);
	e->uid = id_of(archive_entry_uid(h));
	e->gid = id_of(archive_entry_gid(h));
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		e->rdev = makedev(archive_entry_rdevmajor(h), archive_entry_rdevminor(h));
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

static void take_contents(struct reader *r, struct entry *e)
{
	__u64 size = 0;
	const void *buf;
	la_int64_t offset;
	size_t len;
	int res;

	e->spooled = r->end;
	for (;;) {
		res = archive_read_data_block(r->archive, &buf, &len, &offset);
		if (res == ARCHIVE_EOF)
			break;
		if (res == ARCHIVE_WARN)
			warn_entry(e, "%s", archive_error_string(r->archive));
		else if (res != ARCHIVE_OK)
			die_archive(r);
		size = offset + len;
		/* No image has more of a file; it cannot be made, or the file is cut. */
		if (offset >= MAX_FILE_SIZE)
			continue;
		if (size > MAX_FILE_SIZE)
			len = MAX_FILE_SIZE - offset;
		write_spool(buf, len, r->end + offset);
	}
	/* A file may end with a hole. */
	if (archive_entry_size_is_set(r->header) && archive_entry_size(r->header) > (__s64)size)
		size = archive_entry_size(r->header);
	e->size = size;
	e->source_size = size;
	r->end += size < MAX_FILE_SIZE ? size : MAX_FILE_SIZE;
}

static void take_target(const struct reader *r, struct entry *e)
{
	const char *target = archive_entry_symlink(r->header);

	e->target = xstrdup(target ? target : "");
	e->size = strlen(e->target);
	e->source_size = e->size;
}

static void link_to(struct entry *e, struct entry *first, const char *target)
{
	/* If it is nothing, this is said once. */
	e->mode = S_IFREG;
	if (first && first->same)
		first = first->same;
	if (!first || first == e)
		complain_entry(e, "is a hard link to %s, which is not in the archive", target);
	else if (S_ISDIR(first->mode))
		complain_entry(e, "is a hard link to %s, a directory", target);
	else
		e->same = first;
}

static void take_link(struct reader *r, struct entry *e)
{
	const char *target = archive_entry_hardlink(r->header);
	struct entry *first = find(r, target);

	if (first) {
		link_to(e, first, target);
		/* In a cpio archive, the last name may bring the contents. */
		if (e->same && S_ISREG(e->same->mode) && archive_entry_size_is_set(r->header) &&
		    archive_entry_size(r->header))
			take_contents(r, e->same);
		return;
	}
	if (!(r->nr_pending & (r->nr_pending - 1)))
		r->pending = xgrow(r->pending, (r->nr_pending ? r->nr_pending * 2 : 1) *
				   sizeof(*r->pending));
	r->pending[r->nr_pending++] = (struct pending){ e, xstrdup(target) };
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
		take_contents(r, e);
	else if (S_ISLNK(e->mode))
		take_target(r, e);
}

static void take_entries(struct reader *r)
{
	while (r->header) {
		take_entry(r);
		if (archive_read_data_skip(r->archive) != ARCHIVE_OK)
			die_archive(r);
		r->after_entry = archive_filter_bytes(r->archive, 0);
		next_header(r);
		check_header(r);
	}
}

static void link_pending(struct reader *r)
{
	size_t i;

	for (i = 0; i < r->nr_pending; i++) {
		const struct pending *p = &r->pending[i];

		/* Another entry may have taken its place meanwhile. */
		if (!p->e->mode)
			link_to(p->e, find(r, p->target), p->target);
		free(p->target);
	}
	free(r->pending);
	settle_links(r->root, NULL);
}

static void drop_excluded(struct entry *dir, const struct options *opt)
{
	size_t i;

	/* From the end, so that what remains to be looked at stays in its place. */
	for (i = dir->nr_children; i-- > 0; ) {
		if (tree_excludes(dir->child[i], opt))
			tree_drop(dir->child[i]);
		else
			drop_excluded(dir->child[i], opt);
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
	if (asprintf(&root, "%s:", r.name) < 0)
		die("out of memory");
	r.root = tree_new(root, S_IFDIR | 0755);
	free(root);
	create_spool();
	begin(&r);
	take_entries(&r);
	finish(&r);
	/* Holes at the end have not been written. */
	if (ftruncate(spool, r.end))
		die_spool();
	link_pending(&r);
	if (opt->nr_exclude)
		drop_excluded(r.root, opt);
	return r.root;
}
