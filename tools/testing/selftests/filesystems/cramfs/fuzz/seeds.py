#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the images that the fuzzer starts from: small ones, of every kind that builders make, and of
kinds that only a hand makes.

Runs under fakeroot, for owners and device nodes. The same programs make the same images, whoever
runs them. Images that are called good have to be accepted by the driver, with all that is in them;
what becomes of hostile ones is for corpus.c and walk.c to say. Among these are those that an error
was found with once.

Output: OUT, for corpus.c: a line with the number of images, then for each a line with its name, its
kind and its length, and the image.
"""

import argparse
import concurrent.futures
import os
import shutil
import stat
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import guest_images as gi	# noqa: E402
import cramfs_image as ci	# noqa: E402 (guest_images knows where)

PAGE = ci.PAGE
MAX_LEN = 384 * 1024		# three quarters of the room that corpus.c has


# Trees -------------------------------------------------------------------------------------------

def programs_tree(top):
    """What is executed in place, and what is beside it."""
    gi.put(top + '/text', gi.elf(1, 5 * PAGE + 1234), 0o755)
    gi.put(top + '/both', gi.elf(2, 3 * PAGE, PAGE + 99), 0o4755, 1, 2)
    gi.put(top + '/page', gi.elf(3, PAGE), 0o755)
    gi.put(top + '/script', b'#!/bin/sh\n' + gi.text(4, PAGE + 17))
    gi.put(top + '/noise', gi.noise(5, 2 * PAGE + 1))
    holed = bytearray(gi.elf(6, 5 * PAGE + 10))
    holed[PAGE:2 * PAGE] = bytes(PAGE)
    holed[3 * PAGE:4 * PAGE] = bytes(PAGE)
    gi.put(top + '/holed', holed, 0o755)
    # Byte for byte the same, with other attributes.
    gi.put(top + '/twin', gi.elf(1, 5 * PAGE + 1234), 0o700, 5)
    gi.put(top + '/repeated', gi.text(7, PAGE) * 3)


def files_tree(top):
    """Sizes around those of blocks, holes, links, nodes, modes."""
    for size in (0, 1, 3, 4, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE - 4):
        gi.put(top + '/size%d' % size, gi.text(20 + size, size))
    gi.put(top + '/hole', bytes(3 * PAGE))
    gi.put(top + '/holes', bytes(PAGE) + gi.text(30, PAGE) + bytes(2 * PAGE) + b'end')
    os.symlink('x', top + '/link')
    os.symlink('q/' * 2000, top + '/longlink')
    gi.add_nodes(top + '/nodes')
    gi.add_attributes(top + '/attributes')


def names_tree(top):
    """Names of all lengths, directories of all sizes."""
    gi.add_names(top + '/names')
    os.makedirs(top + '/' + '/'.join('d%d' % n for n in range(30)))
    os.mkdir(top + '/empty')
    os.mkdir(top + '/many')
    for n in range(150):
        gi.put(top + '/many/%d%s' % (n, 'e' * (n % 29)), b'%d' % (n % 9))


TREES = {'programs': programs_tree, 'files': files_tree, 'names': names_tree}
FILES = {'boot': b'boot code\n' * 70, 'order': b'-5 /script\n7 /text\n',
         'rules': b'/t* text\n/noise all\n/both pages 1\n'}
MKCRAMFS = {
    'programs': ('', '-x', '-X', '-X -X', '-U', '-X -U', '-X -X -p', '-U -p -i @boot', '--no-holes',
                 '-X -X --no-share-blocks', '--xip-rules @rules', '-X -X --sort @order'),
    'files': ('', '-x', '-X -X', '-U', '-p', '-x -p', '--no-holes', '-i @boot', '-l 1', '-l 12',
              '-U --no-holes', '-e 7 -n sixteen-bytes-xx', '--compat util-linux',
              '--compat util-linux -z -p'),
    'names': ('', '-x -p', '-U', '-b 4096'),
}
MKFS_CRAMFS = ('', '-z', '-p', '-z -p -n name -e 3')


def run(command):
    """Run a builder. It has to succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit('seeds.py: %s: %s' % (' '.join(command), done.stdout.decode(errors='replace')))


