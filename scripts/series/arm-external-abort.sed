# SPDX-License-Identifier: GPL-2.0-only
/^do_bad(unsigned long addr/,/^}/ {
	/^}/a\
\
/*\
 * Nothing answers at a physical address, or not well. Those who asked for it in\
 * the kernel, and have a fixup, want to know and not to die.\
 */\
static int\
do_external_abort(unsigned long addr, unsigned int fsr, struct pt_regs *regs)\
{\
	return user_mode(regs) || !fixup_exception(regs);\
}
}
