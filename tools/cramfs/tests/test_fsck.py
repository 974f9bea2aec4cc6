# SPDX-License-Identifier: GPL-2.0-only
"""fsck.cramfs. Good images come from mkcramfs, from util-linux's mkfs.cramfs, and from the builder
of cramfs_image.py; bad ones are the builder's, with one thing changed. Each rule of the format has
a test that wants its message and exit status."""

import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import zlib

import harness
from cramfs_image import (Builder, Codec, Data, EXT_POINTERS, FSID_V2, HOLES, Image, Node, PAGE,
                          PTR_DIRECT, PTR_STORED, SHIFTED_ROOT, SORTED_DIRS, SUPER_LEN,
                          WRONG_SIGNATURE, dir_node, file_node, link_node, seal)
from harness import (ALL_FORMS, NOBODY, ROOT, Skip, contains, equal, nasty_tree, noise, prose, test,
                     test_each)

BOTH = ('<', '>')
OK, BAD, ERROR, USAGE = 0, 4, 8, 16

# Fields of the superblock
SIZE, FLAGS, FUTURE, SIGNATURE, CRC, BLOCKS, FILES = 4, 8, 12, 16, 32, 40, 44


def is_sanitized():
    with open(os.path.join(harness.TOOLS, 'mkcramfs'), 'rb') as tool:
        return b'__asan_init' in tool.read()


def limits(megabytes, seconds=30):
    """For preexec_fn: memory that must do, and a time after which something hangs."""
    def set_limits():
        if not is_sanitized():
            # Libraries, of whatever size, are not counted.
            resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    return set_limits


def check(box, data, *args, tool='fsck.cramfs', **more):
    """Run fsck.cramfs on an image."""
    box.write('image', bytes(data))
    return box.run(*args, box.image_path, tool=tool, **more)


def sound(box, data, *args, **more):
    """fsck.cramfs must have nothing to say of an image."""
    res = check(box, data, *args, **more)
    equal((res.status, res.out, res.err), (OK, '', ''), 'fsck.cramfs')


def wrong(box, data, message, status=BAD, *args, **more):
    """fsck.cramfs must find an error, in one line that says MESSAGE."""
    res = check(box, data, *args, **more)
    equal(res.status, status, 'exit status (%r)' % res.err)
    if not any(line.startswith('fsck.cramfs: ') and message in line and 'warning: ' not in line
               for line in res.err.splitlines()):
        raise AssertionError('%r is not in %r' % (message, res.err))
    return res


def only_wrong(box, data, message, *args, **more):
    """The same, and there must be no other message."""
    res = wrong(box, data, message, BAD, *args, **more)
    equal(len(res.err.splitlines()), 1, res.err)


def doubtful(box, data, message, *args, **more):
    """fsck.cramfs must warn, and find no error."""
    res = check(box, data, *args, **more)
    equal(res.status, OK, 'exit status (%r)' % res.err)
    equal(len(res.err.splitlines()), 1, res.err)
    contains(res.err, 'fsck.cramfs: warning: ')
    contains(res.err, message)


TEXT = prose(3 * PAGE + 100)


def sample(endian='<', **how):
    """An image with something of everything."""
    return bytearray(Builder(dir_node([
        ('a', file_node(prose(2 * PAGE + 10, 1))),
        ('b', file_node(prose(300, 2), 0o4755, 10, 20)),
        ('d', dir_node([('e', file_node(prose(PAGE, 3))), ('f', dir_node())])),
        ('l', link_node(b'd/e')),
        ('n', Node(stat.S_IFCHR | 0o600, rdev=0x501)),
        ('p', Node(stat.S_IFIFO | 0o600)),
        ('x', file_node(Data(noise(2 * PAGE + 8), 'XXX'), 0o755)),
        ('y', file_node(Data(noise(2 * PAGE + 8), 'hZS'[1:] + 'Z'), 0o755)),
    ]), endian, **how).build())


def one_file(kinds='z', content=TEXT, endian='<', flags=FSID_V2 | SORTED_DIRS, **how):
    """An image with one file, /f."""
    return bytearray(Builder(dir_node([('f', file_node(Data(content, kinds, **how)))]), endian,
                             flags=flags).build())


def put_super(data, field, value):
    """Set a field of the superblock, and the CRC."""
    image = Image(data)
    at = image.base + field
    data[at:at + 4] = image.codec.put32(value)
    return reseal(data)


def reseal(data):
    """Set the CRC, but leave the size as it is."""
    image = Image(data)
    at = image.base + CRC
    data[at:at + 4] = image.codec.put32(image.computed_crc())
    return data


def put_inode(data, path, **fields):
    """Change fields of an inode: mode, uid, size, gid, name_len, offset."""
    image = Image(data)
    at = image.find(path).at
    names = ('mode', 'uid', 'size', 'gid', 'name_len', 'offset')
    values = dict(zip(names, image.codec.inode(data, at)))
    values.update(fields)
    data[at:at + 12] = image.codec.put_inode(*(values[n] for n in names))
    return reseal(data)


def put_name(data, path, name):
    """Overwrite a name, that is as long when padded."""
    at = Image(data).find(path).at + 12
    data[at:at + len(name)] = name
    return reseal(data)


def put_pointer(data, path, index, value):
    """Set a block pointer; VALUE may be a function of the old one."""
    image = Image(data)
    at = image.pointer_at(image.find(path), index)
    value = value(image.codec.u32(data, at)) if callable(value) else value
    data[at:at + 4] = image.codec.put32(value)
    return reseal(data)


def append(data, more):
    """Make the image longer by MORE at a multiple of four; the new data and where it is."""
    data = bytearray(data) + bytes(-len(data) % 4)
    at = len(data)
    data += more + bytes(-len(more) % PAGE)
    image = Image(data)
    seal(data, image.base, image.codec.endian)
    return data, at


# Good images --------------------------------------------------------------------------------------

@test_each(*ALL_FORMS)
def fsck_accepts_what_mkcramfs_makes(box, options):
    nasty_tree(box)
    box.make(options)
    res = box.run(box.image_path, tool='fsck.cramfs')
    equal((res.status, res.out, res.err), (OK, '', ''), options)


@test_each('', '-i', '-B', '-B -p -X -X')
def fsck_accepts_other_images_of_mkcramfs(box, options):
    nasty_tree(box)
    options += ' ' + box.write('boot', noise(5001)) if options == '-i' else ''
    box.make(options)
    res = box.run(box.image_path, tool='fsck.cramfs')
    equal((res.status, res.out, res.err), (OK, '', ''), options)


