#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fuzz.sh [NAME=VALUE...]: fuzz the driver, after building what that takes. What the
# names mean is in run-fuzz.sh, beside the guest tests. Images that something was
# found with are left in out/fuzz/.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

variant=uml args=() x86=
for word; do
	case $word in
	COVERAGE=1)	variant=uml-gcov ;;
	WAY=memory)	x86=1 ;;
	esac
	[ "${word#*=}" = '' ] || args+=("$word")
done

n_steps=6
prepare_sources
step 'building mkcramfs'
logged tools make -C "$top/tools/cramfs" OUTPUT="$out/tools/" mkcramfs >/dev/null
step 'building the kernels (5 min the first time)'
kernel=$(build_kernel "$variant")
kernel_x86=
[ -z "$x86" ] || kernel_x86=$(build_kernel x86)
step 'fuzzing'
KERNEL=$kernel KERNEL_X86=$kernel_x86 MKCRAMFS=$out/tools/mkcramfs KSRC=$ksrc WORK=$out/fuzz \
	exec "$selftests/run-fuzz.sh" "${args[@]:-TIME=60}"
