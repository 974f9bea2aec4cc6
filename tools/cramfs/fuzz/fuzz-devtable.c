// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of device tables. One line can ask for a million of entries, which is as it
 * should be, but takes seconds; such are left out.
 */
#include "../mkcramfs.h"
#include "run.h"
#include "text.h"

/* The field of a line that says how many, from 0, and the most digits that it may have. */
#define COUNT		9U
#define MOST_DIGITS	3U

static bool asks_for_many(const uint8_t *data, size_t size)
{
	static const char blanks[] = BLANKS;
	unsigned int field = 0;
	size_t i, len = 0;

	for (i = 0; i < size; i++) {
		if (!memchr(blanks, data[i], sizeof(blanks) - 1)) {
			len++;
			if (field == COUNT && len > MOST_DIGITS)
				return true;
			continue;
		}
		field = data[i] == '\n' ? 0 : field + !!len;
		len = 0;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const options[] = { "-q", "-D", box_path("text"), NULL };

	return asks_for_many(data, size) ? 0 : text_run(options, data, size);
}
