#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-demo.sh IMAGE: TAP about the demo: that it proves what it is to prove
# from each place where its image can be, with kernels that have everything and
# with ones that have only what that place needs. It says nothing about the
# driver that the guest tests do not say in more detail.

. "$(dirname "$0")/common.sh"
. "$top/scripts/tap.sh"

[ $# = 1 ] || die 'usage: check-demo.sh IMAGE'
image=$1

demo()	# variant where
{
	local zimage

	zimage=$("$top/scripts/kernel.sh" "$1") &&
		"$top/scripts/prove.sh" "$zimage" "$image" "$2" \
			"$out/log/demo-$1-$2.log" --timeout 120
}

for where in mtd cfi physmem rom romram block; do
	tap_test "the demo, root on $where" demo virt "$where"
done
tap_test 'the demo, root on mtd, no block layer' demo virt-mtd mtd
for where in physmem rom romram; do
	tap_test "the demo, root on $where, neither block layer nor MTD" demo virt-physmem "$where"
done
tap_end
