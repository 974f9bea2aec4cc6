#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make a tree of many small and odd files, the same at every run: trees.py DIRECTORY [FILES [PART..]]

For measuring builders of images (scripts/bench-tools.sh, 20,000 files) and for tests (a few). FILES
says how many small files there are; the other parts do not depend on it. Everything is made without
being root; device nodes, and entries of other owners, are made where it is possible. Names are of
252 bytes at most, and files smaller than 16 MiB, so that every builder can put them into an image.
"""

import os
import random
import socket
import stat
import sys

PAGE = 4096
MTIME = 1700000000		# of everything


def small(top, files, rng):
    """Half of the files in one directory, each unlike the others; half in a hundred directories, most
    of these the same as one elsewhere but for their names."""
    for n in range(files // 2):
        write(top, 'f%05d' % n, rng.randbytes(rng.randint(1, 60)).hex().encode())
    for n in range(files // 2, files):
        directory = os.path.join(top, 'd%02d' % (n % 100))
        os.makedirs(directory, exist_ok=True)
        write(directory, 'g%05d' % n, b'%d %d\n' % (n % 100, n // 200))


def copies(top, _files, rng):
    """Large files many times over, in whole and in their blocks."""
    mixed = rng.randbytes(50000) + b'text ' * 10000
    halves = b''.join(rng.randbytes(1000) + b'A' * 3000 for _ in range(500))
    for n in range(50):
        write(top, 'whole%02d' % n, mixed)
    for n in range(20):
        write(top, 'tail%02d' % n, mixed + b'%d' % n)
    for n in range(10):
        write(top, 'large%d' % n, halves)


def sparse(top, _files, rng):
    """Large files that are nearly nothing but holes."""
    noise = rng.randbytes(2 * PAGE + 99)
    write_parts(top, '8m', 8 << 20, ((0, b'start' * 2000), (4 << 20, noise),
                                     ((8 << 20) - 100, b'e' * 100)))
    write_parts(top, '1m', 1 << 20, ())


def holes(top, _files, rng):
    """Files with holes first, last, in the middle, and nothing else."""
    noise = rng.randbytes(PAGE)
    for name, size, parts in (
            ('all4096', PAGE, ()), ('all8192', 2 * PAGE, ()), ('all5000', 5000, ()),
            ('last-full', 4 * PAGE, ((0, noise),)), ('last-part', 15000, ((0, noise),)),
            ('first', 4 * PAGE, ((3 * PAGE, noise),)),
            ('middle', 5 * PAGE + 7, ((0, noise), (3 * PAGE, noise * 2)))):
        write_parts(top, name, size, parts)


def links(top, _files, _rng):
    """Symbolic links of all lengths, and hard ones."""
    for name, target in (('absolute', '/bin/busybox'), ('relative', '../sizes/noise4096'),
                         ('dangling', 'nowhere'), ('one', 'x'), ('page', 'd/' * 2000 + 'end'),
                         ('longest', 'q' * 4095)):
        os.symlink(target, os.path.join(top, name))
    write(top, 'hard1', b'one file, two names\n')
    os.link(os.path.join(top, 'hard1'), os.path.join(top, 'hard2'))


def nodes(top, _files, _rng):
    """A FIFO, a socket, and devices, for which one has to be root or under fakeroot."""
    os.mkfifo(os.path.join(top, 'fifo'), 0o620)
    here = os.getcwd()
    try:
        os.chdir(top)		# the path of a socket is short
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind('socket')
    finally:
        os.chdir(here)
    for name, kind, major, minor in (('null', stat.S_IFCHR, 1, 3), ('disk', stat.S_IFBLK, 8, 1),
                                     ('last', stat.S_IFCHR, 255, 255)):
        try:
            os.mknod(os.path.join(top, name), kind | 0o640, os.makedev(major, minor))
        except PermissionError:
            pass


def names(top, _files, _rng):
    """Names of every length modulo four, the longest, and characters that scripts trip over."""
    odd = ['caf\u00e9', '\u65e5\u672c\u8a9e', b'latin1-\xe9\xff', b'\xff', b'\x01control', b'new\nline',
           b' space ', b'-dash', b'"quote\'', b'back\\slash', b'tab\t', b'.hidden', b'...', b'*',
           b'%s%n', b'$(x)', b'[a]', b'A', b'a-', b'a.', b'\x7f', '\u00e9' * 126]
    odd += [b'n' * length for length in (1, 2, 3, 4, 5, 63, 64, 65, 249, 250, 251, 252)]
    for number, name in enumerate(odd):
        write(top, name, b'name %d\n' % number)


def sizes(top, _files, rng):
    """Sizes around those of blocks, of contents that compress and that do not."""
    for size in (0, 1, 3, 4, 5, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 40001):
        write(top, 'noise%d' % size, rng.randbytes(size))
        write(top, 'words%d' % size, (b'some words that compress %d ' % size * (size // 20 + 1))[:size])


def large(top, _files, rng):
    """The largest file that an image can hold."""
    size = (1 << 24) - 1
    words = b''.join(b'the quick brown fox %d ' % n for n in range(400000))
    write(top, 'largest', (rng.randbytes(size // 2) + words)[:size])


def deep(top, _files, _rng):
    """Directories in directories, full and empty ones."""
    os.makedirs(os.path.join(top, 'empty', 'empty'))
    for n in range(60):
        top = os.path.join(top, 'l%02d' % n)
        os.mkdir(top)
    write(top, 'end', b'deep\n')


def modes(top, _files, _rng):
    """One content under many modes and, where it is possible, owners."""
    for n, mode in enumerate((0o400, 0o444, 0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o6711, 0o7777)):
        path = write(top, '%04o' % mode, b'content of all\n' * 300)
        try:
            os.chown(path, 1000 * n, 10 * n)
        except PermissionError:
            pass
        os.chmod(path, mode)
    os.mkdir(os.path.join(top, 'sticky'))
    os.chmod(os.path.join(top, 'sticky'), 0o1777)


PARTS = {part.__name__: part for part in (small, copies, sparse, holes, links, nodes, names, sizes, large,
                                          deep, modes)}


def write(top, name, content):
    """A file; its path."""
    path = os.path.join(os.fsencode(top), os.fsencode(name))
    with open(path, 'wb') as handle:
        handle.write(content)
    return path


def write_parts(top, name, size, parts):
    """A file of SIZE bytes with these parts, (offset, bytes), and holes elsewhere."""
    with open(os.path.join(top, name), 'wb') as handle:
        for at, content in parts:
            handle.seek(at)
            handle.write(content)
        handle.truncate(size)


def make(top, files=20000, parts=tuple(PARTS)):
    """Fill the directory TOP, which may be there, with these parts."""
    mask = os.umask(0o022)
    try:
        for name in parts:
            os.makedirs(os.path.join(top, name))
            # Each part is the same whichever others there are.
            PARTS[name](os.path.join(top, name), files, random.Random(name))
    finally:
        os.umask(mask)
    for path, dirs, entries in os.walk(os.fsencode(top), topdown=False):
        for name in dirs + entries:
            os.utime(os.path.join(path, name), (MTIME, MTIME), follow_symlinks=False)
    os.utime(top, (MTIME, MTIME))


def main():
    """Command line."""
    if len(sys.argv) < 2 or not set(sys.argv[3:]) <= set(PARTS):
        sys.exit('usage: trees.py DIRECTORY [FILES [PART..]]; parts: ' + ' '.join(PARTS))
    make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000, sys.argv[3:] or tuple(PARTS))


if __name__ == '__main__':
    main()
