// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done to an image. Most changes know what they change: a pointer gets a
 * value that a pointer may have trouble with, a size one that a size may. The
 * others know nothing. None cares what the driver makes of it.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fuzz.h"

/**
 * struct change - one image on its way
 * @image: the image
 * @corpus: others, to take parts from
 * @rng: decides
 * @fields: what the image had where in the beginning
 * @start: where the superblock was
 * @log: where to say what is done, or NULL
 */
struct change {
	struct image *image;
	const struct corpus *corpus;
	struct rng *rng;
	struct fields fields;
	__u32 start;
	FILE *log;
};

#define BIT(kind)	(1u << (kind))

static void __attribute__((format(printf, 2, 3))) say(struct change *c, const char *format, ...)
{
	va_list args;

	if (!c->log)
		return;
	va_start(args, format);
	vfprintf(c->log, format, args);
	va_end(args);
}

static __u32 below(struct change *c, __u32 limit)
{
	return rng_below(c->rng, limit);
}

static bool one_in(struct change *c, __u32 n)
{
	return rng_one_in(c->rng, n);
}

/* A little more or less. */
static __u32 near(struct change *c, __u32 value, __u32 step)
{
	return value + step * (below(c, 7) - 3);
}

static void set32(struct change *c, __u32 at, __u32 value, const char *what)
{
	if (at + 4 > ROOM)
		return;
	say(c, "%#x: %s %#x, was %#x\n", at, what, value, get32(c->image->data + at));
	put32(c->image->data + at, value);
	if (at + 4 > c->image->len)
		c->image->len = at + 4;
}

/* Make the image longer. Return: where the new bytes are, or 0. */
static __u32 append(struct change *c, __u32 align, __u32 len)
{
	__u32 at = (c->image->len + align - 1) / align * align;

	if (at + len > ROOM - PAGE)
		return 0;
	memset(c->image->data + c->image->len, 0, at - c->image->len);
	c->image->len = at + len;
	put32(c->image->data + c->start + 4, c->image->len);
	return at;
}

/* An offset that means something in the image, or nearly so. */
static __u32 some_offset(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, ~0u);
	__u32 len = c->image->len;

	switch (below(c, 8)) {
	case 0:
		return near(c, len, 4);
	case 1:
		return near(c, len - PAGE, 4);
	case 2:
		return below(c, len);
	case 3:
		return below(c, len / PAGE + 2) * PAGE;
	case 4:
		return near(c, c->start + SUPER_LEN, 4);
	case 5:
		return get32(c->image->data + c->start + 4);
	default:
		return field ? near(c, field->at + (one_in(c, 2) ? field->len : 0), 2) : 0;
	}
}

static __u32 some_size(struct change *c, __u32 now)
{
	static const __u32 sizes[] = {
		0, 1, 2, 3, 4, 11, 12, 13, 16, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE,
		8 * PAGE, 0x10000, 0x7fffff, 0x800000, MAX_FILE - PAGE + 1, MAX_FILE - 1, MAX_FILE,
	};

	switch (below(c, 5)) {
	case 0:
		return sizes[below(c, ARRAY_SIZE(sizes))];
	case 1:
		return near(c, now, 1);
	case 2:
		return near(c, now, 4);
	case 3:
		return near(c, now, PAGE);
	default:
		return below(c, 2 * now + 2);
	}
}

/* Pointers ------------------------------------------------------------------------ */

static __u32 some_pointer(struct change *c, __u32 now)
{
	__u32 flags = below(c, 4) << 30, offset = some_offset(c);

	if (one_in(c, 3))
		flags = now & CRAMFS_BLK_FLAGS;
	switch (below(c, 6)) {
	case 0:
		return near(c, now, 1);
	case 1:
		return near(c, now, PAGE);
	case 2:
		return now ^ 1u << below(c, 32);
	case 3:
		return flags | (one_in(c, 2) ? 0x3fffffff : below(c, 1u << 30));
	default:
		if (flags & CRAMFS_BLK_FLAG_DIRECT_PTR)
			offset >>= CRAMFS_BLK_DIRECT_PTR_SHIFT;
		return flags | (offset & ~CRAMFS_BLK_FLAGS);
	}
}

static void change_pointer(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_POINTER));

	if (field)
		set32(c, field->at, some_pointer(c, get32(c->image->data + field->at)), "pointer");
}

static void copy_pointer(struct change *c)
{
	const struct field *from = fields_pick(&c->fields, c->rng, BIT(FIELD_POINTER));
	const struct field *to = fields_pick(&c->fields, c->rng, BIT(FIELD_POINTER));
	__u32 was;

	if (!from)
		return;
	was = get32(c->image->data + to->at);
	set32(c, to->at, get32(c->image->data + from->at), "another's pointer");
	if (one_in(c, 2))
		set32(c, from->at, was, "pointer, exchanged");
}

