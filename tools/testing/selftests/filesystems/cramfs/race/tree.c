// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trees of the race test. Names, types, lengths and contents follow from a number
 * alone, so that the host, which writes a tree, and the guest, which looks at it
 * through the driver, know the same without telling each other.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "race.h"

#define MAX_NODES	1600
#define ARENA		((size_t)64 << 20)

/* What becomes of a page depends on it: stored, deflated, or a hole. */
enum page_kind { PAGE_TEXT, PAGE_NOISE, PAGE_ZEROS };

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void fill_page(unsigned char *page, enum page_kind kind, uint64_t key)
{
	uint32_t word[PAGE / 4];

	for (unsigned int i = 0; i < PAGE / 4; i++) {
		uint64_t x = mix(key + i);

		switch (kind) {
		case PAGE_TEXT:
			word[i] = 0x20202020 + 0x01030509 * (x & 15);
			break;
		case PAGE_NOISE:
			word[i] = x;
			break;
		case PAGE_ZEROS:
			word[i] = 0;
			break;
		}
	}
	/* No two pages are the same: one at another's place is seen. */
	if (kind != PAGE_ZEROS)
		memcpy(word, &key, sizeof(key));
	memcpy(page, word, PAGE);
}

/* mkcramfs stores the first of the two segments as it is, the second one not. */
static void put_elf_header(unsigned char *to, size_t text, size_t data)
{
	static const unsigned char ident[16] = "\177ELF\1\1\1";
	const struct { uint16_t h[2]; uint32_t w[5]; uint16_t g[6]; } ehdr = {
		.h = { 3, 40 }, .w = { 1, 0, 52, 0, 0x05000400 }, .g = { 52, 32, data ? 2 : 1 },
	};
	const uint32_t phdr[2][8] = {
		{ 1, 0, 0, 0, text, text, 5, PAGE },
		{ 1, text, text + 0x10000, text + 0x10000, data, data, 6, PAGE },
	};

	memcpy(to, ident, sizeof(ident));
	memcpy(to + 16, &ehdr, 36);
	memcpy(to + 52, phdr, sizeof(phdr));
}

/*
 * All contents are in one mapping that processes share: each has hundreds of children,
 * and a fork takes time by the mapping and, where it is private, by the page.
 */
