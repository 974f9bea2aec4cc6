// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts every image of a disk that form_images.py has made, in each of the ways
 * that the arguments name, and compares what is there with the listing of the
 * source tree that is on that disk, too: names, types, attributes, contents by
 * read() and by mmap(), and, where the image is mapped, in which pages of it
 * those are. Some images are wrong, to see that this is noticed.
 *
 * Built with nolibc, so that it can be built for big-endian guests, for which there
 * is no libc.
 */
#include <linux/blkpg.h>
#include <stdbool.h>

#define PAGE		4096UL
#define MNT		"/t/mnt"
#define PM_PRESENT	0x8000000000000000ULL
#define PM_PFN		((1ULL << 55) - 1)
#define WHOLE		0x100000UL	/* larger files are only sampled */
#define SAMPLED		61		/* one page of so many, and the last one */
#define MAX_DEPTH	80
#define MAX_IMAGES	1024

enum kind {
	SAME,		/* everything is as it should be */
	DIFFERS,	/* something is wrong, on purpose */
	PLACES,		/* where pages are is wrong, on purpose */
};

/**
 * struct image - one image of the disk
 * @offset: there, and in the flash bank
 * @len: bytes
 * @places: CRC-32 of the text about where pages are
 * @kind: what is to be found
 * @name: how it was made
 */
struct image {
	unsigned long offset, len;
	unsigned int places;
	enum kind kind;
	const char *name;
};

/**
 * struct text - a listing that grows
 * @at: bytes
 * @len: how many
 * @size: how many fit
 */
struct text {
	char *at;
	unsigned long len, size;
};

static struct image images[MAX_IMAGES];
static unsigned int nr_images;
static const char *wanted;
static unsigned long wanted_len;
static struct text found, places;
static const char *disk;
static unsigned long rom;	/* where the disk's contents are in memory, too */
static bool peer;		/* the unmodified driver */

/* CRC-32 ------------------------------------------------------------------ */

static unsigned int crc_table[4][256];

static void make_crc_table(void)
{
	for (unsigned int n = 0; n < 256; n++) {
		unsigned int c = n;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		crc_table[0][n] = c;
	}
	for (unsigned int k = 1; k < 4; k++) {
		for (unsigned int n = 0; n < 256; n++) {
			unsigned int c = crc_table[k - 1][n];

			crc_table[k][n] = c >> 8 ^ crc_table[0][c & 0xff];
		}
	}
}

