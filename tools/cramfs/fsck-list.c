// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in an image, for people (as ls -l has it), for programs (JSON), and the bytes of one
 * file. Only what is looked at is checked.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fsck.h"

struct target {
	char *data;
	__u32 len;
};

static void add_to_target(void *ctx, const unsigned char *data, __u32 len)
{
	struct target *target = ctx;

	if (data)
		memcpy(target->data + target->len, data, len);
	else
		memset(target->data + target->len, 0, len);
	target->len += len;
}

/**
 * read_target() - read the target of a symbolic link
 * @rd: the image
 * @inode: the link
 * @target: set to the target, valid until the next call; what there is of it if the link is bad
 *
 * Return: NULL, or what is wrong with the link.
 */
const char *read_target(struct reader *rd, const struct inode *inode, const char **target)
{
	static char data[MAX_TARGET + 1];
	static struct inode last;
	static const char *bad;
	struct target to = { .data = data };

	*target = data;
	/* However many links have the same target, it is decompressed once. */
	if (last.offset == inode->offset && last.size == inode->size && inode->size)
		return bad;
	last = *inode;
	data[0] = '\0';
	bad = "symbolic link is too long";
	if (inode->size > MAX_TARGET)
		return bad;
	bad = file_read(rd, inode, add_to_target, &to);
	data[to.len] = '\0';
	if (!bad && strlen(data) != inode->size)
		bad = "NUL in the target of a symbolic link";
	return bad;
}

static void print_mode(__u16 mode)
{
	static const char all[] = "rwxrwxrwx", lower[] = "sst", upper[] = "SST";
	char text[11] = "----------";
	int i;

	if (!S_ISREG(mode))
		text[0] = type_letter(mode);
	for (i = 0; i < 9; i++)
		if (mode & 0400 >> i)
			text[1 + i] = all[i];
	/* Set-user-ID, set-group-ID and sticky share the place of x. */
	for (i = 0; i < 3; i++)
		if (mode & 04000 >> i)
			text[3 + 3 * i] = mode & 0100 >> 3 * i ? lower[i] : upper[i];
	fputs(text, stdout);
}

static bool is_device(const struct inode *inode)
{
	return S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
}

/**
 * list_entry() - print a line for an entry
 * @walk: where it has been reached
 */
void list_entry(const struct walk *walk)
{
	const struct catalog *cat = walk->cat;
	const struct inode *inode = &walk->node.inode;
	char *path = catalog_path(cat, walk->dir, walk->node.at);
	const char *bad, *target;

	print_mode(inode->mode);
	printf(" %5u %3u ", inode->uid, inode->gid);
	if (is_device(inode))
		printf("%3u, %3u ", inode->size >> 8 & 0xff, inode->size & 0xff);
	else
		printf("%8u ", inode->size);
	print_escaped(stdout, path);
	if (S_ISLNK(inode->mode)) {
		bad = read_target(cat->rd, inode, &target);
		fputs(" -> ", stdout);
		print_escaped(stdout, target);
		if (bad)
			problem_at(cat, walk->dir, walk->node.at, "%s", bad);
	}
	putchar('\n');
	free(path);
}

/**
 * list_text() - print a line for each entry
 * @cat: the catalogue
 */
void list_text(const struct catalog *cat)
{
	struct walk walk;
	enum walk_step step;

	walk_begin(&walk, cat);
	while ((step = walk_next(&walk)) != WALK_END)
		if (step == WALK_ENTRY)
			list_entry(&walk);
}

static const char *type_name(__u16 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return "unknown";
	}
}

static void list_entry_json(const struct walk *walk)
{
	const struct catalog *cat = walk->cat;
	const struct inode *inode = &walk->node.inode;
	char *path = catalog_path(cat, walk->dir, walk->node.at);
	const char *bad, *target;

	putchar('{');
	json_path(stdout, path, strlen(path));
	printf(",\"type\":\"%s\",\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u",
	       type_name(inode->mode), inode->mode & 07777, inode->uid, inode->gid);
	if (is_device(inode))
		printf(",\"major\":%u,\"minor\":%u", inode->size >> 8 & 0xff,
		       inode->size & 0xff);
	else
		printf(",\"size\":%u", inode->size);
	if (S_ISLNK(inode->mode)) {
		bad = read_target(cat->rd, inode, &target);
		putchar(',');
		json_member(stdout, "target", target, strlen(target));
		if (bad)
			problem_at(cat, walk->dir, walk->node.at, "%s", bad);
	}
	putchar('}');
	free(path);
}

static void print_flags(__u32 flags)
{
	static const struct {
		__u32 flag;
		const char *name;
	} names[] = {
		{ CRAMFS_FLAG_FSID_VERSION_2, "fsid-version-2" },
		{ CRAMFS_FLAG_SORTED_DIRS, "sorted-dirs" },
		{ CRAMFS_FLAG_HOLES, "holes" },
		{ CRAMFS_FLAG_WRONG_SIGNATURE, "wrong-signature" },
		{ CRAMFS_FLAG_SHIFTED_ROOT_OFFSET, "shifted-root-offset" },
		{ CRAMFS_FLAG_EXT_BLOCK_POINTERS, "ext-block-pointers" },
		{ }
	};
	const char *comma = "";
	int i;

	for (i = 0; names[i].flag; i++) {
		if (!(flags & names[i].flag))
			continue;
		printf("%s\"%s\"", comma, names[i].name);
		comma = ",";
	}
}

/**
 * list_json() - print the superblock and all entries as one JSON object
 * @cat: the catalogue
 */
void list_json(const struct catalog *cat)
{
	const struct reader *rd = cat->rd;
	const char *comma = "";
	struct walk walk;
	enum walk_step step;

	printf("{\"size\":%u,\"offset\":%u,\"endianness\":\"%s\",\"block_size\":", rd->size,
	       rd->base, rd->big_endian ? "big" : "little");
	if (rd->any_block_size)
		fputs("null", stdout);
	else
		printf("%u", rd->block_size);
	fputs(",\"flags\":[", stdout);
	print_flags(rd->flags);
	printf("],\"crc\":\"%08x\",\"edition\":%u,\"blocks\":%u,\"files\":%u,", rd->crc,
	       rd->edition, rd->nr_blocks, rd->nr_files);
	json_member(stdout, "name", rd->name, strlen(rd->name));
	fputs(",\"entries\":[", stdout);
	walk_begin(&walk, cat);
	while ((step = walk_next(&walk)) != WALK_END) {
		if (step != WALK_ENTRY)
			continue;
		printf("%s\n", comma);
		list_entry_json(&walk);
		comma = ",";
	}
	puts("\n]}");
}

static void write_block(void *ctx, const unsigned char *data, __u32 len)
{
	static const unsigned char zeros[MAX_BLOCK_SIZE];

	(void)ctx;
	/* What goes wrong is found at the end. */
	fwrite(data ? data : zeros, 1, len, stdout);
}

/**
 * cat_file() - write the contents of a file to standard output
 * @cat: the catalogue
 * @path: its path in the image
 *
 * A file that is not there, or is no regular file, ends the program.
 */
void cat_file(const struct catalog *cat, const char *path)
{
	struct node node;
	const char *bad;

	if (!walk_find(cat, path, &node))
		die("%s: there is no %s in it", cat->rd->path, path);
	if (!S_ISREG(node.inode.mode))
		die("%s: %s is not a regular file", cat->rd->path, path);
	bad = file_read(cat->rd, &node.inode, write_block, NULL);
	if (bad)
		problem("%s: %s", path, bad);
}
