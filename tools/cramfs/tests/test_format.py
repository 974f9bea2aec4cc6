# SPDX-License-Identifier: GPL-2.0-only
"""The superblock, the feature flags, the options that set them, and the layout."""

import os
import subprocess
import sys

from cramfs_image import EXT_POINTERS, FSID_V2, HOLES, PAGE, SHIFTED_ROOT, SORTED_DIRS
from harness import (ALL_FORMS, Skip, contains, elf, equal, nasty_tree, noise, prose, test,
                     test_each, R, X)

PLAIN = FSID_V2 | SORTED_DIRS


@test
def default_image_needs_holes_of_the_kernel_only(box):
    """Compressible, incompressible and zero blocks and ELF files: 2.3.39 must read all."""
    equal(nasty_tree(box).make().flags, PLAIN | HOLES)


@test
def image_without_holes_needs_no_feature_of_the_kernel(box):
    equal(nasty_tree(box).make('--no-holes').flags, PLAIN)


@test_each(('-z', HOLES), ('-x --no-holes', EXT_POINTERS), ('-X --no-holes', EXT_POINTERS),
           ('-X -X --no-holes', EXT_POINTERS), ('-x', EXT_POINTERS | HOLES))
def sets_the_flag_of_what_is_used(box, case):
    options, flags = case
    equal(nasty_tree(box).make(options).flags, PLAIN | flags)


@test_each('-z', '-x', '-X', '-X -X')
def sets_no_flag_of_what_is_not_used(box, options):
    box.file('a', prose(9000))
    equal(box.make(options).flags, PLAIN)


@test
def makes_a_little_endian_image_with_L(box):
    equal(box.make('-L').data[:4], bytes.fromhex('453dcd28'))


@test
def makes_a_big_endian_image_with_B(box):
    equal(box.make('-B').data[:4], bytes.fromhex('28cd3d45'))


@test
def makes_an_image_of_the_host_by_default(box):
    equal(box.make_bytes() == box.make_bytes('-L' if sys.byteorder == 'little' else '-B'), True)


@test
def takes_the_last_of_B_and_L(box):
    equal(box.make('-B -L').data[:4], bytes.fromhex('453dcd28'))


@test
def pads_512_bytes_with_p(box):
    box.file('a', b'a')
    image = box.make('-p')
    equal((image.base, image.data[:512], image.root.offset), (512, bytes(512), 512 + 76))


