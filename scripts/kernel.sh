#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh VARIANT: build a kernel for the guest unless it is there already,
# and print the path of its image. The sources are kernel-tree.sh's concern,
# the options that of the config fragments beside the guest tests.

. "$(dirname "$0")/common.sh"
. "$top/scripts/kbuild.sh"

[ $# = 1 ] || die 'usage: kernel.sh virt[-base|-be|-be-base|-debug|-mtd|-physmem|-xip|-xip-base] | mps2[-base|-mtd|-physmem] | uml[-gcov] | x86[-kcsan]'
variant=$1
tree=patched
target=arch/arm/boot/zImage
case $variant in
*-base)		tree=pristine ;;
esac
case $variant in
*-xip* | mps2*)	target=arch/arm/boot/xipImage ;;
uml*)		target=linux arch=um arch_compile= ;;
x86*)		target=arch/x86/boot/bzImage arch=x86_64 arch_compile= ;;
esac
# Those of mainline's driver have what it has, for comparison with it.
case $variant in
virt)		fragments=(virt cramfs) ;;
virt-base)	fragments=(virt) ;;
virt-be)	fragments=(virt cramfs big-endian) ;;
virt-be-base)	fragments=(virt big-endian) ;;
virt-debug)	fragments=(virt cramfs debug) ;;
virt-mtd)	fragments=(virt mtd) ;;
virt-physmem)	fragments=(virt mtd physmem) ;;
virt-xip)	fragments=(virt mtd cramfs xip) ;;
virt-xip-base)	fragments=(virt mtd xip) ;;
mps2)		fragments=(mps2 cramfs) ;;
mps2-base)	fragments=(mps2) ;;
mps2-mtd)	fragments=(mps2) ;;
mps2-physmem)	fragments=(mps2 physmem) ;;
uml)		fragments=(uml) ;;
uml-gcov)	fragments=(uml) ;;
x86)		fragments=(x86) ;;
x86-kcsan)	fragments=(x86 kcsan) ;;
*)		die "$variant: no such variant" ;;
esac
fragments=("${fragments[@]/#/$selftests/}")
fragments=("${fragments[@]/%/.config}")

lock trees
src=$("$top/scripts/kernel-tree.sh" "$tree")
build=$(kernel_dir)/build/$variant
image=$build/$target
stamp=$build/built-from
log=$out/log/kernel-$variant.log

# Only the driver is to count what it executes, which takes no option of the kernel:
# make compiles with more for the directory whose files it names. They count as those
# of a program do, with what gcc has for that, but for a name that the kernel has too,
# and a call at the end, for which the kernel's linker script has no place otherwise.
make_args=()
if [ "$variant" = uml-gcov ]; then
	gcov=$build/libgcov.a
	# shellcheck disable=SC2016 # for make
	make_args=('CFLAGS_KERNEL=$(if $(filter fs/cramfs,$(obj)),-fprofile-arcs -ftest-coverage)'
		   "LINK_WRAPS=-Wl,--wrap,malloc -Wl,--wrap,free -Wl,--wrap,calloc -Wl,--whole-archive $gcov -Wl,--no-whole-archive")
fi

make_gcov_library()
{
	[ "$variant" = uml-gcov ] || return 0
	objcopy --redefine-sym mangle_path=gcov_mangle_path \
		"$(gcc -print-file-name=libgcov.a)" "$gcov"
	gcc -O2 -c -x c - -o "$build/dump.o" <<-'END'
		void __gcov_dump(void);
		static void __attribute__((destructor)) dump(void) { __gcov_dump(); }
	END
	ar r "$gcov" "$build/dump.o"
}

# Everything that the result depends on. Of the tree, what the series changes
# without having a part in a kernel is left out.
key=$({
	tree_git "$src" ls-tree HEAD | grep -v -P '\t(Documentation|MAINTAINERS|tools)$'
	"${arch_compile}gcc" --version
	"${arch_compile}ld" --version
	echo "$target" "${make_args[@]}"
	cat "$top/scripts/kbuild.sh" "${fragments[@]}"
} | sha256sum | cut -d' ' -f1)

if [ ! -e "$image" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]; then
	say "building the kernel $variant (log: $log)"
	mkdir -p "$build" "${log%/*}"
	rm -f "$stamp"
	if ! { make_gcov_library && kconfigure "$src" "$build" "${fragments[@]}" &&
	       kmake "$src" "$build" "${make_args[@]}" "${target##*/}"; } >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		die "the kernel $variant did not build; the whole log: $log"
	fi
	echo "$key" >"$stamp"
fi
echo "$image"
