# SPDX-License-Identifier: GPL-2.0-only
"""What goes in comes out: trees, names, contents, sharing of data, and sameness of images."""

import os
import stat
import subprocess

from cramfs_image import HOLES, PAGE
from harness import (ALL_FORMS, contains, elf_files, equal, fsck, nasty_tree, noise, prose,
                     same_as_tree, test, test_each)


@test_each(*ALL_FORMS, '-B', '-B --no-holes', '-B -X -X', '-L', '-L -X')
def round_trip(box, options):
    same_as_tree(box, nasty_tree(box).make(options))


@test_each('', '-i', '-p -i', '-p -i -X -X')
def round_trip_with_an_inserted_file(box, options):
    box.write('boot', noise(70001))
    nasty_tree(box)
    same_as_tree(box, box.make(options.replace('-i', '-i ' + box.path('boot'))))


@test
def holds_the_empty_directory(box):
    image = box.make()
    equal((image.files, image.root.size, len(image.data)), (1, 0, PAGE))
    same_as_tree(box, image)


@test_each('', '--no-holes', '-X -X')
def holds_files_of_16_MiB_less_1(box, options):
    size = (1 << 24) - 1
    box.file('text', prose(1 << 16) * 256)
    os.truncate(box.in_tree('text'), size)
    box.file('sparse', b'x')
    os.truncate(box.in_tree('sparse'), size)
    image = box.make(options)
    same_as_tree(box, image)
    equal(image.find('sparse').size, size)
    equal(bool(image.flags & HOLES), options != '--no-holes')


@test
def finds_hard_links_to_be_the_same_data(box):
    box.file('a', noise(5000))
    os.link(box.in_tree('a'), box.in_tree('b'))
    image = box.make()
    equal(image.find('a').offset, image.find('b').offset)


@test
def stores_equal_files_once(box):
    content = noise(50000)
    for i in range(20):
        box.file('%d/f' % i, content)
    image = box.make()
    equal(len({image.find('%d/f' % i).offset for i in range(20)}), 1, 'places')
    equal(len(image.data) < 60000, True, 'small image')


@test
def stores_equal_symlinks_once(box):
    for name in 'ab':
        os.symlink('target', box.in_tree(name))
    image = box.make()
    equal(image.find('a').offset, image.find('b').offset)


@test
def shares_data_only_among_equal_modes(box):
    """The unmodified driver would show one mode for both."""
    box.file('a', noise(5000), 0o600)
    box.file('b', noise(5000), 0o4755)
    image = box.make()
    equal(image.find('a').offset != image.find('b').offset, True, 'apart')
    same_as_tree(box, image)


@test_each('uid', 'gid')
def shares_data_only_among_equal_owners(box, field):
    box.file('a', noise(5000))
    box.file('b', noise(5000))
    table = box.write('table', '/a f 644 1 1\n/b f 644 %s\n' % {'uid': '2 1', 'gid': '1 2'}[field])
    image = box.make('-D ' + table)
    equal(image.find('a').offset != image.find('b').offset, True, 'apart')


@test
def shares_no_data_between_a_file_and_a_symlink(box):
    os.symlink('target', box.in_tree('a'))
    box.file('b', b'target', 0o777)
    image = box.make()
    equal(image.find('a').offset != image.find('b').offset, True, 'apart')