static unsigned int crc32(unsigned int crc, const void *buf, unsigned long len)
{
	const unsigned char *p = buf;

	crc = ~crc;
	for (; len >= 4; len -= 4, p += 4) {
		crc ^= p[0] | p[1] << 8 | p[2] << 16 | (unsigned int)p[3] << 24;
		crc = crc_table[3][crc & 0xff] ^ crc_table[2][crc >> 8 & 0xff] ^
		      crc_table[1][crc >> 16 & 0xff] ^ crc_table[0][crc >> 24];
	}
	while (len--)
		crc = crc_table[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

/* Text -------------------------------------------------------------------- */

static void add_char(struct text *text, char c)
{
	if (text->len < text->size)
		text->at[text->len++] = c;
}

static void add(struct text *text, const char *s)
{
	while (*s)
		add_char(text, *s++);
}

static void add_number(struct text *text, unsigned long value, char after)
{
	char number[24];

	utoa_r(value, number);
	add(text, number);
	add_char(text, after);
}

static void add_hex(struct text *text, unsigned long value, char after)
{
	char number[24];

	utoh_r(value, number);
	add(text, number);
	add_char(text, after);
}

static void add_escaped(struct text *text, const char *s)
{
	static const char digits[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = *s;

		if (c > ' ' && c < 0x7f && c != '%') {
			add_char(text, c);
		} else {
			add_char(text, '%');
			add_char(text, digits[c >> 4]);
			add_char(text, digits[c & 15]);
		}
	}
}

/* Walking ----------------------------------------------------------------- */

static bool is_looked_at(unsigned long page, unsigned long size)
{
	return size <= WHOLE || page % SAMPLED == 0 || page == (size - 1) / PAGE;
}

/* By read(), a page at a time where not all of them are looked at. */
static void list_read(const char *path, unsigned long size)
{
	static char buf[16 * PAGE];
	unsigned long step = size <= WHOLE ? sizeof(buf) : PAGE, total = 0;
	int fd = open(path, O_RDONLY);
	unsigned int crc = 0;

	for (unsigned long at = 0; at <= size; at += step) {
		long got;

		if (!is_looked_at(at / PAGE, size) && at < size)
			continue;
		if (lseek(fd, at, SEEK_SET) < 0)
			break;
		got = read(fd, buf, step);
		if (got < 0) {
			add(&found, "read-error-");
			add_number(&found, errno, '-');
			break;
		}
		crc = crc32(crc, buf, got);
		total += got;
	}
	close(fd);
	add_number(&found, total, ' ');
	add_hex(&found, crc, ' ');
}

/* Which page of the image is behind each page of a mapping, '-' for one in RAM. */
static void list_places(const struct image *image, const unsigned char *p, unsigned long size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	for (unsigned long n = 0; n * PAGE < size; n++) {
		unsigned long long entry = 0, page;

		if (!is_looked_at(n, size))
			continue;
		lseek(fd, ((unsigned long)p / PAGE + n) * 8, SEEK_SET);
		if (read(fd, &entry, 8) != 8 || !(entry & PM_PRESENT)) {
			add(&places, "?,");
			continue;
		}
		page = (entry & PM_PFN) - (rom + image->offset) / PAGE;
		if (rom && page < image->len / PAGE)
			add_number(&places, page, ',');
		else
			add(&places, "-,");
	}
	close(fd);
	add_char(&places, '\n');
}

static void list_mapped(const struct image *image, const char *path, unsigned long size)
{
	int fd = open(path, O_RDONLY);
	unsigned long pages = (size + PAGE - 1) / PAGE;
	unsigned int crc = 0;
	const unsigned char *p;

	p = mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		add(&found, "not-mapped ");
		return;
	}
	for (unsigned long n = 0; n < pages; n++)
		if (is_looked_at(n, size))
			crc = crc32(crc, p + n * PAGE, PAGE);
	add_hex(&found, crc, ' ');
	if (!peer) {
		add_escaped(&places, path);
		add_char(&places, ' ');
		list_places(image, p, size);
	}
	munmap((void *)p, pages * PAGE);
}

static void list_entry(const struct image *image, const char *path, unsigned int d_type)
{
	static char target[4097];
	struct statx st;
	long len;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st)) {
		add(&found, "stat-error-");
		add_number(&found, errno, ' ');
		return;
	}
	add_hex(&found, st.stx_mode, ' ');
	add_number(&found, st.stx_uid, ' ');
	add_number(&found, st.stx_gid, ' ');
	if (d_type != st.stx_mode >> 12)
		add(&found, "other-type-in-directory ");
	if (st.stx_mtime.tv_sec || st.stx_ctime.tv_sec || st.stx_atime.tv_sec)
		add(&found, "not-the-epoch ");
	switch (st.stx_mode & S_IFMT) {
	case S_IFREG:
		add_number(&found, st.stx_size, ' ');
		list_read(path, st.stx_size);
		if (st.stx_size)
			list_mapped(image, path, st.stx_size);
		break;
	case S_IFLNK:
		len = syscall(__NR_readlink, path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = 0;
		add_number(&found, st.stx_size, ' ');
		add_escaped(&found, target);
		add_char(&found, ' ');
		break;
	case S_IFCHR:
	case S_IFBLK:
		add_number(&found, st.stx_rdev_major, ' ');
		add_number(&found, st.stx_rdev_minor, ' ');
		break;
	}
}

static char path[4096];

/* The directory at @path, whose length is @len, and what is below. */
static void list_directory(const struct image *image, unsigned long len, unsigned int depth)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	char buf[2048];
	long got;

	while ((got = getdents64(fd, (void *)buf, sizeof(buf))) > 0) {
		for (long at = 0; at < got;) {
			struct linux_dirent64 *de = (void *)(buf + at);

			at += de->d_reclen;
			if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
				continue;
			path[len] = 0;
			strlcat(path, "/", sizeof(path));
			strlcat(path, de->d_name, sizeof(path));
			list_entry(image, path, de->d_type);
			add_escaped(&found, path + strlen(MNT));
			add_char(&found, '\n');
			if (de->d_type == S_IFDIR >> 12 && depth < MAX_DEPTH)
				list_directory(image, strlen(path), depth + 1);
		}
	}
	if (got < 0 || fd < 0)
		add(&found, "directory-error\n");
	path[len] = 0;
	close(fd);
}

