// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.cramfs: an image is checked, listed in all ways, and extracted. If it is found good, all of
 * that must work, and the same come out of it twice.
 *
 * Changes are such as a reader has to fear: the fields of an inode, the superblock and the block
 * pointers get values that others have, or that are just beyond something. As a rule the CRC is
 * made right afterwards, or there would be little to see behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <libdeflate.h>
#include <zlib.h>

#include "../fsck.h"
#include "run.h"

#define SUPER_SIZE	((__u32)sizeof(struct cramfs_super))
#define INODE_SIZE	((__u32)sizeof(struct cramfs_inode))
#define FIELD(field)	((__u32)offsetof(struct cramfs_super, field))

/* Where the size and the path are in a line of --list. */
#define LISTED_SIZE	21
#define LISTED_PATH	30

#define MOST_INODES	256

const char target_asan_options[] = ASAN_OPTIONS;

void target_init(void)
{
}

static int look(const char *option)
{
	int status = run(fsck_main, "fsck.cramfs", option, box_path("input"), NULL);
	size_t i, len = run_out.len < sizeof(run_out.bytes) ? run_out.len : sizeof(run_out.bytes);

	for (i = 0; i < len; i++)
		if (run_out.bytes[i] < ' ' && run_out.bytes[i] != '\n')
			finding("%s prints the control character %#x", option, run_out.bytes[i]);
	if (status != 0 && status != EXIT_UNCORRECTED && status != EXIT_ERROR)
		finding("%s ends with status %d", option, status);
	return status;
}

static void must_agree(const char *option, int status, int verdict)
{
	bool is_error = status == EXIT_ERROR, was_error = verdict == EXIT_ERROR;

	/* The others look at less than a check, and never find more. */
	if (!verdict && status)
		finding("the image is good, but %s ends with status %d: %s", option, status,
			run_first_line());
	if (is_error != was_error)
		finding("the check ends with status %d, %s with %d", verdict, option, status);
}

/* Of two runs, one may be told to fail somewhere. */
static int extract_input(const char *option, unsigned int fails_after, int error, __u64 *digest,
			 const char **denied)
{
	int status;

	box_remove("extracted");
	box_begin_extraction(fails_after, error);
	status = run(fsck_main, "fsck.cramfs", option, "-x", box_path("extracted"),
		     box_path("input"), NULL);
	*digest = box_end_extraction(denied);
	return status;
}

static void must_extract(int verdict)
{
	__u64 first, second;
	const char *denied;
	int status;

	status = extract_input("-v", 0, 0, &first, &denied);
	if (status != verdict && !(denied && status == EXIT_ERROR))
		finding("the check ends with status %d, --extract with %d: %s", verdict, status,
			run_first_line());
	if (verdict || denied)
		return;
	status = extract_input("-q", 0, 0, &second, &denied);
	if (status || first != second)
		finding("another extraction is not the same (status %d)", status);
}

/*
 * An error of the system is told, or what it has kept from being done. Owners and permissions may
 * be what they should be though they could not be set.
 */
static void must_take_errors(const uint8_t *data, size_t size)
{
	static const int errors[] = { EPERM, ENOSPC, EINVAL, EEXIST };
	__u32 crc = libdeflate_crc32(0, data, size);
	__u64 digest;
	const char *denied;
	int status;

	/* One of four inputs will do, and saves time. */
	if (crc >> 16 & 3)
		return;
	status = extract_input("-v", 1 + crc % 32, errors[crc >> 8 & 3], &digest, &denied);
	if (denied && !strstr(denied, "chown") && !strstr(denied, "chmod") && !run_err.len)
		finding("%s() has failed, and nothing is said (status %d)", denied, status);
}