@test
def tells_files_apart_that_have_the_same_crc(box):
    """Two messages with one CRC-32, made by solving for the last four bytes."""
    import zlib
    goal = zlib.crc32(b'first message...' + b'abcd')
    # The CRC of a fixed prefix is an affine function of the last 32 bits.
    base = zlib.crc32(b'other message...' + bytes(4))
    columns = [zlib.crc32(b'other message...' + (1 << i).to_bytes(4, 'little')) ^ base
               for i in range(32)]
    need, tail = goal ^ base, 0
    rows = [(c, 1 << i) for i, c in enumerate(columns)]
    for bit in range(32):
        pivot = next(r for r in rows if r[0] >> bit & 1)
        rows.remove(pivot)
        rows = [(c ^ pivot[0], m ^ pivot[1]) if c >> bit & 1 else (c, m) for c, m in rows]
        if need >> bit & 1:
            need ^= pivot[0]
            tail ^= pivot[1]
    box.file('a', b'first message...' + b'abcd')
    box.file('b', b'other message...' + tail.to_bytes(4, 'little'))
    box.file('c', b'first message...' + b'abcd')
    box.file('d', b'other message...' + tail.to_bytes(4, 'little'))
    image = box.make()
    equal(zlib.crc32(image.read(image.find('b'))), goal, 'CRC')
    same_as_tree(box, image)
    equal(image.find('a').offset, image.find('c').offset)
    equal(image.find('b').offset, image.find('d').offset)


