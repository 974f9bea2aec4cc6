// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told of an image when it is complete: the lines at the end for a person, the report of
 * each file and of the layout for a person or, as JSON, for a program. What became of each block
 * has been counted by who wrote it; why it is not in place is in its mark.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkcramfs.h"

/* Why a block is not in place: a key for programs, and what it means for people. */
static const struct {
	const char *key, *text;
} reasons[NR_MARKS] = {
	[MARK_NONE] = { "not_asked_for", "neither -X nor a rule asks for them" },
	[MARK_WRITABLE] = { "writable", "of writable segments" },
	[MARK_ZEROED] = { "zeroed", "of segments of which the kernel zeroes the end" },
	[MARK_MISPLACED] = { "misplaced",
			     "of segments at another place in their page than in memory" },
	[MARK_OUTSIDE] = { "outside", "of programs, but not loaded with them" },
	[MARK_RULE] = { "rule", "a rule does not want them there" },
	[MARK_LAST] = { "last", "full last blocks without a stored one before them" },
	[MARK_COPIED] = { "copied", "of programs, but copied to RAM by the kernel" },
	[MARK_RELOCATED] = { "relocated", "of text that the kernel would write to" },
	[MARK_DAMAGED] = { "damaged", "of damaged programs" },
};

/* The number of blocks for each mark. */
struct marks {
	__u32 nr[NR_MARKS];
};

struct region {
	const char *key, *text;
	__u64 begin, end;
};

#define MAX_REGIONS	9

static bool is_reported(const struct entry *e)
{
	return S_ISREG(e->mode) || S_ISLNK(e->mode);
}

static void count_marks(const struct entry *e, const struct options *opt, struct marks *marks)
{
	unsigned int i, nr = nr_blocks(e, opt);

	/* The blocks of this one are those of another entry, and counted there. */
	if (e->same)
		return;
	if (!e->mark) {
		marks->nr[rule_is_none(e->rule) ? MARK_RULE : MARK_NONE] += nr;
		return;
	}
	for (i = 0; i < nr; i++)
		marks->nr[e->mark[i]]++;
}

static void count_all_marks(const struct entry *e, const struct options *opt, struct marks *marks)
{
	size_t i;

	if (is_reported(e))
		count_marks(e, opt, marks);
	for (i = 0; i < e->nr_children; i++)
		count_all_marks(e->child[i], opt, marks);
}

/* How many entries there are that have data, or may. */
struct count {
	size_t files, links, same;
};

static void count_entries(const struct entry *e, struct count *count)
{
	size_t i;

	count->files += S_ISREG(e->mode);
	count->links += S_ISLNK(e->mode);
	count->same += !!e->same;
	for (i = 0; i < e->nr_children; i++)
		count_entries(e->child[i], count);
}

static __u64 compressed_source_bytes(const struct usage *u)
{
	return u->in_bytes - u->in_place_bytes - u->stored_bytes - u->shared_bytes - u->hole_bytes;
}

static unsigned int find_regions(const struct options *opt, const struct layout *l,
				 struct region *out)
{
	__u64 super = opt->pad ? BOOT_PAD : 0;
	const struct region all[MAX_REGIONS] = {
		{ "boot_code", "room for boot code", 0, super },
		{ "superblock", "superblock", super, super + sizeof(struct cramfs_super) },
		{ "inserted", "inserted file", super + sizeof(struct cramfs_super),
		  l->directories },
		{ "directories", "directories", l->directories, l->data },
		{ "data", "block pointers and blocks", l->data, l->far_data },
		{ "far_data", "blocks away from their pointers", l->far_data, l->data_end },
		{ "padding", "padding", l->data_end, l->in_place },
		{ "in_place", "in place", l->in_place, l->end },
		{ "padding", "padding", l->end, l->size },
	};
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_REGIONS; i++) {
		if (all[i].begin < all[i].end)
			out[nr++] = all[i];
	}
	return nr;
}

static void put_path(FILE *f, const char *path)
{
	char *text = printable(path);

	fputs(text, f);
	free(text);
}

static void put_image_path(FILE *f, const struct entry *e)
{
	char *path = entry_image_path(e);

	put_path(f, path);
	free(path);
}

static void text_usage(FILE *f, const struct usage *u)
{
	fprintf(f, "%10llu %10llu %10llu %10llu %10llu %10llu %10llu  ", u->in_place_bytes,
		u->compressed_bytes, u->stored_bytes, u->shared_bytes, u->hole_bytes,
		u->pointer_bytes, u->padding);
}

static bool has_reason(const struct marks *marks)
{
	unsigned int i;

	for (i = MARK_IN_PLACE + 1; i < NR_MARKS; i++) {
		if (marks->nr[i])
			return true;
	}
	return false;
}

