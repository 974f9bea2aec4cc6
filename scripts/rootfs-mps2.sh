#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rootfs-mps2.sh: make the root directory of the demo without an MMU in
# out/rootfs-mps2. Debian has no programs for such a system, but sources and a
# compiler: uClibc-ng and BusyBox are built from Debian's source packages and
# kept in the cache. What is ours is in mps2/ beside this script.

. "$(dirname "$0")/common.sh"
. "$top/scripts/debs.sh"

umask 022

# Of the package linux-libc-dev-armel-cross; other packages put libc's there, too.
readonly HEADERS=/usr/arm-linux-gnueabi/include
readonly CFLAGS=(-Os -Wall -Wextra)

ours=$top/scripts/mps2
built=$cache/mps2
root=$out/rootfs-mps2
export SYSROOT=$built/sysroot LDSCRIPT=$selftests/fdpic/fdpic.ld
export SOURCE_DATE_EPOCH=0	# no time of ours in the programs

# configure TREE OPTIONS [MAKE-ARGUMENT...]: our options, which stand before those
# that are there, since the first one counts; the rest is as the tree has it.
configure()
{
	cat "$2" "$1/.config" >"$1/.config.new"
	mv "$1/.config.new" "$1/.config"
	(yes '' || true) | make -C "$1" "${@:3}" oldconfig
	awk -F= '!/^[A-Z]/ { next }
		 NR == FNR { has[$1] = $0; next }
		 $1 in has ? has[$1] != $0 : $2 != "n"' "$1/.config" "$2" >"$1/not-set"
	[ ! -s "$1/not-set" ] || die "$2: these options cannot be so: $(<"$1/not-set")"
}

build_uclibc()
{
	local tree=$built/tree headers=$built/headers dir
	local arguments=(ARCH=arm CROSS_COMPILE=arm-linux-gnueabi-)

	mkdir -p "$tree" "$headers"
	for dir in asm asm-generic linux mtd; do
		ln -s "$HEADERS/$dir" "$headers/$dir"
	done
	tar -C "$tree" --strip-components=1 -xf /usr/src/uClibc-ng-*.tar.xz
	echo "KERNEL_HEADERS=\"$headers\"" >"$tree/.config"
	configure "$tree" "$ours/uclibc.config" "${arguments[@]}"
	make -C "$tree" "${arguments[@]}" -j"$jobs"
	make -C "$tree" "${arguments[@]}" PREFIX="$SYSROOT" install
	cp -R "$headers/." "$SYSROOT/include/"
	"$ours/cc" "${CFLAGS[@]}" -ffreestanding -c -o "$SYSROOT/lib/compat.o" "$ours/compat.c"
	# What BusyBox links with and does not need.
	ar rcs "$SYSROOT/lib/libm.a"
	rm -rf "$tree"
}

build_busybox()
{
	local tree=$built/tree
	local make=(make -C "$tree" CROSS_COMPILE=arm-linux-gnueabi- CC="$ours/cc")

	dpkg-source -x "$packages"/busybox_*.dsc "$tree"
	"${make[@]}" allnoconfig
	configure "$tree" "$ours/busybox.config"
	"${make[@]}" -j"$jobs" busybox busybox.links
	mv "$tree/busybox" "$tree/busybox.links" "$built/"
	rm -rf "$tree"
}

make_root()	# directory
{
	local program path

	cp -R "$ours/root/." "$1/"
	mkdir -p "$1"/{bin,dev,mnt,proc,root,sbin,tmp,usr/bin,usr/sbin}
	install -m 755 "$built/busybox" "$1/bin/"
	while read -r path; do
		ln -s /bin/busybox "$1$path"
	done <"$built/busybox.links"
	for program in where poweroff; do
		"$ours/cc" "${CFLAGS[@]}" -s -o "$1/bin/$program" "$ours/$program.c"
	done
}

fetch_packages sources deb-src "$(dpkg --print-architecture)" source --download-only busybox

# Everything that the result depends on.
key=$({
	cat "$0" "$ours"/{cc,compat.c,*.config} "$LDSCRIPT" "$apt_dir/sums"
	arm-linux-gnueabi-gcc --version
	arm-linux-gnueabi-ld --version
	# shellcheck disable=SC2016 # dpkg-query's own variables
	dpkg-query -W -f '${Package} ${Version}\n' uclibc-source linux-libc-dev-armel-cross
} | sha256sum | cut -d' ' -f1)
if [ "$(cat "$built/made-from" 2>/dev/null)" != "$key" ]; then
	rm -rf "$built"
	build_uclibc >&2
	build_busybox >&2
	echo "$key" >"$built/made-from"
fi

key=$({
	echo "$key"
	cat "$ours"/*.c
	find "$ours/root" -type f -printf '%P %m\n' -exec sha256sum {} + | sort
} | sha256sum | cut -d' ' -f1)
make_once "$root" "$key" make_root
echo "$root"
