// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: their block pointers and blocks. Block pointers are decoded here and nowhere else, and in
 * the same way as by the driver (fs/cramfs/block.c).
 *
 * To check them, all are decoded once. Of what would overlap, one is reported and left out, so that
 * no byte is looked at twice, however often it is pointed at: blocks may be shared, but only as
 * they are.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "fsck.h"

/* The kernel refuses a deflated block that is longer than this many times its page. */
#define MOST_DEFLATED	2U
#define DIRECT_HEADER	2U

/* How many files are asked for the block size. */
#define NR_GUESSES	64U

/* The block pointers of one file, decoded from the image's byte order. */
struct table {
	struct reader *rd;
	__u32 offset;
	__u32 size;
	__u32 nr;
	__u32 *ptr;
};

static __u32 count_blocks(const struct reader *rd, __u32 size)
{
	return align_up(size, rd->block_size) / rd->block_size;
}

/* Return: false if not all of the table is part of the image. */
static bool table_load(struct table *t, struct reader *rd, __u32 offset, __u32 size)
{
	__u32 i;

	t->rd = rd;
	t->offset = offset;
	t->size = size;
	t->nr = count_blocks(rd, size);
	t->ptr = NULL;
	if (!reader_has(rd, offset, t->nr * sizeof(__u32)))
		return false;
	t->ptr = xgrow(NULL, t->nr * sizeof(__u32));
	reader_read(rd, offset, t->ptr, t->nr * sizeof(__u32));
	for (i = 0; i < t->nr; i++)
		t->ptr[i] = get_u32((unsigned char *)&t->ptr[i], rd->big_endian);
	return true;
}

static __u64 direct_offset(__u32 ptr)
{
	return (__u64)(ptr & ~CRAMFS_BLK_FLAGS) << CRAMFS_BLK_DIRECT_PTR_SHIFT;
}

/* Return: what is wrong, or NULL and the length of the deflated block at @offset. */
static const char *read_direct_len(struct reader *rd, __u64 offset, __u32 *len)
{
	unsigned char raw[DIRECT_HEADER];

	if (!reader_has(rd, offset, DIRECT_HEADER))
		return "past the end of the image";
	reader_read(rd, offset, raw, DIRECT_HEADER);
	*len = get_u16(raw, rd->big_endian);
	return NULL;
}

/* Where a block begins that does not say so itself. */
static const char *block_start(const struct table *t, __u32 index, __u64 *start)
{
	const char *bad;
	__u32 prev, len;

	if (!index) {
		*start = t->offset + t->nr * sizeof(__u32);
		return NULL;
	}
	prev = t->ptr[index - 1];
	if (!(prev & CRAMFS_BLK_FLAG_DIRECT_PTR)) {
		*start = prev & ~CRAMFS_BLK_FLAGS;
		return NULL;
	}
	*start = direct_offset(prev);
	if (prev & CRAMFS_BLK_FLAG_UNCOMPRESSED) {
		*start += t->rd->block_size;
		return NULL;
	}
	bad = read_direct_len(t->rd, *start, &len);
	if (bad)
		return bad;
	*start += DIRECT_HEADER + len;
	return NULL;
}

/* Return: what is wrong with block @index, or NULL and the block. */
static const char *block_decode(const struct table *t, __u32 index, struct block *block)
{
	__u32 ptr = t->ptr[index], block_size = t->rd->block_size;
	bool stored = ptr & CRAMFS_BLK_FLAG_UNCOMPRESSED;
	const char *bad = NULL;
	__u64 start, end;

	if (ptr & CRAMFS_BLK_FLAGS && !(t->rd->flags & CRAMFS_FLAG_EXT_BLOCK_POINTERS))
		return "extended pointer, or past the end of the image";

	block->direct = ptr & CRAMFS_BLK_FLAG_DIRECT_PTR;
	block->want = t->size - index * block_size;
	if (block->want > block_size)
		block->want = block_size;

	if (!block->direct) {
		bad = block_start(t, index, &start);
		end = ptr & ~CRAMFS_BLK_FLAGS;
		if (!bad && end < start)
			bad = "ends before it begins";
		block->len = end - start;
	} else if (stored) {
		start = direct_offset(ptr);
		block->len = block->want;
	} else {
		start = direct_offset(ptr);
		bad = read_direct_len(t->rd, start, &block->len);
		start += DIRECT_HEADER;
	}
	if (bad)
		return bad;

	block->start = start;
	block->kind = !block->len ? BLOCK_HOLE : stored ? BLOCK_STORED : BLOCK_DEFLATED;
	if (block->kind == BLOCK_HOLE)
		return NULL;
	if (block->kind == BLOCK_DEFLATED && block->len > MOST_DEFLATED * block_size)
		return "compressed block is too long";
	if (block->kind == BLOCK_STORED && block->len != block->want)
		return block->len < block->want ? "stored block is too short" :
						  "stored block is too long";
	if (!reader_has(t->rd, start, block->len))
		return "past the end of the image";
	return NULL;
}

