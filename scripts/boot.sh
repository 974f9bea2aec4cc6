#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# boot.sh BOARD [WHERE]: from nothing to a guest whose programs execute from flash
# or ROM, and the proof that they do, which decides the exit status. WHERE is one
# of the roots of the board's QEMU script. On a terminal the guest stays with its
# user.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

board=${1:-virt} where=${2:-mtd}
case $board in
virt)		demo=virt; places='mtd cfi physmem rom romram block' ;;
virt-xip)	demo=virt; places='mtd physmem rom' ;;
mps2)		demo=mps2; places='mtd physmem rom' ;;
*)		die "BOARD=$board: must be virt, virt-xip or mps2" ;;
esac
[[ " $places " == *" $where "* ]] || die "ROOT=$where: with BOARD=$board, must be one of: $places"
console=$logs/boot-$board-$where.log

n_steps=7
prepare_sources
step "building the kernel (5 min the first time; log: $logs/kernel-$board.log)"
kernel=$(build_kernel "$board")
step 'building mkcramfs and cramfs-map'
build_tools
if [ "$demo" = mps2 ]; then
	step 'building programs and their image (2 min the first time)'
else
	step 'making the root directory from Debian packages for armhf, and its image'
fi
prepare_demo "$demo"
step "booting with root on $where (console: $console)"
if [ -t 0 ] && [ -t 1 ]; then
	how=(--append demo=shell --interactive)
else
	how=(--timeout 120)
fi
"$top/scripts/prove.sh" "$board" "$kernel" "$image" "$where" "$console" "${how[@]}"
