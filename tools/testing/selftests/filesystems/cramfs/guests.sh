# SPDX-License-Identifier: GPL-2.0-only
#
# Running guests side by side and printing their results as one TAP stream.
# Sourced by the runners, which have a function boot() for one guest: its first
# argument is the guest's name, and the TAP that it leaves is $logs/NAME.tap,
# without numbers. $only is a pattern of names, $usage says what the environment
# has to be, $WORK/vm is for scratch files of guests.

# shellcheck shell=bash disable=SC2034,SC2154 # variables of and for the runners

. "$(dirname "${BASH_SOURCE[0]}")/runner.sh"

total=0 failed=0 running=0 started=0
shown=()

# What make was told about other things is not for the programs.
unset MAKEFLAGS MFLAGS MAKELEVEL

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# set_up NAME...: what must be in the environment. Sets here, jobs, programs, images
# and logs; nothing of an earlier run is left in the directories of programs, logs
# and guests. WORK is this run's until it and all that it started have ended.
set_up()
{
	local name lock

	for name; do
		if [ -z "${!name:-}" ]; then
			# As a kernel selftest without its surroundings.
			echo "1..0 # SKIP $name is not set"
			echo "$usage" >&2
			exit 4
		fi
	done
	here=$(cd "$(dirname "$0")" && pwd)
	# "make O=... run_tests" runs a copy, without the sources.
	[ -e "$here/Makefile" ] || here=$KSRC/tools/testing/selftests/filesystems/cramfs
	export CROSS_COMPILE=${CROSS_COMPILE:-arm-linux-gnueabihf-}
	jobs=${JOBS:-$(nproc)}
	mkdir -p "$WORK"
	WORK=$(cd "$WORK" && pwd)
	exec {lock}>"$WORK/lock"
	flock -n "$lock" || die "$WORK: another run is using it"
	programs=$WORK/programs images=$WORK/images logs=$WORK/logs
	trap end_guests EXIT
	# Programs depend on more than make is told, headers and the compiler, and all
	# that are there can get into an image.
	rm -rf "$programs" "$WORK/vm"
	mkdir -p "$programs" "$logs"
	rm -rf "${logs:?}"/*
}

# quietly NAME WHAT COMMAND...: its output is of interest only when it fails.
quietly()
{
	"${@:3}" >"$logs/$1.log" 2>&1 || { cat "$logs/$1.log" >&2; die "$2"; }
}

# console_to_tap NAME STATUS PROGRAM,..: results from a guest's log; how qemu-*.sh
# ended; what had to run.
console_to_tap()
{
	local log=$logs/${1//\//-}.log

	awk -v run="$1" -v status="$2" -v programs="$3" -v splats="$(splats "$here")" \
		-f "$here/console-to-tap.awk" "$log" ||
		echo "not ok - $1: console log can be read"
	[ "$2" = 0 ] || sed 's/^/# /' "$log.qemu"
}

# Number and print the results of guests that have ended.
show()
{
	local tap line

	for tap in "$logs"/*.tap; do
		[ -e "$tap" ] || continue
		while IFS= read -r line; do
			case $line in
			'ok - '*)	echo "ok $((++total)) ${line#ok }" ;;
			'not ok - '*)	echo "not ok $((++total)) ${line#not ok }"
					failed=$((failed + 1)) ;;
			*)		echo "$line" ;;
			esac
		done <"$tap"
		mv "$tap" "$tap.shown"
		shown+=("$tap")
	done
}

wait_for_one()
{
	wait -n || true
	running=$((running - 1))
	show
}

# start NAME ARGUMENT...: boot a guest as soon as there is room for it.
start()
{
	# shellcheck disable=SC2053 # a pattern
	[ -z "$only" ] || [[ $1 == $only ]] || return 0
	started=$((started + 1))
	[ "$running" -lt "$jobs" ] || wait_for_one
	# In a process group of its own, with QEMU and all.
	set -m
	boot "$@" &
	set +m
	running=$((running + 1))
}

# Wait for all, and end with what they say.
finish()
{
	while [ "$running" -gt 0 ]; do
		wait_for_one
	done
	trap - EXIT
	[ "$started" -gt 0 ] || die "$only: no guest has such a name"
	if [ "${#shown[@]}" -ne "$started" ]; then
		echo "not ok $((++total)) - every guest has given its results"
		echo "# ${#shown[@]} of $started"
		failed=$((failed + 1))
	fi
	echo "1..$total"
	[ "$failed" = 0 ]
}

end_guests()
{
	end_jobs
	rm -rf "$WORK/vm"
}
