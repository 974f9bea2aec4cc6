#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-tools.sh [OPTION...]: mkcramfs beside the builders of images that Debian
# has, on three trees: T1, a small root file system; T2, a large mixed one; T3,
# 20,000 small and odd files. The first two are unpacked packages. What is measured,
# and how well mkcramfs should do, is in bench_tools.py, which gets the options.

. "$(dirname "$0")/common.sh"
. "$top/scripts/prepare.sh"
. "$top/scripts/debs.sh"

umask 022

readonly MTIME=@1700000000
trees=$cache/bench
tests=$top/tools/cramfs/tests

readonly SMALL=(
	busybox libc6 libgcc-s1 libstdc++6 dropbear-bin libcrypt1 zlib1g libtomcrypt1
	libtommath1 mtd-utils libgmp10 liblzo2-2 libuuid1 libzstd1 libacl1
	libubootenv-tool libubootenv0.1 libyaml-0-2 i2c-tools libi2c0 kmod libkmod2
	liblzma5 libssl3 base-files netbase
)
readonly LARGE=(
	python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libpython3.11
	perl-base perl-modules-5.36 coreutils git vim-runtime vim tzdata libc6 libc-bin
	locales libstdc++6 libssl3 openssl libsqlite3-0 sqlite3 curl libcurl4 bash gawk
	binutils-common libbinutils gdb libicu72 fonts-dejavu-core libglib2.0-0
	libgtk-3-0 libqt5core5a libqt5gui5 libqt5widgets5 ncurses-term hunspell-en-us
	wireless-regdb firmware-linux-free python3-numpy tcl8.6
)
# The commands of BusyBox, as links to it.
readonly APPLETS=(
	'[' ash awk basename cat chmod chown cp cut date dd df dmesg du echo env false
	find free grep gunzip gzip head hexdump hostname id ifconfig kill killall ln
	ls md5sum mkdir mknod mktemp more mount mv nc ping ps pwd readlink reboot rm
	route sed seq sh sleep sort stat strings sync tail tar tee test top touch tr
	true umount uname uniq uptime vi wc wget which xargs yes
)

unpack()	# directory
{
	local deb

	for deb in "$packages"/*.deb; do
		dpkg-deb -x "$deb" "$1"
	done
}

# Equal times, and no owner but us: what the builders make of those is not measured,
# and we may not be root.
finish_tree()	# directory
{
	find "$1" -depth -exec touch -h -d "$MTIME" {} +
}

make_small()	# directory
{
	local applet

	unpack "$1"
	rm -rf "${1:?}"/usr/share/{doc,man,locale,lintian}
	for applet in "${APPLETS[@]}"; do
		[ -e "$1/bin/$applet" ] || ln -s busybox "$1/bin/$applet"
	done
	finish_tree "$1"
}

make_large()	# directory
{
	unpack "$1"
	rm -rf "${1:?}/usr/share/doc"
	find "$1" -name coreutils.mo -delete
	# No cramfs can hold these.
	find "$1" -type f -size +16777214c -delete
	finish_tree "$1"
}

make_odd()	# number of small files, parts, directory
{
	local -r directory=${*: -1}

	python3 "$tests/trees.py" "$directory" "${@:1:$#-1}"
}

debian_tree()	# name function package...
{
	fetch_packages "bench-$1" deb armhf download "${@:3}"
	make_once "$trees/$1" "$(cat "$0" "$apt_dir/sums" | sha256sum)" "$2"
}

odd_tree()	# name argument...
{
	make_once "$trees/$1" "${*:2} $(sha256sum <"$tests/trees.py")" make_odd "${@:2}"
}

n_steps=4
step 'installing what is missing (nothing, after the first time)'
"$top/scripts/setup.sh" bench
step 'building mkcramfs'
logged tools make -C "$top/tools/cramfs" OUTPUT="$out/tools/" all >/dev/null
step 'making the trees (2 min the first time)'
mkdir -p "$trees"
debian_tree T1 make_small "${SMALL[@]}"
debian_tree T2 make_large "${LARGE[@]}"
odd_tree T3 20000
for files in 5000 10000 20000; do
	odd_tree "small-$files" "$files" small
done
step 'measuring (5 min)'
mkdir -p "$out/bench"
gcc -O2 -Wall -D_GNU_SOURCE -o "$out/bench/measure" "$top/scripts/measure.c"
ln -sf "$out/tools/mkcramfs" "$out/bench/fsck.cramfs"
exec python3 "$top/scripts/bench_tools.py" --mkcramfs "$out/tools/mkcramfs" \
	--fsck "$out/bench/fsck.cramfs" --measure "$out/bench/measure" --trees "$trees" --work "$out/bench" "$@"
