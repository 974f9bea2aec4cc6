#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# faults.sh [GUEST]: from nothing to guests in which memory, a disk and the bytes of the
# image fail while cramfs uses them, and what became of that. GUEST is uml, as
# `make check` has it, x86, or all, which is both of them.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

case ${1:-all} in
all)		guest='' variants=(uml x86) ;;
uml | x86)	guest=$1 variants=("$1") ;;
*)		die "GUEST=$1: must be uml, x86 or all" ;;
esac

n_steps=$((5 + ${#variants[@]}))
prepare_sources
step 'building mkcramfs'
build_tools
build_kernels "${variants[@]}"
step "running (logs: $out/faults/logs)"
KERNEL_UML=${kernels[uml]:-} KERNEL_X86=${kernels[x86]:-} MKCRAMFS=$mkcramfs KSRC=$ksrc \
	WORK=$out/faults "$selftests/run-faults.sh" "$guest"