def peer():
    path = shutil.which('mkfs.cramfs', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if not path:
        raise Skip('mkfs.cramfs is not installed')
    return path


PEER_FORMS = ('', '-z', '-p', '-N big', '-N big -z -p', '-N little -n name -e 7', '-b 65536',
              '-b 8192 -N big', '-i', '-i -p -z')


@test_each(*PEER_FORMS)
def fsck_accepts_what_util_linux_makes(box, options):
    peer()
    box.file('a/text', prose(200000))
    box.file('a/noise', noise(70000))
    box.file('a/copy', prose(200000))
    box.file('zeros', bytes(100000))
    box.file('small', b'small')
    box.file('empty')
    os.mkdir(box.in_tree('none'))
    os.symlink('a/text', box.in_tree('link'))
    os.mkfifo(box.in_tree('fifo'))
    words = options.split()
    if '-i' in words:
        words.insert(words.index('-i') + 1, box.write('boot', noise(5001)))
    subprocess.run([peer()] + words + [box.tree, box.image_path], check=True)
    for more in ((), ('--extract=' + box.path('out'),)):
        res = box.run(*more, box.image_path, tool='fsck.cramfs')
        # As a user, owners cannot be restored if the group is not below 256.
        equal((res.status, res.out), (OK, ''), options)
        if ROOT:
            equal(res.err, '', options)
    with open(box.path('out/a/text'), 'rb') as got:
        equal(got.read(), prose(200000), 'content')


@test_each(*BOTH)
def fsck_accepts_all_kinds_of_blocks(box, endian):
    sound(box, sample(endian))
    sound(box, sample(endian, base=512))
    sound(box, sample(endian, pad=False))


@test_each(*BOTH)
def fsck_accepts_an_empty_image(box, endian):
    sound(box, Builder(dir_node(), endian).build())
    box.make()
    res = box.run(box.image_path, tool='fsck.cramfs')
    equal((res.status, res.err), (OK, ''))


@test
def fsck_accepts_shared_blocks_and_files(box):
    shared = Data(TEXT)
    sound(box, Builder(dir_node([
        ('a', file_node(shared)), ('b', file_node(shared)),
        ('c', file_node(Data(TEXT[:PAGE] * 3, 'Z', same={1: 0, 2: 0}))),
        ('d', file_node(Data(noise(PAGE) * 3 + b'x', 'X', same={1: 0, 2: 0}))),
    ])).build())


@test
def fsck_accepts_one_block_by_different_pointers(box):
    # A stored block that one file points at directly, and another as what follows a direct one.
    first, last = noise(PAGE, 1), noise(PAGE, 2)
    data = bytearray(Builder(dir_node([
        ('a', file_node(Data(first + last + b'.', 'XXS'))),
        ('b', file_node(Data(first + last, 'zz')))])).build())
    block = Image(data).block(Image(data).find('a'), 0)
    put_pointer(data, 'b', 0, PTR_STORED | PTR_DIRECT | block.offset >> 2)
    put_pointer(data, 'b', 1, PTR_STORED | block.offset + 2 * PAGE)
    # What b had before belongs to nothing now.
    res = check(box, data, '--cat', 'b')
    equal((res.status, res.err), (OK, ''))
    equal(check(box, data).status, OK)


@test_each(*BOTH)
def fsck_finds_where_a_block_begins_behind_direct_ones(box, endian):
    content = prose(PAGE) + noise(PAGE)
    for kind in 'ZX':
        data = one_file(kind + 's', content, endian)
        image = Image(data)
        first = image.block(image.find('f'), 0)
        end = first.offset + (PAGE if kind == 'X' else first.len)
        equal(image.block(image.find('f'), 1).offset, end)
        box.write('image', bytes(data))
        out = subprocess.run((os.path.join(harness.TOOLS, 'fsck.cramfs'), '--cat=/f',
                              box.image_path), stdout=subprocess.PIPE, check=True).stdout
        equal(out, content)
        sound(box, data)


@test
def fsck_finds_out_the_block_size(box):
    for size in (4096, 8192, 16384, 32768, 65536):
        for length in (20000, 200000):
            box.file('f', prose(length))
            subprocess.run((peer(), '-b', str(size), box.tree, box.image_path), check=True)
            res = box.run('--list=json', box.image_path, tool='fsck.cramfs')
            if length > size:
                equal(json.loads(res.out)['block_size'], size)
            equal(box.run(box.image_path, tool='fsck.cramfs').status, OK, str(size))


@test
def fsck_finds_out_the_block_size_without_a_block_that_is_compressed(box):
    for options, size, files in (('-U', 65536, {'noise': noise(200000), 'text': prose(200000)}),
                                 ('-U', 8192, {'noise': noise(200000)}),
                                 ('-x', 65536, {'noise': noise(200000)}),
                                 ('', 65536, {'f': bytes(131072) + prose(100000)}),
                                 ('-x', 16384, {'f': bytes(131072) + prose(100000)})):
        shutil.rmtree(box.tree)
        for name, content in files.items():
            box.file(name, content)
        res = box.run('-q', *options.split(), '-b', str(size), box.tree, box.image_path)
        equal((res.status, res.err), (OK, ''), options)
        res = box.run(box.image_path, tool='fsck.cramfs')
        equal((res.status, res.err), (OK, ''), '%s -b %d' % (options, size))
        # Where the superblock does not say the number of blocks, the files say it.
        with open(box.image_path, 'rb') as f:
            data = bytearray(f.read())
        data[FLAGS] &= ~FSID_V2
        res = check(box, data, '--list=json', '-q')
        equal(json.loads(res.out)['block_size'], size)


@test
def fsck_does_not_say_a_block_size_that_it_cannot_know(box):
    data = one_file('z', b'small')
    equal(json.loads(check(box, data, '--list=json').out)['block_size'], None)
    got = check(box, data, '--list=json', '-b', '8192').out
    equal(json.loads(got)['block_size'], 8192)


@test
def fsck_obeys_a_block_size(box):
    data = one_file()
    sound(box, data, '-b', '4096')
    sound(box, data, '--blocksize', '4096')
    wrong(box, data, '/f: block 0 (at ', BAD, '-b', '8192')


# Superblock ---------------------------------------------------------------------------------------

@test
def fsck_wants_a_superblock(box):
    data = sample()
    data[0] ^= 1
    only_wrong(box, data, 'superblock magic not found')
    only_wrong(box, b'', 'file length too short')
    only_wrong(box, sample()[:75], 'file length too short')
    only_wrong(box, bytes(550), 'superblock magic not found')


@test_each(*BOTH)
def fsck_wants_a_size_that_holds_the_superblock(box, endian):
    only_wrong(box, put_super(sample(endian), SIZE, 64), 'superblock size (64) too small')
    data = sample(endian)
    data[SIZE:SIZE + 4] = Codec(endian).put32(75)
    only_wrong(box, data, 'superblock size (75) too small')
    data = sample(endian, base=512)
    data[512 + SIZE:512 + SIZE + 4] = Codec(endian).put32(587)
    only_wrong(box, data, 'superblock size (587) too small')


@test_each(76, 100, 4095)
def fsck_checks_the_crc_of_small_sizes(box, size):
    data = sample()
    data[SIZE:SIZE + 4] = Codec('<').put32(size)
    wrong(box, data, 'crc error')


@test_each(*BOTH)
def fsck_wants_all_of_the_image(box, endian):
    data = sample(endian)
    only_wrong(box, data[:-1], 'file length too short')
    only_wrong(box, data[:600], 'file length too short')


@test_each(*BOTH)
def fsck_warns_of_more_than_the_image(box, endian):
    doubtful(box, sample(endian) + bytes(1), 'file extends past end of filesystem')


@test
def fsck_does_not_mind_a_device_larger_than_the_image(box):
    box.write('image', sample() + bytes(PAGE))
    if not ROOT or not shutil.which('losetup'):
        raise Skip('not root, or no losetup')
    loop = subprocess.run(('losetup', '-f', '--show', '-r', box.image_path),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if loop.returncode:
        raise Skip('no loop device: ' + loop.stderr.strip())
    try:
        res = box.run(loop.stdout.strip(), tool='fsck.cramfs')
        equal((res.status, res.out, res.err), (OK, '', ''))
    finally:
        subprocess.run(('losetup', '-d', loop.stdout.strip()), check=True)


@test_each(*BOTH)
def fsck_wants_the_crc(box, endian):
    data = sample(endian)
    data[-1] = 1
    wrong(box, data, 'crc error')
    data = sample(endian)
    data[48] ^= 1
    only_wrong(box, data, 'crc error')
    # Boot code is not part of it.
    data = sample(endian, base=512)
    data[100] ^= 1
    sound(box, data)


@test
def fsck_wants_the_signature(box):
    data = reseal(sample()[:SIGNATURE] + b'c' + sample()[SIGNATURE + 1:])
    only_wrong(box, data, 'wrong signature')
    sound(box, put_super(data, FLAGS, Image(data).flags | WRONG_SIGNATURE))


@test_each(*BOTH)
def fsck_wants_the_counts(box, endian):
    image = Image(sample(endian))
    only_wrong(box, put_super(sample(endian), FILES, image.files + 1),
               '%d entries, but there are %d' % (image.files + 1, image.files))
    only_wrong(box, put_super(sample(endian), BLOCKS, image.blocks - 1),
               '%d blocks, but there are %d' % (image.blocks - 1, image.blocks))
    wrong(box, put_super(sample(endian), FILES, 0), 'zero file count')


@test
def fsck_refuses_flags_that_it_does_not_know(box):
    for flag in (0x1000, 0x80000000):
        data = put_super(sample(), FLAGS, Image(sample()).flags | flag)
        wrong(box, data, 'unsupported filesystem features', ERROR)
    doubtful(box, put_super(sample(), FLAGS, Image(sample()).flags | 0x80), 'unknown flags 0x80')


@test
def fsck_warns_of_a_reserved_field(box):
    doubtful(box, put_super(sample(), FUTURE, 1), 'reserved field')


@test_each(*BOTH)
def fsck_wants_a_root_directory(box, endian):
    only_wrong(box, put_inode(sample(endian), '/', mode=stat.S_IFREG | 0o755),
               'the root is not a directory')


@test_each(*BOTH)
def fsck_wants_the_flag_for_a_root_elsewhere(box, endian):
    flags = FSID_V2 | SORTED_DIRS
    tree = dir_node([('a', file_node(b'a'))])
    data = bytearray(Builder(tree, endian, root_offset=4096, flags=flags).build())
    only_wrong(box, data, 'the root directory is at 0x1000')
    sound(box, put_super(data, FLAGS, flags | SHIFTED_ROOT))
    # The driver takes this place for one with boot code before it.
    sound(box, Builder(tree, endian, root_offset=512 + SUPER_LEN, flags=flags).build())


@test
def fsck_warns_of_a_name_of_the_root(box):
    doubtful(box, put_inode(sample(), '/', name_len=4), 'the root has a name')


@test_each(*BOTH)
def fsck_checks_old_images_as_far_as_it_can(box, endian):
    data = Builder(dir_node([('b', file_node(b'b')), ('a', file_node(TEXT))]), endian,
                   flags=0).build()
    doubtful(box, data, 'old cramfs format')
    equal(check(box, data, '-q').err, '')
    image = Image(data)
    at = image.pointer_at(image.find('a'), 0)
    bad = data[:at] + image.codec.put32(len(data) + 1) + data[at + 4:]
    wrong(box, bad, '/a: block 0: ')


# Names --------------------------------------------------------------------------------------------

@test_each(*BOTH)
def fsck_wants_a_name(box, endian):
    data = bytearray(Builder(dir_node([('', file_node(b'a'))]), endian).build())
    only_wrong(box, data, '/: empty name (entry at 0x4c)')
    data = put_name(one_file(endian=endian), 'f', b'\0\0\0\0')
    only_wrong(box, data, 'empty name')


@test_each(*BOTH)
def fsck_refuses_names_that_lead_elsewhere(box, endian):
    for name in ('.', '..'):
        data = Builder(dir_node([(name, file_node(b'a'))]), endian).build()
        only_wrong(box, data, '/%s: reserved name' % name)
    for name in ('/', '/etc', 'a/b', '../x'):
        data = Builder(dir_node([(name, file_node(b'a'))]), endian).build()
        only_wrong(box, data, '/%s: slash in the name' % name)
    for name in ('...', '.a', '..a'):
        sound(box, Builder(dir_node([(name, file_node(b'a'))]), endian).build())


@test
def fsck_refuses_nul_in_names(box):
    only_wrong(box, Builder(dir_node([(b'a\0b', file_node(b'a'))])).build(), 'NUL in the name')


@test
def fsck_refuses_padding_that_is_too_long(box):
    # The kernel of Linux 6.12 does not find such a name.
    only_wrong(box, Builder(dir_node([(b'a\0\0\0\0', file_node(b'a'))])).build(),
               'name with more padding than it needs')
    only_wrong(box, Builder(dir_node([(b'abcd\0', file_node(b'a'))])).build(),
               'name with more padding than it needs')
    sound(box, Builder(dir_node([(b'abcd', file_node(b'a'))])).build())


@test_each(*BOTH)
def fsck_refuses_a_name_twice(box, endian):
    a = file_node(b'a')
    data = Builder(dir_node([('d', dir_node([('a', a), ('b', a), ('b', a), ('c', a)]))]),
                   endian).build()
    only_wrong(box, data, '/d: has two entries of the name b')
    data = Builder(dir_node([('d', dir_node([('b', a), ('a', a), ('b', a)]))]), endian,
                   flags=FSID_V2).build()
    only_wrong(box, data, '/d: has two entries of the name b')
    data = Builder(dir_node([(b'b\n', a), (b'b\n', a)]), endian, flags=FSID_V2).build()
    only_wrong(box, data, 'has two entries of the name b\\x0a')


@test_each(*BOTH)
def fsck_wants_sorted_directories_where_they_claim_to_be(box, endian):
    tree = dir_node([('d', dir_node([('b', file_node(b'a')), ('a', file_node(b'a'))]))])
    only_wrong(box, Builder(tree, endian).build(), '/d: directory is not sorted')
    sound(box, Builder(tree, endian, flags=FSID_V2).build())
    # Bytes are unsigned, and a name comes after what it begins with.
    tree = dir_node([('a', dir_node()), ('a ', dir_node()), ('ab', dir_node()),
                     (b'\xff', dir_node())])
    sound(box, Builder(tree, endian).build())


# Directories --------------------------------------------------------------------------------------

@test_each(*BOTH)
def fsck_wants_entries_within_their_directory(box, endian):
    data = put_inode(sample(endian), '/d', size=28)
    wrong(box, data, '/d: entry at 0x')
    contains(check(box, data).err, 'reaches past the end of the directory')
    data = put_inode(sample(endian), '/d', size=30)
    wrong(box, data, '/d: entry at 0x')
    data = put_inode(sample(endian), '/d', size=31)
    wrong(box, data, '/d: entry at 0x')


@test_each(*BOTH)
def fsck_wants_directories_within_the_image(box, endian):
    data = sample(endian)
    wrong(box, put_inode(data, '/d', offset=(1 << 28) - 4),
          '/d: directory past the end of the image')
    data = sample(endian)
    wrong(box, put_inode(data, '/d', size=len(data)), '/d: directory past the end of the image')
    data = sample(endian)
    wrong(box, put_inode(data, '/', size=len(data)), '/: directory past the end of the image')


@test_each(*BOTH)
def fsck_refuses_loops_of_directories(box, endian):
    image = Image(sample(endian))
    root, inner = image.find('/'), image.find('/d')
    wrong(box, put_inode(sample(endian), '/d', offset=root.offset, size=root.size),
          '/d: loop: it is the same directory as /', preexec_fn=limits(128, 5))
    data = put_inode(sample(endian), '/d/f', offset=inner.offset, size=inner.size)
    wrong(box, data, '/d/f: loop: it is the same directory as /d', preexec_fn=limits(128, 5))


@test
def fsck_refuses_a_directory_in_two_places(box):
    shared = dir_node([('f', file_node(b'f'))])
    data = bytearray(Builder(dir_node([('a', shared), ('b', dir_node([('x', file_node(b'f'))]))]))
                     .build())
    image = Image(data)
    put_inode(data, '/b', offset=image.find('/a').offset, size=image.find('/a').size)
    wrong(box, data, '/b: is the same directory as /a')


@test
def fsck_refuses_directories_that_overlap(box):
    data = sample()
    image = Image(data)
    put_inode(data, '/d/f', offset=image.find('/d').offset + 16, size=16)
    wrong(box, data, '/d/f: overlaps directory /d')
    data = sample()
    put_inode(data, '/d/f', offset=image.find('/d').offset - 16, size=32)
    wrong(box, data, '/d/f: overlaps directory /')


@test
def fsck_refuses_directories_in_the_superblock(box):
    wrong(box, put_inode(sample(), '/d', offset=64, size=12),
          '/d: directory overlaps the superblock')
    data = sample(base=512)
    wrong(box, put_inode(data, '/d', offset=100, size=12), '/d: directory overlaps the superblock')


# Inodes -------------------------------------------------------------------------------------------

@test_each(*BOTH)
def fsck_refuses_types_that_do_not_exist(box, endian):
    for kind in (0, 0o30000, 0o150000, 0o170000):
        only_wrong(box, put_inode(sample(endian), '/p', mode=kind | 0o644),
                   '/p: unknown type of file')


@test
def fsck_refuses_device_numbers_that_are_cut_off(box):
    only_wrong(box, put_inode(sample(), '/n', size=0x10501), '/n: device number of more than')
    sound(box, put_inode(sample(), '/n', size=0xffff))


@test_each(*BOTH)
def fsck_wants_targets_that_the_kernel_takes(box, endian):
    only_wrong(box, Builder(dir_node([('l', link_node(b''))]), endian).build(),
               '/l: symbolic link without a target')
    only_wrong(box, Builder(dir_node([('l', link_node(b'x' * 4096))]), endian).build(),
               '/l: symbolic link is too long')
    sound(box, Builder(dir_node([('l', link_node(b'x' * 4095))]), endian).build())
    for target in (b'a\0b', b'\0', b'a\0'):
        only_wrong(box, Builder(dir_node([('l', link_node(target))]), endian).build(),
                   '/l: NUL in the target')
    link = Node(stat.S_IFLNK | 0o777, data=Data(bytes(5), 'h'))
    only_wrong(box, Builder(dir_node([('l', link)]), endian).build(), '/l: NUL in the target')


@test
def fsck_refuses_nul_in_a_target_whoever_shares_it(box):
    # The block is one, the file may have NUL in it and the link may not.
    data = Builder(dir_node([('f', file_node(Data(b'a\0b', 'Z'))),
                             ('l', Node(stat.S_IFLNK | 0o777, data=Data(b'a\0b', 'Z')))])).build()
    data = bytearray(data)
    image = Image(data)
    pointer = image.codec.u32(data, image.find('f').offset)
    put_pointer(data, 'l', 0, pointer)
    only_wrong(box, data, '/l: NUL in the target')


@test
def fsck_refuses_a_size_without_data(box):
    only_wrong(box, put_inode(sample(), '/d/f', size=16), '/d/f: has a size but no data')
    data = bytearray(Builder(dir_node([('f', file_node(b''))])).build())
    only_wrong(box, put_inode(data, '/f', size=16), '/f: has a size but no data')


@test
def fsck_warns_of_data_that_are_none(box):
    doubtful(box, put_inode(sample(), '/n', offset=4096), '/n: has a data offset')
    doubtful(box, put_inode(sample(), '/d/f', offset=4096), '/d/f: has a data offset')
    sound(box, put_inode(sample(), '/d/f', offset=4096), '-q')


@test
def fsck_warns_of_sizes_of_what_has_none(box):
    for mode in (stat.S_IFIFO, stat.S_IFSOCK):
        data = put_inode(sample(), '/p', mode=mode | 0o600, size=12345)
        doubtful(box, data, '/p: has a size (12345), though it has no data')


@test
def fsck_refuses_a_root_with_a_size_and_no_data(box):
    only_wrong(box, put_inode(bytearray(Builder(dir_node()).build()), '/', size=16,
                              offset=0),
               'the root has a size but no data')


@test_each(*BOTH)
def fsck_refuses_shared_data_with_other_attributes(box, endian):
    def pair(second, **fields):
        data = Builder(dir_node([('a', file_node(b'1234')), ('b', second)]), endian).build()
        data = bytearray(data)
        put_inode(data, '/b', offset=Image(data).find('/a').offset, **fields)
        return put_super(data, BLOCKS, Image(data).blocks - 1)
    what = '/b: shares the data, but not the %s, of /a'
    wrong(box, pair(link_node(b'1234')), what % 'type')
    wrong(box, pair(file_node(b'1234', 0o4644)), what % 'permissions')
    wrong(box, pair(file_node(b'1234', uid=1)), what % 'owner')
    wrong(box, pair(file_node(b'1234', gid=1)), what % 'owner')
    wrong(box, pair(file_node(b'1234'), size=3), what % 'size')
    equal(check(box, pair(file_node(b'1234'))).status, OK)


# Block pointers -----------------------------------------------------------------------------------

@test_each(*BOTH)
def fsck_wants_block_pointers_within_the_image(box, endian):
    data = sample(endian)
    only_wrong(box, put_inode(data, '/a', offset=(1 << 28) - 4),
               '/a: block pointers past the end of the image')
    data = sample(endian)
    only_wrong(box, put_inode(data, '/a', offset=len(data) - 8),
               '/a: block pointers past the end of the image')


@test_each(*BOTH)
def fsck_refuses_block_pointers_that_overlap(box, endian):
    data = sample(endian)
    image = Image(data)
    wrong(box, put_inode(data, '/b', offset=image.find('/a').offset + 4, size=300),
          '/b: block pointers overlap those of /a')
    wrong(box, put_inode(sample(endian), '/b', offset=image.find('/d').offset + 4),
          '/b: block pointers overlap directory /d')
    wrong(box, put_inode(sample(endian), '/b', offset=68),
          '/b: block pointers overlap the superblock')


@test_each(*BOTH)
def fsck_refuses_extended_pointers_without_the_flag(box, endian):
    data = sample(endian)
    wrong(box, put_super(data, FLAGS, Image(data).flags & ~EXT_POINTERS),
          '/x: block 0: extended pointer')


@test_each(*BOTH)
def fsck_refuses_blocks_that_end_before_they_begin(box, endian):
    only_wrong(box, put_pointer(one_file(endian=endian), 'f', 1, lambda old: 4),
               '/f: block 1: ends before it begins')


@test_each(*BOTH)
def fsck_wants_blocks_within_the_image(box, endian):
    for kinds in ('z', 's', 'Z', 'X'):
        data = one_file(kinds, endian=endian)
        end = len(data)
        if kinds in 'ZX':
            bad = put_pointer(data, 'f', 1, lambda old: old & 0xc0000000 | (end - 8) >> 2)
            # It may have no length that reaches so far: the zeros there make a hole.
            if kinds == 'Z':
                bad[-8:-6] = Codec(endian).put16(100)
                reseal(bad)
        else:
            # Shortening the image makes the last block stick out.
            image = Image(data)
            block = image.block(image.find('f'), 3)
            bad = put_super(data, SIZE, block.offset + block.len - 1)
            bad = reseal(bad[:block.offset + block.len - 1])
        wrong(box, bad, ': past the end of the image')
    data = one_file('Z', endian=endian)
    only_wrong(box, put_pointer(data, 'f', 0, PTR_DIRECT | 0x3fffffff),
               '/f: block 0: past the end of the image')
    data = one_file('ZX', endian=endian)
    bad = put_pointer(data, 'f', 0, PTR_DIRECT | 0x3fffffff)
    only_wrong(box, put_pointer(bad, 'f', 1, len(bad)), '/f: block 0: past the end of the image')


@test
def fsck_refuses_compressed_blocks_that_are_too_long(box):
    data = one_file('z', noise(100) + bytes(4000))
    data += bytes(3 * PAGE)
    seal(data)
    start = Image(data).block(Image(data).find('f'), 0).offset
    only_wrong(box, put_pointer(data, 'f', 0, start + 2 * PAGE + 1),
               '/f: block 0: compressed block is too long')
    wrong(box, put_pointer(data, 'f', 0, start + 2 * PAGE), '/f: block 0 (at ')
    data = one_file('Z', noise(100) + bytes(4000))
    data, at = append(data, bytes(4 * PAGE))
    data[at:at + 2] = struct.pack('<H', 2 * PAGE + 1)
    only_wrong(box, put_pointer(data, 'f', 0, PTR_DIRECT | at >> 2),
               '/f: block 0: compressed block is too long')


@test_each(*BOTH)
def fsck_wants_stored_blocks_to_be_as_long_as_their_part_of_the_file(box, endian):
    data = one_file('s', noise(PAGE + 100), endian)
    only_wrong(box, put_pointer(data, 'f', 1, lambda old: old - 1),
               '/f: block 1: stored block is too short')
    only_wrong(box, put_pointer(one_file('s', noise(PAGE + 100), endian), 'f', 1,
                                lambda old: old + 1), '/f: block 1: stored block is too long')


@test_each(*BOTH)
def fsck_refuses_blocks_that_overlap(box, endian):
    tree = dir_node([('a', file_node(Data(noise(PAGE), 'Ss'[:1] + 'X'))),
                     ('b', file_node(Data(noise(2 * PAGE + 8, 1), 'S')))])
    build = lambda: bytearray(Builder(tree, endian).build())
    image = Image(build())
    of_a = image.block(image.find('a'), 0).offset
    direct = PTR_DIRECT | PTR_STORED
    wrong(box, put_pointer(build(), 'b', 0, direct | of_a + 4 >> 2), 'overlaps a block of /a')
    wrong(box, put_pointer(build(), 'b', 0, direct | image.find('a').offset - 4 >> 2),
          '/b: block 0 (0x')
    # The last block of b is short, and the beginning of one that is not.
    wrong(box, put_pointer(build(), 'b', 2, direct | of_a >> 2), 'overlaps a block of ')


@test_each(*BOTH)
def fsck_refuses_blocks_in_metadata(box, endian):
    data = one_file('S', noise(PAGE + 8), endian)
    direct, image = PTR_DIRECT | PTR_STORED, Image(data)
    wrong(box, put_pointer(data, 'f', 1, direct | 64 >> 2), 'overlaps the superblock')
    data = one_file('S', noise(PAGE + 8), endian)
    wrong(box, put_pointer(data, 'f', 1, direct | 76 + 4 >> 2), 'overlaps directory /')
    data = one_file('S', noise(PAGE + 8), endian)
    wrong(box, put_pointer(data, 'f', 1, direct | image.find('f').offset >> 2),
          'overlaps the block pointers of /f')
    data = bytearray(Builder(dir_node([('f', file_node(Data(noise(8), 'S')))]), endian,
                             base=512).build())
    wrong(box, put_pointer(data, 'f', 0, direct | 8 >> 2), 'overlaps the superblock')


@test_each(*BOTH)
def fsck_decompresses_every_block(box, endian):
    for kinds in 'zZ':
        for index in range(4):
            data = one_file(kinds, endian=endian)
            image = Image(data)
            block = image.block(image.find('f'), index)
            data[block.offset + block.len // 2] ^= 0x10
            wrong(box, reseal(data), '/f: block %d (at ' % index)
            # What zlib itself checks: the sum at the end.
            data = one_file(kinds, endian=endian)
            data[block.offset + block.len - 1] ^= 1
            only_wrong(box, reseal(data), 'compressed data are damaged')


def direct_block(packed, want, endian='<'):
    """An image with a file of WANT bytes, which is one direct block with the stream PACKED."""
    data = bytearray(Builder(dir_node([('f', file_node(Data(noise(want), 'S')))]), endian).build())
    data, at = append(data, bytes(2 * PAGE))
    data[at:at + 2] = Codec(endian).put16(len(packed))
    data[at + 2:at + 2 + len(packed)] = packed
    old = Image(data).block(Image(data).find('f'), 0)
    data[old.offset:old.offset + PAGE] = bytes(PAGE)
    return put_pointer(data, 'f', 0, PTR_DIRECT | at >> 2)


@test_each(*BOTH)
def fsck_wants_streams_to_be_exact(box, endian):
    text = prose(1000)
    sound(box, direct_block(zlib.compress(text), 1000, endian))
    only_wrong(box, direct_block(zlib.compress(text), 999, endian), 'more than their part')
    only_wrong(box, direct_block(zlib.compress(text), 1001, endian), 'less than their part')
    only_wrong(box, direct_block(zlib.compress(text) + b'x', 1000, endian),
               'compressed data end before the block')
    only_wrong(box, direct_block(zlib.compress(text)[:-1], 1000, endian),
               'compressed data are damaged')
    # A raw stream, and one that wants a dictionary
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    only_wrong(box, direct_block(raw.compress(text) + raw.flush(), 1000, endian), 'are damaged')
    named = zlib.compressobj(zdict=b'flash page')
    only_wrong(box, direct_block(named.compress(text) + named.flush(), 1000, endian),
               'are damaged')


class BitWriter:
    """Bits of a deflated block, from the lowest of each byte on."""

    def __init__(self):
        self.bits = []

    def number(self, value, count):
        self.bits += [value >> i & 1 for i in range(count)]

    def code(self, value, count):
        """A Huffman code has its highest bit first."""
        self.bits += [value >> i & 1 for i in reversed(range(count))]

    def stream(self, plain):
        packed = bytearray((len(self.bits) + 7) // 8)
        for i, bit in enumerate(self.bits):
            packed[i // 8] |= bit << i % 8
        return b'\x78\x9c' + packed + struct.pack('>I', zlib.adler32(plain))


@test
def fsck_refuses_streams_that_the_kernel_refuses(box):
    # Fixed codes: a length with the symbol 286, which has a code and no meaning
    w = BitWriter()
    w.number(3, 3)
    w.code(0x30 + ord('a'), 8)
    w.code(0xc0 + 286 - 280, 8)
    w.code(0, 5)
    w.code(0, 7)
    only_wrong(box, direct_block(w.stream(b'a' * 259), 259), 'compressed data are damaged')
    # Codes of its own, 32 for distances, of which there are 30; only 'a' and the end are used.
    for distances in (30, 32):
        w = BitWriter()
        w.number(5, 3)
        w.number(0, 5)
        w.number(distances - 1, 5)
        w.number(18 - 4, 4)
        lengths = {18: 2, 0: 2, 1: 1}
        for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
            w.number(lengths.get(symbol, 0), 3)
        for zeros in (97, -1, 138, 20, -1, -1, distances - 1):
            if zeros < 0:
                w.code(0, 1)
            else:
                w.code(3, 2)
                w.number(zeros - 11, 7)
        w.code(0, 300)
        w.code(1, 1)
        data = direct_block(w.stream(b'a' * 300), 300)
        if distances == 30:
            sound(box, data)
        else:
            only_wrong(box, data, 'compressed data are damaged')


@test
def fsck_says_which_file_a_damaged_shared_block_is_in(box):
    data = bytearray(Builder(dir_node([
        ('a', file_node(Data(TEXT[:PAGE], 'Z'))), ('b', file_node(Data(TEXT[:PAGE], 'Z')))]))
        .build())
    image = Image(data)
    put_pointer(data, 'b', 0, image.codec.u32(data, image.find('a').offset))
    block = image.block(image.find('a'), 0)
    data[block.offset + 20] ^= 1
    err = check(box, reseal(data)).err
    contains(err, '/a: block 0 (at ')
    contains(err, '/b: block 0 (at ')


@test_each(*BOTH)
def fsck_refuses_a_shared_block_of_another_length(box, endian):
    data = bytearray(Builder(dir_node([
        ('a', file_node(Data(TEXT[:PAGE], 'Z'))), ('b', file_node(Data(TEXT[:100], 'Z')))]),
        endian).build())
    image = Image(data)
    put_pointer(data, 'b', 0, image.codec.u32(data, image.find('a').offset))
    wrong(box, data, '/b: block 0 (at ')


@test_each(*BOTH)
def fsck_wants_the_flag_for_holes(box, endian):
    for kinds in ('zhz', 'h'):
        data = one_file(kinds, bytes(3 * PAGE), endian)
        sound(box, data)
        only_wrong(box, put_super(data, FLAGS, Image(data).flags & ~HOLES),
                   '/f: has holes, without the flag')


@test
def fsck_accepts_a_hole_behind_a_direct_pointer(box):
    data = one_file('Z', prose(PAGE))
    data, at = append(data, bytes(8))
    put_pointer(data, 'f', 0, PTR_DIRECT | at >> 2)
    put_super(data, FLAGS, Image(data).flags | HOLES)
    res = check(box, data, '--cat', 'f')
    equal((res.status, res.out), (OK, '\0' * PAGE))
    equal(check(box, data).status, OK)
    only_wrong(box, put_super(data, FLAGS, Image(data).flags & ~HOLES), '/f: has holes')


@test_each(*BOTH)
def fsck_warns_of_a_block_that_linux_reads_as_zeros(box, endian):
    doubtful(box, one_file('X', noise(2 * PAGE), endian), '/f: the last block is full')
    sound(box, one_file('X', noise(2 * PAGE - 1), endian))
    sound(box, one_file('Xs', noise(2 * PAGE), endian))


@test
def fsck_warns_of_bytes_that_are_nobodys(box):
    data = sample()
    data[-1] = 1
    doubtful(box, reseal(data), 'bytes at 0x')
    # The file that -i inserts, and boot code, are what they are.
    tree = dir_node([('a', file_node(b'a'))])
    data = bytearray(Builder(tree, base=512, root_offset=4096,
                             flags=FSID_V2 | SORTED_DIRS | SHIFTED_ROOT).build())
    data[0:512] = noise(512)
    data[512 + SUPER_LEN:4096] = noise(4096 - 512 - SUPER_LEN)
    sound(box, reseal(data))


@test
def fsck_counts_errors_that_it_does_not_show(box):
    many = [('%03d/' % i, file_node(b'')) for i in range(150)]
    res = wrong(box, Builder(dir_node(many)).build(), '50 more errors')
    equal(len(res.err.splitlines()), 101)
    nodes = [('%03d' % i, file_node(Data(noise(PAGE, i), 'X'))) for i in range(120)]
    res = check(box, Builder(dir_node(nodes)).build())
    equal(res.status, OK)
    contains(res.err, '20 more warnings')


@test
def fsck_shows_what_a_terminal_would_obey(box):
    data = Builder(dir_node([(b'\x1b[31m\n\xc2\x9b\xe2\x80\xae\xff\\/', file_node(b'a'))])).build()
    res = wrong(box, data, r'/\x1b[31m\x0a\xc2\x9b\xe2\x80\xae\xff\\/: slash in the name')
    equal(len(res.err.splitlines()), 1)
    # Also where it is not about the image
    data = Builder(dir_node([(b'\xe2\x80\xaecod.\\\xff', Node(stat.S_IFCHR, rdev=1))])).build()
    err = check(box, data, '-x', box.path('out'), nobody=True).err
    contains(err, r'the first is /\xe2\x80\xaecod.\\\xff' + '\n')
    contains(box.run(box.path('a\x1b[2J\u202e'), tool='fsck.cramfs').err,
             r'a\x1b[2J\xe2\x80\xae: No such')


# Time and memory ----------------------------------------------------------------------------------

def assemble(nr_bytes, endian='<', flags=FSID_V2):
    """A bytearray to put an image into by hand."""
    data = bytearray(nr_bytes)
    codec = Codec(endian)
    data[0:32] = (codec.put32(0x28cd3d45) + codec.put32(0) + codec.put32(flags) + bytes(4) +
                  b'Compressed ROMFS')
    data[44:48] = codec.put32(1)
    return data, codec


def hostile(box, data, *args, megabytes=256):
    """fsck.cramfs must come to an end, and find an error."""
    seal(data)
    res = check(box, data, *args, preexec_fn=limits(megabytes, 20))
    equal(res.status, BAD, res.err[:300])
    return res


@test
def fsck_is_linear_in_directories_of_one_name(box):
    # A directory of 16 MB, unsorted, with all names equal
    data, codec = assemble(16 << 20)
    size = (1 << 24) - 16
    data[64:76] = codec.put_inode(0o40755, 0, size, 0, 0, 76)
    entry = codec.put_inode(0o100644, 0, 0, 0, 4, 0) + b'same'
    data[76:76 + size] = entry * (size // 16)
    contains(hostile(box, data).err, 'has two entries of the name same')


@test
def fsck_is_linear_in_deep_directories(box):
    # Each directory in the one before, 200,000 deep
    def chain(depth):
        data, codec = assemble(76 + 16 * depth + PAGE)
        for i in range(depth):
            at = 76 + 16 * i
            data[at:at + 16] = codec.put_inode(0o40755, 0, 16, 0, 4, at + 16) + b'dddd'
        data[64:76] = codec.put_inode(0o40755, 0, 16, 0, 0, 76)
        # The last one is the root again.
        at = 76 + 16 * depth
        data[at:at + 16] = codec.put_inode(0o40755, 0, 16, 0, 4, 76) + b'dddd'
        return data
    contains(hostile(box, chain(200000)).err, 'loop: it is the same directory as /')
    # Paths that nobody can use are cut off, or the list would be quadratic.
    res = hostile(box, chain(5000), '--list')
    lines = res.out.splitlines()
    equal((len(lines), max(map(len, lines)) < 4200), (5002, True))
    contains(lines[-1], ' .../dddd/')


@test_each('--list', '--list=json', '--map')
def fsck_does_not_read_the_image_for_each_path(box, option):
    # 2000 directories so far apart that no two are read together, and 1000 files in the last one
    depth, nr, step = 2000, 1000, 8192
    last = 76 + depth * step
    data, codec = assemble(last + 20 * nr + PAGE)
    for i in range(depth):
        at, size = 76 + i * step, 16 if i + 1 < depth else 16 * nr
        data[at:at + 16] = codec.put_inode(0o40755, 0, size, 0, 4, at + step) + b'd\0\0\0'
    for i in range(nr):
        data[last + 16 * i:last + 16 * i + 16] = codec.put_inode(
            0o100644, 0, 1, 0, 4, last + 16 * nr + 4 * i) + b'%04d' % i
    data[64:76] = codec.put_inode(0o40755, 0, 16, 0, 0, 76)
    seal(data)
    res = check(box, data, option, preexec_fn=limits(256, 2))
    contains(res.out, 'd/d/d/0999')


@test
def fsck_is_linear_in_directories_that_overlap(box):
    nr, size = 300000, 1 << 23
    data, codec = assemble(76 + 16 * nr + size)
    data[64:76] = codec.put_inode(0o40755, 0, 16 * nr, 0, 0, 76)
    for i in range(nr):
        at = 76 + 16 * i
        data[at:at + 16] = codec.put_inode(0o40755, 0, size - 1024, 0, 4,
                                           76 + 16 * nr + i * 4 % 1024) + b'%04x' % (i % 65536)
    hostile(box, data)


@test
def fsck_is_linear_in_files_that_share(box):
    # 700,000 entries, and as many tables of 4096 pointers that overlap or are the same
    nr = 700000
    data, codec = assemble(76 + 16 * nr + (1 << 20))
    data[64:76] = codec.put_inode(0o40755, 0, 16 * nr, 0, 0, 76)
    for i in range(nr):
        at = 76 + 16 * i
        data[at:at + 16] = codec.put_inode(0o100644, 0, (1 << 24) - 1, 0, 4,
                                           76 + 16 * nr + i % 1000 * 4) + b'name'
    hostile(box, data)


@test
def fsck_is_linear_in_pointers_to_one_block(box):
    # Files of 255 large blocks, all of them the same one, which takes 0.1 ms to decompress
    nr, block_size = 4000, 65536
    deflate = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    packed = deflate.compress(prose(block_size)) + deflate.flush()
    table = 76 + 16 * nr
    data, codec = assemble(table + nr * 255 * 4 + PAGE + len(packed),
                           flags=FSID_V2 | EXT_POINTERS)
    data[64:76] = codec.put_inode(0o40755, 0, 16 * nr, 0, 0, 76)
    at = table + nr * 255 * 4
    data[at:at + 2 + len(packed)] = codec.put16(len(packed)) + packed
    data[table:at] = codec.put32(PTR_DIRECT | at >> 2) * (nr * 255)
    for i in range(nr):
        data[76 + 16 * i:92 + 16 * i] = codec.put_inode(
            0o100644, 0, 255 * block_size, 0, 4, table + i * 255 * 4) + b'%04d' % i
    data[40:48] = codec.put32(nr * 255) + codec.put32(nr + 1)
    seal(data)
    res = check(box, data, '-b', str(block_size), preexec_fn=limits(256, 20))
    equal((res.status, res.err), (OK, ''))
    # And a little beside each other: one of them is good, at most.
    data[table:at] = b''.join(codec.put32(PTR_DIRECT | (at >> 2) + i) for i in range(8)) * (
        nr * 255 // 8)
    hostile(box, data, '-b', str(block_size))


@test
def fsck_decompresses_a_target_once(box):
    # 61,000 links, all of them with one stream of 120 KB for a target
    nr, target = 0xf000, b'x' * 4095
    empty = zlib.compressobj()
    packed = empty.compress(target)
    packed += empty.flush(zlib.Z_FULL_FLUSH) + b'\0\0\0\xff\xff' * 24000
    packed += empty.flush()
    table = 76 + 16 * nr
    data, codec = assemble(table + 4 + len(packed) + 3 & ~3, flags=0)
    data[64:76] = codec.put_inode(0o40755, 0, 16 * nr, 0, 0, 76)
    link = codec.put_inode(0o120777, 0, len(target), 0, 4, table)
    data[76:table] = b''.join(link + b'%04x' % i for i in range(nr))
    data[table:table + 4 + len(packed)] = codec.put32(table + 4 + len(packed)) + packed
    res = check(box, data, '--list', '-b', '65536', '-q', preexec_fn=limits(256, 4))
    equal((res.status, res.err), (OK, ''))


@test
def fsck_needs_no_memory_for_data(box):
    box.file('f', noise(15 << 20))
    for i in range(4):
        os.link(box.in_tree('f'), box.in_tree('g%d' % i))
        box.file('h%d' % i, noise(8 << 20, i))
    box.make()
    res = box.run(box.image_path, tool='fsck.cramfs', preexec_fn=limits(4))
    equal((res.status, res.err), (OK, ''))


@test
def fsck_survives_mutations(box):
    rng = random.Random(7)
    for endian in BOTH:
        good = sample(endian)
        for _ in range(25):
            data = bytearray(good)
            for _ in range(rng.choice((1, 1, 2, 5))):
                at = rng.randrange(64, 1200)
                data[at] = rng.choice((0, 0xff, data[at] ^ 1 << rng.randrange(8),
                                       rng.randrange(256)))
            if rng.random() < .9:
                reseal(data)
            for args in ((), ('--map',), ('--list=json',), ('-x', box.path('out'))):
                res = check(box, data, *args, preexec_fn=limits(256, 10))
                if res.status not in (OK, BAD, ERROR):
                    raise AssertionError('%s: %d %s' % (args, res.status, res.err))
            shutil.rmtree(box.path('out'), ignore_errors=True)
            # What is bad is not what the image changes to while it is extracted.
            equal('incomplete' in res.err, False, res.err)


# Command line -------------------------------------------------------------------------------------

@test
def fsck_is_called_as_its_peers_are(box):
    data = sample()
    sound(box, data, '-y')
    sound(box, data, '-a')
    sound(box, data, '--extract')
    for args, out in ((('--verbose', '--blocksize', '4096', '--extract=%s'), 'fsck.cramfs'),
                      (('-x', '%s'), 'cramfsck'), (('--extract=%s',), 'fsck.cramfs')):
        where = box.path('out-' + args[0])
        res = check(box, data, *(a.replace('%s', where) for a in args), tool=out)
        equal(res.status, OK, res.err)
        equal(sorted(os.listdir(where)) [:3], ['a', 'b', 'd'])


@test
def fsck_takes_options_after_the_image(box):
    box.write('image', sample())
    for env in ({}, {'POSIXLY_CORRECT': '1'}):
        res = box.run(box.image_path, '--list', tool='cramfsck', env=env)
        equal(res.status, OK)
        contains(res.out, '/d/e\n')


@test_each('--list', '--map', '--extract', '--list=json')
def fsck_takes_an_option_twice(box, option):
    equal(check(box, sample(), option, option).out, check(box, sample(), option).out)
    equal(check(box, sample(), option, option).status, OK)


@test
def fsck_is_silent_unless_asked(box):
    sound(box, sample())
    res = check(box, sample(), '-v')
    equal((res.status, res.err, res.out.splitlines()),
          (OK, '', ['cramfs endianness is little', box.image_path + ': OK']))
    res = check(box, sample('>'), '--verbose')
    equal(res.out.splitlines()[0], 'cramfs endianness is big')
    data = sample()
    data[-1] = 1
    res = check(box, data, '-v')
    equal((res.status, res.out), (BAD, 'cramfs endianness is little\n'))


@test_each('--list', '--list=json', '--map', '--cat=/a')
def fsck_prints_nothing_else_on_standard_output(box, option):
    equal(check(box, sample(), '-v', option).out, check(box, sample(), option).out)


@test
def fsck_says_what_is_wrong_with_its_use(box):
    box.write('image', sample())
    for args in (('-Z', box.image_path), ('--nonsense', box.image_path), (), ('-x',),
                 (box.image_path, box.image_path), ('-b', '5000', box.image_path),
                 ('-b', '0', box.image_path), ('-b', '131072', box.image_path),
                 ('-b', '4096x', box.image_path), ('-b', '', box.image_path),
                 ('-b', ' 4096', box.image_path), ('-b', '+4096', box.image_path),
                 ('--extract=', box.image_path), ('--cat=a', '--cat=b', box.image_path),
                 ('--list=xml', box.image_path),
                 ('--list', '--map', box.image_path), ('--cat=a', '-x', 'b', box.image_path),
                 ('--extract', '--list', box.image_path)):
        res = box.run(*args, tool='fsck.cramfs')
        equal((res.status, res.out), (USAGE, ''), repr(args))
        contains(res.err, "Try 'fsck.cramfs --help'")


@test
def fsck_prints_help_and_version(box):
    for name in ('fsck.cramfs', 'cramfsck'):
        for option in ('-h', '--help'):
            res = box.run(option, tool=name)
            equal((res.status, res.err), (OK, ''))
            contains(res.out, 'Usage: %s ' % name)
        for option in ('-V', '--version'):
            res = box.run(option, tool=name)
            equal((res.status, res.err), (OK, ''))
            contains(res.out, name + ' ')


@test
def fsck_says_what_it_cannot_open(box):
    for path, text in ((box.path('none'), 'cannot open %s: No such file'),
                       (box.tree, 'not a block device or file: %s'),
                       ('/dev/null', 'not a block device or file: %s')):
        res = box.run(path, tool='fsck.cramfs')
        equal(res.status, ERROR)
        contains(res.err, text % path)
    os.mkfifo(box.path('fifo'))
    # It must not wait for somebody who writes.
    equal(box.run(box.path('fifo'), tool='fsck.cramfs', timeout=60).status, ERROR)
    os.chmod(box.write('secret', sample()), 0)
    equal(box.run(box.path('secret'), tool='fsck.cramfs', nobody=True).status, ERROR)


@test_each('--list', '--list=json', '--map', '--cat=/a', '-v', '--help')
def fsck_notices_that_its_output_is_lost(box, option):
    box.write('image', sample())
    with open('/dev/full', 'w') as full:
        res = subprocess.run((os.path.join(harness.TOOLS, 'fsck.cramfs'), option, box.image_path),
                             stdout=full, stderr=subprocess.PIPE, text=True)
    equal(res.returncode, ERROR)
    contains(res.stderr, 'standard output: No space left')


# Lists --------------------------------------------------------------------------------------------

@test_each(*BOTH)
def fsck_lists_entries_as_ls_does(box, endian):
    res = check(box, sample(endian), '--list')
    equal((res.status, res.err), (OK, ''))
    equal(res.out.splitlines(), [
        'drwxr-xr-x     0   0      128 /',
        '-rw-r--r--     0   0     8202 /a',
        '-rwsr-xr-x    10  20      300 /b',
        'drwxr-xr-x     0   0       32 /d',
        '-rw-r--r--     0   0     4096 /d/e',
        'drwxr-xr-x     0   0        0 /d/f',
        'lrwxrwxrwx     0   0        3 /l -> d/e',
        'crw-------     0   0   5,   1 /n',
        'prw-------     0   0        0 /p',
        '-rwxr-xr-x     0   0     8200 /x',
        '-rwxr-xr-x     0   0     8200 /y'])


@test
def fsck_shows_special_permissions_as_ls_does(box):
    modes = (0o4644, 0o2610, 0o1001, 0o7777, 0o1700)
    nodes = [('%d' % i, file_node(b'', mode)) for i, mode in enumerate(modes)]
    nodes.append(('s', Node(stat.S_IFSOCK | 0o755)))
    nodes.append(('b', Node(stat.S_IFBLK | 0o755, rdev=0xfffe)))
    nodes.sort()
    out = check(box, Builder(dir_node(nodes)).build(), '--list').out
    equal([line.split()[0] for line in out.splitlines()[1:6]],
          [stat.filemode(stat.S_IFREG | mode) for mode in modes])
    contains(out, 'brwxr-xr-x     0   0 255, 254 /b\n')
    contains(out, 'srwxr-xr-x ')


@test
def fsck_lists_names_as_one_line(box):
    nodes = [(b'a\nb', link_node(b'x\ny')), (b'c\\d', file_node(b'')),
             (b'\xc3\xa9', file_node(b'')), (b'\xff', file_node(b''))]
    out = check(box, Builder(dir_node(nodes)).build(), '--list').out
    equal([line.split()[4:] for line in out.splitlines()[1:]],
          [['/a\\x0ab', '->', 'x\\x0ay'], ['/c\\\\d'], ['/é'], ['/\\xff']])


@test_each(*BOTH)
def fsck_lists_as_json(box, endian):
    res = check(box, sample(endian), '--list=json')
    equal((res.status, res.err), (OK, ''))
    got = json.loads(res.out)
    image = Image(sample(endian))
    equal({k: v for k, v in got.items() if k != 'entries'},
          {'size': image.size, 'offset': 0, 'block_size': 4096, 'name': 'test', 'edition': 0,
           'endianness': 'big' if endian == '>' else 'little', 'crc': '%08x' % image.crc,
           'files': image.files, 'blocks': image.blocks,
           'flags': ['fsid-version-2', 'sorted-dirs', 'ext-block-pointers']})
    by_path = {e['path']: e for e in got['entries']}
    equal(list(by_path), ['/', '/a', '/b', '/d', '/d/e', '/d/f', '/l', '/n', '/p', '/x', '/y'])
    equal(by_path['/b'], {'path': '/b', 'type': 'file', 'mode': '4755', 'uid': 10, 'gid': 20,
                          'size': 300})
    equal(by_path['/l'], {'path': '/l', 'type': 'symlink', 'mode': '0777', 'uid': 0, 'gid': 0,
                          'size': 3, 'target': 'd/e'})
    equal(by_path['/n'], {'path': '/n', 'type': 'char', 'mode': '0600', 'uid': 0, 'gid': 0,
                          'major': 5, 'minor': 1})


@test
def fsck_makes_json_of_all_names(box):
    names = sorted(bytes([c]) + bytes([d]) for c in range(1, 256) for d in (1, 0x22, 0x80, 0xbf)
                   if c != 0x2f)
    nodes = [(n, link_node(b'x' + n)) for n in names]
    entries = json.loads(check(box, Builder(dir_node(nodes)).build(), '--list=json').out)['entries']
    for name, entry in zip(names, entries[1:]):
        try:
            equal(entry['path'], '/' + name.decode())
            equal(entry['target'], 'x' + name.decode())
            equal('path_hex' in entry, False)
        except UnicodeDecodeError:
            equal(entry['path_hex'], (b'/' + name).hex())
            equal(entry['target_hex'], (b'x' + name).hex())


@test_each(*BOTH)
def fsck_writes_one_file(box, endian):
    box.write('image', bytes(sample(endian)))
    image = Image(sample(endian))
    for path in ('/a', 'a', '//d//e', 'd/e', 'x', 'y'):
        res = subprocess.run((os.path.join(harness.TOOLS, 'cramfsck'), '--cat', path,
                              box.image_path), stdout=subprocess.PIPE, check=True)
        equal(res.stdout, image.read(image.find(path.replace('//', '/'))), path)
    many = Builder(dir_node([
        (d, dir_node([(e, dir_node([('f', file_node((d + e).encode()))])) for e in 'abc']))
        for d in 'xyz']), endian).build()
    for path in ('x/a', 'x/c', 'y/b', 'z/a', 'z/c'):
        res = check(box, many, '--cat', path + '/f')
        equal((res.status, res.out), (OK, path.replace('/', '')), res.err)
    box.write('image', bytes(sample(endian)))
    for path, text in (('z', 'there is no z'), ('a/b', 'there is no a/b'), ('d', 'd is not a reg'),
                       ('/', 'is not a regular'), ('l', 'is not a regular'), ('d/.', 'there is no'),
                       ('a/', 'there is no a/'), ('d/', 'd/ is not a regular'),
                       ('d/../a', 'there is no'), ('n', 'is not a regular')):
        res = box.run('--cat', path, box.image_path, tool='fsck.cramfs')
        equal((res.status, res.out), (ERROR, ''), path)
        contains(res.err, text)


@test
def fsck_says_that_a_file_is_damaged_when_it_writes_it(box):
    data = one_file()
    block = Image(data).block(Image(data).find('f'), 2)
    data[block.offset + 10] ^= 1
    box.write('image', data)
    res = subprocess.run((os.path.join(harness.TOOLS, 'fsck.cramfs'), '--cat=f', box.image_path),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal((res.returncode, res.stdout), (BAD, TEXT[:2 * PAGE]))
    contains(res.stderr, b'f: compressed data are damaged')


def map_of(box, data):
    """(from, to, what) of each line; the lines must cover the image."""
    res = check(box, data, '--map', '-q')
    equal((res.status, res.err), (OK, ''))
    lines = []
    for line in res.out.splitlines():
        start, end, length, what = line.split(None, 3)
        equal(int(end, 16) - int(start, 16), int(length), line)
        equal(int(start, 16), lines[-1][1] if lines else 0, 'gap before ' + line)
        lines.append((int(start, 16), int(end, 16), what))
    equal(lines[-1][1], len(data), 'end')
    return lines


@test_each(*BOTH)
def fsck_maps_every_byte(box, endian):
    data = sample(endian, base=512)
    image = Image(data)
    lines = map_of(box, data)
    equal([what for _, _, what in lines[:5]],
          ['boot code', 'superblock', 'directory /', 'directory /d', 'pointers /a'])
    whats = {what: (start, end) for start, end, what in lines}
    entry = image.find('a')
    equal(whats['pointers /a'], (entry.offset, entry.offset + 12))
    first, last = image.block(entry, 0), image.block(entry, 2)
    equal(whats['compressed 0-2 /a'], (first.offset, last.offset + last.len))
    block = image.block(image.find('x'), 0)
    equal(whats['in place 0-2 /x'], (block.offset, block.offset + 2 * PAGE + 8))
    equal('compressed 0 /y' in whats and 'stored 1 /y' in whats, True, repr(whats))
    contains(lines[-1][2], 'padding')


@test
def fsck_maps_what_is_shared_inserted_or_unused(box):
    shared = Data(TEXT)
    flags = FSID_V2 | SORTED_DIRS | SHIFTED_ROOT
    data = bytearray(Builder(dir_node([
        ('a', file_node(shared)), ('b', file_node(shared)), ('c', file_node(shared)),
        ('d', file_node(Data(noise(PAGE) * 3 + b'x', 'X', same={1: 0, 2: 0}))),
        ]), root_offset=2048, flags=flags).build())
    data[-1] = 1
    whats = [what for _, _, what in map_of(box, reseal(data))]
    equal(whats[1], 'inserted file')
    contains(whats, 'pointers /a (and 2 more)')
    contains(whats, 'in place 0 /d (and 2 more)')
    contains(whats, 'unused')
    box.write('image', data + bytes(100))
    out = box.run('--map', '-q', box.image_path, tool='fsck.cramfs').out
    contains(out.splitlines()[-1], ' 100 after the image')


@test
def fsck_maps_as_in_place_what_can_be_mapped(box):
    data = one_file('X', noise(PAGE + 8))
    end = map_of(box, data)[-2][1]
    data[end + 1000] = 1
    contains([what for _, _, what in map_of(box, reseal(data))], 'stored 1 /f')
    # The rest of the page has to be there.
    contains([what for _, _, what in map_of(box, put_super(data[:end + 4], SIZE, end + 4))],
             'stored 1 /f')


@test
def fsck_maps_blocks_in_their_order_in_the_image(box):
    data = one_file('X', noise(4 * PAGE + 8), order=(0, 2, 1, 3, 4))
    equal([what for _, _, what in map_of(box, data) if 'in place' in what],
          ['in place 0 /f', 'in place 2 /f', 'in place 1 /f', 'in place 3-4 /f'])
    # The next block in the image is another file's, though its number is the next one.
    content = noise(3 * PAGE + 8)
    data = bytearray(Builder(dir_node([('a', file_node(Data(content, 'X'))),
                                       ('b', file_node(Data(content, 'X')))])).build())
    at = Image(data).block(Image(data).find('a'), 0).offset
    put_inode(data, '/a', size=PAGE)
    put_pointer(data, 'b', 1, PTR_DIRECT | PTR_STORED | at + PAGE >> 2)
    whats = [what for _, _, what in map_of(box, data)]
    equal(whats[whats.index('in place 0 /a') + 1], 'in place 1 /b')


@test
def fsck_maps_a_bad_image_and_says_so(box):
    wrong(box, put_pointer(one_file(), 'f', 1, 4), '/f: block 1: ', BAD, '--map')


@test
def fsck_maps_images_of_mkcramfs(box):
    nasty_tree(box)
    box.make('-X -X')
    with open(box.image_path, 'rb') as image:
        data = image.read()
    whats = [what for _, _, what in map_of(box, data)]
    equal(any(what.startswith('in place ') for what in whats), True)
    equal([what for what in whats if what == 'unused'], [])


# Extraction ---------------------------------------------------------------------------------------

def tree_of(top):
    """{path: (mode, size or target, contents)} of a directory."""
    top = os.fsencode(top)
    found = {}
    for where, dirs, files in os.walk(top):
        for name in [b''] * (where == top) + dirs + files:
            path = os.path.join(where, name) if name else where
            st = os.lstat(path)
            what = None
            if stat.S_ISREG(st.st_mode):
                if st.st_mode & 0o400 or ROOT:
                    with open(path, 'rb') as f:
                        what = f.read()
            elif stat.S_ISLNK(st.st_mode):
                what = os.readlink(path)
            # As a user, the image's owners, and what goes with them, cannot be restored.
            mask = -1 if ROOT or not stat.S_ISREG(st.st_mode) else ~(stat.S_ISUID | stat.S_ISGID)
            found[os.path.relpath(path, top)] = (oct(st.st_mode & mask), what)
    return found


@test_each('', '-X -X', '-U', '-p')
def fsck_extracts_what_the_image_was_made_of(box, options):
    nasty_tree(box)
    before = tree_of(box.tree)
    box.make(options)
    res = box.run('-x', box.path('out'), box.image_path, tool='cramfsck')
    equal(res.status, OK, res.err)
    if ROOT:
        equal(res.err, '')
    equal(tree_of(box.path('out')), before)


@test
def fsck_extracts_into_an_empty_directory(box):
    os.mkdir(box.path('out'))
    equal(check(box, sample(), '--extract=' + box.path('out')).status, OK)
    equal('a' in os.listdir(box.path('out')), True)
    # It is not empty any more.
    res = check(box, sample(), '--extract=' + box.path('out'))
    equal(res.status, ERROR)
    contains(res.err, 'directory is not empty')


@test
def fsck_leaves_a_directory_that_it_refuses_as_it_was(box):
    os.mkdir(box.path('out'))
    os.symlink('out', box.path('link'))
    box.write('out/file', b'')
    if ROOT:
        os.chown(box.path('out'), NOBODY, NOBODY)
    os.chmod(box.path('out'), 0o1777)
    before = os.stat(box.path('out'))
    for name in ('out', 'link'):
        res = check(box, sample(), '-x', box.path(name))
        equal(res.status, ERROR)
        contains(res.err, 'directory is not empty')
        after = os.stat(box.path('out'))
        equal((oct(after.st_mode), after.st_uid, after.st_ctime_ns),
              (oct(before.st_mode), before.st_uid, before.st_ctime_ns), name)


@test
def fsck_looks_again_when_the_directory_is_its_own(box):
    os.mkdir(box.path('out'))
    os.chmod(box.path('out'), 0o1777)
    res = check(box, sample(), '-x', box.path('out'),
                shim={'SHIM_AT': 'fchmod', 'SHIM_GROW': box.path('out/planted')})
    equal(res.status, ERROR)
    contains(res.err, 'directory is not empty any more')
    equal(oct(os.stat(box.path('out')).st_mode), oct(0o41777))
    equal(os.listdir(box.path('out')), ['planted'])


@test
def fsck_needs_somewhere_to_extract_to(box):
    box.write('file', b'')
    for path in ('file', 'no/such/directory'):
        res = check(box, sample(), '-x', box.path(path))
        equal(res.status, ERROR)
        contains(res.err, box.path(path))


def extracted(box, data, left_out, why):
    """Extract a bad image; the names that there are then, all other entries being LEFT_OUT."""
    res = check(box, data, '-v', '-x', box.path('out'))
    equal(res.status, BAD, res.err)
    message = '%d entries with errors are left out: %s; the first is ' % (left_out, why)
    equal(message in res.err, bool(left_out), res.err)
    names = sorted(path.decode() for path in tree_of(box.path('out')))
    listed = [re.search(' (/[^ ]*)( -> .*)?$', line)[1] for line in res.out.splitlines()[1:]]
    equal(sorted(listed), sorted('/' + name.strip('.') for name in names))
    shutil.rmtree(box.path('out'))
    return names


ALL = sorted(('.', 'a', 'b', 'd', 'd/e', 'd/f', 'l', 'n', 'p', 'x', 'y'))


@test
def fsck_extracts_what_is_sound_of_a_bad_image(box):
    without = lambda *names: [name for name in ALL if name not in names]
    data = sample()
    block = Image(data).block(Image(data).find('/d/e'), 0)
    data[block.offset + 20] ^= 1
    equal(extracted(box, reseal(data), 1, 'compressed data are damaged'), without('d/e'))
    equal(extracted(box, put_inode(sample(), '/p', mode=0o644), 1, 'unknown type of file'),
          without('p'))
    equal(extracted(box, put_inode(sample(), '/l', size=5000), 1, 'symbolic link is too long'),
          without('l'))
    equal(extracted(box, put_name(sample(), '/d', b'..'), 1, 'reserved name'),
          without('d', 'd/e', 'd/f'))
    equal(extracted(box, put_name(sample(), '/y', b'x'), 1, 'File exists'), without('y'))
    equal(extracted(box, put_name(sample(), '/b', b'd'), 1, 'File exists'),
          without('b', 'd/e', 'd/f'))
    root = Image(sample()).find('/')
    equal(extracted(box, put_inode(sample(), '/d/f', offset=root.offset, size=root.size), 1,
                    'directory is not to be read'), without('d/f'))


@test
def fsck_extracts_no_data_that_overlap(box):
    image = Image(sample())
    block = image.block(image.find('/x'), 1)
    data = put_pointer(sample(), 'y', 1, PTR_DIRECT | PTR_STORED | block.offset + 8 >> 2)
    equal([name for name in ALL if name not in extracted(box, data, 1, 'its data overlap others')]
          in (['x'], ['y']), True)
    data = put_inode(sample(), '/b', offset=image.find('/a').offset + 4, size=300)
    equal(extracted(box, data, 1, 'its data overlap others'),
          [name for name in ALL if name != 'b'])


@test
def fsck_extracts_all_if_what_is_wrong_leaves_no_doubt(box):
    image = Image(sample())
    data = sample()
    data[-1] = 1
    for bad in (data, put_super(sample(), FILES, image.files + 1),
                put_super(sample(), BLOCKS, image.blocks + 1),
                put_inode(sample(), '/n', size=0x10501)):
        equal(extracted(box, bad, 0, ''), ALL)
    unsorted = dir_node([('b', file_node(b'b')), ('a', file_node(b'a'))])
    equal(extracted(box, Builder(unsorted).build(), 0, ''), ['.', 'a', 'b'])
    padded = dir_node([(b'abcd\0', file_node(b'a'))])
    equal(extracted(box, Builder(padded).build(), 0, ''), ['.', 'abcd'])
    # Files of one content and two modes, as mkfs.cramfs of util-linux makes them every day
    box.file('a', b'same', 0o600)
    box.file('b', b'same', 0o644)
    subprocess.run((peer(), box.tree, box.image_path), check=True)
    res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs')
    equal(res.status, BAD)
    contains(res.err, '/b: shares the data, but not the permissions, of /a')
    equal([oct(os.stat(box.path('out/' + name)).st_mode) for name in 'ab'],
          [oct(0o100600), oct(0o100644)])


@test
def fsck_extracts_nothing_of_an_image_without_a_root(box):
    data = put_inode(sample(), '/', size=1 << 23)
    wrong(box, data, 'nothing can be extracted', BAD, '-x', box.path('out'))
    equal(os.path.exists(box.path('out')), False)


@test
def fsck_says_what_is_left_out_however_many_errors_there_are(box):
    many = [('%03d/' % i, file_node(b'')) for i in range(150)]
    res = wrong(box, Builder(dir_node(many)).build(), '150 entries with errors are left out', BAD,
                '-x', box.path('out'))
    contains(res.err, ': 50 more errors\n')


@test
def fsck_restores_times_as_a_mounted_image_has_them(box):
    check(box, sample(), '-x', box.path('out'))
    for name in ('a', 'd', 'd/e', 'd/f', 'l', 'p', ''):
        equal(os.lstat(box.path('out/' + name)).st_mtime, 0, name)


@test
def fsck_restores_permissions_whatever_the_umask(box):
    modes = {'d': stat.S_IFDIR | 0o1777, 'f': stat.S_IFREG | 0o666, 'p': stat.S_IFIFO | 0o666}
    nodes = [(name, Node(mode)) for name, mode in modes.items()]
    res = check(box, Builder(dir_node(nodes, 0o777)).build(), '-x', box.path('out'), umask=0o077)
    equal(res.status, OK)
    for name, mode in list(modes.items()) + [('', stat.S_IFDIR | 0o777)]:
        equal(oct(os.lstat(box.path('out/' + name)).st_mode), oct(mode), name)


@test
def fsck_restores_holes(box):
    data = one_file('zhh', prose(PAGE) + bytes(2 * PAGE))
    equal(check(box, data, '-x', box.path('out')).status, OK)
    st = os.stat(box.path('out/f'))
    equal((st.st_size, st.st_blocks <= 8), (3 * PAGE, True))


@test
def fsck_restores_owners_and_devices_as_root(box):
    if not ROOT:
        raise Skip('not root')
    data = put_inode(put_inode(sample(), '/l', uid=7, gid=8), '/d', uid=3, gid=4, mode=0o42750)
    put_inode(data, '/n', uid=5, gid=6, mode=stat.S_IFCHR | 0o4620)
    put_inode(data, '/', uid=1, gid=2, mode=0o41711)
    res = check(box, data, '-x', box.path('out'))
    equal((res.status, res.err), (OK, ''))
    for name, mode, uid, gid in (('', 0o41711, 1, 2), ('b', 0o104755, 10, 20),
                                 ('d', 0o42750, 3, 4), ('l', 0o120777, 7, 8),
                                 ('n', 0o24620, 5, 6), ('p', 0o10600, 0, 0)):
        st = os.lstat(box.path('out/' + name))
        equal((oct(st.st_mode), st.st_uid, st.st_gid), (oct(mode), uid, gid), name)
    equal(os.lstat(box.path('out/n')).st_rdev, os.makedev(5, 1))


@test
def fsck_says_what_a_user_cannot_restore(box):
    data = put_inode(sample(), '/a', gid=5, mode=stat.S_IFREG | 0o2755)
    put_inode(data, '/d', gid=5, mode=stat.S_IFDIR | 0o3755)
    res = check(box, data, '-x', box.path('out'), nobody=True)
    equal(res.status, OK, res.err)
    contains(res.err, 'warning: 1 device nodes, FIFOs or links could not be made: Operation not '
             'permitted; the first is /n\n')
    contains(res.err, 'entries could not be given their owner: Operation not permitted; the first '
             'is /')
    contains(res.err, 'warning: 2 entries are without set-user-ID or set-group-ID')
    contains(res.err, 'the first is /a\n')
    equal(os.path.lexists(box.path('out/n')), False)
    # The bits that would give the extracting user's rights to others
    for name in 'ab':
        equal(oct(os.stat(box.path('out/' + name)).st_mode), oct(0o100755), name)
    # On a directory, they give no rights.
    equal(oct(os.stat(box.path('out/d')).st_mode), oct(0o43755))
    equal(len(os.listdir(box.path('out'))), 7)


@test
def fsck_lets_a_user_extract_into_the_directory_of_another(box):
    if not ROOT:
        raise Skip('not root')
    os.mkdir(box.path('out'))
    os.chmod(box.path('out'), 0o777)
    res = check(box, sample(), '-x', box.path('out'), nobody=True)
    equal(res.status, OK, res.err)
    contains(res.err, '1 entries could not be given their permissions or times: Operation not '
             'permitted; the first is /\n')
    equal(len(os.listdir(box.path('out'))), 7)


@test
def fsck_extracts_an_image_with_nothing_in_it(box):
    equal(check(box, Builder(dir_node(mode=0o1750)).build(), '-x', box.path('out')).status, OK)
    equal(oct(os.stat(box.path('out')).st_mode), oct(0o41750))


@test
def fsck_gives_a_user_what_is_the_users(box):
    if not ROOT:
        raise Skip('not root')
    data = put_inode(sample(), '/a', gid=201, mode=stat.S_IFREG | 0o6755)
    box.write('image', put_inode(data, '/b', uid=200, gid=201))
    res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs', user=200, group=100,
                  extra_groups=[201])
    st = os.stat(box.path('out/b'))
    equal((oct(st.st_mode), st.st_uid, st.st_gid), (oct(0o104755), 200, 201), res.err)
    st = os.stat(box.path('out/a'))
    equal((oct(st.st_mode), st.st_uid, st.st_gid), (oct(0o102755), 200, 201), res.err)


@test
def fsck_fails_as_root_if_it_cannot_restore(box):
    if not ROOT or not shutil.which('unshare'):
        raise Skip('not root, or no unshare')
    box.write('image', sample())
    # Root of a user namespace with one user
    res = subprocess.run(('unshare', '-r', os.path.join(harness.TOOLS, 'fsck.cramfs'), '-x',
                          box.path('out'), box.image_path), stderr=subprocess.PIPE, text=True)
    if 'unshare failed' in res.stderr:
        raise Skip(res.stderr)
    equal(res.returncode, ERROR, res.stderr)
    contains(res.stderr, '1 device nodes, FIFOs or links could not be made')
    contains(res.stderr, '1 entries could not be given their owner')
    # All the same, everything else is there.
    equal(sorted(os.listdir(box.path('out'))), ['a', 'b', 'd', 'l', 'p', 'x', 'y'])


@test
def fsck_extracts_to_a_file_system_that_lacks_something(box):
    data = put_inode(sample(), '/p', mode=stat.S_IFIFO | 0o1600)
    res = check(box, data, '-x', box.path('out'), shim={'SHIM_POOR': '1'})
    equal(res.status, ERROR if ROOT else OK, res.err)
    lacks = ['links could not be made: Operation not permitted; the first is /l',
             'given their owner: Operation not supported; the first is /b',
             'given their permissions or times: Operation not supported; the first is /p']
    for text in lacks if ROOT else lacks[2:]:
        contains(res.err, text)
    equal([name for name in ALL[1:] if not os.path.lexists(box.path('out/' + name))],
          ['l'] if ROOT else ['l', 'n'])


@test
def fsck_extracts_deep_directories_with_few_descriptors(box):
    top = node = dir_node()
    for _ in range(300):
        down = dir_node()
        node.children = [('a' * 100, down), ('b', file_node(b'b'))]
        node = down
    node.children = [('end', file_node(b'end'))]

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))
    box.write('image', Builder(top).build())
    res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs', preexec_fn=few)
    equal(res.status, OK, res.err)
    fd = os.open(box.path('out'), os.O_RDONLY)
    for _ in range(300):
        equal(sorted(os.listdir(fd)), ['a' * 100, 'b'])
        down = os.open('a' * 100, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = down
    equal(os.listdir(fd), ['end'])
    os.close(fd)
    shutil.rmtree(box.path('out'))


@test
def fsck_extracts_nothing_outside_of_the_directory(box):
    os.mkdir(box.path('target'))
    evil = file_node(b'evil')
    for children in (
            # A link and a directory of one name: what is in the directory would go to the target.
            [('a', link_node(box.path('target').encode())), ('a', dir_node([('f', evil)]))],
            [('a', link_node(b'../target/f')), ('a', evil)],
            [('..', dir_node([('target', dir_node([('f', evil)]))]))],
            [('../target/f', evil)],
            [(box.path('target/f'), evil)],
            [('d', dir_node([('../../target/f', evil)]))]):
        res = check(box, Builder(dir_node(children), flags=FSID_V2).build(), '-x', box.path('out'))
        equal(res.status, BAD, res.err)
        equal(os.listdir(box.path('target')), [])
        equal(res.err.count(' 1 entries with errors are left out: '), 1, res.err)
        shutil.rmtree(box.path('out'))


@test
def fsck_does_not_trust_an_image_that_changes_meanwhile(box):
    # The check has seen a good image; the extraction does not. What is before the noise is not
    # kept in memory from one to the other.
    def build(first, second):
        return bytearray(Builder(dir_node([('a', first), second, ('c', file_node(noise(500000)))]))
                         .build())
    directory = dir_node([('f', file_node(b'evil'))])
    good = build(directory, ('b', dir_node([('g', file_node(b'evil')), ('h', file_node(b'e'))])))
    os.mkdir(box.path('target'))
    link = build(link_node(box.path('target').encode()), ('a', directory))
    for bad, text in ((put_name(bytearray(good), '/b/g', b'..\0\0'), 'reserved name'),
                      (put_name(bytearray(good), '/b/g', b'/etc'), 'slash in the name'),
                      (put_name(bytearray(good), '/b/h', b'g\0\0\0'), 'File exists'),
                      (put_name(bytearray(good), '/b', b'a\0\0\0'), 'File exists'),
                      (link, None)):
        shutil.rmtree(box.path('out'), ignore_errors=True)
        box.write('image', good)
        box.write('bad', bad)
        res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs',
                      shim={'SHIM_MKDIR_FROM': box.path('bad'), 'SHIM_MKDIR_TO': box.image_path})
        equal(os.listdir(box.path('target')), [])
        if text:
            equal(res.status, ERROR, res.err)
            contains(res.err, text)
            contains(res.err, 'the extraction is incomplete')


@test
def fsck_says_that_an_extraction_is_incomplete(box):
    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    box.write('image', sample())
    res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs', preexec_fn=small)
    equal(res.status, ERROR)
    contains(res.err, '/a: File too large')
    contains(res.err, 'the extraction is incomplete')
    # While they are not done, they are nobody else's.
    shutil.rmtree(box.path('out'))
    tree = dir_node([('d', dir_node([('f', file_node(noise(8000), 0o4777))], 0o777))])
    check(box, Builder(tree).build(), '-x', box.path('out'), preexec_fn=small, umask=0)
    equal([oct(os.stat(box.path(name)).st_mode) for name in ('out', 'out/d', 'out/d/f')],
          [oct(0o40700), oct(0o40700), oct(0o100600)])


@test_each('link', 'file')
def fsck_does_not_write_to_what_has_been_planted(box, planted):
    box.write('target', b'old')
    if planted == 'link':
        os.symlink(box.path('target'), box.path('planted'))
    else:
        os.link(box.path('target'), box.path('planted'))
    tree = dir_node([('d', dir_node()), ('e', file_node(b'new'))])
    res = check(box, Builder(tree).build(), '-x', box.path('out'),
                shim={'SHIM_MKDIRAT': 'd', 'SHIM_MOVE_FROM': box.path('planted'),
                      'SHIM_MOVE_TO': box.path('out/e')})
    equal(res.status, ERROR)
    contains(res.err, '/e: File exists')
    with open(box.path('target')) as f:
        equal(f.read(), 'old')


@test
def fsck_notices_that_a_directory_is_moved_meanwhile(box):
    inner = dir_node([('c', dir_node([('d', file_node(b'd'))])), ('e', file_node(b'e'))])
    os.mkdir(box.path('target'))
    tree = dir_node([('a', dir_node([('b', inner), ('z', file_node(b'z'))]))])
    res = check(box, Builder(tree).build(), '-x', box.path('out'),
                shim={'SHIM_MKDIRAT': 'c', 'SHIM_MOVE_FROM': box.path('out/a/b'),
                      'SHIM_MOVE_TO': box.path('target/b')})
    equal(res.status, ERROR)
    contains(res.err, '/a/b: somebody has moved the directory meanwhile')
    # Otherwise z would be beside b.
    equal(os.listdir(box.path('target')), ['b'])


@test
def fsck_keeps_others_out_of_the_directory_while_it_is_filled(box):
    if not ROOT:
        raise Skip('not root')
    os.mkdir(box.path('out'))
    os.chown(box.path('out'), NOBODY, NOBODY)
    os.chmod(box.path('out'), 0o777)
    box.write('image', sample())
    res = box.run('-x', box.path('out'), box.image_path, tool='fsck.cramfs',
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))
    equal(res.status in (ERROR, -signal.SIGXFSZ), True, res.err)
    st = os.stat(box.path('out'))
    equal((oct(st.st_mode), st.st_uid), (oct(0o40700), 0))


@test
def fsck_notices_a_full_file_system(box):
    box.file('a', noise(1 << 20))
    box.make()
    os.mkdir(box.path('small'))
    script = ('mount -t tmpfs -o size=256k none "$1" || exit 77; "$2" -x "$1/out" "$3"; '
              'echo status $?')
    for unshare in (('unshare', '-m'), ('unshare', '-rm')):
        res = subprocess.run((*unshare, 'sh', '-c', script, 'sh', box.path('small'),
                              os.path.join(harness.TOOLS, 'fsck.cramfs'), box.image_path),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if res.returncode == 0:
            break
    else:
        raise Skip('nothing can be mounted here')
    equal(res.stdout, 'status 8\n')
    contains(res.stderr, '/a: No space left on device')
    contains(res.stderr, 'the extraction is incomplete')
