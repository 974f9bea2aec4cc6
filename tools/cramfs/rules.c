// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of a file are stored as they are, so that they can be mapped where they lie: what -X
 * says, or the last rule of a file of rules that matches the path. What is known of the formats of
 * programs is in elf.c and flat.c. Where and how blocks are stored is for data.c to say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkcramfs.h"

/* No file has more pages than this. */
#define MAX_PAGE	(MAX_FILE_SIZE / BLOCK_SIZE)

struct range {
	unsigned int first, last;
	/* some file has such a page */
	bool exists;
};

/**
 * struct rule - one line of the file
 * @line: its number
 * @pattern: of paths
 * @ask: what is to be in place, ASK_*
 * @range: pages that are, too
 * @nr_ranges: how many
 * @matches_file: there is a file that the pattern matches
 * @matches_dir: a directory
 * @matches_other: something else
 * @decides: it is the last one to match a file
 * @has_program: and that is a program
 * @part: of a union of two rules, these; NULL if there is none for one name
 */
struct rule {
	unsigned long line;
	char *pattern;
	unsigned int ask;
	struct range *range;
	size_t nr_ranges;
	bool matches_file, matches_dir, matches_other, decides, has_program;
	struct rule *part[2];
};

static struct {
	struct text text;
	struct rule **list;
	size_t nr;
} rules;

/* The next word from @pos on, which is moved behind it; NULL at the line's end or a comment. */
static char *next_word(char **pos, bool *unclosed)
{
	char *word = *pos + strspn(*pos, BLANKS);
	char *end = word + strcspn(word, BLANKS);

	if (!*word || *word == '#')
		return NULL;
	if (*word == '"') {
		end = text_unquote(word);
		/* If that is not the end of a word, it would not be clear what is meant. */
		*unclosed = !end || (*end && !strchr(BLANKS, *end));
		if (*unclosed)
			return NULL;
	}
	*pos = end;
	if (*end) {
		*end = '\0';
		*pos = end + 1;
	}
	return word;
}

/* A number from @p on, which is moved behind it. */
static bool parse_page(const char **p, unsigned int *page)
{
	unsigned long val;
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	val = strtoul(*p, &end, 10);
	if (val > MAX_PAGE)
		return false;
	*p = end;
	*page = val;
	return true;
}

/* "3", "3-5" or "3-" */
static bool parse_range(const char **p, struct range *range)
{
	*range = (struct range){};
	if (!parse_page(p, &range->first))
		return false;
	range->last = range->first;
	if (**p == '-') {
		(*p)++;
		range->last = MAX_PAGE;
		if (**p && **p != ',' && !parse_page(p, &range->last))
			return false;
	}
	return range->first <= range->last && (!**p || **p == ',');
}

static void add_range(struct rule *rule, const struct range *range)
{
	rule->range = xgrow(rule->range, (rule->nr_ranges + 1) * sizeof(*rule->range));
	rule->range[rule->nr_ranges++] = *range;
}

static void parse_pages(struct rule *rule, const char *text)
{
	const char *p = text;
	struct range range;

	for (;;) {
		if (!text || !parse_range(&p, &range)) {
			complain_line(&rules.text,
				      "'pages' needs numbers up to %u and ranges, as 0-15,20",
				      MAX_PAGE);
			return;
		}
		add_range(rule, &range);
		if (!*p)
			return;
		p++;
	}
}

static void parse_words(struct rule *rule, char *pos)
{
	static const struct {
		const char *word;
		unsigned int ask;
	} asks[] = {
		{ "text", ASK_TEXT }, { "rodata", ASK_RODATA }, { "data", ASK_DATA },
		{ "all", ASK_ALL }, { "none", 0 },
	};
	bool none = false, unclosed = false;
	unsigned int nr = 0;
	const char *word;
	size_t i;

	while ((word = next_word(&pos, &unclosed))) {
		nr++;
		if (!strcmp(word, "pages")) {
			parse_pages(rule, next_word(&pos, &unclosed));
			continue;
		}
		for (i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
			if (!strcmp(word, asks[i].word))
				break;
		}
		if (i == sizeof(asks) / sizeof(*asks)) {
			complain_line(&rules.text,
				      "'%s' is none of: text rodata data all none pages", word);
			continue;
		}
		rule->ask |= asks[i].ask;
		none |= !asks[i].ask;
	}
	if (unclosed)
		complain_line(&rules.text, "quotes that do not end a word");
	else if (!nr)
		complain_line(&rules.text, "nothing is said about %s", rule->pattern);
	if (none && nr > 1)
		complain_line(&rules.text, "'none' stands alone");
}