/*
 * Inflate @len bytes to just @want ones. Return: what is wrong, or NULL. This is the decoder that
 * the kernel's comes from; others are content with streams that it refuses.
 */
static const char *inflate_block(const unsigned char *in, size_t len, unsigned char *out,
				 size_t want)
{
	static z_stream stream;
	int ret;

	if (!stream.state && inflateInit(&stream) != Z_OK)
		die("out of memory");
	inflateReset(&stream);
	stream.next_in = (unsigned char *)in;
	stream.avail_in = len;
	stream.next_out = out;
	stream.avail_out = want;
	ret = inflate(&stream, Z_FINISH);

	if (ret == Z_BUF_ERROR && stream.avail_in && !stream.avail_out)
		return "compressed data are more than their part of the file";
	if (ret != Z_STREAM_END)
		return "compressed data are damaged";
	if (stream.avail_in)
		return "compressed data end before the block";
	return stream.avail_out ? "compressed data are less than their part of the file" : NULL;
}

/*
 * Read @len bytes at @start, of a block of @kind that is part of the image, and make @want bytes of
 * a file of them. Return: what is wrong, or NULL. @data is valid until the next call.
 */
static const char *block_read(struct reader *rd, enum block_kind kind, __u32 start, __u32 len,
			      __u32 want, const unsigned char **data)
{
	static unsigned char in[MOST_DEFLATED * MAX_BLOCK_SIZE], out[MAX_BLOCK_SIZE];

	reader_read(rd, start, in, len);
	*data = kind == BLOCK_STORED ? in : out;
	return kind == BLOCK_STORED ? NULL : inflate_block(in, len, out, want);
}

/**
 * file_read() - read the contents of a file, or the target of a symbolic link
 * @rd: the image
 * @inode: the file
 * @fn: gets one block after the other; a hole as NULL
 * @ctx: for @fn
 *
 * Return: NULL, or what is wrong with the file; @fn has been given what is before that.
 */
const char *file_read(struct reader *rd, const struct inode *inode, block_fn fn, void *ctx)
{
	const unsigned char *data;
	const char *bad = NULL;
	struct block block;
	struct table t;
	__u32 i;

	if (!inode->size)
		return NULL;
	if (!inode->offset)
		return "has a size but no data";
	if (!table_load(&t, rd, inode->offset, inode->size))
		return "block pointers past the end of the image";
	for (i = 0; i < t.nr; i++) {
		bad = block_decode(&t, i, &block);
		if (bad)
			break;
		data = NULL;
		if (block.kind != BLOCK_HOLE)
			bad = block_read(rd, block.kind, block.start, block.len, block.want, &data);
		if (bad)
			break;
		fn(ctx, data, block.want);
	}
	free(t.ptr);
	return bad;
}

static __u64 count_all_blocks(const struct catalog *cat)
{
	const struct file *f, *end = cat->files + cat->nr_files;
	__u64 nr = 0;

	for (f = cat->files; f < end; f++)
		if (f == cat->files || f->word != f[-1].word)
			nr += count_blocks(cat->rd, f->size);
	return nr;
}

static void ignore_block(void *ctx, const unsigned char *data, __u32 len)
{
	(void)ctx;
	(void)data;
	(void)len;
}

/* Those of the @possible block sizes, a set of bits, in which @fits says that all is well. */
static __u32 sizes_that_fit(const struct catalog *cat, __u32 possible,
			    bool (*fits)(const struct catalog *cat, const struct file *f),
			    const struct file *f)
{
	struct reader *rd = cat->rd;
	__u32 fit = 0;

	for (rd->block_size = BLOCK_SIZE; rd->block_size <= MAX_BLOCK_SIZE; rd->block_size *= 2)
		if (possible & rd->block_size && fits(cat, f))
			fit |= rd->block_size;
	/* Damaged images and files are not believed. */
	return fit ? fit : possible;
}

static bool has_count(const struct catalog *cat, const struct file *f)
{
	(void)f;
	return count_all_blocks(cat) == cat->rd->nr_blocks;
}

