// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image in a range of physical memory: one that the mount names by its
 * address, or one that the device tree describes. Who names an address can make
 * the kernel read, and map, anything that is there; so it takes the privilege of
 * /dev/mem, and what is memory or belongs to a driver is refused.
 */

#include <linux/capability.h>
#include <linux/fs_context.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "cramfs.h"

/* Any node can have the label; a child of /reserved-memory has a name as well. */
static bool is_region(const struct device_node *np, const char *name)
{
	const char *label;

	if (!of_property_read_string(np, "label", &label) &&
	    !strcmp(label, name))
		return true;
	return of_node_name_eq(np, name) &&
	       of_node_name_eq(np->parent, "reserved-memory");
}

/* The range of the region @name in the device tree, or -ENODEV. */
static int find_rom(const char *name, struct resource *res)
{
	struct device_node *np;

	for_each_node_with_property(np, "reg") {
		if (of_device_is_available(np) && is_region(np, name) &&
		    !of_address_to_resource(np, 0, res)) {
			of_node_put(np);
			return 0;
		}
	}
	return -ENODEV;
}

/* May the caller have any physical address mapped at all? */
static int check_privilege(struct fs_context *fc)
{
	int err;

	if (!capable(CAP_SYS_RAWIO)) {
		errorfc(fc, "physical memory takes CAP_SYS_RAWIO");
		return -EPERM;
	}
	err = security_locked_down(LOCKDOWN_DEV_MEM);
	if (err)
		errorfc(fc, "the kernel is locked down");
	return err;
}

static int check_range(struct super_block *sb, struct fs_context *fc, u64 start,
		       u64 size)
{
	const char *bad;
	u64 last;

	if (!size)
		bad = "empty";
	else if (size > SIZE_MAX)
		bad = "too large to map";
	else if (!PAGE_ALIGNED(start))
		bad = "not page-aligned";
	else if (check_add_overflow(start, size - 1, &last) ||
		 last > iomem_resource.end)
		bad = "one that wraps around";
	else if (region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
				   IORES_DESC_NONE) != REGION_DISJOINT)
		bad = "memory of the system";
	else
		return 0;
	return invalfc(fc, "%s: the range of %llu bytes is %s", sb->s_id, size,
		       bad);
}

/*
 * Nothing may answer at an address, which stops the machine if the CPU is told so
 * where it does not expect it. Not every machine can be asked.
 */
static bool answers(const void *virt, size_t len)
{
	unsigned long word;

	if (!IS_ENABLED(CONFIG_MMU))
		return true;
	for (; len; virt += PAGE_SIZE, len -= PAGE_SIZE) {
		if (get_kernel_nofault(word, (const unsigned long *)virt))
			return false;
		cond_resched();
	}
	return true;
}

static void physmem_unmap(struct cramfs_backing *backing)
{
	if (!backing->mapped)
		return;
	memunmap((void *)backing->virt);
	release_mem_region(backing->phys, backing->mapped);
	backing->mapped = 0;
}

/* Claim and map what the image, of @size bytes, touches. */
static int physmem_map(struct super_block *sb, struct fs_context *fc, u32 size)
{
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;
	u64 len = PAGE_ALIGN((u64)size);
	int err;

	physmem_unmap(backing);
	err = check_range(sb, fc, backing->phys, len);
	if (err)
		return err;
	if (!request_mem_region(backing->phys, len, "cramfs")) {
		errorfc(fc, "%s: the range is in use", sb->s_id);
		return -EBUSY;
	}

	backing->virt = memremap(backing->phys, len, MEMREMAP_WB);
	/* Without an MMU the address of what is at 0 is NULL. */
	if (!backing->virt && (IS_ENABLED(CONFIG_MMU) || backing->phys)) {
		release_mem_region(backing->phys, len);
		errorfc(fc, "%s: cannot map %llu bytes", sb->s_id, len);
		return -ENOMEM;
	}
	backing->mapped = len;
	if (!answers(backing->virt, len)) {
		errorfc(fc, "%s: nothing answers in a part of %llu bytes",
			sb->s_id, len);
		return -ENXIO;
	}
	return 0;
}

static int physmem_open(struct super_block *sb, struct fs_context *fc)
{
	const struct cramfs_mount_opts *opts = fc->fs_private;
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;
	u64 start = opts->physaddr, size = PAGE_SIZE;
	struct resource res;
	int err;

	if (opts->has_physsize) {
		size = opts->physsize;
	} else if (!opts->has_physaddr) {
		err = find_rom(fc->source + strlen(CRAMFS_ROM_PREFIX), &res);
		if (err) {
			errorfc(fc, "%s: no such region in the device tree",
				fc->source);
			return err;
		}
		start = res.start;
		size = resource_size(&res);
	}

	snprintf(sb->s_id, sizeof(sb->s_id), "%#llx", start);
	err = check_range(sb, fc, start, size);
	if (err)
		return err;

	backing->phys = start;
	backing->has_phys = true;
	backing->has_physaddr = opts->has_physaddr;
	backing->has_physsize = opts->has_physsize;
	/* Without physsize= there is no telling before the superblock is seen. */
	backing->size = opts->has_physaddr && !opts->has_physsize ? U64_MAX : size;
	return physmem_map(sb, fc, min_t(u64, size, PAGE_SIZE));
}

static void physmem_show_options(struct seq_file *m, struct super_block *sb)
{
	const struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;

	if (backing->has_physaddr)
		seq_printf(m, ",physaddr=%#llx", (u64)backing->phys);
	if (backing->has_physsize)
		seq_printf(m, ",physsize=%#llx", backing->size);
}

static void physmem_kill_sb(struct super_block *sb)
{
	kill_anon_super(sb);
	physmem_unmap(&CRAMFS_SB(sb)->backing);
}

static const struct cramfs_backing_ops physmem_ops = {
	.open		= physmem_open,
	.map		= physmem_map,
	.show_options	= physmem_show_options,
	.kill_sb	= physmem_kill_sb,
};

/**
 * cramfs_get_tree_physmem() - mount an image in physical memory
 * @fc: the mount; with the physaddr= option, or rom:NAME as source
 *
 * Return: 0 or an error, as fs_context_operations::get_tree does. -EPERM if the
 * caller may not; -EBUSY if somebody has claimed the range.
 */
int cramfs_get_tree_physmem(struct fs_context *fc)
{
	const struct cramfs_mount_opts *opts = fc->fs_private;
	struct cramfs_sb_info *sbi;
	int err;

	if (!opts->has_physaddr &&
	    !(fc->source && str_has_prefix(fc->source, CRAMFS_ROM_PREFIX)))
		return invalfc(fc, "physaddr= or a source " CRAMFS_ROM_PREFIX "NAME is needed");

	err = check_privilege(fc);
	if (err)
		return err;

	sbi = cramfs_prepare_sb_info(fc, &physmem_ops);
	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	return get_tree_nodev(fc, cramfs_fill_super);
}
