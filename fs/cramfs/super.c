// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module, mount options, superblock checks, statfs. How the bytes of the image
 * are fetched is the backing's concern (backing.h).
 */

#include <linux/bitops.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "cramfs.h"

#define CREATE_TRACE_POINTS
#include <trace/events/cramfs.h>

/* An image may begin with this many bytes of boot code. */
#define CRAMFS_BOOT_CODE	512

/**
 * cramfs_corrupt() - report an image that makes no sense
 * @inode: where it was seen
 * @offset: the offset in the image that is wrong, or where what is wrong lies
 * @what: what is wrong with it
 *
 * Return: -EUCLEAN, for the caller to return.
 */
int cramfs_corrupt(const struct inode *inode, u64 offset, const char *what)
{
	pr_err_ratelimited("cramfs: %s: inode %llu, offset %#llx: %s\n",
			   inode->i_sb->s_id, (u64)inode->i_ino, offset, what);
	return -EUCLEAN;
}

/* Read the superblock at @offset. Return: 1 if there is one, 0, or an error. */
static int try_superblock(struct super_block *sb, struct fs_context *fc,
			  u32 offset, struct cramfs_super *super)
{
	int err = cramfs_read(sb, offset, super, sizeof(*super));

	/* What is too small for a superblock does not have one. */
	if (err == -EUCLEAN)
		return 0;
	if (err) {
		errorfc(fc, "%s: cannot read the superblock", sb->s_id);
		return err;
	}
	if (super->magic == CRAMFS_MAGIC)
		return 1;
	if (super->magic == CRAMFS_MAGIC_WEND) {
		if (!(fc->sb_flags & SB_SILENT))
			errorfc(fc, "%s: wrong endianness: the image is %s-endian",
				sb->s_id, IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ?
				"little" : "big");
		return -EINVAL;
	}
	return 0;
}

/* Find the superblock. Return: its offset, or an error. */
static int find_superblock(struct super_block *sb, struct fs_context *fc,
			   struct cramfs_super *super)
{
	static const u32 places[] = { 0, CRAMFS_BOOT_CODE };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int ret = try_superblock(sb, fc, places[i], super);

		if (ret)
			return ret < 0 ? ret : places[i];
	}

	if (!(fc->sb_flags & SB_SILENT))
		errorfc(fc, "%s: wrong magic, not a cramfs image", sb->s_id);
	return -EINVAL;
}

/* Hold the superblock at @offset against the format and the backing. */
static int check_superblock(struct super_block *sb, struct fs_context *fc,
			    const struct cramfs_super *super, u32 offset)
{
	struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	u32 root = super->root.offset << 2, first = offset + sizeof(*super);
	const char *bad = NULL;

	sbi->flags = super->flags;
	sbi->start = offset;
	if (super->flags & CRAMFS_FLAG_FSID_VERSION_2) {
		sbi->size = super->size;
		sbi->blocks = super->fsid.blocks;
		sbi->files = super->fsid.files;
	} else {
		/* The oldest images do not tell their size. */
		sbi->size = min_t(u64, sbi->backing.size, U32_MAX);
		if (sbi->backing.size == U64_MAX)
			bad = "no size in the image, physsize= is needed";
	}

	if (super->flags & ~CRAMFS_SUPPORTED_FLAGS)
		bad = "unsupported feature flags";
	else if (!S_ISDIR(super->root.mode))
		bad = "the root is not a directory";
	else if (sbi->size > sbi->backing.size)
		bad = "the image does not fit";
	else if (sbi->size < first)
		bad = "the image is too small";
	else if (root && root != first &&
		 root != CRAMFS_BOOT_CODE + sizeof(*super) &&
		 !(super->flags & CRAMFS_FLAG_SHIFTED_ROOT_OFFSET))
		bad = "bad root offset";
	if (bad)
		return invalfc(fc, "%s: %s (size %u of %llu, flags %#x, root %u)",
			       sb->s_id, bad, sbi->size, sbi->backing.size,
			       super->flags, root);

	if (!root)
		infofc(fc, "%s: empty filesystem", sb->s_id);
	return 0;
}

static int cramfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);

	buf->f_type = CRAMFS_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	buf->f_blocks = sbi->blocks;
	buf->f_files = sbi->files;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(sb->s_dev));
	buf->f_namelen = CRAMFS_MAXPATHLEN;
	return 0;
}

static int cramfs_show_options(struct seq_file *m, struct dentry *root)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(root->d_sb);

	if (sbi->backing.ops->show_options)
		sbi->backing.ops->show_options(m, root->d_sb);
	if (READ_ONCE(sbi->verified))
		seq_puts(m, ",verify");
	return 0;
}

static const struct super_operations cramfs_super_ops = {
	.statfs		= cramfs_statfs,
	.show_options	= cramfs_show_options,
};

/*
 * Make all of the image readable, instead of the page that @super is in. Between
 * the two it was nobody's.
 */
