# SPDX-License-Identifier: GPL-2.0-only
#
# What runners have in common, those of guests and others. Sourced; does nothing by
# itself.

# shellcheck shell=bash

# splats DIRECTORY: what is in the splats.h there, as one regular expression.
splats()
{
	sed -n 's/^SPLAT("\(.*\)")$/\1/p' "$1/splats.h" | paste -sd '|'
}

# End all jobs, which are process groups (set -m). For a trap: when a signal ends the
# runner, they would go on until their time is up.
end_jobs()
{
	local pid

	# make passes on what it got, so that this comes twice.
	trap '' HUP INT TERM
	for pid in $(jobs -p); do
		kill -- "-$pid" || true
	done
	wait || true
} 2>/dev/null
