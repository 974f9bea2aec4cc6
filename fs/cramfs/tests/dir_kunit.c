// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of dir.c: what readdir() lists and lookup finds, in directories that are as
 * they should be and in others; always both, in images of both kinds.
 */

#include <linux/dcache.h>
#include <linux/namei.h>
#include <linux/string.h>

#include "tests.h"

#define SORTED	CRAMFS_FLAG_SORTED_DIRS

#define TEN		"abcdefghij"
#define FIFTY		TEN TEN TEN TEN "abcdefghij"
/* The longest name that there is, and one that is longer. */
#define NAME_252	FIFTY FIFTY FIFTY FIFTY FIFTY "kl"
#define NAME_253	NAME_252 "m"

/* Length of an entry whose name takes @len bytes with its padding. */
#define ENTRY_LEN(len)	((u32)sizeof(struct cramfs_inode) + (len))

struct dir_case {
	const char *desc;
	u32 flags;
	struct {
		const char *name;
		u32 len;	/* of the name, 0: up to its NUL */
	} entry[5];
	int more;		/* bytes that the directory is longer than its entries */
	bool at_end;		/* nothing of the image follows it */
	const char *list;	/* what is listed: each name and a comma */
	int list_err;		/* and then */
	struct {
		const char *name;
		int want;	/* the number of an entry, or an error */
	} lookup[4];
};

