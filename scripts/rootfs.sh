#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rootfs.sh CRAMFS-MAP: make the root directory of the demo in out/rootfs from
# Debian's armhf packages, whose programs stay as they are, and the given
# program. What the guest prints at boot is in rootfs/ beside this script.

. "$(dirname "$0")/common.sh"
. "$top/scripts/debs.sh"

umask 022

readonly PACKAGES=(busybox)	# and what they depend on
readonly APPLETS=(
	'[' ash awk basename cat chmod chown clear cmp cp cut date dd df dmesg du
	echo env expr false find free grep gunzip gzip halt head hexdump hostname id
	init kill killall less ln ls md5sum mkdir mkfifo mknod mktemp more mount mv
	od pidof poweroff printf ps pwd readlink reboot rm rmdir sed seq setsid
	sh sha256sum sleep sort stat strings stty sync tail tar tee test time top
	touch tr true tty umount uname uniq uptime vi wc which xargs yes
)

[ $# = 1 ] || die 'usage: rootfs.sh CRAMFS-MAP'
cramfs_map=$1
[ -x "$cramfs_map" ] || die "$cramfs_map: is not a program"

root=$out/rootfs

unpack()
{
	local deb

	for deb in "$packages"/*.deb; do
		dpkg-deb -x "$deb" "$1"
	done
	# What a system that runs from flash would not ship.
	rm -rf "${1:?}"/usr/share "$1"/usr/lib/*/gconv "$1"/usr/lib/*/audit
}

add_our_files()
{
	local applet busybox=$1/bin/busybox

	cp -R "$top/scripts/rootfs/." "$1/"
	install -D -m 755 "$cramfs_map" "$1/usr/bin/cramfs-map"
	mkdir -p "$1"/{dev,mnt,proc,root,run,sbin,sys,tmp,usr/bin}
	for applet in "${APPLETS[@]}"; do
		[ -e "$1/bin/$applet" ] || ln -s busybox "$1/bin/$applet"
	done
	ln -s ../bin/busybox "$1/sbin/init"
	tr '\0' '\n' <"$busybox" >"$1.words"
	for applet in "${APPLETS[@]}"; do
		grep -qxF -- "$applet" "$1.words" || die "busybox has no applet $applet"
	done
	rm -f "$1.words"
}

make_root()	# directory
{
	unpack "$1"
	add_our_files "$1"
}

fetch_packages armhf deb armhf \
	install -y --download-only --no-install-recommends "${PACKAGES[@]}"

key=$({
	cat "$0" "$apt_dir/sums" "$cramfs_map"
	find "$top/scripts/rootfs" -type f -printf '%P %m\n' -exec sha256sum {} + | sort
} | sha256sum | cut -d' ' -f1)
make_once "$root" "$key" make_root
echo "$root"
