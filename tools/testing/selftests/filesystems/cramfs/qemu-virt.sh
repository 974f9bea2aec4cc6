#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot an ARM kernel on QEMU's `virt` machine with a cramfs image as its root,
# in one of the places where such an image can live, or with an initramfs and
# images in all of them. It edits the machine's device tree and composes the
# command lines; what the guest does, and what its console output means, is for
# the caller to know.

set -euo pipefail

readonly XIP_DTB=0x40000	# of an XIP kernel in bank 0, behind its stub
readonly XIP_KERNEL=0x80000	# CONFIG_XIP_PHYS_ADDR
readonly FLASH_BASE=0x4000000	# pflash bank 1 of `virt`
readonly FLASH_SIZE=0x4000000	# QEMU wants a file of exactly this size
readonly FLASH_HALF=0x2000000
readonly RAM_ROM=0x46000000	# clear of the kernel and of the DTB at the half of 128 MiB
readonly RAM_ROM_END=0x48000000
readonly RAM_ROM_MEM=128	# MiB of RAM that RAM_ROM_END implies
readonly CPU=cortex-a15

here=$(cd "$(dirname "$0")" && pwd)
. "$here/qemu.sh"

usage()
{
	cat <<'END'
usage: qemu-virt.sh --kernel ZIMAGE --image IMG --root WHERE [options]
       qemu-virt.sh --kernel ZIMAGE --init PROGRAM --root initramfs [options]

WHERE the image is, and how the kernel is told:
  mtd       NOR flash, an mtd-rom node; root=mtd:xip
  cfi       the same flash as a CFI chip; root=mtd:xip
  physmem   the same flash, unknown to the device tree; rootflags=physaddr=
  rom       the same flash as /reserved-memory/xip; root=rom:xip
  romram    no-map RAM as /reserved-memory/xip; root=rom:xip
  block     a virtio disk; root=/dev/vda
  initramfs nowhere: PROGRAM, a static one, is the init of an initramfs

  --xip            the kernel is an xipImage, to execute in place from bank 0;
                   neither with cfi nor with disks
  --smp N          processors (1)
  --mem MIB        memory of the guest (64; romram always has 128); a K behind
                   the number makes it KiB
  --append TEXT    more kernel command line
  --drive FILE     one more virtio disk, read-only; may be repeated
  --flash FILE     with block or initramfs: FILE in the flash bank, unknown to the device tree
  --mtd FILE       with block: FILE in the flash bank, one mtd-rom node
                   with initramfs: in the second half of the bank, so that there can
                   be both
  --log FILE       keep the console output there too
  --timeout S      end the guest after S seconds, exit status 124
  --interactive    connect the terminal to the guest; Ctrl-A X ends QEMU
  --work DIR       for scratch files, which stay (a temporary one, removed)
END
}

kernel='' image='' init='' root='' flash='' mtd='' append='' log='' work=''
smp=1 mem=64 timeout=0 interactive=0 xip=0
drive=()
parse_options xip 'flash image init mtd root smp' drive "$@"
if [ "$root" = initramfs ]; then
	image=$init
elif [ -n "$flash" ] && [ -n "$mtd" ]; then
	die '--flash, --mtd: both only with --root initramfs'
fi
[ -n "$kernel" ] && [ -n "$image" ] && [ -n "$root" ] || { usage >&2; exit 2; }
[ -z "$flash$mtd" ] || [ "$root" = block ] || [ "$root" = initramfs ] ||
	die '--flash, --mtd: only with --root block or initramfs'
check_readable "$kernel" "$image" "${drive[@]}" ${flash:+"$flash"} ${mtd:+"$mtd"}

make_work
readonly dtb=$work/virt.dtb bank=$work/flash.img boot_bank=$work/boot.img
rm -f "$dtb"

machine=virt
cmdline='ro panic=-1 console=ttyAMA0'
args=(-cpu "$CPU" -smp "$smp" -nodefaults)

# The flash bank with a file at its start.
add_flash()	# file
{
	[ "$(stat -Lc %s "$1")" -le $((FLASH_SIZE)) ] ||
		die "$1: does not fit into a flash bank of 64 MiB"
	cp --sparse=always "$1" "$bank"
	chmod u+w "$bank"
	truncate -s $((FLASH_SIZE)) "$bank"
	args+=(-drive "if=pflash,unit=1,format=raw,readonly=on,file=$bank")
	cmdline+=" cramfs.rom=$FLASH_BASE-$(printf '0x%x' $((FLASH_BASE + FLASH_SIZE)))"
}