static int map_image(struct super_block *sb, struct fs_context *fc,
		     const struct cramfs_super *super, u32 offset)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	struct cramfs_super now;
	int err;

	err = sbi->backing.ops->map(sb, fc, sbi->size);
	if (!err)
		err = cramfs_read(sb, offset, &now, sizeof(now));
	if (!err && memcmp(&now, super, sizeof(now)))
		err = invalfc(fc, "%s: the superblock has changed meanwhile",
			      sb->s_id);
	return err;
}

/**
 * cramfs_fill_super() - make a filesystem of the image in a backing
 * @sb: the superblock, with what cramfs_prepare_sb_info() made as s_fs_info
 * @fc: the mount
 *
 * Context: s_umount held for writing. On failure kill_sb() undoes all of it.
 * Return: 0 or an error, which has been reported.
 */
int cramfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	const struct cramfs_backing_ops *ops = sbi->backing.ops;
	struct cramfs_super super;
	struct inode *root;
	int offset, err;

	err = ops->open(sb, fc);
	if (err)
		return err;

	/* Nothing past the first page is looked at before the checks. */
	sbi->size = min_t(u64, sbi->backing.size, PAGE_SIZE);
	offset = find_superblock(sb, fc, &super);
	if (offset < 0)
		return offset;
	err = check_superblock(sb, fc, &super, offset);
	if (err)
		return err;
	sbi->ino_shift = min(fls((sbi->size - 1) >> 1), CRAMFS_INO_MAX_SHIFT);
	if (ops->map) {
		err = map_image(sb, fc, &super, offset);
		if (err)
			return err;
	}

	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = CRAMFS_MAGIC;
	sb->s_op = &cramfs_super_ops;
	sb->s_time_min = 0;
	sb->s_time_max = 0;

	/* Old builders gave the root permissions of no use. */
	super.root.mode |= 0555;
	root = cramfs_iget(sb, &super.root,
			   offset + offsetof(struct cramfs_super, root));
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/**
 * cramfs_prepare_sb_info() - give a mount what its superblock will need
 * @fc: the mount; takes it as s_fs_info
 * @ops: the backing that is going to be tried
 *
 * Return: it, or an ERR_PTR: -ENOMEM.
 */
struct cramfs_sb_info *
cramfs_prepare_sb_info(struct fs_context *fc,
		       const struct cramfs_backing_ops *ops)
{
	struct cramfs_sb_info *sbi = fc->s_fs_info;

	/* What one backing did not take is left for the next. */
	if (!sbi)
		sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return ERR_PTR(-ENOMEM);
	mutex_init(&sbi->dir_lock);
	sbi->backing.ops = ops;
	fc->s_fs_info = sbi;
	return sbi;
}

static void cramfs_kill_sb(struct super_block *sb)
{
	struct cramfs_sb_info *sbi = CRAMFS_SB(sb);

	sbi->backing.ops->kill_sb(sb);
	kfree(sbi);
}

enum {
	CRAMFS_OPT_PHYSADDR,
	CRAMFS_OPT_PHYSSIZE,
	CRAMFS_OPT_VERIFY,
};

static const struct fs_parameter_spec cramfs_fs_parameters[] = {
	fsparam_u64("physaddr", CRAMFS_OPT_PHYSADDR),
	fsparam_u64("physsize", CRAMFS_OPT_PHYSSIZE),
	fsparam_flag("verify", CRAMFS_OPT_VERIFY),
	{}
};

static int cramfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct cramfs_mount_opts *opts = fc->fs_private;
	struct fs_parse_result result;
	const char *missing = NULL;
	int opt;

	opt = fs_parse(fc, cramfs_fs_parameters, param, &result);
	if (opt < 0)
		return opt;
	if (opt == CRAMFS_OPT_VERIFY && !IS_ENABLED(CONFIG_CRAMFS_VERIFY))
		missing = "CONFIG_CRAMFS_VERIFY";
	if (opt != CRAMFS_OPT_VERIFY && !IS_ENABLED(CONFIG_CRAMFS_PHYSMEM))
		missing = "CONFIG_CRAMFS_PHYSMEM";
	if (missing)
		return invalfc(fc, "%s: this kernel has no %s", param->key,
			       missing);

	switch (opt) {
	case CRAMFS_OPT_PHYSADDR:
		opts->physaddr = result.uint_64;
		opts->has_physaddr = true;
		break;
	case CRAMFS_OPT_PHYSSIZE:
		opts->physsize = result.uint_64;
		opts->has_physsize = true;
		break;
	case CRAMFS_OPT_VERIFY:
		opts->verify = true;
		break;
	}
	return 0;
}

