# SPDX-License-Identifier: GPL-2.0-only
#
# A test is a command: silent success is what passes. Sourced by the suites;
# prints TAP on stdout.

# shellcheck shell=bash

tap_n=0

# tap_test NAME COMMAND...: the command has to succeed.
tap_test()
{
	local name=$1 output

	shift
	tap_n=$((tap_n + 1))
	if output=$("$@" 2>&1 </dev/null); then
		echo "ok $tap_n - $name"
	else
		echo "not ok $tap_n - $name"
		tail -n 40 <<<"$output" | sed 's/^/# /'
	fi
}

# silent COMMAND...: it has to succeed and to say nothing.
silent()
{
	local output

	output=$("$@" 2>&1) && [ -z "$output" ] && return
	echo "$output"
	return 1
}

tap_end()
{
	echo "1..$tap_n"
}