@test
def finds_doubles_in_linear_time(box):
    """20,000 small files of one size took peers 750 s; here it is well below a minute."""
    for i in range(20000):
        if i % 200 == 0:
            os.mkdir(box.in_tree('%d' % (i // 200)))
        with open(box.in_tree('%d/%d' % (i // 200, i)), 'wb') as f:
            f.write(b'%08d' % (i // 2))
    image = box.make(timeout=30)
    equal(len({e.offset for e in image.walk() if e.has_data}), 10000, 'different files')


@test
def sorts_names_as_unsigned_bytes(box):
    names = (b'b', b'a', b'B', b'\xe9', b'\x7f', b'aa', b'a.', b'~')
    for name in names:
        box.file(name)
    image = box.make()
    equal([e.path[1:] for e in image.children(image.root)], sorted(names))


@test_each('', '-X -X')
def is_the_same_in_any_readdir_order(box, options):
    nasty_tree(box)
    first = box.make_bytes(options)
    # Make sure that the shim does turn things round: it lists this directory to us, too.
    equal(box.make_bytes(options, shim={'SHIM_REVERSE': '1'}) == first, True, 'same bytes')


@test
def is_the_same_for_a_tree_made_in_another_order(box):
    for name in ('one', 'two', 'three', 'dir/four'):
        box.file(name, prose(9000, len(name)))
    first = box.make_bytes()
    os.rename(box.tree, box.path('old'))
    for name in ('dir/four', 'three', 'two', 'one'):
        box.file(name, prose(9000, len(name)))
    os.chmod(box.tree, 0o755)
    equal(box.make_bytes() == first, True, 'same bytes')


@test
def is_the_same_whatever_time_umask_and_locale(box):
    nasty_tree(box)
    first = box.make_bytes('-X -X')
    for name in ('sizes/noise5', 'elf/32le'):
        os.utime(box.in_tree(name), (1, 1))
    env = {'TZ': 'Asia/Kathmandu', 'LC_ALL': 'tr_TR.UTF-8', 'SOURCE_DATE_EPOCH': '7'}
    equal(box.make_bytes('-X -X', env=env, umask=0o077) == first, True, 'same bytes')


@test
def is_the_same_for_another_path_of_the_source(box):
    nasty_tree(box)
    first = box.make_bytes('-X -X')
    for source in (box.tree + '//', '.', '../' + os.path.basename(box.tree)):
        res = box.run('-q', '-X', '-X', source, box.image_path, cwd=box.tree)
        equal((res.status, res.err), (0, ''), source)
        equal(box.image().data == first, True, source)


@test
def is_made_by_nobody_as_by_root(box):
    box.file('a', prose(9000))
    first = box.make_bytes()
    box.image_path = box.path('other')
    equal(box.make_bytes(nobody=True) == first, True, 'same bytes')


@test
def leaves_the_output_out_of_its_own_contents(box):
    box.file('dir/a', b'a')
    box.image_path = box.in_tree('dir/image')
    first = box.make_bytes()
    equal([e.path for e in box.image().walk()], [b'/', b'/dir', b'/dir/a'])
    equal(box.make_bytes() == first, True, 'same bytes when it was there before')


@test
def takes_in_a_file_that_only_has_the_name_of_the_output(box):
    box.file('dir/image', b'a')
    box.image_path = box.in_tree('image')
    equal([e.path for e in box.make().walk()], [b'/', b'/dir', b'/dir/image'])


@test
def fsck_accepts_and_extracts_the_plain_image(box):
    fsck_round_trip(box, '--no-holes')


# It knows nothing of holes, inserted files and extended block pointers.
@test_each('--no-holes -B', '--no-holes -p', '--no-holes -L', '--compat util-linux')
def fsck_accepts_and_extracts(box, options):
    fsck_round_trip(box, options)


def fsck_round_trip(box, options):
    nasty_tree(box)
    # It cannot make device nodes or extract a socket; setuid files it makes only as root.
    os.unlink(box.in_tree('links/s'))
    os.chmod(box.in_tree('modes/7777'), 0o755)
    os.chmod(box.in_tree('modes/0000'), 0o600)
    box.make(options)
    fsck('--extract=' + box.path('out'), box.image_path)
    subprocess.run(('diff', '-r', '--no-dereference', '-x', 'fifo', box.tree, box.path('out')),
                   check=True)


@test
def fsck_accepts_the_empty_directory(box):
    box.make()
    fsck(box.image_path)


@test
def takes_in_paths_that_are_longer_than_Linux_takes(box):
    """And more directories in each other than there may be open files."""
    top = os.getcwd()
    try:
        os.chdir(box.tree)
        for _ in range(1500):
            os.mkdir('d')
            os.chdir('d')
        for _ in range(30):
            os.mkdir('n' * 250)
            os.chdir('n' * 250)
        with open('end', 'wb') as f:
            f.write(b'content')
        os.chdir(top)
        res = box.run('-q', box.tree, box.image_path)
        equal((res.status, res.err, box.image().files), (0, '', 1532))
        contains(box.run('-q', '-v', box.tree, box.image_path).out, 'd/d/' + 'n' * 250 + '/')
    finally:
        os.chdir(top)
        subprocess.run(('rm', '-rf', box.in_tree('d')), check=True)


@test
def symbolic_links_whose_size_is_not_that_of_the_target_are_kept(box):
    """The kernel's file systems say 0, or 4096."""
    os.stat('/proc/self/ns')
    res = box.run('-q', '/proc/self/ns', box.image_path)
    equal((res.status, res.err), (0, ''))
    image = box.image()
    equal(image.read(image.find('mnt'))[:5], b'mnt:[')


@test
def lists_one_line_for_a_name_of_two(box):
    box.file(b'a\nb')
    out = box.run('-qv', box.tree, box.image_path).out
    contains(out, '/a\\x0ab\n')


@test
def lists_the_tree_with_v(box):
    box.file('dir/a', b'abc', 0o640)
    os.symlink('a', box.in_tree('dir/l'))
    out = box.run('-qv', box.tree, box.image_path).out.splitlines()
    equal([line.split() for line in out[2:4]],
          [['f', '0640', '0:0', '3', box.tree + '/dir/a'],
           ['l', '0777', '0:0', '1', box.tree + '/dir/l', '->', 'a']])


@test
def says_with_vv_what_is_stored(box):
    elf_files(box)
    out = box.run('-qvvXX', box.tree, box.image_path).out
    line, = (l for l in out.splitlines() if '/elf/two-runs: ' in l)
    equal(' and 4 of 8 blocks stored at 0x' in line, True, line)


@test
def is_silent_without_v(box):
    nasty_tree(box)
    equal(box.run('-q', '-X', box.tree, box.image_path).out, '')


@test
def keeps_the_mode_of_the_source_directory(box):
    os.chmod(box.tree, 0o1771)
    equal(stat.S_IMODE(box.make().root.mode), 0o1771)
