#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# faults.sh [GUEST]: from nothing to guests in which memory, a disk and the bytes of the
# image fail while cramfs uses them, and what became of that. GUEST is uml, as
# `make check` has it, x86, or all, which is both of them.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

guest=${1:-all}
case $guest in
all)		guest='' ;;
uml | x86)	;;
*)		die "GUEST=$guest: must be uml, x86 or all" ;;
esac

n_steps=7
prepare_sources
step 'building mkcramfs'
build_tools
step "building the kernel uml (5 min the first time; log: $logs/kernel-uml.log)"
uml=$(build_kernel uml)
step "building the kernel x86 (8 min the first time; log: $logs/kernel-x86.log)"
x86=$(build_kernel x86)
step "running (logs: $out/faults/logs)"
KERNEL_UML=$uml KERNEL_X86=$x86 MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/faults \
	"$selftests/run-faults.sh" "$guest"