static void parse_line(char *pos)
{
	bool unclosed = false;
	char *word = next_word(&pos, &unclosed);
	struct rule *rule;

	if (unclosed)
		complain_line(&rules.text, "quotes that do not end a word");
	if (!word)
		return;
	if (!*word)
		complain_line(&rules.text, "an empty pattern");
	rule = xalloc(sizeof(*rule));
	rule->line = rules.text.line;
	rule->pattern = xstrdup(word);
	parse_words(rule, pos);
	rules.list = xgrow(rules.list, (rules.nr + 1) * sizeof(struct rule *));
	rules.list[rules.nr++] = rule;
}

/**
 * rules_read() - read rules; ends the program if some are wrong, when all have been told
 * @path: file with the rules
 */
void rules_read(const char *path)
{
	char *line;

	text_open(&rules.text, path);
	while ((line = text_next(&rules.text)))
		parse_line(line);
	die_if_complaints();
}

static void note_pages(struct rule *rule, const struct entry *e, const struct options *opt)
{
	size_t i;

	for (i = 0; i < rule->nr_ranges; i++) {
		if (rule->range[i].first < nr_blocks(e, opt))
			rule->range[i].exists = true;
	}
}

static void apply(struct entry *e, const struct options *opt)
{
	char *path = entry_image_path(e);
	size_t i;

	for (i = rules.nr; i--; ) {
		struct rule *rule = rules.list[i];

		/* What a rule matches that does not decide is of interest only for warnings. */
		if (S_ISREG(e->mode) ? e->rule && rule->matches_file :
		    S_ISDIR(e->mode) ? rule->matches_dir : rule->matches_other)
			continue;
		if (!glob_match(rule->pattern, path))
			continue;
		if (!S_ISREG(e->mode)) {
			rule->matches_dir |= S_ISDIR(e->mode);
			rule->matches_other |= !S_ISDIR(e->mode);
			continue;
		}
		rule->matches_file = true;
		if (!e->rule) {
			rule->decides = true;
			note_pages(rule, e, opt);
			e->rule = rule;
		}
	}
	free(path);
	for (i = 0; i < e->nr_children; i++)
		apply(e->child[i], opt);
}

/* What is asked for of a file. Without a rule, that is what -X asks for. */
static unsigned int ask_of(const struct rule *rule, const struct options *opt)
{
	if (rule)
		return rule->ask;
	return opt->xip == XIP_NONE ? 0 : ASK_TEXT | ASK_RODATA;
}

static struct rule *unite(struct rule *a, struct rule *b, const struct options *opt)
{
	struct rule *both = xalloc(sizeof(*both));
	size_t i, k;

	both->ask = ask_of(a, opt) | ask_of(b, opt);
	both->part[0] = a;
	both->part[1] = b;
	for (i = 0; i < 2; i++) {
		for (k = 0; both->part[i] && k < both->part[i]->nr_ranges; k++)
			add_range(both, &both->part[i]->range[k]);
	}
	return both;
}

/* Data that files share are in place if they are to be for any of them. */
static void unite_same(struct entry *e, const struct options *opt)
{
	size_t i;

	if (S_ISREG(e->mode) && e->same && e->same->rule != e->rule)
		e->same->rule = unite(e->same->rule, e->rule, opt);
	for (i = 0; i < e->nr_children; i++)
		unite_same(e->child[i], opt);
}

/**
 * rules_apply() - find the rule for each file
 * @root: root of the tree, of which it is known which files are the same; sets their rules
 * @opt: options
 */
void rules_apply(struct entry *root, const struct options *opt)
{
	apply(root, opt);
	unite_same(root, opt);
}

/**
 * rule_is_none() - whether a rule says that nothing of a file is to be in place
 * @rule: rule or NULL
 *
 * Return: true if so.
 */
