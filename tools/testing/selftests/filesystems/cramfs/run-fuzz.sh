#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzz the driver: build the fuzzer, make the images that it starts from, and have
# guests try what it makes of them. Without arguments, a fixed portion whose results
# are a TAP stream; with some, what they say. The fuzzer is fuzz/fuzz.c, guests are
# fuzz/run.py's concern.

set -euo pipefail

usage='usage: run-fuzz.sh [NAME=VALUE...]
  WAY=block|mtd|memory    where images are (block and mtd)
  TIME=SECONDS            for how long (60, unless COUNT is given)
  COUNT=N                 images for each guest
  SEED=N                  which images (others each time)
  FIRST=N                 the first image of the seed
  IMAGE=FILE              this image only
  COVERAGE=1              which lines of the driver are reached; block and mtd only

environment:
  KERNEL       kernel of uml.config, for block and mtd; for COVERAGE, the one that
               scripts/kernel.sh calls uml-gcov, in its build directory
  KERNEL_X86   bzImage of x86.config, for memory; may be left out
  MKCRAMFS     mkcramfs to make images with
  KSRC         kernel tree
  WORK         scratch directory; images that something was found with stay there
  JOBS         guests at a time (number of processors)'

. "$(dirname "$0")/guests.sh"
set_up KERNEL MKCRAMFS KSRC WORK
trap - EXIT

ways=(block mtd) time='' count='' seed='' first=0 image='' coverage=''
fixed=1
[ $# = 0 ] || fixed=

number()	# argument
{
	[[ ${1#*=} =~ ^[0-9]{1,12}$ ]] || die "$1: not a number"
	echo "$((10#${1#*=}))"
}

for word; do
	case $word in
	*=)		;;
	WAY=block | WAY=mtd | WAY=memory) ways=("${word#*=}") ;;
	WAY=*)		die "$word: block, mtd or memory" ;;
	TIME=*)		time=$(number "$word") ;;
	COUNT=*)	count=$(number "$word") ;;
	SEED=*)		seed=$(number "$word") ;;
	FIRST=*)	first=$(number "$word") ;;
	IMAGE=*)	image=${word#*=}
			[ -r "$image" ] || die "$image: cannot be read" ;;
	COVERAGE=1)	coverage=$WORK/coverage ;;
	COVERAGE=0)	;;
	*)		echo "$usage" >&2; die "$word: no such argument" ;;
	esac
done

# The host's headers, but for that of the format.
mkdir -p "$programs/include/linux"
cp "$KSRC/include/uapi/linux/cramfs_fs.h" "$programs/include/linux"
quietly build 'the fuzzer does not build' \
	make -C "$here/fuzz" CPPFLAGS="-I$programs/include" OUTPUT="$programs"
quietly seeds 'the seeds cannot be made' \
	fakeroot -- python3 "$here/fuzz/seeds.py" --mkcramfs "$MKCRAMFS" --out "$programs/seeds"

run=(python3 "$here/fuzz/run.py" --fuzzer "$programs/fuzz" --seeds "$programs/seeds"
     --work "$logs" --out "$WORK" --kernel "$KERNEL" --kernel-x86 "${KERNEL_X86:-}")

# What check.sh has: the same images each time. An emulator is slow.
[ -z "$fixed" ] ||
	exec "${run[@]}" --jobs "$jobs" --portion block:1:2600 --portion mtd:2:2600 \
		${KERNEL_X86:+--portion memory:3:200}

args=(--seed "${seed:=$((RANDOM << 15 | RANDOM))}" --first "$first" --jobs "$jobs")
for way in "${ways[@]}"; do
	args+=(--way "$way")
done
[ -n "$count$image" ] || : "${time:=60}"
[ -z "$time" ] || args+=(--time "$time")
[ -z "$count" ] || args+=(--count "$count")
[ -z "$image" ] || args+=(--image "$image")
# One image, or some of one seed, are for one guest.
[ -z "$count$image" ] || args+=(--jobs "${#ways[@]}")
[ -n "$image" ] || echo "seeds from $seed on: make fuzz SEED=$seed does the same again"
if [ "${ways[0]}" = memory ]; then
	[ -n "${KERNEL_X86:-}" ] || die 'WAY=memory: KERNEL_X86 is not set'
	[ -z "$coverage" ] || die 'COVERAGE=1 is for block and mtd'
fi
# In its place, for signals.
[ -n "$coverage" ] || exec "${run[@]}" "${args[@]}"
status=0
rm -rf "$coverage"
"${run[@]}" "${args[@]}" --coverage "$coverage" || status=$?
python3 "$here/fuzz/coverage.py" "${KERNEL%/*}/fs/cramfs" "$coverage"/*/
exit "$status"
