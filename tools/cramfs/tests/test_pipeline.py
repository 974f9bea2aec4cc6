# SPDX-License-Identifier: GPL-2.0-only
"""How an image is made: by many threads, with each block once, however far it gets, and all of it
or nothing."""

import json
import mmap
import os
import resource
import shutil
import signal
import subprocess

from cramfs_image import EXT_POINTERS, Image, PAGE, PTR_DIRECT, PTR_STORED
import harness
from harness import (ALL_FORMS, NASTY_SIZES, Skip, contains, elf, elf_files, equal, nasty_tree,
                     noise, prose, same_as_tree, test, test_each, R, X)

REACH = 1 << 28			# of inodes
POINTER_REACH = 1 << 30		# of pointers that are not direct


def pointers(image, path):
    """The pointers of a file."""
    entry = image.find(path)
    return [image.codec.u32(image.data, image.pointer_at(entry, i))
            for i in range((entry.size + PAGE - 1) // PAGE)]


def letters(image, path):
    """The kinds of the blocks of a file, see Block.letter."""
    return ''.join(block.letter for block in image.block_list(image.find(path)))


def blocks(*seeds):
    """Blocks that compress; those with the same seed are the same."""
    return b''.join(bytes(PAGE) if seed == 'hole' else prose(PAGE, seed) if seed > 0
                    else noise(PAGE, seed) for seed in seeds)


def checked(box, options='', **more):
    """Make an image; the second opinion, our fsck and the tree agree with it."""
    image = box.make(options, **more)
    same_as_tree(box, image)
    res = box.run(box.image_path, tool='fsck.cramfs')
    equal((res.status, res.out, res.err), (0, '', ''), 'fsck.cramfs')
    return image


@test_each('', '-x', '-X', '-X -X', '-U', '-x --best-practical', '--compat util-linux', '-b 65536')
def image_does_not_depend_on_the_number_of_threads(box, options):
    nasty_tree(box)
    for i in range(40):
        box.file('more/%d' % i, prose(i * 7000, i // 2) + noise(i * 1000, i))
    want = box.make_bytes(options + ' -j 1') if '-b' not in options else None
    for threads in (1, 2, 3, 8, 1024):
        res = box.run('-q', '-j', str(threads), *options.split(), box.tree, box.image_path)
        equal((res.status, res.err), (0, ''))
        with open(box.image_path, 'rb') as f:
            want = want or f.read()
            f.seek(0)
            equal(f.read() == want, True, '%d threads' % threads)


@test_each(*ALL_FORMS)
def fsck_finds_no_fault(box, options):
    checked(nasty_tree(box), options)


@test
def level_says_how_well_it_is_compressed(box):
    box.file('a', prose(200000))
    sizes = [sum(b.len for b in image.block_list(image.find('a'))) for image in
             (box.make('--level 1'), box.make('--level 12'), box.make('--best'))]
    equal(sizes[0] > sizes[1] > sizes[2], True, sizes)


@test_each('', '-x', '-X -X', '-U')
def hashes_that_are_equal_do_no_harm(box, options):
    """Bytes, and attributes, decide what is the same."""
    nasty_tree(box)
    box.file('mode1', prose(5000), 0o4711)
    box.file('mode2', prose(5000), 0o711)
    image = box.make(options, shim={'SHIM_HASH': '1'})
    same_as_tree(box, image)
    equal(image.find('mode1').offset != image.find('mode2').offset, True)


@test_each(*ALL_FORMS, '-x --no-share-blocks', '--compat util-linux', '-x -i boot')
def every_byte_of_the_image_is_accounted_for(box, options):
    nasty_tree(box)
    box.write('boot', noise(1001))
    res = box.run('-q', '--report=json', *options.split(), box.tree, box.image_path, cwd=box.dir)
    report = json.loads(res.out)
    total = report['total']['bytes']
    before = [part['end'] for part in report['layout'] if part['contents'] == 'directories']
    equal(before[0] + sum(total[n] for n in ('in_place', 'compressed', 'stored', 'pointers',
                                             'padding')),
          os.path.getsize(box.image_path))
    equal(sum(total[n] for n in ('in_place', 'compressed_from', 'stored', 'shared', 'holes')),
          report['total']['size'])


@test
def files_that_differ_in_mode_share_blocks_but_no_pointers_with_x(box):
    """The unmodified driver takes the place of the pointers for the inode number."""
    content = prose(3 * PAGE + 100)
    box.file('a', content, 0o4755)
    box.file('b', content, 0o644)
    image = checked(box, '-x')
    a, b = image.find('a'), image.find('b')
    equal(a.offset != b.offset, True, 'offsets')
    equal(pointers(image, 'a'), pointers(image, 'b'))
    equal(letters(image, 'b'), 'ZZZZ')


@test_each('', '-x --no-share-blocks')
def blocks_are_not_shared_if_they_must_not_be(box, options):
    box.file('a', blocks(1, 2, 3))
    box.file('b', blocks(4, 2, 5))
    image = checked(box, options)
    equal((letters(image, 'a'), letters(image, 'b')), ('zzz', 'zzz'))


@test
def block_of_two_files_is_there_once_with_x(box):
    box.file('a', blocks(1, 2, 3))
    box.file('b', blocks(4, 2, 5))
    image = checked(box, '-x')
    equal(pointers(image, 'a')[1], pointers(image, 'b')[1])
    # What follows in the same place needs no direct pointer; what follows elsewhere does.
    equal((letters(image, 'a'), letters(image, 'b')), ('zZz', 'zZZ'))


@test
def block_that_comes_twice_in_a_file_is_there_once_with_x(box):
    box.file('a', blocks(1, 2, 1, 3, 1))
    image = checked(box, '-x')
    first = pointers(image, 'a')
    equal(first[0] == first[2] == first[4], True)
    equal(letters(image, 'a'), 'ZzZZZ')


@test
def holes_follow_shared_blocks(box):
    """The pointer of a hole says where the block before ends."""
    box.file('a', blocks(1, 2, 'hole', 3))
    box.file('b', blocks(4, 2, 'hole', 'hole', 5))
    box.file('c', blocks(-1, 'hole', 4, 'hole'))
    box.file('d', blocks(6, -1, 'hole'))
    image = checked(box, '-x -z')
    equal([letters(image, n) for n in 'abcd'], ['zZhz', 'ZZhhZ', 'ShZh', 'zSh'])


@test_each('-z', '-x -z')
def block_that_is_zero_but_for_a_byte_is_no_hole(box, options):
    for at in (0, 1, 2, 2047, 4094, 4095, 4096, 8190):
        box.file('%d' % at, bytes(at) + b'x' + bytes(8190 - at))
    checked(box, options)


@test
def shared_block_that_does_not_shrink_is_stored(box):
    box.file('a', blocks(1, -2, 3))
    box.file('b', blocks(4, -2, 5))
    image = checked(box, '-x')
    equal((letters(image, 'a'), letters(image, 'b')), ('zSz', 'zSZ'))


@test_each('-x', '-U', '-X -X')
def last_block_is_no_direct_stored_one_even_if_shared(box, options):
    """The unmodified driver would read it as zeros."""
    box.file('a', blocks(-1, -2, -3, 1))
    box.file('b', blocks(-4, -2))
    box.file('c', blocks(-3))
    box.file('d', blocks(-5, -1, -3))
    image = checked(box, options)
    for name in 'abcd':
        equal(pointers(image, name)[-1] & (PTR_DIRECT | PTR_STORED) != PTR_DIRECT | PTR_STORED,
              True, name)


@test
def last_block_that_comes_first_is_shared_by_later_ones(box):
    """It is deflated though it does not shrink, and has a direct pointer."""
    box.file('a', blocks(1, -2))
    box.file('b', blocks(3, -2, 4))
    image = checked(box, '-x')
    equal((letters(image, 'a'), letters(image, 'b')), ('zZ', 'zZZ'))
    equal(pointers(image, 'a')[1], pointers(image, 'b')[1])


@test
def nothing_is_deflated_with_U_and_shared_blocks(box):
    box.file('a', blocks(1, 2, 3, 4))
    box.file('b', blocks(5, 2, 6))
    box.file('c', blocks(5, 7, 3, 4))
    image = checked(box, '-U')
    for name in 'abc':
        equal({b.kind for b in image.block_list(image.find(name))}, {'stored'})
    equal(pointers(image, 'c')[0], pointers(image, 'b')[0])


@test_each('-U', '-B -U', '-U -X -X')
def nothing_is_deflated_with_U_and_holes_after_shared_blocks(box, options):
    """What follows where the shared one ends is another block."""
    box.file('a', blocks(-1, -2, -3) + b'x')
    box.file('b', blocks(-1, 'hole', -9))
    box.file('c', blocks(-3, 'hole', 'hole', 'hole', -10))
    box.file('d', blocks('hole', -11))
    box.file('e', elf([(R | X, 0, PAGE)], PAGE) + blocks('hole', -12))
    image = checked(box, options)
    for name in 'abcde':
        equal({b.kind for b in image.block_list(image.find(name))} <= {'stored', 'hole'}, True,
              letters(image, name))


@test
def block_of_64_KiB_may_follow_a_hole_after_a_shared_block(box):
    """Its length, deflated, would not fit before it."""
    size = 1 << 16
    box.file('a', noise(2 * size, 1) + b'x')
    box.file('b', noise(size, 1) + bytes(size) + noise(size, 9))
    res = box.run('-q', '-x', '-b', '65536', box.tree, box.image_path)
    equal((res.status, res.err), (0, ''))
    for name in 'ab':
        res = box.run('--blocksize', '65536', '--extract=' + box.path('out' + name),
                      box.image_path, tool='fsck.cramfs')
        equal(res.status, 0, res.err)
        with open(box.in_tree(name), 'rb') as f, open(box.path('out%s/%s' % (name, name)),
                                                      'rb') as g:
            equal(f.read() == g.read(), True, name)


@test
def short_last_block_is_shared_with_its_equals_only(box):
    box.file('a', prose(PAGE, 1) + b'x' * 1000)
    box.file('b', prose(PAGE, 2) + b'x' * 1000)
    box.file('c', prose(PAGE, 3) + b'x' * 999)
    box.file('d', prose(PAGE, 4) + b'x' * PAGE)
    image = checked(box, '-x')
    last = [pointers(image, name)[-1] for name in 'abcd']
    equal((last[0] == last[1], len(set(last))), (True, 3))


@test_each('-X', '-X -X')
def block_that_is_in_place_elsewhere_is_not_deflated(box, options):
    """Even if it comes before it in the order of the data."""
    text = elf([(R | X, 0, 3 * PAGE)], 3 * PAGE + 100)
    box.file('a', prose(PAGE) + text[PAGE:2 * PAGE] + prose(10))
    box.file('b', text)
    image = checked(box, options)
    equal(pointers(image, 'a')[1], pointers(image, 'b')[1])


@test
def last_block_that_is_in_place_elsewhere_is_deflated(box):
    text = elf([(R | X, 0, 3 * PAGE)], 3 * PAGE + 100)
    box.file('a', prose(PAGE) + text[PAGE:2 * PAGE])
    box.file('b', text)
    image = checked(box, '-X -X')
    equal(letters(image, 'a'), 'zz')


def beyond(box, room=1 << 16):
    """Something that puts the data ROOM bytes before the end of the reach of inodes."""
    os.truncate(box.write('boot', ''), REACH - room)
    return '-i ' + box.path('boot')


def far_files(box):
    """Files of all kinds, of 300 kB, and what is the same."""
    for i in range(6):
        box.file('f%d' % i, noise(40000, i) + prose(3 * PAGE, i))
    for size in NASTY_SIZES:
        box.file('noise%d' % size, noise(size, size))
    box.file('holes', bytes(PAGE) + prose(PAGE) + bytes(2 * PAGE) + noise(PAGE))
    box.file('ends-with-a-hole', prose(PAGE, 7) + bytes(PAGE))
    box.file('same', noise(40000, 1) + prose(3 * PAGE, 1))
    box.file('mode', noise(40000, 1) + prose(3 * PAGE, 1), 0o4711)
    os.symlink('target', box.in_tree('link'))
    elf_files(box)


@test_each('-x', '-x --no-share-blocks', '-U', '-X', '-X -X', '-x --no-holes', '-B -x')
def data_beyond_256_MiB_are_reached_by_direct_pointers(box, options):
    far_files(box)
    if options == '-U':
        # See the next test.
        os.unlink(box.in_tree('noise4096'))
        os.unlink(box.in_tree('elf/one-page'))
    image = checked(box, beyond(box) + ' ' + options)
    if options == '-U':
        equal({b.kind for e in image.walk() if e.has_data for b in image.block_list(e)},
              {'stored', 'hole'})
    entries = [e for e in image.walk() if e.has_data]
    equal(max(e.offset for e in entries) < REACH, True, 'pointers')
    equal(len(image.data) > REACH, True, 'data')
    # The pointers of later files are together, the blocks of the first one follow.
    far = sorted({(e.offset, (e.size + PAGE - 1) // PAGE) for e in entries
                  if image.block(e, 0).direct})
    equal(len(far) > 10, True, 'files')


@test
def full_block_that_is_a_file_beyond_256_MiB_is_deflated_with_U_and_that_is_told(box):
    for name in 'abc':
        box.file(name, noise(PAGE, ord(name)) * 5)
    box.file('d', noise(PAGE))
    res = box.run('-q', '-U', *beyond(box, PAGE).split(), box.tree, box.image_path)
    equal((res.status, res.err), (0, 'mkcramfs: warning: blocks that had to be compressed, as they '
                                     'could not be reached: 1\n'))
    equal((box.image().errors(), letters(box.image(), 'd')), ([], 'Z'))


@test
def full_block_of_64_KiB_beyond_256_MiB_is_refused_if_it_does_not_shrink(box):
    """Stored, the driver would take it for a hole; deflated, its length has more than 16 bits."""
    box.file('a', noise(1 << 16))
    box.file('b', b'b')
    box.refused('/a: block 0 is too long; use smaller ones (-b)', '-q', '-x', '-b', '65536',
                *beyond(box, PAGE).split(), box.tree, box.image_path)


@test
def data_before_256_MiB_lie_behind_their_pointers_with_x(box):
    box.file('a', prose(9000))
    box.file('b', prose(9000, 1))
    image = checked(box, beyond(box) + ' -x')
    equal((letters(image, 'a'), letters(image, 'b')), ('zzz', 'zzz'))
    equal(image.flags & EXT_POINTERS, 0)


@test
def data_beyond_256_MiB_leave_room_for_the_pointers_of_files_to_come(box):
    """The blocks of the first file would fit, but not the pointers of the second one then."""
    box.file('a', noise(45000))
    os.truncate(box.file('b', b'b'), (1 << 24) - 1)
    image = checked(box, beyond(box, 50000) + ' -x')
    equal(image.block(image.find('a'), 0).offset > image.find('b').offset, True)


@test
def only_the_beginning_of_the_last_table_is_within_256_MiB_without_x(box):
    box.file('a', prose(100 * PAGE))
    os.truncate(box.write('boot', ''), REACH - 8 - 76 - 16)
    checked(box, '-i ' + box.path('boot'))


@test
def data_beyond_256_MiB_are_refused_early_without_x(box):
    """By the room for the pointers that follow, not when the last one does not fit."""
    for i in range(20):
        box.file('f%02d' % i, prose(10 * PAGE, i))
    os.truncate(box.write('boot', ''), REACH - 700)
    res = box.refused('/f00: image too large: data beyond 256 MiB are reached with -x only',
                      '-q', '-i', box.path('boot'), box.tree, box.image_path)
    equal(res.out, '')


@test_each('-X -X', '-U')
def data_beyond_1_GiB_are_reached(box, options):
    """Pointers that are not direct say 30 bits; so the last blocks of programs are not in place."""
    for i in range(70):
        path = box.file('%02d' % i, elf([(R | X, 0, (1 << 24) - 2 * PAGE)], PAGE, seed=i))
        os.truncate(path, (1 << 24) - PAGE * (1 + i % 2))
    box.file('z/noise', noise(10 * PAGE, 1000))
    box.file('z/prose', prose(10 * PAGE + 5, 1000))
    box.file('z/holes', prose(PAGE) + bytes(2 * PAGE) + noise(PAGE, 1001) + bytes(PAGE))
    elf_files(box)
    more = ' --no-holes --no-share-blocks' if options == '-U' else ''
    res = box.run(*(options + more).split(), '-q', box.tree, box.image_path)
    # What would need a pointer that does not reach.
    equal((res.status, res.err.rsplit(':', 1)[0]), (0, options[:2] == '-U' and 'mkcramfs: warning: '
          'blocks that had to be compressed, as they could not be reached' or ''))
    res = box.run(box.image_path, tool='fsck.cramfs')
    equal((res.status, res.out, res.err), (0, '', ''), 'fsck.cramfs')
    with open(box.image_path, 'rb') as f:
        image = Image(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
    equal(len(image.data) > POINTER_REACH, True, 'size')
    for path in ('00', '01', '69', 'z/noise', 'z/prose', 'z/holes', 'elf/full-last', 'elf/holes'):
        with open(box.in_tree(path), 'rb') as f:
            equal(image.read(image.find(path)) == f.read(), True, path)


@test
def data_beyond_4_GiB_are_refused(box):
    """All that the superblock can say; by blocks that are in place, which are only counted first."""
    for i in range(257):
        path = box.file('%03d' % i, elf([(R | X, 0, (1 << 24) - PAGE)], PAGE, seed=i))
        os.truncate(path, (1 << 24) - PAGE)
    box.refused('/000: image too large: more than 4 GiB', '-q', '-X', '-X', box.tree,
                box.image_path)


@test_each('', '-x', '-X -X')
def memory_does_not_grow_with_the_tree(box, options):
    for i in range(24):
        path = box.file('%02d' % i, elf([(R | X, 0, 100 * PAGE)], 100 * PAGE, seed=i) + noise(PAGE))
        os.truncate(path, (1 << 23) + i)
    if harness.SANITIZED:
        raise Skip('a sanitizer needs more')
    # All that is written to, and not mapped from a file.
    res = box.run('-q', '--no-holes', '-l', '1', '-j', '2', *options.split(), box.tree,
                  box.image_path, preexec_fn=lambda: resource.setrlimit(
                      resource.RLIMIT_DATA, (64 << 20, 64 << 20)))
    equal((res.status, res.err), (0, ''))


@test_each('-b 8192', '-b 65536', '-b 8192 -x', '-b 65536 -x', '-b 65536 -U')
def blocks_may_be_larger(box, options):
    nasty_tree(box)
    box.file('twice', noise(1 << 16, 1) + prose(1 << 16, 1) + noise(1 << 16, 1))
    # Deflated, this last block would be longer than 16 bits can tell.
    box.file('last', prose(1 << 16, 2) + noise(1 << 16, 2))
    box.file('not-last', noise(1 << 16, 2) + prose(1 << 16, 2) + noise(1 << 16, 3))
    res = box.run('-q', *options.split(), box.tree, box.image_path)
    equal((res.status, res.err), (0, ''))
    size = options.split()[1]
    res = box.run('--blocksize', size, '--extract=' + box.path('out'), box.image_path,
                  tool='fsck.cramfs')
    equal(res.status, 0, res.err)
    subprocess.run(('diff', '-r', '--no-dereference', '--exclude=fifo', '--exclude=s', box.tree,
                    box.path('out')), check=True)


COMPAT = ('', '-z', '-p', '-N big', '-N big -z -p', '-n name -e 7', '-i boot', '-p -i boot',
          '-b 4096', '-b 8192', '-b 65536', '-i empty')


@test_each(*COMPAT)
def compat_gives_the_bytes_of_util_linux(box, options):
    theirs = shutil.which('mkfs.cramfs', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if not theirs:
        raise Skip('mkfs.cramfs is not installed')
    nasty_tree(box)
    for i in range(20):
        box.file('more/%d' % i, prose(i * 3000, i // 2) + noise(i * 100, i))
    box.write('boot', noise(1001))
    box.write('empty', '')
    words = options.split()
    # Where a user's gid is above 255, it is cut by them.
    subprocess.run((theirs, *words, box.tree, box.path('theirs')), check=True, cwd=box.dir,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if os.stat(box.tree).st_gid > 255:
        raise Skip('our gid is above 255')
    res = box.run('--compat', 'util-linux', *words, box.tree, box.image_path, cwd=box.dir)
    equal((res.status, res.err), (0, ''))
    with open(box.path('theirs'), 'rb') as f, open(box.image_path, 'rb') as g:
        equal(f.read() == g.read(), True, 'bytes')


@test
def compat_does_not_share_across_attributes(box):
    """util-linux does: the one rule of theirs that is not followed, as it gives files the modes of
    others."""
    box.file('a', prose(5000), 0o4755)
    box.file('b', prose(5000), 0o644)
    image = box.make('--compat util-linux')
    equal(image.find('a').offset != image.find('b').offset, True)


@test_each('', '-x')
def sorted_files_have_their_data_first(box, options):
    for name in 'abcd':
        box.file(name, prose(5000, ord(name)))
    order = box.write('order', '-5 c\n-7 d\n')
    image = checked(box, options + ' --sort ' + order)
    equal(sorted('abcd', key=lambda n: image.find(n).offset), ['d', 'c', 'a', 'b'])


@test
def sorted_programs_are_in_place_in_that_order(box):
    for i, name in enumerate('abcd'):
        box.file(name, elf([(R | X, 0, 2 * PAGE)], 2 * PAGE + 10, seed=i))
    order = box.write('order', '-5 c\n-7 d\n')
    image = checked(box, '-X -X --sort ' + order)
    equal(sorted('abcd', key=lambda n: image.block(image.find(n), 0).offset),
          ['d', 'c', 'a', 'b'])


@test_each('SHRINK', 'GROW')
def file_that_changes_while_it_is_read_is_an_error(box, how):
    path = box.file('log', noise(1 << 20))
    box.refused('/log: changed while the image was made',
                shim={'SHIM_AT': 'pread', 'SHIM_' + how: path})


@test_each(signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
def signal_in_the_middle_leaves_nothing(box, sig):
    box.write('image', b'old')
    box.file('a', noise(1 << 20))
    res = box.run('-q', '-j', '4', box.tree, box.image_path,
                  shim={'SHIM_AT': 'pwrite', 'SHIM_SIGNAL': '%d' % sig})
    equal(res.status, -sig)
    equal(sorted(os.listdir(box.dir)), ['image', 'tree'])
    with open(box.image_path, 'rb') as f:
        equal(f.read(), b'old')


@test_each(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
def signal_leaves_nothing_where_all_files_have_names(box, sig):
    box.write('image', b'old')
    box.file('a', noise(1 << 20))
    res = box.run('-q', '-j', '4', box.tree, box.image_path,
                  shim={'SHIM_AT': 'pwrite', 'SHIM_SIGNAL': '%d' % sig, 'SHIM_NO_TMPFILE': '1'})
    equal(res.status, -sig)
    equal(sorted(os.listdir(box.dir)), ['image', 'tree'])


@test
def makes_the_image_where_all_files_have_names(box):
    nasty_tree(box)
    want = box.make_bytes('-x')
    os.unlink(box.image_path)
    equal(box.make_bytes('-x', shim={'SHIM_NO_TMPFILE': '1'}, umask=0o027) == want, True)
    equal(oct(os.stat(box.image_path).st_mode & 0o777), oct(0o640))
    equal(sorted(os.listdir(box.dir)), ['image', 'tree'])


@test_each('', '1')
def full_file_system_leaves_nothing(box, names):
    """A file system of its own, of 256 KiB, with an old image in it."""
    box.file('a', noise(1 << 20))
    os.mkdir(box.path('small'))
    script = ('mount -t tmpfs -o size=256k none "$1" || exit 77; echo old > "$1/image"; '
              '"$2" -q "$3" "$1/image"; echo status $?; ls -A "$1"; cat "$1/image"')
    env = dict(os.environ, ASAN_OPTIONS='verify_asan_link_order=0:detect_leaks=0')
    if names:
        env.update(SHIM_NO_TMPFILE=names, LD_PRELOAD=os.path.join(harness.TOOLS, 'shim.so'))
    for unshare in (('unshare', '-m'), ('unshare', '-rm')):
        res = subprocess.run((*unshare, 'sh', '-c', script, 'sh', box.path('small'),
                              os.path.join(harness.TOOLS, 'mkcramfs'), box.tree), env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if res.returncode == 0:
            break
    else:
        raise Skip('nothing can be mounted here')
    contains(res.stderr, '/small/image: No space left on device')
    equal(res.stdout, 'status 8\nimage\nold\n')


@test
def limit_of_file_size_leaves_nothing_where_all_files_have_names(box):
    box.file('a', noise(1 << 20))
    box.refused('/image: File too large', shim={'SHIM_NO_TMPFILE': '1'},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18)))


@test
def closed_standard_output_gets_no_report(box):
    """Without anything in its place, it would be the image that gets it."""
    nasty_tree(box)
    res = box.run('-q', '--report=json', box.tree, box.image_path, preexec_fn=lambda: os.close(1))
    equal((res.status, res.out), (8, ''))
    contains(res.err, 'standard output: Bad file descriptor')
    equal(box.image().errors(), [])


@test
def closed_standard_error_gets_no_warnings(box):
    for i in range(99):
        box.file('%d' % i, elf([(R | X, 0, 9 * PAGE)], 100, seed=i))
    os.truncate(box.file('!zeros'), 1 << 20)
    options = '-X -U --no-holes --no-share-blocks'
    want = box.run('-q', *options.split(), box.tree, box.image_path)
    equal(len(want.err.splitlines()), 99)
    want = box.image().data
    box.make(options, preexec_fn=lambda: os.close(2))
    equal(box.image().data == want, True, 'bytes')


@test
def closed_standard_input_is_an_error(box):
    box.refused('Bad file descriptor', '--tar', '-', box.image_path,
                preexec_fn=lambda: os.close(0))


@test_each('', '1')
def standard_output_in_the_tree_is_not_part_of_it(box, names):
    box.file('a', prose(9000))
    want = box.make_bytes()
    with open(box.in_tree('image'), 'wb') as out:
        env = dict(os.environ, TMPDIR=box.tree, ASAN_OPTIONS='verify_asan_link_order=0:'
                   'detect_leaks=0', LD_PRELOAD=os.path.join(harness.TOOLS, 'shim.so'))
        if names:
            env['SHIM_NO_TMPFILE'] = names
        res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', box.tree, '-'),
                             env=env, stdout=out, stderr=subprocess.PIPE, text=True)
    equal((res.returncode, res.stderr), (0, ''))
    with open(box.in_tree('image'), 'rb') as out:
        equal(out.read() == want, True, 'bytes')
    equal(sorted(os.listdir(box.tree)), ['a', 'image'])
