// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image in an MTD device that the CPU can address: it is read where it is,
 * and if the device tells its physical address, executed there.
 */

#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/fs_context.h>
#include <linux/major.h>
#include <linux/mtd/mtd.h>
#include <linux/mtd/super.h>

#include "cramfs.h"

static void mtd_unmap(struct super_block *sb)
{
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;

	if (backing->mapped)
		mtd_unpoint(sb->s_mtd, 0, backing->mapped);
	backing->mapped = 0;
}

/*
 * A driver that does not know the physical address leaves it 0, which is also
 * the address of some ROMs. The one of another byte tells them apart.
 */
static bool mtd_begins_at_zero(struct mtd_info *mtd)
{
	resource_size_t phys;
	size_t len;
	void *virt;

	if (mtd_point(mtd, 1, 1, &len, &virt, &phys))
		return false;
	if (len)
		mtd_unpoint(mtd, 1, len);
	return len && phys == 1;
}

static int mtd_point_all(struct super_block *sb, u32 size,
			 resource_size_t *phys)
{
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;
	void *virt;
	int err;

	mtd_unmap(sb);
	err = mtd_point(sb->s_mtd, 0, size, &backing->mapped, &virt, phys);
	if (err)
		return err;
	if (backing->mapped != size)
		return -EOPNOTSUPP;
	backing->virt = virt;
	return 0;
}

/* Point at @size bytes instead of at what was pointed at so far. */
static int mtd_map(struct super_block *sb, struct fs_context *fc, u32 size)
{
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;
	resource_size_t phys;
	int err;

	err = mtd_point_all(sb, size, &phys);
	/* Map drivers have odd addresses for what has none. */
	backing->has_phys = !err && IS_ALIGNED(phys, sizeof(u32)) &&
			    (phys || mtd_begins_at_zero(sb->s_mtd));
	backing->phys = phys;

	/* What is scattered in physical memory may not be so in the kernel's. */
	if (err == -EOPNOTSUPP)
		err = mtd_point_all(sb, size, NULL);
	if (err)
		warnfc(fc, "%s: %s cannot be addressed directly: %d", sb->s_id,
		       sb->s_mtd->name, err);
	return err;
}

static int mtd_open(struct super_block *sb, struct fs_context *fc)
{
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;

	snprintf(sb->s_id, sizeof(sb->s_id), "mtd%d", sb->s_mtd->index);
	backing->size = sb->s_mtd->size;
	return mtd_map(sb, fc, min_t(u64, backing->size, PAGE_SIZE));
}

static int mtd_map_all(struct super_block *sb, struct fs_context *fc, u32 size)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	int err = mtd_map(sb, fc, size);

	if (!err && !sbi->backing.has_phys &&
	    (sbi->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS))
		infofc(fc, "%s: %s has no physical address: nothing is executed in place",
		       sb->s_id, sb->s_mtd->name);
	return err;
}

static void mtd_kill_sb(struct super_block *sb)
{
	struct mtd_info *mtd = sb->s_mtd;

	generic_shutdown_super(sb);
	mtd_unmap(sb);
	put_mtd_device(mtd);
	sb->s_mtd = NULL;
}

static const struct cramfs_backing_ops mtd_ops = {
	.open		= mtd_open,
	.map		= mtd_map_all,
	.kill_sb	= mtd_kill_sb,
};

/**
 * cramfs_source_is_mtd() - does a mount name an MTD device?
 * @source: as in fs_context::source
 *
 * Return: true for mtd:NAME and mtdN.
 */
bool cramfs_source_is_mtd(const char *source)
{
	return str_has_prefix(source, "mtd") &&
	       (source[3] == ':' || isdigit(source[3]));
}

/**
 * cramfs_source_is_mtdblock() - does a mount name an MTD device's block device?
 * @source: as in fs_context::source
 *
 * Return: 1 for the path of one, 0 if it is not, or -ENOMEM. Other errors are met
 * again by those who want the block device.
 */
int cramfs_source_is_mtdblock(const char *source)
{
	dev_t dev;
	int err;

	if (!IS_ENABLED(CONFIG_BLOCK))
		return 0;
	err = lookup_bdev(source, &dev);
	if (err)
		return err == -ENOMEM ? err : 0;
	return MAJOR(dev) == MTD_BLOCK_MAJOR;
}

/**
 * cramfs_get_tree_mtd() - mount the MTD device that fc->source names
 * @fc: the mount
 *
 * Return: 0 or an error, as fs_context_operations::get_tree does; -EOPNOTSUPP if
 * the device cannot be addressed directly.
 */
int cramfs_get_tree_mtd(struct fs_context *fc)
{
	struct cramfs_sb_info *sbi = cramfs_prepare_sb_info(fc, &mtd_ops);

	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	return get_tree_mtd(fc, cramfs_fill_super);
}
