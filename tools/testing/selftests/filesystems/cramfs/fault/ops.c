// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done while something fails. Each operation ends with the first error and
 * returns it, or WRONG as soon as it sees what should not be: other bytes, other
 * names, another size.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

#define CHUNK		(4 * PAGE)
#define MAX_EXTENTS	32

struct in_child in_child;

/* Nothing here is allocated when it is needed: that would be one more thing to fail. */
static unsigned char buf[CHUNK + PAGE];
static sigjmp_buf on_sigbus;

static void sigbus(int sig)
{
	siglongjmp(on_sigbus, 1);
}

__attribute__((constructor)) static void catch_sigbus(void)
{
	signal(SIGBUS, sigbus);
}

static int error(void)
{
	return errno ? -errno : WRONG;
}

static const char *path_of(const struct node *node)
{
	static char path[512];

	snprintf(path, sizeof(path), MNT "/%s", node->path);
	return path;
}

/**
 * is_mounted() - is there a cramfs at MNT?
 *
 * Return: whether
 */
bool is_mounted(void)
{
	struct statfs st;

	return !statfs(MNT, &st) && st.f_type == CRAMFS_MAGIC;
}

/* Reads @len bytes of a file, which are all in it or up to its end. */
static int compare_at(int fd, const struct node *node, size_t at, size_t len)
{
	size_t left = node->size - at;
	ssize_t got;

	/* A short read is what comes of an error after some bytes; it has to end. */
	for (size_t done = 0; done < len && done < left; done += got) {
		got = pread(fd, buf, len - done, at + done);
		if (got < 0)
			return -errno;
		if (!got || (size_t)got > left - done ||
		    memcmp(buf, node->data + at + done, got))
			return WRONG;
	}
	return 0;
}

static int read_file(const struct node *node)
{
	int fd = open(path_of(node), O_RDONLY), ret = 0;

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < node->size && !ret; at += CHUNK)
		ret = compare_at(fd, node, at, CHUNK);
	close(fd);
	return ret;
}

static int read_files(const struct backing *backing)
{
	int ret = 0;

	for (unsigned int n = 0; n < nr_in_root && !ret; n++)
		if (nodes[n].type == 'f')
			ret = read_file(&nodes[n]);
	return ret;
}

static int count_names(const char *path, unsigned int *nr)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	ssize_t got, at;

	if (fd < 0)
		return -errno;
	*nr = 0;
	while ((got = syscall(SYS_getdents64, fd, buf, 512)) > 0)
		for (at = 0; at < got; at += ((struct dirent64 *)(buf + at))->d_reclen)
			++*nr;
	got = got < 0 ? -errno : 0;
	close(fd);
	return got;
}

static int stat_node(const struct node *node)
{
	struct stat st;
	ssize_t len;

	if (lstat(path_of(node), &st))
		return -errno;
	if (node->type == 'd')
		return S_ISDIR(st.st_mode) ? 0 : WRONG;
	if (st.st_size != (off_t)node->size)
		return WRONG;
	if (node->type == 'f')
		return S_ISREG(st.st_mode) ? 0 : WRONG;
	len = readlink(path_of(node), (char *)buf, PAGE);
	if (len < 0)
		return -errno;
	return len == (ssize_t)node->size && !memcmp(buf, node->data, len) ? 0 : WRONG;
}

static int walk(const struct backing *backing)
{
	unsigned int nr = 0;
	int ret;

	ret = count_names(MNT, &nr);
	if (!ret && nr != nr_in_root + 2)
		ret = WRONG;
	if (!ret)
		ret = count_names(MNT "/many", &nr);
	if (!ret && nr != nr_nodes - nr_in_root + 2)
		ret = WRONG;
	for (unsigned int n = 0; n < nr_nodes && !ret; n++)
		ret = stat_node(&nodes[n]);
	return ret;
}

/**
 * check_all() - is everything in the mounted image what it should be?
 *
 * Return: 0, -errno, or WRONG
 */