# QEMU gives the first device the last slot: in reverse, the first is vda.
add_disks()
{
	local n id

	for ((n = ${#disks[@]} - 1; n >= 0; n--)); do
		id=disk$n
		args+=(-drive "if=none,id=$id,format=raw,readonly=on,file=${disks[n]}"
		       -device "virtio-blk-device,drive=$id")
	done
}

dump_dtb()
{
	qemu-system-arm -M "$machine,dumpdtb=$dtb" -cpu "$CPU" -smp "$smp" -m "$mem" \
			-nodefaults -display none >"$work/dumpdtb.log" 2>&1 ||
		die "no device tree from QEMU: $(tail -n 1 "$work/dumpdtb.log")"
}

# With an XIP kernel there is no loader but the stub: bank 0 has it all. Such a
# kernel is for little RAM, of which each device costs some, used or not.
add_xip_kernel()
{
	[ -e "$dtb" ] && [ ${#disks[@]} = 0 ] || die '--xip: neither with cfi nor with disks'
	fdtget -l "$dtb" / | grep -E '^(virtio_mmio|pcie|gpio-keys|fw-cfg|platform-bus)' |
		sed 's,^,/,' | xargs fdtput -r "$dtb"
	# The pool is for DMA in atomic context, 256 KiB unless one says so.
	fdtput -t s "$dtb" /chosen bootargs "$cmdline coherent_pool=16K $append"
	make_stub $XIP_DTB $XIP_KERNEL "$work/stub" -mcpu="$CPU" -marm
	rm -f "$boot_bank"
	truncate -s $((FLASH_SIZE)) "$boot_bank"
	put_file "$work/stub" "$boot_bank" 0 $XIP_DTB
	put_file "$dtb" "$boot_bank" $XIP_DTB $XIP_KERNEL
	put_file "$kernel" "$boot_bank" $XIP_KERNEL $FLASH_SIZE
	args+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$boot_bank")
}

set_cells()	# node property cell...
{
	fdtput -t x "$dtb" "$1" "$2" "${@:3}"
}

# Cells of a 64-bit address and size below 4 GiB.
reg()
{
	printf '0 %x 0 %x' "$1" "$2"
}

# The stock node joins both banks into one device, which has no point().
make_mtd_rom()	# [base size]
{
	# shellcheck disable=SC2046 # one cell a word
	set_cells /flash@0 reg $(reg "${1:-$FLASH_BASE}" "${2:-$FLASH_SIZE}")
	fdtput -t s "$dtb" /flash@0 compatible mtd-rom
}

add_reserved_memory()	# base size
{
	local node
	node=/reserved-memory/xip@$(printf %x "$1")

	fdtput -c "$dtb" /reserved-memory
	set_cells /reserved-memory '#address-cells' 2
	set_cells /reserved-memory '#size-cells' 2
	fdtput "$dtb" /reserved-memory ranges
	fdtput -c "$dtb" "$node"
	# shellcheck disable=SC2046 # one cell a word
	set_cells "$node" reg $(reg "$1" "$2")
	fdtput "$dtb" "$node" no-map
	fdtput -t s "$dtb" "$node" label xip
}

disks=("${drive[@]}")
case $root in
mtd)
	add_flash "$image"
	dump_dtb
	make_mtd_rom
	cmdline+=' mtdparts=4000000.flash:-(xip) root=mtd:xip rootfstype=cramfs'
	;;
cfi)
	# With the secure world, which keeps bank 0, one bank is left to see.
	machine=virt,secure=on
	add_flash "$image"
	cmdline+=' mtdparts=4000000.flash:-(xip) root=mtd:xip rootfstype=cramfs'
	;;
physmem)
	add_flash "$image"
	dump_dtb
	fdtput -r "$dtb" /flash@0
	cmdline+=" root=rom rootfstype=cramfs_physmem rootflags=physaddr=$FLASH_BASE"
	;;
rom)
	add_flash "$image"
	dump_dtb
	fdtput -r "$dtb" /flash@0
	add_reserved_memory $FLASH_BASE $FLASH_SIZE
	cmdline+=' root=rom:xip rootfstype=cramfs_physmem'
	;;
romram)
	mem=$RAM_ROM_MEM
	[ "$(stat -Lc %s "$image")" -le $((RAM_ROM_END - RAM_ROM)) ] ||
		die "$image: does not fit into 32 MiB of RAM"
	dump_dtb
	fdtput -r "$dtb" /flash@0
	add_reserved_memory $RAM_ROM $((RAM_ROM_END - RAM_ROM))
	args+=(-device "loader,file=$image,addr=$RAM_ROM,force-raw=on")
	cmdline+=" cramfs.rom=$RAM_ROM-$RAM_ROM_END root=rom:xip rootfstype=cramfs_physmem"
	;;
block)
	disks=("$image" "${drive[@]}")
	if [ -n "$flash" ]; then
		add_flash "$flash"
		dump_dtb
		fdtput -r "$dtb" /flash@0
	elif [ -n "$mtd" ]; then
		add_flash "$mtd"
		dump_dtb
		make_mtd_rom
	fi
	cmdline+=' root=/dev/vda rootfstype=cramfs'
	;;
initramfs)
	add_flash "${flash:-/dev/null}"
	dump_dtb
	if [ -n "$mtd" ]; then
		# What is in bank 0, the other one, is booted instead of the kernel.
		put_file "$mtd" "$bank" $FLASH_HALF $FLASH_SIZE
		make_mtd_rom $((FLASH_BASE + FLASH_HALF)) $FLASH_HALF
	else
		fdtput -r "$dtb" /flash@0
	fi
	make_initramfs "$init" "$work/initramfs.cpio"
	args+=(-initrd "$work/initramfs.cpio")
	;;
*)
	die "$root: no such place for a root file system"
	;;
esac
add_disks

if [ "$xip" = 1 ]; then
	add_xip_kernel
else
	args+=(-kernel "$kernel" -append "$cmdline $append")
	[ ! -e "$dtb" ] || args+=(-dtb "$dtb")
fi
run_qemu -M "$machine" -m "$mem" "${args[@]}"