static bool can_be_read(const struct catalog *cat, const struct file *f)
{
	struct inode inode = { .size = f->size, .offset = f->word * 4 };

	return !file_read(cat->rd, &inode, ignore_block, NULL);
}

/**
 * blocks_find_size() - find out the block size of an image
 * @cat: the catalogue
 *
 * The image does not say it, but as a rule how many blocks there are. Otherwise, files can be read
 * only with the right one, unless it is all the same to them.
 *
 * Return: the block size in bytes, the lowest possible one; or 0 if any will do.
 */
__u32 blocks_find_size(const struct catalog *cat)
{
	const __u32 all = 2 * MAX_BLOCK_SIZE - BLOCK_SIZE;
	__u32 possible = all;
	unsigned int asked = 0;
	size_t i;

	if (cat->rd->flags & CRAMFS_FLAG_FSID_VERSION_2)
		possible = sizes_that_fit(cat, all, has_count, NULL);
	for (i = 0; i < cat->nr_files && possible & (possible - 1) && asked < NR_GUESSES; i++) {
		if (cat->files[i].size <= BLOCK_SIZE)
			continue;
		asked++;
		possible = sizes_that_fit(cat, possible, can_be_read, &cat->files[i]);
	}
	return possible == all ? 0 : possible & -possible;
}

static const char *difference(const struct file *a, const struct file *b)
{
	if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
		return "shares the data, but not the type, of";
	if (a->mode != b->mode)
		return "shares the data, but not the permissions, of";
	if (a->uid != b->uid || a->gid != b->gid)
		return "shares the data, but not the owner, of";
	if (a->size != b->size)
		return "shares the data, but not the size, of";
	return NULL;
}

/* Say @what, ending with the path of another entry, of a file. */
static void problem_with(const struct catalog *cat, const struct file *f, const char *what,
			 const struct dir *dir, __u32 at)
{
	char *path = problems_are_shown() ? catalog_path(cat, dir, at) : NULL;

	problem_at(cat, f->dir, f->at, "%s %s", what, path);
	free(path);
}

/*
 * The kernel takes the place of the data for the number of the inode: entries that have the same
 * data are links to one file, with the attributes of whichever was seen first.
 */
static void check_attributes(const struct catalog *cat, const struct file *f,
			     const struct file *first)
{
	const char *what = difference(f, first);

	if (what)
		problem_with(cat, f, what, first->dir, first->at);
}

static void add_ref(struct catalog *cat, const struct file *f, __u32 index,
		    const struct block *block)
{
	bool header = block->direct && block->kind != BLOCK_STORED;
	struct block_ref *ref;

	/* A hole has no bytes, unless it has a length that says so. */
	if (block->kind == BLOCK_HOLE && !header)
		return;
	if (cat->nr_refs == cat->room_refs) {
		cat->room_refs += cat->room_refs / 2;
		cat->refs = xgrow(cat->refs, cat->room_refs * sizeof(*cat->refs));
	}
	ref = &cat->refs[cat->nr_refs++];
	ref->from = header ? block->start - DIRECT_HEADER : block->start;
	ref->len = block->len;
	ref->index = index;
	ref->owner = f - cat->files;
	ref->kind = header ? BLOCK_DEFLATED_DIRECT : block->kind;
}

/* Linux up to at least 6.12 reads such a block as zeros. */
static bool is_read_as_zeros(const struct table *t, __u32 index, const struct block *block)
{
	return block->direct && block->kind == BLOCK_STORED && index == t->nr - 1 &&
	       block->want == t->rd->block_size;
}

static void check_pointers(struct catalog *cat, const struct file *f, const struct table *t)
{
	bool holes = false;
	struct block block;
	const char *bad;
	__u32 i;

	for (i = 0; i < t->nr; i++) {
		bad = block_decode(t, i, &block);
		if (bad) {
			problem_at(cat, f->dir, f->at, "block %u: %s (pointer %#x)", i, bad,
				   t->ptr[i]);
			return;
		}
		holes |= block.kind == BLOCK_HOLE;
		if (is_read_as_zeros(t, i, &block))
			doubt_at(cat, f->dir, f->at,
				 "the last block is full, stored and has a direct pointer: Linux up to 6.12 reads zeros");
		add_ref(cat, f, i, &block);
	}
	if (holes && S_ISLNK(f->mode))
		problem_at(cat, f->dir, f->at, "NUL in the target of a symbolic link");
	if (holes && !(cat->rd->flags & CRAMFS_FLAG_HOLES))
		problem_at(cat, f->dir, f->at, "has holes, without the flag for that");
}

