#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the tests for a board without an MMU (nommu/), make images with them,
# boot each from each place where a root can be, and print all results as one
# TAP stream. The machine is in qemu-mps2.sh; here is only which of them meet. A
# pattern as argument (mtd/xip, 'base-*') selects.

# shellcheck disable=SC2153 # names from the environment

set -euo pipefail

usage='environment:
  KERNEL               xipImage with the driver, MTD and CRAMFS_PHYSMEM
  KERNEL_MTD           the same without CRAMFS_PHYSMEM; may be left out
  KERNEL_PHYSMEM       the same without MTD; may be left out
  KERNEL_BASE          xipImage with the unmodified driver; without it, no comparison
  MKCRAMFS             mkcramfs to make images with
  KSRC                 kernel tree, for nolibc and kselftest.h
  WORK                 scratch directory
  CROSS_COMPILE        (arm-linux-gnueabihf-) for the boot stub
  FDPIC_CROSS_COMPILE  (arm-linux-gnueabi-) for programs
  JOBS                 guests at a time (number of processors)'

only=${1:-}
. "$(dirname "$0")/guests.sh"
set_up KERNEL MKCRAMFS KSRC WORK

quietly build 'the programs do not build' \
	make -s -C "$here/nommu" KSRC="$KSRC" OUTPUT="$programs"
quietly images 'the images cannot be made' \
	fakeroot -- python3 "$here/nommu/images.py" --programs "$programs" --mkcramfs "$MKCRAMFS" \
		--out "$images" xip aligned punched stored plain

# Nothing that has run here may have written to the ROM.
compare_rom()	# name before after
{
	local told

	if told=$(cmp "$2" "$3" 2>&1); then
		echo "ok - $1: ROM is what it was before"
	else
		echo "not ok - $1: ROM is what it was before"
		echo "# $told"
	fi
}

# boot NAME KERNEL ROOT IMAGE MODE PROGRAM...: one guest; its TAP in $logs. MODE
# is what lib.c wants to know of where a test runs.
boot()
{
	local name=$1 kernel=$2 root=$3 image=$4 mode=$5 append run status=0
	local log=$logs/${1//\//-}.log vm=$WORK/vm/${1//\//-}
	local programs=("${@:6}")

	run=$(IFS=,; echo "${programs[*]/%/:$mode}")
	append="init=/t/bin/init quiet loglevel=1 nommu.expect=$(cat "$images/$image.expect")"
	append+=" nommu.run=$run"
	"$here/qemu-mps2.sh" --kernel "$kernel" --image "$images/$image.rom" --root "$root" \
		--boot-image "$images/boot.img" --append "$append" --log "$log" \
		--dump-rom "$vm.after" --timeout 240 --work "$vm" \
		>/dev/null 2>"$log.qemu" || status=$?
	{
		console_to_tap "$name" "$status" "$run"
		compare_rom "$name" "$vm/rom.img" "$vm.after"
	} >"$log.part" 2>&1
	rm -rf "$vm" "$vm.after"
	mv "$log.part" "$log.tap"
}

mkdir -p "$WORK/vm"
echo 'TAP version 13'

all=(test_exec test_mount test_map test_read)
for root in mtd physmem rom; do
	mode=physmem
	[ $root != mtd ] || mode=mtd
	start "$root/xip" "$KERNEL" $root xip $mode "${all[@]}"
	start "$root/punched" "$KERNEL" $root punched $mode "${all[@]}"
	# The first compressed block must be the test's own.
	start "$root/stored" "$KERNEL" $root stored $mode test_inflate test_exec test_read
done
start mtd/aligned "$KERNEL" mtd aligned mtd "${all[@]}"
start mtd/plain "$KERNEL" mtd plain mtd test_mount test_read

if [ -n "${KERNEL_MTD:-}" ]; then
	start only-mtd/xip "$KERNEL_MTD" mtd xip mtd-only "${all[@]}"
fi
if [ -n "${KERNEL_PHYSMEM:-}" ]; then
	start only-physmem/xip "$KERNEL_PHYSMEM" physmem xip physmem "${all[@]}"
	start only-physmem/stored "$KERNEL_PHYSMEM" rom stored physmem \
		test_inflate test_exec test_read
fi

# What mkcramfs makes is to work with the unmodified driver as well.
if [ -n "${KERNEL_BASE:-}" ]; then
	for image in xip aligned; do
		start base-mtd/$image "$KERNEL_BASE" mtd $image peer test_exec test_map test_read
	done
	for image in punched stored plain; do
		start base-mtd/$image "$KERNEL_BASE" mtd $image peer test_read
	done
fi

finish
