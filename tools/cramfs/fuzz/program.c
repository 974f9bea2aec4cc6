// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs of a directory with a program in it, for all formats of programs: what the reader of the
 * format makes of it decides where the blocks are in the image, and never what is in them.
 *
 * The last byte of the input says which options there are, the rest is the program.
 */
#include <sys/stat.h>

#include "../mkcramfs.h"
#include "run.h"

static const char rules[] = "program text rodata\n";
static const char more_rules[] = "program data text pages 0,2-\n";

const char target_asan_options[] = ASAN_OPTIONS;

void target_init(void)
{
	if (mkdir(box_path("tree"), 0755))
		finding("the harness cannot make a directory");
	box_write("rules", rules, sizeof(rules) - 1);
	box_write("more-rules", more_rules, sizeof(more_rules) - 1);
	box_write("tree/text", rules, sizeof(rules) - 1);
}

static void add_options(const char **options, unsigned int which)
{
	static const char *const more[] = { "-U", "-B", "--no-holes", "--no-share-blocks", "-p",
					    "--warnings-are-errors" };
	unsigned int i;

	*options++ = "-q";
	if (which & 1)
		*options++ = "-X";
	*options++ = which & 2 ? "--xip-rules" : "-X";
	if (which & 2)
		*options++ = box_path(which & 1 ? "more-rules" : "rules");
	for (i = 0; i < 6; i++)
		if (which & 4 << i)
			*options++ = more[i];
	*options = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *options[16];
	bool may_fail;
	int status;

	if (!size)
		return 0;
	size--;
	add_options(options, data[size]);
	may_fail = data[size] & 0x80;
	box_write("tree/program", data, size);
	status = make_image(box_path("tree"), options);
	/* No program is so damaged that there is no image of it. */
	if (status && !may_fail)
		finding("mkcramfs ends with status %d: %s", status, run_first_line());
	if (status)
		return 0;
	image_must_be_good();
	image_must_have("/program", data, size);
	return 0;
}
