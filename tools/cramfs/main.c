// SPDX-License-Identifier: GPL-2.0-only
/*
 * One binary, four names: mkcramfs and mkfs.cramfs make an image, fsck.cramfs and cramfsck check
 * one.
 */
#include <string.h>

#include "common.h"

const char *program;

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;

	program = slash ? slash + 1 : argc ? argv[0] : "mkcramfs";
	if (strstr(program, "fsck") || strstr(program, "cramfsck"))
		return fsck_main(argc, argv);
	return mkcramfs_main(argc, argv);
}