/* Return: whether there is room for the block pointers of a file where they claim to be. */
static bool check_table_place(const struct catalog *cat, const struct file *f,
			      const struct file *last, __u32 last_end)
{
	__u32 offset = f->word * 4, len = count_blocks(cat->rd, f->size) * sizeof(__u32);
	const struct dir *taken;

	if (!reader_has(cat->rd, offset, len)) {
		problem_at(cat, f->dir, f->at, "block pointers past the end of the image");
		return false;
	}
	if (offset < last_end) {
		problem_with(cat, f, "block pointers overlap those of", last->dir, last->at);
		return false;
	}
	if (catalog_is_free(cat, offset, len, &taken))
		return true;
	if (taken == cat->super)
		problem_at(cat, f->dir, f->at, "block pointers overlap the superblock");
	else
		problem_with(cat, f, "block pointers overlap directory", taken->parent, taken->at);
	return false;
}

/* Decode the pointers of all files, each table once. */
static void check_tables(struct catalog *cat)
{
	struct file *f, *first = NULL, *last = NULL, *end = cat->files + cat->nr_files;
	__u32 last_end = 0;
	struct table t;

	for (f = cat->files; f < end; f++) {
		if (first && f->word == first->word) {
			f->shared = true;
			check_attributes(cat, f, first);
			continue;
		}
		first = f;
		cat->nr_pointers += count_blocks(cat->rd, f->size);
		f->bad = !check_table_place(cat, f, last, last_end);
		if (f->bad)
			continue;
		table_load(&t, cat->rd, f->word * 4, f->size);
		check_pointers(cat, f, &t);
		last = f;
		last_end = t.offset + t.nr * sizeof(__u32);
		free(t.ptr);
	}
}

static int compare_refs(const void *left, const void *right)
{
	const struct block_ref *a = left, *b = right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static __u32 ref_start(const struct block_ref *ref)
{
	return ref->from + (ref->kind == BLOCK_DEFLATED_DIRECT ? DIRECT_HEADER : 0);
}

static bool same_block(const struct block_ref *a, const struct block_ref *b)
{
	return a->from == b->from && a->kind == b->kind && a->len == b->len;
}

/**
 * ref_end() - where a block ends
 * @ref: pointer to it
 *
 * Return: image offset of the first byte that is not the block's.
 */
__u64 ref_end(const struct block_ref *ref)
{
	return (__u64)ref_start(ref) + ref->len;
}

/* What a block overlaps that has been found at its place before it. */
struct sweep {
	const struct file *table;
	const struct block_ref *last;
};

static const struct file *next_table(const struct catalog *cat, const struct file *f)
{
	const struct file *end = cat->files + cat->nr_files;

	for (; f < end; f++)
		if (!f->shared && !f->bad)
			return f;
	return NULL;
}

/**
 * file_table_end() - where the block pointers of a file end
 * @cat: the catalogue
 * @f: the file; its pointers are part of the image
 *
 * Return: image offset of the first byte after them.
 */
__u32 file_table_end(const struct catalog *cat, const struct file *f)
{
	return f->word * 4 + count_blocks(cat->rd, f->size) * sizeof(__u32);
}

static void say_overlap(const struct catalog *cat, const struct block_ref *ref, const char *what,
			const struct dir *dir, __u32 at)
{
	const struct file *f = &cat->files[ref->owner];
	char text[128];

	snprintf(text, sizeof(text), "block %u (%#x to %#llx) overlaps %s", ref->index, ref->from,
		 ref_end(ref), what);
	problem_with(cat, f, text, dir, at);
}

/* Return: whether the bytes of a block are its own. Blocks come in the order of their places. */
static bool check_block_place(const struct catalog *cat, const struct block_ref *ref,
			      struct sweep *sweep)
{
	const struct dir *taken;
	const struct file *f;

	if (sweep->last && ref->from < ref_end(sweep->last)) {
		f = &cat->files[sweep->last->owner];
		say_overlap(cat, ref, "a block of", f->dir, f->at);
		return false;
	}
	while (sweep->table && file_table_end(cat, sweep->table) <= ref->from)
		sweep->table = next_table(cat, sweep->table + 1);
	f = sweep->table;
	if (f && f->word * 4 < ref_end(ref)) {
		say_overlap(cat, ref, "the block pointers of", f->dir, f->at);
		return false;
	}
	if (catalog_is_free(cat, ref->from, ref_end(ref) - ref->from, &taken))
		return true;
	if (taken == cat->super)
		say_overlap(cat, ref, "the superblock, before", NULL, cat->dirs->at);
	else
		say_overlap(cat, ref, "directory", taken->parent, taken->at);
	return false;
}

/* Find the blocks that have bytes of others, and leave them out. */
static void check_overlaps(struct catalog *cat)
{
	struct sweep sweep = { .table = next_table(cat, cat->files) };
	struct block_ref *ref, *end = cat->refs + cat->nr_refs;
	const struct block_ref *first = NULL;
	struct block_ref left_out;

	for (ref = cat->refs; ref < end; ref++) {
		if (first && same_block(first, ref))
			continue;
		if (check_block_place(cat, ref, &sweep)) {
			sweep.last = ref;
			first = ref;
			continue;
		}
		/* All that say the same are no better. */
		left_out = *ref;
		for (; ref < end && same_block(&left_out, ref); ref++) {
			ref->kind = BLOCK_HOLE;
			cat->files[ref->owner].overlaps = true;
		}
		ref--;
	}
}

/**
 * blocks_are_its_own() - are the data of a file or symbolic link nothing else's, unless shared?
 * @cat: the catalogue, after blocks_check()
 * @inode: the file
 *
 * Return: false if something overlaps that is not the same.
 */
bool blocks_are_its_own(const struct catalog *cat, const struct inode *inode)
{
	size_t low = 0, high = cat->nr_files, middle;
	const struct file *f;

	/* The first one that has these pointers has been checked for all. */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (cat->files[middle].word < inode->offset / 4)
			low = middle + 1;
		else
			high = middle;
	}
	f = &cat->files[low];
	if (!inode->size || low == cat->nr_files || f->word != inode->offset / 4)
		return true;
	return !f->bad && !f->overlaps;
}

