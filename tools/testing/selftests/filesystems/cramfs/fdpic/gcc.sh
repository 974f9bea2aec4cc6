#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# gcc.sh -o PROGRAM SOURCE... [OPTION...]: compile and link a static FDPIC program
# for a Cortex-M with the runtime of this directory. Which libc, if any, is for
# the caller to say: nolibc by `-include .../nolibc.h`. FDPIC_CROSS_COMPILE is
# the prefix of a compiler and linker that know the FDPIC ABI, as Debian's for
# the armel architecture do.

here=$(dirname "$0")

# The kernel takes a stack of the size that the program header says. crt0.S is
# not preprocessed: what the caller has included is no assembler.
exec "${FDPIC_CROSS_COMPILE:-arm-linux-gnueabi-}gcc" \
	-mfdpic -Wa,--fdpic -mthumb -march=armv7-m -mfloat-abi=soft \
	-Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fomit-frame-pointer -DNOLIBC_OMIT_FRAME_POINTER \
	-ffunction-sections -fdata-sections -Wl,--gc-sections \
	-static -no-pie -nostdlib -T "$here/fdpic.ld" -Wl,-b,elf32-littlearm-fdpic \
	-Wl,-z,max-page-size=4096 -Wl,-z,stack-size=8192 -Wl,--build-id=none \
	-x assembler "$here/crt0.S" -x none "$here/selfreloc.c" "$@" -lgcc
