// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkcramfs's reader of rules that say what is to be stored for execution in place.
 */
#include "run.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const options[] = { "-q", "--xip-rules", box_path("text"), NULL };

	return text_run(options, data, size);
}