int check_all(void)
{
	return walk(NULL) ?: read_files(NULL);
}

/**
 * check_page() - read one page of a file
 * @node: the file
 * @index: which page
 *
 * Return: 0, -errno, or WRONG
 */
int check_page(const struct node *node, unsigned int index)
{
	int fd = open(path_of(node), O_RDONLY), ret;

	if (fd < 0)
		return -errno;
	ret = compare_at(fd, node, index * PAGE, PAGE);
	close(fd);
	return ret;
}

/**
 * check_file() - which pages of a file can be read?
 * @node: the file
 * @wrong: is set to how many pages are other bytes than they should be
 * @failed: is set to how many give an error
 *
 * Return: 0, -errno of the last error other than -EIO
 */
int check_file(const struct node *node, unsigned int *wrong, unsigned int *failed)
{
	int fd = open(path_of(node), O_RDONLY), ret = 0;

	*wrong = *failed = 0;
	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < node->size; at += PAGE) {
		int got = compare_at(fd, node, at, PAGE);

		*wrong += got == WRONG;
		*failed += got < 0;
		if (got < 0 && got != -EIO)
			ret = got;
	}
	close(fd);
	return ret;
}

static int do_mount(const struct backing *backing)
{
	return mount_image(backing) ? -errno : 0;
}

const struct op op_mount = { .name = "mount", .run = do_mount, .unmounted = true };

static int config(int fd, unsigned int command, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fd, command, key, value, 0) ? -errno : 0;
}

static int fsopen_and_mount(const struct backing *backing)
{
	const char *value = strchr(backing->options, '=');
	int fd = syscall(SYS_fsopen, backing->type, 0), mnt = -1, ret;

	if (fd < 0)
		return -errno;
	ret = config(fd, FSCONFIG_SET_STRING, "source", backing->source);
	if (!ret && value)
		ret = config(fd, FSCONFIG_SET_STRING, "physaddr", value + 1);
	if (!ret)
		ret = config(fd, FSCONFIG_SET_FLAG, "ro", NULL);
	if (!ret)
		ret = config(fd, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (!ret) {
		mnt = syscall(SYS_fsmount, fd, 0, 0);
		ret = mnt < 0 ? -errno : 0;
	}
	if (!ret && syscall(SYS_move_mount, mnt, "", AT_FDCWD, MNT, MOVE_MOUNT_F_EMPTY_PATH))
		ret = -errno;
	close(mnt);
	close(fd);
	return ret;
}

const struct op op_fsopen = { .name = "fsopen", .run = fsopen_and_mount, .unmounted = true };

/* fault.c sees to it that there is no superblock. */
static int do_not_mount(const struct backing *backing)
{
	if (!mount_image(backing))
		return WRONG;
	return errno == EINVAL ? 0 : -errno;
}

const struct op op_refuse = { .name = "refuse", .run = do_not_mount, .unmounted = true };

static int unmount(const struct backing *backing)
{
	return umount(MNT) ? -errno : 0;
}

static int read_and_walk(const struct backing *backing)
{
	return check_all();
}

const struct op op_unmount = { .name = "unmount", .prepare = read_and_walk, .run = unmount };

static int remount(const struct backing *backing)
{
	return mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, backing->options) ? -errno : 0;
}

const struct op op_remount = { .name = "remount", .run = remount };

static int show(const struct backing *backing)
{
	int fd = open("/proc/self/mounts", O_RDONLY);
	struct statfs st;
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, CHUNK);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	buf[len] = 0;
	if (!strstr((char *)buf, MNT " cramfs") || !strstr((char *)buf, backing->options))
		return WRONG;
	if (statfs(MNT, &st))
		return -errno;
	return st.f_type == CRAMFS_MAGIC ? 0 : WRONG;
}

const struct op op_show = { .name = "show", .run = show };

/* The superblock is not all that the mount has read of the disk. */
static int forget(const struct backing *backing)
{
	return forget_caches() ? -errno : 0;
}

