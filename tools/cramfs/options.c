// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of mkcramfs: all options of cramfs-tools' mkcramfs and of util-linux's
 * mkfs.cramfs with their meanings there, and our own. What contradicts itself or is out of range
 * is refused here, by the option's name.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "compress.h"

#define MAX_THREADS	1024

static const char synopsis[] =
	"usage: %s [OPTION]... DIRECTORY OUTPUT\n"
	"       %s [OPTION]... --tar ARCHIVE OUTPUT\n";

static const char help[] =
	"Make OUTPUT, the cramfs image of DIRECTORY or of the contents of ARCHIVE.\n"
	"\n"
	"What goes in:\n"
	"      --tar ARCHIVE        read a tar or other archive; - is standard input\n"
	"  -D, --device-table FILE  create and change entries by the device table FILE\n"
	"  -q, --squash-owners      make everything owned by user 0, group 0\n"
	"      --uid N, --gid N     make everything owned by this user, this group\n"
	"      --mode MODE          permissions of files and directories: 644,755 or go-w\n"
	"      --exclude GLOB       leave out what matches; may be given more than once\n"
	"      --last-wins          if an archive has a name twice, take the last one\n"
	"\n"
	"What the image is like:\n"
	"  -n, --name NAME          name of the file system, 16 bytes at most\n"
	"  -e, --edition N          edition number, a part of the file system's identity\n"
	"  -L, --little-endian      make a little-endian image\n"
	"  -B, --big-endian         make a big-endian image\n"
	"  -N, --byte-order ORDER   the same: little, big or host (the default)\n"
	"  -b, --blocksize N        bytes a block, as the kernel has pages; 4096\n"
	"  -p, --pad                leave 512 bytes for boot code before the superblock\n"
	"  -i, --insert FILE        insert the image FILE after the superblock\n"
	"      --sort FILE          put files in the order that FILE gives\n"
	"\n"
	"How it is compressed:\n"
	"  -l, --level N            from 1, fast, to 12, small (mkfs.cramfs: not -l)\n"
	"      --best-practical     the same as --level 12\n"
	"      --best               still smaller, and very slow (zopfli)\n"
	"  -x, --extended-pointers  use extended block pointers (Linux 4.15 and later)\n"
	"      --no-share-blocks    with these, share no blocks between unlike files\n"
	"  -U, --uncompressed       do not compress; implies -x\n"
	"  -z, --holes              leave out blocks of zeros (the default)\n"
	"      --no-holes           do not leave them out\n"
	"      --compat util-linux  make the image that mkfs.cramfs of util-linux makes\n"
	"\n"
	"Execution in place; these imply -x:\n"
	"  -X, --xip                store text of ELF and bFLT files as it is\n"
	"  -X -X, --xip=mmu         the same for processors with an MMU: in whole pages\n"
	"      --xip-rules FILE     store what the rules in FILE say\n"
	"\n"
	"What the format cannot hold is an error, but for:\n"
	"      --squash-ids         make users above 65535 and groups above 255 0\n"
	"      --truncate-files     cut files to 16 MiB less one byte\n"
	"      --truncate-label     cut the name of the file system to 16 bytes\n"
	"      --skip-unrepresentable  leave out such files, names, links and devices\n"
	"      --skip-unreadable    leave out what may not be read\n"
	"\n"
	"How it is made:\n"
	"  -j, --threads N          use N threads (one for each processor)\n"
	"      --lock[=MODE]        lock the output: yes, no or nonblock\n"
	"  -l[MODE]                 the same, as mkfs.cramfs only\n"
	"  -E, --warnings-are-errors  make no image if there is a warning\n"
	"  -s                       sort directories (always done)\n"
	"\n"
	"What is printed:\n"
	"  -v, --verbose            the tree; twice: how each file is stored, too\n"
	"      --report[=FORMAT]    what became of the files: text or json\n"
	"      --layout             what lies where in the image\n"
	"      --quiet              nothing but warnings and errors\n"
	"  -V, --version            the version\n"
	"  -h, --help               this help\n"
	"\n"
	"OUTPUT may be -, which is standard output. See mkcramfs(8) for all of this.\n";

