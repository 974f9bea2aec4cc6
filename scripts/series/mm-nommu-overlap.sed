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
/^static struct vm_area_struct \*find_vma_exact(/,/^}/ {
	/^}$/a\
\
/*\
 * Can there be a mapping at an address without harm to others of the process?\
 * The tree has one VMA for an address, and the last one stored is found. One\
 * that loses its end is found all the same; what could be copied must not do\
 * more. For shared mappings there is no other address: only what would be in\
 * the tree twice has to be prevented.\
 */\
static bool may_map_at(unsigned long start, unsigned long end,\
		       unsigned long capabilities)\
{\
	VMA_ITERATOR(vmi, current->mm, start);\
	struct vm_area_struct *vma = vma_find(&vmi, end);\
\
	if (!vma)\
		return true;\
	if (!(capabilities & NOMMU_MAP_COPY))\
		return vma->vm_start >= start || vma->vm_end <= end;\
	return vma->vm_start < start && vma->vm_end < end &&\
	       !vma_find(&vmi, end);\
}
}
/^unsigned long do_mmap(/,/^}/ {
	/^			\/\* we've found a region we can share \*\/$/i\
			start = pregion->vm_start;\
			start += (pgoff - pregion->vm_pgoff) << PAGE_SHIFT;\
			if (!may_map_at(start, start + len, capabilities))\
				continue;\

	/^			vma->vm_region = pregion;$/,/^			vma->vm_start = start;$/c\
			vma->vm_region = pregion;\
			vma->vm_start = start;
	/^							     pgoff, flags);$/a\
			if (!IS_ERR_VALUE(addr) &&\
			    !may_map_at(addr, addr + len, capabilities)) {\
				/* this copy is nobody else's, either */\
				vm_flags_clear(vma, VM_MAYOVERLAY);\
				addr = -ENOSYS;\
			}
}