/* The first file that has been listed, if the whole of its path is shown, and as it is. */
static void must_have_first_file(int verdict)
{
	char *line = (char *)run_out.bytes, *path, *end;
	unsigned long size;
	int status;

	run_out.bytes[run_out.len < sizeof(run_out.bytes) ? run_out.len :
		      sizeof(run_out.bytes) - 1] = '\0';
	while (*line && *line != '-') {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	end = line + strcspn(line, "\n");
	if (!*end || end - line < LISTED_PATH)
		return;
	*end = '\0';
	path = line + LISTED_PATH;
	if (*path != '/' || strchr(path, '\\'))
		return;
	size = strtoul(line + LISTED_SIZE, NULL, 10);
	path = strdup(path);
	if (!path)
		finding("the harness has no memory");
	status = run(fsck_main, "fsck.cramfs", "--cat", path, box_path("input"), NULL);
	if (!verdict && (status || run_out.len != size))
		finding("%s has %lu bytes, but --cat (status %d) gives %zu", path, size, status,
			run_out.len);
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int verdict, status;

	box_write("input", data, size);
	verdict = look("-v");
	must_agree("--map", look("--map"), verdict);
	status = look("--list=json");
	must_agree("--list=json", status, verdict);
	/* Without a superblock there is nothing to list, and only the beginning of much is kept. */
	if (run_out.len && run_out.len < sizeof(run_out.bytes) &&
	    !is_json(run_out.bytes, run_out.len))
		finding("--list=json prints what is not JSON");
	must_agree("--list", look("--list"), verdict);
	must_have_first_file(verdict);
	look("-b8192");
	must_extract(verdict);
	must_take_errors(data, size);
	return 0;
}

/* What the mutator knows of an image, which need not be one. */
struct image {
	unsigned char *data;
	__u32 size, base;
	bool big_endian;
	/* offsets of inodes, the root's first */
	__u32 at[MOST_INODES];
	unsigned int nr;
	__u64 nr_blocks;
	struct rng rng;
};

static __u32 get(const struct image *im, __u32 at)
{
	return get_u32(im->data + at, im->big_endian);
}

static void put(struct image *im, __u32 at, __u32 val)
{
	put_u32(im->data + at, val, im->big_endian);
}

enum field {
	MODE,
	UID,
	SIZE,
	GID,
	NAME_LEN,
	OFFSET,
	NR_FIELDS,
};

static const unsigned int width[NR_FIELDS] = {
	CRAMFS_MODE_WIDTH, CRAMFS_UID_WIDTH, CRAMFS_SIZE_WIDTH, CRAMFS_GID_WIDTH,
	CRAMFS_NAMELEN_WIDTH, CRAMFS_OFFSET_WIDTH,
};

/* How far a field is from the lowest bit of its word. */
static unsigned int shift(const struct image *im, enum field field)
{
	bool first = field % 2 == 0;

	return first == im->big_endian ? 32 - width[field] : 0;
}

static __u32 mask(enum field field)
{
	return (1U << width[field]) - 1;
}

static __u32 get_field(const struct image *im, __u32 inode, enum field field)
{
	return get(im, inode + field / 2 * 4) >> shift(im, field) & mask(field);
}

static void put_field(struct image *im, __u32 inode, enum field field, __u32 val)
{
	__u32 at = inode + field / 2 * 4, bits = mask(field) << shift(im, field);

	put(im, at, (get(im, at) & ~bits) | (val << shift(im, field) & bits));
}

static __u32 end_of_inode(const struct image *im, __u32 inode)
{
	return inode + INODE_SIZE + get_field(im, inode, NAME_LEN) * 4;
}

static __u32 blocks_of(const struct image *im, __u32 inode)
{
	return align_up(get_field(im, inode, SIZE), BLOCK_SIZE) / BLOCK_SIZE;
}

/* A regular file or symbolic link, the block pointers of which are there. */
static bool has_pointers(const struct image *im, __u32 inode)
{
	__u32 mode = get_field(im, inode, MODE), offset = get_field(im, inode, OFFSET) * 4;

	return (S_ISREG(mode) || S_ISLNK(mode)) && get_field(im, inode, SIZE) &&
	       offset + blocks_of(im, inode) * 4ULL <= im->size;
}

static void find_inodes(struct image *im)
{
	__u32 pos, end;
	unsigned int i;

	im->at[0] = im->base + FIELD(root);
	im->nr = 1;
	for (i = 0; i < im->nr; i++) {
		if (!S_ISDIR(get_field(im, im->at[i], MODE)))
			continue;
		pos = get_field(im, im->at[i], OFFSET) * 4;
		end = pos + get_field(im, im->at[i], SIZE);
		if (end > im->size)
			end = im->size;
		while (pos + INODE_SIZE <= end && im->nr < MOST_INODES) {
			im->at[im->nr++] = pos;
			pos = end_of_inode(im, pos);
		}
	}
}

/* Sets what is known of @data; returns whether it can be an image. */
static bool parse(struct image *im, unsigned char *data, size_t size)
{
	im->data = data;
	im->size = size;
	for (im->base = 0; im->base <= BOOT_PAD; im->base += BOOT_PAD) {
		if (im->base + SUPER_SIZE > size)
			return false;
		for (im->big_endian = false;; im->big_endian = true) {
			if (get(im, im->base) == CRAMFS_MAGIC) {
				find_inodes(im);
				return true;
			}
			if (im->big_endian)
				break;
		}
	}
	return false;
}

static __u32 any_inode(struct image *im)
{
	return im->at[rng_below(&im->rng, im->nr)];
}

/* One that has pointers, or 0. */
static __u32 any_file(struct image *im)
{
	unsigned int i, first = rng_below(&im->rng, im->nr);

	for (i = 0; i < im->nr; i++) {
		__u32 inode = im->at[(first + i) % im->nr];

		if (has_pointers(im, inode))
			return inode;
	}
	return 0;
}

/* Offset of a block pointer, or 0. */
static __u32 any_pointer(struct image *im)
{
	__u32 inode = any_file(im), nr;

	if (!inode)
		return 0;
	nr = blocks_of(im, inode);
	/* More happens to the last one. */
	return get_field(im, inode, OFFSET) * 4 +
	       (rng_one_in(&im->rng, 3) ? nr - 1 : rng_below(&im->rng, nr)) * 4;
}

static __u32 offset_of_pointer(__u32 ptr)
{
	if (ptr & CRAMFS_BLK_FLAG_DIRECT_PTR)
		return (ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
	return ptr & ~CRAMFS_BLK_FLAGS;
}

/* An offset where something is, or is not. */
static __u32 any_offset(struct image *im)
{
	__u32 at;

	switch (rng_below(&im->rng, 4)) {
	case 0:
		return get_field(im, any_inode(im), OFFSET) * 4;
	case 1:
		at = any_pointer(im);
		return at ? offset_of_pointer(get(im, at)) : im->size;
	case 2:
		return any_inode(im);
	default:
		return rng_odd(&im->rng, im->size);
	}
}

static __u32 nearby(struct image *im, __u32 val)
{
	static const signed char steps[] = { 0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 8, 11, 12,
					    -12, 13, 16 };

	return val + steps[rng_below(&im->rng, sizeof(steps))];
}

static void change_inode(struct image *im)
{
	static const __u32 types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO,
				       S_IFSOCK, 0 };
	__u32 inode = any_inode(im), other = any_inode(im), val;
	enum field field = rng_below(&im->rng, NR_FIELDS);

	val = get_field(im, rng_one_in(&im->rng, 2) ? other : inode, field);
	switch (field) {
	case MODE:
		val = (val & 07777) | types[rng_below(&im->rng, 8)];
		break;
	case SIZE:
		val = rng_one_in(&im->rng, 2) ? nearby(im, val) : rng_odd(&im->rng, im->size);
		break;
	case OFFSET:
		val = rng_one_in(&im->rng, 4) ? nearby(im, val) : nearby(im, any_offset(im)) / 4;
		break;
	default:
		val = rng_one_in(&im->rng, 2) ? nearby(im, val) : rng_next(&im->rng);
	}
	put_field(im, inode, field, val);
}

/* Two entries become one file, or one directory, or a directory the one that it is in. */
static void share_data(struct image *im)
{
	__u32 to = any_inode(im), from = any_inode(im);
	enum field field;

	for (field = MODE; field < NR_FIELDS; field++)
		if (field == OFFSET || field == SIZE ||
		    (field != NAME_LEN && rng_one_in(&im->rng, 2)))
			put_field(im, to, field, get_field(im, from, field));
}

static void change_pointer(struct image *im)
{
	static const __u32 flags[] = { 0, CRAMFS_BLK_FLAG_UNCOMPRESSED, CRAMFS_BLK_FLAG_DIRECT_PTR,
				       CRAMFS_BLK_FLAGS };
	__u32 at = any_pointer(im), other = any_pointer(im), val;

	if (!at)
		return;
	val = get(im, at);
	switch (rng_below(&im->rng, 6)) {
	case 0:
		val = get(im, other);
		break;
	case 1:
		val = nearby(im, val);
		break;
	case 2:
		val ^= flags[1 + rng_below(&im->rng, 3)];
		break;
	case 3:
		val = nearby(im, any_offset(im)) | flags[rng_below(&im->rng, 2)];
		break;
	case 4:
		/* As long as a deflated block may be, of some size; the first one follows them. */
		val = rng_one_in(&im->rng, 2) ? at + 4 : get(im, at - 4);
		val = nearby(im, val + (BLOCK_SIZE << rng_below(&im->rng, 6)));
		break;
	default:
		val = nearby(im, any_offset(im) / 4) | CRAMFS_BLK_FLAG_DIRECT_PTR |
		      flags[rng_below(&im->rng, 2)];
	}
	put(im, at, val);
	if (val & CRAMFS_BLK_FLAGS && !rng_one_in(&im->rng, 8))
		put(im, im->base + FIELD(flags),
		    get(im, im->base + FIELD(flags)) | CRAMFS_FLAG_EXT_BLOCK_POINTERS);
}

static void change_super(struct image *im)
{
	static const __u32 fields[] = { FIELD(size), FIELD(flags), FIELD(flags), FIELD(future),
					FIELD(fsid.edition), FIELD(fsid.blocks),
					FIELD(fsid.files), FIELD(signature) };
	__u32 at = im->base + fields[rng_below(&im->rng, 8)], val = get(im, at);

	if (at == im->base + FIELD(flags))
		val ^= 1U << rng_below(&im->rng, 12);
	else
		val = rng_one_in(&im->rng, 2) ? nearby(im, val) : rng_odd(&im->rng, im->size);
	put(im, at, val);
}

static void change_name(struct image *im)
{
	static const char odd[] = "/\0.\\\x1b\x7f\xc2\x9b\xe2\x80\xae\xff\n%\"";
	__u32 inode = any_inode(im), len = get_field(im, inode, NAME_LEN) * 4, other;

	if (!len || inode + INODE_SIZE + len > im->size)
		return;
	if (rng_one_in(&im->rng, 3)) {
		other = any_inode(im);
		if (get_field(im, other, NAME_LEN) * 4 == len &&
		    other + INODE_SIZE + len <= im->size)
			memmove(im->data + inode + INODE_SIZE, im->data + other + INODE_SIZE, len);
		return;
	}
	im->data[inode + INODE_SIZE + rng_below(&im->rng, len)] =
		odd[rng_below(&im->rng, sizeof(odd) - 1)];
}

/* The length before a deflated block, or its first or last bytes. */
static void change_block(struct image *im)
{
	__u32 at = any_pointer(im), place, val;

	if (!at)
		return;
	val = get(im, at);
	place = offset_of_pointer(val);
	if (!(val & CRAMFS_BLK_FLAG_DIRECT_PTR))
		place -= rng_below(&im->rng, 8);
	else
		place += rng_below(&im->rng, 8);
	if (place >= im->size)
		return;
	if (rng_one_in(&im->rng, 2))
		im->data[place] += rng_one_in(&im->rng, 2) ? 1 : -1;
	else
		im->data[place] = rng_next(&im->rng);
}

/* A new block at the end that inflates to about what it has to, and a pointer to it. */
static void append_block(struct image *im, size_t max)
{
	static const int steps[] = { 0, 0, 0, 1, -1, 100 };
	unsigned char plain[BLOCK_SIZE + 100] = { 1, 2, 3 };
	__u32 at = any_pointer(im), from = align_up(im->size, 4);
	uLongf len = 1024;
	__u32 want;

	if (!at || from + 2 + len > max)
		return;
	want = get_field(im, any_inode(im), SIZE) % BLOCK_SIZE;
	if (rng_one_in(&im->rng, 2))
		want = BLOCK_SIZE;
	want += steps[rng_below(&im->rng, 6)];
	if (want > sizeof(plain))
		want = 1;
	if (compress2(im->data + from + 2, &len, plain, want, 9) != Z_OK)
		return;
	memset(im->data + im->size, 0, from - im->size);
	put_u16(im->data + from, len, im->big_endian);
	im->size = from + 2 + len;
	put(im, at, from >> CRAMFS_BLK_DIRECT_PTR_SHIFT | CRAMFS_BLK_FLAG_DIRECT_PTR);
	put(im, im->base + FIELD(flags),
	    get(im, im->base + FIELD(flags)) | CRAMFS_FLAG_EXT_BLOCK_POINTERS |
	    CRAMFS_FLAG_FSID_VERSION_2);
}

static void resize(struct image *im, size_t max)
{
	__u32 size = nearby(im, rng_one_in(&im->rng, 2) ? im->size : any_offset(im));

	if (size < im->base + SUPER_SIZE || size > max)
		return;
	if (size > im->size)
		memset(im->data + im->size, 0, size - im->size);
	im->size = size;
}

/* The number of pointers, each table counted once. */
static __u32 count_pointers(const struct image *im)
{
	unsigned int i, k;
	__u32 nr = 0;

	for (i = 0; i < im->nr; i++) {
		__u32 offset = get_field(im, im->at[i], OFFSET);

		if (!has_pointers(im, im->at[i]))
			continue;
		for (k = 0; k < i; k++)
			if (has_pointers(im, im->at[k]) &&
			    get_field(im, im->at[k], OFFSET) == offset)
				break;
		if (k == i)
			nr += blocks_of(im, im->at[i]);
	}
	return nr;
}

/* What must be right, or nothing else is looked at. */
static void repair(struct image *im)
{
	__u32 at = im->base;

	if (!parse(im, im->data, im->size))
		return;
	if (!rng_one_in(&im->rng, 4)) {
		put(im, at + FIELD(fsid.files), im->nr);
		put(im, at + FIELD(fsid.blocks), count_pointers(im));
	}
	if (!rng_one_in(&im->rng, 8) || get(im, at + FIELD(size)) > im->size)
		put(im, at + FIELD(size), im->size);
	if (get(im, at + FIELD(size)) < at + SUPER_SIZE)
		return;
	put(im, at + FIELD(fsid.crc), 0);
	put(im, at + FIELD(fsid.crc),
	    libdeflate_crc32(0, im->data + at, get(im, at + FIELD(size)) - at));
}

static void change(struct image *im, size_t max)
{
	switch (rng_below(&im->rng, 14)) {
	case 0 ... 3:
		change_inode(im);
		break;
	case 4 ... 7:
		change_pointer(im);
		break;
	case 8:
		change_super(im);
		break;
	case 9:
		change_name(im);
		break;
	case 10:
		change_block(im);
		break;
	case 11:
		share_data(im);
		break;
	case 12:
		append_block(im, max);
		break;
	default:
		resize(im, max);
	}
}

/**
 * LLVMFuzzerCustomMutator() - change an image
 * @data: the image; changed
 * @size: its length
 * @max: what there is room for
 * @seed: for numbers by chance
 *
 * Return: the new length.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct image im = { .rng = { seed } };

	if (rng_one_in(&im.rng, 8))
		size = LLVMFuzzerMutate(data, size, max);
	if (!parse(&im, data, size) || max > ~0U)
		return LLVMFuzzerMutate(data, size, max);
	do {
		change(&im, max);
	} while (rng_one_in(&im.rng, 2) && parse(&im, data, im.size));
	if (!rng_one_in(&im.rng, 16))
		repair(&im);
	return im.size;
}
