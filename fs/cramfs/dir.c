// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories: a directory is the sequence of its entries, each an inode and a
 * name that is padded with NUL to a multiple of four bytes.
 */

#include <linux/fs.h>
#include <linux/string.h>

#include "cramfs.h"

struct cramfs_entry {
	struct cramfs_inode inode;
	char name[CRAMFS_MAXPATHLEN];
};

/*
 * Read the entry at @pos of directory @dir, which has to be before its end.
 *
 * Return: the length of the name, or an error. @next is the position of the entry
 * after it.
 */
static int read_entry(struct inode *dir, u32 pos, struct cramfs_entry *entry,
		      u32 *next)
{
	u32 offset = cramfs_data_offset(dir) + pos, padded;
	const char *bad = NULL;
	size_t len = 0;
	int err;

	if (i_size_read(dir) - pos < sizeof(entry->inode))
		return cramfs_corrupt(dir, offset, "directory entry is cut off");
	err = cramfs_read(dir->i_sb, offset, &entry->inode,
			  sizeof(entry->inode));
	if (err)
		goto out;

	padded = entry->inode.namelen << 2;
	*next = pos + sizeof(entry->inode) + padded;
	if (*next > i_size_read(dir))
		return cramfs_corrupt(dir, offset, "directory entry is cut off");
	err = cramfs_read(dir->i_sb, offset + sizeof(entry->inode), entry->name,
			  padded);
	if (err)
		goto out;

	len = strnlen(entry->name, padded);
	if (!len)
		bad = "empty name";
	else if (memchr_inv(entry->name + len, 0, padded - len))
		bad = "NUL in a name";
	else if (memchr(entry->name, '/', len))
		bad = "slash in a name";
	if (bad)
		return cramfs_corrupt(dir, offset, bad);
	return len;
out:
	if (err == -EUCLEAN)
		cramfs_corrupt(dir, offset,
			       "directory entry outside of the image");
	return err;
}

/*
 * The position of an entry is its offset in the directory, in bytes, after the
 * two that are not in the image.
 */
#define CRAMFS_NR_DOTS	2

static int cramfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct cramfs_entry entry;
	u32 pos, next;
	int len;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if ((ctx->pos - CRAMFS_NR_DOTS) & 3)
		return -EINVAL;

	while (ctx->pos - CRAMFS_NR_DOTS < i_size_read(dir)) {
		pos = ctx->pos - CRAMFS_NR_DOTS;
		len = read_entry(dir, pos, &entry, &next);
		if (len < 0)
			return len;
		if (!dir_emit(ctx, entry.name, len,
			      cramfs_ino(&entry.inode,
					 cramfs_data_offset(dir) + pos),
			      fs_umode_to_dtype(entry.inode.mode)))
			break;
		ctx->pos = next + CRAMFS_NR_DOTS;
	}
	return 0;
}

static int compare_names(const struct qstr *a, const char *b, int b_len)
{
	int ret = memcmp(a->name, b, min_t(int, a->len, b_len));

	return ret ?: (int)a->len - b_len;
}

static struct inode *find_inode(struct inode *dir, const struct qstr *name)
{
	struct super_block *sb = dir->i_sb;
	bool sorted = CRAMFS_SB(sb)->flags & CRAMFS_FLAG_SORTED_DIRS;
	struct cramfs_entry entry;
	u32 pos, next;
	int len, cmp;

	for (pos = 0; pos < i_size_read(dir); pos = next) {
		len = read_entry(dir, pos, &entry, &next);
		if (len < 0)
			return ERR_PTR(len);
		cmp = compare_names(name, entry.name, len);
		if (!cmp)
			return cramfs_iget(sb, &entry.inode,
					   cramfs_data_offset(dir) + pos);
		if (sorted && cmp < 0)
			break;
	}
	return NULL;
}

static struct dentry *cramfs_lookup(struct inode *dir, struct dentry *dentry,
				    unsigned int flags)
{
	if (dentry->d_name.len > CRAMFS_MAXPATHLEN)
		return ERR_PTR(-ENAMETOOLONG);
	return d_splice_alias(find_inode(dir, &dentry->d_name), dentry);
}

const struct inode_operations cramfs_dir_inode_operations = {
	.lookup		= cramfs_lookup,
};

const struct file_operations cramfs_dir_operations = {
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= cramfs_readdir,
};