def build(scratch, command, tree):
    """The image that a builder makes of a tree."""
    words = [os.path.join(scratch, word[1:]) if word[0] == '@' else word for word in command]
    handle, out = tempfile.mkstemp(dir=scratch)
    os.close(handle)
    run(words + [os.path.join(scratch, tree), out])
    with open(out, 'rb') as handle:
        data = handle.read()
    os.remove(out)
    return data


def built_seeds(mkcramfs, scratch):
    """(name, kind, image) of those that builders make."""
    todo = []
    for name, content in FILES.items():
        gi.put(os.path.join(scratch, name), content)
    for tree, make in TREES.items():
        top = os.path.join(scratch, tree)
        os.mkdir(top)
        make(top)
        os.chmod(top, 0o755)
        for options in MKCRAMFS[tree]:
            todo.append(('%s%s' % (tree, options), [mkcramfs, '-L'] + options.split(), tree))
        for options in MKFS_CRAMFS:
            todo.append(('%s-ul%s' % (tree, options), ['mkfs.cramfs', '-N', 'little'] +
                         options.split(), tree))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        images = pool.map(lambda job: build(scratch, *job[1:]), todo)
        for (name, _, _), data in zip(todo, images):
            yield name.replace(' ', '').replace('@', '='), 'good', data


# By hand -----------------------------------------------------------------------------------------

def aim(data, path, like):
    """DATA with the entry at PATH having type, size and data of the entry LIKE."""
    image = ci.Image(data)
    to, source = image.find(path), image.find(like)
    name_len = image.codec.inode(data, to.at)[4]
    new = image.codec.put_inode(source.mode, to.uid, source.size, to.gid, name_len, source.offset)
    out = bytearray(data)
    out[to.at:to.at + 12] = new
    ci.seal(out, image.base)
    return bytes(out)


def pointed(data, path, index, ptr):
    """DATA with another block pointer."""
    image = ci.Image(data)
    out = bytearray(gi.patched(data, image.pointer_at(image.find(path), index), ptr))
    ci.seal(out, image.base)
    return bytes(out)


def direct(offset, stored=True):
    """A pointer to the beginning of a block."""
    return ci.PTR_DIRECT | (ci.PTR_STORED if stored else 0) | offset >> 2


def dirs_root():
    """Directories in directories, and files."""
    leaf = ci.dir_node([('f', ci.file_node(b'file in a leaf'))])
    return ci.dir_node([
        ('a', ci.dir_node([('b', ci.dir_node([('c', leaf), ('x', ci.dir_node())])),
                           ('y', ci.dir_node())])),
        ('z', ci.file_node(gi.text(40, PAGE + 3))),
    ])


def directory_seeds():
    """Directories in more than one place."""
    data = ci.Builder(dirs_root()).build()
    yield 'dir-in-itself', aim(data, '/a/b/x', '/a/b')
    yield 'dir-in-its-child', aim(data, '/a/b/x', '/a')
    yield 'root-in-root', aim(data, '/a/y', '/')
    yield 'dir-shared', aim(data, '/a/y', '/a/b/c')
    yield 'dirs-in-each-other', aim(aim(data, '/a/y', '/a/b'), '/a/b/x', '/a')
    yield 'dir-as-file', gi.patched(data, ci.Image(data).find('/a/b').at, stat.S_IFREG | 0o644, 2)
    yield 'file-as-dir', gi.patched(data, ci.Image(data).find('/z').at, stat.S_IFDIR | 0o755, 2)
    node = ci.dir_node()
    for n in range(200):
        node = ci.dir_node([('%d' % n, node)])
    yield 'deep', ci.Builder(node).build()
    names = [('a' * 252, ci.file_node(b'1')), ('a', ci.file_node(b'2')), ('a', ci.dir_node()),
             ('.a', ci.file_node(b'3'))]
    yield 'names-twice', ci.Builder(ci.dir_node(names)).build()
    yield 'names-dots', ci.Builder(ci.dir_node([
        ('..', ci.dir_node()), ('.', ci.dir_node()), ('x', ci.file_node(b'x'))])).build()
    yield 'names-odd', ci.Builder(ci.dir_node([
        ('ok', ci.file_node(b'1')), ('a/b', ci.file_node(b'2')), (b'n\0u', ci.file_node(b'3')),
        ('', ci.file_node(b'4')), ('z', ci.file_node(b'5'))])).build()