/* Options without a short form. */
enum {
	OPT_TAR = 256,
	OPT_UID,
	OPT_GID,
	OPT_MODE,
	OPT_EXCLUDE,
	OPT_LAST_WINS,
	OPT_SORT,
	OPT_LEVEL,
	OPT_BEST,
	OPT_BEST_PRACTICAL,
	OPT_NO_SHARE_BLOCKS,
	OPT_NO_HOLES,
	OPT_COMPAT,
	OPT_XIP,
	OPT_XIP_RULES,
	OPT_SQUASH_IDS,
	OPT_TRUNCATE_FILES,
	OPT_TRUNCATE_LABEL,
	OPT_SKIP_UNREPRESENTABLE,
	OPT_SKIP_UNREADABLE,
	OPT_LOCK,
	OPT_REPORT,
	OPT_LAYOUT,
	OPT_QUIET,
};

static const struct option long_options[] = {
	{ "tar", required_argument, NULL, OPT_TAR },
	{ "device-table", required_argument, NULL, 'D' },
	{ "squash-owners", no_argument, NULL, 'q' },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "exclude", required_argument, NULL, OPT_EXCLUDE },
	{ "last-wins", no_argument, NULL, OPT_LAST_WINS },
	{ "name", required_argument, NULL, 'n' },
	{ "edition", required_argument, NULL, 'e' },
	{ "little-endian", no_argument, NULL, 'L' },
	{ "big-endian", no_argument, NULL, 'B' },
	{ "byte-order", required_argument, NULL, 'N' },
	{ "blocksize", required_argument, NULL, 'b' },
	{ "pad", no_argument, NULL, 'p' },
	{ "insert", required_argument, NULL, 'i' },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "best", no_argument, NULL, OPT_BEST },
	{ "best-practical", no_argument, NULL, OPT_BEST_PRACTICAL },
	{ "extended-pointers", no_argument, NULL, 'x' },
	{ "no-share-blocks", no_argument, NULL, OPT_NO_SHARE_BLOCKS },
	{ "uncompressed", no_argument, NULL, 'U' },
	{ "holes", no_argument, NULL, 'z' },
	{ "no-holes", no_argument, NULL, OPT_NO_HOLES },
	{ "compat", required_argument, NULL, OPT_COMPAT },
	{ "xip", optional_argument, NULL, OPT_XIP },
	{ "xip-rules", required_argument, NULL, OPT_XIP_RULES },
	{ "squash-ids", no_argument, NULL, OPT_SQUASH_IDS },
	{ "truncate-files", no_argument, NULL, OPT_TRUNCATE_FILES },
	{ "truncate-label", no_argument, NULL, OPT_TRUNCATE_LABEL },
	{ "skip-unrepresentable", no_argument, NULL, OPT_SKIP_UNREPRESENTABLE },
	{ "skip-unreadable", no_argument, NULL, OPT_SKIP_UNREADABLE },
	{ "threads", required_argument, NULL, 'j' },
	{ "lock", optional_argument, NULL, OPT_LOCK },
	{ "warnings-are-errors", no_argument, NULL, 'E' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "report", optional_argument, NULL, OPT_REPORT },
	{ "layout", no_argument, NULL, OPT_LAYOUT },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

#define SHORT_OPTIONS "D:qn:e:LBN:b:pi:xUzXj:EsvVh"

/* What has been asked for that has no place of its own in the options. */
struct wishes {
	const char *label;
	bool truncate_label;
	bool holes, level, own_blocks;
};

static bool is_util_linux(void)
{
	return strstr(program, "mkfs");
}

/* As the option is named in messages: its long form, of which each has one but -s. */
static const char *name_of(int c)
{
	const struct option *o;

	for (o = long_options; o->name; o++) {
		if (o->val == c)
			return o->name;
	}
	return "?";
}

static unsigned long parse_number(int c, const char *arg, unsigned long min, unsigned long max)
{
	unsigned long val;
	char *end;

	errno = 0;
	val = strtoul(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end || errno || val < min || val > max)
		die_usage("--%s %s: not a number from %lu to %lu", name_of(c), arg, min, max);
	return val;
}

static noreturn void bad_choice(int c, const char *arg, const char *choices)
{
	die_usage("--%s %s: is none of %s", name_of(c), arg, choices);
}

static bool parse_byte_order(const char *arg)
{
	if (!strcmp(arg, "big"))
		return true;
	if (!strcmp(arg, "little"))
		return false;
	if (!strcmp(arg, "host"))
		return is_big_endian_host();
	bad_choice('N', arg, "big, little and host");
}

