#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-builds.sh: TAP about building the driver: every commit of the series,
# every combination of options, with the checkers that the kernel has, and as a
# module for another kernel. Only fs/cramfs is compiled, and what it needs
# from the rest of a kernel is looked up in kernels that were built as a whole.

. "$(dirname "$0")/common.sh"
. "$top/scripts/kbuild.sh"
. "$top/scripts/tap.sh"

lock series
dir=$(kernel_dir)
src=$("$top/scripts/kernel-tree.sh" series)
tip=$(<"$out/series/tip")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# compile OUTPUT [ARGUMENT...]: fs/cramfs and what else is asked for, without a word. Warnings are errors,
# so that what was compiled before with the same options need not be again.
compile()
{
	silent kmake "$src" "$1" -s "${@:2}" fs/cramfs/
}

go_to()	# commit
{
	rm -f "$dir/pristine/.git/worktrees/series/index.lock"
	tree_git "$src" checkout -q --force --detach "$1" && tree_git "$src" clean -qfdx
}

# What a commit changes in other parts of the kernel. A file that another one includes
# is built with that one.
other_objects()	# commit
{
	local path

	tree_git "$src" diff --name-only --diff-filter=AM "$1^" "$1" -- '*.c' \
			':!fs/cramfs' ':!tools' |
		while read -r path; do
			tree_git "$src" grep -q "#include \"${path##*/}\"" "$1" -- "${path%/*}/*.c" ||
				echo "${path%c}o"
		done
}

commit_builds()	# commit
{
	local others build=$dir/build/series config=$selftests/virt.config

	mapfile -t others < <(other_objects "$1")
	[[ " ${others[*]} " != *' mm/nommu.o '* ]] ||
		{ build+=-nommu; config=$selftests/mps2.config; }
	go_to "$1" &&
		kconfigure "$src" "$build" "$config" &&
		compile "$build" W=e "${others[@]}"
}

check_commits()
{
	local commit

	while read -r commit; do
		tap_test "builds: $(tree_git "$src" log -1 --format=%s "$commit")" commit_builds "$commit"
	done < <(tree_git "$src" rev-list --reverse "$(<"$dir/pristine-commit")..$tip")
}

# What a kernel has, by what it is built with: B block layer, M MTD, N no MMU. One
# with B and without M is what is left of one with both when that of M is taken
# away; one with B and N has what B adds to one with an MMU.
list_symbols()
{
	local variant

	for variant in virt virt-mtd virt-physmem mps2-mtd mps2-physmem; do
		"$top/scripts/kernel.sh" "$variant" >/dev/null
		"${cross_compile}nm" "$dir/build/$variant/vmlinux" |
			awk '{ print $NF }' | sort -u >"$scratch/$variant"
	done
	ln "$scratch/virt" "$scratch/has-BM"
	ln "$scratch/virt-mtd" "$scratch/has-M"
	ln "$scratch/virt-physmem" "$scratch/has-"
	ln "$scratch/mps2-mtd" "$scratch/has-MN"
	ln "$scratch/mps2-physmem" "$scratch/has-N"
	comm -23 "$scratch/has-BM" "$scratch/has-M" |
		sort -u - "$scratch/has-MN" >"$scratch/has-BMN"
	comm -23 "$scratch/has-M" "$scratch/has-" |
		comm -23 "$scratch/has-BM" - >"$scratch/has-B"
	tree_git "$src" grep -hoE 'EXPORT_SYMBOL(_GPL|_NS|_NS_GPL)?\([a-zA-Z0-9_]+' |
		sed 's/.*(//' | sort -u >"$scratch/exported"
}

# Built in, the rest of the kernel must have what is undefined; a module finds
# only what is exported.
symbols_are_there()	# output y|m has
{
	local built=$1/fs/cramfs/built-in.a missing

	[ "$2" = y ] || built=$1/fs/cramfs/cramfs.o
	"${cross_compile}nm" "$built" | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/defined"
	# modpost makes __this_module.
	"${cross_compile}nm" -u "$built" | awk 'NF == 2 && $2 != "__this_module" { print $2 }' |
		sort -u | comm -23 - "$scratch/defined" >"$scratch/undefined"
	[ -s "$scratch/undefined" ] || { echo 'nothing is undefined: was it built?'; return 1; }
	missing=$(comm -23 "$scratch/undefined" "$scratch/has-$3"
		  [ "$2" = y ] || comm -23 "$scratch/undefined" "$scratch/exported")
	[ -z "$missing" ] || { echo "undefined: $missing"; return 1; }
}

