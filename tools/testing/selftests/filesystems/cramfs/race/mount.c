// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of the race test that mount and unmount: the same image at the same time from
 * a disk, an MTD device, a range of physical memory, which only one can have, and a
 * file of another such file system; while it is used or not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

#define CRAMFS_MAGIC	0x28cd3d45

static void use(const char *top, const struct tree *tree)
{
	struct statfs st;

	if (statfs(top, &st) || st.f_type != CRAMFS_MAGIC)
		fail("%s: statfs(): %s", top, strerror(errno));
	switch (random_below(5)) {
	case 0:
		walk_tree(top, tree);
		break;
	case 2:
		look_at_twins(top, tree);
		break;
	case 1:
		map_some(top, any_mappable(tree), 0);
		break;
	default:
		read_some(top, tree);
		break;
	}
}

static void unmount(const char *top)
{
	if (umount2(top, 0))
		fail("%s: cannot be unmounted: %s", top, strerror(errno));
}

/* What was opened and mapped before goes on, with nothing mounted any more. */
static void unmount_used(const char *top, const struct tree *tree)
{
	const struct node *node = tree_find(tree, "large-stored");
	unsigned char page[PAGE], *p;
	int fd = open_in(top, node);

	if (fd < 0)
		return;
	p = mmap(NULL, node->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (!umount2(top, 0))
		fail("%s: is unmounted with an open file", top);
	if (umount2(top, MNT_DETACH))
		fail("%s: MNT_DETACH: %s", top, strerror(errno));
	for (int n = 0; n < 4; n++) {
		size_t at = random_below(node->len / PAGE) * PAGE;

		if (pread(fd, page, PAGE, at) != PAGE)
			fail("%s/%s, detached: %s", top, node->path, strerror(errno));
		else
			same("read() of a detached mount", node, page, at, PAGE);
		if (p != MAP_FAILED)
			same("a mapping of a detached mount", node, p + at, at, PAGE);
	}
	close(fd);
	if (p != MAP_FAILED)
		munmap(p, node->len);
}

/* While another process is in there, and at the moment at which it goes away. */
static void unmount_beside_user(const char *top, const struct tree *tree)
{
	bool done = false;
	pid_t pid;

	if (chdir(top))
		fail("%s: chdir(): %s", top, strerror(errno));
	pid = start_child();
	if (!pid)
		read_some(".", tree);
	if (!pid)
		end_child(pid);
	if (chdir("/"))
		fail("chdir(): %s", strerror(errno));
	for (int n = 0; n < 50 && !done && !shared->stop; n++) {
		done = !umount2(top, one_in(2) ? MNT_FORCE : 0);
		short_sleep(2000);
	}
	end_child(pid);
	if (!done)
		unmount(top);
}

/* Some range can be had only once: @holders counts who has it. */
static void use_and_unmount(const char *top, const struct tree *tree, int *holders)
{
	if (holders && __sync_add_and_fetch(holders, 1) != 1)
		fail("%s: another mount has the same range", top);
	if (!one_in(4))
		use(top, tree);
	if (holders)
		__sync_sub_and_fetch(holders, 1);

	switch (random_below(4)) {
	case 0:
		unmount_used(top, tree);
		break;
	case 1:
		unmount_beside_user(top, tree);
		break;
	default:
		unmount(top);
		break;
	}
}

/**
 * mount_block_round() - mount a disk, which others may have mounted
 */
void mount_block_round(void)
{
	if (mount(place.block, my_dir, "cramfs", MS_RDONLY, NULL))
		fail("%s: mount(): %s", place.block, strerror(errno));
	else
		use_and_unmount(my_dir, &trees[1], NULL);
}

/**
 * mount_mtd_round() - mount an MTD device, which others may have mounted
 */
void mount_mtd_round(void)
{
	if (mount(place.mtd, my_dir, "cramfs", MS_RDONLY, NULL))
		fail("%s: mount(): %s", place.mtd, strerror(errno));
	else
		use_and_unmount(my_dir, &trees[1], NULL);
}

static int mount_phys(unsigned long addr)
{
	char options[64];

	snprintf(options, sizeof(options), "physaddr=%#lx%s", addr,
		 one_in(2) ? ",physsize=0x800000" : "");
	return mount("none", my_dir, one_in(2) ? "cramfs" : "cramfs_physmem", MS_RDONLY, options);
}

static void mount_taken(void)
{
	if (!mount_phys(place.taken[random_below(2)])) {
		fail("%s: a range that is taken can be mounted", my_dir);
		umount2(my_dir, MNT_DETACH);
	} else if (errno != EBUSY) {
		fail("a range that is taken: %s", strerror(errno));
	}
}

/* Claimed until it is seen that there is no image. */
static void mount_empty(void)
{
	if (!mount_phys(place.empty)) {
		fail("%s: an empty range can be mounted", my_dir);
		umount2(my_dir, MNT_DETACH);
	} else if (errno != EINVAL && errno != EBUSY) {
		fail("an empty range: %s", strerror(errno));
	}
}

/**
 * mount_phys_round() - mount a range that one can have at a time, or none
 */
void mount_phys_round(void)
{
	/* To be refused takes no time, and the kernel says it each time. */
	short_sleep(10000);
	switch (random_below(6)) {
	case 0:
		mount_taken();
		return;
	case 1:
		mount_empty();
		return;
	}
	if (!mount_phys(place.phys))
		use_and_unmount(my_dir, &trees[1], &shared->holders);
	else if (errno == EBUSY)
		__sync_add_and_fetch(&shared->busy, 1);
	else
		fail("%#lx: mount(): %s", place.phys, strerror(errno));
}

/**
 * loop_attach() - make a block device of a file
 * @path: the file
 * @device: the result, a path
 * @size: of @device
 *
 * Return: the open device, or -1: another process was faster
 */
int loop_attach(const char *path, char *device, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), nr, loop;
	struct loop_config config = {
		.fd = open(path, O_RDONLY | O_CLOEXEC),
		.info.lo_flags = LO_FLAGS_READ_ONLY,
	};

	nr = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(device, size, "/dev/loop%d", nr);
	loop = open(device, O_RDONLY | O_CLOEXEC);
	if ((int)config.fd < 0 || nr < 0 || loop < 0) {
		fail("%s as %s: %s", path, device, strerror(errno));
	} else if (ioctl(loop, LOOP_CONFIGURE, &config)) {
		if (errno != EBUSY)
			fail("%s as %s: %s", path, device, strerror(errno));
		close(loop);
		loop = -1;
	}
	close(control);
	close(config.fd);
	return loop;
}