/* Find or make the superblock of what @fc names. */
static int get_tree_of_source(struct fs_context *fc)
{
	const struct cramfs_mount_opts *opts = fc->fs_private;
	int err;

	if (opts->has_physsize && !opts->has_physaddr)
		return invalfc(fc, "physsize= goes with physaddr=");
	if (opts->has_physaddr ||
	    !(fc->fs_type->fs_flags & FS_REQUIRES_DEV) ||
	    (fc->source && str_has_prefix(fc->source, CRAMFS_ROM_PREFIX))) {
		if (!IS_ENABLED(CONFIG_CRAMFS_PHYSMEM))
			return invalfc(fc, "this kernel has no CONFIG_CRAMFS_PHYSMEM");
		return cramfs_get_tree_physmem(fc);
	}
	if (!fc->source)
		return invalfc(fc, "no source given");

	if (cramfs_source_is_mtd(fc->source))
		return cramfs_get_tree_mtd(fc);
	err = cramfs_source_is_mtdblock(fc->source);
	if (err < 0)
		return err;
	if (err) {
		err = cramfs_get_tree_mtd(fc);
		/* The block device serves where MTD itself cannot. */
		if (err != -EOPNOTSUPP)
			return err;
	}
	if (!IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV))
		return invalfc(fc, "%s: this kernel cannot mount an image there",
			       fc->source);
	return cramfs_get_tree_bdev(fc);
}

static int verify_image(struct super_block *sb, struct fs_context *fc)
{
	struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	int err;

	if (!(sbi->flags & CRAMFS_FLAG_FSID_VERSION_2))
		return invalfc(fc, "%s: the image has no checksum", sb->s_id);

	err = cramfs_verify(sb);
	if (!err)
		WRITE_ONCE(sbi->verified, true);
	else if (err == -EUCLEAN)
		errorfc(fc, "%s: the checksum is not that of the image", sb->s_id);
	else
		errorfc(fc, "%s: cannot verify the image: %d", sb->s_id, err);
	return err;
}

static int cramfs_get_tree(struct fs_context *fc)
{
	const struct cramfs_mount_opts *opts = fc->fs_private;
	struct super_block *sb;
	int err;

	fc->sb_flags |= SB_RDONLY;
	err = get_tree_of_source(fc);
	if (err || !IS_ENABLED(CONFIG_CRAMFS_VERIFY) || !opts->verify)
		return err;

	/* Here, since the superblock may be there already, not verified. */
	sb = fc->root->d_sb;
	err = verify_image(sb, fc);
	if (err) {
		dput(fc->root);
		fc->root = NULL;
		deactivate_locked_super(sb);
	}
	return err;
}

/* Nothing can be changed, but what is in /proc/mounts may be said again. */
static int cramfs_reconfigure(struct fs_context *fc)
{
	const struct cramfs_mount_opts *opts = fc->fs_private;
	const struct cramfs_sb_info *sbi = CRAMFS_SB(fc->root->d_sb);
	const struct cramfs_backing *backing = &sbi->backing;

	if ((opts->has_physaddr &&
	     (!backing->has_physaddr || opts->physaddr != backing->phys)) ||
	    (opts->has_physsize &&
	     (!backing->has_physsize || opts->physsize != backing->size)) ||
	    (opts->verify && !sbi->verified))
		return invalfc(fc, "physaddr=, physsize= and verify cannot be changed");

	fc->sb_flags |= SB_RDONLY;
	return 0;
}

static void cramfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
	kfree(fc->s_fs_info);
}

static const struct fs_context_operations cramfs_context_ops = {
	.parse_param	= cramfs_parse_param,
	.get_tree	= cramfs_get_tree,
	.reconfigure	= cramfs_reconfigure,
	.free		= cramfs_free_fc,
};

static int cramfs_init_fs_context(struct fs_context *fc)
{
	struct cramfs_mount_opts *opts = kzalloc(sizeof(*opts), GFP_KERNEL);

	if (!opts)
		return -ENOMEM;
	fc->fs_private = opts;
	fc->ops = &cramfs_context_ops;
	return 0;
}

static struct file_system_type cramfs_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "cramfs",
	.init_fs_context	= cramfs_init_fs_context,
	.parameters		= cramfs_fs_parameters,
	.kill_sb		= cramfs_kill_sb,
	.fs_flags		= FS_REQUIRES_DEV,
};
MODULE_ALIAS_FS("cramfs");

/*
 * The same without a device, since only such a type can be the root filesystem
 * when root= names no device.
 */
static struct file_system_type cramfs_physmem_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "cramfs_physmem",
	.init_fs_context	= cramfs_init_fs_context,
	.parameters		= cramfs_fs_parameters,
	.kill_sb		= cramfs_kill_sb,
};
MODULE_ALIAS_FS("cramfs_physmem");

static int __init cramfs_init(void)
{
	int err;

	err = register_filesystem(&cramfs_fs_type);
	if (err || !IS_ENABLED(CONFIG_CRAMFS_PHYSMEM))
		return err;

	err = register_filesystem(&cramfs_physmem_fs_type);
	if (err)
		unregister_filesystem(&cramfs_fs_type);
	return err;
}

static void __exit cramfs_exit(void)
{
	if (IS_ENABLED(CONFIG_CRAMFS_PHYSMEM))
		unregister_filesystem(&cramfs_physmem_fs_type);
	unregister_filesystem(&cramfs_fs_type);
	cramfs_inflate_exit();
}

module_init(cramfs_init);
module_exit(cramfs_exit);
MODULE_DESCRIPTION("Compressed ROM file system");
MODULE_LICENSE("GPL");
