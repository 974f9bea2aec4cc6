// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image in a file or block device: its bytes, its superblock and its inodes. Nothing past the
 * end of the image is ever read; who asks for an offset that the image names asks reader_has()
 * first. What inodes mean for each other is not known here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>
#include <linux/magic.h>

#include "fsck.h"

/* Reading here and there takes so much at a time; reading on and on, up to the second. */
#define LEAST_READ	4096U
#define MOST_READ	262144U

#define SUPER_SIZE	((__u32)sizeof(struct cramfs_super))

/**
 * reader_open() - open an image
 * @rd: filled in, but for what the superblock says
 * @path: its file
 */
void reader_open(struct reader *rd, const char *path)
{
	struct stat st;
	off_t size;

	memset(rd, 0, sizeof(*rd));
	rd->path = path;
	/* A FIFO would wait for a writer. */
	rd->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (rd->fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	if (fstat(rd->fd, &st))
		die_errno(path);
	rd->is_device = S_ISBLK(st.st_mode);
	if (!rd->is_device && !S_ISREG(st.st_mode))
		die("not a block device or file: %s", path);
	size = lseek(rd->fd, 0, SEEK_END);
	if (size < 0)
		die_errno(path);
	rd->file_size = size;
	rd->window = xgrow(NULL, MOST_READ);
	rd->ahead = LEAST_READ;
}

/**
 * reader_close() - close an image
 * @rd: the image
 */
void reader_close(struct reader *rd)
{
	free(rd->window);
	close(rd->fd);
}

static void read_fully(const struct reader *rd, __u64 offset, unsigned char *buf, size_t len)
{
	ssize_t got;

	for (; len; len -= got, buf += got, offset += got) {
		got = pread(rd->fd, buf, len, offset);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			die_errno(rd->path);
		else if (!got)
			die("%s: became shorter while it was read", rd->path);
	}
}

static void fill_window(struct reader *rd, __u64 offset)
{
	bool goes_on = rd->window_len && offset == rd->window_start + rd->window_len;

	/* Whoever reads has asked reader_has(); but rather this than an endless loop. */
	if (offset >= rd->file_size)
		die("%s: reading past its end, at %llu", rd->path, offset);
	/* Who goes backwards in small steps is served, too. */
	offset -= offset % LEAST_READ;
	rd->ahead = !goes_on ? LEAST_READ : rd->ahead < MOST_READ ? rd->ahead * 2 : MOST_READ;
	rd->window_start = offset;
	rd->window_len = rd->file_size - offset < rd->ahead ? rd->file_size - offset : rd->ahead;
	read_fully(rd, offset, rd->window, rd->window_len);
}

/**
 * reader_has() - is a range of bytes part of the image?
 * @rd: the image
 * @offset: where it begins
 * @len: its length in bytes
 *
 * Return: true if it is.
 */
bool reader_has(const struct reader *rd, __u64 offset, __u64 len)
{
	return offset <= rd->size && len <= rd->size - offset;
}

/**
 * reader_read() - read bytes of the image
 * @rd: the image
 * @offset: where they begin; all of them are part of the file
 * @buf: where they go
 * @len: how many
 *
 * An error of the file ends the program.
 */
void reader_read(struct reader *rd, __u64 offset, void *buf, size_t len)
{
	unsigned char *p = buf;
	size_t n;

	while (len) {
		if (offset < rd->window_start || offset >= rd->window_start + rd->window_len)
			fill_window(rd, offset);
		n = rd->window_start + rd->window_len - offset;
		if (n > len)
			n = len;
		memcpy(p, rd->window + (offset - rd->window_start), n);
		p += n;
		offset += n;
		len -= n;
	}
}

/* Of two bit fields in a word, the first is where the byte order has its beginning. */
static __u32 first_field(__u32 word, unsigned int width, bool big_endian)
{
	return big_endian ? word >> (32 - width) : word & ((1U << width) - 1);
}

static __u32 second_field(__u32 word, unsigned int width, bool big_endian)
{
	return big_endian ? word & ((1U << width) - 1) : word >> (32 - width);
}

/**
 * reader_inode() - read and decode an inode
 * @rd: the image
 * @at: its offset; it is part of the image
 * @inode: filled in
 */
void reader_inode(struct reader *rd, __u32 at, struct inode *inode)
{
	unsigned char raw[sizeof(struct cramfs_inode)];
	bool big = rd->big_endian;
	__u32 word[3];
	int i;

	reader_read(rd, at, raw, sizeof(raw));
	for (i = 0; i < 3; i++)
		word[i] = get_u32(raw + 4 * i, big);
	inode->mode = first_field(word[0], CRAMFS_MODE_WIDTH, big);
	inode->uid = second_field(word[0], CRAMFS_UID_WIDTH, big);
	inode->size = first_field(word[1], CRAMFS_SIZE_WIDTH, big);
	inode->gid = second_field(word[1], CRAMFS_GID_WIDTH, big);
	inode->name_len = first_field(word[2], CRAMFS_NAMELEN_WIDTH, big) << 2;
	inode->offset = second_field(word[2], CRAMFS_OFFSET_WIDTH, big) << 2;
}

/* Return: whether there is a superblock at the place, in either byte order. */
static bool find_magic(struct reader *rd, __u32 base)
{
	unsigned char magic[4];

	if (rd->file_size < base + SUPER_SIZE)
		return false;
	reader_read(rd, base, magic, sizeof(magic));
	rd->base = base;
	rd->big_endian = get_u32(magic, true) == CRAMFS_MAGIC;
	return rd->big_endian || get_u32(magic, false) == CRAMFS_MAGIC;
}

static __u32 super_field(struct reader *rd, size_t field)
{
	unsigned char raw[4];

	reader_read(rd, rd->base + field, raw, sizeof(raw));
	return get_u32(raw, rd->big_endian);
}

#define SUPER_FIELD(rd, field)	super_field(rd, offsetof(struct cramfs_super, field))

static bool check_sizes(struct reader *rd)
{
	if (!(rd->flags & CRAMFS_FLAG_FSID_VERSION_2)) {
		rd->size = rd->file_size < ~0U ? rd->file_size : ~0U;
		doubt("old cramfs format: there is neither a size nor a CRC to check");
		return true;
	}
	if (rd->size < rd->base + SUPER_SIZE) {
		problem("superblock size (%u) too small", rd->size);
		return false;
	}
	if (rd->file_size < rd->size) {
		problem("file length too short");
		return false;
	}
	/* A partition is as large as it is. */
	if (rd->file_size > rd->size && !rd->is_device)
		doubt("file extends past end of filesystem");
	return true;
}

/**
 * reader_super() - find and decode the superblock
 * @rd: the image; gets what the superblock says
 *
 * Return: true if the rest of the image can be looked at; or false, after a message.
 */
bool reader_super(struct reader *rd)
{
	if (rd->file_size < SUPER_SIZE) {
		problem("file length too short");
		return false;
	}
	if (!find_magic(rd, 0) && !find_magic(rd, BOOT_PAD)) {
		problem("superblock magic not found");
		return false;
	}

	rd->size = SUPER_FIELD(rd, size);
	rd->flags = SUPER_FIELD(rd, flags);
	rd->crc = SUPER_FIELD(rd, fsid.crc);
	rd->edition = SUPER_FIELD(rd, fsid.edition);
	rd->nr_blocks = SUPER_FIELD(rd, fsid.blocks);
	rd->nr_files = SUPER_FIELD(rd, fsid.files);
	reader_read(rd, rd->base + offsetof(struct cramfs_super, name), rd->name, 16);
	reader_inode(rd, rd->base + offsetof(struct cramfs_super, root), &rd->root);
	return true;
}

static void check_signature(struct reader *rd)
{
	unsigned char signature[16];

	reader_read(rd, rd->base + offsetof(struct cramfs_super, signature), signature,
		    sizeof(signature));
	if (!(rd->flags & CRAMFS_FLAG_WRONG_SIGNATURE) &&
	    memcmp(signature, CRAMFS_SIGNATURE, sizeof(signature)))
		problem("superblock: wrong signature");
}

static bool check_root(const struct reader *rd)
{
	const struct inode *root = &rd->root;

	if (!S_ISDIR(root->mode)) {
		problem("superblock: the root is not a directory (mode %#o)", root->mode);
		return false;
	}
	if (root->name_len)
		doubt("superblock: the root has a name of %u bytes", root->name_len);
	if (root->offset && root->offset != rd->base + SUPER_SIZE &&
	    root->offset != BOOT_PAD + SUPER_SIZE &&
	    !(rd->flags & CRAMFS_FLAG_SHIFTED_ROOT_OFFSET))
		problem("superblock: the root directory is at %#x, without the flag for that",
			root->offset);
	return true;
}

static __u32 compute_crc(struct reader *rd)
{
	__u64 field = rd->base + offsetof(struct cramfs_super, fsid.crc);
	static unsigned char buf[65536];
	__u64 offset, n;
	__u32 crc = 0;

	for (offset = rd->base; offset < rd->size; offset += n) {
		n = rd->size - offset < sizeof(buf) ? rd->size - offset : sizeof(buf);
		read_fully(rd, offset, buf, n);
		if (offset == rd->base)
			memset(buf + (field - offset), 0, 4);
		crc = libdeflate_crc32(crc, buf, n);
	}
	return crc;
}

/**
 * reader_check_super() - hold the superblock against the format
 * @rd: the image
 * @crc: compute the CRC, which reads all of the image
 *
 * Return: true if the rest of the image makes sense to look at.
 */
bool reader_check_super(struct reader *rd, bool crc)
{
	__u32 unknown = rd->flags & ~CRAMFS_SUPPORTED_FLAGS;
	__u32 unused = rd->flags & 0xff &
		       ~(CRAMFS_FLAG_FSID_VERSION_2 | CRAMFS_FLAG_SORTED_DIRS);

	if (unknown)
		die("unsupported filesystem features %#x", unknown);
	if (!check_sizes(rd))
		return false;
	if (unused)
		doubt("superblock: unknown flags %#x", unused);
	if (SUPER_FIELD(rd, future))
		doubt("superblock: the reserved field is not zero");
	check_signature(rd);
	if (crc && rd->flags & CRAMFS_FLAG_FSID_VERSION_2) {
		if (!rd->nr_files)
			problem("zero file count");
		if (compute_crc(rd) != rd->crc)
			problem("crc error");
	}
	return check_root(rd);
}
