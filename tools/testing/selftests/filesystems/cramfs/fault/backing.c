// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the image is while failures happen: on a disk that can be taken away and have
 * bad sectors (null_blk), in RAM behind MTD, at a physical address, and in a ROM behind
 * MTD that tells its physical address. And how its bytes are changed there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

#define CONFIGFS	"/sys/kernel/config"
#define DISK		CONFIGFS "/nullb/" DISK_NAME
#define DISK_NAME	"faulty"
#define DISK_MIB	1
#define MTD_SIZE	0x100000
/* qemu-x86.sh has a ROM there. */
#define XIP_START	0xa000000
#define XIP_NAME	"physmap-flash.0"

unsigned char *image;
size_t image_len;

/**
 * load_image() - read the image that the host made
 *
 * Return: 0, -1 with errno
 */
int load_image(void)
{
	int fd = open(IMAGE, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	image_len = st.st_size;
	image = malloc(image_len);
	if (read(fd, image, image_len) != (ssize_t)image_len)
		return -1;
	return close(fd);
}

/**
 * mount_image() - mount the image at MNT
 * @backing: where it is
 *
 * Return: 0, -1 with errno
 */
int mount_image(const struct backing *backing)
{
	return mount(backing->source, MNT, backing->type, MS_RDONLY, backing->options);
}

static int write_at(const char *path, off_t at, const void *buf, size_t len)
{
	int fd = open(path, O_RDWR);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = pwrite(fd, buf, len, at);
	return close(fd) || done != (ssize_t)len ? -1 : 0;
}

static int set_disk(const char *what, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DISK "/%s", what);
	return write_text(path, "%s", value);
}

/**
 * disk_power() - have the disk appear with what it had before, or go away
 * @on: which of them
 *
 * Return: 0, -1 with errno
 */
int disk_power(bool on)
{
	return set_disk("power", on ? "1" : "0");
}

/**
 * disk_set_bad() - let sectors be unreadable, or readable again
 * @sector: the first one
 * @nr: how many
 * @bad: whether they are to be unreadable
 *
 * Return: 0, -1 with errno
 */
int disk_set_bad(__u64 sector, unsigned int nr, bool bad)
{
	char text[64];

	snprintf(text, sizeof(text), "%c%llu-%llu", bad ? '+' : '-', (unsigned long long)sector,
		 (unsigned long long)sector + nr - 1);
	return set_disk("badblocks", text);
}

/**
 * disk_create() - make a disk, which is /dev/faulty then, without contents
 *
 * Return: 0, -1 with errno
 */
int disk_create(void)
{
	char size[16];

	mount("configfs", CONFIGFS, "configfs", 0, NULL);
	if (mkdir(DISK, 0755))
		return -1;
	snprintf(size, sizeof(size), "%u", DISK_MIB);
	/* Requests end where they begin, so that failures are this process's. */
	if (set_disk("size", size) || set_disk("memory_backed", "1") ||
	    set_disk("irqmode", "0") || set_disk("blocksize", "512"))
		return -1;
	return disk_power(true);
}

/**
 * disk_fill() - put the image on the disk
 *
 * Return: 0, -1 with errno
 */
int disk_fill(void)
{
	return write_at("/dev/" DISK_NAME, 0, image, image_len);
}

/**
 * disk_remove() - take the disk away for good
 *
 * Return: 0, -1 with errno
 */
int disk_remove(void)
{
	return rmdir(DISK);
}

static int set_up_block(struct backing *backing)
{
	struct stat st;

	if (stat("/sys/block/" DISK_NAME, &st) && disk_create())
		return -1;
	return disk_fill();
}

/* Where there is no other disk: it cannot go away, but that is not all that can fail. */
static int set_up_ramdisk(struct backing *backing)
{
	return write_at(backing->source, 0, image, image_len);
}

static int write_block(const struct backing *backing, off_t at, const void *buf, size_t len)
{
	return write_at(backing->source, at, buf, len);
}

/* A partition of the device in RAM: it can be removed, and stays while it has users. */
static int change_partition(int op, int number)
{
	struct blkpg_partition part = { .length = MTD_SIZE, .pno = number, .devname = MTD_NAME };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(part), .data = &part };
	char path[32];
	int fd, ret;

	snprintf(path, sizeof(path), "/dev/mtd%d", mtd_number("mtdram test device"));
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, BLKPG, &arg);
	close(fd);
	return ret;
}

/**
 * mtd_remove() - remove the MTD device MTD_NAME as soon as nobody uses it
 *
 * Return: 0, -1 with errno
 */
int mtd_remove(void)
{
	return change_partition(BLKPG_DEL_PARTITION, mtd_number(MTD_NAME));
}

static int write_mtd(const struct backing *backing, off_t at, const void *buf, size_t len)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/mtd%d", mtd_number(MTD_NAME));
	return write_at(path, at, buf, len);
}

static int set_up_mtd(struct backing *backing)
{
	if (mtd_number(MTD_NAME) < 0 && change_partition(BLKPG_ADD_PARTITION, 0))
		return -1;
	return write_mtd(backing, 0, image, image_len);
}

#define ROM_START	cmdline_number("cramfs.rom=")

static int write_physmem(const struct backing *backing, off_t at, const void *buf, size_t len)
{
	return write_at("/dev/mem", ROM_START + at, buf, len);
}

/* The host has put the image there. */
static int set_up_physmem(struct backing *backing)
{
	errno = ENODEV;
	if (!ROM_START)
		return -1;
	snprintf(backing->options, sizeof(backing->options), "physaddr=%#lx", ROM_START);
	return write_physmem(backing, 0, image, image_len);
}

static int write_xip(const struct backing *backing, off_t at, const void *buf, size_t len)
{
	return write_at("/dev/mem", XIP_START + at, buf, len);
}

static int set_up_xip(struct backing *backing)
{
	errno = ENODEV;
	if (mtd_number(XIP_NAME) < 0)
		return -1;
	return write_xip(backing, 0, image, image_len);
}

struct backing block = {
	.set_up		= set_up_block,
	.write		= write_block,
	.type		= "cramfs",
	.source		= "/dev/" DISK_NAME,
	.disk		= DISK_NAME,
};

struct backing ramdisk = {
	.set_up		= set_up_ramdisk,
	.write		= write_block,
	.type		= "cramfs",
	.source		= "/dev/ram0",
	.disk		= "ram0",
};

struct backing mtd = {
	.set_up		= set_up_mtd,
	.write		= write_mtd,
	.type		= "cramfs",
	.source		= "mtd:" MTD_NAME,
};

/* A range that cannot be claimed is in use, as far as the driver can tell. */
struct backing physmem = {
	.set_up		= set_up_physmem,
	.write		= write_physmem,
	.type		= "cramfs_physmem",
	.source		= "none",
	.errors		= { EBUSY },
};

struct backing xip = {
	.set_up		= set_up_xip,
	.write		= write_xip,
	.type		= "cramfs",
	.source		= "mtd:" XIP_NAME,
};