@test_each(0, 1, 3, 4, 70001)
def inserts_a_file_after_the_superblock(box, size):
    content = noise(size)
    box.file('a', b'a')
    box.write('boot', content)
    image = box.make('-i ' + box.path('boot'))
    equal(image.data[76:76 + size], content)
    equal(image.root.offset, 76 + (size + 3) // 4 * 4)
    equal(bool(image.flags & SHIFTED_ROOT), size > 0)


@test
def writes_edition_and_name(box):
    image = box.make('-e 4294967295 -n sixteen.bytes.ok')
    equal((image.edition, image.name), (4294967295, b'sixteen.bytes.ok'))


@test
def has_edition_0_and_the_peers_name_by_default(box):
    image = box.make()
    equal((image.edition, image.name), (0, b'Compressed'.ljust(16, b'\0')))


@test
def counts_files_and_blocks(box):
    """Blocks that entries share count once, as peers have it."""
    box.file('a', prose(PAGE + 1))
    box.file('b', prose(PAGE + 1))
    box.file('dir/c', b'c')
    os.symlink('x', box.in_tree('l'))
    image = box.make()
    equal((image.files, image.blocks), (6, 4))


@test_each(*ALL_FORMS)
def is_a_whole_number_of_pages(box, options):
    image = nasty_tree(box).make(options)
    equal((len(image.data) % PAGE, image.size), (0, len(image.data)))


@test
def takes_options_after_the_operands(box):
    box.file('a', b'a')
    res = box.run(box.tree, box.image_path, '-q', '-n', 'late')
    equal((res.status, box.image().name[:5]), (0, b'late\0'))


@test
def takes_a_leading_dash_after_two(box):
    os.rename(box.tree, box.path('-tree'))
    res = box.run('-q', '--', '-tree', '-image', cwd=box.dir)
    equal((res.status, res.err), (0, ''))
    equal(os.path.exists(box.path('-image')), True)


@test
def accepts_s_and_changes_nothing(box):
    box.file('a', b'a')
    equal(box.make_bytes('-s') == box.make_bytes(), True)


@test
def prints_help_with_h(box):
    res = box.run('-h')
    equal((res.status, res.err, res.out[:6]), (0, '', 'usage:'))


@test
def replaces_the_output_by_a_new_file(box):
    """Who has the old image open, or linked, keeps it."""
    box.write('image', b'old')
    os.link(box.image_path, box.path('link'))
    box.make()
    with open(box.path('link'), 'rb') as f:
        equal(f.read(), b'old')


@test
def follows_a_symlink_to_the_output(box):
    os.mkdir(box.path('dir'))
    box.write('dir/real', b'old')
    os.symlink('dir/real', box.image_path)
    box.make()
    equal(os.path.islink(box.image_path), True)


@test
def follows_a_symlink_to_an_output_that_is_not_there(box):
    os.mkdir(box.path('dir'))
    os.symlink('real', box.path('dir/link'))
    os.symlink('dir/link', box.image_path)
    box.make()
    equal((os.readlink(box.image_path), sorted(os.listdir(box.path('dir'))),
           os.path.islink(box.path('dir/real'))), ('dir/link', ['link', 'real'], False))


@test
def gives_the_output_the_mode_of_the_umask(box):
    box.make(umask=0o027)
    equal(oct(os.stat(box.image_path).st_mode & 0o777), oct(0o640))


@test
def writes_to_a_pipe(box):
    nasty_tree(box)
    want = box.make_bytes('-X -X')
    out = box.path('fifo')
    os.mkfifo(out)
    with open(box.path('copy'), 'wb') as copy:
        with subprocess.Popen(('cat', out), stdout=copy):
            res = box.run('-q', '-X', '-X', box.tree, out, env={'TMPDIR': box.dir})
    equal((res.status, res.err), (0, ''))
    with open(box.path('copy'), 'rb') as copy:
        equal(copy.read() == want, True, 'bytes')
    equal(sorted(os.listdir(box.dir)), ['copy', 'fifo', 'image', 'tree'])


@test
def makes_holes_of_zero_blocks(box):
    box.file('a', noise(PAGE) + bytes(PAGE) + noise(PAGE) + bytes(10))
    image = box.make()
    equal(''.join(b.letter for b in image.block_list(image.find('a'))), 'zhzh')


@test_each('--no-holes', '-x -z --no-holes', '--compat util-linux')
def makes_no_holes_if_told_not_to(box, options):
    box.file('a', bytes(3 * PAGE))
    image = box.make(options)
    equal([b.kind for b in image.block_list(image.find('a'))], ['deflated'] * 3)


@test
def stores_what_does_not_shrink_with_x(box):
    box.file('a', noise(PAGE, 1) + prose(PAGE) + noise(PAGE, 2))
    image = box.make('-x')
    equal(''.join(b.letter for b in image.block_list(image.find('a'))), 'szs')
    equal(image.block(image.find('a'), 0).len, PAGE)


@test
def deflates_what_does_not_shrink_without_x(box):
    """Kernels before 4.15 know of nothing else."""
    box.file('a', noise(PAGE))
    image = box.make()
    equal(image.block(image.find('a'), 0).kind, 'deflated')


@test
def default_image_follows_the_order_of_the_format(box):
    """Superblock, directories width first, then the data in the order of a walk."""
    for name in ('b/y', 'b/x', 'a/z', 'c'):
        box.file(name, name.encode())
    image = box.make()
    paths = [e.path for e in sorted(image.walk(), key=lambda e: e.at)][1:]
    equal(paths, [b'/a', b'/b', b'/c', b'/a/z', b'/b/x', b'/b/y'])
    data = [e.path for e in sorted(image.walk(), key=lambda e: e.offset) if e.has_data]
    equal(data, [b'/a/z', b'/b/x', b'/b/y', b'/c'])


@test
def direct_length_has_the_byte_order_of_the_image(box):
    """A deflated block after a stored one has its length before it."""
    box.file('a', elf([(R | X, 0, PAGE)], PAGE) + prose(2 * PAGE))
    for options in ('-L -X', '-B -X'):
        image = box.make(options)
        equal(''.join(b.letter for b in image.block_list(image.find('a')))[1], 'Z', options)


@test
def keeps_the_mode_of_an_output_that_is_replaced(box):
    os.chmod(box.write('image', b'old'), 0o600)
    box.make(umask=0o022)
    equal(oct(os.stat(box.image_path).st_mode & 0o777), oct(0o600))
    os.chmod(box.image_path, 0o666)
    box.make(umask=0o077)
    equal(oct(os.stat(box.image_path).st_mode & 0o777), oct(0o666))


@test
def prints_no_control_characters_with_v_v(box):
    nasty_tree(box)
    res = box.run('-q', '-v', '-v', box.tree, box.image_path)
    equal([c for c in set(res.out) if (c < ' ' and c != '\n') or c == '\x7f'], [])


class Loop:
    """A block device of SIZE bytes, with something in it."""

    def __init__(self, box, size):
        self.path = None
        os.truncate(box.write('disk', b'precious' * 64), size)
        res = subprocess.run(('losetup', '-f', '--show', box.path('disk')), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if res.returncode:
            raise Skip('there are no loop devices for us')
        self.path = res.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        subprocess.run(('losetup', '-d', self.path), check=True)

    def content(self, size):
        with open(self.path, 'rb') as f:
            return f.read(size)


@test
def writes_to_a_block_device(box):
    nasty_tree(box)
    want = box.make_bytes('-X -X')
    with Loop(box, 1 << 20) as loop:
        res = box.run('-q', '-X', '-X', box.tree, loop.path)
        equal((res.status, res.err), (0, ''))
        equal(loop.content(len(want)) == want, True, 'bytes')


@test
def leaves_a_block_device_alone_that_is_too_small(box):
    box.file('a', noise(200000))
    with Loop(box, 128 << 10) as loop:
        res = box.run('-q', box.tree, loop.path)
        equal(res.status, 8)
        contains(res.err, ': has 131072 bytes, the image 20')
        equal(loop.content(512), b'precious' * 64)


@test
def leaves_a_block_device_alone_that_is_in_use(box):
    with Loop(box, 1 << 20) as loop:
        fd = os.open(loop.path, os.O_RDONLY | os.O_EXCL)
        res = box.run('-q', box.tree, loop.path)
        os.close(fd)
        equal(res.status, 8)
        contains(res.err, loop.path + ': Device or resource busy')
        equal(loop.content(512), b'precious' * 64)
