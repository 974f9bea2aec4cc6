// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where images are put for the driver to find them: a RAM disk, a loop device that
 * ends where the image does, an MTD device in RAM, a range of physical memory. Each
 * has the image's bytes, then poison up to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define SECTOR	512u

static int open_device(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		broken("%s: %s", path, strerror(errno));
	return fd;
}

/*
 * What has to be written so that all of a place is as the image has it: where the
 * last image was longer, the poison after this one as well.
 */
static __u32 dirty_len(const struct image *image)
{
	static __u32 last = ROOM;
	__u32 len = image->len > last ? image->len : last;

	last = image->len;
	return min_u32(PAGES(len) * PAGE, ROOM);
}

static void write_all(int fd, const struct image *image, const char *what)
{
	__u32 len = dirty_len(image);

	if (pwrite(fd, image->data, len, 0) != (ssize_t)len)
		broken("%s: write: %s", what, strerror(errno));
}

/* A RAM disk ---------------------------------------------------------------------- */

static void ram_put(struct place *place, const struct image *image)
{
	static unsigned char *aligned;
	struct image copy = *image;
	int fd = open_device("/dev/ram0", O_WRONLY | O_DIRECT);

	/* Past the page cache of the device, which is the driver's to fill. */
	if (!aligned && posix_memalign((void **)&aligned, PAGE, ROOM))
		broken("no memory");
	memcpy(aligned, image->data, ROOM);
	copy.data = aligned;
	write_all(fd, &copy, "/dev/ram0");
	close(fd);
}

static int ram_mount(struct place *place, const char *where, unsigned long flags,
		     const char *options)
{
	return mount("/dev/ram0", where, "cramfs", flags, options);
}

static struct place ram = { .name = "block", .room = ROOM, .put = ram_put, .mount = ram_mount };

/* A loop device, which need not end with a page ----------------------------------- */

static int loop_fd;

