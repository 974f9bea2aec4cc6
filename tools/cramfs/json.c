// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings in JSON. Names of files are bytes, JSON is text: what is not UTF-8 in a name is shown as
 * U+FFFD, and the name is written as hexadecimal digits, too.
 */
#include <stdio.h>
#include <string.h>

#include "common.h"

static bool is_utf8(const char *s, size_t len)
{
	size_t i, step;
	__u32 code;

	for (i = 0; i < len; i += step) {
		step = decode_utf8(s + i, len - i, &code);
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
	size_t i, step;
	__u32 code;

	fputc('"', f);
	for (i = 0; i < len; i += step) {
		step = decode_utf8(s + i, len - i, &code);
		if (!step) {
			fputs("\\ufffd", f);
			step = 1;
		} else if (code < 0x20 || code == 0x7f) {
			fprintf(f, "\\u%04x", code);
		} else {
			if (code == '"' || code == '\\')
				fputc('\\', f);
			fwrite(s + i, 1, step, f);
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
	if (is_utf8(s, len))
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