def table_seeds():
    """Tables of block pointers over each other, and over other things."""
    text = [gi.text(50 + n, 4 * PAGE + 40) for n in range(3)]
    root = ci.dir_node([('a', ci.file_node(ci.Data(text[0], 'X'))),
                        ('b', ci.file_node(ci.Data(text[1], 'Z'))),
                        ('c', ci.file_node(ci.Data(text[2], 'z')))])
    data = ci.Builder(root).build()
    image = ci.Image(data)
    a, b = image.find('/a'), image.find('/b')
    yield 'table-over-table', gi.aimed(data, '/b', 3 * PAGE, a.offset + 4)
    yield 'table-is-data', gi.aimed(data, '/c', 5 * PAGE, b.offset)
    yield 'table-in-directory', gi.aimed(data, '/c', 8 * PAGE, image.root.offset)
    yield 'table-in-superblock', gi.aimed(data, '/c', 18 * PAGE, 4)
    yield 'table-at-end', gi.aimed(data, '/c', PAGE, len(data) - 4)
    yield 'table-over-end', gi.aimed(data, '/c', 2 * PAGE, len(data) - 4)
    yield 'block-is-table', pointed(data, '/a', 1, direct(a.offset))
    yield 'block-is-superblock', pointed(data, '/a', 1, direct(0))


def end_seeds():
    """Blocks at the end of the image, and around it."""
    text = gi.text(60, 3 * PAGE + 100)
    data = ci.Builder(ci.dir_node([('a', ci.file_node(ci.Data(text, 'X'))),
                                   ('b', ci.file_node(ci.Data(text, 'S')))])).build()
    end = len(data)
    for name, offset in (('last', end - PAGE), ('over', end - PAGE + 4), ('at', end),
                         ('after', end + PAGE), ('farthest', 0xfffffffc)):
        for stored in (True, False):
            yield ('end-%s-%s' % (name, 'stored' if stored else 'deflated'),
                   pointed(data, '/a', 1, direct(offset, stored)))
    # The last block of a file, of which there is as much as the file has, and less.
    for rest in (100, 96):
        cut = bytearray(data + text[-100:][:rest])
        cut = bytearray(gi.patched(cut, ci.Image(data).pointer_at(ci.Image(data).find('/a'), 3),
                                   direct(end)))
        ci.seal(cut)
        yield 'end-with-%d-of-100' % rest, bytes(cut)
    yield 'end-before-start', pointed(data, '/b', 2, 100)
    yield 'end-farthest', pointed(data, '/b', 2, 0x3fffffff)


def tail_seeds():
    """Last pages, with what is another's after their contents."""
    files = [('clean', ci.file_node(ci.Data(gi.text(70, 2 * PAGE + 9), 'X'))),
             ('other', ci.file_node(ci.Data(gi.text(71, 2 * PAGE + 9), 'x'))),
             ('single', ci.file_node(ci.Data(b'!', 'x'))),
             ('tail', ci.file_node(ci.Data(gi.text(72, PAGE + 4000), 'x')))]
    yield 'tail', ci.Builder(ci.dir_node(files)).build()
    files.append(('zlast', ci.file_node(gi.text(73, 99))))
    yield 'unpadded', ci.Builder(ci.dir_node(files), pad=False).build()


