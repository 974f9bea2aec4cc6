// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings in JSON. Names of files are bytes, JSON is text: what is not UTF-8 in a name is shown as
 * U+FFFD, and the name is written as hexadecimal digits, too.
 */
#include <stdio.h>
#include <string.h>

#include "common.h"

/* Length of the character at @p in UTF-8, or 0 if there is none. */
static size_t character_len(const unsigned char *p, size_t left)
{
	/* The least code point that needs so many bytes; fewer make an overlong sequence. */
	static const __u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, len;
	__u32 code;

	if (*p < 0x80)
		return 1;
	if (*p < 0xc0 || *p >= 0xf8)
		return 0;
	len = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (len > left)
		return 0;
	code = *p & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

static bool is_utf8(const unsigned char *p, size_t len)
{
	size_t i, step;

	for (i = 0; i < len; i += step) {
		step = character_len(p + i, len - i);
		if (!step)
			return false;
	}
	return true;
}

/**
 * json_string() - write a string
 * @f: where to
 * @s: bytes, any
 * @len: how many
 */
void json_string(FILE *f, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i, step;

	fputc('"', f);
	for (i = 0; i < len; i += step) {
		step = character_len(p + i, len - i);
		if (!step) {
			fputs("\\ufffd", f);
			step = 1;
		} else if (p[i] < 0x20 || p[i] == 0x7f) {
			fprintf(f, "\\u%04x", p[i]);
		} else {
			if (p[i] == '"' || p[i] == '\\')
				fputc('\\', f);
			fwrite(p + i, 1, step, f);
		}
	}
	fputc('"', f);
}

/**
 * json_member() - write a member of an object whose value is a name, and KEY_hex if it is not UTF-8
 * @f: where to
 * @key: what it is called
 * @s: bytes, any
 * @len: how many
 */
void json_member(FILE *f, const char *key, const char *s, size_t len)
{
	size_t i;

	fprintf(f, "\"%s\":", key);
	json_string(f, s, len);
	if (is_utf8((const unsigned char *)s, len))
		return;
	fprintf(f, ",\"%s_hex\":\"", key);
	for (i = 0; i < len; i++)
		fprintf(f, "%02x", (unsigned char)s[i]);
	fputc('"', f);
}

/**
 * json_path() - write the member "path" of an object, and "path_hex" if it is not UTF-8
 * @f: where to
 * @path: bytes, any
 * @len: how many
 */
void json_path(FILE *f, const char *path, size_t len)
{
	json_member(f, "path", path, len);
}
