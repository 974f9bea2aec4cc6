#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make what the guest tests run on: a tree, its images, hand-made corner cases, and what to expect.

Runs under fakeroot, which gives files the owners and device nodes that the tests look at. The
expectations are those of the *source tree* (attributes, contents) and of an independent reader of
the images (where each block is); nothing comes from the driver. Booting is run-guest.sh's job.

Output in OUT: NAME.img (root images), NAME.flash (the same with the corner cases after it),
corners (the corner cases alone, for a disk), NAME.expect (a disk that guest.c reads), NAME.cmdline (for a
kernel with MTD).
"""

import argparse
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SELF = os.path.basename(__file__)
sys.path.insert(0, os.path.join(HERE, *['..'] * 5, 'tools', 'cramfs', 'tests'))
import cramfs_image as ci	# noqa: E402

PAGE = ci.PAGE
FLASH_AT = 0x4000000		# where qemu-virt.sh has the flash bank
TYPES = {stat.S_IFREG: 'f', stat.S_IFDIR: 'd', stat.S_IFLNK: 'l', stat.S_IFCHR: 'c',
         stat.S_IFBLK: 'b', stat.S_IFIFO: 'p', stat.S_IFSOCK: 's'}


def text(seed, size):
    """SIZE bytes that deflate to about a half, each page unlike any other."""
    rng = random.Random(seed)
    words = [bytes(rng.randrange(33, 127) for _ in range(rng.randrange(3, 9))) for _ in range(900)]
    out = bytearray()
    while len(out) < size:
        out += rng.choice(words) + b' '
    return bytes(out[:size])


def noise(seed, size):
    """SIZE bytes that do not deflate."""
    return random.Random(seed).randbytes(size)


def elf(seed, text_size, data_size=0):
    """An ARM ELF file: a text segment from the start of the file, and one of data after it."""
    body = bytearray(text(seed, text_size + data_size))
    segments = [(5, 0, text_size)]
    if data_size:
        segments.append((6, text_size, data_size))
    head = b'\x7fELF\x01\x01\x01'.ljust(16, b'\0') + struct.pack(
        '<HHIIIIIHHHHHH', 3, 40, 1, 0, 52, 0, 0x05000400, 52, 32, len(segments), 0, 0, 0)
    for flags, start, size in segments:
        vaddr = start if flags == 5 else start + 0x10000
        head += struct.pack('<8I', 1, start, vaddr, vaddr, size, size, flags, PAGE)
    body[:len(head)] = head
    return bytes(body)


# Tree -------------------------------------------------------------------------------------------

# Files that the tests know by name, and whose contents the guest gets for comparison.
DATA_FILES = {
    'stored': elf(1, 24 * PAGE + 1234),
    'mixed': elf(2, 17 * PAGE, 6 * PAGE + 99),
    'deflated': text(3, 19 * PAGE + 57),
    'full': elf(4, 8 * PAGE),
    'noise': noise(5, 9 * PAGE + 1),
    'zeros': text(6, PAGE) + bytes(5 * PAGE) + text(7, 100),
    'page': text(8, PAGE),
    'byte': b'!',
    'empty': b'',
}


def put(path, content, mode=0o644, uid=0, gid=0):
    """Write a file with its attributes; the mode last, since chown clears set-id bits."""
    with open(path, 'wb') as handle:
        handle.write(content)
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def add_attributes(top):
    """Files with equal contents and unequal attributes, and all kinds of modes and owners."""
    os.mkdir(top)
    same = text(20, 6000)
    put(top + '/private', same, 0o600, 1000, 100)
    put(top + '/public', same, 0o644, 0, 0)
    put(top + '/setuid', same, 0o4755, 0, 0)
    put(top + '/setgid', same, 0o2755, 5, 50)
    put(top + '/sticky', same, 0o1777, 65535, 255)
    put(top + '/none', same, 0, 12, 34)
    os.symlink('private', top + '/link')
    os.mkdir(top + '/closed', 0o700)
    os.chown(top + '/closed', 1000, 100)
    put(top + '/closed/file', b'closed\n', 0o666, 1000, 100)


def add_nodes(top):
    """Device nodes, a FIFO, a socket."""
    os.mkdir(top)
    for name, kind, number in (('null', stat.S_IFCHR, (1, 3)), ('chr', stat.S_IFCHR, (255, 254)),
                               ('blk', stat.S_IFBLK, (8, 17))):
        os.mknod(top + '/' + name, kind | 0o640, os.makedev(*number))
        os.chown(top + '/' + name, 0, 6)
    os.mknod(top + '/fifo', stat.S_IFIFO | 0o666)
    os.chmod(top + '/fifo', 0o666)
    os.mknod(top + '/socket', stat.S_IFSOCK | 0o600)


def add_names(top):
    """Names of every residue of length by four, the longest, and odd characters."""
    os.mkdir(top)
    for length in (1, 2, 3, 4, 5, 63, 64, 65, 249, 250, 251, 252):
        put(top + '/' + 'n' * length, b'%d\n' % length)
    for name in (b'with space', b'with\ttab', b'per%cent', b'\xc3\xa9t\xc3\xa9', b'-dash', b'...'):
        put(os.fsencode(top) + b'/' + name, name)


def add_directories(top):
    """A directory of many entries, a deep one, an empty one."""
    os.makedirs(top + '/' + '/'.join('d%d' % n for n in range(20)))
    os.mkdir(top + '/empty')
    os.mkdir(top + '/many')
    for n in range(500):
        os.symlink('../t%d' % (n % 7), top + '/many/%s%d' % ('e' * (n % 23), n))


def make_tree(args, top):
    """Stage the whole root file system."""
    shutil.rmtree(top, ignore_errors=True)
    # Hundreds of character set converters say nothing that other libraries do not.
    shutil.copytree(args.rootfs, top, symlinks=True, ignore=shutil.ignore_patterns('gconv'))
    for path, dirs, files in os.walk(top):
        for name in dirs + files:
            os.lchown(os.path.join(path, name), 0, 0)
    for name in ('proc', 'sys', 'dev', 'tmp', 't', 't/bin', 't/data', 't/mnt', 't/mnt2'):
        os.makedirs(os.path.join(top, name), exist_ok=True)
    for name in sorted(os.listdir(args.programs)):
        shutil.copy(os.path.join(args.programs, name), top + '/t/bin/' + name)
        os.chmod(top + '/t/bin/' + name, 0o755)
    os.chmod(top + '/t/bin/whoami', 0o4755)
    for name, content in DATA_FILES.items():
        put(top + '/t/data/' + name, content)
    put(top + '/t/data/big', (text(9, 1009) * 16628)[:(1 << 24) - 1])
    put(top + '/t/script', b'#!/bin/busybox sh\nexit 42\n', 0o755)
    os.symlink('data/stored', top + '/t/link')
    os.symlink('t' * 4000, top + '/t/longlink')
    os.symlink('nowhere', top + '/t/dangling')
    add_attributes(top + '/t/attr')
    add_nodes(top + '/t/nodes')
    add_names(top + '/t/names')
    add_directories(top + '/t/dirs')


class Expected:
    """What one entry should be like in the guest."""

    def __init__(self, path, info, content=None, alias=False):
        self.path = path
        self.kind = TYPES[stat.S_IFMT(info[0])]
        self.mode, self.uid, self.gid, self.size = info
        self.content = content		# of files and symlinks
        self.ref = None			# where the guest finds the contents
        self.alias = alias		# shares its data with an entry of other attributes

    def line(self, runs):
        """As guest.c reads it."""
        crc = '%08x' % zlib.crc32(self.content) if self.content is not None else '-'
        return '\t'.join((
            self.kind, '%o' % stat.S_IMODE(self.mode), str(self.uid), str(self.gid),
            str(self.size), crc, runs, '-' if self.ref is None else str(self.ref),
            'a' if self.alias else '-', ci.escape(self.path),
            ci.escape(self.content) if self.kind == 'l' and self.content else '-'))


def expect_tree(top):
    """Expectations of a source tree, by path."""
    found = {}

    def visit(path, name):
        st = os.lstat(path)
        kind = stat.S_IFMT(st.st_mode)
        content = None
        size = 0
        if kind == stat.S_IFREG:
            with open(path, 'rb') as handle:
                content = handle.read()
            size = len(content)
        elif kind == stat.S_IFLNK:
            content = os.fsencode(os.readlink(path))
            size = len(content)
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            size = os.major(st.st_rdev) << 8 | os.minor(st.st_rdev)
        found[name] = Expected(name, (st.st_mode, st.st_uid, st.st_gid, size), content)
        if kind == stat.S_IFDIR:
            for child in os.listdir(os.fsencode(path)):
                visit(os.path.join(os.fsencode(path), child), name.rstrip(b'/') + b'/' + child)

    visit(top, b'/')
    return found


def expect_nodes(root):
    """Expectations of a tree of ci.Node, by path."""
    found = {}

    def visit(node, path):
        content = None
        size = node.rdev
        if node.data is not None or stat.S_IFMT(node.mode) in (stat.S_IFREG, stat.S_IFLNK):
            content = node.data.content if node.data else b''
            size = len(content)
        found[path] = Expected(path, (node.mode, node.uid, node.gid, size), content)
        for name, child in node.children:
            name = name.encode() if isinstance(name, str) else name
            visit(child, path.rstrip(b'/') + b'/' + name)

    visit(root, b'/')
    return found


def mark_aliases(image, expected):
    """Find entries that share data but not attributes: the unmodified driver mixes them up."""
    seen = {}
    for entry in image.walk():
        if entry.has_data:
            seen.setdefault(entry.offset, set()).add((entry.mode, entry.uid, entry.gid))
    for entry in image.walk():
        if entry.has_data and len(seen[entry.offset]) > 1:
            expected[entry.path].alias = True


# Corner cases -----------------------------------------------------------------------------------

class Corner:
    """A small image: what it is, where it will be, what is expected of it."""

    def __init__(self, name, data, expected=None, device=None):
        self.name = name
        self.data = data
        self.expected = expected	# None: must not mount
        self.device = device or len(data)	# size of a disk with it
        self.offset = 0


def good(name, root, **how):
    """An image that must mount and be as described."""
    return Corner(name, ci.Builder(root, **how).build(), expect_nodes(root))


def sample_root():
    """A small tree with something of everything."""
    return ci.dir_node([
        ('deflated', ci.file_node(text(100, 3 * PAGE + 5))),
        ('link', ci.link_node(b'stored')),
        ('stored', ci.file_node(ci.Data(text(101, 3 * PAGE + 700), 'X'))),
        ('sub', ci.dir_node([('file', ci.file_node(b'in a directory\n'))])),
    ])


def mixed_root():
    """Every kind of block pointer after every other."""
    kinds = 'zsZSXh'
    order, state = 'h', random.Random(7)
    pairs = [a + b for a in kinds for b in kinds]
    state.shuffle(pairs)
    order = 'z' + ''.join(pairs)
    content = b''.join(bytes(PAGE) if k == 'h' else text(200 + n, PAGE)
                       for n, k in enumerate(order))
    files = [('all', ci.file_node(ci.Data(content + text(199, 321), order + 'z')))]
    for kind in 'zsZSXx':
        files.append(('end-%s' % ('upper-' + kind if kind.isupper() else kind),
                      ci.file_node(ci.Data(text(150 + ord(kind), PAGE + 1111), kind))))
    return ci.dir_node(sorted(files))


def alias_root():
    """Entries that share their data and nothing else."""
    shared = ci.Data(b'deflated')
    stored = ci.Data(text(300, 2 * PAGE + 10), 'X')
    listing = [('f', ci.file_node(b'f'))]
    return ci.dir_node([
        ('dir1', ci.dir_node(listing, 0o755)),
        ('file', ci.file_node(shared, 0o644)),
        ('link', ci.Node(stat.S_IFLNK | 0o777, 0, 0, shared)),
        ('private', ci.file_node(stored, 0o600, 1000, 100)),
        ('public', ci.file_node(stored, 0o644)),
        ('setuid', ci.file_node(stored, 0o4755)),
    ])


def attributes_corner():
    """Entries that share their data and differ in one attribute only. The image is so large that an
    inode number has 8 bits left for attributes: some of the numbers are the same."""
    shared = ci.Data(b'shared')
    root = ci.dir_node([
        ('gid', ci.dir_node([('%03d' % n, ci.file_node(shared, gid=n)) for n in range(256)])),
        ('mode', ci.dir_node([('%03d' % n, ci.file_node(shared, 15 * n)) for n in range(257)])),
        ('uid', ci.dir_node([('%03d' % n, ci.file_node(shared, uid=255 * n))
                             for n in range(257)])),
    ])
    data = bytearray(ci.Builder(root).build())
    data += bytes((1 << 24) + PAGE - len(data))
    ci.seal(data)
    return Corner('attributes', bytes(data), expect_nodes(root))


def dirs_root():
    """Entries in no order: the flag for sorted directories must be off."""
    names = ['n%d' % n for n in range(400)] + ['z', 'A', 'm', '_', '~', '0']
    random.Random(3).shuffle(names)
    return ci.dir_node([(n, ci.file_node(n.encode())) for n in names])


def holes_root():
    """Holes first, last, in the middle, alone, after each kind of block."""
    page, tail = text(400, PAGE), text(401, 50)
    return ci.dir_node([
        ('all', ci.file_node(ci.Data(bytes(3 * PAGE + 9), 'h'))),
        ('first', ci.file_node(ci.Data(bytes(PAGE) + page + tail, 'hz'))),
        ('last', ci.file_node(ci.Data(page + bytes(PAGE + 9), 'zh'))),
        ('middle', ci.file_node(ci.Data(page + bytes(PAGE) + page + tail, 'zhz'))),
        ('xip', ci.file_node(ci.Data(page + bytes(PAGE) + page + bytes(9), 'XhXh'))),
    ])


def special_root():
    """Types without data, odd names, an empty file and directory."""
    node = ci.Node
    return ci.dir_node([
        ('a b', ci.file_node(b'blank')),
        ('blk', node(stat.S_IFBLK | 0o660, 0, 6, rdev=8 << 8 | 17)),
        ('chr', node(stat.S_IFCHR | 0o620, 0, 5, rdev=4 << 8 | 64)),
        ('dir', ci.dir_node([], 0o1777, 1, 2)),
        ('fifo', node(stat.S_IFIFO | 0o600, 65535, 255)),
        ('file', ci.file_node(ci.Data(b''), 0o444, 3, 4)),
        ('n' * 252, ci.file_node(b'long')),
        ('sock', node(stat.S_IFSOCK | 0o755)),
    ])


def good_corners():
    """Images that mount."""
    page = text(500, PAGE)
    sample = sample_root()
    yield good('mixed', mixed_root())
    # The unmodified driver reads zeros from a stored last block of exactly one page.
    yield good('full', ci.dir_node([('one', ci.file_node(ci.Data(page, 'X'))),
                                    ('two', ci.file_node(ci.Data(text(501, 2 * PAGE), 'X')))]))
    yield good('holes', holes_root())
    yield good('alias', alias_root())
    yield attributes_corner()
    yield good('unsorted', dirs_root(), flags=ci.FSID_V2)
    yield good('special', special_root())
    yield good('v1', sample, flags=0)
    yield good('at512', sample, base=512)
    yield good('shifted', sample, root_offset=PAGE, flags=ci.FSID_V2 | ci.SHIFTED_ROOT)
    yield good('empty', ci.dir_node([]))
    yield good('scatter', ci.dir_node([
        ('back', ci.file_node(ci.Data(text(502, 6 * PAGE + 10), 'X', order=[6, 5, 4, 3, 2, 1, 0]))),
        ('same', ci.file_node(ci.Data(page * 3 + text(503, 5), 'X', same={1: 0, 2: 0})))]))
    yield good('poison', ci.dir_node([
        ('tail', ci.file_node(ci.Data(text(504, 2 * PAGE + 100), 'XXx')))]))
    signed = good('sig', sample, flags=ci.FSID_V2 | ci.WRONG_SIGNATURE)
    data = bytearray(signed.data)
    data[16:32] = b'Some other thing'
    ci.seal(data)
    yield Corner('sig', bytes(data), signed.expected)
    yield decayed_corner('decayed')
    yield decayed_corner('decayed512', base=512)
    # Ends in the middle of a page, on a disk that does, too.
    odd = good('odd', ci.dir_node([('last', ci.file_node(noise(505, PAGE + 900)))]), pad=False)
    odd.device = ci.align(len(odd.data), 512)
    yield odd


def patched(data, at, value, width=4):
    """DATA with a number in it changed."""
    out = bytearray(data)
    out[at:at + width] = value.to_bytes(width, 'little')
    return bytes(out)


def bad_corners():
    """Images that must be refused."""
    whole = ci.Builder(sample_root()).build()
    root = ci.ROOT_AT
    yield Corner('magic', patched(whole, 0, 0xdeadbeef))
    yield Corner('endian', ci.Builder(sample_root(), endian='>').build())
    yield Corner('endian512', ci.Builder(sample_root(), endian='>', base=512).build())
    yield Corner('flags', patched(whole, 8, 0x1000 | ci.FSID_V2))
    yield Corner('cut', whole[:-PAGE])
    yield Corner('beyond', patched(whole, 4, 0x7ffff000))
    yield Corner('short', patched(whole, 4, 40))
    yield Corner('rootfile', patched(whole, root, stat.S_IFREG | 0o644, 2))
    yield Corner('rootoff', patched(whole, root + 8, (128 // 4) << 6))
    yield Corner('tiny', whole[:64], device=512)


def hostile_corners():
    """Images that mount, or not, but whose contents must be refused."""
    first, second = text(600, 3 * PAGE), text(601, 2 * PAGE)
    files = [('ptr', ci.file_node(ci.Data(first, 'X'))), ('stream', ci.file_node(second)),
             ('table', ci.file_node(ci.Data(text(602, 50))))]
    files.insert(0, ('outside', ci.file_node(ci.Data(text(603, 3 * PAGE), 'X'))))
    root = ci.dir_node(files + [('up', ci.dir_node([('x', ci.file_node(b'x'))]))])
    data = ci.Builder(root).build()
    image = ci.Image(data)
    outside, ptr, stream, table = (image.find('/' + name) for name, _ in files)
    up = image.find('/up')
    # Block 1 lies beyond the image, block 2 is still good.
    data = patched(data, image.pointer_at(ptr, 1), ci.PTR_DIRECT | ci.PTR_STORED | 0x2000000)
    data = patched(data, image.block(stream, 0).offset + 20, 0, 40)
    data = patched(data, table.at + 8, 2 | 0x3f00000 << 6)
    # A directory that contains itself.
    data = patched(data, image.find('/up/x').at, up.mode, 2)
    data = patched(data, image.find('/up/x').at + 4, up.size)
    data = patched(data, image.find('/up/x').at + 8, 1 | (up.offset // 4) << 6)
    # The device has a page more than the image: one block is there, one reaches into it.
    end = len(data)
    for index, offset in ((0, end), (1, end - 64)):
        data = patched(data, image.pointer_at(outside, index),
                       ci.PTR_DIRECT | ci.PTR_STORED | offset >> 2)
    data = bytearray(data)
    ci.seal(data)
    yield Corner('hostile', bytes(data) + b'secret: ' * (PAGE // 8), {})
    # Inside and right after the inode of the second entry, and inside its name.
    for at in (6, 12, 14):
        yield torn_corner(at)
    yield cut_corner()
    yield twice_corner()
    yield names_corner()
    yield behind_corner()


def aimed(data, path, size, offset):
    """DATA with the inode at PATH changed to have SIZE bytes of data at OFFSET."""
    at = ci.Image(data).find(path).at
    data = patched(data, at + 4, size, 3)
    return patched(data, at + 8, data[at + 8] & 0x3f | (offset // 4) << 6)


def fenced(data, inside):
    """DATA, of which the image is only the first INSIDE bytes. A page of zeros goes after it."""
    image = bytearray(data[:inside])
    ci.seal(image)
    return bytes(image) + data[inside:] + bytes(PAGE)


def raw_entry(name, like):
    """A directory entry NAME with the data of the entry LIKE, as on disk."""
    name = ci.raw_name(name)
    return ci.Codec('<').put_inode(like.mode, like.uid, like.size, like.gid, len(name),
                                   like.offset) + name


def torn_corner(inside):
    """A directory of two entries that ends so many bytes into the second one."""
    root = ci.dir_node([('dir', ci.dir_node()), ('file', ci.file_node(b'in the image\n'))])
    data = ci.Builder(root).build()
    like, start = ci.Image(data).find('/file'), len(data)
    first, second = raw_entry('inside', like), raw_entry('secret', like)
    data = bytearray(aimed(data + first + second, '/dir', len(first) + inside, start))
    ci.seal(data)
    return Corner('torn-%d' % inside, bytes(data), {})


def cut_corner():
    """A directory of two entries; the image ends after the first one, and the device has both."""
    root = ci.dir_node([('dir', ci.dir_node()), ('file', ci.file_node(b'in the image\n'))])
    data = ci.Builder(root).build()
    like, start = ci.Image(data).find('/file'), len(data)
    first, second = raw_entry('inside', like), raw_entry('secret', like)
    data = aimed(data + first + second, '/dir', len(first + second), start)
    return Corner('cut-dir', fenced(data, start + len(first)), {})


def twice_corner():
    """Two entries that are one directory."""
    one = ci.dir_node([('file', ci.file_node(b'in both\n'))])
    root = ci.dir_node([('a', one), ('b', ci.dir_node([('file', ci.file_node(b'not seen\n'))]))])
    data = ci.Builder(root).build()
    first = ci.Image(data).find('/a')
    data = bytearray(aimed(data, '/b', first.size, first.offset))
    ci.seal(data)
    return Corner('twice', bytes(data), {})


def names_corner():
    """Directories of one entry, whose name no file can have."""
    names = {'dot': b'.\0\0\0', 'dots': b'..\0\0', 'empty': b'\0\0\0\0', 'good': b'x\0\0\0',
             'nul': b'x\0y\0', 'slash': b'x/y\0'}
    root = ci.dir_node([(name, ci.dir_node([('????', ci.file_node(b'?'))])) for name in names])
    data = bytearray(ci.Builder(root).build())
    image = ci.Image(bytes(data))
    for name, raw in names.items():
        at = image.find('/' + name + '/????').at + 12
        data[at:at + 4] = raw
    ci.seal(data)
    return Corner('names', bytes(data), {})


def decayed_corner(name, **how):
    """An image of which one byte, of no consequence, is not what it was when its CRC was taken."""
    root = sample_root()
    data = bytearray(ci.Builder(root, **how).build())
    data[-1] ^= 1
    return Corner(name, bytes(data), expect_nodes(root))


def behind_corner():
    """Data that begins after the end of the image, where the device goes on with what would be
    right; and a table of block pointers that ends after it."""
    root = ci.dir_node([
        ('dir', ci.dir_node()), ('file', ci.file_node(ci.Data(b'?'))),
        ('link', ci.link_node(b'?')),
        ('page', ci.file_node(ci.Data(text(604, PAGE), 'X'))),
        ('table', ci.file_node(ci.Data(b'?'))),
        ('target', ci.link_node(b'?')),
    ])
    data = ci.Builder(root).build()
    image, start = ci.Image(data), len(data)
    pointer = ci.Codec('<').put32(
        ci.PTR_DIRECT | ci.PTR_STORED | image.block(image.find('/page'), 0).offset >> 2)
    parts = {'table': pointer, 'end': pointer, 'file': pointer, 'link': pointer,
             'target': b'secret: ', 'dir': raw_entry('secret', image.find('/page'))}
    at, offset = {}, start
    for name, part in parts.items():
        at[name] = offset
        offset += len(part)
        data += part
    data = patched(data, image.pointer_at(image.find('/target'), 0),
                   ci.PTR_DIRECT | ci.PTR_STORED | at['target'] >> 2)
    data = aimed(data, '/dir', len(parts['dir']), at['dir'])
    data = aimed(data, '/file', PAGE, at['file'])
    data = aimed(data, '/link', 6, at['link'])
    data = aimed(data, '/table', 2 * PAGE, at['table'])
    data = patched(data, image.find('/target').at + 4, len(parts['target']), 3)
    return Corner('behind', fenced(data, at['end']), {})


def place(corners):
    """Lay the corner cases out in one blob, page-aligned; the blob."""
    blob = bytearray()
    for corner in corners:
        corner.offset = len(blob)
        blob += corner.data
        blob += bytes(-len(blob) % PAGE)
    return bytes(blob)


# Root images ------------------------------------------------------------------------------------

def run(*command):
    """Run a builder; its own messages only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(SELF + ': %s failed' % command[0])


