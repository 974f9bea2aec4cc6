#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make-series.sh [DIR]: write the patch series, with its cover letter, to DIR,
# which is out/series if it is not given. DIR/files lists our files in it.
#
# scripts/series/ has a file for each patch, in the order of their names: first
# lines that say what the patch takes from this tree and does to the kernel's
# files, then an empty line, then the message. The lines are
#
#   path PATH			a file of ours, or a directory (with a final /)
#   early PATH SED-SCRIPT	a file of ours without what a later patch has it for
#   rename OLD NEW		a file of the kernel
#   delete PATH			a file of the kernel
#   edit PATH SED-SCRIPT	a file of the kernel; it must change by that
#   edit PATH @FILE		the same with a script in FILE, beside the patch
#   maintainers			our entry in place of the kernel's of that name
#
# and `cover` has the cover letter. What is in this tree and not for the kernel
# is in `not-for-the-kernel`. Each of our files must be in one place exactly.
#
# The commits are made in the object store of the pristine tree, without a work
# tree; equal sources give equal patches, byte by byte.

. "$(dirname "$0")/common.sh"

series=$top/scripts/series
dest=$(realpath -m "${1:-$out/series}")
dir=$(kernel_dir)
pristine=$dir/pristine
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$top"
git ls-files -co --exclude-standard >"$scratch/all" || die 'this must be a git work tree'
mapfile -t ours < <(while read -r path; do [ ! -f "$path" ] || echo "$path"; done <"$scratch/all")
mapfile -t patches < <(cd "$series" && ls -1 [0-9]*)

store()
{
	GIT_INDEX_FILE=$scratch/index GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		git -C "$pristine" "$@"
}

# The same with this tree's files at hand.
store_here()
{
	GIT_DIR=$pristine/.git GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"
}

directives()	# patch
{
	sed '/^$/,$d' "$series/$1"
}

message()	# patch
{
	sed '1,/^$/d' "$series/$1"
}

# expand PATTERN: our files that a `path` line stands for.
expand()
{
	local path

	for path in "${ours[@]}"; do
		case $1 in
		*/)	[[ $path != "$1"* ]] || echo "$path" ;;
		*)	[[ $path != "$1" ]] || echo "$path" ;;
		esac
	done
}

expand_or_die()	# pattern where
{
	local found

	found=$(expand "$1")
	[ -n "$found" ] || die "$2: $1 is not in this tree"
	echo "$found"
}

# Every file of ours is in one patch or is not for the kernel.
check_manifest()
{
	local patch verb rest pattern path problems

	{
		for patch in "${patches[@]}"; do
			directives "$patch" | while read -r verb rest; do
				case $verb in
				path)		expand_or_die "$rest" "$patch" ;;
				maintainers)	expand_or_die MAINTAINERS "$patch" ;;
				esac
			done || return 1
		done
	} >"$scratch/taken" || exit 1
	while read -r pattern; do
		expand "$pattern"
	done < <(grep -v '^#' "$series/not-for-the-kernel") >"$scratch/kept"
	problems=$(
		sort "$scratch/taken" "$scratch/kept" | uniq -d | sed 's/$/ is in more than one place/'
		printf '%s\n' "${ours[@]}" | sort |
			comm -23 - <(sort -u "$scratch/taken" "$scratch/kept") | sed 's/$/ is in no patch/'
	)
	[ -z "$problems" ] || die "scripts/series does not fit this tree:"$'\n'"$problems"
}

put()	# mode path, contents on stdin
{
	local blob

	blob=$(store hash-object -w --stdin)
	store update-index --add --cacheinfo "$1,$blob,$2"
}

mode_here()	# path
{
	[ -x "$top/$1" ] && echo 100755 || echo 100644
}

# All at once, since each update of the index writes 80,000 entries.
put_ours()	# pattern
{
	local path

	expand "$1" >"$scratch/paths"
	store_here hash-object -w --no-filters --stdin-paths \
		<"$scratch/paths" >"$scratch/blobs"
	while read -r path; do
		mode_here "$path"
	done <"$scratch/paths" >"$scratch/modes"
	paste -d ' ' "$scratch/modes" "$scratch/blobs" |
		paste - "$scratch/paths" | store update-index --index-info
}

kernel_mode()	# path
{
	store ls-files -s -- "$1" | cut -d' ' -f1 | grep . || die "$patch: the kernel has no $1"
}

# A later patch has it as a path, unchanged.
put_early()	# path sed-script
{
	[ -f "$top/$1" ] || die "$patch: $1 is not in this tree"
	sed -e "$2" "$top/$1" >"$scratch/after"
	! cmp -s "$top/$1" "$scratch/after" || die "$patch: nothing in $1 changes by: $2"
	put "$(mode_here "$1")" "$1" <"$scratch/after"
}

rename_kernel_file()	# old new
{
	local mode

	mode=$(kernel_mode "$1")
	store cat-file blob ":$1" | put "$mode" "$2"
	store update-index --force-remove "$1"
}