static const struct dir_case dir_cases[] = {
	{
		.desc = "empty",
		.list = "", .lookup = { { "a", -ENOENT } },
	},
	{
		.desc = "names of one to five bytes",
		.entry = { { "a" }, { "bb" }, { "ccc" }, { "dddd" }, { "eeeee" } },
		.list = "a,bb,ccc,dddd,eeeee,",
		.lookup = { { "a", 0 }, { "ccc", 2 }, { "dddd", 3 }, { "eeeee", 4 } },
	},
	{
		.desc = "beginnings and continuations of names are others",
		.entry = { { "ab" }, { "dddd" } },
		.list = "ab,dddd,",
		.lookup = { { "a", -ENOENT }, { "abc", -ENOENT }, { "ddd", -ENOENT },
			    { "ddddd", -ENOENT } },
	},
	{
		.desc = "name of 252 bytes",
		.entry = { { NAME_252 }, { "z" } },
		.list = NAME_252 ",z,",
		.lookup = { { NAME_252, 0 }, { NAME_253, -ENAMETOOLONG }, { "z", 1 } },
	},
	{
		.desc = "name of 252 bytes ends where the image ends",
		.entry = { { NAME_252 } }, .at_end = true,
		.list = NAME_252 ",", .lookup = { { NAME_252, 0 }, { "z", -ENOENT } },
	},
	{
		.desc = "last entry ends where the image ends",
		.entry = { { "a" }, { "b" } }, .at_end = true,
		.list = "a,b,", .lookup = { { "b", 1 }, { "c", -ENOENT } },
	},
	{
		.desc = "bytes above 127",
		.flags = SORTED, .entry = { { "a" }, { "\xc3\xa4" }, { "\xff" } },
		.list = "a,\xc3\xa4,\xff,",
		.lookup = { { "a", 0 }, { "\xc3\xa4", 1 }, { "\xff", 2 } },
	},
	{
		.desc = "name that is there twice",
		.entry = { { "a" }, { "b" }, { "a" } },
		.list = "a,b,a,", .lookup = { { "a", 0 } },
	},

	/* Order. */
	{
		.desc = "sorted",
		.flags = SORTED, .entry = { { "a" }, { "ab" }, { "c" } },
		.list = "a,ab,c,",
		.lookup = { { "a", 0 }, { "ab", 1 }, { "c", 2 }, { "b", -ENOENT } },
	},
	{
		.desc = "sorted: lookup ends with what is greater",
		.flags = SORTED, .entry = { { "a" }, { "c" }, { "d" } }, .more = -1,
		.list = "a,c,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -ENOENT }, { "c", 1 }, { "cc", -EUCLEAN } },
	},
	{
		.desc = "not sorted: lookup goes on",
		.entry = { { "a" }, { "c" }, { "d" } }, .more = -1,
		.list = "a,c,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN }, { "c", 1 }, { "cc", -EUCLEAN } },
	},
	{
		.desc = "not sorted",
		.entry = { { "c" }, { "a" }, { "b" } },
		.list = "c,a,b,",
		.lookup = { { "a", 1 }, { "b", 2 }, { "c", 0 }, { "d", -ENOENT } },
	},
	{
		.desc = "not sorted, but said to be: lookup ends",
		.flags = SORTED, .entry = { { "c" }, { "a" }, { "b" } },
		.list = "c,a,b,",
		.lookup = { { "c", 0 }, { "b", -ENOENT }, { "d", -ENOENT } },
	},

	/* Entries that are not all there. */
	{
		.desc = "first entry lacks its last byte",
		.entry = { { "a" } }, .more = -1,
		.list = "", .list_err = -EUCLEAN, .lookup = { { "a", -EUCLEAN } },
	},
	{
		.desc = "second entry lacks its last byte",
		.entry = { { "a" }, { "b" } }, .more = -1,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "second entry lacks its name",
		.entry = { { "a" }, { "b" } }, .more = -4,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "second entry lacks the last byte of its inode",
		.entry = { { "a" }, { "b" } }, .more = -5,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "second entry is one byte",
		.entry = { { "a" }, { "b" } }, .more = -15,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "last entry lacks its last byte, as does the image",
		.entry = { { "a" }, { "b" } }, .more = -1, .at_end = true,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "name of 252 bytes lacks its last byte",
		.entry = { { NAME_252 } }, .more = -1,
		.list = "", .list_err = -EUCLEAN, .lookup = { { NAME_252, -EUCLEAN } },
	},
	{
		.desc = "one byte follows the entries",
		.entry = { { "a" } }, .more = 1,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN } },
	},
	{
		.desc = "zeros follow the entries",
		.entry = { { "a" } }, .more = 12,
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -ENOENT } },
	},

	/* Names that are none. */
	{
		.desc = "no name",
		.entry = { { "a" }, { "" }, { "c" } },
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "c", 2 } },
	},
	{
		.desc = "no name, sorted",
		.flags = SORTED, .entry = { { "" }, { "b" } },
		.list = "", .list_err = -EUCLEAN, .lookup = { { "b", 1 } },
	},
	{
		.desc = "name is all NUL",
		.entry = { { "a" }, { "\0\0\0\0", 4 } },
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -ENOENT } },
	},
	{
		.desc = "NUL in a name",
		.entry = { { "a" }, { "b\0c", 3 } },
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "b", -EUCLEAN }, { "bc", -ENOENT } },
	},
	{
		.desc = "NUL in a name, the last byte is not",
		.entry = { { "a" }, { "b\0\0\0\0\0\0x", 8 } },
		.list = "a,", .list_err = -EUCLEAN, .lookup = { { "b", -EUCLEAN } },
	},
	{
		.desc = "more padding than needed",
		.entry = { { "a" }, { "b\0\0\0\0\0\0\0", 8 } },
		.list = "a,b,", .lookup = { { "b", 1 } },
	},
	{
		.desc = "name is a slash",
		.entry = { { "a" }, { "/" } },
		.list = "a,", .list_err = -EUCLEAN, .lookup = { { "a", 0 } },
	},
	{
		.desc = "name ends with a slash",
		.entry = { { "a" }, { "bbb/" } },
		.list = "a,", .list_err = -EUCLEAN,
		.lookup = { { "a", 0 }, { "bbb", -ENOENT } },
	},
	{
		.desc = "name is a dot",
		.entry = { { "a" }, { "." } },
		.list = "a,", .list_err = -EUCLEAN, .lookup = { { "a", 0 } },
	},
	{
		.desc = "name is two dots",
		.entry = { { "a" }, { ".." } },
		.list = "a,", .list_err = -EUCLEAN, .lookup = { { "a", 0 } },
	},
	{
		.desc = "name is three dots",
		.entry = { { "a" }, { "..." } },
		.list = "a,...,", .lookup = { { "...", 1 } },
	},
};

