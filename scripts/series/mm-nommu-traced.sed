# SPDX-License-Identifier: GPL-2.0-only
/^	vm_flags |= determine_vm_flags(file, prot, flags, capabilities);$/a\
	/* what may not be shared is a copy: a tracer wants to write to it */\
	if (!is_nommu_shared_mapping(vm_flags))\
		capabilities &= ~NOMMU_MAP_DIRECT;
