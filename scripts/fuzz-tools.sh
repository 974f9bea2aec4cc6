#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fuzz-tools.sh TIME [TARGETS]: fuzz the readers of fsck.cramfs and mkcramfs, each
# for TIME seconds, as many at a time as there are processors (or JOBS). Inputs that
# reached something new are kept in the cache, and the next run goes on from there.
# fuzz-tools.sh check: a fixed number of inputs for each, the same every time; TAP.
#
# What is found is kept in out/fuzz-tools/, and makes the exit status 1. What is
# fuzzed, and what must hold, is in tools/cramfs/fuzz/.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"
. "$top/scripts/tap.sh"
. "$selftests/runner.sh"

readonly TARGETS=(fsck elf flat devtable archive rules sort)
# The longest inputs, and how many there are in a check: what 25 s of a processor are for
# fsck, and 5 to 12 for the others.
declare -rA MAX_LEN=([fsck]=147456 [elf]=24576 [flat]=16384 [devtable]=2048
		     [archive]=32768 [rules]=1024 [sort]=1024)
declare -rA RUNS=([fsck]=6000 [elf]=6000 [flat]=6000 [devtable]=20000
		  [archive]=10000 [rules]=10000 [sort]=10000)
# The process begins anew after so many seconds: what it leaks is its own, by libraries
# that are left in the middle of something. What it has done is on record after that.
readonly ROUND=300

results=$out/fuzz-tools
programs=$out/tools/fuzzers
seeds=$results/seeds
corpus=$cache/fuzz-tools
dictionaries=$top/tools/cramfs/fuzz

prepare_fuzzers()
{
	mkdir -p "$results"
	logged fuzz-tools-build make -s -j "$jobs" -C "$top/tools/cramfs" \
		OUTPUT="$out/tools/" all fuzzers >&2
	rm -rf "$seeds"
	logged fuzz-tools-seeds python3 "$top/tools/cramfs/fuzz/seeds.py" \
		"$out/tools/mkcramfs" "$seeds" >&2
	scratch=$(mktemp -d /dev/shm/fuzz-tools.XXXXXX 2>/dev/null) || scratch=$(mktemp -d)
	trap end_all EXIT
	# Addresses that are always the same make runs that are, where that is allowed.
	fixed=()
	! setarch -R true 2>/dev/null || fixed=(setarch -R)
}

end_all()
{
	end_jobs
	rm -rf "$scratch"
}

# fuzz TARGET LOG ARGUMENT...: run libFuzzer. Its output, and last the seconds of processor
# time that it took, are appended to LOG.
fuzz()
{
	local target=$1 log=$2 dict=() status=0
	local TIMEFORMAT='CPU %U %S'

	shift 2
	[ ! -e "$dictionaries/$target.dict" ] || dict=(-dict="$dictionaries/$target.dict")
	{ time FUZZ_DIR=$scratch TMPDIR=$scratch ASAN_OPTIONS=malloc_context_size=4 \
		"${fixed[@]}" "$programs/fuzz-$target" -close_fd_mask=3 -timeout=60 -report_slow_units=60 \
		-rss_limit_mb=2560 -malloc_limit_mb=512 -max_len="${MAX_LEN[$target]}" \
		-print_final_stats=1 -artifact_prefix="$results/$target-" "${dict[@]}" "$@"; } \
		>>"$log" 2>&1 </dev/null || status=$?
	return "$status"
}

