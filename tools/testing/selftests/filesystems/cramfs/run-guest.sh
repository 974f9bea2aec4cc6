#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the guest tests, make images with them, boot each image from each place
# where a root can be, and print all results as one TAP stream. The tests are in
# test_*.c, the images in guest_images.py, the machine in qemu-virt.sh; here is
# only which of them meet. A pattern as argument (mtd/xip, 'debug/*') selects.
# Guests with `forms` in their name mount what form_images.py makes: an image for
# every combination of mkcramfs's options.
# run-nommu.sh is the like of this for a board without an MMU.

# shellcheck disable=SC2153 # names from the environment

set -euo pipefail

usage='environment:
  KERNEL         zImage with the driver
  KERNEL_BASE    zImage with the unmodified driver; without it, no comparison
  KERNEL_DEBUG   zImage with the driver and lock and memory checks; may be left out
  KERNEL_BE      big-endian zImage with the driver; may be left out
  KERNEL_BE_BASE the same with the unmodified driver; may be left out
  MKCRAMFS       mkcramfs to make images with
  ROOTFS         directory with busybox and libc for ARM
  KSRC           kernel tree, for kselftest_harness.h and nolibc
  WORK           scratch directory
  CROSS_COMPILE  (arm-linux-gnueabihf-)
  JOBS           guests at a time (number of processors)'

only=${1:-}
. "$(dirname "$0")/guests.sh"
set_up KERNEL MKCRAMFS ROOTFS KSRC WORK

make_forms()	# name option...
{
	quietly "$1" 'the images with every option cannot be made' \
		fakeroot -- python3 "$here/form_images.py" --programs "$programs" \
		--mkcramfs "$MKCRAMFS" --out "$images/$1" "${@:2}"
	sed 's/^/# /' "$logs/$1.log"
}

make_programs()
{
	local targets=(all)

	[ -z "${KERNEL_BE:-}${KERNEL_BE_BASE:-}" ] || targets+=(big-endian)
	make -s -C "$here" KSELFTESTS="$KSRC/tools/testing/selftests" OUTPUT="$programs" \
		"${targets[@]}"
}

quietly build 'the programs do not build' make_programs
quietly images 'the images cannot be made' \
	fakeroot -- python3 "$here/guest_images.py" --rootfs "$ROOTFS" --programs "$programs" \
	--mkcramfs "$MKCRAMFS" --out "$images" xip plain punched util-linux

boot()	# name kernel argument...
{
	case $1 in
	*forms*)	boot_forms "$@" ;;
	*)		boot_root "$@" ;;
	esac
}

# run_guest NAME PROGRAM,.. QEMU-VIRT-ARGUMENT...: one guest; its TAP in $logs.
run_guest()
{
	local name=$1 run=$2 status=0
	local log=$logs/${1//\//-}.log vm=$WORK/vm/${1//\//-}

	"$here/qemu-virt.sh" "${@:3}" --log "$log" --work "$vm" >/dev/null 2>"$log.qemu" ||
		status=$?
	console_to_tap "$name" "$status" "$run" >"$log.part" 2>&1
	rm -rf "$vm"
	mv "$log.part" "$log.tap"
}

# boot_root NAME KERNEL ROOT IMAGE PROGRAM,.. TIMEOUT [OPTION...]: the root is what
# is tested.
boot_root()
{
	local name=$1 kernel=$2 root=$3 image=$4 run=$5 limit=$6
	local disk=vd append file=$images/$image.img
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
	debug/*) append+=" vmalloc=900M" ;;
	verify/*) append+=" rootflags=verify" ;;
	esac
	run_guest "$name" "$run" --kernel "$kernel" --image "$file" --root "$root" \
		--append "$append" --drive "$images/$image.expect" --drive "$images/corners" \
		--timeout "$limit" "$@"
}

# boot_forms NAME KERNEL FORMS FLASH WAY[:WAY..]: images of a disk, which is in the flash
# bank as well; FLASH says how: qemu-virt.sh has it as an option. And a large one.
boot_forms()
{
	local name=$1 kernel=$2 forms=$images/$3 flash=$4
	local run=test_forms:/dev/vdb:$5,test_forms:/dev/vdc:block append

	append="init=/t/bin/small_init quiet loglevel=1 panic_print=0x20 log_buf_len=1M"
	append+=" cramfs.mode=forms cramfs.run=$run"
	case $name in
	base-*) append+=" cramfs.peer=1" ;;
	esac
	run_guest "$name" "$run" --kernel "$kernel" --image "$forms.root" --root block \
		--drive "$forms" --drive "$forms-large" "$flash" "$forms" --append "$append" \
		--timeout 240
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

# A root that was verified, and a flash for which a mount and a driver contend.
start verify/xip "$KERNEL" mtd xip test_tree:-f:own,test_mount:-f:verified 240
start contended/xip "$KERNEL" block xip test_mount:-f:contended 240 --mtd "$images/xip.flash"

# What mkcramfs makes is to work with the unmodified driver as well.
if [ -n "${KERNEL_BASE:-}" ]; then
	for image in xip plain punched util-linux; do
		for root in mtd block; do
			start "base-$root/$image" "$KERNEL_BASE" "$root" "$image" \
				"test_tree:-f:tree" 240
		done
	done
fi

# start_forms NAME KERNEL KERNEL_BASE [OPTION...]: the images with every combination of
# options, from each place, with both drivers.
start_forms()
{
	local name=$1 kernel=$2 base=$3

	# shellcheck disable=SC2053 # a pattern
	[ -n "$kernel$base" ] && [[ -z $only || $name/mtd == $only || base-$name/mtd == $only ||
	   $name/physmem == $only ]] || return 0
	make_forms "$name" --wrong "${@:4}"
	make_forms "$name-large" --large "${@:4}"
	[ -z "$kernel" ] || start "$name/physmem" "$kernel" "$name" --flash block:physmem
	[ -z "$kernel" ] || start "$name/mtd" "$kernel" "$name" --mtd mtd
	[ -z "$base" ] || start "base-$name/mtd" "$base" "$name" --mtd block:mtd
}

start_forms forms "$KERNEL" "${KERNEL_BASE:-}"
start_forms forms-be "${KERNEL_BE:-}" "${KERNEL_BE_BASE:-}" --big-endian

finish