# combination_builds y|m HAS OPTION...: the driver with these options in a
# kernel that has the block layer (B), MTD (M), no MMU (N), or any of these.
combination_builds()
{
	local how=$1 has=$2 build=$dir/build/options-$2$1 option

	shift 2
	{
		case $has in
		*B*N)	cat "$selftests/mps2.config"; echo CONFIG_BLOCK=y ;;
		*N)	cat "$selftests/mps2.config" ;;
		*B*)	cat "$selftests/virt.config" ;;
		*)	cat "$selftests"/{virt,mtd}.config ;;
		esac
		[[ $has == *M* ]] || sed '/CRAMFS/d' "$selftests/physmem.config"
		echo CONFIG_MODULES=y
		echo "CONFIG_CRAMFS=$how"
		for option in BLOCKDEV MTD PHYSMEM VERIFY; do
			[[ " $* " == *" $option "* ]] && echo "CONFIG_CRAMFS_$option=y" ||
				echo "CONFIG_CRAMFS_$option=n"
		done
	} >"$scratch/options.config"
	kconfigure "$src" "$build" "$scratch/options.config" &&
		compile "$build" W=1e &&
		symbols_are_there "$build" "$how" "$has"
}

# Each subset of the options that a kernel allows, built in. As a module, all of them
# and a few subsets: one with fewer options needs no symbol that the one with all of
# them does without.
check_combinations()
{
	local has block mtd physmem

	check_combination BMN y BLOCKDEV MTD PHYSMEM
	check_combination BMN y BLOCKDEV
	check_combination BM y BLOCKDEV MTD PHYSMEM VERIFY
	check_combination BM m BLOCKDEV MTD PHYSMEM VERIFY
	check_combination B m BLOCKDEV PHYSMEM
	check_combination M m MTD PHYSMEM
	check_combination MN m MTD PHYSMEM
	check_combination N m PHYSMEM
	check_combination '' m
	for has in BM M B '' MN N; do
		for block in '' BLOCKDEV; do
			[[ -z $block || $has == *B* ]] || continue
			for mtd in '' MTD; do
				[[ -z $mtd || $has == *M* ]] || continue
				for physmem in '' PHYSMEM; do
					check_combination "$has" y $block $mtd $physmem
				done
			done
		done
	done
}

check_combination()	# has how option...
{
	local has=$1 how=$2 kernel

	shift 2
	case $has in
	BM*)	kernel='with block layer and MTD' ;;
	B*)	kernel='with block layer' ;;
	M*)	kernel='with MTD' ;;
	*)	kernel='with neither' ;;
	esac
	[[ $has != *N ]] || kernel+=', without an MMU'
	tap_test "CRAMFS=$how with ${*:-no backing}, in a kernel $kernel" \
		combination_builds "$how" "$has" "$@"
}

sparse_is_silent()	# build board
{
	kconfigure "$src" "$dir/build/$1" "$selftests"/{"$2",cramfs}.config &&
		compile "$dir/build/$1" C=2 W=1e
}

# With 64 bits, and without a device tree.
builds_for_x86()
{
	local arch=x86_64 arch_compile='' build=$dir/build/options-x86

	printf 'CONFIG_%s=y\n' 64BIT BLOCK MTD MISC_FILESYSTEMS CRAMFS CRAMFS_BLOCKDEV CRAMFS_MTD \
		CRAMFS_PHYSMEM >"$scratch/x86.config"
	kconfigure "$src" "$build" "$scratch/x86.config" && compile "$build" W=1e
}

