// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a text is JSON, by its grammar: what --list=json prints must be so, whatever is in the
 * image.
 */
#include "run.h"

/* Objects in lists in objects is as deep as it gets. */
#define MOST_DEPTH	8

struct cursor {
	const unsigned char *p, *end;
};

static bool skip(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len))
		return false;
	c->p += len;
	return true;
}

static void skip_space(struct cursor *c)
{
	while (skip(c, " ") || skip(c, "\n"))
		;
}

static bool skip_escape(struct cursor *c)
{
	int i;

	if (!skip(c, "u"))
		return skip(c, "\"") || skip(c, "\\");
	for (i = 0; i < 4; i++, c->p++)
		if (c->p == c->end || !strchr("0123456789abcdef", *c->p))
			return false;
	return true;
}

static bool skip_string(struct cursor *c)
{
	__u32 code;
	size_t len;

	if (!skip(c, "\""))
		return false;
	while (c->p < c->end && *c->p != '"') {
		if (skip(c, "\\")) {
			if (!skip_escape(c))
				return false;
			continue;
		}
		len = decode_utf8((const char *)c->p, c->end - c->p, &code);
		if (!len || code < ' ')
			return false;
		c->p += len;
	}
	return skip(c, "\"");
}

static bool skip_number(struct cursor *c)
{
	const unsigned char *begin = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	/* No leading zeros. */
	return c->p > begin && (*begin != '0' || c->p == begin + 1);
}

static bool skip_value(struct cursor *c, unsigned int depth);

static bool skip_members(struct cursor *c, bool named, const char *end, unsigned int depth)
{
	skip_space(c);
	if (skip(c, end))
		return true;
	do {
		skip_space(c);
		if (named && !(skip_string(c) && skip(c, ":")))
			return false;
		if (!skip_value(c, depth + 1))
			return false;
		skip_space(c);
	} while (skip(c, ","));
	return skip(c, end);
}

static bool skip_value(struct cursor *c, unsigned int depth)
{
	if (depth > MOST_DEPTH)
		return false;
	if (skip(c, "{"))
		return skip_members(c, true, "}", depth);
	if (skip(c, "["))
		return skip_members(c, false, "]", depth);
	if (c->p < c->end && *c->p == '"')
		return skip_string(c);
	return skip(c, "null") || skip_number(c);
}

/**
 * is_json() - whether a text is JSON, as far as the tools print such
 * @text: the text
 * @len: its length in bytes
 *
 * Return: true if so.
 */
bool is_json(const unsigned char *text, size_t len)
{
	struct cursor c = { text, text + len };

	if (!skip_value(&c, 0))
		return false;
	skip_space(&c);
	return c.p == c.end;
}
