// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.cramfs: check a cramfs image, list, show and extract what is in it. This file is the command
 * line and the order of the steps.
 *
 * The options are those of util-linux's fsck.cramfs and of cramfs-tools' cramfsck, and their
 * messages are kept where scripts look for them.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "fsck.h"

enum task {
	CHECK,
	EXTRACT,
	LIST,
	LIST_JSON,
	CAT,
	MAP,
};

struct fsck {
	enum task task;
	const char *image;
	/* where to extract to, or which file to write */
	const char *path;
	__u32 block_size;
	bool has_task;
	bool verbose;
};

/* Long options without a letter */
enum {
	OPT_EXTRACT = 256,
	OPT_LIST,
	OPT_CAT,
	OPT_MAP,
};

static const struct option long_options[] = {
	{ "blocksize", required_argument, NULL, 'b' },
	{ "cat", required_argument, NULL, OPT_CAT },
	{ "extract", optional_argument, NULL, OPT_EXTRACT },
	{ "help", no_argument, NULL, 'h' },
	{ "list", optional_argument, NULL, OPT_LIST },
	{ "map", no_argument, NULL, OPT_MAP },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

noreturn static void help(void)
{
	printf("Usage: %s [option]... image\n", program);
	fputs("Check a cramfs image, in a file or block device.\n\n"
	      "  -b, --blocksize N    bytes in a block (default: the image tells)\n"
	      "      --cat PATH       write the file PATH of the image to standard output\n"
	      "  -x, --extract=DIR    extract what is sound into DIR, new or empty\n"
	      "      --extract        nothing more than without it\n"
	      "      --list           list what is in the image\n"
	      "      --list=json      the same as JSON\n"
	      "      --map            list what each range of the image is\n"
	      "  -q, --quiet          do not print warnings about the image\n"
	      "  -v, --verbose        print the byte order, what is extracted, and \"OK\"\n"
	      "  -a, -y               ignored\n"
	      "  -h, --help           print this text\n"
	      "  -V, --version        print the version\n\n"
	      "Exit status: 0 no errors, 4 errors in the image, 8 another error, 16 wrong usage.\n",
	      stdout);
	finish_stdout();
	exit(0);
}

noreturn static void version(void)
{
	printf("%s " VERSION "\n", program);
	finish_stdout();
	exit(0);
}

static __u32 parse_block_size(const char *arg)
{
	unsigned long size;
	char *end;

	size = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || size < BLOCK_SIZE || size > MAX_BLOCK_SIZE ||
	    size & (size - 1))
		die_usage("block size %s is not a power of two from %u to %u", arg, BLOCK_SIZE,
			  MAX_BLOCK_SIZE);
	return size;
}

static void set_task(struct fsck *fsck, enum task task, const char *path)
{
	if (fsck->has_task && (task != fsck->task || path))
		die_usage("only one of --cat, --extract, --list and --map can be done");
	if (path && !*path)
		die_usage("--cat or --extract with an empty path");
	fsck->has_task = true;
	fsck->task = task;
	fsck->path = path;
}

static void parse_list(struct fsck *fsck, const char *format)
{
	if (format && strcmp(format, "json"))
		die_usage("--list=%s: the only format is json", format);
	set_task(fsck, format ? LIST_JSON : LIST, NULL);
}

