/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts of the lines that a kernel says when something is wrong with it. C includes
 * this with SPLAT() defined; shell and Python take each line for one, and make a
 * regular expression of all: nothing that has a meaning there is in them.
 *
 * "BUG:" and "WARNING:" are most of it: KASAN, KCSAN, lockdep, RCU, soft lockups,
 * page tables. SLUB says BUG with the name of a cache.
 */
SPLAT("BUG:")
SPLAT("BUG ")
SPLAT("WARNING:")
SPLAT("KASAN")
SPLAT("UBSAN")
SPLAT("Oops")
SPLAT("Internal error")
SPLAT("Kernel panic")
SPLAT("general protection")
SPLAT("stack segment")
SPLAT("nable to handle kernel")
SPLAT("INFO: task")
SPLAT("INFO: rcu")
SPLAT("INFO: trying to register")
SPLAT("LOCKUP")
SPLAT("refcount_t")
SPLAT("nobody cared")
SPLAT("Busy inodes")
