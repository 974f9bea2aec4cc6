# SPDX-License-Identifier: GPL-2.0-only
#
# What the qemu-*.sh have in common: scratch files, the boot stub of a ROM, an
# initramfs, and a run of QEMU with its console. Sourced after `set -eu`.

# shellcheck shell=bash disable=SC2154 # variables of those that source this

# Those for another machine change it.
qemu=qemu-system-arm

die()
{
	echo "${0##*/}: $*" >&2
	exit 2
}

# parse_options FLAGS VALUES LISTS ARGUMENT...: --a-name sets a_name, which the caller
# has given its default: to 1 if it is in FLAGS, to VALUE in --a-name VALUE if it is in
# VALUES; or it adds VALUE to it, if it is in LISTS. Some options are those of all.
parse_options()
{
	local flags=" $1 interactive " lists=" $3 " name
	local values=" $2 append kernel log mem timeout work "

	shift 3
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help)	usage; exit 0 ;;
		--*)		name=${1#--} name=${name//-/_} ;;
		*)		die "$1: not an option" ;;
		esac
		if [[ $flags == *" $name "* ]]; then
			printf -v "$name" 1
			shift
			continue
		fi
		[[ $values$lists == *" $name "* ]] || die "$1: unknown option"
		[ $# -ge 2 ] || die "$1: its value is missing"
		if [[ $values == *" $name "* ]]; then
			printf -v "$name" %s "$2"
		else
			declare -n list=$name
			list+=("$2")
		fi
		shift 2
	done
}

# check_paths PATH...: QEMU takes a comma in a path for the end of it, and what
# JSON has as quotes and escapes must not be in that of save_memory.
check_paths()
{
	local path

	for path; do
		[[ $path != *[,\"\\]* ]] || die "$path: has a comma, a quote or a backslash"
	done
}

check_readable()	# file...
{
	local file

	check_paths "$@"
	for file; do
		[ -r "$file" ] || die "$file: cannot be read"
	done
}

# Sets work, to a directory that is removed at the end unless it was given.
make_work()
{
	if [ -n "$work" ]; then
		mkdir -p "$work"
	else
		work=$(mktemp -d "${TMPDIR:-/tmp}/qemu.XXXXXX")
		trap 'rm -rf "$work"' EXIT
	fi
	check_paths "$work" "$log"
}

# put_file FILE IMAGE OFFSET END: it must not reach beyond END.
put_file()
{
	[ $(($3 + $(stat -Lc %s "$1"))) -le $(($4)) ] ||
		die "$1: larger than the $(($4 - $3)) bytes that it has in ROM"
	dd if="$1" of="$2" bs=4096 seek="$(($3))" oflag=seek_bytes conv=notrunc status=none
}

# make_stub DTB KERNEL OUTPUT GCC-OPTION...: what a ROM begins with.
make_stub()
{
	local elf=$3.elf cross=${CROSS_COMPILE:-arm-linux-gnueabihf-}

	"${cross}gcc" "${@:4}" -DDTB="$1" -DKERNEL="$2" -nostdlib -static -Wl,-Ttext=0,-e0 \
		-Wl,--build-id=none -o "$elf" "${BASH_SOURCE%/*}/rom.S" ||
		die 'the boot stub does not assemble'
	"${cross}objcopy" -O binary "$elf" "$3"
}

# make_initramfs INIT OUTPUT [NAME=FILE]...: with a static program as /init, and with
# more files, without directories, in the root.
make_initramfs()
{
	local tree=$2.tree file

	check_readable "$1"
	rm -rf "$tree"
	mkdir -p "$tree"/{dev,proc,sys,tmp}
	cp -L "$1" "$tree/init"
	chmod 755 "$tree/init"
	for file in "${@:3}"; do
		[[ $file == *?=?* && ${file%%=*} != */* ]] || die "$file: not NAME=FILE"
		check_readable "${file#*=}"
		cp -L "${file#*=}" "$tree/${file%%=*}"
	done
	(cd "$tree" && find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet) >"$2"
	rm -rf "$tree"
}

# When the guest ends, have QEMU write the memory at ADDRESS to FILE, then quit.
# QEMU has to be told not to quit by itself.
save_memory()	# address size file
{
	local line
	exec 8>"$work/qmp.in" 9<"$work/qmp.out"

	echo '{"execute": "qmp_capabilities"}' >&8
	while read -r line <&9; do
		[[ $line == *'"STOP"'* ]] || continue
		printf '{"execute": "pmemsave", "arguments": %s}\n' \
			"$(printf '{"val": %d, "size": %d, "filename": "%s"}' "$@")" >&8
		echo '{"execute": "quit"}' >&8
	done
}

# run_qemu ARGUMENT...: with its console on stdout, and in $log where there is
# one; stdin is the guest's if the run is interactive. Exits with QEMU's status,
# which is 124 if the guest was ended after $timeout seconds.
run_qemu()
{
	local status=0 console=stdio,id=console
	local command=("$qemu" "$@" -display none -no-reboot)

	[ -z "$log" ] || console+=",logfile=$log"
	if [ "$interactive" = 1 ]; then
		command+=(-chardev "$console,mux=on,signal=off" -mon chardev=console)
	else
		command+=(-chardev "$console" -monitor none)
		exec </dev/null
	fi
	command+=(-serial chardev:console)
	[ "$timeout" = 0 ] || command=(timeout --foreground -k 5 "$timeout" "${command[@]}")

	"${command[@]}" || status=$?
	# If QEMU did not even start, save_memory still waits for it.
	jobs -p | xargs -r kill 2>/dev/null || true
	case $status in
	0)	;;
	124)	echo "${0##*/}: the guest did not end within $timeout s" >&2 ;;
	*)	echo "${0##*/}: QEMU ended with status $status" >&2 ;;
	esac
	exit "$status"
}
