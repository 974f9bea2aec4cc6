/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an image lives in: a block device, an MTD device, a range of physical
 * memory. A backing opens and closes it, gives access to its bytes, and says
 * whether they are in the CPU's address space. It knows neither files nor
 * blocks.
 */
#ifndef _FS_CRAMFS_BACKING_H
#define _FS_CRAMFS_BACKING_H

#include <linux/types.h>

struct folio;
struct fs_context;
struct seq_file;
struct super_block;

/* What a mount source begins with that names a region of the device tree. */
#define CRAMFS_ROM_PREFIX	"rom:"

/**
 * struct cramfs_span - bytes of the image in the kernel's address space
 * @data: the first byte
 * @len: how many bytes there are
 * @folio: the page cache folio that is held for them, or NULL
 */
struct cramfs_span {
	const void *data;
	u32 len;
	struct folio *folio;
};

/**
 * struct cramfs_backing_ops - what each kind of backing does
 * @open: Make the beginning of the image readable, and set &cramfs_backing.size,
 *	s_id and what else can be known before the superblock is read. Undone
 *	by @kill_sb, also if it fails half-way.
 * @map: Make @size bytes readable, more than @open did. NULL if @open made all
 *	of the backing readable.
 * @get_span: Give access to at least the first of the @len bytes at @offset; the
 *	caller has checked that they are in the image. May sleep. NULL if the
 *	backing sets &cramfs_backing.mapped.
 * @read_ahead: Start reading the @len bytes at @offset, which will be wanted soon.
 *	Optional.
 * @show_options: for /proc/mounts. Optional.
 * @kill_sb: file_system_type::kill_sb, less what all backings share.
 */
struct cramfs_backing_ops {
	int (*open)(struct super_block *sb, struct fs_context *fc);
	int (*map)(struct super_block *sb, struct fs_context *fc, u32 size);
	int (*get_span)(struct super_block *sb, u32 offset, u32 len,
			struct cramfs_span *span);
	void (*read_ahead)(struct super_block *sb, u32 offset, u32 len);
	void (*show_options)(struct seq_file *m, struct super_block *sb);
	void (*kill_sb)(struct super_block *sb);
};

/**
 * struct cramfs_backing - the part of struct cramfs_sb_info that backings own
 * @ops: what to call
 * @size: bytes of the backing, whatever the image says of its own size
 * @virt: the image in the kernel's address space, if @mapped; without an MMU this
 *	can be address 0
 * @phys: physical address of @virt, if @has_phys
 * @has_phys: the image can be mapped into user space
 * @mapped: bytes that @virt is good for; 0 if the image is not in memory
 * @has_physaddr: @phys was given by the physaddr= option
 * @has_physsize: @size was given by the physsize= option
 */
struct cramfs_backing {
	const struct cramfs_backing_ops *ops;
	u64 size;
	const void *virt;
	phys_addr_t phys;
	size_t mapped;
	bool has_phys;
	bool has_physaddr;
	bool has_physsize;
};

/* Always, in a kernel that has no other backings. */
static inline bool cramfs_in_memory(const struct cramfs_backing *backing)
{
	return !IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV) || backing->mapped;
}

/* backing.c */
int cramfs_get_span(struct super_block *sb, u32 offset, u32 len,
		    struct cramfs_span *span);
void cramfs_put_span(struct cramfs_span *span);
int cramfs_read(struct super_block *sb, u32 offset, void *buf, u32 len);
void cramfs_read_ahead(struct super_block *sb, u32 offset, u64 len);

/*
 * Each finds or makes the superblock for fc->source, as
 * fs_context_operations::get_tree does. Those that are not built in fail.
 */
#ifdef CONFIG_CRAMFS_BLOCKDEV
int cramfs_get_tree_bdev(struct fs_context *fc);
#else
static inline int cramfs_get_tree_bdev(struct fs_context *fc)
{
	return -EINVAL;
}
#endif

#ifdef CONFIG_CRAMFS_MTD
bool cramfs_source_is_mtd(const char *source);
int cramfs_source_is_mtdblock(const char *source);
int cramfs_get_tree_mtd(struct fs_context *fc);
#else
static inline bool cramfs_source_is_mtd(const char *source)
{
	return false;
}

static inline int cramfs_source_is_mtdblock(const char *source)
{
	return 0;
}

static inline int cramfs_get_tree_mtd(struct fs_context *fc)
{
	return -EINVAL;
}
#endif

#ifdef CONFIG_CRAMFS_PHYSMEM
int cramfs_get_tree_physmem(struct fs_context *fc);
#else
static inline int cramfs_get_tree_physmem(struct fs_context *fc)
{
	return -EINVAL;
}
#endif

#endif /* _FS_CRAMFS_BACKING_H */
