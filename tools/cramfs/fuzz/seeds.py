#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Inputs that the fuzzers begin with: seeds.py MKCRAMFS DIRECTORY [TARGET...]

A directory for each target is made in DIRECTORY. All of it is made by programs, ours and others,
and is the same whenever it is made by the same ones, for the same user. The last byte of an input for
elf, flat and archive says which options mkcramfs gets; see the targets."""

import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../tests'))

from cramfs_image import (Builder, Data, EXT_POINTERS, FSID_V2, Node, PAGE, SORTED_DIRS, dir_node,
                          file_node, link_node)
from harness import (ALL_FORMS, FLAT_GOTPIC, FLAT_GZDATA, FLAT_GZIP, FLAT_RAM, R, W, X, bflt, elf,
                     noise, prose)

MTIME = 1700000000


class Seeds:
    """The directory of one target."""

    def __init__(self, top, target):
        self.dir = os.path.join(top, target)
        self.nr = 0
        os.makedirs(self.dir)

    def add(self, data, *tails):
        """DATA as an input; with TAILS, one for each of these bytes behind it."""
        for tail in tails or (None,):
            with open(os.path.join(self.dir, '%03d' % self.nr), 'wb') as f:
                f.write(data if tail is None else data + bytes((tail,)))
            self.nr += 1


class Tree:
    """A small directory for mkcramfs."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='cramfs-seeds.')
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, 'tree', name)

    def file(self, name, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'wb') as f:
            f.write(content)
        os.chmod(self.path(name), mode)

    def image(self, *command):
        """What COMMAND makes of the tree."""
        out = os.path.join(self.dir, 'image')
        subprocess.run((*command, os.path.join(self.dir, 'tree'), out), check=True,
                       stdout=subprocess.DEVNULL)
        with open(out, 'rb') as f:
            data = f.read()
        os.unlink(out)
        return data


def fill(t):
    """A little of everything that needs no rights."""
    t.file('text', prose(2 * PAGE + 100))
    t.file('d/noise', noise(300), 0o4755)
    t.file('d/e/same', prose(2 * PAGE + 100))
    t.file('d/e/page', noise(PAGE) + prose(10))
    t.file('holes', bytes(PAGE) + prose(PAGE, 1) + bytes(100))
    t.file('program', elf([(R | X, 0, PAGE + 100), (R | W, PAGE + 100, 500)], PAGE + 600), 0o755)
    t.file('empty', b'')
    os.mkdir(t.path('empty-dir'))
    os.symlink('d/e/page', t.path('link'))
    os.symlink('/etc/passwd', t.path('d/absolute'))
    os.mkfifo(t.path('d/fifo'), 0o600)


def images(seeds, mkcramfs):
    with Tree() as t:
        fill(t)
        made_images(seeds, t, mkcramfs)
    for endian in '<>':
        built_images(seeds, endian)


