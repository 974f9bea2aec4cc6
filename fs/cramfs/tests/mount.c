// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts for the tests. Only the backing is not a real one: it is the image in
 * memory, either in one piece or in small ones, and it can fail when it is told to.
 * Everything else is the VFS's own, from the context of the mount to the end of the
 * superblock.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "tests.h"

/* A copy that has the bytes that were given and no others, for KASAN to watch. */
struct cramfs_test_piece {
	struct cramfs_test_piece *next;
	u8 bytes[];
};

static struct cramfs_test_mount *mount_of(const struct super_block *sb)
{
	return container_of(CRAMFS_SB(sb)->backing.ops,
			    struct cramfs_test_mount, ops);
}

static void set_mapped(struct super_block *sb)
{
	struct cramfs_test_mount *mount = mount_of(sb);
	struct cramfs_backing *backing = &CRAMFS_SB(sb)->backing;

	if (mount->piece)
		return;
	backing->virt = mount->image->bytes;
	backing->mapped = mount->image->len;
	backing->has_phys = mount->has_phys;
	if (mount->has_phys)
		backing->phys = virt_to_phys(mount->image->bytes);
}

static int test_open(struct super_block *sb, struct fs_context *fc)
{
	struct cramfs_test_mount *mount = mount_of(sb);

	if (mount->open_err)
		return mount->open_err;
	CRAMFS_SB(sb)->backing.size = mount->backing_size;
	set_mapped(sb);
	return 0;
}

static int test_map(struct super_block *sb, struct fs_context *fc, u32 size)
{
	struct cramfs_test_mount *mount = mount_of(sb);

	mount->map_size = size;
	if (mount->map_err)
		return mount->map_err;
	if (mount->on_map)
		mount->on_map(mount);
	set_mapped(sb);
	return 0;
}

static int test_get_span(struct super_block *sb, u32 offset, u32 len,
			 struct cramfs_span *span)
{
	struct cramfs_test_mount *mount = mount_of(sb);
	struct cramfs_test_piece *piece;

	if (mount->read_err)
		return mount->read_err;

	KUNIT_EXPECT_LE_MSG(mount->test, (u64)offset + len,
			    mount->beyond ? mount->backing_size : mount->image->len,
			    "the backing is asked for what it does not have");
	len = min(len, mount->piece - offset % mount->piece);
	piece = kmalloc(struct_size(piece, bytes, len), GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	memset(piece->bytes, mount->beyond, len);
	if (offset < mount->image->len)
		memcpy(piece->bytes, mount->image->bytes + offset,
		       min(len, mount->image->len - offset));
	piece->next = mount->pieces;
	mount->pieces = piece;

	span->data = piece->bytes;
	span->len = len;
	/* One for all: that they are put is seen in its reference count. */
	span->folio = mount->folio;
	folio_get(mount->folio);
	return 0;
}

static void test_kill_sb(struct super_block *sb)
{
	struct cramfs_test_mount *mount = mount_of(sb);
	struct cramfs_test_piece *piece;

	kill_anon_super(sb);

	mount->nr_kill++;
	KUNIT_EXPECT_EQ_MSG(mount->test, folio_ref_count(mount->folio), 1,
			    "not every span was put, or one was put twice");
	while ((piece = mount->pieces)) {
		mount->pieces = piece->next;
		kfree(piece);
	}
}

static int test_get_tree(struct fs_context *fc)
{
	struct cramfs_test_mount *mount =
		container_of(fc->fs_private, struct cramfs_test_mount, opts);
	struct cramfs_sb_info *sbi = cramfs_prepare_sb_info(fc, &mount->ops);

	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	return get_tree_nodev(fc, cramfs_fill_super);
}

static void test_free_fc(struct fs_context *fc)
{
	kfree(fc->s_fs_info);
}

static const struct fs_context_operations test_context_ops = {
	.get_tree	= test_get_tree,
	.free		= test_free_fc,
};

static int test_init_fs_context(struct fs_context *fc)
{
	fc->ops = &test_context_ops;
	return 0;
}

static void test_type_kill_sb(struct super_block *sb)
{
	struct cramfs_sb_info *sbi = CRAMFS_SB(sb);

	sbi->backing.ops->kill_sb(sb);
	kfree(sbi);
}

/* Never registered: nobody else can mount it. */
static struct file_system_type test_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "cramfs_kunit",
	.init_fs_context	= test_init_fs_context,
	.kill_sb		= test_type_kill_sb,
};

static void put_folio(void *folio)
{
	folio_put(folio);
}

