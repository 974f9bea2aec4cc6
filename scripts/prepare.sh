# SPDX-License-Identifier: GPL-2.0-only
#
# The steps that `make boot` and `make check` have in common, from a machine
# with git, make and apt to tools, kernels and a root directory. Sourced after
# common.sh. Each step is announced; a step that fails names its log.

# shellcheck shell=bash disable=SC2034,SC2154 # variables for and from others

logs=$out/log
mkdir -p "$logs"

n_steps=0 step=0

step()
{
	say "[$((++step))/$n_steps] $*"
}

# logged NAME COMMAND...: stdout is the caller's, the rest goes to the log.
logged()
{
	local log=$logs/$1.log

	shift
	"$@" 2>"$log" </dev/null && return
	say "FAILED: $*"
	say "The end of $log:"
	tail -n 30 "$log" >&2
	exit 1
}

prepare_sources()
{
	step 'installing what is missing (nothing, after the first time)'
	"$top/scripts/setup.sh"
	step 'getting the kernel source (1 min the first time)'
	logged source "$top/scripts/kernel-tree.sh" pristine >/dev/null
	step 'making the series and applying it (1 min the first time)'
	ksrc=$(logged series "$top/scripts/kernel-tree.sh" patched)
}

build_kernel()	# variant
{
	logged "kernel-$1-build" "$top/scripts/kernel.sh" "$1"
}

# Each with a step of its own; their images are kernels[VARIANT].
declare -A kernels
build_kernels()	# variant...
{
	local variant

	for variant; do
		step "building the kernel $variant (8 min the first time; log: $logs/kernel-$variant.log)"
		kernels[$variant]=$(build_kernel "$variant")
	done
}

build_tools()
{
	logged tools make -C "$top/tools/cramfs" OUTPUT="$out/tools/" all >/dev/null
	logged tools-arm make -C "$top/tools/cramfs" OUTPUT="$out/tools-arm/" \
		CROSS_COMPILE="$cross_compile" cramfs-map >/dev/null
	mkcramfs=$out/tools/mkcramfs
	cramfs_map=$out/tools-arm/cramfs-map
}

# The root directory of the demo, its image, and another one in which nothing can
# execute in place, for checks of the proof. Without an MMU the first one stores
# everything, since inflating takes up to 64 KiB of the RAM.
prepare_demo()	# virt|mps2
{
	local devices=$out/root.devices xip=(-X -X)

	case $1 in
	mps2)	rootfs=$(logged rootfs-mps2 "$top/scripts/rootfs-mps2.sh")
		image=$out/root-mps2.cramfs compressed=$out/root-mps2-compressed.cramfs
		xip=(-X -U) ;;
	*)	rootfs=$(logged rootfs "$top/scripts/rootfs.sh" "$cramfs_map")
		image=$out/root.cramfs compressed=$out/root-compressed.cramfs ;;
	esac
	printf '%s - - -\n' '/dev/console c 600 0 0 5 1' '/dev/null c 666 0 0 1 3' >"$devices"
	logged image "$mkcramfs" -q -L "${xip[@]}" -D "$devices" "$rootfs" "$image" >&2
	logged image "$mkcramfs" -q -L -D "$devices" "$rootfs" "$compressed" >&2
}
