#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot guests with four processors in which many processes use cramfs at the same time,
# mount it and unmount it, and print what became of that as one TAP stream. What they
# do is race.c's concern; here are the images, and where they are in each machine: tree
# 0 in the first half of a range of physical memory, of an MTD device and on one disk,
# tree 1 in the other half and on another disk. A pattern as argument (x86, arm)
# selects.

set -euo pipefail

usage='environment:
  KERNEL_X86   bzImage of x86.config; may be left out
  KERNEL_KCSAN bzImage of x86.config and kcsan.config, in its build directory, which
               has the objects of fs/cramfs; may be left out
  KERNEL_ARM   zImage of virt.config, cramfs.config and debug.config; may be left out
  MKCRAMFS     mkcramfs to make images with
  KSRC         kernel tree
  WORK         scratch directory
  TIME         seconds that each guest runs for (120); from 600 on the kernel is
               asked at the end for memory that it has lost
  SEED         of the chances that are taken (another one each time)
  CROSS_COMPILE (arm-linux-gnueabihf-)
  JOBS         guests at a time (number of processors)'

only=${1:-}
. "$(dirname "$0")/guests.sh"
set_up MKCRAMFS KSRC WORK

time=${TIME:-120} seed=${SEED:-$RANDOM$RANDOM}
[[ $time =~ ^[1-9][0-9]{0,5}$ ]] || die "TIME=$time: not a number of seconds"
[[ $seed =~ ^[0-9]{1,18}$ ]] || die "SEED=$seed: not a number"

readonly HALF=0x1000000		# of a range; what an image has room for

make_program()	# machine cross-compiler
{
	mkdir -p "$programs/$1"
	make -s -C "$here" KSELFTESTS="$KSRC/tools/testing/selftests" CROSS_COMPILE="$2" \
		OUTPUT="$programs/$1" "$programs/$1/race"
}

# make_images MACHINE: rom, for a range, with both trees in it; disk0, disk1.
make_images()
{
	local dir=$images/races-$1 tree write=$programs/x86/race n

	rm -rf "$dir"
	mkdir -p "$dir"
	"$write" --write 2 "$dir/tree2"
	"$MKCRAMFS" -q -x "$dir/tree2" "$dir/inner"
	for n in 0 1; do
		tree=$dir/tree$n
		"$write" --write $n "$tree"
		cp "$programs/$1/race" "$tree/race"
		cp "$dir/inner" "$tree/inner"
		"$MKCRAMFS" -q -X -X "$tree" "$dir/disk$n"
		dd if="$dir/disk$n" of="$dir/rom" bs=4096 seek=$((HALF * n)) oflag=seek_bytes \
			conv=notrunc status=none
	done
	rm -rf "$dir"/tree*
}

prepare()	# machine cross-compiler
{
	quietly "build-$1" 'the program does not build' make_program "$1" "$2"
	quietly "images-$1" 'the images cannot be made' make_images "$1"
}

boot()	# name kernel machine qemu-script argument...
{
	local name=$1 kernel=$2 machine=$3 dir=$images/races-$3
	local log=$logs/$1.log vm=$WORK/vm/$1 status=0
	local append="quiet loglevel=1 log_buf_len=4M race.time=$time race.seed=$seed"
	# On a busy host, four processors may have a part of one.
	append+=" race.half=$HALF rcupdate.rcu_cpu_stall_timeout=240"

	# Who is stuck is race.c's concern, but for the kernel itself.
	"$here/$4" --kernel "$kernel" --init "$programs/$machine/race" --smp 4 \
		--drive "$dir/disk0" --drive "$dir/disk1" --mtd "$dir/rom" \
		--append "$append $5" --log "$log" --work "$vm" --timeout $((time + 1800)) \
		"${@:6}" >/dev/null 2>"$log.qemu" || status=$?
	{
		grep -E '^# (seed|after|refused|the run|wrong|before|mounted|unmounted)' "$log" |
			sed "s/^# /# $name: /; s/\r//" || true
		console_to_tap "$name" "$status" race
	} >"$log.part" 2>&1
	rm -rf "$vm"
	mv "$log.part" "$log.tap"
}

# The less memory, the more pressure: checks of memory take a part of it.
start_x86()	# name kernel memory [argument...]
{
	local append='mtdparts=physmap-flash.0:16M(first),-(second)'

	append+=' race.mtd=mtd1 race.mtd-rom=0xa000000'
	# To look for lost memory takes minutes by itself.
	[ "$time" -lt 600 ] || append+=' kmemleak=on'
	start "$1" "$2" x86 qemu-x86.sh "$append" \
		--rom "$images/races-x86/rom" --mem "$3" "${@:4}"
}

start_arm()	# name kernel
{
	local parts='mtdparts=6000000.flash:16M(first),16M(second) race.mtd-rom=0x6000000'

	start "$1" "$2" arm qemu-virt.sh "$parts race.mtd=mtd1 vmalloc=800M" \
		--root initramfs --flash "$images/races-arm/rom" --mem 320
}

prepare x86 ''
[ -z "${KERNEL_ARM:-}" ] || prepare arm "$CROSS_COMPILE"

echo 'TAP version 13'
[ -z "${KERNEL_X86:-}" ] || start_x86 x86 "$KERNEL_X86" 320
if [ -n "${KERNEL_KCSAN:-}" ]; then
	# What the driver is made of, for reports of races: bzImage is in arch/x86/boot.
	nm "${KERNEL_KCSAN%/arch/x86/boot/*}/fs/cramfs/"*.o |
		awk '$2 ~ /^[tT]$/ { print $3 }' >"$images/symbols"
	[ -s "$images/symbols" ] || die "$KERNEL_KCSAN: no symbols of the driver beside it"
	start_x86 x86-kcsan "$KERNEL_KCSAN" 256 --file "symbols=$images/symbols"
fi
[ -z "${KERNEL_ARM:-}" ] || start_arm arm "$KERNEL_ARM"
finish
