// SPDX-License-Identifier: GPL-2.0-only
/*
 * One binary, four names: mkcramfs and mkfs.cramfs make an image, fsck.cramfs and cramfsck check
 * one.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

const char *program;

/*
 * Standard descriptors that we have been given closed would be those of the first files that are
 * opened, and messages be written into these. What is there instead fails like a closed one.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;

	occupy_standard_descriptors();
	program = slash ? slash + 1 : argc ? argv[0] : "mkcramfs";
	if (strstr(program, "fsck"))
		return fsck_main(argc, argv);
	return mkcramfs_main(argc, argv);
}