bool rule_is_none(const struct rule *rule)
{
	return rule && !rule->ask && !rule->nr_ranges;
}

/**
 * may_be_in_place() - whether blocks of a file may be stored in place
 * @e: file
 * @first_bytes: of its contents
 * @len: how many these are, all or 64 at least
 * @opt: options
 *
 * Return: false if mark_in_place() need not be called for it.
 */
bool may_be_in_place(const struct entry *e, const unsigned char *first_bytes, size_t len,
		     const struct options *opt)
{
	unsigned int ask = ask_of(e->rule, opt);

	if (!e->size)
		return false;
	if ((ask & ASK_ALL) || (e->rule && e->rule->nr_ranges))
		return true;
	return (ask & ASK_SEGMENTS) && len >= 4 &&
	       (!memcmp(first_bytes, "\177ELF", 4) || !memcmp(first_bytes, "bFLT", 4));
}

static void note_program(struct rule *rule)
{
	if (!rule)
		return;
	rule->has_program = true;
	note_program(rule->part[0]);
	note_program(rule->part[1]);
}

static void mark_pages(const struct rule *rule, unsigned int nr, unsigned char *mark)
{
	unsigned int page;
	size_t i;

	for (i = 0; i < rule->nr_ranges; i++) {
		for (page = rule->range[i].first; page <= rule->range[i].last && page < nr; page++)
			mark[page] = MARK_IN_PLACE;
	}
}

/**
 * mark_in_place() - decide which blocks of a file are stored for execution in place
 * @e: file; sets e->mark
 * @data: its contents
 * @opt: options
 */
void mark_in_place(struct entry *e, unsigned char *data, const struct options *opt)
{
	unsigned int nr = nr_blocks(e, opt), ask = ask_of(e->rule, opt);

	e->mark = memset(xgrow(NULL, nr), e->rule ? MARK_RULE : MARK_NONE, nr);
	if ((ask & ASK_SEGMENTS) && (elf_mark(e, data, ask, opt, e->mark) ||
				     flat_mark(e, data, ask, opt, e->mark)))
		note_program(e->rule);
	if (e->rule)
		mark_pages(e->rule, nr, e->mark);
	/* The others need not be compressed either, and follow each other best here. */
	if ((ask & ASK_ALL) || (opt->uncompressed && memchr(e->mark, MARK_IN_PLACE, nr)))
		memset(e->mark, MARK_IN_PLACE, nr);
}

static void check_matches(const struct rule *rule)
{
	if (rule->matches_file)
		return;
	if (rule->matches_dir)
		warn_line(&rules.text,
			  "%s matches only directories; what is in them is matched by %s/**",
			  rule->pattern, rule->pattern);
	else if (rule->matches_other)
		warn_line(&rules.text, "%s matches no file, but a symbolic link or node",
			  rule->pattern);
	else
		warn_line(&rules.text, "%s matches no file", rule->pattern);
}

static void check_asks(const struct rule *rule, const struct options *opt)
{
	if (!rule->decides || !(rule->ask & ASK_SEGMENTS))
		return;
	if (!rule->has_program && !(rule->ask & ASK_ALL))
		warn_line(&rules.text,
			  "%s: segments are asked for, but there is no program or library",
			  rule->pattern);
	else if ((rule->ask & ASK_DATA) && opt->xip == XIP_NOMMU)
		warn_line(&rules.text,
			  "%s: 'data' is of no use without an MMU: it is copied to RAM",
			  rule->pattern);
}

static void check_pages(const struct rule *rule)
{
	size_t i;

	for (i = 0; rule->decides && i < rule->nr_ranges; i++) {
		if (!rule->range[i].exists)
			warn_line(&rules.text, "%s: there is no page %u", rule->pattern,
				  rule->range[i].first);
	}
}

/**
 * rules_check() - warn of rules that have no effect
 * @opt: options
 *
 * To be called after the last mark_in_place().
 */
void rules_check(const struct options *opt)
{
	size_t i;

	for (i = 0; i < rules.nr; i++) {
		rules.text.line = rules.list[i]->line;
		check_matches(rules.list[i]);
		check_asks(rules.list[i], opt);
		check_pages(rules.list[i]);
	}
}
