#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# races.sh GUEST TIME [SEED]: from nothing to guests in which many processes use cramfs
# at the same time for TIME seconds, and what became of that. GUEST is x86 (KASAN and
# lockdep), x86-kcsan (data races), arm (KASAN and lockdep), or all, which is the first
# and the last of these, as `make check X86=1` has them.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

guest=${1:-all} time=${2:-120} seed=${3:-}
case $guest in
x86)		variants=(x86) ;;
x86-kcsan)	variants=(x86-kcsan) ;;
arm)		variants=(virt-debug) ;;
all)		variants=(x86 virt-debug) ;;
*)		die "GUEST=$guest: must be x86, x86-kcsan, arm or all" ;;
esac
[[ $time =~ ^[1-9][0-9]{0,5}$ ]] || die "TIME=$time: must be a number of seconds"
[[ $seed =~ ^[0-9]{0,18}$ ]] || die "SEED=$seed: must be a number"

n_steps=$((5 + ${#variants[@]}))
prepare_sources
step 'building mkcramfs'
build_tools
build_kernels "${variants[@]}"
step "running for $time s (logs: $out/races/logs)"
KERNEL_X86=${kernels[x86]:-} KERNEL_KCSAN=${kernels[x86-kcsan]:-} \
KERNEL_ARM=${kernels[virt-debug]:-} MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/races \
TIME=$time SEED=$seed CROSS_COMPILE=$cross_compile "$selftests/run-races.sh"