edit_kernel_file()	# path sed-script
{
	local mode

	mode=$(kernel_mode "$1")
	store cat-file blob ":$1" >"$scratch/before"
	case $2 in
	@*)	sed -f "$series/${2#@}" "$scratch/before" >"$scratch/after" ;;
	*)	sed -e "$2" "$scratch/before" >"$scratch/after" ;;
	esac
	! cmp -s "$scratch/before" "$scratch/after" ||
		die "$patch: nothing in $1 changes by: $2"
	put "$mode" "$1" <"$scratch/after"
}

# Our MAINTAINERS has one entry; the kernel's entry of the same name gives way.
replace_maintainers_entry()
{
	local name

	sed -n '/^[A-Z]/,$p' "$top/MAINTAINERS" | sed '/^$/,$d' >"$scratch/entry"
	name=$(head -n 1 "$scratch/entry")
	store cat-file blob :MAINTAINERS >"$scratch/before"
	grep -qxF "$name" "$scratch/before" || die "$patch: the kernel's MAINTAINERS has no $name"
	awk -v name="$name" -v entry="$scratch/entry" '
		$0 == name { skip = 1; while ((getline line < entry) > 0) print line }
		/^$/ { skip = 0 }
		!skip { print }' "$scratch/before" | put 100644 MAINTAINERS
}

apply_directive()	# verb arguments
{
	case $1 in
	path)		put_ours "$2" ;;
	early)		put_early "${2%% *}" "${2#* }" ;;
	rename)		rename_kernel_file "${2% *}" "${2#* }" ;;
	delete)
		kernel_mode "$2" >/dev/null
		store update-index --force-remove "$2"
		;;
	edit)		edit_kernel_file "${2%% *}" "${2#* }" ;;
	maintainers)	replace_maintainers_entry ;;
	*)		die "$patch: $1: no such directive" ;;
	esac
}

# Who signs the series, and when it was last changed.
find_identity()
{
	local who

	who=$(sed -n 's/^M:[[:space:]]*//p' "$top/MAINTAINERS" | head -n 1)
	[ -n "$who" ] || die 'MAINTAINERS: names nobody who could sign'
	export GIT_AUTHOR_NAME=${who% <*} GIT_AUTHOR_EMAIL=${who#*<}
	GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL%>}
	GIT_AUTHOR_DATE="$(git log -1 --format=%at -- fs include tools Documentation) +0000"
	export GIT_AUTHOR_DATE
	export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
	export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
}

commit_patch()	# patch parent
{
	local tree

	tree=$(store write-tree)
	[ "$tree" != "$(store rev-parse "$2^{tree}")" ] || die "$1: changes nothing"
	{
		message "$1"
		printf '\nSigned-off-by: %s <%s>\n' "$GIT_AUTHOR_NAME" "$GIT_AUTHOR_EMAIL"
	} | store commit-tree -p "$2" "$tree"
}

# format-patch has placeholders for what the cover letter is to say.
fill_cover()	# file
{
	awk -v cover="$series/cover" '
		BEGIN {
			while ((getline line < cover) > 0 && line ~ /^#/)
				;
			subject = line
			getline line < cover
			while ((getline line < cover) > 0)
				body = body line "\n"
			sub(/\n$/, "", body)
		}
		{ p = index($0, "*** SUBJECT HERE ***") }
		p { print substr($0, 1, p - 1) subject; next }
		/^\*\*\* BLURB HERE \*\*\*$/ { print body; next }
		{ print }' "$1" >"$scratch/cover"
	mv "$scratch/cover" "$1"
}

write_patches()	# base tip
{
	rm -rf "$dest.new"
	mkdir -p "$dest.new"
	store format-patch -q --cover-letter --no-signature --no-base -M --abbrev=12 \
		--stat=80 --subject-prefix='PATCH' -o "$dest.new" "$1..$2"
	fill_cover "$dest.new/0000-cover-letter.patch"
	echo "$2" >"$dest.new/tip"
	echo "$key" >"$dest.new/made-from"
	cp "$scratch/taken" "$dest.new/files"
	rm -rf "$dest"
	mv "$dest.new" "$dest"
}

lock trees
base=$("$top/scripts/kernel-tree.sh" pristine >/dev/null && cat "$dir/pristine-commit")
check_manifest
find_identity
key=$({
	echo "$base $GIT_AUTHOR_DATE"
	stat -c '%A %n' "${ours[@]}"
	sha256sum "${ours[@]}"
} | sha256sum | cut -d' ' -f1)
[ "$(cat "$dest/made-from" 2>/dev/null)" != "$key" ] || exit 0

store read-tree "$base"
tip=$base
for patch in "${patches[@]}"; do
	while read -r verb rest; do
		apply_directive "$verb" "$rest"
	done < <(directives "$patch" | grep -v '^#')
	tip=$(commit_patch "$patch" "$tip")
done
write_patches "$base" "$tip"
