#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rootfs.sh CRAMFS-MAP: make the root directory of the demo in out/rootfs from
# Debian's armhf packages, whose programs stay as they are, and the given
# program. Packages come through an apt with a state of its own in the cache,
# from the mirrors that this machine uses; once there, no network is needed.
# What the guest prints at boot is in rootfs/ beside this script.

. "$(dirname "$0")/common.sh"

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

apt_dir=$cache/apt-armhf
debs=$apt_dir/cache/archives
root=$out/rootfs

# The Debian mirrors of this machine, as apt itself understands its lists.
debian_sources()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
			'Identifier: Packages' 'Component: main' 2>/dev/null |
		awk '$2 ~ /^bookworm/ && !seen[$0]++ {
			print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $0
		}'
}

private_apt()
{
	apt-get -q -c "$apt_dir/apt.conf" "$@"
}

# apt checks signatures and hashes; the sums are for later uses of the cache.
download()
{
	say "downloading ${PACKAGES[*]} for armhf"
	rm -rf "$apt_dir"
	mkdir -p "$apt_dir/state/lists/partial" "$debs/partial"
	: >"$apt_dir/state/status"
	debian_sources >"$apt_dir/sources.list"
	[ -s "$apt_dir/sources.list" ] ||
		die 'no Debian 12 mirror in the package sources of apt'
	cat >"$apt_dir/apt.conf" <<-END
		APT::Architecture "armhf";
		#clear APT::Architectures;
		APT::Architectures { "armhf"; };
		APT::Sandbox::User "";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		Acquire::Languages "none";
		Debug::NoLocking "true";
		Dir::State "$apt_dir/state";
		Dir::State::status "$apt_dir/state/status";
		Dir::Cache "$apt_dir/cache";
		Dir::Etc::sourcelist "$apt_dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
	END
	# One mirror in the middle of its own update need not stop us: the install
	# knows whether what is left is enough.
	{
		private_apt update || echo 'W: not all package lists are there'
		private_apt install -y --download-only --no-install-recommends "${PACKAGES[@]}"
	} >"$apt_dir/log" 2>&1 </dev/null || {
		tail -n 20 "$apt_dir/log" >&2
		die "apt-get failed; its whole output: $apt_dir/log"
	}
	(cd "$debs" && sha256sum -- *.deb) >"$apt_dir/sums.new"
	echo "${PACKAGES[*]}" >"$apt_dir/packages"
	mv "$apt_dir/sums.new" "$apt_dir/sums"
}

have_packages()
{
	[ "$(cat "$apt_dir/packages" 2>/dev/null)" = "${PACKAGES[*]}" ] &&
		[ -s "$apt_dir/sums" ] &&
		(cd "$debs" && sha256sum --quiet -c "$apt_dir/sums") >/dev/null 2>&1
}

unpack()
{
	local deb

	for deb in "$debs"/*.deb; do
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

lock debs
have_packages || download

key=$({
	cat "$0" "$apt_dir/sums" "$cramfs_map"
	find "$top/scripts/rootfs" -type f -printf '%P %m\n' -exec sha256sum {} + | sort
} | sha256sum | cut -d' ' -f1)
if [ "$(cat "$root.made-from" 2>/dev/null)" != "$key" ]; then
	rm -rf "$root" "$root.new" "$root.made-from"
	mkdir -p "$root.new"
	chmod 755 "$root.new"
	unpack "$root.new"
	add_our_files "$root.new"
	mv "$root.new" "$root"
	echo "$key" >"$root.made-from"
fi
echo "$root"
