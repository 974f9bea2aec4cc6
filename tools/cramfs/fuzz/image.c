// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images that mkcramfs has made in the box, and what must be so of them: fsck.cramfs has nothing to
 * say, and finds what went in.
 */
#include <libdeflate.h>

#include "run.h"

#define MOST_OPTIONS	24

/**
 * make_image() - run mkcramfs
 * @source: what it is to make an image of
 * @options: options, and NULL; --tar is one of them if @source is an archive
 *
 * Return: its exit status; if that is 0, the image is there.
 */
int make_image(const char *source, const char *const *options)
{
	const char *args[MOST_OPTIONS + 8] = { "mkcramfs", "--quiet", "-j", "1" };
	int n = 4, status;

	while (*options)
		args[n++] = *options++;
	args[n++] = source;
	args[n] = box_path("image");
	box_remove("image");
	status = run_args(mkcramfs_main, args);
	if (status && status != EXIT_ERROR)
		finding("mkcramfs ends with status %d: %s", status, run_first_line());
	if (!status != box_has("image"))
		finding("mkcramfs ends with status %d, and there is %s image", status,
			status ? "an" : "no");
	return status;
}

/**
 * image_must_be_good() - hold the image against fsck.cramfs
 */
void image_must_be_good(void)
{
	int status = run(fsck_main, "fsck.cramfs", box_path("image"), NULL);

	if (status || run_err.len)
		finding("mkcramfs has made an image that fsck.cramfs (status %d) says of: %s",
			status, run_first_line());
}

/**
 * image_crc() - CRC-32 of the image
 *
 * Return: the CRC.
 */
__u32 image_crc(void)
{
	static unsigned char buf[65536];
	FILE *f = fopen(box_path("image"), "r");
	__u32 crc = 0;
	size_t len;

	if (!f)
		finding("the harness cannot read the image");
	while ((len = fread(buf, 1, sizeof(buf), f)))
		crc = libdeflate_crc32(crc, buf, len);
	fclose(f);
	return crc;
}

/**
 * image_must_have() - hold the contents of a file in the image against what they must be
 * @path: path of the file in the image
 * @data: the contents
 * @len: length of these, less than what struct printed has room for
 */
void image_must_have(const char *path, const void *data, size_t len)
{
	int status = run(fsck_main, "fsck.cramfs", "--cat", path, box_path("image"), NULL);

	if (status)
		finding("%s cannot be read (status %d): %s", path, status, run_first_line());
	if (run_out.len != len || memcmp(run_out.bytes, data, len))
		finding("%s has other contents in the image", path);
}
