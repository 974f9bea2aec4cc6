#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-kunit.sh: TAP about the driver's KUnit tests, which run in user-mode Linux:
# in the kernel that other suites use as well, so that no other one has to be built.
# That kunit.py could build one by itself is looked at, too.

. "$(dirname "$0")/common.sh"
. "$top/scripts/kbuild.sh"
. "$selftests/runner.sh"

# The tree has to stay as it is, and what is configured is in the cache, too.
lock trees
linux=$("$top/scripts/kernel.sh" uml)
src=$("$top/scripts/kernel-tree.sh" patched)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# kunit COMMAND ARGUMENT...: kunit.py, which must not leave anything in the tree, nor
# user-mode Linux in the user's home.
kunit()
{
	HOME=$scratch PYTHONDONTWRITEBYTECODE=1 python3 "$src/tools/testing/kunit/kunit.py" "$1" \
		--kunitconfig=fs/cramfs "${@:2}"
}

# The suites that there are to run, whatever the kernel was built with.
suites()
{
	sed -n 's/^\t\.name = "\(cramfs_[a-z_]*\)",$/\1/p' "$top"/fs/cramfs/tests/*.c
}

# Without a reconfiguration that would start from what was left there.
configure()
{
	rm -rf "$1/.config" "$1/last_used_kunitconfig"
	mkdir -p "$1"
	kunit config --build_dir="$1" >"$scratch/config" 2>&1
}

{
	# Not in the build directory, where it would leave things.
	mkdir "$scratch/build"
	ln "$linux" "$scratch/build/linux" 2>/dev/null || cp "$linux" "$scratch/build/linux"
	kunit exec --build_dir="$scratch/build" --timeout=120 --raw_output=all 'cramfs*' </dev/null |
		tee "$scratch/console" |
		awk -v suites="$(suites | tr '\n' ' ')" -v splats="$(splats "$selftests")" \
			-f "$top/scripts/kunit-to-tap.awk"
	cat "$scratch/console" >&2

	if configure "$(kernel_dir)/build/kunit"; then
		echo 'ok - kunit: fs/cramfs/.kunitconfig can be satisfied'
	else
		echo 'not ok - kunit: fs/cramfs/.kunitconfig can be satisfied'
		sed 's/^/# /' "$scratch/config"
	fi
} | awk '/^(not )?ok / { sub(/ok/, "ok " ++n) } { print } END { print "1.." n + 0 }'
