# SPDX-License-Identifier: GPL-2.0-only
#
# Configuring and building a kernel for the guest out of its tree. Sourced,
# after common.sh; which tree and which options is for the caller to say.

# shellcheck shell=bash disable=SC2154 # variables of common.sh

export CCACHE_DIR=$cache/ccache CCACHE_MAXSIZE=3G

# The result is to depend on the sources only: not on who builds it when, nor on
# the state of the git tree that the kernel would look at for its version.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=cramfs KBUILD_BUILD_HOST=localhost LOCALVERSION=

# Whom it is for; a caller may say so.
arch=arm arch_compile=$cross_compile

kmake()	# source output argument...
{
	make -C "$1" O="$2" ARCH="$arch" CROSS_COMPILE="$arch_compile" \
		CC="ccache ${arch_compile}gcc" -j"$jobs" "${@:3}"
}

# kconfigure SOURCE OUTPUT FRAGMENT...: later fragments override earlier ones.
# Fails, naming the options, when some did not become what a fragment says.
kconfigure()
{
	local src=$1 build=$2
	local wanted=$build/fragment

	shift 2
	mkdir -p "$build"
	awk '/^CONFIG_/ { split($0, f, "="); if (!(f[1] in is)) n[++k] = f[1]; is[f[1]] = $0 }
	     END { for (i = 1; i <= k; i++) print is[n[i]] }' "$@" >"$wanted"
	kmake "$src" "$build" -s KCONFIG_ALLCONFIG="$wanted" allnoconfig || return
	options_that_did_not_stick "$wanted" "$build/.config" >"$build/not-set"
	[ -s "$build/not-set" ] || return 0
	say "${build##*/}: these options cannot be what the fragments say:"
	sed 's/^/  /' "$build/not-set" >&2
	return 1
}

options_that_did_not_stick()	# fragment .config
{
	# An option that is not there at all is not set, and that is =n.
	awk -F= 'NR == FNR { if (/^CONFIG_/) has[$1] = $0; next }
		 !($1 in has) ? $2 != "n" : has[$1] != $0' "$2" "$1"
}