static __u32 wanted(const struct catalog *cat, const struct block_ref *ref)
{
	__u32 rest = cat->files[ref->owner].size - ref->index * cat->rd->block_size;

	return rest < cat->rd->block_size ? rest : cat->rd->block_size;
}

/* Decompress one block. @ref is the first pointer to it, @nr are there. */
static void check_contents(const struct catalog *cat, const struct block_ref *ref, size_t nr)
{
	const struct block_ref *end = ref + nr;
	const unsigned char *data;
	__u32 want = wanted(cat, ref);
	const struct file *f;
	bool has_nul = false;
	const char *bad;

	bad = block_read(cat->rd, ref->kind, ref_start(ref), ref->len, want, &data);
	if (!bad && want <= MAX_TARGET)
		has_nul = memchr(data, '\0', want);
	for (; ref < end; ref++) {
		f = &cat->files[ref->owner];
		if (bad)
			problem_at(cat, f->dir, f->at, "block %u (at %#x): %s", ref->index,
				   ref->from, bad);
		else if (wanted(cat, ref) != want)
			problem_at(cat, f->dir, f->at,
				   "block %u (at %#x): shared by one of another length",
				   ref->index, ref->from);
		else if (has_nul && S_ISLNK(f->mode))
			problem_at(cat, f->dir, f->at, "NUL in the target of a symbolic link");
	}
}

/**
 * blocks_same() - how many pointers there are to one block
 * @cat: the catalogue, after blocks_check()
 * @i: first of them
 *
 * Return: their number, at least 1.
 */
size_t blocks_same(const struct catalog *cat, size_t i)
{
	size_t n;

	for (n = 1; i + n < cat->nr_refs && same_block(&cat->refs[i], &cat->refs[i + n]); n++)
		;
	return n;
}

/**
 * blocks_check() - check block pointers, and blocks
 * @cat: the catalogue; its refs are filled in
 * @contents: read and decompress the blocks, too
 */
void blocks_check(struct catalog *cat, bool contents)
{
	size_t i, n;

	cat->room_refs = 1024;
	cat->refs = xgrow(NULL, cat->room_refs * sizeof(*cat->refs));
	check_tables(cat);
	qsort(cat->refs, cat->nr_refs, sizeof(*cat->refs), compare_refs);
	check_overlaps(cat);
	for (i = 0; contents && i < cat->nr_refs; i += n) {
		n = blocks_same(cat, i);
		if (cat->refs[i].len && cat->refs[i].kind != BLOCK_HOLE)
			check_contents(cat, &cat->refs[i], n);
	}
}
