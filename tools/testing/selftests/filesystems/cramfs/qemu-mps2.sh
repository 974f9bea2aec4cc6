#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot a kernel that executes in place on a board without an MMU, QEMU's
# mps2-an385, with a cramfs image as its root. All of it is one file, laid out
# as a ROM at physical address 0; what the guest does, and what its console
# output means, is for the caller to know.

set -euo pipefail

readonly BOOT=0x0		# the stub; behind it, an image may be
readonly DTB=0x10000
readonly KERNEL=0x18000		# CONFIG_XIP_PHYS_ADDR
readonly ROOT=0x200000
readonly BOOT_COPY=0x3f0000
readonly ROM_END=0x400000	# what QEMU has there
readonly RAM_BASE=0x21000000
readonly RAM_SIZE=$((16 << 20))	# what QEMU has there

here=$(cd "$(dirname "$0")" && pwd)
. "$here/qemu.sh"

usage()
{
	cat <<'END'
usage: qemu-mps2.sh --kernel XIPIMAGE --image IMG --root WHERE [options]

WHERE the image is, and how the kernel is told:
  mtd       ROM, an mtd-rom node; root=mtd:xip
  physmem   the same ROM, unknown to the device tree; rootflags=physaddr=
  rom       the same ROM as a child of /reserved-memory; root=rom:xip

  --mem KIB          memory of the guest (1024)
  --boot-image FILE  an image to be at physical address 0, at most 64 KiB, whose
                     first 512 bytes are free for the boot stub; with WHERE mtd,
                     there is a copy of it, MTD device `boot`, at the end of the
                     ROM, since the kernel's physmap driver cannot map address 0
  --append TEXT      more kernel command line
  --log FILE         keep the console output there too
  --timeout S        end the guest after S seconds, exit status 124
  --interactive      connect the terminal to the guest; Ctrl-A X ends QEMU
  --dump-rom FILE    write what is in the ROM when the guest has ended
  --work DIR         for scratch files, which stay (a temporary one, removed)

The guest ends by a reset of its watchdog, since the board has no other.
END
}

kernel='' image='' root='' boot_image='' append='' log='' work='' dump_rom=''
mem=1024 timeout=0 interactive=0
parse_options '' 'boot_image dump_rom image root' '' "$@"
[ -n "$kernel" ] && [ -n "$image" ] && [ -n "$root" ] || { usage >&2; exit 2; }
check_readable "$kernel" "$image" ${boot_image:+"$boot_image"}
[[ $mem =~ ^[1-9][0-9]*$ ]] || die "--mem $mem: not a number of KiB"
[ $((mem << 10)) -le $RAM_SIZE ] || die "--mem $mem: the board has $((RAM_SIZE >> 10)) KiB"

make_work
readonly rom=$work/rom.img dtb=$work/mps2.dtb

cmdline="ro panic=-1 console=ttyMPS0 cramfs.rom=$ROOT-$ROM_END"
case $root in
mtd)		unused=(/reserved-memory)
		[ -n "$boot_image" ] || unused+=(/soc/rom@3f0000)
		cmdline+=' root=mtd:xip rootfstype=cramfs' ;;
physmem)	unused=(/reserved-memory /soc/rom@200000 /soc/rom@3f0000)
		cmdline+=" root=rom rootfstype=cramfs_physmem rootflags=physaddr=$ROOT" ;;
rom)		unused=(/soc/rom@200000 /soc/rom@3f0000)
		cmdline+=' root=rom:xip rootfstype=cramfs_physmem' ;;
*)		die "$root: no such place for a root file system" ;;
esac

dtc -q -I dts -O dtb -o "$dtb" "$here/mps2.dts"
fdtput -r "$dtb" "${unused[@]}"
root_end=$ROM_END
if [ -n "$boot_image" ] && [ "$root" = mtd ]; then
	root_end=$BOOT_COPY
	fdtput -t x "$dtb" "/soc/rom@${ROOT#0x}" reg ${ROOT#0x} "$(printf %x $((root_end - ROOT)))"
fi
fdtput -t x "$dtb" "/memory@${RAM_BASE#0x}" reg ${RAM_BASE#0x} "$(printf %x $((mem << 10)))"
fdtput -t s "$dtb" /chosen bootargs "$cmdline $append"

make_stub $DTB $KERNEL "$work/stub" -mcpu=cortex-m3 -mthumb -mfloat-abi=soft
rm -f "$rom"
truncate -s $((ROM_END)) "$rom"
[ -z "$boot_image" ] || put_file "$boot_image" "$rom" $BOOT $DTB
put_file "$work/stub" "$rom" $BOOT 512
put_file "$dtb" "$rom" $DTB $KERNEL
put_file "$kernel" "$rom" $KERNEL $ROOT
[ "$root_end" = $ROM_END ] || put_file "$boot_image" "$rom" $BOOT_COPY $ROM_END
put_file "$image" "$rom" $ROOT "$root_end"

args=(-M mps2-an385 -kernel "$rom")
if [ -n "$dump_rom" ]; then
	check_paths "$(realpath "$dump_rom")"
	rm -f "$work"/qmp.{in,out} "$dump_rom"
	mkfifo "$work"/qmp.{in,out}
	save_memory $BOOT $ROM_END "$(realpath "$dump_rom")" &
	args+=(-no-shutdown -qmp "pipe:$work/qmp")
fi
run_qemu "${args[@]}"