/**
 * cramfs_test_new_mount() - prepare to mount an image
 * @test: whose it is; is skipped if this kernel has the driver for images in memory
 *	only, and @piece is not 0
 * @image: the image; its length is taken for the size of the backing
 * @piece: see struct cramfs_test_mount
 *
 * Return: the mount, which the test may change before it calls
 * cramfs_test_try_mount().
 */
struct cramfs_test_mount *
cramfs_test_new_mount(struct kunit *test, struct cramfs_test_image *image,
		      u32 piece)
{
	struct cramfs_test_mount *mount;

	if (piece && !IS_ENABLED(CONFIG_CRAMFS_BLOCKDEV))
		kunit_skip(test, "needs CONFIG_CRAMFS_BLOCKDEV");

	mount = kunit_kzalloc(test, sizeof(*mount), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mount);
	mount->folio = folio_alloc(GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, mount->folio);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_folio,
							   mount->folio));
	mount->test = test;
	mount->image = image;
	mount->backing_size = image->len;
	mount->piece = piece;
	mount->ops.open = test_open;
	mount->ops.map = test_map;
	if (piece)
		mount->ops.get_span = test_get_span;
	mount->ops.kill_sb = test_kill_sb;
	return mount;
}

static void unmount(void *mnt)
{
	mntput(mnt);
}

/**
 * cramfs_test_try_mount() - mount an image
 * @mount: from cramfs_test_new_mount()
 *
 * The image is unmounted at the end of the test.
 *
 * Return: the mount as the VFS has it, or the ERR_PTR that mount() would fail with.
 */
struct vfsmount *cramfs_test_try_mount(struct cramfs_test_mount *mount)
{
	struct kunit *test = mount->test;
	struct fs_context *fc;
	struct vfsmount *mnt;

	/* The mount of a thread of the kernel would go some time after mntput(). */
	fc = fs_context_for_mount(&test_fs_type, SB_KERNMOUNT | SB_RDONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fc);
	fc->fs_private = &mount->opts;
	mnt = fc_mount(fc);
	put_fs_context(fc);

	if (IS_ERR(mnt))
		KUNIT_EXPECT_EQ_MSG(test, mount->nr_kill, 1,
				    "nothing is to be left of a mount that failed");
	else
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, unmount, mnt));
	return mnt;
}

/**
 * cramfs_test_mount() - mount an image that has to be fit for it
 * @test: fails if it is not
 * @image: the image
 * @piece: see struct cramfs_test_mount
 *
 * Return: the mount as the VFS has it, which ends with the test.
 */
struct vfsmount *cramfs_test_mount(struct kunit *test,
				   struct cramfs_test_image *image, u32 piece)
{
	struct vfsmount *mnt;

	mnt = cramfs_test_try_mount(cramfs_test_new_mount(test, image, piece));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	return mnt;
}

static void put_inode(void *inode)
{
	iput(inode);
}

/**
 * cramfs_test_iget() - cramfs_iget(), with iput() at the end of the test
 * @test: the test
 * @sb: the filesystem
 * @ci: the inode on disk
 * @entry: where it is said to be in the image, in bytes
 *
 * Return: as cramfs_iget() does.
 */
struct inode *cramfs_test_iget(struct kunit *test, struct super_block *sb,
			       const struct cramfs_inode *ci, u32 entry)
{
	struct inode *inode = cramfs_iget(sb, ci, entry);

	if (!IS_ERR(inode))
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, put_inode, inode));
	return inode;
}

static void close_file(void *file)
{
	__fput_sync(file);
}

/**
 * cramfs_test_open() - open a file for reading
 * @test: the test, which closes it when it ends
 * @mnt: a mount
 * @path: the file's path in it; "." is the root directory
 *
 * Return: the file, or the ERR_PTR that open() would fail with.
 */
struct file *cramfs_test_open(struct kunit *test, struct vfsmount *mnt,
			      const char *path)
{
	struct file *file;
	struct path found;
	int err;

	err = vfs_path_lookup(mnt->mnt_root, mnt, path, 0, &found);
	if (err)
		return ERR_PTR(err);
	file = dentry_open(&found, O_RDONLY, current_cred());
	path_put(&found);
	if (!IS_ERR(file))
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, close_file, file));
	return file;
}

MODULE_DESCRIPTION("KUnit tests of cramfs");
MODULE_LICENSE("GPL");
/*
 * What MODULE_IMPORT_NS() makes of a name, as it is up to Linux 6.12, and of a
 * string, as it is since 6.13.
 */
MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");
