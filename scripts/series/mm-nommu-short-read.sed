# SPDX-License-Identifier: GPL-2.0-only
/^static int do_mmap_private(/,/^}/ {
	/^		ret = kernel_read(vma->vm_file, base, len, &fpos);$/,/^			memset(base + ret, 0, len - ret);$/c\
		/* a read is short at the end of the file, or before an error */\
		for (point = 0; point < len; point += ret) {\
			ret = kernel_read(vma->vm_file, base + point,\
					  len - point, &fpos);\
			if (ret < 0)\
				goto error_free;\
			if (!ret)\
				break;\
		}\
\
		/* clear the last little bit */\
		memset(base + point, 0, len - point);
}
