# SPDX-License-Identifier: GPL-2.0-only
/^unsigned long do_mmap(/,/^}/ {
	/^			if (!is_nommu_shared_mapping(pregion->vm_flags))$/i\
			/* somebody's private copy is not the file */\
			if ((flags & MAP_SHARED) &&\
			    (pregion->vm_flags & VM_MAPPED_COPY))\
				continue;\

}