def punch_file(data, path):
    """DATA with a page in the middle of each stored run of a file deflated."""
    image = ci.Image(data)
    entry = image.find(path)
    blocks = [b.letter for b in image.block_list(entry)]
    stored = [n for n, letter in enumerate(blocks) if letter == 'X']
    if len(stored) < 4:
        sys.exit(SELF + ': %s: not stored, nothing to punch' % path)
    return ci.punch(data, path, [stored[len(stored) // 2], stored[len(stored) // 2 + 1]])


def build_root(args, name, top, out):
    """Build the root image NAME."""
    if name == 'xip':
        run(args.mkcramfs, '-x', '-X', '-X', top, out)
    elif name == 'plain':
        run(args.mkcramfs, top, out)
    elif name == 'util-linux':
        run('mkfs.cramfs', top, out)
    elif name == 'punched':
        with open(out.replace('punched', 'xip'), 'rb') as handle:
            data = handle.read()
        libc = os.path.realpath(top + '/lib/arm-linux-gnueabihf/libc.so.6')[len(
            os.path.realpath(top)):]
        for path in (libc, '/bin/busybox', '/t/data/stored', '/t/data/mixed', '/t/bin/pages',
                     '/t/bin/test_proc'):
            data = punch_file(data, path)
        with open(out, 'wb') as handle:
            handle.write(data)


def section(name, fields, expected, image):
    """Text of one image's expectations."""
    lines = ['\t'.join(['image', name] + [str(f) for f in fields])]
    for path in sorted(expected):
        entry = expected[path]
        runs = '-'
        if image and entry.kind in 'fl':
            runs = image.runs(image.find(path))
        lines.append(entry.line(runs))
    return lines


def write_expect(out, name, expected, corners, tail):
    """The disk that tells the guest what to expect of root image NAME: text, then contents."""
    with open(os.path.join(out, name + '.img'), 'rb') as handle:
        image = ci.Image(handle.read())
    found = image.errors()
    if found:
        sys.exit(SELF + ': %s: %s' % (name, found[0]))
    mark_aliases(image, expected)
    blob = bytearray()
    for data_name in DATA_FILES:
        entry = expected[b'/t/data/' + data_name.encode()]
        entry.ref = len(blob)
        blob += entry.content + bytes(-len(entry.content) % PAGE)
    lines = section('root', ('root', 0, 0, image.size, image.files), expected, image)
    for corner in corners:
        inner = ci.Image(corner.data) if corner.expected else None
        state = 'bad' if corner.expected is None else 'ok'
        lines += section(corner.name, (state, corner.offset, tail + corner.offset,
                                       corner.device, 0),
                         corner.expected or {}, inner)
    lines.append('end')
    body = '\n'.join(lines).encode() + b'\n'
    start = ci.align(len(body) + 32, PAGE)
    head = ('cramfs-expect\t%010d\n' % start).encode()
    with open(os.path.join(out, name + '.expect'), 'wb') as handle:
        handle.write((head + body).ljust(start, b'\0') + blob)


def command_line(tail, corners):
    """Partitions of the flash: the root image, then the corner cases; one of these once more as a
    device that does not tell its physical address."""
    sizes = [(tail, 'xip')] + [(ci.align(len(c.data), PAGE), c.name) for c in corners]
    phram = next(c for c in corners if c.name == 'scatter')
    return 'mtdparts=4000000.flash:%s phram.phram=phram,%#x,%#x' % (
        ','.join('%dk(%s)' % (s // 1024, n) for s, n in sizes),
        FLASH_AT + tail + phram.offset, ci.align(len(phram.data), PAGE))


def main():
    """All outputs."""
    parser = argparse.ArgumentParser()
    for option in ('rootfs', 'programs', 'mkcramfs', 'out'):
        parser.add_argument('--' + option, required=True)
    parser.add_argument('images', nargs='+')
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    top = os.path.join(args.out, 'tree')
    make_tree(args, top)
    corners = list(good_corners()) + list(bad_corners()) + list(hostile_corners())
    blob = place(corners)
    with open(os.path.join(args.out, 'corners'), 'wb') as handle:
        handle.write(blob)
    for name in args.images:
        img = os.path.join(args.out, name + '.img')
        build_root(args, name, top, img)
        with open(img, 'rb') as handle:
            data = handle.read()
        data += bytes(-len(data) % PAGE)
        tail = len(data)
        with open(os.path.join(args.out, name + '.flash'), 'wb') as handle:
            handle.write(data + blob)
        write_expect(args.out, name, expect_tree(top), corners, tail)
        with open(os.path.join(args.out, name + '.cmdline'), 'w', encoding='ascii') as handle:
            handle.write(command_line(tail, corners) + '\n')


if __name__ == '__main__':
    main()