KUNIT_ARRAY_PARAM_DESC(dir, dir_cases, desc);

/* The entries are empty files; their permissions tell which one is which. */
static struct cramfs_inode numbered(int nr)
{
	return (struct cramfs_inode){ .mode = S_IFREG | nr };
}

static u32 entries_len(const struct dir_case *c)
{
	u32 len = 0, name_len;

	for (int i = 0; i < ARRAY_SIZE(c->entry) && c->entry[i].name; i++) {
		name_len = c->entry[i].len ?: strlen(c->entry[i].name);
		len += ENTRY_LEN(round_up(name_len, 4));
	}
	return len;
}

static struct cramfs_test_image *image_with_dir(struct kunit *test,
						const struct dir_case *c)
{
	u32 len = entries_len(c), offset = TEST_ROOT;
	struct cramfs_test_image *image;
	struct cramfs_super *super;

	image = cramfs_test_image(test, TEST_IMAGE_LEN);
	for (int i = 0; i < ARRAY_SIZE(c->entry) && c->entry[i].name; i++)
		offset = cramfs_test_put_entry(test, image, offset, numbered(i),
					       c->entry[i].name,
					       c->entry[i].len ?:
					       strlen(c->entry[i].name));
	super = cramfs_test_super(test, image, 0, c->flags);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = len + c->more;
	if (c->at_end)
		super->size = TEST_ROOT + len + c->more;
	return image;
}

#define LIST_LEN	1024

struct listing {
	struct dir_context ctx;
	char names[LIST_LEN];	/* each with a comma */
	u32 len;
	u32 room;		/* for so many names */
};

static bool add_name(struct dir_context *ctx, const char *name, int len,
		     loff_t pos, u64 ino, unsigned int type)
{
	struct listing *list = container_of(ctx, struct listing, ctx);

	if (!list->room || list->len + len + 2 > LIST_LEN)
		return false;
	list->room--;
	memcpy(list->names + list->len, name, len);
	list->len += len;
	list->names[list->len++] = ',';
	return true;
}

static struct listing *new_listing(struct kunit *test)
{
	struct listing *list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, list);
	list->ctx.actor = add_name;
	list->room = U32_MAX;
	return list;
}

/* The error of a lookup, or 0 and the inode's mode. */
static int look_up(struct vfsmount *mnt, const char *name, umode_t *mode)
{
	struct path path;
	int err = vfs_path_lookup(mnt->mnt_root, mnt, name, 0, &path);

	if (err)
		return err;
	*mode = d_inode(path.dentry)->i_mode;
	path_put(&path);
	return 0;
}

static void check_dir(struct kunit *test, u32 piece)
{
	const struct dir_case *c = test->param_value;
	struct listing *list = new_listing(test);
	struct vfsmount *mnt = cramfs_test_mount(test, image_with_dir(test, c), piece);
	struct file *dir = cramfs_test_open(test, mnt, ".");
	umode_t mode;
	int err;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dir);
	list->room = CRAMFS_MAXPATHLEN;
	KUNIT_EXPECT_EQ(test, iterate_dir(dir, &list->ctx), c->list_err);
	KUNIT_ASSERT_TRUE(test, str_has_prefix(list->names, ".,..,"));
	KUNIT_EXPECT_STREQ(test, list->names + strlen(".,..,"), c->list);

	for (int i = 0; i < ARRAY_SIZE(c->lookup) && c->lookup[i].name; i++) {
		err = look_up(mnt, c->lookup[i].name, &mode);
		if (!err)
			err = mode & ~S_IFMT;
		KUNIT_EXPECT_EQ_MSG(test, err, c->lookup[i].want, "lookup of %s",
				    c->lookup[i].name);
	}
}

static void dir_of_image_in_memory(struct kunit *test)
{
	check_dir(test, 0);
}

static void dir_of_image_in_pieces(struct kunit *test)
{
	check_dir(test, sizeof(u32));
}