static unsigned int parse_block_size(const char *arg)
{
	unsigned long val = parse_number('b', arg, BLOCK_SIZE, MAX_BLOCK_SIZE);

	if (val & (val - 1))
		die_usage("--blocksize %s: not a power of two", arg);
	return val;
}

static const char *parse_mode(const char *arg)
{
	mode_t mode = S_IFREG;

	if (!mode_change(arg, &mode))
		die_usage("--mode %s: neither permissions in octal nor changes such as go-w", arg);
	return arg;
}

/* Also "=yes", as util-linux takes it from -l=yes. Returns false if it is no mode. */
static bool parse_lock(const char *arg, enum lock *lock)
{
	static const struct {
		const char *name;
		enum lock lock;
	} modes[] = {
		{ "yes", LOCK_WAIT }, { "1", LOCK_WAIT }, { "no", LOCK_NONE }, { "0", LOCK_NONE },
		{ "nonblock", LOCK_NOWAIT }, { 0 }
	}, *mode;

	*lock = LOCK_WAIT;
	if (!arg)
		return true;
	arg += *arg == '=';
	for (mode = modes; mode->name && strcasecmp(arg, mode->name); mode++)
		;
	*lock = mode->lock;
	return mode->name;
}

static enum lock lock_by_option(const char *arg)
{
	enum lock lock;

	if (!parse_lock(arg, &lock))
		bad_choice(OPT_LOCK, arg, "yes, no and nonblock");
	return lock;
}

/* What util-linux does without an option. */
static enum lock lock_by_environment(void)
{
	const char *arg = getenv("LOCK_BLOCK_DEVICE");
	enum lock lock;

	if (!arg || !is_util_linux())
		return LOCK_NONE;
	if (!parse_lock(arg, &lock))
		die_usage("LOCK_BLOCK_DEVICE %s: is none of yes, no and nonblock", arg);
	return lock;
}

static void parse_xip(const char *arg, struct options *opt)
{
	if (!arg)
		opt->xip = opt->xip == XIP_NONE ? XIP_NOMMU : XIP_MMU;
	else if (!strcmp(arg, "mmu"))
		opt->xip = XIP_MMU;
	else if (!strcmp(arg, "nommu"))
		opt->xip = XIP_NOMMU;
	else
		bad_choice(OPT_XIP, arg, "mmu and nommu");
}

static enum report parse_report(const char *arg)
{
	if (!arg || !strcmp(arg, "text"))
		return REPORT_TEXT;
	if (!strcmp(arg, "json"))
		return REPORT_JSON;
	bad_choice(OPT_REPORT, arg, "text and json");
}