/* Have a pointer be a direct one, which takes a flag in the superblock. */
static void point_to(struct change *c, const struct field *pointer, __u32 at, __u32 flags)
{
	unsigned char *super = c->image->data + c->start + 8;

	set32(c, pointer->at, flags | CRAMFS_BLK_FLAG_DIRECT_PTR |
	      at >> CRAMFS_BLK_DIRECT_PTR_SHIFT, "pointer to what is new");
	put32(super, get32(super) | CRAMFS_FLAG_EXT_BLOCK_POINTERS);
}

/* A page, whose rest may be of somebody else. */
static void add_stored_block(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_POINTER));
	__u32 at = append(c, one_in(c, 4) ? 4 : PAGE, one_in(c, 3) ? PAGE - 4 : PAGE);

	if (!field || !at)
		return;
	for (__u32 i = at; i < c->image->len; i += 4)
		put32(c->image->data + i, rng_next(c->rng) | 1);
	if (one_in(c, 2))
		memset(c->image->data + at + PAGE / 2, 0, c->image->len - at - PAGE / 2);
	point_to(c, field, at, CRAMFS_BLK_FLAG_UNCOMPRESSED);
}

/* Deflated blocks ----------------------------------------------------------------- */

static void change_length(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_LENGTH));
	static const __u16 lengths[] = { 0, 1, 2, 6, PAGE, 2 * PAGE, 2 * PAGE + 1, 0xffff };
	__u16 len;

	if (!field)
		return;
	len = c->image->data[field->at] | c->image->data[field->at + 1] << 8;
	len = one_in(c, 2) ? near(c, len, 1) : lengths[below(c, ARRAY_SIZE(lengths))];
	say(c, "%#x: length %u\n", field->at, len);
	c->image->data[field->at] = len;
	c->image->data[field->at + 1] = len >> 8;
}

static void damage_stream(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_STREAM));
	__u32 at;

	if (!field)
		return;
	/* What matters most is in front and, as a checksum, at the end. */
	switch (below(c, 3)) {
	case 0:
		at = below(c, min_u32(field->len, 12));
		break;
	case 1:
		at = field->len - 1 - below(c, min_u32(field->len, 5));
		break;
	default:
		at = below(c, field->len);
	}
	at += field->at;
	if (at >= ROOM)
		return;
	say(c, "%#x: bits in a stream\n", at);
	c->image->data[at] ^= 1 + below(c, 255);
}

/* A stream of another length than the block has, or of some odd kind. */
static void add_stream(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_POINTER));
	static unsigned char raw[32 * PAGE], packed[3 * PAGE];
	static const __u32 lengths[] = {
		0, 1, PAGE - 1, PAGE, PAGE, PAGE, PAGE + 1, 2 * PAGE, sizeof(raw)
	};
	uLong len = sizeof(packed), raw_len = lengths[below(c, ARRAY_SIZE(lengths))];
	__u32 at, extra = one_in(c, 3) ? below(c, 9) : 0;

	if (!field)
		return;
	memset(raw, 0, sizeof(raw));
	for (__u32 i = 0; i < raw_len && raw_len <= PAGE; i += 1 + below(c, 40))
		raw[i] = rng_next(c->rng);
	if (compress2(packed, &len, raw, raw_len, below(c, 10)) != Z_OK)
		return;
	/* Too much after it, or something missing, or a dictionary that nobody has. */
	if (one_in(c, 6))
		len -= below(c, len);
	if (one_in(c, 8))
		packed[1] = 0x20 | (packed[1] & 0xc0);
	at = append(c, 4, 2 + len + extra);
	if (!at)
		return;
	memset(c->image->data + at, 0x5a, 2 + len + extra);
	memcpy(c->image->data + at + 2, packed, len);
	len += extra;
	c->image->data[at] = len;
	c->image->data[at + 1] = len >> 8;
	say(c, "%#x: stream of %lu bytes for %lu, %u too many\n", at, len, raw_len, extra);
	point_to(c, field, at, 0);
}

/* Inodes and names ---------------------------------------------------------------- */

static __u32 some_mode(struct change *c, __u32 now)
{
	static const __u32 types[] = {
		S_IFREG, S_IFREG, S_IFDIR, S_IFDIR, S_IFLNK, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO,
		S_IFSOCK, 0, 0x3000, 0xf000,
	};

	if (one_in(c, 4))
		return now ^ 1u << below(c, 16);
	return (now & 07777) | types[below(c, ARRAY_SIZE(types))];
}