/* A directory of "a" and "b", each with an entry of 16 bytes. */
static struct vfsmount *mount_a_and_b(struct kunit *test)
{
	static const struct dir_case a_and_b = { .entry = { { "a" }, { "b" } } };

	return cramfs_test_mount(test, image_with_dir(test, &a_and_b), 0);
}

struct seek_case {
	const char *desc;
	loff_t pos;
	const char *list;
	int err;
};

static const struct seek_case seek_cases[] = {
	{ .desc = "the beginning", .pos = 0, .list = ".,..,a,b," },
	{ .desc = "the two dots", .pos = 1, .list = "..,a,b," },
	{ .desc = "first entry", .pos = 2, .list = "a,b," },
	{ .desc = "no entry", .pos = 3, .list = "", .err = -EINVAL },
	{ .desc = "inside of the first entry", .pos = 6, .list = "", .err = -EUCLEAN },
	{ .desc = "second entry", .pos = 18, .list = "b," },
	{ .desc = "the end", .pos = 34, .list = "" },
	{ .desc = "a word past the end", .pos = 38, .list = "" },
	{ .desc = "no entry, past the end", .pos = 39, .list = "" },
	{ .desc = "4 GiB past the first entry", .pos = BIT_ULL(32) + 2, .list = "" },
	{ .desc = "as far as can be said", .pos = LLONG_MAX, .list = "" },
};

KUNIT_ARRAY_PARAM_DESC(seek, seek_cases, desc);

static void list_from(struct kunit *test)
{
	const struct seek_case *c = test->param_value;
	struct listing *list = new_listing(test);
	struct file *dir = cramfs_test_open(test, mount_a_and_b(test), ".");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dir);
	dir->f_pos = c->pos;
	KUNIT_EXPECT_EQ(test, iterate_dir(dir, &list->ctx), c->err);
	KUNIT_EXPECT_STREQ(test, list->names, c->list);
}

/* A buffer that is full is no reason to leave out a name, or to say it twice. */
static void list_name_by_name(struct kunit *test)
{
	struct listing *list = new_listing(test);
	struct file *dir = cramfs_test_open(test, mount_a_and_b(test), ".");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dir);
	for (int i = 0; i < 6; i++) {
		list->room = 1;
		KUNIT_EXPECT_EQ(test, 0, iterate_dir(dir, &list->ctx));
	}
	KUNIT_EXPECT_STREQ(test, list->names, ".,..,a,b,");
}

/* What a listing says of one entry, of a single letter. */
struct said {
	u64 ino;
	unsigned int type;
};

struct sayings {
	struct dir_context ctx;
	struct said said['z' - 'a' + 1];
};

static bool note_numbers(struct dir_context *ctx, const char *name, int len,
			 loff_t pos, u64 ino, unsigned int type)
{
	struct sayings *sayings = container_of(ctx, struct sayings, ctx);

	if (len == 1 && *name >= 'a' && *name <= 'z')
		sayings->said[*name - 'a'] = (struct said){ .ino = ino, .type = type };
	return true;
}

/* Where a directory of its own is in these images, besides the root. */
#define SECOND_DIR	1024