static void list_image(const struct image *image)
{
	found.len = 0;
	places.len = 0;
	path[0] = 0;
	strlcat(path, MNT, sizeof(path));
	list_entry(image, path, S_IFDIR >> 12);
	add(&found, "/\n");
	list_directory(image, strlen(path), 0);
}

/* Ways to mount ----------------------------------------------------------- */

static int partition(const char *device, int op, unsigned long start, unsigned long len)
{
	struct blkpg_partition part = { .start = start, .length = len, .pno = 1 };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(part), .data = &part };
	int fd = open(device, O_RDONLY);
	int ret = ioctl(fd, BLKPG, &arg);

	close(fd);
	return ret;
}

static int mount_partition(const char *device, const char *source, const struct image *image)
{
	if (partition(device, BLKPG_ADD_PARTITION, image->offset, image->len))
		return -1;
	return mount(source, MNT, "cramfs", MS_RDONLY, NULL);
}

static int mount_block(const struct image *image)
{
	char source[32] = "";

	strlcat(source, disk, sizeof(source));
	strlcat(source, "1", sizeof(source));
	return mount_partition(disk, source, image);
}

/* The flash bank is one device, and has no partition but this one. */
static int mount_mtd(const struct image *image)
{
	return mount_partition("/dev/mtd0", "mtd1", image);
}

static int mount_physmem(const struct image *image)
{
	char options[64] = "physaddr=", number[24];

	utoa_r(rom + image->offset, number);
	strlcat(options, number, sizeof(options));
	return mount("none", MNT, "cramfs", MS_RDONLY, options);
}

static const struct way {
	const char *name;
	int (*mount)(const struct image *image);
	bool mapped;
	const char *device;
} ways[] = {
	{ "block", mount_block, false, NULL },
	{ "mtd", mount_mtd, true, "/dev/mtd0" },
	{ "physmem", mount_physmem, true, NULL },
};

/* Comparison -------------------------------------------------------------- */

static unsigned long line_len(const char *at, const char *end)
{
	const char *from = at;

	while (at < end && *at != '\n')
		at++;
	return at - from;
}

static void print_line(const char *what, const char *at, const char *end)
{
	unsigned long len = line_len(at, end);

	printf("# %s: ", what);
	write(1, at, len > 300 ? 300 : len);
	printf("\n");
}

/* Says which is the first line that is not the same. */
static bool compare_listings(bool quiet)
{
	const char *a = wanted, *a_end = wanted + wanted_len;
	const char *b = found.at, *b_end = found.at + found.len;

	while (a < a_end || b < b_end) {
		unsigned long len = line_len(a, a_end);

		if (len != line_len(b, b_end) || memcmp(a, b, len)) {
			if (!quiet) {
				print_line("wanted", a, a_end);
				print_line("found", b, b_end);
			}
			return false;
		}
		a += len + 1;
		b += len + 1;
	}
	return true;
}

static void print_places(void)
{
	const char *at = places.at, *end = at + places.len;

	for (; at < end; at += line_len(at, end) + 1)
		print_line("place", at, end);
}

static bool compare(const struct way *way, const struct image *image)
{
	bool places_known = way->mapped && !peer, same, in_place;

	if (way->mount(image)) {
		printf("# not mounted: errno %d\n", errno);
		return false;
	}
	list_image(image);
	if (umount2(MNT, 0))
		printf("# not unmounted: errno %d\n", errno);
	same = compare_listings(image->kind == DIFFERS);
	if (image->kind == DIFFERS)
		return !same;
	in_place = !places_known || crc32(0, places.at, places.len) == image->places;
	if (image->kind == PLACES)
		return same && in_place == !places_known;
	if (!in_place)
		print_places();
	return same && in_place;
}

