#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# verdict.sh BOARD WHERE CONSOLE: hold what a guest printed about its own text, and
# about its RAM where that is to be little, against what must be so. Says which of
# it is not proven, and fails if anything is not. What is missing is not proven.

. "$(dirname "$0")/common.sh"

[ $# = 3 ] || die 'usage: verdict.sh BOARD WHERE CONSOLE'
board=$1 where=$2 log=$3

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
		NF == 3 && $3 == "_stext" { start = $1 }
		NF == 3 && $3 == "_etext" { print "kernel", start, $1; start = "" }
		$4 ~ /^r-x/ { sub("-", " ", $3); print $2, $3 }'
}

# text_between NAME LOW HIGH: as text_pages(); addresses are 8 hexadecimal digits.
text_between()
{
	texts | awk -v name="$1" -v low="x$2" -v high="x$3" '
		function address(s) { return length(s) == 8 && s !~ /[^0-9a-f]/ }
		$1 == name {
			shown++
			if (NF == 3 && address($2) && address($3) && "x" $2 < "x" $3 &&
			    "x" $2 >= low && "x" $3 <= high)
				there++
		}
		END { exit !(shown && shown == there) }'
}

# ram_is_at_most KB LABEL: as the guest has it from its kernel, not as QEMU was told.
ram_is_at_most()
{
	console | awk -v most="$1" -v line="^ *$2 [0-9]+ kB" '
		$0 ~ line && !shown++ {
			sub(/^[^0-9]*/, "")
			fits = $1 > 0 && $1 + 0 <= most + 0
		}
		END { exit !fits }'
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
		done
		ram_is_at_most 1024 total || echo 'RAM: more than 1 MiB' ;;
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
		text_between kernel bf800000 c0000000 || echo 'kernel: text is not in flash'
		ram_is_at_most 2048 'RAM of the machine' || echo 'RAM: more than 2 MiB' ;;
	virt/*)	;;
	*)	echo "$board: no such board" ;;
	esac
}

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
