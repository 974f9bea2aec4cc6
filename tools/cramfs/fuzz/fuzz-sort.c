// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of files that give the order of data.
 */
#include "run.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const options[] = { "-q", "--sort", box_path("text"), NULL };

	return text_run(options, data, size);
}
