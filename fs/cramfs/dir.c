// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories: a directory is the sequence of its entries, each an inode and a
 * name that is padded with NUL to a multiple of four bytes.
 */

#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "cramfs.h"

struct cramfs_entry {
	struct cramfs_inode inode;
	char name[CRAMFS_MAXPATHLEN];
};

/*
 * Read the entry at @pos of directory @dir, which has to be before its end.
 *
 * Return: the length of the padded name, or an error. @next is the position of
 * the entry after it.
 */
static int read_entry(struct inode *dir, u32 pos, struct cramfs_entry *entry,
		      u32 *next)
{
	u32 left = i_size_read(dir) - pos, len = sizeof(entry->inode), padded;
	u32 offset = cramfs_data_offset(dir) + pos;
	int err;

	if (len > left)
		goto cut_off;
	err = cramfs_read(dir->i_sb, offset, &entry->inode, len);
	if (err)
		return err;

	padded = entry->inode.namelen << 2;
	if (len + padded > left)
		goto cut_off;
	err = cramfs_read(dir->i_sb, offset + len, entry->name, padded);
	if (err)
		return err;

	*next = pos + len + padded;
	return padded;
cut_off:
	return cramfs_corrupt(dir, offset, "directory entry is cut off");
}

/* The length of the name of an entry without its padding, or an error. */
static int check_name(struct inode *dir, u32 pos, const char *name, u32 padded)
{
	u32 len = strnlen(name, padded);
	const char *bad = NULL;

	if (!len)
		bad = "empty name";
	else if (memchr_inv(name + len, 0, padded - len))
		bad = "NUL in a name";
	else if (memchr(name, '/', len))
		bad = "slash in a name";
	else if (is_dot_dotdot(name, len))
		bad = "name of dots";
	if (bad)
		return cramfs_corrupt(dir, cramfs_data_offset(dir) + pos, bad);
	return len;
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
	if (ctx->pos - CRAMFS_NR_DOTS >= i_size_read(dir))
		return 0;
	if ((ctx->pos - CRAMFS_NR_DOTS) & 3)
		return -EINVAL;

	while (ctx->pos - CRAMFS_NR_DOTS < i_size_read(dir)) {
		pos = ctx->pos - CRAMFS_NR_DOTS;
		len = read_entry(dir, pos, &entry, &next);
		if (len >= 0)
			len = check_name(dir, pos, entry.name, len);
		if (len < 0)
			return len;
		if (!dir_emit(ctx, entry.name, len,
			      cramfs_ino(dir->i_sb, &entry.inode,
					 cramfs_data_offset(dir) + pos),
			      fs_umode_to_dtype(entry.inode.mode)))
			break;
		ctx->pos = next + CRAMFS_NR_DOTS;
	}
	return 0;
}

/* @padded is the length of @entry with its padding, which may be none. */
static int compare_names(const struct qstr *name, const char *entry, u32 padded)
{
	int ret = memcmp(name->name, entry, min(name->len, padded));

	if (ret || name->len == padded)
		return ret;
	if (name->len > padded)
		return 1;
	return entry[name->len] ? -1 : 0;
}

static struct inode *find_inode(struct inode *dir, const struct qstr *name)
{
	struct super_block *sb = dir->i_sb;
	bool sorted = CRAMFS_SB(sb)->flags & CRAMFS_FLAG_SORTED_DIRS;
	struct cramfs_entry entry;
	int padded, len, cmp;
	u32 pos, next;

	for (pos = 0; pos < i_size_read(dir); pos = next) {
		padded = read_entry(dir, pos, &entry, &next);
		if (padded < 0)
			return ERR_PTR(padded);
		cmp = compare_names(name, entry.name, padded);
		if (!cmp) {
			len = check_name(dir, pos, entry.name, padded);
			if (len < 0)
				return ERR_PTR(len);
			return cramfs_iget(sb, &entry.inode,
					   cramfs_data_offset(dir) + pos);
		}
		if (sorted && cmp < 0)
			break;
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		cond_resched();
	}
	return NULL;
}

/* Has the directory @inode a place that is not @dentry's? With dir_lock held. */
static bool is_elsewhere(struct inode *inode, const struct dentry *dentry)
{
	struct dentry *alias = d_find_any_alias(inode);
	bool elsewhere;

	if (!alias)
		return false;
	/* These change only when a directory is moved, which nobody can. */
	elsewhere = alias->d_parent != dentry->d_parent ||
		    !d_same_name(alias, dentry->d_parent, &dentry->d_name);
	dput(alias);
	return elsewhere;
}

/*
 * A directory has one place. VFS would move one that is found in another directory
 * as well, and complain of one that is found in itself. It stays where it was found
 * first, as long as it is known there.
 */
static struct dentry *give_place(struct inode *dir, struct inode *inode,
				 struct dentry *dentry)
{
	struct mutex *lock = &CRAMFS_SB(dir->i_sb)->dir_lock;
	struct dentry *ret;
	u32 at;

	mutex_lock(lock);
	if (!is_elsewhere(inode, dentry)) {
		ret = d_splice_alias(inode, dentry);
		mutex_unlock(lock);
		return ret;
	}
	mutex_unlock(lock);

	at = i_size_read(inode) ? cramfs_data_offset(inode) : 0;
	iput(inode);
	return ERR_PTR(cramfs_corrupt(dir, at, "directory in a second place"));
}

static struct dentry *cramfs_lookup(struct inode *dir, struct dentry *dentry,
				    unsigned int flags)
{
	struct inode *inode;

	if (dentry->d_name.len > CRAMFS_MAXPATHLEN)
		return ERR_PTR(-ENAMETOOLONG);

	inode = find_inode(dir, &dentry->d_name);
	if (!IS_ERR_OR_NULL(inode) && S_ISDIR(inode->i_mode))
		return give_place(dir, inode, dentry);
	return d_splice_alias(inode, dentry);
}

const struct inode_operations cramfs_dir_inode_operations = {
	.lookup		= cramfs_lookup,
};

const struct file_operations cramfs_dir_operations = {
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= cramfs_readdir,
};
