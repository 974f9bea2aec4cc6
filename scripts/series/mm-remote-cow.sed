# SPDX-License-Identifier: GPL-2.0-only
/^static inline int __wp_page_copy_user/,/^}/ {
	/^	if (likely(src)) {$/i\
	/*\
	 * Somebody else writes, a debugger for example: the address means\
	 * nothing in current's mm. The mapping itself knows what is there.\
	 */\
	if (unlikely(!src && mm != current->mm)) {\
		ret = 0;\
		kaddr = kmap_local_page(dst);\
		if (vma->vm_ops && vma->vm_ops->access)\
			ret = vma->vm_ops->access(vma, addr & PAGE_MASK, kaddr,\
						  PAGE_SIZE, 0);\
		kunmap_local(kaddr);\
		flush_dcache_page(dst);\
		return ret == PAGE_SIZE ? 0 : -EHWPOISON;\
	}\

}
