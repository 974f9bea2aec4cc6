// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an inode on disk to one in memory. An inode is its attributes and its
 * data: builders let files with the same content share it, and those that differ
 * in type, mode or owner are different inodes all the same.
 */

#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kdev_t.h>
#include <linux/limits.h>

#include "cramfs.h"

struct cramfs_iget_args {
	const struct cramfs_inode *ci;
	ino_t ino;
};

/* Some builders set the offset of entries that cannot have data. */
static bool has_data(const struct cramfs_inode *ci)
{
	if (!ci->offset || !ci->size)
		return false;
	return S_ISREG(ci->mode) || S_ISDIR(ci->mode) || S_ISLNK(ci->mode);
}

/* The table of block pointers, or all entries, and not the blocks. */
static bool data_is_in_image(const struct super_block *sb,
			     const struct cramfs_inode *ci)
{
	u32 size = CRAMFS_SB(sb)->size, start = ci->offset << 2, len = ci->size;

	if (!S_ISDIR(ci->mode))
		len = DIV_ROUND_UP(len, PAGE_SIZE) * sizeof(u32);
	return start < size && len <= size - start;
}

/**
 * cramfs_ino() - inode number of an entry
 * @sb: the filesystem
 * @ci: the inode on disk
 * @entry: where @ci is in the image, in bytes
 *
 * Return: the number; see CRAMFS_INO_* in cramfs.h. Entries with the same data
 * and attributes have the same, others with few exceptions do not.
 */
ino_t cramfs_ino(const struct super_block *sb, const struct cramfs_inode *ci,
		 u32 entry)
{
	u32 attr;

	/* Offsets that are not in the image have no room in a number. */
	if (!has_data(ci) || !data_is_in_image(sb, ci))
		return entry >> 1 | CRAMFS_INO_NO_DATA;

	attr = ci->mode ^ (u32)ci->uid << 8 ^ (u32)ci->gid << 3;
	return ci->offset << 1 |
	       hash_32(attr, 32) >> CRAMFS_SB(sb)->ino_shift
				 << CRAMFS_SB(sb)->ino_shift;
}

static int cramfs_iget_test(struct inode *inode, void *data)
{
	const struct cramfs_iget_args *args = data;
	const struct cramfs_inode *ci = args->ci;

	if (inode->i_ino != args->ino)
		return 0;
	if (inode->i_ino & CRAMFS_INO_NO_DATA)
		return 1;
	return inode->i_mode == ci->mode && inode->i_size == ci->size &&
	       i_uid_read(inode) == ci->uid && i_gid_read(inode) == ci->gid;
}

/* Everything that cramfs_iget_test() compares, since it may do so at once. */
static int cramfs_iget_set(struct inode *inode, void *data)
{
	const struct cramfs_iget_args *args = data;
	const struct cramfs_inode *ci = args->ci;

	inode->i_ino = args->ino;
	inode->i_mode = ci->mode;
	i_uid_write(inode, ci->uid);
	i_gid_write(inode, ci->gid);
	if (has_data(ci)) {
		i_size_write(inode, ci->size);
		inode->i_blocks = DIV_ROUND_UP(ci->size, 512);
	}
	return 0;
}

/**
 * cramfs_iget() - the inode in memory for one on disk
 * @sb: the filesystem
 * @ci: the inode on disk
 * @entry: where @ci is in the image, in bytes
 *
 * Context: May sleep.
 * Return: the inode, with a reference, or an ERR_PTR: -ENOMEM, or -EUCLEAN for an
 * inode that makes no sense.
 */
struct inode *cramfs_iget(struct super_block *sb, const struct cramfs_inode *ci,
			  u32 entry)
{
	struct cramfs_iget_args args = {
		.ci = ci,
		.ino = cramfs_ino(sb, ci, entry),
	};
	const char *bad = NULL;
	struct inode *inode;

	inode = iget5_locked(sb, args.ino, cramfs_iget_test, cramfs_iget_set,
			     &args);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW))
		return inode;

	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		if (IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV))
			inode->i_op = &cramfs_file_inode_operations;
		inode->i_fop = &cramfs_file_operations;
		inode->i_data.a_ops = &cramfs_aops;
		break;
	case S_IFDIR:
		inode->i_op = &cramfs_dir_inode_operations;
		inode->i_fop = &cramfs_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &page_symlink_inode_operations;
		inode->i_data.a_ops = &cramfs_aops;
		inode_nohighmem(inode);
		if (inode->i_size >= PATH_MAX)
			bad = "symbolic link is too long";
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		init_special_inode(inode, inode->i_mode,
				   old_decode_dev(ci->size));
		break;
	default:
		bad = "unknown type of file";
	}

	if (has_data(ci) && !data_is_in_image(sb, ci))
		bad = "data outside of the image";

	if (bad) {
		cramfs_corrupt(inode, entry, bad);
		iget_failed(inode);
		return ERR_PTR(-EUCLEAN);
	}

	/*
	 * Links are not counted, neither to files nor to directories. find(1)
	 * knows 1 as a link count that means nothing.
	 */
	inode_set_mtime(inode, 0, 0);
	inode_set_atime(inode, 0, 0);
	inode_set_ctime(inode, 0, 0);
	unlock_new_inode(inode);
	return inode;
}