/* Refuses what can match nothing, since then something else was meant. */
static void add_exclude(const char *arg, struct options *opt)
{
	const char *s = arg + strspn(arg, "/");
	bool bad = !*s;
	size_t len;

	for (; *s; s += len + strspn(s + len, "/")) {
		len = strcspn(s, "/");
		bad |= (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
	}
	if (bad)
		die_usage("--exclude %s: matches no path in an image", arg);
	opt->exclude = xgrow(opt->exclude, (opt->nr_exclude + 1) * sizeof(*opt->exclude));
	opt->exclude[opt->nr_exclude++] = (struct exclude){ .pattern = arg };
}

static void add_device_table(const char *arg, struct options *opt)
{
	opt->device_table = xgrow(opt->device_table,
				  (opt->nr_device_tables + 1) * sizeof(*opt->device_table));
	opt->device_table[opt->nr_device_tables++] = arg;
}

/* A file that cannot be meant in addition to an earlier one, nor in its place. */
static void set_once(int c, const char **where, const char *arg)
{
	if (*where)
		die_usage("--%s %s: given twice", name_of(c), arg);
	*where = arg;
}

static noreturn void show_help(void)
{
	printf(synopsis, program, program);
	fputs(help, stdout);
	exit(fflush(stdout) ? EXIT_ERROR : EXIT_SUCCESS);
}

static noreturn void show_version(void)
{
	printf("%s from cramfs-xip %s\n", program, VERSION);
	exit(fflush(stdout) ? EXIT_ERROR : EXIT_SUCCESS);
}

static void set_level(int level, struct options *opt, struct wishes *wishes)
{
	opt->level = level;
	wishes->level = true;
}

static void parse_option(int c, char *arg, struct options *opt, struct wishes *wishes)
{
	switch (c) {
	case 'h':
		show_help();
	case 'V':
		show_version();
	case OPT_TAR:
		set_once(c, &opt->source, arg);
		opt->archive = true;
		break;
	case 'D':
		add_device_table(arg, opt);
		break;
	case 'q':
		opt->uid = 0;
		opt->gid = 0;
		break;
	case OPT_UID:
		opt->uid = parse_number(c, arg, 0, MAX_UID);
		break;
	case OPT_GID:
		opt->gid = parse_number(c, arg, 0, MAX_GID);
		break;
	case OPT_MODE:
		opt->mode = parse_mode(arg);
		break;
	case OPT_EXCLUDE:
		add_exclude(arg, opt);
		break;
	case OPT_LAST_WINS:
		opt->last_wins = true;
		break;
	case 'n':
		wishes->label = arg;
		break;
	case 'e':
		opt->edition = parse_number(c, arg, 0, 0xffffffff);
		break;
	case 'L':
		opt->big_endian = false;
		break;
	case 'B':
		opt->big_endian = true;
		break;
	case 'N':
		opt->big_endian = parse_byte_order(arg);
		break;
	case 'b':
		opt->block_size = parse_block_size(arg);
		break;
	case 'p':
		opt->pad = true;
		break;
	case 'i':
		set_once(c, &opt->boot_file, arg);
		break;
	case OPT_SORT:
		set_once(c, &opt->sort_file, arg);
		break;
	case OPT_LEVEL:
		set_level(parse_number(c, arg, 1, MAX_LEVEL), opt, wishes);
		break;
	case OPT_BEST_PRACTICAL:
		set_level(MAX_LEVEL, opt, wishes);
		break;
	case OPT_BEST:
		zopfli_require();
		set_level(LEVEL_ZOPFLI, opt, wishes);
		break;
	case 'x':
		opt->ext_pointers = true;
		break;
	case OPT_NO_SHARE_BLOCKS:
		wishes->own_blocks = true;
		break;
	case 'U':
		opt->uncompressed = true;
		break;
	case 'z':
		opt->holes = true;
		wishes->holes = true;
		break;
	case OPT_NO_HOLES:
		opt->holes = false;
		wishes->holes = true;
		break;
	case OPT_COMPAT:
		if (strcmp(arg, "util-linux"))
			die_usage("--compat %s: only util-linux is known", arg);
		opt->compat = true;
		break;
	case 'X':
		parse_xip(NULL, opt);
		break;
	case OPT_XIP:
		parse_xip(arg, opt);
		break;
	case OPT_XIP_RULES:
		set_once(c, &opt->xip_rules, arg);
		break;
	case OPT_SQUASH_IDS:
		opt->squash_ids = true;
		break;
	case OPT_TRUNCATE_FILES:
		opt->truncate_files = true;
		break;
	case OPT_TRUNCATE_LABEL:
		wishes->truncate_label = true;
		break;
	case OPT_SKIP_UNREPRESENTABLE:
		opt->skip_unrepresentable = true;
		break;
	case OPT_SKIP_UNREADABLE:
		opt->skip_unreadable = true;
		break;
	case 'j':
		opt->threads = parse_number(c, arg, 1, MAX_THREADS);
		break;
	case 'l':
		if (is_util_linux())
			opt->lock = lock_by_option(arg);
		else
			set_level(parse_number(OPT_LEVEL, arg, 1, MAX_LEVEL), opt, wishes);
		break;
	case OPT_LOCK:
		opt->lock = lock_by_option(arg);
		break;
	case 'E':
		opt->warnings_are_errors = true;
		break;
	case 's':
		break;
	case 'v':
		opt->verbose++;
		break;
	case OPT_REPORT:
		opt->report = parse_report(arg);
		break;
	case OPT_LAYOUT:
		opt->show_layout = true;
		break;
	case OPT_QUIET:
		opt->quiet = true;
		break;
	default:
		/* getopt_long() has said what is wrong. */
		exit_usage();
	}
}

static void parse_operands(int nr, char **operand, struct options *opt)
{
	const char *want = opt->archive ? "an output is needed" :
			   "a directory and an output are needed";

	if (nr < 2 - opt->archive) {
		fprintf(stderr, "%s: %s\n", program, want);
		fprintf(stderr, synopsis, program, program);
		exit_usage();
	}
	if (nr > 2 - opt->archive)
		die_usage("%s: one operand too many%s", operand[2 - opt->archive],
			  opt->archive ? ", as --tar takes the place of the directory" : "");
	if (!opt->archive)
		opt->source = *operand++;
	opt->output = *operand;
}

static void set_label(struct options *opt, const struct wishes *wishes)
{
	static char label[sizeof(((struct cramfs_super *)0)->name) + 1];
	const char *want = wishes->label ? wishes->label : "Compressed";

	if (strlen(want) > sizeof(label) - 1) {
		if (!wishes->truncate_label)
			die_usage("--name %s: longer than %zu bytes (--truncate-label cuts it)",
				  want, sizeof(label) - 1);
		warn("--name %s: cut to %zu bytes", want, sizeof(label) - 1);
	}
	/* The last byte stays NUL. */
	memcpy(label, want, strnlen(want, sizeof(label) - 1));
	opt->label = label;
}

static void refuse(bool first, const char *option, bool second, const char *other)
{
	if (first && second)
		die_usage("%s contradicts %s", option, other);
}

static void refuse_contradictions(const struct options *opt, const struct wishes *wishes)
{
	bool in_place = opt->xip != XIP_NONE || opt->xip_rules;

	refuse(opt->compat, "--compat", opt->xip != XIP_NONE, "-X");
	refuse(opt->compat, "--compat", opt->xip_rules, "--xip-rules");
	refuse(opt->compat, "--compat", opt->uncompressed, "-U");
	refuse(opt->compat, "--compat", opt->ext_pointers, "-x");
	refuse(opt->compat, "--compat", wishes->level, "--level and --best");
	refuse(opt->compat, "--compat", opt->sort_file, "--sort");
	refuse(opt->uncompressed, "-U", wishes->level, "--level and --best");
	refuse(in_place, "execution in place", opt->block_size != BLOCK_SIZE,
	       "a block size other than 4096");
	refuse(opt->last_wins, "--last-wins", !opt->archive, "a source that is no archive");
	refuse(opt->quiet, "--quiet", opt->verbose, "--verbose");
	/* Nothing else is to be in the way of who reads it. */
	refuse(opt->report == REPORT_JSON, "--report=json", opt->verbose, "--verbose");
}

static unsigned int nr_cpus(void)
{
	cpu_set_t set;

	/* Fails on a machine with more processors than the set has room for. */
	if (!sched_getaffinity(0, sizeof(set), &set))
		return CPU_COUNT(&set);
	return sysconf(_SC_NPROCESSORS_ONLN) > 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
}

static void fill_in(struct options *opt, const struct wishes *wishes)
{
	opt->ext_pointers |= opt->xip != XIP_NONE || opt->xip_rules || opt->uncompressed;
	opt->share_blocks = opt->ext_pointers && !wishes->own_blocks;
	if (opt->compat) {
		opt->level = LEVEL_ZLIB;
		opt->holes &= wishes->holes;
	}
	if (!opt->threads)
		opt->threads = nr_cpus();
	if (opt->threads > MAX_THREADS)
		opt->threads = MAX_THREADS;
	set_label(opt, wishes);
}

/**
 * options_parse() - read the command line; ends the program if it is wrong
 * @argc: number of arguments
 * @argv: arguments, which may be put into another order
 * @opt: to be filled in
 */
void options_parse(int argc, char **argv, struct options *opt)
{
	const char *letters = is_util_linux() ? SHORT_OPTIONS "l::" : SHORT_OPTIONS "l:";
	struct wishes wishes = { 0 };
	int c;

	*opt = (struct options){
		.big_endian = is_big_endian_host(),
		.block_size = BLOCK_SIZE,
		.level = LEVEL_DEFAULT,
		.holes = true,
		.lock = lock_by_environment(),
		.uid = -1,
		.gid = -1,
	};
	/* For the messages of getopt_long(). */
	if (argc)
		argv[0] = (char *)program;
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
		parse_option(c, optarg, opt, &wishes);
	parse_operands(argc - optind, argv + optind, opt);
	refuse_contradictions(opt, &wishes);
	fill_in(opt, &wishes);
}
