#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make what the tests without an MMU run on: root images with the expectations behind them.

There is one ROM, in which qemu-mps2.sh puts what is made here at ROOT_AT: the root image, a table
of what to expect (struct expect of lib.h, which the guest reads where it lies), and images that
the guest mounts by their address. One more image is for address 0. As in guest_images.py, which
lends a hand, the expectations are those of the source tree and of an independent reader.

Runs under fakeroot. Output in OUT: NAME.rom, NAME.expect (the address of the table), boot.img.
"""

import argparse
import os
import shutil
import stat
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SELF = os.path.basename(__file__)
sys.path.insert(0, os.path.dirname(HERE))
import guest_images as gi	# noqa: E402
import cramfs_image as ci	# noqa: E402 (guest_images knows where it is)

PAGE = ci.PAGE
ROOT_AT = 0x200000
BOOT_COPY = 0x3f0000		# of the image at address 0, if MTD is in use
BOOT_MAX = 0x10000		# at most
MAGIC = b'cramfs-nommu'

DATA_FILES = {
    'stored': gi.elf(1, 5 * PAGE + 1234),
    'mixed': gi.elf(2, 4 * PAGE, 3 * PAGE + 99),
    'deflated': gi.text(3, 3 * PAGE + 57),
    'full': gi.elf(4, 4 * PAGE),
    'noise': gi.noise(5, 2 * PAGE + 1),
    'zeros': gi.text(6, PAGE) + bytes(3 * PAGE) + gi.text(7, 100),
    'page': gi.text(8, PAGE),
    'byte': b'!',
    'empty': b'',
}

# Stored blocks that are deflated afterwards.
PUNCHED = {'/t/bin/pages': [3], '/t/data/mixed': [2]}


def make_tree(programs, top):
    """Stage the root file system."""
    shutil.rmtree(top, ignore_errors=True)
    for name in ('dev', 'mnt', 'proc', 't/bin', 't/data'):
        os.makedirs(os.path.join(top, name))
    for name, major, minor in ('console', 5, 1), ('kmsg', 1, 11):
        os.mknod(top + '/dev/' + name, stat.S_IFCHR | 0o600, os.makedev(major, minor))
    for name in sorted(os.listdir(programs)):
        shutil.copy(os.path.join(programs, name), top + '/t/bin/' + name)
        os.chmod(top + '/t/bin/' + name, 0o755)
    for name, content in DATA_FILES.items():
        gi.put(top + '/t/data/' + name, content)


# Images -----------------------------------------------------------------------------------------

def build_root(args, name, top):
    """The root image NAME."""
    out = os.path.join(args.out, name + '.img')
    options = {'xip': ['-X'], 'aligned': ['-X', '-X'], 'punched': ['-X', '-X'],
               'stored': ['-X', '-U'], 'plain': []}
    gi.run(args.mkcramfs, *options[name], top, out)
    with open(out, 'rb') as handle:
        data = handle.read()
    for path, blocks in PUNCHED.items() if name == 'punched' else ():
        data = ci.punch(data, path, blocks)
    return data


def boot_image(programs):
    """Cases in little space, to be at address 0: 512 bytes are left for code."""
    text = gi.text
    with open(os.path.join(programs, 'where'), 'rb') as handle:
        where = handle.read()
    # A deflated block in front, so long that the stored one after it is at an odd address.
    for seed in range(700, 800):
        odd = ci.Data(text(seed, PAGE) + text(seed + 100, PAGE), 'zs')
        root = ci.dir_node([
            ('full', ci.file_node(ci.Data(text(702, 2 * PAGE), 'X'))),
            ('odd', ci.file_node(odd)),
            ('scatter', ci.file_node(ci.Data(text(703, 2 * PAGE) + bytes(PAGE) + text(704, PAGE),
                                             'XXhX', order=[0, 3, 1, 2]))),
            ('tail', ci.file_node(ci.Data(text(706, PAGE + 1000), 'Xx'))),
            ('unaligned', ci.file_node(ci.Data(text(707, 2 * PAGE), 'S'))),
            ('where', ci.file_node(ci.Data(where, 'X'), 0o755)),
        ])
        data = ci.Builder(root, base=ci.PADDED_AT).build()
        image = ci.Image(data)
        if image.block(image.find('/odd'), 1).offset % 4:
            break
    if image.errors():
        sys.exit(SELF + ': the image at address 0: ' + image.errors()[0])
    if len(data) > BOOT_MAX:
        sys.exit(SELF + ': the image at address 0 has %d bytes too many' % (len(data) - BOOT_MAX))
    return data


def hostile_image():
    """An image that mounts, but some of whose contents must be refused. What is behind it is a
    secret."""
    text = gi.text
    root = ci.dir_node([
        ('index', ci.file_node(ci.Data(text(715, 2 * PAGE), 'X'))),
        ('outside', ci.file_node(ci.Data(text(710, 2 * PAGE), 'X'))),
        ('pointer', ci.file_node(ci.Data(text(711, 3 * PAGE), 'X'))),
        ('stream', ci.file_node(text(712, 2 * PAGE))),
        ('table', ci.file_node(ci.Data(text(713, 50)))),
        ('verge', ci.file_node(ci.Data(text(714, 2 * PAGE), 'X'))),
    ])
    data = ci.Builder(root).build()
    image = ci.Image(data)
    outside, pointer, stream, table, verge = (
        image.find('/' + name) for name in ('outside', 'pointer', 'stream', 'table', 'verge'))
    stored = ci.PTR_DIRECT | ci.PTR_STORED
    data = gi.patched(data, image.pointer_at(pointer, 1), stored | 0x2000000)
    data = gi.patched(data, image.block(stream, 0).offset + 20, 0, 40)
    data = gi.patched(data, table.at + 8, 2 | 0x3f00000 << 6)
    # The image ends with the first block of `verge`; its second follows, but outside.
    end = image.block(verge, 1).offset
    assert end == image.block(verge, 0).offset + PAGE and end == len(data) - PAGE
    # The table of `index` begins with the last word of the image; what is behind would be right.
    good = image.codec.put32(stored | image.block(pointer, 0).offset >> 2)
    data = bytearray(gi.aimed(data, '/index', 2 * PAGE, end - 4)[:end - 4] + good)
    for index, offset in ((0, end), (1, end - 64)):
        at = image.pointer_at(outside, index)
        data[at:at + 4] = image.codec.put32(stored | offset >> 2)
    ci.seal(data)
    return bytes(data) + good + b'secret: ' * (2 * PAGE // 8)


def short_image():
    """An image that ends with the last byte of a file, in the middle of a page. What follows are zeros,
    but not its own."""
    root = ci.dir_node([('last', ci.file_node(ci.Data(gi.text(720, PAGE + 900), 'X')))])
    data = ci.Builder(root).build()
    image = ci.Image(data)
    block = image.block(image.find('/last'), 1)
    data = bytearray(data[:block.offset + block.want])
    ci.seal(data)
    return bytes(data) + bytes(PAGE)


def packed_image():
    """An image with a deflated block after which there is nothing but zeros for a page: it must not
    be taken for a stored one."""
    data = bytearray(ci.Builder(ci.dir_node([('packed', ci.file_node(gi.text(730, PAGE)))])).build())
    data += bytes(PAGE)
    ci.seal(data)
    return bytes(data)


def huge_image():
    """An image that would reach from the ROM into RAM."""
    data = ci.Builder(gi.sample_root()).build()
    return gi.patched(data, 4, 0x30000000)


# Expectations -----------------------------------------------------------------------------------

def kind_of(image, block, before):
    """Letter of a block as in struct run of lib.h; BEFORE is the block in front, if stored."""
    if block.kind != 'stored':
        return 'h' if block.kind == 'hole' else 'z'
    in_a_row = before and before.offset + PAGE == block.offset
    if not block.direct and not in_a_row:
        return 's'
    return 'X' if block.want == PAGE or image.tail_is_clean(block) else 'x'


def runs_of(image, entry, addr):
    """(kind, count, address) of consecutive blocks."""
    runs, before = [], None
    for index in range(ci.nr_blocks(entry.size)):
        try:
            block = image.block(entry, index)
        except ci.CramfsError:
            runs.append(('!', 1, 0))
            before = None
            continue
        kind = kind_of(image, block, before)
        at = addr + block.offset if block.kind == 'stored' else 0
        last = runs[-1] if runs else None
        if last and last[0] == kind and kind in 'zhX' and at == (
                last[2] + last[1] * PAGE if kind == 'X' else 0):
            runs[-1] = (kind, last[1] + 1, last[2])
        else:
            runs.append((kind, 1, at))
        before = block if block.kind == 'stored' else None
    return runs


class Table:
    """struct expect, with what it points to behind it."""

    def __init__(self):
        self.images = []		# (name, address, data, contents by path or None)

    def add(self, name, addr, data, contents=None):
        """An image. Without the contents, those in the image are what is expected."""
        self.images.append((name, addr, data, contents))

    def pack(self):
        """All as bytes."""
        out = bytearray(20 + 32 * len(self.images))
        struct.pack_into('<16sI', out, 0, MAGIC, len(self.images))
        for n, (name, addr, data, contents) in enumerate(self.images):
            files = self._files(data, addr, contents) if data else []
            rows = bytearray()
            for path, size, crc, runs in files:
                path_at = len(out)
                out += path + b'\0'
                out += bytes(-len(out) % 4)
                rows += struct.pack('<5I', path_at, size, crc, len(out), len(runs))
                for kind, count, at in runs:
                    out += struct.pack('<3I', ord(kind), count, at)
            struct.pack_into('<16s4I', out, 20 + 32 * n, name.encode(), addr, len(data),
                             len(out), len(files))
            out += rows
        return bytes(out)

    @staticmethod
    def _files(data, addr, contents):
        image = ci.Image(data)
        found = []
        for entry in image.walk():
            if not entry.is_type(stat.S_IFREG):
                continue
            crc = 0
            if contents is not None:
                crc = zlib.crc32(contents[entry.path])
            else:
                try:
                    crc = zlib.crc32(image.read(entry))
                except ci.CramfsError:
                    pass
            found.append((entry.path, entry.size, crc, runs_of(image, entry, addr)))
        if contents is not None and {f[0] for f in found} != set(contents):
            sys.exit(SELF + ': the image has not the files of the tree')
        return found


def write_rom(args, name, root, contents, boot):
    """What follows the root image, and where the table is."""
    extras = [('hostile', hostile_image()), ('short', short_image()), ('packed', packed_image()),
              ('huge', huge_image()), ('no image', b'nothing ' * 1024)]
    found = ci.Image(root).errors()
    if found:
        sys.exit(SELF + ': %s: %s' % (name, found[0]))
    table, at = Table(), ROOT_AT + ci.align(len(root), PAGE)
    table.add('root', ROOT_AT, root, contents)
    table.add('boot', 0, boot)
    table.add('boot copy', BOOT_COPY, boot)
    rom = bytearray(root)
    for extra, data in extras:
        rom += bytes(-len(rom) % PAGE)
        # Mounted only to be refused: nobody looks inside.
        table.add(extra, ROOT_AT + len(rom), b'' if extra in ('huge', 'no image') else
                  data)
        rom += data
    rom += bytes(-len(rom) % PAGE)
    at = ROOT_AT + len(rom)
    rom += table.pack()
    if ROOT_AT + len(rom) > BOOT_COPY:
        sys.exit(SELF + ': %s: too large for the ROM' % name)
    with open(os.path.join(args.out, name + '.rom'), 'wb') as handle:
        handle.write(rom)
    with open(os.path.join(args.out, name + '.expect'), 'w', encoding='ascii') as handle:
        handle.write('%#x\n' % at)


def main():
    """All outputs."""
    parser = argparse.ArgumentParser()
    for option in ('programs', 'mkcramfs', 'out'):
        parser.add_argument('--' + option, required=True)
    parser.add_argument('images', nargs='+')
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    top = os.path.join(args.out, 'tree')
    make_tree(args.programs, top)
    contents = {path: entry.content for path, entry in gi.expect_tree(top).items()
                if entry.kind == 'f'}
    boot = boot_image(args.programs)
    with open(os.path.join(args.out, 'boot.img'), 'wb') as handle:
        handle.write(boot)
    for name in args.images:
        write_rom(args, name, build_root(args, name, top), contents, boot)


if __name__ == '__main__':
    main()
