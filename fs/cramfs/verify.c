// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checksum of an image. It tells an image that decayed, or that was not
 * written to its end, from the one that was built. It is no signature: who makes
 * an image can make its checksum.
 */

#include <linux/crc32.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "cramfs.h"

/* Bytes to announce at a time. */
#define CRAMFS_VERIFY_AHEAD	(128 * 1024)

static int crc_of_range(struct super_block *sb, u32 start, u32 end, u32 *crc)
{
	struct cramfs_span span;
	u32 announced = start;
	int err;

	while (start < end) {
		if (start >= announced) {
			cramfs_read_ahead(sb, start, CRAMFS_VERIFY_AHEAD);
			announced += min(end - start, CRAMFS_VERIFY_AHEAD);
		}
		err = cramfs_get_span(sb, start, min_t(u32, end - start, PAGE_SIZE),
				      &span);
		if (err)
			return err;
		*crc = crc32_le(*crc, span.data, span.len);
		start += span.len;
		cramfs_put_span(&span);

		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * cramfs_verify() - hold an image against its checksum
 * @sb: the filesystem
 *
 * Context: Reads all of the image; may sleep.
 * Return: 0, or -EUCLEAN if it is another image than the one that was built, or
 * the error of the device, or -EINTR.
 */
int cramfs_verify(struct super_block *sb)
{
	const struct cramfs_sb_info *sbi = CRAMFS_SB(sb);
	u32 pos = sbi->start + offsetof(struct cramfs_super, fsid.crc);
	u32 crc = ~0, expected;
	int err;

	err = cramfs_read(sb, pos, &expected, sizeof(expected));
	if (!err)
		err = crc_of_range(sb, sbi->start, pos, &crc);
	if (err)
		return err;

	/* The checksum itself counts as zeros. */
	crc = crc32_le(crc, (const u8 *)&(u32){ 0 }, sizeof(u32));
	err = crc_of_range(sb, pos + sizeof(u32), sbi->size, &crc);
	if (err)
		return err;
	return ~crc == expected ? 0 : -EUCLEAN;
}
