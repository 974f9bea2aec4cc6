// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of archives. libarchive, which knows the formats, is not searched but used:
 * what matters is what is made of that which it returns. So changes are mostly such as leave a tar
 * archive one, by headers with a right sum, and by extended headers.
 *
 * The last byte of the input says which options there are, the rest is the archive.
 */
#include "../mkcramfs.h"
#include "run.h"

#define BLOCK		512U
#define MOST_HEADERS	64
/* Every so many images are made again. */
#define TWICE		8

/* The fields of a header that are read. */
#define NAME		0U
#define NAME_LEN	100U
#define MODE		100U
#define UID		108U
#define GID		116U
#define SIZE		124U
#define SUM		148U
#define TYPE		156U
#define LINK		157U
#define MAJOR		329U
#define MINOR		337U
#define PREFIX		345U

/* Some formats say how much memory they need, and libarchive believes them; it takes a refusal. */
const char target_asan_options[] =
	ASAN_OPTIONS ":max_allocation_size_mb=256:allocator_may_return_null=1";

void target_init(void)
{
}

static void add_options(const char **options, unsigned int which)
{
	static const char *const more[] = { "--last-wins", "--squash-ids", "-X", "--truncate-files",
					    "--skip-unrepresentable", "-U", "-B" };
	unsigned int i;

	for (i = 0; i < 7; i++)
		if (which & 1 << i)
			*options++ = more[i];
	if (which & 0x80) {
		*options++ = "--exclude";
		*options++ = "dir/**/f*";
	}
	*options++ = "--tar";
	*options = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *options[16];
	__u32 crc;

	if (!size)
		return 0;
	size--;
	add_options(options, data[size]);
	box_write("archive", data, size);
	if (make_image(box_path("archive"), options))
		return 0;
	image_must_be_good();
	if (size / BLOCK % TWICE)
		return 0;
	crc = image_crc();
	if (make_image(box_path("archive"), options) || image_crc() != crc)
		finding("another image of the same archive is not the same");
	return 0;
}

struct tar {
	unsigned char *data;
	size_t size, max;
	/* headers, by the sizes that they give */
	size_t at[MOST_HEADERS];
	unsigned int nr;
	struct rng rng;
};

static __u64 size_of(const unsigned char *header)
{
	__u64 size = 0;
	unsigned int i;

	for (i = SIZE; i < SIZE + 11 && header[i] >= '0' && header[i] <= '7'; i++)
		size = size * 8 + header[i] - '0';
	return size;
}

static void find_headers(struct tar *t)
{
	size_t pos = 0;

	t->nr = 0;
	while (pos + BLOCK <= t->size && t->data[pos] && t->nr < MOST_HEADERS) {
		unsigned char type = t->data[pos + TYPE];

		t->at[t->nr++] = pos;
		pos += BLOCK;
		/* These have no contents, whatever their size. */
		if (type < '1' || type > '6')
			pos += align_up(size_of(t->data + pos - BLOCK), BLOCK);
	}
}

static void put_octal(unsigned char *field, unsigned int len, __u64 val)
{
	while (len--) {
		field[len] = '0' + val % 8;
		val /= 8;
	}
}

static void put_sum(unsigned char *header)
{
	unsigned int i, sum = 0;

	memset(header + SUM, ' ', 8);
	for (i = 0; i < BLOCK; i++)
		sum += header[i];
	put_octal(header + SUM, 6, sum);
	header[SUM + 6] = '\0';
}

static unsigned char *any_header(struct tar *t)
{
	return t->data + t->at[rng_below(&t->rng, t->nr)];
}

/* A path that is one of another entry, or goes astray. */
static void put_path(struct tar *t, unsigned char *field)
{
	static const char *const odd[] = { "../x", "dir/../../x", "/dir/file", "./", "", "dir",
					   "dir/file", "dir/file/x", "dir/soft/x", "/", "//a//b/",
					   ".", "dir/.", "\xff\xfe", "a\nb", "dir/hard", "f" };
	const char *path = odd[rng_below(&t->rng, sizeof(odd) / sizeof(*odd))];

	if (rng_one_in(&t->rng, 2)) {
		memmove(field, any_header(t) + (rng_one_in(&t->rng, 2) ? NAME : LINK), NAME_LEN);
	} else {
		memset(field, 0, NAME_LEN);
		memcpy(field, path, strlen(path));
	}
}

static void change_number(struct tar *t, unsigned char *header)
{
	static const unsigned char fields[] = { UID, GID, MODE, SIZE, SIZE };
	unsigned int which = rng_below(&t->rng, 7);
	unsigned int at = which < 5 ? fields[which] : which == 5 ? MAJOR : MINOR;

	if (at == SIZE)
		put_octal(header + SIZE, 11, rng_one_in(&t->rng, 2) ? rng_below(&t->rng, 2000) :
			  rng_odd(&t->rng, t->size) & 0x1ffffffffULL);
	else
		put_octal(header + at, 7, rng_one_in(&t->rng, 2) ? rng_below(&t->rng, 300) :
			  rng_next(&t->rng) & 0x1fffff);
	/* A negative one, or one that is larger than there are digits for. */
	if (rng_one_in(&t->rng, 8))
		header[at] = rng_one_in(&t->rng, 2) ? 0x80 : 0xff;
}

