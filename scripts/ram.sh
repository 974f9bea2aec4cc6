#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ram.sh: the least RAM with which a system that executes in place boots to a
# running program, the RAM in use, and the sizes of what the driver consists of
# and needs, each beside the unmodified driver on the same image. On a board
# without an MMU (mps2) and on one with (virt), with the same options in all
# kernels but for the driver's. Takes some minutes.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

work=$out/ram

build_programs()
{
	local nolibc=$ksrc/tools/include/nolibc

	mkdir -p "$work"/{mps2,virt}/{sbin,proc,dev}
	"$selftests/fdpic/gcc.sh" -I"$nolibc" -o "$work/mps2/sbin/init" \
		"$top/scripts/ram-init.c" >&2 || return
	"${cross_compile}gcc" -Os -ffreestanding -nostdlib -static -I"$nolibc" \
		-fno-stack-protector -fno-asynchronous-unwind-tables -fomit-frame-pointer \
		-DNOLIBC_OMIT_FRAME_POINTER -Wl,--build-id=none \
		-o "$work/virt/sbin/init" "$top/scripts/ram-init.c" -lgcc >&2
}

# Nothing is compressed in the images: for ours, that saves the RAM to inflate it
# in; for the unmodified driver, it makes no difference.
make_images()
{
	printf '%s - - -\n' '/dev/console c 600 0 0 5 1' >"$work/devices"
	"$mkcramfs" -q -L -X -U -D "$work/devices" "$work/mps2" "$work/mps2.img" >&2 &&
		"$mkcramfs" -q -L -X -X -U -D "$work/devices" "$work/virt" "$work/virt.img" >&2
}

# A guest with so much RAM, to the end of its program, a panic of its kernel, or
# silence for so many seconds. The console is in $log.
boot()	# variant root kib append seconds
{
	local board=${1%%-*} pid options=(--mem "$3")
	local kernel=$kernels/$1/arch/arm/boot/xipImage

	log=$work/$1-$2.log
	[ "$board" = mps2 ] || options=(--xip --mem "$3K")
	: >"$log"
	# In a process group of its own: a guest that does not get far never ends.
	setsid "$selftests/qemu-$board.sh" --kernel "$kernel" \
		--image "$work/$board.img" --root "$2" --timeout $((3 * $5)) --log "$log" \
		"${options[@]}" --append "earlycon $4" >"$work/qemu.out" 2>&1 &
	pid=$!
	# shellcheck disable=SC2064 # this one
	trap "kill -- -$pid 2>/dev/null || true" EXIT
	while kill -0 $pid 2>/dev/null; do
		! grep -aqE '^RUNNING|Kernel panic' "$log" || break
		! quiet_for "$5" "$log" || break
		sleep 0.2
	done
	kill -- -$pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
	trap - EXIT
}

# Nothing was written for so long.
quiet_for()	# seconds file
{
	[ $(($(date +%s) - $(stat -c %Y "$2"))) -gt "$1" ]
}

# Whether it runs in so much RAM. If not, its kernel panics, or it looks for memory
# for ever: with some sizes it does, without a word. That must happen at the same
# place in two runs of which the second is given much time, since silence can also
# be that of a busy host; a guest that says nothing at all is no answer.
runs_in()	# variant root kib append
{
	local seconds what="$1, root on $2, $3 KiB${4:+, $4}" panic last='' before

	for seconds in 20 60; do
		boot "$1" "$2" "$3" "$4" $seconds
		if grep -aq '^RUNNING' "$log"; then
			say "  $what: runs"
			text_is_in_rom "${1%%-*}" && return
			die "$what: the text of its program is not in ROM: $log"
		fi
		panic=$(sed -n 's/.*Kernel panic - not syncing: //p' "$log" | tr -d '\r' | head -n 1)
		if [ -n "$panic" ]; then
			say "  $what: panics: $panic"
			return 1
		fi
		before=$last last=$(tail -n 1 "$log" | tr -d '\r' | sed 's/^\[[^]]*\] *//')
		say "  $what: silent for $seconds s after: $last"
	done
	[ -z "$last" ] || [ "$last" != "$before" ] || return 1
	die "$what: neither runs, nor panics, nor hangs at one place: $log, $work/qemu.out"
}

