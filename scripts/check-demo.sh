#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-demo.sh IMAGE IMAGE-MPS2 COMPRESSED COMPRESSED-MPS2: TAP about the demo:
# that it proves what it is to prove from each place where its image can be, with
# kernels that have everything and with ones that have only what that place needs,
# and that it does not prove what is not so. In the last two images nothing can
# execute in place. It says nothing about the driver that the guest tests do not
# say in more detail.

. "$(dirname "$0")/common.sh"
. "$top/scripts/tap.sh"

[ $# = 4 ] || die 'usage: check-demo.sh IMAGE IMAGE-MPS2 COMPRESSED COMPRESSED-MPS2'
image=$1 image_mps2=$2 compressed=$3 compressed_mps2=$4
rm -f "$out"/log/demo-*.log

console_of()	# name
{
	echo "$out/log/demo-$1.log"
}

demo_named()	# name board variant image where [qemu option...]
{
	local kernel

	kernel=$("$top/scripts/kernel.sh" "$3") &&
		"$top/scripts/prove.sh" "$2" "$kernel" "$4" "$5" "$(console_of "$1")" \
			--timeout 120 "${@:6}"
}

demo()	# board variant image where [qemu option...]
{
	demo_named "$2-$4" "$@"
}

# The interactive shell is one more that must be shown in ROM. Its long division
# is our own.
shell()
{
	local console

	console=$(demo_named mps2-shell mps2 mps2 "$image_mps2" mtd \
			--interactive --append demo=shell <<-'END'
		set -- $((123456789012345678 / 987654321)) $((-123456789012345678 % 987654321))
		echo "divided: $1 $2" | cat
		where $$
		poweroff
	END
	) && [[ $console == *'divided: 124999998 -862654320'* ]] && return
	echo "$console"
	return 1
}

# not_proven BOARD IMAGE MISSING [QEMU-OPTION...]: the guest comes to its end, and
# just this is missing in what it has shown.
not_proven()
{
	local console

	! console=$(demo_named "$1-not-proven" "$1" "$1" "$2" mtd "${@:4}") &&
		[[ $console == *'PROOF ENDS'*$'\nNOT PROVEN:\n'"$3" ]] && return
	echo "$console"
	return 1
}

# not_believed BOARD SED-SCRIPT MISSING: what a guest has shown, changed like that,
# is no proof any more, for just this reason. A guest cannot be made to show it.
not_believed()
{
	local console changed verdict

	console=$(console_of "$1-mtd") changed=$(console_of "$1-changed")
	sed -e "$2" "$console" >"$changed" || return
	! cmp -s "$console" "$changed" || { echo 'nothing was changed'; return 1; }
	! verdict=$("$top/scripts/verdict.sh" "$1" mtd "$changed") &&
		[ "$verdict" = $'NOT PROVEN:\n'"$3" ] && return
	echo "$verdict"
	return 1
}

for where in mtd cfi physmem rom romram block; do
	tap_test "the demo, root on $where" demo virt virt "$image" "$where"
done
tap_test 'the demo, root on mtd, no block layer' demo virt virt-mtd "$image" mtd
for where in physmem rom romram; do
	tap_test "the demo, root on $where, neither block layer nor MTD" \
		demo virt virt-physmem "$image" "$where"
done
for where in mtd physmem rom; do
	tap_test "the demo, XIP kernel in 2 MiB of RAM, root on $where" \
		demo virt-xip virt-xip "$image" "$where"
	tap_test "the demo without an MMU, root on $where" demo mps2 mps2 "$image_mps2" "$where"
done
tap_test 'the demo without an MMU, root on mtd, the unmodified driver' \
	demo mps2 mps2-base "$image_mps2" mtd
tap_test 'the demo without an MMU, root on mtd, not by address' demo mps2 mps2-mtd "$image_mps2" mtd
for where in physmem rom; do
	tap_test "the demo without an MMU, root on $where, no MTD" \
		demo mps2 mps2-physmem "$image_mps2" "$where"
done
tap_test 'the demo without an MMU, a shell' shell

tap_test 'the demo, compressed programs: not proven' \
	not_proven virt "$compressed" $'busybox: no text in flash\nlibc.so.6: no text in flash'
tap_test 'the demo, XIP kernel, compressed programs, more RAM: not proven' \
	not_proven virt-xip "$compressed" \
	$'busybox: no text in flash\nlibc.so.6: no text in flash\nRAM: more than 2 MiB' --mem 16
# More RAM is for copies of the text.
tap_test 'the demo without an MMU, compressed programs, more RAM: not proven' \
	not_proven mps2 "$compressed_mps2" \
	$'init: text is not in ROM\nsh: text is not in ROM\nwhere: text is not in ROM\nRAM: more than 1 MiB' \
	--mem 4096

for board in virt-xip mps2; do
	case $board in
	virt-xip) where=flash below=bf7ff ram=c0000 label='RAM of the machine' most=2048 ;;
	mps2)	where=ROM below=00017 ram=21000 label=total most=1024 ;;
	esac
	kernel="kernel: text is not in $where" too_much="RAM: more than $((most / 1024)) MiB"
	tap_test "$board: not proven without where the kernel's text begins" \
		not_believed $board '/ _stext/d' "$kernel"
	tap_test "$board: not proven without where the kernel's text ends" \
		not_believed $board '/ _etext/d' "$kernel"
	tap_test "$board: not proven if the kernel's text begins before $where" \
		not_believed $board "s/^.....\(.* _stext\)/$below\1/" "$kernel"
	tap_test "$board: not proven if the kernel's text ends in RAM" \
		not_believed $board "s/^.....\(.* _etext\)/$ram\1/" "$kernel"
	tap_test "$board: not proven by what is not an address" \
		not_believed $board 's/^\(.......\).\(.* _etext\)/\1g\2/' "$kernel"
	tap_test "$board: not proven without an amount of RAM" \
		not_believed $board "/^ *$label [0-9]* kB/d" "$too_much"
	tap_test "$board: not proven with a page of RAM too much" \
		not_believed $board "s/^\( *$label\) $most kB/\1 $((most + 4)) kB/" "$too_much"
	tap_test "$board: not proven without an end" \
		not_believed $board '/PROOF ENDS/d' 'the guest did not come to its end'
done
tap_end
