#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make a bFLT (version 4) program of a position-independent ELF program for ARM, for tests.

  elf2bflt.py [--stack BYTES] [--ram] ELF OUTPUT

ELF has been linked with bflt.ld, which is beside this file, and with --emit-relocs. Its text
begins at address 0, its data follow, and the global offset table is the first of these. These
addresses are then those of bFLT, which are relative to the end of the file's header. --ram asks
the kernel to copy the text, too.

This is no replacement for elf2flt: it knows what the tests' programs have in them, and refuses the
rest.
"""

import argparse
import struct
import sys

HEADER_LEN = 64
VERSION = 4
RAM, GOTPIC = 1, 2		# flags

SHT_NOBITS, SHT_RELA, SHT_REL = 8, 4, 9
SHF_WRITE, SHF_ALLOC = 1, 2
EM_ARM = 40
# Relocations: ABS32 and TARGET1; what else needs to know where text, or data, will be:
# {,THM_}MOV{W_ABS_NC,T_ABS}, GOTOFF32, BASE_PREL, GOT_PREL; and REL32, unless it is for text
ABSOLUTE = (2, 38)
FIXED = (43, 44, 47, 48, 24, 25, 96)
RELATIVE = 3


class ConvertError(Exception):
    """The program is not what can be converted."""


class Section:
    """A section header."""

    def __init__(self, elf, fields):
        (self.name_at, self.type, self.flags, self.addr, self.offset, self.size, self.link,
         self.info, self.align, self.entsize) = fields
        self.name = ''
        self.allocated = bool(self.flags & SHF_ALLOC) and self.size > 0
        self.writable = bool(self.flags & SHF_WRITE)
        self.end = self.addr + self.size
        self.content = (bytes(self.size) if self.type == SHT_NOBITS else
                        elf[self.offset:self.offset + self.size])


def read_sections(elf):
    """(byte order, entry, sections) of an ELF program."""
    if elf[:5] != b'\x7fELF\x01':
        raise ConvertError('not a 32-bit ELF file')
    order = '<' if elf[5] == 1 else '>'
    kind, machine, _, entry, _, at = struct.unpack_from(order + 'HHIIII', elf, 16)
    step, number, names = struct.unpack_from(order + 'HHH', elf, 46)
    if kind != 2 or machine != EM_ARM:
        raise ConvertError('not an ARM program (ET_EXEC)')
    sections = [Section(elf, struct.unpack_from(order + '10I', elf, at + i * step))
                for i in range(number)]
    strings = sections[names].content
    for section in sections:
        section.name = strings[section.name_at:].split(b'\0')[0].decode()
    return order, entry, sections


def relocated_words(order, sections, data_start):
    """Addresses of the words in the data that hold an address, but for the offset table's."""
    words = []
    for table in sections:
        if table.type not in (SHT_REL, SHT_RELA) or not sections[table.info].allocated:
            continue
        target = sections[table.info]
        for at in range(0, table.size, table.entsize):
            addr, info = struct.unpack_from(order + 'II', table.content, at)
            kind = info & 0xff
            value, = struct.unpack_from(order + 'I', sections[table.link].content,
                                        (info >> 8) * 16 + 4)
            if kind in FIXED or (kind == RELATIVE and value >= data_start) or (
                    kind in ABSOLUTE and not target.writable):
                raise ConvertError('relocation %d at %s (%s): not compiled as '
                                   'position-independent' % (kind, hex(addr), target.name))
            if kind in ABSOLUTE:
                words.append(addr)
    return sorted(words)


def convert(elf, stack, in_ram):
    """The bFLT program of an ELF program; both are bytes."""
    order, entry, sections = read_sections(elf)
    loaded = [s for s in sections if s.allocated]
    data = [s for s in loaded if s.writable]
    files = [s for s in loaded if s.type != SHT_NOBITS]
    if not data:
        raise ConvertError('no data: at least the offset table is needed')
    data_start = min(s.addr for s in data)
    data_end = max([s.end for s in files if s.writable] + [data_start])
    bss_end = max(s.end for s in loaded)
    if any(s.end > data_start for s in loaded if not s.writable):
        raise ConvertError('read-only sections behind the data')
    if any(s.addr < data_end for s in loaded if s.type == SHT_NOBITS):
        raise ConvertError('bss before the end of the data')

    memory = bytearray(data_end)
    for section in files:
        memory[section.addr:section.end] = section.content
    words = [addr for addr in relocated_words(order, sections, data_start)
             if memory[addr:addr + 4] != bytes(4)]
    header = struct.pack('>4s10I20x', b'bFLT', VERSION, HEADER_LEN + entry,
                         HEADER_LEN + data_start, HEADER_LEN + data_end, HEADER_LEN + bss_end,
                         stack, HEADER_LEN + data_end, len(words),
                         GOTPIC | (RAM if in_ram else 0), 0)
    return header + memory + struct.pack('>%dI' % len(words), *words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--stack', type=int, default=4096)
    parser.add_argument('--ram', action='store_true')
    parser.add_argument('elf')
    parser.add_argument('output')
    args = parser.parse_args()
    with open(args.elf, 'rb') as f:
        elf = f.read()
    try:
        program = convert(elf, args.stack, args.ram)
    except ConvertError as why:
        sys.exit('elf2bflt.py: %s: %s' % (args.elf, why))
    with open(args.output, 'wb') as f:
        f.write(program)


if __name__ == '__main__':
    main()
