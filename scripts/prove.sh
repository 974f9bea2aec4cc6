#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# prove.sh BOARD KERNEL IMAGE WHERE LOG [QEMU-OPTION...]: boot the demo and have
# what the guest printed about itself judged. BOARD is virt, virt-xip or mps2,
# WHERE one of the roots of its QEMU script. Prints the guest's console, then the
# verdict.

. "$(dirname "$0")/common.sh"

[ $# -ge 5 ] || die 'usage: prove.sh BOARD KERNEL IMAGE WHERE LOG [QEMU-OPTION...]'
board=$1 kernel=$2 image=$3 where=$4 log=$5
shift 5

case $board in
virt)		run=("$selftests/qemu-virt.sh") ;;
virt-xip)	run=("$selftests/qemu-virt.sh" --xip --mem 2) ;;
mps2)		run=("$selftests/qemu-mps2.sh") ;;
*)		die "$board: no such board" ;;
esac

"${run[@]}" --kernel "$kernel" --image "$image" --root "$where" --log "$log" "$@"
"$top/scripts/verdict.sh" "$board" "$where" "$log"
