// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mounts of the race test that are there all the time, one from each place in which
 * an image can be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "race.h"

#define INNER		3	/* the home in a file of another one */

static void add_home(unsigned int tree, const char *name, const char *device, unsigned long rom)
{
	struct home *home = &homes[nr_homes++];

	snprintf(home->top, sizeof(home->top), "/home-%s", name);
	snprintf(home->device, sizeof(home->device), "%s", device);
	home->tree = tree;
	home->rom = rom;
	mkdir(home->top, 0755);
}

static void mount_at(const struct home *home, const char *source, const char *options)
{
	must(!mount(source, home->top, "cramfs", MS_RDONLY, options), home->top);
}

/**
 * mount_homes() - mount what is there all the time, and learn where the rest is
 *
 * The command line has cramfs.rom=ADDRESS-END, which begins with tree 0 and has tree 1
 * race.half= bytes later; race.mtd-rom=, the address of the first MTD device, which has
 * tree 0, and race.mtd=, another one, which has tree 1. Of the disks the first has tree
 * 0 and the second tree 1.
 *
 * Return: a loop device, for unmount_homes()
 */
int mount_homes(void)
{
	char device[32], options[64];
	unsigned long rom = cmdline_number("cramfs.rom=");
	unsigned long mtd_rom = cmdline_number("race.mtd-rom=");
	int loop;

	nr_homes = 0;
	place.phys = rom + cmdline_number("race.half=");
	place.empty = place.phys - (1UL << 20);
	place.taken[0] = rom;
	place.taken[1] = mtd_rom;
	place.mtd = text("race.mtd=");
	place.block = "/dev/vdb";
	must(rom && place.mtd, "cramfs.rom= and race.mtd= on the command line");

	add_home(0, "block", "/dev/vda", 0);
	mount_at(&homes[0], "/dev/vda", NULL);
	add_home(0, "mtd", "", mtd_rom);
	mount_at(&homes[1], "mtd0", NULL);
	add_home(0, "phys", "", rom);
	snprintf(options, sizeof(options), "physaddr=%#lx", rom);
	mount_at(&homes[2], "none", options);

	loop = loop_attach("/home-block/inner", device, sizeof(device));
	must(loop >= 0, "a loop device");
	add_home(NR_TREES - 1, "inner", device, 0);
	mount_at(&homes[INNER], device, NULL);
	return loop;
}

static bool is_in(const char *path, const char *what)
{
	FILE *file = fopen(path, "r");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		found = strstr(line, what);
		if (found)
			printf("# %s: %s", path, line);
	}
	if (file)
		fclose(file);
	return found;
}

/**
 * unmount_homes() - unmount them, of which nothing is to stay
 * @loop: from mount_homes()
 *
 * Return: whether nothing does
 */
bool unmount_homes(int loop)
{
	bool ok = true;

	for (int n = nr_homes; n--;) {
		if (umount2(homes[n].top, 0)) {
			printf("# %s: cannot be unmounted: %s\n", homes[n].top, strerror(errno));
			umount2(homes[n].top, MNT_DETACH);
			ok = false;
		}
		if (n == INNER) {
			ioctl(loop, LOOP_CLR_FD);
			close(loop);
		}
	}
	return ok && !is_in("/proc/self/mounts", " cramfs") && !is_in("/proc/iomem", "cramfs");
}
