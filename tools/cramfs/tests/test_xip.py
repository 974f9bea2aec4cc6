# SPDX-License-Identifier: GPL-2.0-only
"""Execution in place: which blocks are stored, where, and how they are pointed at."""

import os
import shutil
import subprocess

from cramfs_image import PAGE, PTR_DIRECT, PTR_STORED, nr_blocks
from harness import (HERE, TOOLS, Skip, contains, elf, elf_files, elf_pages, equal, nasty_tree,
                     noise, prose, same_as_tree, stored_pages, test, test_each, R, W, X)
import harness


def stored_as_mapped(box, image, paths):
    """The pages of read-only segments, and no others, are stored."""
    for path in paths:
        with open(box.in_tree(path), 'rb') as f:
            content = f.read()
        entry = image.find(path)
        equal(stored_pages(image, entry), elf_pages(content), path)
        equal(image.read(entry) == content, True, path)


def direct_text(box, image, path):
    """The blocks of an ELF file that are stored for being mapped, where the pointer says so."""
    with open(box.in_tree(path), 'rb') as f:
        pages = elf_pages(f.read())
    return [b for i, b in enumerate(image.block_list(image.find(path)))
            if i in pages and b.kind == 'stored' and b.direct]


def elf_paths(box):
    return ['elf/' + name for name in sorted(os.listdir(box.in_tree('elf')))]


@test_each('-X', '-X -X', '-B -X', '-B -X -X', '-X -X -z')
def stores_the_read_only_segments(box, options):
    elf_files(box)
    # The exceptions have tests of their own.
    for name in ('one-page', 'text-last'):
        os.unlink(box.in_tree('elf/' + name))
    # Noise that does not shrink would be stored, too.
    for path in elf_paths(box):
        with open(box.in_tree(path), 'r+b') as f:
            content = bytearray(f.read())
            for page in set(range(nr_blocks(len(content)))) - elf_pages(content):
                content[page * PAGE:(page + 1) * PAGE] = prose(PAGE, page)[
                    :len(content) - page * PAGE]
            f.seek(0)
            f.write(content)
    stored_as_mapped(box, box.make(options), elf_paths(box))


@test
def stores_the_read_only_segments_of_this_machines_programs(box):
    for name in ('mkcramfs', 'cramfs-map'):
        shutil.copy(os.path.join(harness.TOOLS, name), box.in_tree(name))
    stored_as_mapped(box, box.make('-X -X'), ('mkcramfs', 'cramfs-map'))


@test_each('-X', '-X -X')
def stores_the_read_only_segments_of_arm_programs(box, options):
    compiler = shutil.which('arm-linux-gnueabihf-gcc')
    if not compiler:
        raise Skip('no arm-linux-gnueabihf-gcc')
    for name, flags in (('dynamic', ('-pie',)), ('static', ('-static',)),
                        ('stripped', ('-s', '-Wl,-z,max-page-size=65536'))):
        subprocess.run((compiler, '-Os', '-std=gnu11', '-D_GNU_SOURCE', *flags, '-o',
                        box.in_tree(name), os.path.join(HERE, '..', 'cramfs-map.c')), check=True)
    stored_as_mapped(box, box.make(options), ('dynamic', 'static', 'stripped'))


@test
def stores_nothing_without_X(box):
    elf_files(box)
    for options in ('', '-z'):
        image = box.make(options)
        for path in elf_paths(box):
            equal(stored_pages(image, image.find(path)), set(), path)


@test
def whole_pages_lie_on_pages_with_XX(box):
    image = nasty_tree(box).make('-X -X')
    for path in elf_paths(box):
        for block in direct_text(box, image, path):
            equal(block.offset % PAGE, 0, path)


@test
def text_after_boot_code_and_inserted_file_lies_on_pages_with_XX(box):
    elf_files(box)
    box.write('boot', noise(70001))
    image = box.make('-p -X -X -i ' + box.path('boot'))
    equal(image.block(image.find('elf/32le'), 0).letter, 'X')


@test
def stored_blocks_lie_on_multiples_of_32_with_X(box):
    """A text may have constants in it that are to be aligned."""
    for i in range(5):
        os.symlink('x' * i + 'y', box.in_tree('l%d' % i))
    elf_files(box)
    image = box.make('-X')
    for path in elf_paths(box):
        for block in direct_text(box, image, path):
            equal(block.offset % 32, 0, path)


@test_each('-X', '-X -X')
def pages_of_a_segment_are_contiguous(box, options):
    elf_files(box)
    image = box.make(options)
    for path in elf_paths(box):
        blocks = image.block_list(image.find(path))
        with open(box.in_tree(path), 'rb') as f:
            pages = elf_pages(f.read())
        for i, (first, second) in enumerate(zip(blocks, blocks[1:])):
            if {i, i + 1} <= pages and first.kind == second.kind == 'stored' and first.direct:
                equal(second.offset, first.offset + PAGE, path)


@test_each('-X', '-X -X')
def last_stored_page_is_padded_with_zeros(box, options):
    """A mapping shows the rest of the page, which must not be a neighbour's."""
    elf_files(box)
    image = box.make(options)
    for path in ('elf/partial-last', 'elf/one-partial-page'):
        block = image.block_list(image.find(path))[-1]
        equal((block.kind, block.direct), ('stored', True), path)
        equal(image.data[block.offset + block.len:block.offset + PAGE],
              bytes(PAGE - block.len), path)


