// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests, a module of their own, see of the driver. This is a part of the
 * driver, but only where the tests are built, so that it costs nothing elsewhere.
 */

#include <kunit/visibility.h>

#include "../cramfs.h"

EXPORT_SYMBOL_IF_KUNIT(cramfs_prepare_sb_info);
EXPORT_SYMBOL_IF_KUNIT(cramfs_fill_super);
EXPORT_SYMBOL_IF_KUNIT(cramfs_ino);
EXPORT_SYMBOL_IF_KUNIT(cramfs_iget);
EXPORT_SYMBOL_IF_KUNIT(cramfs_get_extent);
EXPORT_SYMBOL_IF_KUNIT(cramfs_fills_blocks);
EXPORT_SYMBOL_IF_KUNIT(cramfs_inflate_begin);
EXPORT_SYMBOL_IF_KUNIT(cramfs_inflate_input);
EXPORT_SYMBOL_IF_KUNIT(cramfs_inflate_end);

#ifdef CONFIG_CRAMFS_VERIFY
EXPORT_SYMBOL_IF_KUNIT(cramfs_verify);
#endif