static void list_and_lookup_have_the_same_numbers(struct kunit *test)
{
	static const struct cramfs_inode inodes[] = {
		{ .mode = S_IFREG | 0644 },
		{ .mode = S_IFREG | 0600, .size = 1, .offset = SECOND_DIR >> 2 },
		{ .mode = S_IFREG | 04755, .size = 1, .offset = SECOND_DIR >> 2 },
		{ .mode = S_IFDIR | 0755, .size = 16, .offset = SECOND_DIR >> 2 },
		{ .mode = S_IFLNK | 0777, .size = 1, .offset = SECOND_DIR >> 2 },
		{ .mode = S_IFCHR | 0600, .size = 0x0103 },
		{ .mode = S_IFIFO | 0600 },
	};
	struct cramfs_test_image *image = cramfs_test_image(test, TEST_IMAGE_LEN);
	struct cramfs_super *super = cramfs_test_super(test, image, 0, 0);
	struct sayings *sayings = kunit_kzalloc(test, sizeof(*sayings), GFP_KERNEL);
	u32 offset = TEST_ROOT;
	struct vfsmount *mnt;
	struct inode *inode;
	struct file *file;
	char name[2] = "a";
	struct path path;

	KUNIT_ASSERT_NOT_NULL(test, sayings);
	for (int i = 0; i < ARRAY_SIZE(inodes); i++, name[0]++)
		offset = cramfs_test_put_entry(test, image, offset, inodes[i], name, 1);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = offset - TEST_ROOT;

	sayings->ctx.actor = note_numbers;
	mnt = cramfs_test_mount(test, image, 0);
	file = cramfs_test_open(test, mnt, ".");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, iterate_dir(file, &sayings->ctx));
	for (int i = 0; i < ARRAY_SIZE(inodes); i++) {
		name[0] = 'a' + i;
		KUNIT_ASSERT_EQ(test, 0, vfs_path_lookup(mnt->mnt_root, mnt, name, 0,
							 &path));
		inode = d_inode(path.dentry);
		KUNIT_EXPECT_EQ(test, sayings->said[i].ino, inode->i_ino);
		KUNIT_EXPECT_EQ(test, sayings->said[i].type,
				fs_umode_to_dtype(inodes[i].mode));
		path_put(&path);
	}
}

struct place_case {
	const char *desc;
	/* Entries of the root directory, of the second one: a name and an inode each. */
	struct {
		const char *name;
		struct cramfs_inode inode;
	} root[2], second[2];
	struct {
		const char *path;
		int err;
	} lookup[5];
};

/* Directories: the root, as long as a case's is, and the one besides it. */
#define ROOT_DIR(nr_entries)						\
	{ .mode = S_IFDIR | 0755, .size = 16 * (nr_entries), .offset = TEST_ROOT >> 2 }
#define OTHER_DIR(nr_entries, ...)					\
	{ .mode = S_IFDIR | 0755, .size = 16 * (nr_entries),		\
	  .offset = SECOND_DIR >> 2, __VA_ARGS__ }
#define DATA_FILE							\
	{ .mode = S_IFREG | 0644, .size = 1, .offset = SECOND_DIR >> 2 }

static const struct place_case place_cases[] = {
	{
		.desc = "one place",
		.root = { { "a", OTHER_DIR(1) } },
		.second = { { "f", DATA_FILE } },
		.lookup = { { "a", 0 }, { "a/f", 0 }, { "a/g", -ENOENT }, { "a", 0 } },
	},
	{
		.desc = "two entries",
		.root = { { "a", OTHER_DIR(1) }, { "b", OTHER_DIR(1) } },
		.second = { { "f", DATA_FILE } },
		.lookup = { { "a/f", 0 }, { "b", -EUCLEAN }, { "a/f", 0 },
			    { "b/f", -EUCLEAN }, { "a", 0 } },
	},
	{
		.desc = "two entries, the second one is used first",
		.root = { { "a", OTHER_DIR(1) }, { "b", OTHER_DIR(1) } },
		.second = { { "f", DATA_FILE } },
		.lookup = { { "b/f", 0 }, { "a", -EUCLEAN }, { "b", 0 } },
	},
	{
		.desc = "the same name in two directories",
		.root = { { "a", OTHER_DIR(2) }, { "c", OTHER_DIR(1, .uid = 1) } },
		.second = { { "c", OTHER_DIR(1, .uid = 1) }, { "x", DATA_FILE } },
		.lookup = { { "c", 0 }, { "a", 0 }, { "a/c", -EUCLEAN }, { "c", 0 } },
	},
	{
		.desc = "in itself",
		.root = { { "a", OTHER_DIR(1) } },
		.second = { { "a", OTHER_DIR(1) } },
		.lookup = { { "a", 0 }, { "a/a", -EUCLEAN }, { "a/a/a", -EUCLEAN },
			    { "a", 0 } },
	},
	{
		.desc = "the root in itself",
		.root = { { "a", ROOT_DIR(1) } },
		.lookup = { { "a", -EUCLEAN }, { "a/a", -EUCLEAN } },
	},
	{
		.desc = "the root in another directory",
		.root = { { "a", OTHER_DIR(1) } },
		.second = { { "b", ROOT_DIR(1) } },
		.lookup = { { "a", 0 }, { "a/b", -EUCLEAN }, { "a/b/a", -EUCLEAN } },
	},
	{
		.desc = "the root with another owner, but once",
		.root = { { "a", { .mode = S_IFDIR | 0755, .uid = 1, .size = 16,
				   .offset = TEST_ROOT >> 2 } } },
		.lookup = { { "a", 0 }, { "a/a", -EUCLEAN } },
	},
	{
		.desc = "empty directories are many",
		.root = { { "a", { .mode = S_IFDIR | 0755 } },
			  { "b", { .mode = S_IFDIR | 0755 } } },
		.lookup = { { "a", 0 }, { "b", 0 }, { "a/b", -ENOENT } },
	},
	{
		.desc = "files can be in two places",
		.root = { { "a", DATA_FILE }, { "b", DATA_FILE } },
		.lookup = { { "a", 0 }, { "b", 0 }, { "a", 0 } },
	},
};