static void text_reasons(FILE *f, const struct marks *marks)
{
	const char *before = " (blocks not in place: ";
	unsigned int i;

	/* That nobody asked for any block of a file goes without saying. */
	if (!marks->nr[MARK_IN_PLACE] && !has_reason(marks))
		return;
	for (i = 0; i < NR_MARKS; i++) {
		if (i == MARK_IN_PLACE || !marks->nr[i])
			continue;
		fprintf(f, "%s%u %s", before, marks->nr[i], reasons[i].key);
		before = ", ";
	}
	if (!strcmp(before, ", "))
		fputc(')', f);
}

static void text_file(FILE *f, const struct entry *e, const struct options *opt)
{
	struct usage u = entry_usage(e, opt);
	struct marks marks = {};

	text_usage(f, &u);
	put_image_path(f, e);
	if (e->same) {
		fputs(" (same as ", f);
		put_image_path(f, e->same);
		fputc(')', f);
	}
	count_marks(e, opt, &marks);
	text_reasons(f, &marks);
	fputc('\n', f);
}

static void text_files(FILE *f, const struct entry *e, const struct options *opt)
{
	size_t i;

	if (is_reported(e))
		text_file(f, e, opt);
	for (i = 0; i < e->nr_children; i++)
		text_files(f, e->child[i], opt);
}

static void text_report(FILE *f, const struct entry *root, const struct options *opt,
			const struct usage *total)
{
	struct marks marks = {};
	unsigned int i;

	fprintf(f, "%10s %10s %10s %10s %10s %10s %10s  %s\n", "in place", "compressed", "stored",
		"shared", "holes", "pointers", "padding", "path (all numbers are bytes)");
	text_files(f, root, opt);
	text_usage(f, total);
	fputs("total\n", f);

	count_all_marks(root, opt, &marks);
	fprintf(f, "\n%10u blocks in place; not in place:\n", marks.nr[MARK_IN_PLACE]);
	for (i = 0; i < NR_MARKS; i++) {
		if (i != MARK_IN_PLACE && marks.nr[i])
			fprintf(f, "%10u %s: %s\n", marks.nr[i], reasons[i].key, reasons[i].text);
	}
}

static void text_layout(FILE *f, const struct options *opt, const struct layout *layout)
{
	struct region region[MAX_REGIONS];
	unsigned int i, nr = find_regions(opt, layout, region);

	fprintf(f, "%10s  %10s  %10s  %s\n", "begin", "end", "bytes", "contents");
	for (i = 0; i < nr; i++)
		fprintf(f, "0x%08llx  0x%08llx  %10llu  %s\n", region[i].begin, region[i].end,
			region[i].end - region[i].begin, region[i].text);
}

/* An object of numbers; ends with a member that has no name. */
struct member {
	const char *key;
	__u64 value;
};

static void json_numbers(FILE *f, const char *key, const struct member *m)
{
	const char *before = "";

	fprintf(f, "\"%s\":{", key);
	for (; m->key; m++) {
		fprintf(f, "%s\"%s\":%llu", before, m->key, m->value);
		before = ",";
	}
	fputc('}', f);
}

static void json_usage(FILE *f, const struct usage *u)
{
	const struct member blocks[] = {
		{ "in_place", u->in_place }, { "compressed", u->compressed },
		{ "stored", u->stored }, { "shared", u->shared }, { "holes", u->holes }, {}
	};
	const struct member bytes[] = {
		{ "in_place", u->in_place_bytes }, { "compressed", u->compressed_bytes },
		{ "compressed_from", compressed_source_bytes(u) }, { "stored", u->stored_bytes },
		{ "shared", u->shared_bytes }, { "holes", u->hole_bytes },
		{ "pointers", u->pointer_bytes }, { "padding", u->padding }, {}
	};

	json_numbers(f, "blocks", blocks);
	fputc(',', f);
	json_numbers(f, "bytes", bytes);
	fputc(',', f);
}

static void json_reasons(FILE *f, const struct marks *marks)
{
	struct member member[NR_MARKS] = {};
	unsigned int i, nr = 0;

	for (i = 0; i < NR_MARKS; i++) {
		if (i != MARK_IN_PLACE && marks->nr[i])
			member[nr++] = (struct member){ reasons[i].key, marks->nr[i] };
	}
	json_numbers(f, "not_in_place", member);
}

static void json_file(FILE *f, const struct entry *e, const struct options *opt)
{
	struct usage u = entry_usage(e, opt);
	char *path = entry_image_path(e);
	struct marks marks = {};

	fputc('{', f);
	json_path(f, path, strlen(path));
	free(path);
	fprintf(f, ",\"type\":\"%s\",\"size\":%llu,\"offset\":%llu,",
		S_ISLNK(e->mode) ? "symlink" : "file", e->size, e->offset);
	if (e->same) {
		path = entry_image_path(e->same);
		fputs("\"same_as\":{", f);
		json_path(f, path, strlen(path));
		fputs("},", f);
		free(path);
	}
	if (u.in_place)
		fprintf(f, "\"in_place_offset\":%llu,", e->in_place_offset);
	json_usage(f, &u);
	count_marks(e, opt, &marks);
	json_reasons(f, &marks);
	fputc('}', f);
}