/**
 * mount_loop_round() - mount a file of a home, and take its device away again
 */
void mount_loop_round(void)
{
	const struct home *home;
	char path[64], device[32];
	int loop;

	do
		home = any_home();
	while (home->tree == NR_TREES - 1);
	snprintf(path, sizeof(path), "%s/inner", home->top);
	loop = loop_attach(path, device, sizeof(device));
	if (loop < 0)
		return;
	if (mount(device, my_dir, "cramfs", MS_RDONLY, NULL))
		fail("%s: mount(): %s", device, strerror(errno));
	else
		use_and_unmount(my_dir, &trees[NR_TREES - 1], NULL);
	if (ioctl(loop, LOOP_CLR_FD))
		fail("%s: LOOP_CLR_FD: %s", device, strerror(errno));
	close(loop);
}

static void read_mounts(void)
{
	unsigned int found = 0;
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, " - cramfs"))
			found++;
	}
	if (file)
		fclose(file);
	if (found < nr_homes)
		fail("/proc/self/mountinfo has %u of %u mounts", found, nr_homes);
}

/**
 * remount_round() - remount a home, look at what is mounted
 */
void remount_round(void)
{
	const struct home *home = any_home();

	if (mount(NULL, home->top, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		fail("%s: remounting: %s", home->top, strerror(errno));
	if (!mount(NULL, home->top, NULL, MS_REMOUNT | MS_RDONLY, "physaddr=0x1000"))
		fail("%s: can be moved to another address", home->top);
	read_mounts();
	short_sleep(50000);
}

/**
 * unmount_all_below() - detach all cramfs mounts at or below a directory
 * @top: its path
 *
 * Return: how many there were
 */
unsigned int unmount_all_below(const char *top)
{
	size_t len = strlen(top);
	unsigned int found = 0;
	FILE *file = fopen("/proc/self/mounts", "r");
	char line[512], *path, *type, *save;

	while (file && fgets(line, sizeof(line), file)) {
		strtok_r(line, " ", &save);
		path = strtok_r(NULL, " ", &save);
		type = strtok_r(NULL, " ", &save);
		if (!path || !type || strncmp(type, "cramfs", 6) ||
		    strncmp(path, top, len) || (path[len] && path[len] != '/'))
			continue;
		if (!umount2(path, MNT_DETACH))
			found++;
	}
	if (file)
		fclose(file);
	return found;
}
