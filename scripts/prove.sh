#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# prove.sh ZIMAGE IMAGE WHERE LOG [QEMU-VIRT-OPTION...]: boot the demo and hold
# what the guest printed about its own pages against what must be so. WHERE is
# one of the roots of qemu-virt.sh. Prints the guest's console, then the verdict.

. "$(dirname "$0")/common.sh"

[ $# -ge 4 ] || die 'usage: prove.sh ZIMAGE IMAGE WHERE LOG [QEMU-VIRT-OPTION...]'
kernel=$1 image=$2 where=$3 log=$4
shift 4

# text_pages PROGRAM PLACE: pages of the program's text are there, in each
# process that was shown; never the case if none was.
text_pages()
{
	tr -d '\r' <"$log" | awk -v program="$1" -v place="$2=[1-9]" '
		{ n = split($NF, path, "/") }
		$2 ~ /^r-x/ && path[n] == program { shown++; if ($0 ~ place) there++ }
		END { exit !(shown && shown == there) }'
}

# Prints what is not proven; nothing if everything is.
missing_proof()
{
	local program

	grep -aq 'PROOF ENDS' "$log" || echo 'the guest did not come to its end'
	for program in busybox libc.so.6; do
		if [ "$where" != block ]; then
			text_pages "$program" flash || echo "$program: no text in flash"
		elif ! text_pages "$program" ram || text_pages "$program" flash; then
			echo "$program: text is not in RAM"
		fi
	done
}

"$selftests/qemu-virt.sh" --kernel "$kernel" --image "$image" --root "$where" --log "$log" "$@"
missing=$(missing_proof)
if [ -n "$missing" ]; then
	printf 'NOT PROVEN:\n%s\n' "$missing"
	exit 1
elif [ "$where" = block ]; then
	echo 'PROVEN: the text of busybox and of libc is in RAM, as it must be with a disk.'
else
	echo 'PROVEN: text pages of busybox and of libc are mapped from flash.'
fi