# Where the program has found its text: see qemu-BOARD.sh for where ROM is. With an
# MMU, the unmodified driver maps text in a way that hides it from the program, but
# has the kernel show the physical address in place of an offset in the file.
text_is_in_rom()	# board
{
	local rom='text at 00[23].....'

	[ "$1" = mps2 ] ||
		rom='text at 0[4-7]......|[^ ]* r-xp 0[4-7]...... .* /sbin/init'
	tr -d '\r' <"$log" | grep -aqxE "$rom"
}

# The least RAM in KiB with which it runs, in steps of a page, between a size that is
# too little and one that is enough.
smallest()	# variant root append
{
	local low=512 high=1024 mid

	case $1 in
	virt-*)	low=1536 high=3072 ;;
	esac
	runs_in "$1" "$2" $high "$3" || die "$1: $high KiB are not enough: $log"
	! runs_in "$1" "$2" $low "$3" || die "$1: $low KiB are more than it needs"
	while [ $((high - low)) -gt 4 ]; do
		mid=$(((low + high) / 2 / 4 * 4))
		if runs_in "$1" "$2" $mid "$3"; then high=$mid; else low=$mid; fi
	done
	echo $high
}

in_use()	# variant root kib
{
	runs_in "$1" "$2" "$3" '' || die "$1: $3 KiB are not enough: $log"
	tr -d '\r' <"$log" | awk -v all="$3" '/^MemFree:/ { print all - $2 }'
}

# text, data and bss of the objects
size_of()	# object...
{
	"${cross_compile}size" -t "$@" | awk '{ text = $1; data = $2; bss = $3 }
		END { printf "%d+%d+%d", text, data, bss }'
}

line()	# title column...
{
	printf '%-44s' "$1"
	shift
	printf ' %16s' "$@"
	echo
}

sizes()	# title file-below-the-build, where it is there
{
	local variant columns=()

	for variant in mps2-mtd mps2-physmem mps2-base; do
		if [ -e "$kernels/$variant/$2" ]; then
			columns+=("$(size_of "$kernels/$variant/$2")")
		else
			columns+=(-)
		fi
	done
	line "$1" "${columns[@]}"
}

n_steps=7
prepare_sources
step 'building mkcramfs, programs and images'
build_tools
logged ram-programs build_programs
logged ram-images make_images
step 'building kernels (15 min the first time)'
kernels=$(kernel_dir)/build
for variant in mps2-mtd mps2-physmem mps2-base virt-xip virt-xip-base; do
	build_kernel $variant >/dev/null
done

step 'booting guests without an MMU'
# By default 128 KiB stay free, and two hash tables have a page each.
few='sysctl.vm.min_free_kbytes=4 dhash_entries=64 ihash_entries=64'
mps2=(mps2-mtd:mtd mps2-physmem:physmem mps2-base:mtd)
virt=(virt-xip:mtd virt-xip:physmem virt-xip-base:mtd)
for what in "${mps2[@]}"; do
	figure=$(smallest "${what%:*}" "${what#*:}" '')
	least+=("$figure")
	figure=$(smallest "${what%:*}" "${what#*:}" "$few")
	least_few+=("$figure")
	figure=$(in_use "${what%:*}" "${what#*:}" 1024)
	used+=("$figure")
done
step 'booting guests with an MMU'
for what in "${virt[@]}"; do
	figure=$(smallest "${what%:*}" "${what#*:}" '')
	virt_least+=("$figure")
	figure=$(in_use "${what%:*}" "${what#*:}" 2048)
	virt_used+=("$figure")
done

line '' 'ours, MTD' 'ours, address' 'unmodified, MTD'
echo 'No MMU, XIP kernel (Cortex-M3, mps2-an385), KiB of RAM'
line '  least that boots to a program' "${least[@]}"
line '  least, with little set aside (see below)' "${least_few[@]}"
line '  in use at 1 MiB' "${used[@]}"
echo 'MMU, XIP kernel (Cortex-A15, virt), KiB of RAM'
line '  least that boots to a program' "${virt_least[@]}"
line '  in use at 2 MiB' "${virt_used[@]}"
echo 'Objects (Thumb-2, -Os, no MMU), text+data+bss in bytes'
sizes '  fs/cramfs' fs/cramfs/built-in.a
sizes '  zlib_inflate' lib/zlib_inflate/built-in.a
sizes '  MTD: core, chip and map drivers' drivers/mtd/built-in.a
sizes '  the whole kernel' vmlinux
echo "Little set aside: $few"
