#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# setup.sh [NAME...]: install the Debian packages that the other scripts need, as
# root or through sudo: those of scripts/packages and of each scripts/packages-NAME.
# Fast and silent when nothing is missing. Everything else that a build needs is
# made from these packages by the scripts that use it.

. "$(dirname "$0")/common.sh"

readonly NEEDED_MIB=10240	# trees of the kernel and builds of its variants
lists=(scripts/packages "${@/#/scripts/packages-}")

wanted_packages()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*$//' "${lists[@]/#/$top/}"
}

missing_packages()
{
	wanted_packages | while read -r package; do
		# shellcheck disable=SC2016 # dpkg-query's own variable
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

check_machine()
{
	local id version

	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
		die 'this needs Debian 12: there is no dpkg or apt-get here'
	id=$(. /etc/os-release && echo "${ID:-}")
	version=$(. /etc/os-release && echo "${VERSION_ID:-}")
	[ "$id $version" = 'debian 12' ] ||
		die "packages are missing, and this is '$id $version', not Debian 12; install what ${lists[*]} list"
}

check_space()
{
	local free

	mkdir -p "$cache" || die "$cache: cannot be made; set XDG_CACHE_HOME"
	! compgen -G "$cache/linux-*/pristine" >/dev/null || return 0
	free=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$NEEDED_MIB" ] ||
		die "$cache: $free MiB free, $NEEDED_MIB MiB needed (XDG_CACHE_HOME chooses another place)"
}

check_space
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0

check_machine
command=(env DEBIAN_FRONTEND=noninteractive apt-get)
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null ||
		die "not root, and there is no sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
	[ -t 0 ] || sudo -n true 2>/dev/null ||
		die "sudo wants a password and there is no terminal. As root: apt-get install --no-install-recommends ${missing[*]}"
	command=(sudo "${command[@]}")
fi

say "Installing Debian packages that are missing here (${command[0]} apt-get install; why: ${lists[*]}):"
say "  ${missing[*]}"
mkdir -p "$out/log"
log=$out/log/setup.log
if ! { "${command[@]}" -q update &&
       "${command[@]}" -q install -y --no-install-recommends "${missing[@]}"; } \
     >"$log" 2>&1 </dev/null; then
	tail -n 20 "$log" >&2
	die "apt-get failed; its whole output: $log"
fi
