# SPDX-License-Identifier: GPL-2.0-only
#
# Where things are and how the scripts here speak. Sourced by all of them; it
# does nothing by itself.

# shellcheck shell=bash disable=SC2034 # others use these names

set -euo pipefail

unset CDPATH
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cramfs-xip
out=$top/out
selftests=$top/tools/testing/selftests/filesystems/cramfs
kernel_package=linux-source-6.12
cross_compile=arm-linux-gnueabihf-
jobs=$(nproc)

# mkfs.cramfs and others are where a user's PATH may not look.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
# Set when a hook of git runs us.
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
# What a make that runs us has for those that it starts, which are not ours.
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKELEVEL MAKEOVERRIDES MAKEFILES
# What a user has for builds of his own: each build here says what it needs.
unset ARCH SUBARCH CROSS_COMPILE O V W C LLVM LLVM_IAS "${!KBUILD_@}" "${!KCONFIG_@}"
unset CC CPP CXX AS LD AR NM RANLIB STRIP OBJCOPY OBJDUMP READELF HOSTCC HOSTCXX
unset CFLAGS CPPFLAGS CXXFLAGS ASFLAGS LDFLAGS LDLIBS EXTRA_CFLAGS
unset HOSTCFLAGS HOSTLDFLAGS KCFLAGS KCPPFLAGS KAFLAGS LOCALVERSION
unset OUTPUT PREFIX DESTDIR CPATH C_INCLUDE_PATH LIBRARY_PATH GCC_EXEC_PREFIX COMPILER_PATH

say()
{
	echo "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

# The version of the kernel source keys what is derived from it.
kernel_version()
{
	# shellcheck disable=SC2016 # dpkg-query's own variable
	dpkg-query -W -f '${Version}' "$kernel_package"
}

kernel_dir()
{
	echo "$cache/linux-$(kernel_version)"
}

# lock NAME: have a part of the cache for itself, as long as the process lives;
# those that it starts share the lock. `trees` are those that kernels are built
# from, `series` is the one that moves between commits, `debs` the packages and
# what is built from their sources.
lock()
{
	local var=CRAMFS_LOCKED_$1 fd

	[ -z "${!var:-}" ] || return 0
	export "$var=1"
	mkdir -p "$cache"
	exec {fd}>"$cache/$1.lock"
	flock -n "$fd" && return
	say "another run is using $cache ($1): waiting for it"
	flock "$fd"
}

# make_once DIRECTORY KEY COMMAND...: have the command fill a new directory, named by
# its last argument, unless there is one that was made with the same key.
make_once()
{
	local dir=$1 key=$2

	shift 2
	[ "$(cat "$dir.made-from" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "$dir" "$dir.new" "$dir.made-from"
	mkdir -p "$dir.new"
	chmod 755 "$dir.new"
	"$@" "$dir.new" >&2
	mv "$dir.new" "$dir"
	echo "$key" >"$dir.made-from"
}

# git on our own trees, whatever the user's configuration is.
tree_git()
{
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$@"
}