static void json_files(FILE *f, const struct entry *e, const struct options *opt,
		       const char **before)
{
	size_t i;

	if (is_reported(e)) {
		fputs(*before, f);
		json_file(f, e, opt);
		*before = ",\n";
	}
	for (i = 0; i < e->nr_children; i++)
		json_files(f, e->child[i], opt, before);
}

static void json_layout(FILE *f, const struct options *opt, const struct layout *layout)
{
	struct region region[MAX_REGIONS];
	unsigned int i, nr = find_regions(opt, layout, region);

	fputs("\"layout\":[\n", f);
	for (i = 0; i < nr; i++)
		fprintf(f, "{\"contents\":\"%s\",\"begin\":%llu,\"end\":%llu}%s\n", region[i].key,
			region[i].begin, region[i].end, i + 1 < nr ? "," : "");
	fputs("]", f);
}

static void json_report(FILE *f, const struct entry *root, const struct options *opt,
			const struct layout *layout, const struct usage *total)
{
	struct marks marks = {};
	struct count count = {};
	const char *before = "";

	count_entries(root, &count);
	count_all_marks(root, opt, &marks);
	fprintf(f, "{\"size\":%llu,\n\"files\":[\n", layout->size);
	json_files(f, root, opt, &before);
	fprintf(f, "\n],\n\"total\":{\"files\":%zu,\"symlinks\":%zu,\"same\":%zu,\"size\":%llu,",
		count.files, count.links, count.same, total->in_bytes);
	json_usage(f, total);
	json_reasons(f, &marks);
	fputs("},\n", f);
	json_layout(f, opt, layout);
	fputs("}\n", f);
}

static void summary_line(FILE *f, const char *what, __u32 nr, __u64 bytes, const char *more)
{
	if (nr)
		fprintf(f, "  %-10s %8u block%s %10llu bytes%s\n", what, nr, nr == 1 ? " " : "s",
			bytes, more);
}

static void text_summary(FILE *f, const struct entry *root, const struct options *opt,
			 const struct layout *layout, const struct usage *total)
{
	struct count count = {};
	char more[64];

	count_entries(root, &count);
	put_path(f, opt->output);
	fprintf(f, ": %llu bytes", layout->size);
	if (total->in_bytes)
		fprintf(f, ", %.1f %% of the %llu", 100.0 * layout->size / total->in_bytes,
			total->in_bytes);
	fprintf(f, " in %zu file%s", count.files, count.files == 1 ? "" : "s");
	if (count.links)
		fprintf(f, " and %zu symbolic link%s", count.links, count.links == 1 ? "" : "s");
	if (count.same)
		fprintf(f, ", of which %zu the same as others", count.same);
	fputc('\n', f);

	snprintf(more, sizeof(more), " in %llu", total->compressed_bytes);
	summary_line(f, "compressed", total->compressed, compressed_source_bytes(total), more);
	snprintf(more, sizeof(more), " from 0x%llx to 0x%llx", layout->in_place, layout->end);
	summary_line(f, "in place", total->in_place, total->in_place_bytes, more);
	summary_line(f, "stored", total->stored, total->stored_bytes, "");
	summary_line(f, "shared", total->shared, total->shared_bytes, "");
	summary_line(f, "holes", total->holes, total->hole_bytes, "");
	fprintf(f, "  directories %llu, block pointers %llu, padding %llu bytes\n",
		layout->data - layout->directories, total->pointer_bytes, total->padding);
}

/**
 * summary_print() - tell what is asked for about an image
 * @root: root of the tree, after image_write()
 * @opt: options
 * @layout: what lies where in the image
 * @total: what became of all blocks
 */
void summary_print(const struct entry *root, const struct options *opt,
		   const struct layout *layout, const struct usage *total)
{
	const char *before = "";
	FILE *f = stdout;

	if (opt->report == REPORT_JSON) {
		/* The layout is part of it. */
		json_report(f, root, opt, layout, total);
		return;
	}
	if (opt->report == REPORT_TEXT) {
		text_report(f, root, opt, total);
		before = "\n";
	}
	if (opt->show_layout) {
		fputs(before, f);
		text_layout(f, opt, layout);
		before = "\n";
	}
	if (opt->verbose || (!opt->quiet && isatty(fileno(f)))) {
		fputs(before, f);
		text_summary(f, root, opt, layout, total);
	}
}
