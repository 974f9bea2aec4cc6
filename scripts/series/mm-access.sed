# SPDX-License-Identifier: GPL-2.0-only
/^static int __access_remote_vm/,/^}/ {
	/^#ifdef CONFIG_HAVE_IOREMAP_PROT$/d
	/^#endif$/d
	s/Check if this is a VM_IO | VM_PFNMAP VMA, which$/Check if this is a VM_IO | VM_PFNMAP VMA, or a page/
	s/we can access using slightly different code\.$/without a struct page. Those we can access using\
			 * slightly different code./
	s/^\t\t\tif (vma->vm_ops && vma->vm_ops->access)$/\t\t\tif ((PTR_ERR(page) == -EEXIST ||\
			     vma->vm_flags \& (VM_IO | VM_PFNMAP)) \&\&\
			    vma->vm_ops \&\& vma->vm_ops->access)/
}
