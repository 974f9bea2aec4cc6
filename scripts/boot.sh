#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# boot.sh [WHERE]: from nothing to a shell in a guest whose programs execute
# from flash, and the proof that they do: what the guest printed about its own
# pages is checked here, and decides the exit status. WHERE is one of the roots
# of qemu-virt.sh. With a terminal the guest stays until its user leaves it.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

where=${1:-mtd}
case $where in
mtd | cfi | physmem | rom | romram | block) ;;
*) die "ROOT=$where: must be mtd, cfi, physmem, rom, romram or block" ;;
esac

image=$out/root.cramfs
console=$logs/boot-$where.log

make_image()
{
	local devices=$out/root.devices

	printf '%s - - -\n' '/dev/console c 600 0 0 5 1' '/dev/null c 666 0 0 1 3' >"$devices"
	logged image "$mkcramfs" -q -X -X -D "$devices" "$rootfs" "$image" >&2
}

boot()
{
	local args=(--kernel "$zimage" --image "$image" --root "$where" --log "$console")

	if [ -t 0 ] && [ -t 1 ]; then
		"$selftests/qemu-virt.sh" "${args[@]}" --append demo=shell --interactive
	else
		"$selftests/qemu-virt.sh" "${args[@]}" --timeout 120
	fi
}

# text_pages PATTERN PLACE: some text of the program that PATTERN matches is in
# that place.
text_pages()
{
	tr -d '\r' <"$console" | grep -E "r-xp.*$1" | grep -Eq "$2=[1-9]"
}

# Prints what the guest did not prove; nothing if it proved everything.
check_proof()
{
	local program

	grep -q 'PROOF ENDS' "$console" || echo 'the guest did not come to its end'
	for program in busybox libc.so.6; do
		if [ "$where" = block ]; then
			text_pages "$program" ram || echo "$program: no text in RAM"
			! text_pages "$program" flash || echo "$program: text in flash"
		else
			text_pages "$program" flash || echo "$program: no text in flash"
		fi
	done
}

n_steps=8
prepare_sources
step "building the kernel (about 5 min the first time; log: $logs/kernel-virt.log)"
zimage=$(build_kernel virt)
step 'building mkcramfs and cramfs-map'
build_tools
step 'making the root directory from Debian packages for armhf'
prepare_rootfs
step "writing the image $image"
make_image
step "booting with root on $where (console: $console)"
boot
missing=$(check_proof)
if [ -n "$missing" ]; then
	say "NOT PROVEN:"$'\n'"$missing"
	exit 1
fi
if [ "$where" = block ]; then
	say 'PROVEN: the text of busybox and of libc is in RAM, as it must be with a disk.'
else
	say 'PROVEN: text pages of busybox and of libc are mapped from flash.'
fi
