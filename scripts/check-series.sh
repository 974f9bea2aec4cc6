#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-series.sh: TAP about the patch series: that it is what this tree is, can
# be applied, and pleases checkpatch.pl. That every commit builds is in
# check-builds.sh.

. "$(dirname "$0")/common.sh"
. "$top/scripts/tap.sh"

dir=$(kernel_dir)
pristine=$dir/pristine
patched=$("$top/scripts/kernel-tree.sh" patched)
tip=$(<"$out/series/tip")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# kernel-tree.sh made the patched tree by git am.
am_gives_the_tree_of_the_series()
{
	[ "$(tree_git "$patched" rev-parse 'HEAD^{tree}')" = \
	  "$(tree_git "$pristine" rev-parse "$tip^{tree}")" ]
}

same_again()
{
	"$top/scripts/make-series.sh" "$scratch/again" &&
		diff -r "$out/series" "$scratch/again"
}

our_files_are_in_the_patched_tree()
{
	local path

	while read -r path; do
		[ "$path" != MAINTAINERS ] || continue
		cmp "$top/$path" "$patched/$path" || return 1
		[ "$(stat -c %A "$top/$path" | cut -c4)" = \
		  "$(stat -c %A "$patched/$path" | cut -c4)" ] || {
			echo "$path: one is executable, one is not"
			return 1
		}
	done <"$out/series/files"
}

# All that differs between the trees is ours or is named by the manifest.
nothing_else_changes()
{
	local others

	others=$(tree_git "$pristine" diff --no-renames --name-only "$(<"$dir/pristine-commit")" "$tip" |
		 grep -vxF -f "$out/series/files" -f <(
			sed -n 's/^edit \([^ ]*\) .*/\1/p; s/^delete //p; s/^rename \([^ ]*\) .*/\1/p' \
				"$top"/scripts/series/[0-9]*)) || true
	[ -z "$others" ] || { echo "$others"; return 1; }
}

# Nothing of the old driver is left beside ours.
only_our_files_in()	# directory
{
	diff <(grep "^$1/" "$out/series/files" | sort) \
	     <(cd "$patched" && git ls-files -- "$1" | sort)
}

our_maintainers_entry()
{
	diff <(grep -v '^#' "$top/MAINTAINERS") \
	     <(sed -n '/^CRAMFS FILESYSTEM$/,/^$/p' "$patched/MAINTAINERS" | sed '/^$/d') &&
	[ "$(grep -c '^CRAMFS' "$patched/MAINTAINERS")" = 1 ]
}

cover_letter_is_filled()
{
	! grep -n '\*\*\*' "$out/series/0000-cover-letter.patch"
}

# Complaints that are not in the list of exceptions; those that are, are noted
# in the scratch directory.
checkpatch()	# patch
{
	local complaints

	cp "$top/scripts/series/checkpatch-exceptions" "$scratch/exceptions"
	# In a directory of its own, since it leaves a file there.
	(cd "$scratch" && perl "$patched/scripts/checkpatch.pl" --strict --terse --show-types \
		--showfile --no-summary --root="$patched" "$1") >"$scratch/complaints" || true
	complaints=$(awk -v used="$scratch/used" '
		NR == FNR {
			if (/^[A-Z]/) {
				exceptions[++n] = $1
				pattern[n] = $2
			}
			next
		}
		{
			split($0, f, ":")
			for (i = 1; i <= n; i++)
				if (f[4] == exceptions[i] && f[1] ~ "^" pattern[i] "$") {
					print exceptions[i], pattern[i] >>used
					next
				}
			print
		}' "$scratch/exceptions" <(sed 's/: \(ERROR\|WARNING\|CHECK\):/:\1:/' "$scratch/complaints"))
	[ -z "$complaints" ] || { echo "$complaints"; return 1; }
}

# An exception that nothing needs hides what comes next.
no_idle_exceptions()
{
	local idle

	idle=$(awk '/^[A-Z]/ { print $1, $2 }' "$top/scripts/series/checkpatch-exceptions" |
	       sort | comm -23 - <(sort -u "$scratch/used"))
	[ -z "$idle" ] || { echo "$idle"; return 1; }
}

: >"$scratch/used"
tap_test 'git am gives the tree that the series was made from' am_gives_the_tree_of_the_series
tap_test 'the same sources give the same patches' same_again
tap_test 'the patched tree has our sources' our_files_are_in_the_patched_tree
tap_test 'the series changes nothing else' nothing_else_changes
for path in fs/cramfs tools/cramfs tools/testing/selftests/filesystems/cramfs; do
	tap_test "$path of the patched tree is ours alone" only_our_files_in "$path"
done
tap_test 'MAINTAINERS has our entry, once' our_maintainers_entry
tap_test 'the cover letter has no placeholder' cover_letter_is_filled
for patch in "$out"/series/00*.patch; do
	[[ $patch == */0000-* ]] || tap_test "checkpatch --strict ${patch##*/}" checkpatch "$patch"
done
tap_test 'each exception for checkpatch is needed' no_idle_exceptions
tap_end
