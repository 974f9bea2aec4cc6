# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages that are not for this machine, or only their sources: they
# come through an apt with a state of its own in the cache, from the mirrors that
# this machine uses. Once there, no network is needed. Sourced after common.sh.

# shellcheck shell=bash disable=SC2154 # variables of common.sh

# The Debian mirrors of this machine, as apt itself understands its lists. Without
# backports: the newest source package is what apt-get takes.
debian_sources()	# deb|deb-src
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
			'Identifier: Packages' 'Component: main' 2>/dev/null |
		awk -v type="$1" '$2 ~ /^bookworm/ && $2 !~ /backports/ && !seen[$0]++ {
			print type " [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $0
		}'
}

private_apt()
{
	apt-get -q -c "$apt_dir/apt.conf" "$@"
}

# apt checks signatures and hashes; the sums are for later uses of the cache.
download_packages()	# type architecture apt-get's arguments
{
	rm -rf "$apt_dir"
	mkdir -p "$apt_dir/state/lists/partial" "$packages/partial"
	: >"$apt_dir/state/status"
	debian_sources "$1" >"$apt_dir/sources.list"
	[ -s "$apt_dir/sources.list" ] ||
		die 'apt has no package lists of a mirror of Debian 12, named bookworm in its sources; try "apt-get update"'
	cat >"$apt_dir/apt.conf" <<-END
		APT::Architecture "$2";
		#clear APT::Architectures;
		APT::Architectures { "$2"; };
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
		Dir::Cache::archives "$packages";
		Dir::Etc::sourcelist "$apt_dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
	END
	# One mirror in the middle of its own update need not stop us: what is asked
	# for knows whether what is left is enough. Sources come to where we are.
	(
		cd "$packages"
		private_apt update || echo 'W: not all package lists are there'
		private_apt "${@:3}"
	) >"$apt_dir/log" 2>&1 </dev/null || {
		tail -n 20 "$apt_dir/log" >&2
		die "apt-get failed; its whole output: $apt_dir/log"
	}
	rmdir "$packages/partial"
	(cd "$packages" && sha256sum -- *) >"$apt_dir/sums.new"
	echo "$*" >"$apt_dir/what"
	mv "$apt_dir/sums.new" "$apt_dir/sums"
}

# fetch_packages NAME deb|deb-src ARCHITECTURE APT-GET-ARGUMENT...: sets packages,
# a directory with what was asked for and nothing else, and apt_dir, beside
# which `sums` identifies it.
fetch_packages()
{
	apt_dir=$cache/apt-$1 packages=$cache/apt-$1/packages
	shift
	lock debs
	[ "$(cat "$apt_dir/what" 2>/dev/null)" = "$*" ] && [ -s "$apt_dir/sums" ] &&
		(cd "$packages" && sha256sum --quiet -c "$apt_dir/sums") >/dev/null 2>&1 &&
		return
	say "downloading Debian packages (apt-get ${*:3})"
	download_packages "$@"
}