static void change_inode(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_INODE));
	struct disk_inode inode;

	if (!field)
		return;
	get_inode(c->image->data + field->at, &inode);
	switch (below(c, 9)) {
	case 0 ... 2:
		inode.size = some_size(c, inode.size);
		break;
	case 3 ... 5:
		inode.offset = some_offset(c);
		break;
	case 6:
		inode.mode = some_mode(c, inode.mode);
		break;
	case 7:
		inode.name_len = near(c, inode.name_len, 4);
		break;
	default:
		inode.uid = rng_next(c->rng);
		inode.gid = inode.uid >> 8 & 0xff;
	}
	say(c, "%#x: inode: mode %#o size %u name %u data %#x\n", field->at, inode.mode,
	    inode.size, inode.name_len, inode.offset);
	put_inode(c->image->data + field->at, &inode);
}

/* Data in two places, directories in themselves, one's data with another's mode. */
static void copy_inode(struct change *c)
{
	const struct field *from = fields_pick(&c->fields, c->rng, BIT(FIELD_INODE));
	const struct field *to = fields_pick(&c->fields, c->rng, BIT(FIELD_INODE));
	struct disk_inode source, inode;
	__u32 what;

	if (!from)
		return;
	get_inode(c->image->data + from->at, &source);
	get_inode(c->image->data + to->at, &inode);
	what = one_in(c, 2) ? 7 : below(c, 8);
	if (what & 1)
		inode.offset = source.offset;
	if (what & 2)
		inode.size = source.size;
	if (what & 4)
		inode.mode = source.mode;
	say(c, "%#x: inode of %#x\n", to->at, from->at);
	put_inode(c->image->data + to->at, &inode);
}

static void change_name(struct change *c)
{
	const struct field *field = fields_pick(&c->fields, c->rng, BIT(FIELD_NAME));
	const struct field *other = fields_pick(&c->fields, c->rng, BIT(FIELD_NAME));
	unsigned char *name;

	if (!field || !field->len || field->at + field->len > ROOM)
		return;
	name = c->image->data + field->at;
	say(c, "%#x: name\n", field->at);
	switch (below(c, 5)) {
	case 0:
		name[below(c, field->len)] = '/';
		break;
	case 1:
		name[below(c, field->len)] = 0;
		break;
	case 2:
		memset(name, 0, field->len);
		memset(name, '.', 1 + below(c, 3));
		break;
	case 3:
		memset(name, 0, field->len);
		memmove(name, c->image->data + other->at, min_u32(field->len, other->len));
		break;
	default:
		for (__u32 i = 0; i < field->len; i++)
			name[i] = rng_next(c->rng);
	}
}

/* The superblock ------------------------------------------------------------------ */

static void change_size_of_image(struct change *c)
{
	__u32 at = c->start + 4, now = get32(c->image->data + at);
	static const __u32 sizes[] = { 0, 1, SUPER_LEN, PAGE, ROOM, ROOM + 1, ~0u, ~0u - PAGE };

	if (one_in(c, 4))
		now = sizes[below(c, ARRAY_SIZE(sizes))];
	else if (one_in(c, 2))
		now = some_offset(c);
	else
		now = near(c, now, one_in(c, 2) ? 1 : PAGE);
	set32(c, at, now, "size of the image");
}

static void change_flags(struct change *c)
{
	__u32 at = c->start + 8, bit = one_in(c, 8) ? below(c, 32) : below(c, 12);

	set32(c, at, get32(c->image->data + at) ^ 1u << bit, "flags");
}

static void change_super(struct change *c)
{
	__u32 at = c->start + below(c, SUPER_LEN / 4) * 4;

	set32(c, at, get32(c->image->data + at) ^ 1u << below(c, 32), "superblock");
}

/* Blindly ------------------------------------------------------------------------- */

static void change_bits(struct change *c)
{
	for (__u32 n = 1 + below(c, 4); n--;) {
		__u32 at = below(c, c->image->len);

		say(c, "%#x: bits\n", at);
		c->image->data[at] ^= one_in(c, 2) ? 1u << below(c, 8) : 1 + below(c, 255);
	}
}

static void change_word(struct change *c)
{
	static const __u32 values[] = {
		0, 1, 0xff, PAGE, 0xffff, 0xffffff, 0x3fffffff, 0x40000000, 0x7fffffff,
		0x80000000, 0xbfffffff, 0xc0000000, 0xfffff000, 0xffffffff,
	};
	__u32 at = below(c, c->image->len) & ~3u;

	set32(c, at, one_in(c, 2) ? values[below(c, ARRAY_SIZE(values))] :
	      near(c, get32(c->image->data + at), 1), "word");
}

