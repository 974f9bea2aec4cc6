// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs: make a cramfs image. This file is the order of the steps; each step is in a file of its
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>

#include "mkcramfs.h"

/* Locked until the program ends: partition tools and udev leave a locked device alone. */
static void lock_output(const struct options *opt)
{
	int fd;

	if (opt->lock == LOCK_NONE || !strcmp(opt->output, "-"))
		return;
	/* A file that is yet to be made, or will be replaced, is in nobody's way. */
	fd = open(opt->output, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	/* NFS locks only what is written to; but a file that will be replaced may be read-only. */
	if (fd < 0)
		fd = open(opt->output, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0)
		die_errno(opt->output);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return;
	if (errno != EWOULDBLOCK)
		die_errno(opt->output);
	if (opt->lock == LOCK_NOWAIT)
		die("%s: locked by somebody else", opt->output);
	fprintf(stderr, "%s: %s: waiting until nobody else has it locked\n", program, opt->output);
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR)
			die_errno(opt->output);
	}
}

static void die_if_warnings(const struct options *opt)
{
	if (opt->warnings_are_errors && nr_warnings())
		die("%s: not made, as -E makes warnings errors", opt->output);
}

static void warn_of_excludes(const struct options *opt)
{
	size_t i;

	for (i = 0; i < opt->nr_exclude; i++) {
		if (!opt->exclude[i].matches)
			warn("--exclude %s: leaves nothing out", opt->exclude[i].pattern);
	}
}

/* What is to be in the image, and in which order. All that is wrong with it is told at once. */
static struct entry *collect(const struct options *opt)
{
	struct entry *root = opt->archive ? archive_scan(opt) : tree_scan(opt);
	size_t i;

	warn_of_excludes(opt);
	tree_set_attributes(root, opt);
	for (i = 0; i < opt->nr_device_tables; i++)
		devtable_apply(opt->device_table[i], root);
	if (opt->sort_file)
		sort_apply(opt->sort_file, root);
	limits_check(root, opt);
	tree_finish(root);
	die_if_complaints();
	die_if_warnings(opt);
	return root;
}

static void print_tree(const struct entry *e)
{
	char *path = entry_path(e), *name = printable(path);
	size_t i;

	printf("%c %04o %5u:%-3u ", type_letter(e->mode), e->mode & ~S_IFMT, e->uid, e->gid);
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
		printf("%4u,%4u %s", major(e->rdev), minor(e->rdev), name);
	else
		printf("%9llu %s", e->size, name);
	free(name);
	if (S_ISLNK(e->mode)) {
		name = printable(e->target);
		printf(" -> %s", name);
		free(name);
	}
	putchar('\n');
	free(path);
	for (i = 0; i < e->nr_children; i++)
		print_tree(e->child[i]);
}

/* Says that messages could not be printed, and in @but what is there all the same. */
static void check_stdout(const char *but)
{
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s%s", strerror(errno), but);
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
	struct layout layout;
	struct usage total;
	struct options opt;
	struct entry *root;
	struct data *data;

	options_parse(argc, argv, &opt);
	if (opt.xip_rules)
		rules_read(opt.xip_rules);

	lock_output(&opt);
	output_create(opt.output);
	root = collect(&opt);
	if (opt.verbose)
		print_tree(root);

	data = data_analyse(root, &opt);
	progress_start(root, &opt);
	image_write(root, data, &opt, &layout, &total);
	progress_end();
	data_free(data);
	check_stdout("");
	die_if_warnings(&opt);
	output_commit(layout.size);
	summary_print(root, &opt, &layout, &total);
	check_stdout(" (the image has been made)");
	tree_free(root);
	free(opt.device_table);
	free(opt.exclude);
	return EXIT_SUCCESS;
}
