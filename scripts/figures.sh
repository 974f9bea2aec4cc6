#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# figures.sh: the sizes of the driver's objects, and the RAM in use at the
# demo's prompt, each beside the unmodified driver's.

. "$(dirname "$0")/common.sh"
. "$top/scripts/kbuild.sh"
. "$top/scripts/prepare.sh"

sizes()	# title build
{
	echo "$1"
	"${cross_compile}size" -t "$2"/fs/cramfs/*.o |
		sed -e "s,$2/fs/cramfs/,," -e 's/^/  /' -e '/(ex /d'
	echo
}

# Only fs/cramfs of it is built.
build_base_mtd()
{
	local build

	build=$(kernel_dir)/build/base-mtd
	kconfigure "$pristine" "$build" "$selftests"/{virt,mtd}.config >&2 &&
		kmake "$pristine" "$build" -s fs/cramfs/ >&2
	echo "$build"
}

# The median of some boots, since pages are freed and allocated in the background.
# Image and script are the same for all.
ram()	# title variant where
{
	local log=$logs/figures-$2-$3.log zimage

	zimage=$(build_kernel "$2")
	for _ in {1..7}; do
		logged figures "$top/scripts/prove.sh" virt "$zimage" "$image" "$3" "$log" \
			--timeout 120 >/dev/null
		tr -d '\r' <"$log" | sed -n 's/^ *total [0-9]* kB, .*in use //p'
	done | sort -n | sed -n "4s/^/$(printf '%-24s' "$1") in use /p"
}

n_steps=6
prepare_sources
step 'building mkcramfs and the image'
build_tools
prepare_demo virt
step 'building kernels'
pristine=$("$top/scripts/kernel-tree.sh" pristine)
build_kernel virt-mtd >/dev/null
build_kernel virt-physmem >/dev/null
base_mtd=$(logged base-mtd build_base_mtd)
step 'booting guests'

echo 'Sizes in bytes, ARM Thumb-2, -Os'
echo
sizes 'MTD only' "$(kernel_dir)/build/virt-mtd"
sizes 'physical memory only' "$(kernel_dir)/build/virt-physmem"
sizes 'unmodified driver, MTD only' "$base_mtd"
echo 'RAM at the prompt of the demo (64 MiB, same image and options)'
echo
ram 'root on MTD' virt mtd
ram '  unmodified driver' virt-base mtd
ram 'root at an address' virt physmem
ram 'root on a disk' virt block
ram '  unmodified driver' virt-base block