def made_images(seeds, t, mkcramfs):
    """What mkcramfs and its peer make."""
    for form in ALL_FORMS:
        for order in ('-L', '-B'):
            seeds.add(t.image(mkcramfs, '-q', order, *form.split()))
    table = os.path.join(t.dir, 'table')
    with open(table, 'w') as f:
        f.write('/dev d 755 0 0\n/dev/tty c 620 0 5 4 0 0 1 3\n/dev/hd b 660 1 2 3 1\n')
    seeds.add(t.image(mkcramfs, '-q', '-D', table))
    for options in ('-b 8192', '-b 65536 -U', '-x --no-share-blocks'):
        seeds.add(t.image(mkcramfs, '-q', *options.split()))
    seeds.add(t.image(mkcramfs, '-q', '-i', t.path('text')))
    peer = shutil.which('mkfs.cramfs', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if peer:
        # These have our user and group in them.
        for order in ('little', 'big'):
            seeds.add(t.image(peer, '-N', order, '-n', 'peer'))
            seeds.add(t.image(peer, '-N', order, '-p', '-z', '-e', '7'))


def built_images(seeds, endian):
    """What mkcramfs never makes, but others may."""
    def add(*children, **how):
        seeds.add(Builder(dir_node(children), endian, pad=False, **how).build())

    add()
    add(('f', file_node(prose(300))))
    for kinds in ('Z', 'S', 'X', 'x', 'zZ', 'sz', 'Zs', 'XZ'):
        add(('f', file_node(Data(noise(PAGE + 100), kinds))), flags=FSID_V2 | EXT_POINTERS)
    add(('f', file_node(Data(noise(300), 'Z'))), ('g', file_node(Data(noise(300), 'S'))))
    add(('f', file_node(Data(bytes(40 * PAGE), 'h'))))
    add(('f', file_node(Data(prose(PAGE) * 3, 'Z', same={1: 0, 2: 1}))))
    add(('b', file_node(b'1')), ('a', file_node(b'2')), flags=FSID_V2)
    add(('f', file_node(prose(300))), flags=0)
    add(('f', file_node(prose(300))), base=512)
    add(('f', file_node(prose(300))), root_offset=200, flags=FSID_V2 | 0x400)
    add(('l', link_node(b'../../outside')), ('m', link_node(b'x' * 4000)), ('o', link_node(b'l')))
    add(('c', Node(stat.S_IFCHR | 0o600, rdev=0x103)), ('b', Node(stat.S_IFBLK, rdev=0xffff)),
        ('p', Node(stat.S_IFIFO)), ('s', Node(stat.S_IFSOCK | 0o777)))
    # More than there is room for at first, in the catalogues of files and of blocks.
    add(*(('%d' % i, file_node(b'%d' % i)) for i in range(70)))
    add(('f', file_node(Data(prose(PAGE) * 1100, 'Z', same=dict.fromkeys(range(1, 1100), 0)))))
    # Room for blocks that are longer than any may be.
    add(('f', file_node(prose(300))), ('g', file_node(prose(PAGE))),
        ('h', file_node(Data(noise(34 * PAGE), 's'))), flags=FSID_V2 | EXT_POINTERS)
    # A path that is too long to be shown.
    deep = file_node(b'x')
    for i in range(20):
        deep = dir_node([('n' * 252, deep)])
    seeds.add(Builder(deep, endian, pad=False).build())
    deep = dir_node([('f', file_node(b'x'))])
    for i in range(20):
        deep = dir_node([('n' * (4 * i + 1), deep), ('o', dir_node())])
    seeds.add(Builder(deep, endian, pad=False).build())


# Options by the last byte: 0 -X, 1 -X -X, 2 and 3 rules; more in its upper bits.
IN_PLACE = (0, 1, 2, 3)


def programs(seeds):
    for bits in (32, 64):
        for endian in '<>':
            seeds.add(elf([(R | X, 0, PAGE + 100), (R | W, PAGE + 100, 500)], PAGE + 600, bits,
                          endian), *IN_PLACE)
    text = [(R | X, 0, PAGE)]
    seeds.add(elf(text, PAGE), *IN_PLACE)
    seeds.add(elf(text, PAGE, kind=2, osabi=65), *IN_PLACE)
    seeds.add(elf([(R | X, 0, 2 * PAGE), (R, 2 * PAGE, PAGE), (R | W, 3 * PAGE, 10)],
                  3 * PAGE + 10), *IN_PLACE)
    seeds.add(elf(text, PAGE + 10, skew=100), 0, 3)
    seeds.add(elf([(R | W, 0, PAGE)], PAGE, more=100), 0, 3)
    seeds.add(elf(text, 1000), 0)
    seeds.add(elf([(R, 0, 100), (0, 100, 100)], 300, 64), 0)
    seeds.add(elf([], 64, 64), 0)
    seeds.add(elf(text, PAGE, kind=1), 0)
    # The number of program headers is elsewhere if there are very many.
    many = bytearray(elf(text, PAGE, 64))
    many[56:58] = b'\xff\xff'
    many[40:48] = struct.pack('<Q', 200)
    many[58:62] = struct.pack('<HH', 64, 1)
    many[200:264] = struct.pack('<IIQQQQIIQQ', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0)
    seeds.add(bytes(many), 0, 2)
    compiled(seeds)


def compiled(seeds):
    """What the compiler and the linker of this machine make."""
    with tempfile.TemporaryDirectory() as work:
        source, program = os.path.join(work, 'a.s'), os.path.join(work, 'a')
        with open(source, 'w') as f:
            f.write('.globl _start\n.text\n_start: .skip 100, 1\n.section .rodata\n.skip 40, 2\n'
                    '.data\n.long _start\n.bss\n.skip 100\n')
        for flags in ('-static', '-shared -fPIC', '-c', '-static -Wl,-N'):
            if not subprocess.run(('cc', '-nostdlib', '-Wl,--build-id=none', '-s', *flags.split(),
                                   '-o', program, source), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL).returncode:
                with open(program, 'rb') as f:
                    seeds.add(f.read(), 1)


def flat_programs(seeds):
    seeds.add(bflt(PAGE + 100, 500), *IN_PLACE)
    seeds.add(bflt(100, 100), 0, 1)
    for flags in (0, FLAT_RAM, FLAT_GOTPIC, FLAT_GZIP, FLAT_GZDATA, FLAT_GZDATA | FLAT_GOTPIC):
        seeds.add(bflt(300, 200, flags=flags), 0)
    seeds.add(bflt(PAGE - 64, 200), 0, 2)
    seeds.add(bflt(300, 0, reloc_count=0), 0)
    # Text, or all of it, that ends with a block.
    seeds.add(bflt(PAGE - 64, 0, reloc_count=0, size=PAGE), 0, 2)
    seeds.add(bflt(PAGE - 64, PAGE - 8), 0)
    seeds.add(bflt(300, 100, places=(0, 4)), 0)
    seeds.add(bflt(300, 100, reloc_count=1000), 0)
    seeds.add(bflt(300, 100, rev=2), 0)
    seeds.add(bflt(300, 100, size=64), 0)
    seeds.add(bflt(300, 100, data_end=0x10000000, bss_end=0x0fffffff), 0)


def tables(seeds):
    seeds.add(b'/dev d 755 0 0 - - - - -\n/dev/tty c 620 0 5 4 0 0 1 4\n')
    seeds.add(b'# comment\n\n/dev\td\t0755\t0\t0\n/dev/mtd b 660 0 6 31 0 8 2 3\n')
    seeds.add(b'/program f 4755 1 1 - - - - -\n/dir d 700 65535 255\n/link l 777 0 0 a target \n')
    seeds.add(b'/dir f 644 0 0\n/program/x p 644 0 0\n/n b 600 0 0 1 1048576 0 1 2\n')
    seeds.add(b'/dir/fifo p 600 0 0\n/dir/new d 755 0 0\n/dir/new/x c 600 0 0 1 3 - - -\n')
    seeds.add(b'/dir/file c 600 0 0 255 255 0 0 1\n/ d 1777 0 0\n/link p 600 0 0\n')
    seeds.add(b'/nothing f 644 0 0\n/dir/../x d 755 0 0\nname\n/x y 8 0 0\n/dir c 1 2 3 4 5 6\n')
    seeds.add(b'/n c 600 0 0 1 0 9 1 300\n')


def rules(seeds):
    seeds.add(b'program text\n/dir/** all\n*.so text rodata data\n')
    seeds.add(b'program pages 0-1,3,5-\n"a name" none # comment\n**/file pages 0\n')
    seeds.add(b'/dir/program data\n\n# comment\n"\\"\\\\" text\n* none\n')
    seeds.add(b'a\nb none all\nc pages\nd pages 5-3\n"x\n""  text\ne pages 4096\n')


def sort(seeds):
    seeds.add(b'-5 program\n10 dir/file\n0 [glob] dir/*\n')
    seeds.add(b'7 [glob_no_path] *o*\n3 "a name"\n# comment\n2 [dont_compress,align] /file\n')
    seeds.add(b'9223372036854775807 link\n-9223372036854775807 [glob,glob] **\n')
    seeds.add(b'x\n1\n5 [\n6 [none] a\n7 "b\n8 "c" d\n99999999999999999999 e\n 4 [] [f\n')


def members():
    """(name, type, more) of a little of everything."""
    yield 'dir', tarfile.DIRTYPE, {}
    yield 'dir/file', tarfile.REGTYPE, {'data': prose(600)}
    yield './dir//other', tarfile.REGTYPE, {'data': noise(100), 'mode': 0o4755}
    yield 'dir/hard', tarfile.LNKTYPE, {'linkname': 'dir/file'}
    yield 'dir/soft', tarfile.SYMTYPE, {'linkname': '../dir/file'}
    yield 'dev/null', tarfile.CHRTYPE, {'devmajor': 1, 'devminor': 3}
    yield 'dev/disk', tarfile.BLKTYPE, {'devmajor': 8, 'devminor': 1}
    yield 'fifo', tarfile.FIFOTYPE, {}
    yield 'empty', tarfile.REGTYPE, {}
    yield 'n' * 150, tarfile.REGTYPE, {'data': b'x'}


def tar(kind, compression='', only=None, encoding='utf-8', **more):
    """An archive of these members; `only`: names of some of them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=kind, encoding=encoding, **more) as t:
        for name, entry_type, how in members():
            if only and name not in only or kind == tarfile.USTAR_FORMAT and len(name) > 100:
                continue
            info = tarfile.TarInfo(name)
            info.type = entry_type
            info.mode, info.mtime = how.get('mode', 0o644), MTIME
            data = how.get('data', b'')
            info.size = len(data)
            for field in ('linkname', 'devmajor', 'devminor'):
                setattr(info, field, how.get(field, getattr(info, field)))
            t.addfile(info, io.BytesIO(data))
    data = out.getvalue()
    # Two blocks end it; tarfile fills a tape's.
    data = data.rstrip(b'\0')
    data += bytes(-len(data) % 512) + bytes(1024)
    return packed(data, compression)


def packed(data, compression):
    if compression == 'gz':
        return subprocess.run(('gzip', '-nc'), input=data, stdout=subprocess.PIPE,
                              check=True).stdout
    if compression == 'xz':
        return subprocess.run(('xz', '-c'), input=data, stdout=subprocess.PIPE,
                              check=True).stdout
    return data


def cpio(crc=False):
    """Of an initramfs."""
    out = b''
    entries = [('dir', stat.S_IFDIR | 0o755, b'', 2), ('dir/file', stat.S_IFREG | 0o644, b'', 2),
               ('dir/hard', stat.S_IFREG | 0o644, prose(50), 2),
               ('soft', stat.S_IFLNK | 0o777, b'dir/file', 1),
               ('null', stat.S_IFCHR | 0o600, b'', 1), ('TRAILER!!!', 0, b'', 1)]
    for number, (name, mode, data, nlink) in enumerate(entries):
        inode = 9 if name.startswith('dir/') else number
        fields = (inode, mode, 0, 0, nlink, MTIME, len(data), 0, 0, 1, 3, len(name) + 1,
                  sum(data) if crc else 0)
        head = (b'070702' if crc else b'070701') + b''.join(b'%08x' % f for f in fields)
        head += name.encode() + b'\0'
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    return out


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, mode, data in (('dir/', stat.S_IFDIR | 0o755, b''),
                                 ('dir/file', stat.S_IFREG | 0o600, prose(300)),
                                 ('link', stat.S_IFLNK | 0o777, b'dir/file')):
            info = zipfile.ZipInfo(name, (2023, 11, 14, 0, 0, 0))
            info.external_attr = mode << 16
            info.create_system = 3
            z.writestr(info, data)
    return out.getvalue()


def archives(seeds):
    few = ('dir/file', 'dir/hard', 'dir/soft')
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        seeds.add(tar(kind), 0, 4)
        seeds.add(tar(kind, only=few), 0, 1)
    headers = {'comment': 'x', 'SCHILY.xattr.user.a': 'b', 'uid': '70000'}
    seeds.add(tar(tarfile.PAX_FORMAT, only=few, pax_headers=headers), 0, 2)
    seeds.add(tar(tarfile.GNU_FORMAT, 'gz', few), 0)
    seeds.add(tar(tarfile.GNU_FORMAT, 'xz', few), 0)
    seeds.add(packed(tar(tarfile.USTAR_FORMAT, only=few), 'gz') * 2, 1)
    small = tar(tarfile.GNU_FORMAT, only=few[:1])
    for compression in ('gz', 'xz'):
        seeds.add(packed(small, compression) + bytes(200), 0)
        seeds.add(packed(small, compression) + b'more', 0)
        seeds.add(packed(packed(small, compression), compression), 0)
    seeds.add(b'begin 644 a\n#86)C\n`\nend\n', 0)
    seeds.add(b'', 0)
    seeds.add(tar(tarfile.USTAR_FORMAT, only=few) * 2, 0, 1)
    sparse_files(seeds)
    seeds.add(cpio(), 0)
    seeds.add(cpio(True), 0)
    seeds.add(cpio() + bytes(100), 0)
    seeds.add(cpio() + b'more', 0)
    seeds.add(zipped(), 0)
    seeds.add(b'!<arch>\n' + b'%-16s%-12d%-6d%-6d%-8o%-10d`\n' % (b'a/', 0, 0, 0, 0o100644, 4) +
              b'data', 0)


def sparse_files(seeds):
    """GNU tar's, of which there is more than one kind; those in extended headers have the number of
    its process in them, so these are made here."""
    whole, parts = 9 * PAGE, ((0, prose(600)), (5 * PAGE, b'x'))
    data = b''.join(part for _, part in parts)
    blocks = [str(n) for at, part in parts for n in (at, len(part))]
    old = {'GNU.sparse.size': str(whole), 'GNU.sparse.numblocks': '2',
           'GNU.sparse.map': ','.join(blocks), 'GNU.sparse.name': 'sparse'}
    new = {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'sparse',
           'GNU.sparse.realsize': str(whole)}
    table = '\n'.join(['2'] + blocks + ['']).encode()
    for headers, content in ((old, data), (new, table.ljust(512, b'\0') + data)):
        info = tarfile.TarInfo('x')
        info.mtime, info.size, info.pax_headers = MTIME, len(content), headers
        packed_info = info.tobuf(tarfile.PAX_FORMAT)
        seeds.add(packed_info + content + bytes(-len(content) % 512 + 1024), 0)
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, 'sparse'), 'wb') as f:
            for at, part in parts:
                f.seek(at)
                f.write(part)
            f.truncate(whole)
        out = subprocess.run(('tar', '-C', work, '-cSf', '-', '-b1', '--mtime=@%d' % MTIME,
                              '--hole-detection=raw', '--owner=0', '--group=0', '--mode=644',
                              '--format=gnu', 'sparse'), stdout=subprocess.PIPE, check=True)
        seeds.add(out.stdout, 0)


TARGETS = {'fsck': images, 'elf': programs, 'flat': flat_programs, 'devtable': tables,
           'archive': archives, 'rules': rules, 'sort': sort}


def main():
    if len(sys.argv) < 3 or set(sys.argv[3:]) - set(TARGETS):
        sys.exit(__doc__)
    mkcramfs, top = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.umask(0o22)
    for target in sys.argv[3:] or TARGETS:
        seeds = Seeds(top, target)
        TARGETS[target](*((seeds, mkcramfs) if target == 'fsck' else (seeds,)))


if __name__ == '__main__':
    main()
