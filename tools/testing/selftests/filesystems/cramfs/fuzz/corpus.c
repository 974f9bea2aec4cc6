// SPDX-License-Identifier: GPL-2.0-only
/*
 * The images that the fuzzer starts from, in the file that seeds.py makes, and what
 * becomes of the seed and number that name an image. What is changed in it is
 * mutate.c's concern.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Numbers after the last byte that was written tell where they are from: not 0. */
static unsigned char poison(__u32 at)
{
	return 0xa5 ^ (at / PAGE & 0x3f);
}

static FILE *open_or_die(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		broken("%s: %s", path, strerror(errno));
	return file;
}

/**
 * corpus_load() - read all seeds
 * @corpus: filled in
 * @path: what seeds.py wrote: a line with their number, then for each a line with
 *	name, kind and length, and the image
 */
void corpus_load(struct corpus *corpus, const char *path)
{
	FILE *file = open_or_die(path);
	char name[64], kind[16];

	if (fscanf(file, "cramfs-seeds %u", &corpus->nr) != 1 || fgetc(file) != '\n')
		broken("%s: no file of seeds", path);
	corpus->seeds = calloc(corpus->nr, sizeof(*corpus->seeds));
	for (unsigned int i = 0; i < corpus->nr; i++) {
		struct seed *seed = &corpus->seeds[i];
		unsigned char *data;

		if (fscanf(file, "%63s %15s %u", name, kind, &seed->len) != 3 ||
		    fgetc(file) != '\n' || seed->len > ROOM / 4 * 3)
			broken("%s: seed %u", path, i);
		data = malloc(seed->len);
		if (fread(data, 1, seed->len, file) != seed->len)
			broken("%s: seed %s is cut off", path, name);
		seed->data = data;
		seed->name = strdup(name);
		seed->hostile = !strcmp(kind, "hostile");
	}
	fclose(file);
}

/**
 * image_init() - have room for an image
 * @image: filled in; its data are to be freed
 */
void image_init(struct image *image)
{
	*image = (struct image){ .data = malloc(ROOM), .len = ROOM };
}

/**
 * image_poison() - end an image
 * @image: it
 * @len: what is left of it, in bytes
 */
void image_poison(struct image *image, __u32 len)
{
	for (__u32 i = len; i < ROOM; i++)
		image->data[i] = poison(i);
	image->len = len;
}

/**
 * image_load() - take an image from a file
 * @image: filled in
 * @path: the file; what is in it after ROOM bytes is left out
 */
void image_load(struct image *image, const char *path)
{
	static struct seed seed = { .hostile = true };
	FILE *file = open_or_die(path);

	seed.name = strdup(path);
	image->seed = &seed;
	image->changed = true;
	image_poison(image, fread(image->data, 1, ROOM, file));
	fclose(file);
}

/**
 * image_make() - make the image that a seed and a number name
 * @image: filled in
 * @corpus: what to make it from; the first images are these as they are
 * @seed: of a run
 * @index: which image of the run
 * @log: where to say what was changed, or NULL
 */
void image_make(struct image *image, const struct corpus *corpus, __u64 seed, __u64 index,
		FILE *log)
{
	struct rng rng = { seed * 0xd1342543de82ef95ull ^ index * 0x2545f4914f6cdd1dull };

	/* Neighbours in seed and index are not to begin alike. */
	rng.state ^= (__u64)rng_next(&rng) << 32;
	image->changed = index >= corpus->nr;
	image->seed = &corpus->seeds[image->changed ? rng_below(&rng, corpus->nr) : index];
	memcpy(image->data, image->seed->data, image->seed->len);
	image_poison(image, image->seed->len);
	if (log)
		fprintf(log, "from %s, %u bytes\n", image->seed->name, image->len);
	if (image->changed)
		mutate(image, corpus, &rng, log);
}
