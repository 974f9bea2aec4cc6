#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel-tree.sh pristine|patched|series: print the path of a kernel source
# tree in the cache, after making it what its name says.
#
#   pristine   Debian's kernel source, one commit
#   patched    the same with our series, as `git am` applies it
#   series     the same again, for checks that move between its commits
#
# Trees are verified at each call: what was edited in them, or left there, is
# an error and not an input. A tree that is right already is not touched, and
# only the files that differ are when the series changed, so that make builds
# no more than it has to.

. "$(dirname "$0")/common.sh"

readonly BRANCH=pristine
dir=$(kernel_dir)
pristine=$dir/pristine

make_pristine()
{
	local tarball=/usr/src/$kernel_package.tar.xz
	local new=$dir.new

	[ -r "$tarball" ] || die "$tarball: cannot be read"
	say "unpacking $kernel_package $(kernel_version)"
	rm -rf "$new" "$dir"
	mkdir -p "$new/pristine"
	tar -C "$new/pristine" --strip-components=1 -xf "$tarball"
	tree_git "$new/pristine" init -q -b "$BRANCH"
	# One pack without a search for deltas costs less than 80,000 objects.
	tree_git "$new/pristine" config core.looseCompression 0
	tree_git "$new/pristine" config core.fsync none
	tree_git "$new/pristine" config gc.auto 0
	tree_git "$new/pristine" config advice.detachedHead false
	tree_git "$new/pristine" add -A -f .
	commit "$new/pristine"
	tree_git "$new/pristine" rev-parse HEAD >"$new/pristine-commit"
	mv "$new" "$dir"
}

commit()
{
	local who='Debian kernel source' mail=debian-kernel@lists.debian.org date='@0 +0000'

	GIT_AUTHOR_NAME=$who GIT_AUTHOR_EMAIL=$mail GIT_AUTHOR_DATE=$date \
	GIT_COMMITTER_NAME=$who GIT_COMMITTER_EMAIL=$mail GIT_COMMITTER_DATE=$date \
		tree_git "$1" commit -q --no-verify -m "$kernel_package $(kernel_version)"
}

# verify TREE COMMIT: nothing but the commit's files is there.
verify()
{
	local left

	[ "$(tree_git "$1" rev-parse HEAD)" = "$2" ] ||
		die "$1: is not at the commit that it was left at; remove $dir"
	left=$(tree_git "$1" status --porcelain --ignored --untracked-files=all)
	[ -z "$left" ] || die "$1: has changes; remove $dir, or undo them:"$'\n'"$left"
}

make_worktree()	# path commit [git worktree's option]
{
	[ -e "$1/.git" ] && [ -e "$1.complete" ] && return
	rm -rf "$1" "$1.complete"
	tree_git "$pristine" worktree prune
	tree_git "$pristine" worktree add -q --detach "${@:3}" "$1" "$2"
	: >"$1.complete"
}

# The commit that git am makes of out/series, applied to the pristine tree in
# a work tree that holds only the directories that the series touches.
apply_series()
{
	local am=$dir/am top_of_series

	rm -rf "$am" "$am.complete"
	make_worktree "$am" "$base" --no-checkout
	tree_git "$am" sparse-checkout set --no-cone --stdin < <(
		sed -n 's,^\(---\|+++\) [ab]/,/,p; s,^rename from ,/,p' "$out"/series/*.patch)
	tree_git "$am" checkout -q
	GIT_COMMITTER_NAME=series GIT_COMMITTER_EMAIL=series@localhost \
		tree_git "$am" am -q --empty=drop --committer-date-is-author-date \
		"$out"/series/*.patch >&2 ||
		die 'the series does not apply to the pristine tree'
	top_of_series=$(tree_git "$am" rev-parse HEAD)
	tree_git "$pristine" worktree remove --force "$am"
	echo "$top_of_series"
}

make_patched()
{
	local key target at=none

	"$top/scripts/make-series.sh" >&2
	key=$(cat "$out"/series/*.patch | sha256sum | cut -d' ' -f1)
	if [ "$(cut -d' ' -f1 "$dir/applied" 2>/dev/null)" = "$key" ]; then
		target=$(cut -d' ' -f2 "$dir/applied")
	else
		target=$(apply_series)
	fi
	make_worktree "$tree" "$target"
	[ ! -e "$dir/at" ] || at=$(<"$dir/at")
	if [ "$at" != "$target" ]; then
		# By force, since the last checkout may have been interrupted.
		tree_git "$tree" checkout -q --force --detach "$target" ||
			die "$tree: cannot be moved to the new series; remove $dir"
		echo "$target" >"$dir/at"
	fi
	echo "$key $target" >"$dir/applied"
	verify "$tree" "$target"
}

[ $# = 1 ] || die 'usage: kernel-tree.sh pristine|patched|series'
lock trees
[ -e "$dir/pristine-commit" ] || make_pristine
# The lock is ours, so these are of a run that was killed.
rm -f "$pristine"/.git/index.lock "$pristine"/.git/worktrees/{patched,am}/index.lock
base=$(<"$dir/pristine-commit")
tree=$dir/$1
case $1 in
pristine)	verify "$tree" "$base" ;;
patched)	make_patched ;;
series)		make_worktree "$tree" "$base" ;;
*)		die "$1: no such tree" ;;
esac
echo "$tree"