static void loop_put(struct place *place, const struct image *image)
{
	static int file = -1;
	int fd;

	if (file < 0)
		file = open_device("/tmp/loop", O_RDWR | O_CREAT);
	place->room = (image->len + SECTOR - 1) / SECTOR * SECTOR;
	if (pwrite(file, image->data, place->room, 0) != (ssize_t)place->room)
		broken("/tmp/loop: %s", strerror(errno));
	fd = open_device("/dev/loop0", O_RDONLY);
	struct loop_config config = {
		.fd = file,
		.info = { .lo_sizelimit = place->room,
			  .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};

	if (ioctl(fd, LOOP_CONFIGURE, &config))
		broken("/dev/loop0: %s", strerror(errno));
	/* Once nobody has it open, it clears itself. */
	loop_fd = fd;
}

static int loop_mount(struct place *place, const char *where, unsigned long flags,
		      const char *options)
{
	int ret = mount("/dev/loop0", where, "cramfs", flags, options), err = errno;

	close(loop_fd);
	errno = err;
	return ret;
}

static struct place loop = { .name = "loop", .put = loop_put, .mount = loop_mount };

/* An MTD device in RAM ------------------------------------------------------------ */

static const char *mtd_source = "mtd1";

static void mtd_put(struct place *place, const struct image *image)
{
	int fd = open_device("/dev/mtd1", O_RDWR);

	write_all(fd, image, "/dev/mtd1");
	close(fd);
}

static int mtd_mount(struct place *place, const char *where, unsigned long flags,
		     const char *options)
{
	return mount(mtd_source, where, "cramfs", flags, options);
}

/* An image with one file, "a", which is a page of the image: the second one. */
static void make_one_page(struct image *image)
{
	struct disk_inode root = { .mode = S_IFDIR | 0755, .size = 16, .offset = SUPER_LEN };
	struct disk_inode file = { .mode = S_IFREG | 0644, .size = PAGE, .name_len = 4,
				   .offset = SUPER_LEN + 16 };

	image_init(image);
	memset(image->data, 0, 2 * PAGE);
	put32(image->data, CRAMFS_MAGIC);
	put32(image->data + 4, ROOM);
	put32(image->data + 8, CRAMFS_FLAG_FSID_VERSION_2 | CRAMFS_FLAG_EXT_BLOCK_POINTERS);
	put_inode(image->data + ROOT_AT, &root);
	put_inode(image->data + root.offset, &file);
	image->data[root.offset + INODE_LEN] = 'a';
	put32(image->data + file.offset, CRAMFS_BLK_FLAG_UNCOMPRESSED |
	      CRAMFS_BLK_FLAG_DIRECT_PTR | PAGE >> CRAMFS_BLK_DIRECT_PTR_SHIFT);
	image_poison(image, 2 * PAGE);
}

/*
 * Is the second page of the device mapped where it is, and where is that? That it is
 * no copy shows when the device changes.
 */
static bool mtd_is_in_place(struct place *place)
{
	const volatile unsigned char *map;
	struct image image;
	bool in_place;
	int fd;

	make_one_page(&image);
	mtd_put(place, &image);
	if (mtd_mount(place, "/mnt", MS_RDONLY, NULL))
		broken("mtd1 cannot be mounted: %s", strerror(errno));
	fd = open_device("/mnt/a", O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || *map)
		broken("/mnt/a: %s", strerror(errno));
	image.data[PAGE] = 1;
	mtd_put(place, &image);
	in_place = *map;
	if (in_place) {
		walk_phys_start = walk_pfn((const void *)map) - 1;
		walk_phys_pages = ROOM / PAGE;
	}
	munmap((void *)map, PAGE);
	close(fd);
	if (umount("/mnt"))
		broken("/mnt: %s", strerror(errno));
	free(image.data);
	return in_place;
}

/*
 * Of mtd0 a part is used, mtd1, whose pages follow each other in physical memory as
 * well: without that, nothing is mapped in place.
 */
static void mtd_open(struct place *place)
{
	struct blkpg_partition part = { .length = ROOM, .pno = 1, .devname = "fuzz" };
	struct blkpg_ioctl_arg add = { BLKPG_ADD_PARTITION, 0, sizeof(part), &part };
	struct blkpg_ioctl_arg del = { BLKPG_DEL_PARTITION, 0, sizeof(part), &part };
	int fd = open_device("/dev/mtd0", O_RDWR);

	for (;; part.start += 16 * PAGE) {
		if (ioctl(fd, BLKPG, &add))
			broken("no part of mtd0 is contiguous: %s", strerror(errno));
		if (mtd_is_in_place(place))
			break;
		if (ioctl(fd, BLKPG, &del))
			broken("mtd1 cannot be removed: %s", strerror(errno));
	}
	close(fd);
}

static struct place mtd = { .name = "mtd", .room = ROOM, .put = mtd_put, .mount = mtd_mount };

/* Physical memory ----------------------------------------------------------------- */

static unsigned long memory_at;
static unsigned char *memory_data;

static void memory_put(struct place *place, const struct image *image)
{
	memcpy(memory_data, image->data, dirty_len(image));
}

static int memory_mount(struct place *place, const char *where, unsigned long flags,
			const char *options)
{
	char all[128];

	snprintf(all, sizeof(all), "physaddr=%#lx,physsize=%u%s%s", memory_at, place->room,
		 options ? "," : "", options ?: "");
	return mount("none", where, "cramfs", flags, all);
}

/* The poison around the image is there for good: nobody may see it either. */
static void memory_open(const char *range)
{
	unsigned long len = 0;
	char *end;
	int fd = open_device("/dev/mem", O_RDWR);

	memory_at = range ? strtoul(range, &end, 0) : 0;
	if (range && *end == ',')
		len = strtoul(end + 1, &end, 0);
	if (!memory_at || len < ROOM + 2 * PAGE || *end)
		broken("--memory=ADDRESS,LENGTH has to name %u bytes", ROOM + 2 * PAGE);
	memory_data = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, memory_at);
	if (memory_data == MAP_FAILED)
		broken("/dev/mem: %s", strerror(errno));
	memset(memory_data, 0xc3, len);
	memory_data += PAGE;
	memory_at += PAGE;
	walk_phys_start = memory_at / PAGE;
	walk_phys_pages = ROOM / PAGE;
}

static struct place memory = {
	.name = "memory", .room = ROOM, .put = memory_put, .mount = memory_mount,
};

/**
 * place_open() - get a place ready
 * @way: its name: block, mtd or memory
 * @range: for memory, its address and length
 *
 * Return: the place.
 */
struct place *place_open(const char *way, const char *range)
{
	if (!strcmp(way, "block"))
		return &ram;
	if (!strcmp(way, "mtd")) {
		mtd_open(&mtd);
		return &mtd;
	}
	if (strcmp(way, "memory"))
		broken("%s: no such way", way);
	memory_open(range);
	return &memory;
}

/**
 * place_for() - where an image goes
 * @place: from place_open()
 * @rng: may decide
 *
 * Return: @place, or one of the same kind.
 */
struct place *place_for(struct place *place, struct rng *rng)
{
	if (place == &ram && rng_one_in(rng, 8))
		return &loop;
	if (place == &mtd)
		mtd_source = rng_one_in(rng, 16) ? "/dev/mtdblock1" : "mtd1";
	return place;
}
