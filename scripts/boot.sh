#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# boot.sh [WHERE]: from nothing to a guest whose programs execute from flash,
# and the proof that they do, which decides the exit status. WHERE is one of
# the roots of qemu-virt.sh. On a terminal the guest stays with its user.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

where=${1:-mtd}
case $where in
mtd | cfi | physmem | rom | romram | block) ;;
*) die "ROOT=$where: must be mtd, cfi, physmem, rom, romram or block" ;;
esac
console=$logs/boot-$where.log

n_steps=8
prepare_sources
step "building the kernel (5 min the first time; log: $logs/kernel-virt.log)"
zimage=$(build_kernel virt)
step 'building mkcramfs and cramfs-map'
build_tools
step 'making the root directory from Debian packages for armhf'
prepare_rootfs
step "writing the image $image"
make_image
step "booting with root on $where (console: $console)"
if [ -t 0 ] && [ -t 1 ]; then
	how=(--append demo=shell --interactive)
else
	how=(--timeout 120)
fi
"$top/scripts/prove.sh" "$zimage" "$image" "$where" "$console" "${how[@]}"
