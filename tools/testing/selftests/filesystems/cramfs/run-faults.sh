#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the tests of failures in fault/ and an image for them, boot user-mode Linux for
# an image on a disk and behind MTD, and x86-64 under QEMU for one in physical memory,
# and print all results as one TAP stream. A pattern as argument (uml, 'x86*') selects.

# shellcheck disable=SC2153 # names from the environment

set -euo pipefail

usage='environment:
  KERNEL_UML   user-mode Linux of uml.config; may be left out
  KERNEL_X86   bzImage of x86.config; may be left out
  MKCRAMFS     mkcramfs to make the image with
  KSRC         kernel tree, for kselftest_harness.h and nolibc
  WORK         scratch directory
  JOBS         guests at a time (number of processors)'

only=${1:-}
. "$(dirname "$0")/guests.sh"
set_up MKCRAMFS KSRC WORK
image=$images/faults.img tree=$images/faults
# Nothing but what a test says goes to the console.
quiet='quiet loglevel=1 log_buf_len=1M kmemleak=on'

make_all()
{
	rm -rf "$tree" "$tree.rules" &&
	mkdir -p "$images" &&
	make -s -C "$here/fault" KSRC="$KSRC" OUTPUT="$programs" &&
	"$programs/fault" --write-tree "$programs/fault_exec" "$tree" &&
	"$MKCRAMFS" -q -L --xip-rules "$tree.rules" "$tree" "$image"
}

quietly build 'the programs or the image cannot be made' make_all

# boot NAME PROGRAM,.. SECONDS: one guest; its TAP in $logs.
boot()
{
	local name=$1 run=$2 limit=$3 status=0
	local log=$logs/$name.log vm=$WORK/vm/$name

	mkdir -p "$vm"
	case $name in
	uml*)	boot_uml ;;
	x86*)	boot_x86 ;;
	esac >/dev/null 2>"$log.qemu" || status=$?
	console_to_tap "$name" "$status" "$run" >"$log.part" 2>&1
	rm -rf "$vm"
	mv "$log.part" "$log.tap"
}

boot_uml()
{
	local root=$vm/root

	mkdir -p "$root"/{dev,proc,sys,tmp}
	cp "$programs"/* "$root"
	cp "$image" "$root/image"
	# Its directory of sockets is in HOME otherwise.
	# shellcheck disable=SC2086 # more than one word
	timeout --foreground -k 5 "$limit" "$KERNEL_UML" mem=128M uml_dir="$vm" \
		rootfstype=hostfs rootflags="$root" rw init=/init con=null con0=fd:0,fd:1 \
		$quiet panic=-1 cramfs.run="$run" </dev/null >"$log"
}

boot_x86()
{
	"$here/qemu-x86.sh" --kernel "$KERNEL_X86" --init "$programs/init" \
		--file fault="$programs/fault" --file fault_device="$programs/fault_device" \
		--file fault_exec="$programs/fault_exec" --file image="$image" \
		--rom "$image" --mtd "$image" --smp 1 --mem 256 \
		--append "$quiet cramfs.run=$run" --log "$log" --work "$vm/qemu" --timeout "$limit"
}

# tests PROGRAM TEST...: the program with its options for these tests.
tests()
{
	local program=$1 test

	shift
	for test; do
		program+=:-r:$test
	done
	echo "$program"
}

echo 'TAP version 13'

leaks=fault:-t:nothing_is_leaked
run=fault:-v:block:-v:mtd:-f:requests:-v:block_one_page:-v:block_all_pages
[ -z "${KERNEL_UML:-}" ] || start uml "$run,fault_device:-f:disk:-v:mtd:-f:point,$leaks" 400

# An emulator is slow: what is not the same for all places of the image.
run=$(tests fault one_object.physmem.{mount,fsopen,refuse,map,copy_on_write,peek})
run+=,$(tests fault mount_pages.physmem_{one_page,all_pages}.mount one_object.xip.{mount,map} \
	{one_page,all_pages}.physmem.{map,copy_on_write})
run+=,$(tests fault exec.physmem_{one_object,one_page,all_pages}.exec \
	exec.physmem_one_object.exec_deflated exec.ramdisk_all_pages.exec_deflated)
[ -z "${KERNEL_X86:-}" ] || start x86 "$run,fault_device:-v:physmem,$leaks" 600

finish
