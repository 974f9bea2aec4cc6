#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the guest tests, make images with them, boot each image from each place
# where a root can be, and print all results as one TAP stream. The tests are in
# test_*.c, the images in guest_images.py, the machine in qemu-virt.sh; here is
# only which of them meet. A pattern as argument (mtd/xip, 'debug/*') selects.
# run-nommu.sh is its like for a board without an MMU.

# shellcheck disable=SC2153 # names from the environment

set -euo pipefail

usage='environment:
  KERNEL         zImage with the driver
  KERNEL_BASE    zImage with the unmodified driver; without it, no comparison
  KERNEL_DEBUG   zImage with the driver and lock and memory checks; may be left out
  MKCRAMFS       mkcramfs to make images with
  ROOTFS         directory with busybox and libc for ARM
  KSRC           kernel tree, for kselftest_harness.h and nolibc
  WORK           scratch directory
  CROSS_COMPILE  (arm-linux-gnueabihf-)
  JOBS           guests at a time (number of processors)'

only=${1:-}
. "$(dirname "$0")/guests.sh"
set_up KERNEL MKCRAMFS ROOTFS KSRC WORK

make -s -C "$here" KSELFTESTS="$KSRC/tools/testing/selftests" OUTPUT="$programs" \
	>"$logs/build.log" 2>&1 || { cat "$logs/build.log" >&2; die 'the programs do not build'; }
fakeroot -- python3 "$here/guest_images.py" --rootfs "$ROOTFS" --programs "$programs" \
	--mkcramfs "$MKCRAMFS" --out "$images" xip plain punched util-linux \
	>"$logs/images.log" 2>&1 || { cat "$logs/images.log" >&2; die 'the images cannot be made'; }

# boot NAME KERNEL ROOT IMAGE PROGRAM,.. TIMEOUT [OPTION...]: one guest; its TAP in $logs.
boot()
{
	local name=$1 kernel=$2 root=$3 image=$4 run=$5 limit=$6
	local log=$logs/${1//\//-}.log disk=vd append status=0
	local file=$images/$image.img
	shift 6

	case $root in
	mtd | cfi | physmem) file=$images/$image.flash ;;
	esac
	[ "$root" = block ] && disk+=b || disk+=a
	append="init=/t/bin/init quiet loglevel=1 panic_print=0x20 log_buf_len=1M"
	append+=" cramfs.mode=$root cramfs.image=$image cramfs.expect=/dev/$disk"
	append+=" cramfs.corners=/dev/vd$(tr ab bc <<<"${disk#vd}") cramfs.run=$run"
	case $root in
	mtd | cfi) append+=" $(cat "$images/$image.cmdline")" ;;
	esac
	case $name in
	base-*) append+=" cramfs.peer=1" ;;
	esac
	"$here/qemu-virt.sh" --kernel "$kernel" --image "$file" --root "$root" --append "$append" \
		--drive "$images/$image.expect" --drive "$images/corners" --log "$log" \
		--timeout "$limit" --work "$WORK/vm/${name//\//-}" "$@" \
		>/dev/null 2>"$log.qemu" || status=$?
	console_to_tap "$name" "$status" "$run" >"$log.part" 2>&1
	rm -rf "$WORK/vm/${name//\//-}"
	mv "$log.part" "$log.tap"
}

echo 'TAP version 13'

all=test_tree,test_data,test_map,test_proc
if [ -n "${KERNEL_DEBUG:-}" ]; then
	# First, since it takes longest: with all those checks everything is slow.
	run=test_tree:-f:own,test_data:-v:mixed:-f:readers,test_map:-v:mixed,test_proc,test_trace
	run+=,test_mount:-v:physmem:-v:block:-f:physaddr:-f:block
	start debug/punched "$KERNEL_DEBUG" physmem punched "$run" 600 --smp 2 --mem 256
fi

for image in xip plain punched util-linux; do
	for root in mtd physmem block; do
		run=$all
		case $image/$root in
		xip/mtd)	run+=,test_mount:-v:mtd:-f:mtd:-f:claimed ;;
		xip/physmem)	run+=,test_mount:-v:physmem:-f:physaddr,test_mount:-f:lockdown ;;
		xip/block)	run+=,test_mount:-v:block:-f:block ;;
		esac
		start "$root/$image" "$KERNEL" "$root" "$image" "$run" 240
	done
done
for root in cfi rom romram; do
	run=test_tree,test_map,test_proc
	[ $root = cfi ] || run+=,test_mount:-f:rom
	start "$root/xip" "$KERNEL" "$root" xip "$run" 240
done

# What mkcramfs makes is to work with the unmodified driver as well.
if [ -n "${KERNEL_BASE:-}" ]; then
	for image in xip plain punched util-linux; do
		for root in mtd block; do
			start "base-$root/$image" "$KERNEL_BASE" "$root" "$image" \
				"test_tree:-f:tree" 240
		done
	done
fi

finish
