// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.cramfs: check a cramfs image. This file is the command line and the order of the steps.
 */
#include "common.h"

int fsck_main(int argc, char **argv)
{
	(void)argc;
	die_usage("%s: checking is not implemented yet", argv[0]);
}
