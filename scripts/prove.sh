#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# prove.sh BOARD KERNEL IMAGE WHERE LOG [QEMU-OPTION...]: boot the demo and hold
# what the guest printed about its own text against what must be so. BOARD is
# virt, virt-xip or mps2, WHERE one of the roots of its QEMU script. Prints the
# guest's console, then the verdict.

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

console()
{
	tr -d '\r' <"$log"
}

# text_pages PROGRAM PLACE: pages of the program's text are there, in each
# process that was shown; never the case if none was.
text_pages()
{
	console | awk -v program="$1" -v place="$2=[1-9]" '
		{ n = split($NF, path, "/") }
		$2 ~ /^r-x/ && path[n] == program { shown++; if ($0 ~ place) there++ }
		END { exit !(shown && shown == there) }'
}

# What was shown with addresses: the name, where its text begins, where it ends.
# Of a process, that is its PID, its name, and a line of its maps.
texts()
{
	console | awk '
		$3 == "_stext" { start = $1 }
		$3 == "_etext" { print "kernel", start, $1 }
		$4 ~ /^r-x/ { sub("-", " ", $3); print $2, $3 }'
}

# text_between NAME LOW HIGH: as text_pages(); addresses are 8 hexadecimal digits.
text_between()
{
	texts | awk -v name="$1" -v low="x$2" -v high="x$3" '
		$1 == name { shown++; if ("x" $2 >= low && "x" $3 <= high) there++ }
		END { exit !(shown && shown == there) }'
}

# Prints what is not proven; nothing if everything is.
missing_proof()
{
	local program

	console | grep -aq 'PROOF ENDS' || echo 'the guest did not come to its end'
	case $board/$where in
	mps2/*)
		text_between kernel 00018000 00200000 || echo 'kernel: text is not in ROM'
		for program in init sh where; do
			text_between $program 00200000 00400000 ||
				echo "$program: text is not in ROM"
		done ;;
	virt/block)
		for program in busybox libc.so.6; do
			text_pages $program ram && ! text_pages $program flash ||
				echo "$program: text is not in RAM"
		done ;;
	virt*/*)
		for program in busybox libc.so.6; do
			text_pages $program flash || echo "$program: no text in flash"
		done ;;&
	virt-xip/*)
		# All RAM is mapped from c0000000 on; below is what the stub entered.
		text_between kernel bf800000 c0000000 || echo 'kernel: text is not in flash' ;;
	esac
}

"${run[@]}" --kernel "$kernel" --image "$image" --root "$where" --log "$log" "$@"
missing=$(missing_proof)
if [ -n "$missing" ]; then
	printf 'NOT PROVEN:\n%s\n' "$missing"
	exit 1
fi
case $board/$where in
virt/block)	echo 'PROVEN: the text of busybox and of libc is in RAM, as it must be with a disk.' ;;
virt/*)		echo 'PROVEN: text pages of busybox and of libc are mapped from flash.' ;;
virt-xip/*)	echo 'PROVEN: the kernel executes from flash; text pages of busybox and of libc are mapped from flash.' ;;
mps2/*)		echo 'PROVEN: the text of the kernel, of init, of the shell and of a program is in ROM.' ;;
esac
