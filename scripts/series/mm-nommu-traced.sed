# SPDX-License-Identifier: GPL-2.0-only
/^static int validate_mmap_request(/,/^}/ {
	/^			\/\* we don't permit a private writable mapping to be$/,/^				capabilities &= ~NOMMU_MAP_DIRECT;$/c\
			/* we don't permit a private mapping that is writable,\
			 * also by a tracer, to be shared with the backing\
			 * device\
			 */\
			if ((prot & PROT_WRITE) || current->ptrace)\
				capabilities &= ~NOMMU_MAP_DIRECT;
}
