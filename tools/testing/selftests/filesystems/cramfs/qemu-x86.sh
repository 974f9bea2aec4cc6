#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot an x86-64 kernel of x86.config on QEMU's `pc` machine, by its emulator, with one
# static program as the init of an initramfs. Two ranges of RAM are hidden from the
# kernel, for images: one that nobody claims, and one of which the map driver makes a
# ROM behind MTD. What the guest does, and what its console output means, is for the
# caller to know.

set -euo pipefail

readonly ROM=0x8000000		# above the kernel, below where QEMU puts the initramfs
readonly MTD_ROM=0xa000000	# CONFIG_MTD_PHYSMAP_START
readonly ROM_SIZE=0x2000000	# of each; CONFIG_MTD_PHYSMAP_LEN
readonly ROM_END=$((MTD_ROM + ROM_SIZE))

here=$(cd "$(dirname "$0")" && pwd)
. "$here/qemu.sh"

usage()
{
	cat <<'END'
usage: qemu-x86.sh --kernel BZIMAGE --init PROGRAM [options]

  --init PROGRAM   a static program, /init of the guest
  --file NAME=FILE FILE is NAME, without directories, in the root of the guest; may be
                   repeated
  --rom FILE       FILE in the 32 MiB at 0x8000000, for physaddr=; the kernel command
                   line has it as cramfs.rom=START-END
  --mtd FILE       FILE in the 32 MiB at 0xa000000, which are mtd0 (mtd:physmap-flash)
  --drive FILE     a virtio disk, read-only, /dev/vda; may be repeated (vdb...)
  --smp N          processors (4)
  --mem MIB        memory of the guest, 256 at least (512); 64 of it are the two ranges
  --append TEXT    more kernel command line
  --log FILE       keep the console output there too
  --timeout S      end the guest after S seconds, exit status 124
  --interactive    connect the terminal to the guest; Ctrl-A X ends QEMU
  --work DIR       for scratch files, which stay (a temporary one, removed)

The guest ends when its init reboots.
END
}

kernel='' init='' rom='' mtd='' append='' log='' work=''
smp=4 mem=512 timeout=0 interactive=0
drive=() file=()
parse_options '' 'init mtd rom smp' 'drive file' "$@"
[ -n "$kernel" ] && [ -n "$init" ] || { usage >&2; exit 2; }
[[ $mem =~ ^[0-9]+$ ]] && [ "$mem" -ge 256 ] || die "--mem $mem: a number of MiB, 256 at least"
check_readable "$kernel" "${drive[@]}" ${rom:+"$rom"} ${mtd:+"$mtd"}

make_work
qemu=qemu-system-x86_64
readonly initramfs=$work/initramfs.cpio
readonly memmap=$((ROM_END - ROM))\$$ROM
# Checks of timers measure how busy the host is.
cmdline="console=ttyS0 panic=-1 reboot=t mitigations=off no_timer_check memmap=$memmap"
args=(-M pc -accel tcg,thread=multi -smp "$smp" -m "$mem" -nodefaults)

# load FILE ADDRESS: what the kernel does not know of is not cleared at boot either.
load()
{
	[ "$(stat -Lc %s "$1")" -le $((ROM_SIZE)) ] || die "$1: does not fit into 32 MiB"
	args+=(-device "loader,file=$1,addr=$2,force-raw=on")
}

make_initramfs "$init" "$initramfs" "${file[@]}"
if [ -n "$rom" ]; then
	load "$rom" $ROM
	cmdline+=" cramfs.rom=$ROM-$(printf '0x%x' $((ROM + ROM_SIZE)))"
fi
[ -z "$mtd" ] || load "$mtd" $MTD_ROM
for n in "${!drive[@]}"; do
	args+=(-drive "if=none,id=disk$n,format=raw,readonly=on,file=${drive[n]}"
	       -device "virtio-blk-pci,drive=disk$n")
done

run_qemu "${args[@]}" -kernel "$kernel" -initrd "$initramfs" -append "$cmdline $append"
