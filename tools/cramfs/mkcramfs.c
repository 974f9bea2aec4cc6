// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs: make the cramfs image of a directory. This file is the command line and the order of
 * the steps; each step is in a file of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mkcramfs.h"

static const char usage_text[] =
	"usage: mkcramfs [OPTION]... DIRECTORY OUTPUT\n"
	"Make OUTPUT, the cramfs image of DIRECTORY.\n"
	"\n"
	" -h          print this help\n"
	" -E          treat warnings as errors\n"
	" -e EDITION  set the edition number, a part of the file system's identity\n"
	" -n NAME     set the name of the file system (16 bytes at most)\n"
	" -i FILE     insert the image FILE after the superblock\n"
	" -p          leave 512 bytes for boot code before the superblock\n"
	" -q          make everything owned by user 0, group 0\n"
	" -D FILE     create and change entries by the device table FILE\n"
	" -z          leave out blocks of zeros (holes)\n"
	" -x          use extended block pointers (Linux 4.15 and later)\n"
	" -X          store text of ELF and bFLT files for execution in place; implies -x\n"
	" -X -X       the same for processors with an MMU: in whole pages\n"
	" -U          do not compress; implies -x\n"
	" -B, -L      make a big-endian or little-endian image (default: as this machine)\n"
	" -s          sort directories (always done)\n"
	" -v          print the tree; twice: how each file is stored, too\n"
	"\n"
	"See mkcramfs(8) for all of this.\n";

static noreturn void usage(int status)
{
	fputs(usage_text, status ? stderr : stdout);
	exit(status);
}

static __u32 parse_edition(const char *arg)
{
	unsigned long long val;
	char *end;

	errno = 0;
	val = strtoull(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end || errno || val > 0xffffffff) {
		fprintf(stderr, "mkcramfs: %s: edition is not a number from 0 to 4294967295\n",
			arg);
		exit(EXIT_USAGE);
	}
	return val;
}

static const char *parse_label(const char *arg)
{
	if (strlen(arg) > sizeof(((struct cramfs_super *)0)->name)) {
		fprintf(stderr, "mkcramfs: %s: name of the file system is longer than 16 bytes\n",
			arg);
		exit(EXIT_USAGE);
	}
	return arg;
}

static void parse_option(int c, struct options *opt)
{
	switch (c) {
	case 'h':
		usage(EXIT_SUCCESS);
	case 'E':
		opt->warnings_are_errors = true;
		break;
	case 'e':
		opt->edition = parse_edition(optarg);
		break;
	case 'n':
		opt->label = parse_label(optarg);
		break;
	case 'i':
		opt->boot_file = optarg;
		break;
	case 'p':
		opt->pad = true;
		break;
	case 'q':
		opt->uid = 0;
		opt->gid = 0;
		break;
	case 's':
		break;
	case 'v':
		opt->verbose++;
		break;
	case 'z':
		opt->holes = true;
		break;
	case 'x':
		opt->ext_pointers = true;
		break;
	case 'X':
		opt->xip = opt->xip == XIP_NONE ? XIP_NOMMU : XIP_MMU;
		opt->ext_pointers = true;
		break;
	case 'U':
		opt->uncompressed = true;
		opt->ext_pointers = true;
		break;
	case 'D':
		opt->device_table = optarg;
		break;
	case 'B':
		opt->big_endian = true;
		break;
	case 'L':
		opt->big_endian = false;
		break;
	default:
		usage(EXIT_USAGE);
	}
}

static void parse_command_line(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "hEe:n:i:pqsvzxXUD:BL")) != -1)
		parse_option(c, opt);
	if (argc - optind != 2) {
		fprintf(stderr, "mkcramfs: a directory and an output are needed\n");
		usage(EXIT_USAGE);
	}
	opt->source = argv[optind];
	opt->output = argv[optind + 1];
}

static void print_tree(const struct entry *e)
{
	char *path = entry_path(e);
	size_t i;

	printf("%c %04o %5u:%-3u ", type_letter(e->mode), e->mode & ~S_IFMT, e->uid, e->gid);
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		printf("%4u,%4u %s", major(e->rdev), minor(e->rdev), path);
	else
		printf("%9llu %s", e->size, path);
	if (S_ISLNK(e->mode))
		printf(" -> %s", e->target);
	putchar('\n');
	free(path);
	for (i = 0; i < e->nr_children; i++)
		print_tree(e->child[i]);
}

static void finish_messages(const struct options *opt)
{
	if (fflush(stdout) || ferror(stdout))
		die_errno("standard output");
	if (opt->warnings_are_errors && nr_warnings())
		die("%s: not made, as -E makes warnings errors", opt->output);
}

/**
 * mkcramfs_main() - the program mkcramfs
 * @argc: number of arguments
 * @argv: arguments, the first one being the program's name
 *
 * Return: exit status.
 */
int mkcramfs_main(int argc, char **argv)
{
	struct options opt = {
		.label = "Compressed",
		.big_endian = is_big_endian_host(),
		.block_size = BLOCK_SIZE,
		.uid = -1,
		.gid = -1,
		.file_mode = -1,
		.dir_mode = -1,
	};
	struct entry *root;
	__u64 size;

	parse_command_line(argc, argv, &opt);

	output_create(opt.output);
	root = tree_scan(&opt);
	if (opt.device_table)
		devtable_apply(opt.device_table, root);
	tree_finish(root, &opt);
	if (opt.verbose)
		print_tree(root);

	data_dedup(root);
	size = image_write(root, &opt);
	if (opt.verbose)
		printf("%s: %llu bytes\n", opt.output, size);

	finish_messages(&opt);
	output_commit(size);
	tree_free(root);
	return EXIT_SUCCESS;
}