# The KUnit tests: modules get what the driver exports for them, and only there.
# Not from the kernels that were built as a whole, which are without KUnit.
tests_are_a_module()
{
	local build=$dir/build/options-kunit missing

	{
		cat "$selftests"/{virt,cramfs}.config
		printf 'CONFIG_%s=%s\n' MODULES y KUNIT m CRAMFS m CRAMFS_KUNIT_TEST m
	} >"$scratch/options.config"
	kconfigure "$src" "$build" "$scratch/options.config" &&
		compile "$build" C=2 W=1e || return
	tree_git "$src" grep -hoE 'EXPORT_SYMBOL_IF_KUNIT\([a-z_]+' -- fs/cramfs |
		sed 's/.*(//' | sort - "$scratch/exported" >"$scratch/exported-kunit"
	"${cross_compile}nm" -u "$build/fs/cramfs/tests/cramfs_kunit.o" |
		awk '$2 != "__this_module" { print $2 }' | sort -u >"$scratch/undefined"
	grep -qx cramfs_fill_super "$scratch/undefined" || { echo 'no tests were built'; return 1; }
	missing=$(comm -23 "$scratch/undefined" "$scratch/exported-kunit")
	[ -z "$missing" ] || { echo "undefined: $missing"; return 1; }
}

tests_cost_nothing_where_they_are_not()
{
	local build=$dir/build/options-kunit

	{
		cat "$selftests"/{virt,cramfs}.config
		printf 'CONFIG_%s=%s\n' KUNIT y CRAMFS_KUNIT_TEST n
	} >"$scratch/options.config"
	kconfigure "$src" "$build" "$scratch/options.config" &&
		compile "$build" W=1e || return
	"${cross_compile}nm" "$build/fs/cramfs/built-in.a" |
		awk 'NF > 1 { print $NF }' >"$scratch/symbols"
	grep -qx cramfs_fill_super "$scratch/symbols" || { echo 'was it built?'; return 1; }
	! grep -E 'kunit|ksymtab' "$scratch/symbols"
}

kernel_doc_is_silent()
{
	(cd "$src" && silent perl scripts/kernel-doc -none -Wall fs/cramfs/*.[ch] fs/cramfs/tests/*.[ch] \
		include/uapi/linux/cramfs_fs.h)
}

# Against a kernel without our series, prepared as packages of headers are. The
# options come from the command line, since that kernel is built without them.
# (Debian's package of headers would install a kernel, too.)
module_for_another_kernel()
{
	local headers=$dir/build/headers build=$out/module option
	local options=(CONFIG_CRAMFS=m KBUILD_MODPOST_WARN=1) flags=()

	{
		sed '/CRAMFS/d' "$selftests/virt.config"
		echo CONFIG_MODULES=y
	} >"$scratch/headers.config"
	kconfigure "$dir/pristine" "$headers" "$scratch/headers.config" &&
		kmake "$dir/pristine" "$headers" -s modules_prepare || return

	for option in BLOCKDEV MTD PHYSMEM VERIFY XIP; do
		options+=("CONFIG_CRAMFS_$option=y")
		flags+=("-DCONFIG_CRAMFS_$option=1")
	done
	rm -rf "$build"
	mkdir -p "$build"
	(cd "$top" && cp -R --parents fs/cramfs include "$build")
	flags+=("-I$build/include")
	kmake "$dir/pristine" "$headers" -s M="$build/fs/cramfs" "${options[@]}" \
		KCFLAGS="-Werror ${flags[*]}" modules >"$scratch/module.log" 2>&1 || {
		cat "$scratch/module.log"
		return 1
	}
	[ -s "$build/fs/cramfs/cramfs.ko" ] &&
		symbols_are_there "$build" m BM
}

go_to "$tip"
list_symbols
tap_test 'sparse and W=1 are silent' sparse_is_silent series virt
tap_test 'sparse and W=1 are silent without an MMU' sparse_is_silent series-nommu mps2
tap_test 'the KUnit tests are a module of their own' tests_are_a_module
tap_test 'the KUnit tests cost nothing where they are not built' tests_cost_nothing_where_they_are_not
tap_test 'kernel-doc is silent' kernel_doc_is_silent
if [ "$(uname -m)" = x86_64 ]; then
	tap_test 'builds with 64 bits and without a device tree' builds_for_x86
fi
tap_test 'a module for a kernel without the series' module_for_another_kernel
check_combinations
check_commits
tap_end
