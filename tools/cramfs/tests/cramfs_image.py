#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read, check, alter and build cramfs images, for tests only.

This is the second opinion: it shares no code with mkcramfs or the driver, so that an error in
one of them is not repeated here. It favours strictness over speed and holds whole images in
memory. What a *source tree* should look like in the guest is not its business: it only knows
images.

As a command:
  cramfs_image.py list IMG            one line an entry, blocks as run lengths
  cramfs_image.py check IMG           every rule of the format; exit 1 and a line an error
  cramfs_image.py cat IMG PATH        contents of a file
  cramfs_image.py manifest IMG        one tab separated line an entry (see manifest_line())
  cramfs_image.py punch IN OUT PATH BLK[,BLK..]
                                      turn XIP blocks of a file into deflated ones
"""

import stat
import struct
import sys
import zlib

PAGE = 4096
MAGIC = 0x28cd3d45
SIGNATURE = b'Compressed ROMFS'
SUPER_LEN = 76
ROOT_AT = 64			# offset of the root inode in the superblock
PADDED_AT = 512			# the other place where a superblock may be
MAX_NAME = 252

FSID_V2 = 0x1
SORTED_DIRS = 0x2
HOLES = 0x100
WRONG_SIGNATURE = 0x200
SHIFTED_ROOT = 0x400
EXT_POINTERS = 0x800
KNOWN_FLAGS = 0xff | HOLES | WRONG_SIGNATURE | SHIFTED_ROOT | EXT_POINTERS

PTR_STORED = 1 << 31
PTR_DIRECT = 1 << 30
PTR_FLAGS = PTR_STORED | PTR_DIRECT


class CramfsError(Exception):
    """Something in an image is not as the format says."""


def nr_blocks(size):
    """Number of blocks of SIZE bytes of contents."""
    return (size + PAGE - 1) // PAGE


def align(offset, to):
    """OFFSET rounded up to a multiple of TO."""
    return (offset + to - 1) // to * to


class Codec:
    """Packs and unpacks on-disk structures of one endianness."""

    def __init__(self, endian):
        self.endian = endian

    def u16(self, data, at):
        return struct.unpack_from(self.endian + 'H', data, at)[0]

    def u32(self, data, at):
        return struct.unpack_from(self.endian + 'I', data, at)[0]

    def put16(self, value):
        return struct.pack(self.endian + 'H', value)

    def put32(self, value):
        return struct.pack(self.endian + 'I', value)

    def inode(self, data, at):
        """(mode, uid, size, gid, name length, data offset), the last two in bytes."""
        a, b, c = struct.unpack_from(self.endian + '3I', data, at)
        if self.endian == '<':
            return (a & 0xffff, a >> 16, b & 0xffffff, b >> 24, (c & 0x3f) * 4, (c >> 6) * 4)
        return (a >> 16, a & 0xffff, b >> 8, b & 0xff, (c >> 26) * 4, (c & 0x3ffffff) * 4)

    def put_inode(self, mode, uid, size, gid, name_len, offset):
        """The reverse of inode()."""
        n, o = name_len // 4, offset // 4
        if self.endian == '<':
            words = (mode | uid << 16, size | gid << 24, n | o << 6)
        else:
            words = (mode << 16 | uid, size << 8 | gid, n << 26 | o)
        return struct.pack(self.endian + '3I', *words)


class Block:
    """Where one block of a file is. offset and len say where its payload is in the image."""

    def __init__(self, kind, direct, offset, length, want):
        self.kind = kind		# 'hole', 'stored' or 'deflated'
        self.direct = direct
        self.offset = offset
        self.len = length
        self.want = want		# bytes of contents

    @property
    def letter(self):
        """h hole, z/Z deflated, s/S stored; capitals for direct pointers; X for a stored block
        that is a page-aligned page of the image, whichever its pointer."""
        if self.kind == 'hole':
            return 'h'
        if self.kind == 'stored' and self.offset % PAGE == 0:
            return 'X'
        return {'deflated': 'zZ', 'stored': 'sS'}[self.kind][self.direct]


class Entry:
    """One name in the image."""

    def __init__(self, path, at, mode, uid, size, gid, offset):
        self.path = path		# bytes, '/' for the root
        self.at = at			# offset of the inode
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size		# of a device: its number
        self.offset = offset		# of the data

    def is_type(self, *types):
        return stat.S_IFMT(self.mode) in types

    @property
    def has_data(self):
        return self.size > 0 and self.is_type(stat.S_IFREG, stat.S_IFLNK)


class Image:
    """A cramfs image in memory."""

    def __init__(self, data):
        self.data = data
        self.base, self.codec = self._find_super()
        at, c = self.base, self.codec
        self.size, self.flags, self.future = (c.u32(data, at + n) for n in (4, 8, 12))
        self.signature = bytes(data[at + 16:at + 32])
        self.crc, self.edition, self.blocks, self.files = (
            c.u32(data, at + n) for n in (32, 36, 40, 44))
        self.name = bytes(data[at + 48:at + 64])
        mode, uid, size, gid, _, offset = c.inode(data, at + ROOT_AT)
        self.root = Entry(b'/', at + ROOT_AT, mode, uid, size, gid, offset)

    def _find_super(self):
        for at in (0, PADDED_AT):
            if len(self.data) < at + SUPER_LEN:
                break
            for endian in '<>':
                if struct.unpack_from(endian + 'I', self.data, at)[0] == MAGIC:
                    return at, Codec(endian)
        raise CramfsError('no superblock')

    @property
    def limit(self):
        """End of what the image may refer to."""
        return self.size if self.flags & FSID_V2 else len(self.data)

    def children(self, entry):
        """The entries of a directory, in the order of the image."""
        at, end = entry.offset, entry.offset + entry.size
        if end > self.limit or end > len(self.data):
            raise CramfsError('%r: directory beyond the image' % entry.path)
        while at < end:
            if at + 12 > end:
                raise CramfsError('%r: cut entry at %#x' % (entry.path, at))
            mode, uid, size, gid, name_len, offset = self.codec.inode(self.data, at)
            raw = bytes(self.data[at + 12:at + 12 + name_len])
            name = raw.rstrip(b'\0')
            if at + 12 + name_len > end or not name:
                raise CramfsError('%r: bad name at %#x' % (entry.path, at))
            path = entry.path.rstrip(b'/') + b'/' + name
            yield Entry(path, at, mode, uid, size, gid, offset)
            at += 12 + name_len

    def walk(self, entry=None, above=()):
        """All entries, the root first, each directory before its children."""
        entry = entry or self.root
        yield entry
        if not entry.is_type(stat.S_IFDIR) or not entry.size:
            return
        if entry.offset in above:
            raise CramfsError('%r: directory loop' % entry.path)
        for child in self.children(entry):
            yield from self.walk(child, above + (entry.offset,))

    def find(self, path):
        """The entry at PATH (str or bytes)."""
        path = path.encode() if isinstance(path, str) else path
        entry = self.root
        for part in path.strip(b'/').split(b'/') if path.strip(b'/') else []:
            for child in self.children(entry):
                if child.path.rsplit(b'/', 1)[1] == part:
                    entry = child
                    break
            else:
                raise CramfsError('%r: not in the image' % path)
        return entry

    def pointer_at(self, entry, index):
        """Offset in the image of a block pointer."""
        return entry.offset + 4 * index

    def _block_end(self, entry, index):
        """Where block INDEX ends: where a following one without a direct pointer starts."""
        ptr = self.codec.u32(self.data, self.pointer_at(entry, index))
        if not ptr & PTR_DIRECT:
            return ptr & ~PTR_FLAGS
        start = (ptr & ~PTR_FLAGS) << 2
        if ptr & PTR_STORED:
            return start + PAGE
        return start + 2 + self.codec.u16(self.data, start)

    def block(self, entry, index):
        """Decode one block pointer."""
        count = nr_blocks(entry.size)
        if entry.offset + 4 * count > min(self.limit, len(self.data)):
            raise CramfsError('%r: block pointers beyond the image' % entry.path)
        ptr = self.codec.u32(self.data, self.pointer_at(entry, index))
        if ptr & PTR_FLAGS and not self.flags & EXT_POINTERS:
            raise CramfsError('%r: block %d: extended pointer without the flag'
                              % (entry.path, index))
        want = min(PAGE, entry.size - index * PAGE)
        stored, direct = bool(ptr & PTR_STORED), bool(ptr & PTR_DIRECT)
        if direct:
            start = (ptr & ~PTR_FLAGS) << 2
            if stored:
                length = want
            else:
                if start + 2 > min(self.limit, len(self.data)):
                    raise CramfsError('%r: block %d beyond the image' % (entry.path, index))
                length = self.codec.u16(self.data, start)
                start += 2
        else:
            start = self._block_end(entry, index - 1) if index else entry.offset + 4 * count
            length = (ptr & ~PTR_FLAGS) - start
        if length < 0 or start + length > min(self.limit, len(self.data)):
            raise CramfsError('%r: block %d beyond the image' % (entry.path, index))
        kind = 'hole' if not length else 'stored' if stored else 'deflated'
        return Block(kind, direct, start, length, want)

    def read_block(self, entry, index):
        """Contents of one block, exactly as long as it should be."""
        block = self.block(entry, index)
        payload = bytes(self.data[block.offset:block.offset + block.len])
        if block.kind == 'hole':
            return bytes(block.want)
        if block.kind == 'stored':
            if block.len > PAGE:
                raise CramfsError('%r: block %d: stored in %d bytes'
                                  % (entry.path, index, block.len))
            return payload[:block.want].ljust(block.want, b'\0')
        inflate = zlib.decompressobj()
        try:
            out = inflate.decompress(payload) + inflate.flush()
        except zlib.error as err:
            raise CramfsError('%r: block %d: %s' % (entry.path, index, err)) from None
        if not inflate.eof or len(out) != block.want:
            raise CramfsError('%r: block %d: inflates to %d bytes, not %d'
                              % (entry.path, index, len(out), block.want))
        return out

    def block_list(self, entry):
        """All blocks of a file or symlink."""
        return [self.block(entry, n) for n in range(nr_blocks(entry.size))]

    def read(self, entry):
        """Contents of a file, target of a symlink."""
        if not entry.has_data:
            return b''
        return b''.join(self.read_block(entry, n) for n in range(nr_blocks(entry.size)))

    def tail_is_clean(self, block):
        """Whether the page that a stored, page-aligned block begins has only zeros after it."""
        end = align(block.offset + block.want, PAGE)
        return end <= min(self.limit, len(self.data)) and not any(
            self.data[block.offset + block.want:end])

    def runs(self, entry):
        """Block layout as run lengths: 'X12@0x5000,z3,h1'. X is a page that can be mapped; x the
        same, but with other data (or the end of the image) in the rest of its page; either is
        followed by where the run starts."""
        out = []
        if not entry.has_data:
            return '-'
        for block in self.block_list(entry):
            letter = block.letter
            if letter == 'X' and not self.tail_is_clean(block):
                letter = 'x'
            last = out[-1] if out else None
            if last and last[0] == letter and (
                    letter not in 'XxS' or block.offset == last[2] + last[1] * PAGE):
                out[-1] = (letter, last[1] + 1, last[2])
            else:
                out.append((letter, 1, block.offset))
        return ','.join('%s%d' % (l, n) + ('@%#x' % o if l in 'XxS' else '')
                        for l, n, o in out)

    def computed_crc(self):
        """The CRC that the superblock should have."""
        body = bytearray(self.data[self.base:self.size])
        body[32:36] = bytes(4)
        return zlib.crc32(body)

    def errors(self):
        """Every departure from the format, as text. Empty for a good image."""
        found = []
        if self.flags & ~KNOWN_FLAGS:
            found.append('unknown flags %#x' % (self.flags & ~KNOWN_FLAGS))
        if self.signature != SIGNATURE:
            found.append('wrong signature')
        if not self.root.is_type(stat.S_IFDIR):
            found.append('root is not a directory')
        if self.flags & FSID_V2:
            if self.size > len(self.data):
                found.append('size %d of %d' % (self.size, len(self.data)))
            elif self.crc != self.computed_crc():
                found.append('CRC %08x, not %08x' % (self.crc, self.computed_crc()))
        try:
            found += self._entry_errors()
        except CramfsError as err:
            found.append(str(err))
        return found

    def _entry_errors(self):
        found, count, holes = [], 0, False
        for entry in self.walk():
            count += 1
            if entry.is_type(stat.S_IFDIR):
                found += self._dir_errors(entry)
            elif entry.has_data:
                holes |= any(b.kind == 'hole' for b in self.block_list(entry))
                content = self.read(entry)
                if entry.is_type(stat.S_IFLNK) and b'\0' in content:
                    found.append('%r: NUL in the target' % entry.path)
            elif not entry.is_type(stat.S_IFREG, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO,
                                   stat.S_IFSOCK):
                found.append('%r: mode %o' % (entry.path, entry.mode))
        if holes and not self.flags & HOLES:
            found.append('a hole, without the flag')
        if self.flags & FSID_V2 and count != self.files:
            found.append('%d entries, not %d' % (count, self.files))
        return found

    def _dir_errors(self, entry):
        names = [e.path.rsplit(b'/', 1)[1] for e in self.children(entry)] if entry.size else []
        found = []
        if len(set(names)) != len(names):
            found.append('%r: a name twice' % entry.path)
        if self.flags & SORTED_DIRS and names != sorted(names):
            found.append('%r: not sorted' % entry.path)
        for name in names:
            if b'/' in name or b'\0' in name or name in (b'.', b'..') or len(name) > MAX_NAME:
                found.append('%r: bad name %r' % (entry.path, name))
        return found


def escape(path):
    """PATH without blanks and control characters, %XX for them, as one word of text."""
    return ''.join(chr(c) if 0x21 <= c <= 0x7e and c != 0x25 else '%%%02x' % c for c in path)


def manifest_line(image, entry):
    """type, mode, uid, gid, size or device number, CRC-32, blocks, inode offset, data offset,
    path, symlink target: separated by tabs, '-' where there is none."""
    kind = {stat.S_IFREG: 'f', stat.S_IFDIR: 'd', stat.S_IFLNK: 'l', stat.S_IFCHR: 'c',
            stat.S_IFBLK: 'b', stat.S_IFIFO: 'p', stat.S_IFSOCK: 's'}.get(
                stat.S_IFMT(entry.mode), '?')
    content = image.read(entry)
    return '\t'.join((
        kind, '%04o' % stat.S_IMODE(entry.mode), str(entry.uid), str(entry.gid), str(entry.size),
        '%08x' % zlib.crc32(content) if kind in 'fl' else '-',
        image.runs(entry) if kind in 'fl' else '-', '%#x' % entry.at, '%#x' % entry.offset,
        escape(entry.path), escape(content) if kind == 'l' else '-'))


def seal(data, base=0, endian='<'):
    """Write size and CRC of the image in DATA (a bytearray), whose superblock is at BASE."""
    codec = Codec(endian)
    data[base + 4:base + 8] = codec.put32(len(data))
    data[base + 32:base + 36] = bytes(4)
    data[base + 32:base + 36] = codec.put32(zlib.crc32(data[base:]))


def punch(data, path, indices):
    """A copy of an image in which some XIP blocks of a file are direct, deflated blocks. Their old
    places are poisoned, so that whoever still maps them is found out."""
    image = Image(data)
    entry = image.find(path)
    out = bytearray(data[:image.size])
    for index in indices:
        block = image.block(entry, index)
        if block.letter != 'X' or not block.direct:
            raise CramfsError('%r: block %d is not an XIP block' % (entry.path, index))
        packed = zlib.compress(image.read_block(entry, index), 9)
        out += bytes(-len(out) % 4)
        ptr = PTR_DIRECT | len(out) >> 2
        out += image.codec.put16(len(packed)) + packed
        at = image.pointer_at(entry, index)
        out[at:at + 4] = image.codec.put32(ptr)
        out[block.offset:block.offset + block.want] = (
            b'\xde\xad\xbe\xef' * (PAGE // 4))[:block.want]
    out += bytes(-len(out) % PAGE)
    seal(out, image.base, image.codec.endian)
    return bytes(out)


class Data:
    """Contents of a file and the kind of each block; two nodes with one Data share it.

    kinds: a letter a block, the last one repeated: z deflated, s stored, Z direct deflated,
    S direct stored (4-byte but not page aligned), X direct stored in a page, x the same with
    poison after a last partial block, h hole.
    order: the order in which direct blocks are laid out (all blocks direct).
    same: {index: other}: this block has the pointer of an earlier one.
    """

    def __init__(self, content, kinds='z', order=None, same=None):
        self.content = content
        count = nr_blocks(len(content))
        self.kinds = (kinds + kinds[-1] * count)[:count]
        self.order = order or range(count)
        self.same = same or {}

    def chunk(self, index):
        return self.content[index * PAGE:(index + 1) * PAGE]


class Node:
    """One entry to be. data of a symlink is its target, children of a directory are (name, Node)
    in the order to be written; a child list may be in two directories."""

    def __init__(self, mode, uid=0, gid=0, data=None, rdev=0, children=()):
        self.mode, self.uid, self.gid, self.rdev = mode, uid, gid, rdev
        self.data = Data(data) if isinstance(data, bytes) else data
        self.children = list(children)


def file_node(data, mode=0o644, uid=0, gid=0):
    """A regular file."""
    return Node(stat.S_IFREG | mode, uid, gid, data)


def dir_node(children=(), mode=0o755, uid=0, gid=0):
    """A directory, its entries as (name, Node)."""
    return Node(stat.S_IFDIR | mode, uid, gid, children=children)


def link_node(target, uid=0, gid=0):
    """A symlink."""
    return Node(stat.S_IFLNK | 0o777, uid, gid, target)


def raw_name(name):
    """NAME (str or bytes) as bytes, padded as on disk."""
    name = name.encode() if isinstance(name, str) else name
    return name + bytes(-len(name) % 4)


class Builder:
    """Lays out an image from a tree of Node."""

    def __init__(self, root, endian='<', base=0, flags=FSID_V2 | SORTED_DIRS, name=b'test',
                 root_offset=None, pad=True):
        self.root, self.base, self.flags, self.name = root, base, flags, name
        self.codec = Codec(endian)
        self.first_dir = root_offset or base + SUPER_LEN
        self.pad = pad
        self.out = bytearray(self.first_dir)
        self.placed = {}		# id(node) to (offset, size) of its children
        self.data_at = {}		# id(data) to offset
        self.count = 1
        self.blocks = 0

    def build(self):
        """The image, with size and CRC."""
        self._place_dirs()
        for node in self._nodes(self.root):
            if node.data and node.data.content and id(node.data) not in self.data_at:
                self._write_data(node.data)
        self._write_inodes()
        if self.pad:
            self._align(PAGE)
        self._write_super()
        return bytes(self.out)

    def _nodes(self, node):
        yield node
        for _, child in node.children:
            yield from self._nodes(child)

    def _align(self, to):
        self.out += bytes(-len(self.out) % to)

    def _place_dirs(self):
        """Reserve the room of each directory, breadth first."""
        queue = [self.root]
        while queue:
            node = queue.pop(0)
            size = sum(12 + len(raw_name(n)) for n, _ in node.children)
            self.placed[id(node)] = (len(self.out) if size else 0, size)
            self.out += bytes(size)
            self.count += len(node.children)
            queue += [c for _, c in node.children]

    def _inode_of(self, node, name_len):
        kind = stat.S_IFMT(node.mode)
        offset = size = 0
        if kind == stat.S_IFDIR:
            offset, size = self.placed[id(node)]
        elif kind in (stat.S_IFREG, stat.S_IFLNK) and node.data:
            offset, size = self.data_at.get(id(node.data), 0), len(node.data.content)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            size = node.rdev
        return self.codec.put_inode(node.mode, node.uid, size, node.gid, name_len, offset)

    def _write_inodes(self):
        for node in self._nodes(self.root):
            at = self.placed[id(node)][0]
            for name, child in node.children:
                name = raw_name(name)
                entry = self._inode_of(child, len(name)) + name
                self.out[at:at + len(entry)] = entry
                at += len(entry)

    def _write_data(self, data):
        self._align(4)
        start = self.data_at[id(data)] = len(self.out)
        count = len(data.kinds)
        self.blocks += count
        self.out += bytes(4 * count)
        pointers = [0] * count
        for index in data.order:
            pointers[index] = (pointers[data.same[index]] if index in data.same
                               else self._write_block(data, index))
        for index, ptr in enumerate(pointers):
            at = start + 4 * index
            self.out[at:at + 4] = self.codec.put32(ptr)

    def _write_block(self, data, index):
        """Append one block; its pointer."""
        kind, chunk = data.kinds[index], data.chunk(index)
        if kind == 'h':
            if any(chunk):
                raise CramfsError('a hole has contents')
            self.flags |= HOLES
            return len(self.out)
        if kind != 'z':
            self.flags |= EXT_POINTERS
        if kind in 'zs':
            self.out += zlib.compress(chunk, 9) if kind == 'z' else chunk
            return len(self.out) | (PTR_STORED if kind == 's' else 0)
        self._align(PAGE if kind in 'Xx' else 4)
        if kind == 'S' and len(self.out) % PAGE == 0:
            self.out += bytes(4)
        at = len(self.out)
        if kind == 'Z':
            packed = zlib.compress(chunk, 9)
            self.out += self.codec.put16(len(packed)) + packed
            return PTR_DIRECT | at >> 2
        self.out += chunk.ljust(PAGE, b'\xa5' if kind in 'xS' else b'\0')
        return PTR_DIRECT | PTR_STORED | at >> 2

    def _write_super(self):
        c, at = self.codec, self.base
        head = b''.join((
            c.put32(MAGIC), c.put32(0), c.put32(self.flags), c.put32(0), SIGNATURE, c.put32(0),
            c.put32(0), c.put32(self.blocks), c.put32(self.count),
            self.name.ljust(16, b'\0')[:16], self._inode_of(self.root, 0)))
        self.out[at:at + SUPER_LEN] = head
        if self.flags & FSID_V2:
            seal(self.out, at, c.endian)
        else:
            # Version 1 has no size, CRC or counts there.
            self.out[at + 4:at + 8] = c.put32(0x10000)
            self.out[at + 32:at + 48] = bytes(16)


def list_image(image):
    """Lines for a person: what is where."""
    yield ('size %d flags %#x files %d blocks %d crc %08x name %r at %d %s endian'
           % (image.size, image.flags, image.files, image.blocks, image.crc,
              image.name.rstrip(b'\0'), image.base,
              'little' if image.codec.endian == '<' else 'big'))
    for entry in image.walk():
        yield ('%s %5d %3d %8d ino %#07x data %#07x %s %s'
               % (stat.filemode(entry.mode), entry.uid, entry.gid, entry.size, entry.at,
                  entry.offset, image.runs(entry), escape(entry.path)))


def load(path):
    """The image in the file PATH."""
    with open(path, 'rb') as handle:
        return Image(handle.read())


def main(argv):
    """Command line; exit status."""
    if len(argv) < 3 or argv[1] not in ('list', 'check', 'cat', 'manifest', 'punch'):
        print(__doc__.split('As a command:')[1], file=sys.stderr)
        return 2
    command, path = argv[1:3]
    try:
        image = load(path)
        if command == 'list':
            print('\n'.join(list_image(image)))
        elif command == 'manifest':
            print('\n'.join(manifest_line(image, e) for e in image.walk()))
        elif command == 'cat':
            sys.stdout.buffer.write(image.read(image.find(argv[3])))
        elif command == 'punch':
            out = punch(image.data, argv[4], [int(n) for n in argv[5].split(',')])
            with open(argv[3], 'wb') as handle:
                handle.write(out)
        else:
            found = image.errors()
            for line in found:
                print('cramfs_image.py: %s: %s' % (path, line), file=sys.stderr)
            return 1 if found else 0
    except (CramfsError, OSError, struct.error) as err:
        print('cramfs_image.py: %s: %s' % (path, err), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