static void parse_options(struct fsck *fsck, int argc, char **argv)
{
	int opt;

	/* For the messages of getopt_long() */
	argv[0] = (char *)program;
	/* With it, there would be no options after the image. */
	unsetenv("POSIXLY_CORRECT");
	while ((opt = getopt_long(argc, argv, "ab:hqvVx:y", long_options, NULL)) != -1) {
		switch (opt) {
		case 'a':
		case 'y':
			break;
		case 'b':
			fsck->block_size = parse_block_size(optarg);
			break;
		case 'h':
			help();
		case 'q':
			report_set_quiet();
			break;
		case 'v':
			fsck->verbose = true;
			break;
		case 'V':
			version();
		case 'x':
			set_task(fsck, EXTRACT, optarg);
			break;
		case OPT_EXTRACT:
			set_task(fsck, optarg ? EXTRACT : CHECK, optarg);
			break;
		case OPT_LIST:
			parse_list(fsck, optarg);
			break;
		case OPT_CAT:
			set_task(fsck, CAT, optarg);
			break;
		case OPT_MAP:
			set_task(fsck, MAP, NULL);
			break;
		default:
			/* getopt_long() has said what is wrong. */
			exit_usage();
		}
	}
	if (argc - optind != 1)
		die_usage("one image has to be given, not %d", argc - optind);
	fsck->image = argv[optind];
}

static void set_block_size(struct reader *rd, __u32 size)
{
	rd->any_block_size = !size;
	rd->block_size = size ? size : BLOCK_SIZE;
}

static void check_counts(const struct catalog *cat)
{
	const struct reader *rd = cat->rd;

	if (!(rd->flags & CRAMFS_FLAG_FSID_VERSION_2))
		return;
	if (cat->nr_entries != rd->nr_files)
		problem("superblock: %u entries, but there are %llu", rd->nr_files,
			cat->nr_entries);
	if (cat->nr_pointers != rd->nr_blocks)
		problem("superblock: %u blocks, but there are %llu", rd->nr_blocks,
			cat->nr_pointers);
}

/* The steps that need the ones before to have gone well are left out if they did not. */
static void check(struct catalog *cat)
{
	blocks_check(cat, true);
	if (!nr_problems())
		check_counts(cat);
	if (!nr_problems())
		map_check(cat);
}

static bool run_task(const struct fsck *fsck, struct catalog *cat)
{
	switch (fsck->task) {
	case CHECK:
		check(cat);
		return true;
	case EXTRACT:
		check(cat);
		if (cat->dirs || !cat->rd->root.size)
			return extract(cat, fsck->path, fsck->verbose);
		complain("%s: nothing can be extracted", fsck->image);
		return true;
	case LIST:
		list_text(cat);
		return true;
	case LIST_JSON:
		list_json(cat);
		return true;
	case CAT:
		cat_file(cat, fsck->path);
		return true;
	case MAP:
		blocks_check(cat, false);
		map_print(cat);
		return true;
	}
	return true;
}

/* Return: false if what was asked for could not be done, though the image is not to blame. */
static bool check_rest(struct reader *rd, const struct fsck *fsck, bool whole)
{
	struct catalog cat;
	bool done;

	if (!reader_check_super(rd, whole))
		return true;
	catalog_fill(&cat, rd);
	set_block_size(rd, fsck->block_size ? fsck->block_size : blocks_find_size(&cat));
	done = run_task(fsck, &cat);
	catalog_free(&cat);
	return done;
}

/**
 * fsck_main() - fsck.cramfs
 * @argc: as of main()
 * @argv: likewise
 *
 * Return: the exit status, as fsck(8) has it.
 */
int fsck_main(int argc, char **argv)
{
	struct fsck fsck = { 0 };
	struct reader rd;
	bool whole, done = true;

	parse_options(&fsck, argc, argv);
	whole = fsck.task == CHECK || fsck.task == EXTRACT;

	reader_open(&rd, fsck.image);
	if (reader_super(&rd)) {
		if (fsck.verbose && whole)
			printf("cramfs endianness is %s\n", rd.big_endian ? "big" : "little");
		done = check_rest(&rd, &fsck, whole);
	}
	reader_close(&rd);

	if (fsck.verbose && whole && !nr_problems())
		printf("%s: OK\n", fsck.image);
	finish_stdout();
	report_end(fsck.image);
	if (nr_problems())
		return EXIT_UNCORRECTED;
	return done ? 0 : EXIT_ERROR;
}
