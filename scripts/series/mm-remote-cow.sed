# SPDX-License-Identifier: GPL-2.0-only
/^static inline int __wp_page_copy_user/,/^}/ {
	s/^	unsigned long addr = vmf->address;$/&\
	bool can_access = vma->vm_ops \&\& vma->vm_ops->access;/
	/^	if (likely(src)) {$/i\
	/*\
	 * Somebody else writes, a debugger for example: the address means\
	 * nothing in current's mm. Or it is by /proc/self/mem, when it may\
	 * be unreadable. The mapping itself knows what is there.\
	 */\
	if (unlikely(!src) &&\
	    (mm != current->mm ||\
	     (can_access && (vmf->flags & FAULT_FLAG_REMOTE)))) {\
		ret = 0;\
		kaddr = kmap_local_page(dst);\
		if (can_access)\
			ret = vma->vm_ops->access(vma, addr & PAGE_MASK, kaddr,\
						  PAGE_SIZE, 0);\
		kunmap_local(kaddr);\
		flush_dcache_page(dst);\
		return ret == PAGE_SIZE ? 0 : -EHWPOISON;\
	}\

}
