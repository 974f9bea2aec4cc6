// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs of a small directory, with a text file that tells what to do, for all kinds of these.
 * The text is written by whoever makes the image, but that may be a script that has its names from
 * somebody else.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "../mkcramfs.h"
#include "run.h"
#include "text.h"

/* The header of a program of one page that is all text, for rules that ask for such. */
static const unsigned char page[BLOCK_SIZE] = {
	127, 'E', 'L', 'F', 1, 1, 1, [16] = 3, 0, 40, 0, 1, [28] = 52, [40] = 52, 0, 32, 0, 1,
	[52] = 1, [69] = 0x10, [73] = 0x10, [76] = 5, [81] = 0x10
};

const char target_asan_options[] = ASAN_OPTIONS;

void target_init(void)
{
	if (mkdir(box_path("tree"), 0755) || mkdir(box_path("tree/dir"), 0755) ||
	    symlink("target", box_path("tree/link")))
		finding("the harness cannot make a directory");
	box_write("tree/program", page, sizeof(page));
	box_write("tree/dir/file", page, 100);
	box_write("tree/a name", page, 3);
	box_write("tree/empty", page, 0);
}

/**
 * text_run() - run mkcramfs with a text file
 * @options: with the text file in the box, "text", and NULL
 * @data: the text
 * @size: its length
 *
 * What it makes, if it makes anything, must be good.
 *
 * Return: 0, for libFuzzer.
 */
int text_run(const char *const *options, const uint8_t *data, size_t size)
{
	box_write("text", data, size);
	if (!make_image(box_path("tree"), options))
		image_must_be_good();
	return 0;
}