def chain_seeds():
    """Blocks that begin where those before them end, of all kinds."""
    kinds = 'zsZSXh'
    for n, first in enumerate(kinds):
        order = ''.join(first + second for second in kinds)
        content = b''.join(bytes(PAGE) if k == 'h' else gi.text(80 + 20 * n + m, PAGE)
                           for m, k in enumerate(order))
        yield 'chain-%d' % n, ci.Builder(ci.dir_node([
            ('all', ci.file_node(ci.Data(content + b'the end', order + first)))])).build() \
            if first != 'h' else ci.Builder(ci.dir_node([
                ('all', ci.file_node(ci.Data(content, order)))])).build()


def other_good_seeds():
    """What else there is."""
    yield 'largest', ci.Builder(ci.dir_node([
        ('all', ci.file_node(ci.Data(bytes((1 << 24) - 1), 'h')))])).build()
    yield 'links', ci.Builder(ci.dir_node([
        ('l%04d' % n, ci.link_node(b'x' * n)) for n in (1, 2, 3, 4, 100, PAGE - 1)])).build()
    yield 'shared', ci.Builder(gi.alias_root()).build()
    yield from chain_seeds()
    yield from tail_seeds()


def hand_made_seeds():
    """(name, kind, image) of those that no builder makes."""
    for name, data in other_good_seeds():
        for error in ci.Image(data).errors():
            sys.exit('seeds.py: %s: %s' % (name, error))
        yield name, 'good', data
    for corner in gi.good_corners():
        # That one has a file of the largest size.
        if corner.name != 'attributes':
            yield 'corner-' + corner.name, 'good', corner.data
    for corner in list(gi.bad_corners()) + list(gi.hostile_corners()):
        yield 'corner-' + corner.name, 'hostile', corner.data
    for make in (directory_seeds, table_seeds, end_seeds):
        for name, data in make():
            yield name, 'hostile', data


# Errors of once ----------------------------------------------------------------------------------

def outside_alias():
    """Entries whose data are outside of the image, each at the place of /a but for a bit. The driver
    once gave the inode of /a for one, if it had that already: their numbers were the same."""
    bits = range(13, 28)
    data = ci.Builder(ci.dir_node([('a', ci.file_node(b'1'))] + [
        ('b%d' % bit, ci.file_node(b'1')) for bit in bits])).build()
    inside = ci.Image(data).find('/a').offset
    for bit in bits:
        data = gi.aimed(data, '/b%d' % bit, 1, inside | 1 << bit)
    return data


def regressions():
    """(name, kind, image) of those that an error of the driver was found with."""
    yield 'outside-alias', 'hostile', outside_alias()


def main():
    """Command line."""
    parser = argparse.ArgumentParser()
    for option in ('mkcramfs', 'out'):
        parser.add_argument('--' + option, required=True)
    args = parser.parse_args()
    os.umask(0o022)
    scratch = tempfile.mkdtemp(prefix='seeds-')
    try:
        seeds = list(hand_made_seeds()) + list(regressions()) + list(
            built_seeds(args.mkcramfs, scratch))
    finally:
        shutil.rmtree(scratch)
    for name, _, data in seeds:
        if not 0 < len(data) <= MAX_LEN:
            sys.exit('seeds.py: %s: %d bytes, must be %d at most' % (name, len(data), MAX_LEN))
    with open(args.out, 'wb') as handle:
        handle.write(b'cramfs-seeds %d\n' % len(seeds))
        for name, kind, data in seeds:
            handle.write(b'%s %s %d\n' % (name.encode(), kind.encode(), len(data)) + data)
    print('%d seeds of %d bytes' % (len(seeds), sum(len(data) for _, _, data in seeds)))


if __name__ == '__main__':
    main()