/* A part of this image or of another one, in another place or in the same one. */
static void copy_part(struct change *c)
{
	const struct seed *other = &c->corpus->seeds[below(c, c->corpus->nr)];
	const unsigned char *from = c->image->data;
	__u32 from_len = c->image->len, len, source, target;

	if (one_in(c, 2)) {
		from = other->data;
		from_len = other->len;
	}
	len = 1 + below(c, one_in(c, 3) ? 2 * PAGE : 64);
	len = min_u32(len, min_u32(from_len, c->image->len));
	source = below(c, from_len - len + 1);
	target = below(c, c->image->len - len + 1);
	if (!one_in(c, 4)) {
		source &= ~3u;
		target &= ~3u;
	}
	if (one_in(c, 4))
		target = min_u32(source, c->image->len - len);
	say(c, "%#x: %u bytes of %s, %#x\n", target, len, from == other->data ? other->name :
	    "the same", source);
	memmove(c->image->data + target, from + source, len);
}

static void clear_part(struct change *c)
{
	__u32 len = min_u32(1 + below(c, one_in(c, 3) ? PAGE : 64), c->image->len);
	__u32 at = below(c, c->image->len - len + 1);

	say(c, "%#x: %u bytes cleared\n", at, len);
	memset(c->image->data + at, one_in(c, 3) ? 0xff : 0, len);
}

static void shift_part(struct change *c)
{
	__u32 len = 1 + below(c, 4), at = below(c, c->image->len);
	unsigned char *data = c->image->data;

	if (one_in(c, 2))
		len *= 4;
	if (c->image->len + len > ROOM - PAGE)
		return;
	say(c, "%#x: %u bytes inserted\n", at, len);
	memmove(data + at + len, data + at, c->image->len - at);
	c->image->len += len;
}

static void cut_off(struct change *c)
{
	__u32 len = one_in(c, 2) ? some_offset(c) : 1 + below(c, c->image->len);

	if (!len || len > c->image->len)
		return;
	say(c, "cut off at %#x\n", len);
	c->image->len = len;
	if (!one_in(c, 4) && len >= c->start + SUPER_LEN)
		put32(c->image->data + c->start + 4, len);
}

static const struct {
	void (*change)(struct change *c);
	unsigned int weight;
} changes[] = {
	{ change_pointer, 14 }, { copy_pointer, 5 }, { add_stored_block, 6 },
	{ change_length, 4 }, { damage_stream, 6 }, { add_stream, 8 },
	{ change_inode, 20 }, { copy_inode, 8 }, { change_name, 5 },
	{ change_size_of_image, 3 }, { change_flags, 2 }, { change_super, 1 },
	{ change_bits, 6 }, { change_word, 6 }, { copy_part, 6 }, { clear_part, 3 },
	{ shift_part, 1 }, { cut_off, 2 },
};

static void change_once(struct change *c)
{
	unsigned int all = 0, n, i;

	for (i = 0; i < ARRAY_SIZE(changes); i++)
		all += changes[i].weight;
	n = below(c, all);
	for (i = 0; n >= changes[i].weight; i++)
		n -= changes[i].weight;
	changes[i].change(c);
}

/* The checksum as it should be, so that it is not what an image is refused for. */
static void seal(struct change *c)
{
	unsigned char *data = c->image->data + c->start;
	__u32 len = get32(data + 4);

	if (len < c->start + SUPER_LEN || len > ROOM)
		return;
	/* Boot code in front is a part of the size, but not of the checksum. */
	len -= c->start;
	put32(data + CRC_AT, 0);
	put32(data + CRC_AT, crc32(0, data, len));
	say(c, "checksum mended\n");
}

/**
 * mutate() - change an image
 * @image: the image
 * @corpus: others to take parts of
 * @rng: decides what to do
 * @log: where to say what was done, or NULL
 */
void mutate(struct image *image, const struct corpus *corpus, struct rng *rng, FILE *log)
{
	static struct change change;
	struct change *c = &change;
	struct view view;

	c->image = image;
	c->corpus = corpus;
	c->rng = rng;
	c->log = log;
	fields_find(&c->fields, image->data, image->len);
	c->start = view_open(&view, image->data, image->len) ? view.start : 0;

	/* Mostly few: what is refused at once hides what comes after it. */
	do
		change_once(c);
	while (!one_in(c, 3));

	/* After the end, there is nothing that any image has. */
	image_poison(image, image->len);
	if (!one_in(c, 3))
		seal(c);
}
