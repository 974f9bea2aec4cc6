# SPDX-License-Identifier: GPL-2.0-only
/^static noinline void validate_nommu_regions/,/^}/ {
	/^		BUG_ON(region->vm_start < last->vm_top);$/c\
		/* Only what nobody allocated may be there twice. */\
		BUG_ON(region->vm_start < last->vm_top &&\
		       (region->vm_flags | last->vm_flags) & VM_MAPPED_COPY);
}
/^static void add_nommu_region/,/^}/ {
	/^		if (region->vm_start < pregion->vm_start)$/i\
		if (pregion == region)\
			return;\
		/* Files map what they have anywhere, in any length. */
	/^		else if (region->vm_start > pregion->vm_start)$/,/^			BUG();$/c\
		else\
			p = &(*p)->rb_right;
}
/^unsigned long do_mmap(/,/^}/ {
	/^			\/\* we've found a region we can share \*\/$/i\
			start = pregion->vm_start;\
			start += (pgoff - pregion->vm_pgoff) << PAGE_SHIFT;\
\
			/* the process can have another mapping, but not here */\
			if ((capabilities & NOMMU_MAP_COPY) &&\
			    find_vma_intersection(current->mm, start,\
						  start + len))\
				continue;\

	/^			vma->vm_region = pregion;$/,/^			vma->vm_start = start;$/c\
			vma->vm_region = pregion;\
			vma->vm_start = start;
	/^							     pgoff, flags);$/a\
			if ((capabilities & NOMMU_MAP_COPY) &&\
			    !IS_ERR_VALUE(addr) &&\
			    find_vma_intersection(current->mm, addr, addr + len))\
				addr = -ENOSYS;
}