const struct op op_walk = { .name = "walk", .prepare = forget, .run = walk };
const struct op op_read = { .name = "read", .run = read_files };
const struct op op_reread = { .name = "reread", .prepare = read_files, .run = read_files };

static int read_ahead(const struct backing *backing)
{
	int fd, ret = 0;

	for (unsigned int n = 0; n < nr_in_root && !ret; n++) {
		if (nodes[n].type != 'f')
			continue;
		fd = open(path_of(&nodes[n]), O_RDONLY);
		if (fd < 0)
			return -errno;
		if (readahead(fd, 0, nodes[n].size))
			ret = -errno;
		for (size_t at = 0; at < nodes[n].size && !ret; at += CHUNK)
			ret = compare_at(fd, &nodes[n], at, CHUNK);
		close(fd);
	}
	return ret;
}

const struct op op_readahead = { .name = "readahead", .run = read_ahead };

/* A page of a mapping. What it has past the end of the file has to be zeros. */
static int compare_page(const unsigned char *map, const struct node *node, size_t at)
{
	size_t len = node->size - at < PAGE ? node->size - at : PAGE;

	if (sigsetjmp(on_sigbus, 1))
		return -EFAULT;
	if (memcmp(map + at, node->data + at, len))
		return WRONG;
	for (; len < PAGE; len++)
		if (map[at + len])
			return WRONG;
	return 0;
}

static int write_page(unsigned char *map, size_t at)
{
	if (sigsetjmp(on_sigbus, 1))
		return -EFAULT;
	map[at + 1] ^= 0xff;
	map[at + 1] ^= 0xff;
	return 0;
}

/* That takes memory as well; failures end some time, and nothing may stay mapped. */
static int unmap(void *map, size_t size)
{
	int ret = 0;

	while (munmap(map, size)) {
		ret = -errno;
		if (errno != ENOMEM)
			break;
	}
	return ret;
}

/*
 * Map the file and touch each page. With @private, every other page is written to
 * first, and read after that.
 */
static int map_file(const struct node *node, bool private)
{
	int fd = open(path_of(node), O_RDONLY), ret, unmapped;
	unsigned char *map;

	if (fd < 0)
		return -errno;
	map = mmap(NULL, node->size, private ? PROT_READ | PROT_WRITE : PROT_READ,
		   private ? MAP_PRIVATE : MAP_SHARED, fd, 0);
	ret = map == MAP_FAILED ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	for (size_t at = 0; at < node->size && !ret; at += PAGE) {
		if (private && at / PAGE % 2)
			ret = write_page(map, at);
		if (!ret)
			ret = compare_page(map, node, at);
	}
	unmapped = unmap(map, node->size);
	return ret ?: unmapped;
}

static int map_files(bool private)
{
	int ret = 0;

	for (unsigned int n = 0; n < nr_in_root && !ret; n++)
		if (nodes[n].type == 'f' && nodes[n].size)
			ret = map_file(&nodes[n], private);
	return ret;
}

static int map_shared(const struct backing *backing)
{
	return map_files(false);
}

static int map_private(const struct backing *backing)
{
	return map_files(true);
}

const struct op op_map = { .name = "map", .run = map_shared };
const struct op op_copy_on_write = { .name = "copy_on_write", .run = map_private };

/* As a debugger does it: read a mapping that may have no struct page, and write to it. */
static int peek(const struct backing *backing)
{
	const struct node *node = find_node("stored");
	int fd = open(path_of(node), O_RDONLY), mem, ret = 0;
	unsigned char *map, byte;

	if (fd < 0)
		return -errno;
	map = mmap(NULL, node->size, PROT_READ, MAP_PRIVATE, fd, 0);
	ret = map == MAP_FAILED ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	mem = open("/proc/self/mem", O_RDWR);
	if (mem < 0)
		ret = -errno;
	for (size_t at = 0; at < node->size && !ret; at += PAGE) {
		if (pread(mem, &byte, 1, (uintptr_t)map + at) != 1)
			ret = error();
		else if (byte != node->data[at])
			ret = WRONG;
		byte = ~node->data[at];
		if (!ret && pwrite(mem, &byte, 1, (uintptr_t)map + at) != 1)
			ret = error();
		if (!ret && (map[at] != byte || (at + 1 < node->size &&
						 map[at + 1] != node->data[at + 1])))
			ret = WRONG;
	}
	close(mem);
	unmap(map, node->size);
	return ret;
}