@test_each('-X', '-X -X', '-X -X -z', '-B -X -X')
def full_last_block_is_never_direct_and_stored(box, options):
    """The unmodified driver reads it as zeros."""
    nasty_tree(box)
    image = box.make(options)
    for entry in image.walk():
        if entry.has_data and entry.size % PAGE == 0:
            ptr = image.codec.u32(image.data, image.pointer_at(entry, entry.size // PAGE - 1))
            equal(ptr & (PTR_STORED | PTR_DIRECT) != PTR_STORED | PTR_DIRECT, True, entry.path)


@test
def full_last_page_of_a_segment_can_still_be_mapped(box):
    """It follows its predecessor without a direct pointer: stored, and on a page."""
    elf_files(box)
    image = box.make('-X -X')
    equal(image.runs(image.find('elf/full-last'))[:3], 'X4@')


@test
def zero_page_of_a_segment_is_stored_even_with_z(box):
    elf_files(box)
    image = box.make('-X -X -z')
    equal(image.runs(image.find('elf/holes'))[:3], 'X3@')


@test
def holes_after_a_segment_are_holes_with_z(box):
    elf_files(box)
    image = box.make('-X -X -z')
    equal([b.kind for b in image.block_list(image.find('elf/holes'))[3:5]], ['hole', 'hole'])


@test
def writable_segment_is_deflated(box):
    box.file('a', elf([(R | X, 0, PAGE), (R | W, PAGE, 2 * PAGE)], 100)
             + prose(4 * PAGE))
    image = box.make('-X -X')
    equal([b.kind for b in image.block_list(image.find('a'))[:4]],
          ['stored', 'deflated', 'deflated', 'deflated'])


@test
def page_shared_by_text_and_data_is_stored(box):
    box.file('a', elf([(R | X, 0, PAGE + 100), (R | W, PAGE + 100, PAGE)], 200)
             + prose(3 * PAGE))
    image = box.make('-X -X')
    equal(stored_pages(image, image.find('a')), {0, 1})


@test_each(1, 4)
def other_kinds_of_elf_are_deflated(box, kind):
    """Relocatable objects (kernel modules) and core dumps are not mapped."""
    box.file('a', elf([(R | X, 0, PAGE)], 100, kind=kind) + prose(PAGE))
    equal(stored_pages(image := box.make('-X -X'), image.find('a')), set())


@test
def segment_that_cannot_be_mapped_is_deflated(box):
    """Its place in the page differs between file and memory."""
    box.file('a', elf([(R | X, 0, PAGE)], 100, skew=16) + prose(PAGE))
    equal(stored_pages(image := box.make('-X -X'), image.find('a')), set())


@test
def segment_that_is_longer_in_memory_is_deflated(box):
    """Without an MMU, the kernel zeroes the rest where it has mapped the segment."""
    box.file('a', elf([(R | X, 0, PAGE)], 100, more=1) + prose(PAGE))
    equal(stored_pages(image := box.make('-X'), image.find('a')), set())


@test
def empty_segment_is_nothing(box):
    box.file('a', elf([(R | X, PAGE, 0)], 100) + prose(3 * PAGE))
    equal(stored_pages(image := box.make('-X -X'), image.find('a')), set())


@test
def file_that_is_no_elf_is_deflated(box):
    for i, content in enumerate((b'\x7fELF', b'\x7fEL', b'!<arch>\n')):
        box.file('%d' % i, content + prose(PAGE // 2))
    res = box.run('-q', '-X', '-X', box.tree, box.image_path)
    equal(res.status, 0, res.err)
    image = box.image()
    for i in range(3):
        equal(stored_pages(image, image.find('%d' % i)), set())


@test
def segment_beyond_the_end_of_the_file_is_a_warning(box):
    box.file('a', elf([(R | X, 0, 9 * PAGE)], 100) + prose(PAGE))
    res = box.run('-q', '-X', box.tree, box.image_path)
    equal(res.status, 0)
    contains(res.err, 'mkcramfs: warning: %s: ELF segment goes beyond' % box.in_tree('a'))
    same_as_tree(box, box.image())


@test
def huge_segment_numbers_do_no_harm(box):
    box.file('a', elf([(R | X, (1 << 64) - PAGE, PAGE), (R | X, PAGE, (1 << 64) - PAGE)], 200,
                      bits=64) + prose(PAGE))
    res = box.run('-q', '-X', box.tree, box.image_path)
    equal(res.status, 0)
    same_as_tree(box, box.image())


@test
def truncated_elf_does_no_harm(box):
    whole = elf([(R | X, 0, 50)], 200)
    for length in list(range(4, 120)):
        box.file('%d' % length, whole[:length])
    res = box.run('-q', '-X', '-X', box.tree, box.image_path)
    equal(res.status, 0, res.err)
    same_as_tree(box, box.image())


@test
def equal_programs_are_stored_once(box):
    for name in 'abc':
        box.file(name, elf([(R | X, 0, 10 * PAGE)], 12 * PAGE))
    image = box.make('-X -X')
    equal(len(image.data), 13 * PAGE)


@test
def stored_blocks_may_lie_beyond_256_MiB(box):
    """Inodes reach only so far, direct pointers reach further."""
    for i in range(18):
        path = box.file('%02d' % i, elf([(R | X, 0, (1 << 24) - PAGE)], PAGE, seed=i))
        os.truncate(path, (1 << 24) - PAGE + 10)
    box.file('z', prose(9000))
    image = box.make('-X -X')
    last = image.find('17')
    equal(image.block(last, 0).offset > 1 << 28, True, 'place')
    with open(box.in_tree('17'), 'rb') as f:
        equal(image.read(last) == f.read(), True, 'contents')


@test
def programs_cost_no_padding_between_them(box):
    for i in range(50):
        box.file('%d' % i, elf([(R | X, 0, 2 * PAGE)], 2 * PAGE + 100, seed=i))
    image = box.make('-X -X')
    # 100 pages of text, two for all else but the 50 incompressible tails
    equal(len(image.data) <= 104 * PAGE, True, len(image.data) / PAGE)