KUNIT_ARRAY_PARAM_DESC(place, place_cases, desc);

static struct vfsmount *mount_places(struct kunit *test, const struct place_case *c)
{
	struct cramfs_test_image *image = cramfs_test_image(test, TEST_IMAGE_LEN);
	struct cramfs_super *super = cramfs_test_super(test, image, 0, 0);
	u32 root = TEST_ROOT, second = SECOND_DIR;

	for (int i = 0; i < ARRAY_SIZE(c->root) && c->root[i].name; i++)
		root = cramfs_test_put_entry(test, image, root, c->root[i].inode,
					     c->root[i].name, 1);
	for (int i = 0; i < ARRAY_SIZE(c->second) && c->second[i].name; i++)
		second = cramfs_test_put_entry(test, image, second, c->second[i].inode,
					       c->second[i].name, 1);
	super->root.offset = TEST_ROOT >> 2;
	super->root.size = root - TEST_ROOT;
	return cramfs_test_mount(test, image, 0);
}

static void a_directory_has_one_place(struct kunit *test)
{
	const struct place_case *c = test->param_value;
	struct vfsmount *mnt = mount_places(test, c);
	umode_t mode;

	for (int i = 0; i < ARRAY_SIZE(c->lookup) && c->lookup[i].path; i++)
		KUNIT_EXPECT_EQ_MSG(test, look_up(mnt, c->lookup[i].path, &mode),
				    c->lookup[i].err, "%s, lookup %d",
				    c->lookup[i].path, i);
}

/* What the VFS has forgotten can be found again. */
static void a_directory_is_found_again(struct kunit *test)
{
	struct vfsmount *mnt = mount_places(test, &place_cases[0]);
	umode_t mode;

	for (int i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, look_up(mnt, "a", &mode));
		KUNIT_EXPECT_EQ(test, 0, look_up(mnt, "a/f", &mode));
		shrink_dcache_sb(mnt->mnt_sb);
	}
}

static struct kunit_case dir_test_cases[] = {
	KUNIT_CASE_PARAM(dir_of_image_in_memory, dir_gen_params),
	KUNIT_CASE_PARAM(dir_of_image_in_pieces, dir_gen_params),
	KUNIT_CASE_PARAM(list_from, seek_gen_params),
	KUNIT_CASE(list_name_by_name),
	KUNIT_CASE(list_and_lookup_have_the_same_numbers),
	KUNIT_CASE_PARAM(a_directory_has_one_place, place_gen_params),
	KUNIT_CASE(a_directory_is_found_again),
	{}
};

static struct kunit_suite dir_test_suite = {
	.name = "cramfs_dir",
	.test_cases = dir_test_cases,
};

kunit_test_suite(dir_test_suite);