# fuzz_fixed TARGET: inputs that depend on nothing but the seeds.
fuzz_fixed()
{
	local log=$results/$1.log list=$results/$1.seeds

	: >"$log"
	rm -rf "$results/corpus/$1"
	mkdir -p "$results/corpus/$1"
	printf '%s\n' "$seeds/$1"/* | paste -sd, | tr -d '\n' >"$list"
	fuzz "$1" "$log" -seed=1 -runs="${RUNS[$1]}" -reload=0 -seed_inputs="@$list" \
		"$results/corpus/$1" && [ "$(count_runs "$log")" -ge "${RUNS[$1]}" ]
}

# compare DIRECTORY: hold what fsck.cramfs says of images against another reader.
compare()
{
	ln -sf "$out/tools/mkcramfs" "$results/fsck.cramfs"
	python3 "$top/tools/cramfs/fuzz/compare.py" "$results/fsck.cramfs" "$1"
}

fuzz_for()	# target
{
	local log=$results/$1.log end=$((SECONDS + seconds)) left status=0
	local round=$results/$1.round

	: >"$log"
	mkdir -p "$corpus/$1"
	while left=$((end - SECONDS)); [ "$left" -gt 0 ] && [ "$status" = 0 ]; do
		: >"$round"
		fuzz "$1" "$round" -max_total_time=$((left < ROUND ? left : ROUND)) \
			"$corpus/$1" "$seeds/$1" || status=$?
		cat "$round" >>"$log"
		echo "$(date +%FT%T) $(cpu_seconds "$round") $(count_runs "$round")" >>"$corpus/$1.times"
	done
	return "$status"
}

cpu_seconds()	# log
{
	awk '$1 == "CPU" { sum += $2 + $3 } END { printf "%.0f", sum }' "$1"
}

count_runs()	# log
{
	awk '$1 == "stat::number_of_executed_units:" { sum += $2 } END { print sum + 0 }' "$1"
}

# What can be reached is counted before; what has been is in the last line that says so.
edges()	# log
{
	awk '/^INFO: Loaded 1 modules/ { sub(/^[^(]*[(]/, ""); all = $1 }
	     { for (i = 1; i < NF; i++) if ($i == "cov:") reached = $(i + 1) }
	     END { printf "%d of %d", reached, all }' "$1"
}

# Of one target, as it is to be read by somebody.
report_line()	# target
{
	local log=$results/$1.log cpu runs

	cpu=$(cpu_seconds "$log") runs=$(count_runs "$log")
	printf '%-10s %10d %8d %8d  %-14s %s\n' "$1" "$runs" "$cpu" \
		"$((cpu > 0 ? runs / cpu : runs))" "$(edges "$log")" "$(findings "$1")"
}

findings()	# target
{
	find "$results" -maxdepth 1 -name "$1-*" -newer "$results/begin" | wc -l
}

# What a finding is, and how to see it again; nothing if there is none.
show_findings()	# target
{
	local log=$results/$1.log file

	grep -a -m 3 -E 'FINDING:|runtime error:|^==[0-9]+==ERROR|SUMMARY' "$log" || tail -n 5 "$log"
	find "$results" -maxdepth 1 -name "$1-*" -newer "$results/begin" | while read -r file; do
		echo "again: $programs/fuzz-$1 $file"
	done
}

# run_all COMMAND TARGET...: for each, as many at a time as may be. The status of each is in
# a file of its own.
run_all()
{
	local command=$1 target

	shift
	rm -f "$results"/*.status
	touch "$results/begin"
	for target; do
		while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-$jobs}" ]; do
			wait -n || true
		done
		# In a process group of its own, for end_jobs().
		set -m
		{ status=0; "$command" "$target" || status=$?
		  echo "$status" >"$results/$target.status"; } &
		set +m
	done
	wait
}

has_passed()	# target
{
	[ "$(cat "$results/$1.status")" = 0 ] && return
	show_findings "$1"
	return 1
}

check()
{
	local target

	prepare_fuzzers
	# The longest first.
	run_all fuzz_fixed "${TARGETS[@]}"
	for target in "${TARGETS[@]}"; do
		tap_test "$target: ${RUNS[$target]} inputs" has_passed "$target"
		report_line "$target" | sed 's/^/# /'
	done
	tap_test 'what fsck.cramfs finds good is good to another reader' \
		compare "$results/corpus/fsck"
	tap_end
}

long()
{
	local target failed=0

	n_steps=3
	step 'installing what is missing (nothing, after the first time)'
	"$top/scripts/setup.sh"
	step 'building the fuzzers and their first inputs'
	prepare_fuzzers
	step "fuzzing for $seconds s each: $* (logs: $results/)"
	run_all fuzz_for "$@"
	printf '%-10s %10s %8s %8s  %-14s %s\n' target inputs 'CPU s' '/CPU s' edges findings
	for target; do
		report_line "$target"
	done
	for target; do
		has_passed "$target" || failed=1
		[ "$target" != fsck ] || compare "$corpus/fsck" || failed=1
	done
	echo "in all, to date (since $corpus is there):"
	for target; do
		awk -v target="$target" '{ cpu += $2; runs += $3 }
			END { printf "%-10s %10d inputs in %d min of a processor\n", target, runs, cpu / 60 }' \
			"$corpus/$target.times"
	done
	return "$failed"
}

[ $# = 1 ] || [ $# = 2 ] || die 'usage: fuzz-tools.sh TIME [TARGETS], or fuzz-tools.sh check'
if [ "$1" = check ]; then
	[ $# = 1 ] || die "check takes no more arguments"
	check
	exit
fi
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]{0,6}$ ]] || die "TIME=$seconds: not a number of seconds from 1 to 9999999"
read -ra targets <<<"${2:-${TARGETS[*]}}"
for target in "${targets[@]}"; do
	[ -n "${MAX_LEN[$target]:-}" ] || die "TARGET=$target: none of ${TARGETS[*]}"
done
long "${targets[@]}"