static void change_header(struct tar *t)
{
	static const char types[] = "0123456701256xgLKSDVM";
	unsigned char *header = any_header(t);

	switch (rng_below(&t->rng, 6)) {
	case 0:
		header[TYPE] = types[rng_below(&t->rng, sizeof(types))];
		break;
	case 1:
		put_path(t, header + NAME);
		break;
	case 2:
		put_path(t, header + LINK);
		break;
	case 3:
		header[PREFIX] = rng_one_in(&t->rng, 2) ? 'd' : 0;
		break;
	default:
		change_number(t, header);
	}
}

/* An extended header before another one, with a few records. */
static size_t make_records(struct tar *t, char *out, size_t room)
{
	static const char *const keys[] = {
		"path", "linkpath", "size", "uid", "gid", "hdrcharset", "GNU.sparse.major",
		"GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.realsize", "GNU.sparse.size",
		"GNU.sparse.numblocks", "GNU.sparse.offset", "GNU.sparse.numbytes",
		"GNU.sparse.map", "SCHILY.devmajor", "SCHILY.devminor", "SCHILY.realsize",
		"SCHILY.acl.access", "SCHILY.xattr.security.capability", "SCHILY.xattr.user.x",
		"LIBARCHIVE.symlinktype"
	};
	static const char *const values[] = {
		"dir/file", "../x", "0", "1", "600", "4096", "16777215", "16777216", "-1",
		"4294967296", "9223372036854775807", "18446744073709551615", "BINARY",
		"0,1,600,10", "600,0", "u::rwx,g::r-x,m::r--,o::---,u:1:rwx", "", "n\xcc\x81"
	};
	unsigned int n = 1 + rng_below(&t->rng, 4);
	size_t len = 0;

	while (n--) {
		const char *key = keys[rng_below(&t->rng, sizeof(keys) / sizeof(*keys))];
		const char *val = values[rng_below(&t->rng, sizeof(values) / sizeof(*values))];
		unsigned int record = strlen(key) + strlen(val) + 3 + 2;

		/* The length counts its own digits, two or three of them. */
		record += record > 99;
		if (rng_one_in(&t->rng, 32))
			record += rng_below(&t->rng, 3) - 1;
		len += snprintf(out + len, room - len, "%u %s=%s\n", record, key, val);
	}
	return len;
}

static void insert(struct tar *t, size_t pos, size_t len)
{
	memmove(t->data + pos + len, t->data + pos, t->size - pos);
	memset(t->data + pos, 0, len);
	t->size += len;
}

static void add_extended_header(struct tar *t)
{
	size_t pos = t->at[rng_below(&t->rng, t->nr)], len;
	char records[BLOCK];

	if (t->size + 2 * BLOCK > t->max)
		return;
	len = make_records(t, records, sizeof(records));
	insert(t, pos, 2 * BLOCK);
	memcpy(t->data + pos, "x", 1);
	memcpy(t->data + pos + 257, "ustar\00000", 8);
	t->data[pos + TYPE] = rng_one_in(&t->rng, 8) ? 'g' : 'x';
	put_octal(t->data + pos + SIZE, 11, len);
	memcpy(t->data + pos + BLOCK, records, len < BLOCK ? len : BLOCK);
	put_sum(t->data + pos);
}

/* An entry once more, somewhere. */
static void repeat_entry(struct tar *t)
{
	size_t from = t->at[rng_below(&t->rng, t->nr)], to = t->at[rng_below(&t->rng, t->nr)];
	size_t len = BLOCK;
	unsigned char copy[4 * BLOCK];

	if (rng_one_in(&t->rng, 2))
		len += align_up(size_of(t->data + from), BLOCK);
	if (len > sizeof(copy) || from + len > t->size || t->size + len > t->max)
		return;
	memcpy(copy, t->data + from, len);
	insert(t, to, len);
	memcpy(t->data + to, copy, len);
}

static void change(struct tar *t)
{
	unsigned int i;

	switch (rng_below(&t->rng, 8)) {
	case 0:
		add_extended_header(t);
		break;
	case 1:
		repeat_entry(t);
		break;
	case 2:
		/* Cut off, or without its end mark. */
		if (rng_one_in(&t->rng, 4))
			t->size = rng_odd(&t->rng, t->size) % (t->size + 1);
		break;
	default:
		change_header(t);
	}
	find_headers(t);
	for (i = 0; i < t->nr; i++)
		put_sum(t->data + t->at[i]);
}

/**
 * LLVMFuzzerCustomMutator() - change an archive
 * @data: the archive, and a byte of options; changed
 * @size: length of both
 * @max: what there is room for
 * @seed: for numbers by chance
 *
 * Return: the new length.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct tar t = { .data = data, .size = size ? size - 1 : 0, .max = max - 1,
			 .rng = { seed } };
	unsigned char options = size ? data[size - 1] : 0;

	if (t.size < BLOCK || !data[0] || memcmp(data + 257, "ustar", 5) || rng_one_in(&t.rng, 8))
		return LLVMFuzzerMutate(data, size, max);
	find_headers(&t);
	do {
		change(&t);
	} while (t.nr && rng_one_in(&t.rng, 2));
	data[t.size] = rng_one_in(&t.rng, 8) ? rng_next(&t.rng) : options;
	return t.size + 1;
}