static unsigned char *take_pages(size_t nr)
{
	static unsigned char *next;
	static size_t left;

	if (!next) {
		left = ARENA;
		next = mmap(NULL, left, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (next == MAP_FAILED || left < nr * PAGE) {
		fprintf(stderr, "race: no memory for the trees\n");
		exit(1);
	}
	next += nr * PAGE;
	left -= nr * PAGE;
	return next - nr * PAGE;
}

static void fill_file(struct node *node, uint64_t key, unsigned int form)
{
	size_t pages = (node->len + PAGE - 1) / PAGE, text;

	node->contents = take_pages(pages ?: 1);
	for (size_t n = 0; n < pages; n++) {
		enum page_kind kind = form == 1 ? PAGE_NOISE : PAGE_TEXT;

		if (form == 2)
			kind = mix(key + n) % 3;
		fill_page(node->contents + n * PAGE, kind, key + (n << 20));
	}
	text = pages * 2 / 3 * PAGE;
	if (form == 3 && text)
		put_elf_header(node->contents, text, node->len - text);
	else if (form == 4 && pages)
		put_elf_header(node->contents, node->len, 0);
	memset(node->contents + node->len, 0, pages * PAGE - node->len);
}

static struct node *add(struct tree *tree, enum node_type type, size_t len, const char *path)
{
	struct node *node = &tree->nodes[tree->nr++];

	if (tree->nr > MAX_NODES) {
		fprintf(stderr, "race: too many nodes\n");
		exit(1);
	}
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->type = type;
	node->len = len;
	return node;
}

static void add_link(struct tree *tree, const char *path, unsigned int len)
{
	struct node *node = add(tree, NODE_LINK, len, path);

	node->contents = calloc(1, len + 1);
	for (unsigned int n = 0; n < len; n++)
		node->contents[n] = 'a' + (n + len) % 26;
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static void count_children(struct tree *tree)
{
	for (unsigned int n = 0; n < tree->nr; n++) {
		struct node *parent;
		char path[64];

		if (!tree->nodes[n].path[0])
			continue;
		snprintf(path, sizeof(path), "%s", tree->nodes[n].path);
		if (strrchr(path, '/'))
			*strrchr(path, '/') = 0;
		else
			path[0] = 0;
		parent = tree_find(tree, path);
		parent->children++;
	}
}

/* Lengths of every kind: none, less than a page, whole pages and not. */
static size_t some_len(uint64_t key)
{
	uint64_t x = mix(key);

	switch (x & 7) {
	case 0:		return 1 + (x >> 8) % 300;
	case 1:		return PAGE * (1 + (x >> 8) % 6);
	case 2:		return PAGE * (8 + (x >> 8) % 32) + (x >> 40) % PAGE;
	default:	return 1 + (x >> 8) % (12 * PAGE);
	}
}

/**
 * tree_make() - what is in a tree
 * @tree: the result
 * @number: of the tree; the last one is small, for an image inside of others
 */
void tree_make(struct tree *tree, unsigned int number)
{
	unsigned int dirs = number == NR_TREES - 1 ? 2 : 8;
	uint64_t key = (uint64_t)(number + 1) << 50;
	char path[64];

	tree->nodes = calloc(MAX_NODES, sizeof(*tree->nodes));
	add(tree, NODE_DIR, 0, "");
	for (unsigned int d = 0; d < dirs; d++) {
		snprintf(path, sizeof(path), "dir%u", d);
		add(tree, NODE_DIR, 0, path);
		for (unsigned int f = 0; f < 16; f++) {
			key += 1ULL << 36;
			snprintf(path, sizeof(path), "dir%u/file%02u", d, f);
			fill_file(add(tree, NODE_FILE, f ? some_len(key) : 0, path), key, f % 5);
		}
		snprintf(path, sizeof(path), "dir%u/link", d);
		add_link(tree, path, 3 + 17 * d);
	}
	for (unsigned int d = 0; d < 12; d++) {
		snprintf(path, sizeof(path), "deep%.*s", 2 * d, "/d/d/d/d/d/d/d/d/d/d/d");
		add(tree, NODE_DIR, 0, path);
	}
	/* For many lookups, and for a signal in the middle of reading a directory. */
	add(tree, NODE_DIR, 0, "many");
	for (unsigned int f = 0; f < 40 * dirs; f++) {
		snprintf(path, sizeof(path), "many/%03x-%.*s", f * 5, (int)(f % 40),
			 "a-name-that-takes-some-room-in-a-directory");
		fill_file(add(tree, NODE_FILE, f % 5 ? 0 : 40, path), key + f * PAGE, 1);
	}
	/* Two names of the same are one inode, in which two can be interested at once. */
	add(tree, NODE_DIR, 0, "twins");
	for (unsigned int f = 0; f < 2 * NR_TWINS; f++) {
		uint64_t twin = key + ((1ULL + f / 2) << 36);

		snprintf(path, sizeof(path), "twins/%02u%c", f / 2, "ab"[f % 2]);
		if (f / 2 % 4 == 3)
			add_link(tree, path, 400 + f / 2);
		else
			fill_file(add(tree, NODE_FILE, some_len(twin), path), twin, f / 2 % 3);
	}
	key += (1ULL + NR_TWINS) << 36;
	fill_file(add(tree, NODE_FILE, MAX_LEN, "large-stored"), key, 4);
	key += 1ULL << 36;
	fill_file(add(tree, NODE_FILE, MAX_LEN - 77, "large-mixed"), key, 3);
	key += 1ULL << 36;
	fill_file(add(tree, NODE_FILE, MAX_LEN - 1, "large-deflated"), key, 0);
	if (number < NR_TREES - 1) {
		add(tree, NODE_OTHER, 0, "race");
		add(tree, NODE_OTHER, 0, "inner");
	}

	qsort(tree->nodes, tree->nr, sizeof(*tree->nodes), compare_nodes);
	count_children(tree);
	tree->files = calloc(tree->nr, sizeof(*tree->files));
	for (unsigned int n = 0; n < tree->nr; n++) {
		if (tree->nodes[n].type == NODE_FILE)
			tree->files[tree->nr_files++] = &tree->nodes[n];
	}
}

static int compare_path(const void *path, const void *node)
{
	return strcmp(path, ((const struct node *)node)->path);
}

/**
 * tree_find() - look up a path
 * @tree: the tree
 * @path: without a '/' in front
 *
 * Return: the node, NULL if there is none
 */
struct node *tree_find(const struct tree *tree, const char *path)
{
	return bsearch(path, tree->nodes, tree->nr, sizeof(*tree->nodes), compare_path);
}

static int write_node(const struct node *node, const char *path)
{
	ssize_t done;
	int fd;

	switch (node->type) {
	case NODE_DIR:
		return mkdir(path, 0755);
	case NODE_LINK:
		return symlink((const char *)node->contents, path);
	case NODE_FILE:
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0755);
		if (fd < 0)
			return -1;
		done = write(fd, node->contents, node->len);
		close(fd);
		return done == (ssize_t)node->len ? 0 : -1;
	default:
		return 0;
	}
}

/**
 * tree_write() - write a tree, but for what only the host knows
 * @tree: the tree
 * @top: a directory that does not exist yet
 *
 * Return: 0, -1 after a message
 */
int tree_write(const struct tree *tree, const char *top)
{
	char path[4096];

	for (unsigned int n = 0; n < tree->nr; n++) {
		snprintf(path, sizeof(path), "%s/%s", top, tree->nodes[n].path);
		if (write_node(&tree->nodes[n], path)) {
			perror(path);
			return -1;
		}
	}
	return 0;
}