const struct op op_peek = { .name = "peek", .run = peek };

/*
 * In the child it is memory of the child as well that fails: the status tells of an
 * execve() that failed, a signal of one that could not go back.
 */
static int execute(const char *path)
{
	static char *const argv[] = { "exec", NULL }, *const envp[] = { NULL };
	siginfo_t info;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		if (in_child.kind && inject_arm(in_child.kind, in_child.n))
			_exit(1);
		execve(path, argv, envp);
		_exit(128 + errno % 128);
	}
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		return -errno;
	if (in_child.kind)
		in_child.injected = inject_of_child(in_child.kind, pid);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (WIFSIGNALED(status))
		return -EFAULT;
	if (WEXITSTATUS(status) == EXEC_STATUS)
		return 0;
	return WEXITSTATUS(status) > 128 ? -(WEXITSTATUS(status) - 128) : WRONG;
}

static int exec_stored(const struct backing *backing)
{
	return execute(MNT "/exec");
}

static int exec_deflated(const struct backing *backing)
{
	return execute(MNT "/exec-deflated");
}

const struct op op_exec = {
	.name = "exec", .run = exec_stored, .forks = true, .errors = { E2BIG, ENOEXEC }
};

const struct op op_exec_deflated = {
	.name = "exec_deflated", .run = exec_deflated, .forks = true,
	.errors = { E2BIG, ENOEXEC }
};

static int splice_file(const struct node *node)
{
	int fd = open(path_of(node), O_RDONLY), ends[2], ret = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	if (pipe(ends)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	for (size_t at = 0; at < node->size && !ret; at += got) {
		got = splice(fd, NULL, ends[1], NULL, CHUNK, 0);
		if (got <= 0)
			ret = got ? -errno : WRONG;
		else if (read(ends[0], buf, got) != got)
			ret = error();
		else if (at + got > node->size || memcmp(buf, node->data + at, got))
			ret = WRONG;
	}
	close(fd);
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static int splice_files(const struct backing *backing)
{
	int ret = 0;

	for (unsigned int n = 0; n < nr_in_root && !ret; n++)
		if (nodes[n].type == 'f')
			ret = splice_file(&nodes[n]);
	return ret;
}

const struct op op_splice = { .name = "splice", .run = splice_files, .errors = { ENFILE } };

static union {
	struct fiemap map;
	char room[sizeof(struct fiemap) + MAX_EXTENTS * sizeof(struct fiemap_extent)];
} extents;

/* Every file has blocks in the image; there is no more that is known of them here. */
static int fiemap(const struct backing *backing)
{
	int fd, ret = 0;

	for (unsigned int n = 0; n < nr_in_root && !ret; n++) {
		if (nodes[n].type != 'f' || !nodes[n].size)
			continue;
		fd = open(path_of(&nodes[n]), O_RDONLY);
		if (fd < 0)
			return -errno;
		memset(&extents, 0, sizeof(extents));
		extents.map.fm_length = FIEMAP_MAX_OFFSET;
		extents.map.fm_extent_count = MAX_EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, &extents))
			ret = -errno;
		else if (!extents.map.fm_mapped_extents)
			ret = WRONG;
		for (unsigned int i = 0; i < extents.map.fm_mapped_extents && !ret; i++)
			if (extents.map.fm_extents[i].fe_physical >= image_len)
				ret = WRONG;
		close(fd);
	}
	return ret;
}

const struct op op_fiemap = { .name = "fiemap", .prepare = forget, .run = fiemap };