static int run_way(const struct way *way, unsigned int *nr)
{
	int failed = 0;

	for (unsigned int n = 0; n < nr_images; n++) {
		const char *kind = images[n].kind == SAME ? "" : "what is wrong is seen: ";
		bool ok;

		printf("#  RUN           %s\n", images[n].name);
		ok = compare(way, &images[n]);
		if (way->device || way->mount == mount_block)
			partition(way->device ? way->device : disk, BLKPG_DEL_PARTITION, 0, 0);
		printf("%s %u %s%s, %s\n", ok ? "ok" : "not ok", ++*nr, kind, images[n].name,
		       way->name);
		failed += !ok;
	}
	return failed;
}

/* Set-up ------------------------------------------------------------------ */

static bool kernel_parameter(const char *key, char *value, unsigned long size)
{
	static char line[2048];
	int fd = open("/proc/cmdline", O_RDONLY);
	long len = read(fd, line, sizeof(line) - 1);
	unsigned long n = 0;

	close(fd);
	line[len > 0 ? len : 0] = 0;
	for (char *at = line; *at; at++) {
		if ((at != line && at[-1] != ' ') || strncmp(at, key, strlen(key)))
			continue;
		for (at += strlen(key); *at > ' ' && n < size - 1; at++)
			value[n++] = *at;
		value[n] = 0;
		return true;
	}
	return false;
}

/* The next word, which it ends; *at is after it then. */
static char *word(char **at, char end)
{
	char *start = *at;

	while (**at && **at != end)
		(*at)++;
	if (**at)
		*(*at)++ = 0;
	return start;
}

static bool read_fully(int fd, char *buf, unsigned long len)
{
	while (len) {
		long got = read(fd, buf, len);

		if (got <= 0)
			return false;
		buf += got;
		len -= got;
	}
	return true;
}

/* The disk begins with lines about the images, and the listing that all have. */
static bool read_plan(void)
{
	static char head[PAGE];
	char *at = head, *plan, *kind;
	unsigned long len;
	int fd = open(disk, O_RDONLY);

	if (fd < 0 || !read_fully(fd, head, sizeof(head)) || strcmp(word(&at, ' '), "cramfs-forms"))
		return false;
	nr_images = strtoul(word(&at, ' '), NULL, 10);
	len = strtoul(word(&at, ' '), NULL, 10);
	wanted_len = strtoul(word(&at, '\n'), NULL, 10);
	plan = malloc(len + wanted_len + 1);
	if (!plan || nr_images > MAX_IMAGES || lseek(fd, PAGE, SEEK_SET) < 0 ||
	    !read_fully(fd, plan, len + wanted_len))
		return false;
	close(fd);
	wanted = plan + len;
	for (unsigned int n = 0; n < nr_images; n++) {
		images[n].offset = strtoul(word(&plan, ' '), NULL, 10);
		images[n].len = strtoul(word(&plan, ' '), NULL, 10);
		images[n].places = strtoul(word(&plan, ' '), NULL, 16);
		kind = word(&plan, ' ');
		images[n].kind = *kind == 'd' ? DIFFERS : *kind == 'p' ? PLACES : SAME;
		images[n].name = word(&plan, '\n');
	}
	found.size = 2 * wanted_len + 65536;
	places.size = 65536;
	found.at = malloc(found.size);
	places.at = malloc(places.size);
	return plan == wanted && found.at && places.at;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, planned = 0;
	char value[64];
	int failed = 0;

	if (argc < 3 || !kernel_parameter("cramfs.mode=", value, sizeof(value))) {
		printf("1..0 # SKIP for the guest of run-guest.sh only\n");
		return 4;
	}
	disk = argv[1];
	peer = kernel_parameter("cramfs.peer=", value, sizeof(value));
	if (kernel_parameter("cramfs.rom=", value, sizeof(value)))
		rom = strtoul(value, NULL, 16);
	make_crc_table();
	if (!read_plan() || !nr_images) {
		printf("Bail out! %s: has no plan of images\n", disk);
		return 1;
	}
	for (int n = 2; n < argc; n++)
		planned += nr_images;
	printf("TAP version 13\n1..%u\n", planned);
	for (int n = 2; n < argc; n++)
		for (unsigned int w = 0; w < sizeof(ways) / sizeof(*ways); w++)
			if (!strcmp(argv[n], ways[w].name))
				failed += run_way(&ways[w], &nr);
	return failed || nr != planned;
}
