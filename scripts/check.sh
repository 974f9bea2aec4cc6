#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [SUITE...]: prepare everything, run the suites, count what they say.
# Failures are shown as they come; the last line is `N passed, N failed`. A
# suite that crashes, or prints less than it planned, is a failure too. The
# whole output of a suite is in out/log/check-SUITE.tap and .log.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"

suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(tools sanitized fuzz-tools series builds demo guest nommu fuzz kunit
				       faults races)
passed=0 failed=0 skipped=0

# Whatever happens, the last line tells.
finish()
{
	local status=$?

	[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
	[ "$skipped" = 0 ] || echo "$skipped skipped"
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ] || exit 1
}
trap finish EXIT

# Shows failures with what they say, and ends with the counts.
tally()	# suite
{
	awk -v suite="$1" '
		# Only leaves: what a guest nests is indented, and its parent counts.
		/^(not )?ok / { shown = 0; ran++ }
		/^ok .*# SKIP/ { skipped++; print suite ": " $0; fflush(); next }
		/^ok / { passed++; next }
		/^not ok / { failed++; shown = 1; print suite ": " $0; fflush(); next }
		/^1\.\.[0-9]+/ { plans++; planned = substr($1, 4); if (/# SKIP/) no = 1; next }
		/^Bail out!/ { print suite ": " $0; bailed = 1; next }
		shown && /^#/ { print "    " $0; fflush() }
		END {
			if (plans != 1 || planned != ran || bailed || no || !ran) {
				print suite ": the suite is incomplete: " ran + 0 " results, " \
				      (plans ? planned : "none") " planned"
				failed++
			}
			print "counts", passed + 0, failed + 0, skipped + 0
		}'
}

run_suite()	# name command...
{
	local name=$1 log=$logs/check-$1 status line p=0 f=0 s=0 start=$SECONDS

	shift
	while IFS= read -r line; do
		case $line in
		'counts '*)	read -r p f s <<<"${line#counts }" ;;
		*)		echo "$line" ;;
		esac
	done < <({ "$@" 2>"$log.log" </dev/null || echo "status $?"; } |
		 tee "$log.tap" | tally "$name")
	status=$(sed -n 's/^status //p' "$log.tap")
	if [ -n "$status" ] && [ "$f" = 0 ]; then
		echo "$name: the suite ended with status $status; the end of $log.log:"
		tail -n 20 "$log.log"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	say "      $p passed, $f failed in $((SECONDS - start)) s"
}

suite_tools()
{
	make -s -C "$top/tools/cramfs" OUTPUT="$out/tools/" check WERROR=1
}

# The same with every error in the use of memory, and all behaviour that C leaves
# undefined, being the end of the program.
suite_sanitized()
{
	make -s -C "$top/tools/cramfs" OUTPUT="$out/tools-sanitized/" check WERROR=1 \
		CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
}

# Inputs of a fixed number for each of their readers; `make fuzz-tools` goes on.
suite_fuzz-tools()
{
	"$top/scripts/fuzz-tools.sh" check
}

suite_series()
{
	"$top/scripts/check-series.sh"
}

suite_builds()
{
	"$top/scripts/check-builds.sh"
}

suite_demo()
{
	"$top/scripts/check-demo.sh" "$image" "$image_mps2" "$compressed" "$compressed_mps2"
}

suite_guest()
{
	KERNEL=$kernel KERNEL_BASE=$kernel_base KERNEL_DEBUG=$kernel_debug \
	KERNEL_BE=$kernel_be KERNEL_BE_BASE=$kernel_be_base \
	MKCRAMFS=$mkcramfs ROOTFS=$rootfs KSRC=$ksrc WORK=$out/guest \
	CROSS_COMPILE=$cross_compile "$selftests/run-guest.sh"
}

suite_nommu()
{
	KERNEL=$mps2 KERNEL_BASE=$mps2_base KERNEL_MTD=$mps2_mtd KERNEL_PHYSMEM=$mps2_physmem \
	MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/nommu \
	CROSS_COMPILE=$cross_compile "$selftests/run-nommu.sh"
}

suite_kunit()
{
	"$top/scripts/check-kunit.sh"
}

suite_fuzz()
{
	KERNEL=$uml KERNEL_X86=$x86 MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/fuzz \
		"$selftests/run-fuzz.sh"
}

suite_faults()
{
	KERNEL_UML=$uml KERNEL_X86=$x86 MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/faults \
		"$selftests/run-faults.sh"
}

# A guest takes two minutes, with what it takes to begin and to end.
suite_races()
{
	KERNEL_X86=$x86 KERNEL_ARM=$kernel_debug MKCRAMFS=$mkcramfs KSRC=$ksrc WORK=$out/races \
	TIME=80 CROSS_COMPILE=$cross_compile "$selftests/run-races.sh"
}

for suite in "${suites[@]}"; do
	declare -F "suite_$suite" >/dev/null || die "$suite: no such suite"
done

n_steps=$((9 + ${#suites[@]}))
prepare_sources
step 'building mkcramfs and cramfs-map'
build_tools
step 'making the root directories and the images of the demos (3 min the first time)'
prepare_demo mps2
image_mps2=$image compressed_mps2=$compressed
prepare_demo virt
step 'building the kernels: the driver and the unmodified one (8 min the first time)'
kernel=$(build_kernel virt)
kernel_base=$(build_kernel virt-base)
step 'building the kernels: checks of locks and memory, big-endian, the least of a kernel (15 min the first time)'
kernel_debug=$(build_kernel virt-debug)
kernel_be=$(build_kernel virt-be)
kernel_be_base=$(build_kernel virt-be-base)
build_kernel virt-mtd >/dev/null
build_kernel virt-physmem >/dev/null
step 'building the kernels that execute in place (8 min the first time)'
build_kernel virt-xip >/dev/null
mps2=$(build_kernel mps2)
mps2_base=$(build_kernel mps2-base)
mps2_mtd=$(build_kernel mps2-mtd)
mps2_physmem=$(build_kernel mps2-physmem)
step 'building the kernels that look for errors: user-mode Linux (5 min the first time), x86-64 if X86=1'
uml=$(build_kernel uml)
x86=
[ "${X86:-}" != 1 ] || x86=$(build_kernel x86)
for suite in "${suites[@]}"; do
	step "suite $suite (log: $logs/check-$suite.tap)"
	run_suite "$suite" "suite_$suite"
done
