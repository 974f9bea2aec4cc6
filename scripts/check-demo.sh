#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-demo.sh IMAGE IMAGE-MPS2: TAP about the demo: that it
# proves what it is to prove from each place where its image can be, with kernels
# that have everything and with ones that have only what that place needs, and
# that it does not prove what is not so. It says nothing about the driver that
# the guest tests do not say in more detail.

. "$(dirname "$0")/common.sh"
. "$top/scripts/tap.sh"

[ $# = 2 ] || die 'usage: check-demo.sh IMAGE IMAGE-MPS2'
image=$1 image_mps2=$2
compressed=$out/root-mps2-compressed.cramfs

demo()	# board variant image where [qemu option...]
{
	local kernel

	kernel=$("$top/scripts/kernel.sh" "$2") &&
		"$top/scripts/prove.sh" "$1" "$kernel" "$3" "$4" \
			"$out/log/demo-$2-$4.log" --timeout 120 "${@:5}"
}

# The interactive shell is one more that must be shown in ROM. Its long division
# is our own.
shell()
{
	local console

	console=$(demo mps2 mps2 "$image_mps2" mtd --interactive --append demo=shell <<-'END'
		set -- $((123456789012345678 / 987654321)) $((-123456789012345678 % 987654321))
		echo "divided: $1 $2" | cat
		where $$
		poweroff
	END
	) && [[ $console == *'divided: 124999998 -862654320'* ]] && return
	echo "$console"
	return 1
}

# Needs more RAM than the demo, for copies of the text.
not_proven()
{
	local console

	"$out/tools/mkcramfs" -q -D "$out/root.devices" "$out/rootfs-mps2" "$compressed" || return
	! console=$(demo mps2 mps2 "$compressed" mtd --mem 4096) &&
		[[ $console == *'PROOF ENDS'*'NOT PROVEN:
init: text is not in ROM
sh: text is not in ROM
where: text is not in ROM' ]] && return
	echo "$console"
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
tap_test 'the demo without an MMU, compressed programs: not proven' not_proven
tap_end
