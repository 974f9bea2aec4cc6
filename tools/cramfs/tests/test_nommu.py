# SPDX-License-Identifier: GPL-2.0-only
"""Programs for processors without an MMU: FDPIC and bFLT; and images without anything deflated.

What a mapping in place needs without an MMU is that all blocks of it are stored, one after the
other, to the end of its last page."""

import os
import shutil
import struct
import subprocess
import sys

from cramfs_image import PAGE, PTR_DIRECT, PTR_STORED
from harness import (ALL_FORMS, FLAT_FIELDS, FLAT_GOTPIC, FLAT_GZDATA, FLAT_GZIP, FLAT_HEADER,
                     FLAT_KTRACE, FLAT_RAM, FLAT_TEXT, HERE, Skip, bflt, contains, elf, elf_pages,
                     equal, nasty_tree, noise, prose, same_as_tree, stored_pages, test, test_each,
                     R, W, X)

FDPIC = 65			# in e_ident[EI_OSABI]
SELFTESTS = os.path.join(HERE, '../../testing/selftests/filesystems/cramfs')


def mapped_in_place(box, image, path, pages, align=32):
    """These pages of a file, and no others, are stored; they are in one piece, and zeros are
    behind the file's end."""
    entry = image.find(path)
    with open(box.in_tree(path), 'rb') as f:
        content = f.read()
    equal(stored_pages(image, entry), set(pages), path)
    start = image.block(entry, min(pages)).offset
    equal(start % align, 0, path)
    for page in pages:
        place = start + (page - min(pages)) * PAGE
        equal(image.block(entry, page).offset, place, '%s: place of page %d' % (path, page))
        equal(image.data[place:place + PAGE] ==
              content[page * PAGE:(page + 1) * PAGE].ljust(PAGE, b'\0'), True,
              '%s: page %d' % (path, page))
    equal(image.read(entry) == content, True, path)


def as_data(box, path, options='-X', error=''):
    """A file is deflated, with this warning."""
    res = box.run('-q', *options.split(), box.tree, box.image_path)
    equal(res.status, 0, res.err)
    contains(res.err, error)
    if not error:
        equal(res.err, '', path)
    image = box.image()
    equal(image.errors(), [], 'image')
    equal({image.block(image.find(path), i).kind for i in range(4)} & {'deflated'}, {'deflated'})
    equal(any(image.block(image.find(path), i).direct and
              image.block(image.find(path), i).kind == 'stored' for i in range(4)), False, path)
    same_as_tree(box, image)


@test_each('-X', '-X -X', '-B -X')
def text_of_fdpic_is_in_one_piece(box, options):
    """Whole pages, from the first to the last that the mapping touches."""
    segments = [(R | X, 0, 2 * PAGE + 100), (R | W, 3 * PAGE, 2 * PAGE)]
    box.file('a', elf(segments, 3 * PAGE, kind=2, osabi=FDPIC) + prose(3 * PAGE))
    box.file('b', elf(segments, 3 * PAGE, kind=3, osabi=FDPIC, endian='>') + prose(3 * PAGE))
    image = box.make(options)
    for path in 'ab':
        mapped_in_place(box, image, path, range(3), PAGE if '-X -X' in options else 32)


@test
def page_that_text_of_fdpic_shares_with_data_is_stored(box):
    segments = [(R | X, 0, 2 * PAGE + 100), (R | W, 2 * PAGE + 100, 2 * PAGE)]
    box.file('a', elf(segments, 2 * PAGE + 100, kind=2, osabi=FDPIC) + prose(3 * PAGE))
    mapped_in_place(box, box.make('-X'), 'a', range(3))


@test
def text_of_fdpic_that_begins_within_a_page_is_stored_from_its_beginning(box):
    segments = [(R | W, 0, PAGE + 100), (R | X, PAGE + 200, 2 * PAGE)]
    box.file('a', elf(segments, 100, kind=2, osabi=FDPIC) + prose(5 * PAGE))
    mapped_in_place(box, box.make('-X'), 'a', range(1, 4))


@test
def text_of_fdpic_that_is_the_end_of_the_file_is_padded(box):
    box.file('a', elf([(R | W, 0, PAGE), (R | X, PAGE, PAGE + 100)], 2 * PAGE + 100, kind=2,
                      osabi=FDPIC))
    box.file('b', noise(1000))
    mapped_in_place(box, box.make('-X'), 'a', range(1, 3))


def compiled(box, name, *flags):
    """A program of two functions, a pointer to one of them, and text of some pages."""
    compiler = shutil.which('arm-linux-gnueabi-gcc') or shutil.which('arm-linux-gnueabihf-gcc')
    if not compiler:
        raise Skip('no arm-linux-gnueabi-gcc')
    source = box.write('program.c', '''
        const char text[9000] = { 1 };
        int number = 5, zero[10];
        int twice(int x) { return 2 * x + text[x]; }
        int (*pointer)(int) = twice;
        int (*nothing)(int);
        void _start(void) { zero[number] = pointer(nothing ? number : zero[1]); }
        ''')
    path = box.path(name)
    res = subprocess.run((compiler, '-mthumb', '-march=armv7-m', '-mfloat-abi=soft', '-O1',
                          '-ffreestanding', '-fno-asynchronous-unwind-tables', '-nostdlib',
                          '-static', '-no-pie', '-Wl,--build-id=none', *flags, '-o', path,
                          source), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    equal(res.returncode, 0, res.stdout)
    with open(path, 'rb') as f:
        return f.read()


@test_each('-X', '-X -X')
def text_of_a_linked_fdpic_program_is_in_one_piece(box, options):
    program = compiled(box, 'fdpic', '-mfdpic', '-Wa,--fdpic', '-T',
                       os.path.join(SELFTESTS, 'fdpic/fdpic.ld'),
                       '-Wl,-b,elf32-littlearm-fdpic,-z,max-page-size=4096')
    equal(program[7], FDPIC, 'OSABI')
    box.file('a', program)
    pages = elf_pages(program)
    equal(pages >= {0, 1, 2}, True, pages)
    mapped_in_place(box, box.make(options), 'a', sorted(pages))


@test_each('-X', '-X -X', '-X -z', '-B -X')
def header_and_text_of_bflt_are_in_one_piece(box, options):
    """The page that data share with text is mapped with it; all other data are deflated."""
    box.file('a', bflt())
    mapped_in_place(box, box.make(options), 'a', range(3), PAGE if '-X -X' in options else 32)


@test
def text_of_bflt_may_end_with_a_page(box):
    box.file('a', bflt(text=2 * PAGE - FLAT_HEADER))
    mapped_in_place(box, box.make('-X'), 'a', range(2))


@test
def one_more_byte_of_bflt_text_is_one_more_page(box):
    box.file('a', bflt(text=2 * PAGE - FLAT_HEADER + 1))
    mapped_in_place(box, box.make('-X'), 'a', range(3))


@test
def bflt_without_data_is_stored(box):
    box.file('a', bflt(text=PAGE, data=0, reloc_count=0, size=FLAT_HEADER + PAGE))
    mapped_in_place(box, box.make('-X'), 'a', range(2))


@test_each(0, FLAT_GOTPIC, FLAT_GOTPIC | FLAT_GZDATA | FLAT_KTRACE)
def bflt_is_stored_whatever_else_its_flags_say(box, flags):
    box.file('a', bflt(flags=flags))
    mapped_in_place(box, box.make('-X'), 'a', range(3))


@test_each(FLAT_RAM, FLAT_GZIP, FLAT_RAM | FLAT_GOTPIC, FLAT_GZIP | FLAT_GZDATA)
def bflt_whose_text_is_copied_is_deflated(box, flags):
    box.file('a', bflt(flags=flags))
    as_data(box, 'a')


@test_each({'places': (FLAT_TEXT, FLAT_TEXT - 1)}, {'places': (0, FLAT_TEXT)},
           {'places': (FLAT_TEXT - 1, 0), 'flags': 0}, {'flags': FLAT_GZDATA})
def bflt_whose_text_is_relocated_is_deflated_with_a_warning(box, fields):
    """The kernel would write to ROM. It cannot be seen where compressed relocations are."""
    box.file('a', bflt(**fields))
    as_data(box, 'a', error='mkcramfs: warning: %s: bFLT program that the kernel would '
            'relocate in ROM: compressed' % box.in_tree('a'))


@test_each({'reloc_count': 0, 'places': (0, 0)}, {'reloc_count': 9}, {'reloc_start': 1 << 30},
           {'reloc_start': 0xffffffff})
def relocations_that_are_not_in_the_file_do_no_harm(box, fields):
    box.file('a', bflt(**fields))
    mapped_in_place(box, box.make('-X'), 'a', range(3))


@test_each({'rev': 2}, {'rev': 5}, {'rev': 4 << 24}, {'magic': b'bFLt'})
def what_is_no_bflt_of_version_4_is_deflated(box, fields):
    box.file('a', bflt(**fields))
    as_data(box, 'a')


@test
def bflt_is_deflated_without_X(box):
    box.file('a', bflt())
    as_data(box, 'a', '-x')


@test_each({'data_start': 0}, {'data_start': FLAT_HEADER}, {'data_start': 1 << 31},
           {'data_start': 0xffffffff}, {'data_start': 0x0fffffff, 'data_end': 0x0fffffff,
                                        'bss_end': 0x0fffffff},
           {'data_end': FLAT_HEADER}, {'data_end': 0xffffffff}, {'bss_end': 0},
           {'bss_end': 0xffffffff}, {'bss_end': 1 << 28}, {'stack_size': 0xffffffff},
           {'reloc_count': 0xffffffff}, {'reloc_count': 1 << 26})
def damaged_bflt_is_deflated_with_a_warning(box, fields):
    box.file('a', bflt(**fields))
    as_data(box, 'a', error='mkcramfs: warning: %s: damaged bFLT file: compressed' %
            box.in_tree('a'))


@test
def bflt_with_its_text_cut_off_is_damaged(box):
    box.file('a', bflt(text=5 * PAGE, size=5 * PAGE))
    res = box.run('-q', '-X', box.tree, box.image_path)
    equal(res.status, 0)
    contains(res.err, 'damaged bFLT file: compressed')
    same_as_tree(box, box.image())


@test
def truncated_bflt_does_no_harm(box):
    whole = bflt(text=100, data=100)
    for length in range(1, 200):
        box.file('%03d' % length, whole[:length])
    res = box.run('-q', '-X', box.tree, box.image_path)
    equal(res.status, 0, res.err)
    same_as_tree(box, box.image())
    # Without the whole of a header, it is not one.
    damaged = [int(line.split('/')[-1][:3]) for line in res.err.splitlines()]
    equal(damaged, list(range(FLAT_HEADER, FLAT_HEADER + 100)))


PIC = ('-fpic', '-msingle-pic-base', '-mpic-register=r10', '-mno-pic-data-is-text-relative',
       '-Wl,--emit-relocs', '-T', os.path.join(SELFTESTS, 'bflt/bflt.ld'))


def elf2bflt(box, *args):
    return subprocess.run((sys.executable, os.path.join(SELFTESTS, 'bflt/elf2bflt.py'), *args),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@test
def converted_bflt_is_stored_and_can_be_relocated(box):
    """Relocated as fs/binfmt_flat.c does it, its pointers are where they should be."""
    compiled(box, 'pic', *PIC)
    res = elf2bflt(box, '--stack', '5000', box.path('pic'), box.in_tree('a'))
    equal((res.returncode, res.stderr), (0, ''))
    with open(box.in_tree('a'), 'rb') as f:
        program = f.read()
    magic, rev, *values = struct.unpack_from('>4s10I', program)
    h = dict(zip(FLAT_FIELDS, values))
    equal((magic, rev, h['flags'], h['stack_size']), (b'bFLT', 4, FLAT_GOTPIC, 5000))
    equal(h['entry'] & 1, 1, 'entry is Thumb')
    equal(h['reloc_start'], h['data_end'])
    equal(len(program), h['reloc_start'] + 4 * h['reloc_count'])
    mapped_in_place(box, box.make('-X'), 'a', range((h['data_start'] + PAGE - 1) // PAGE))

    def word(at):
        return struct.unpack_from('<I', program, FLAT_HEADER + at)[0]

    nm = subprocess.run(('nm', box.path('pic')), stdout=subprocess.PIPE, text=True).stdout
    symbol = {line.split()[-1]: int(line.split()[0], 16) for line in nm.splitlines()}
    table = h['data_start'] - FLAT_HEADER
    offsets = []
    while word(table) != 0xffffffff:
        offsets.append(word(table))
        table += 4
    # The compiler knows where twice() and text are from where it is.
    equal({symbol[name] for name in ('number', 'zero', 'pointer', 'nothing')} <= set(offsets),
          True, offsets)
    relocs = struct.unpack_from('>%dI' % h['reloc_count'], program, h['reloc_start'])
    equal(relocs, (symbol['pointer'],))
    equal(word(symbol['pointer']), symbol['twice'] | 1)


@test_each('-fno-pie', '-fpie')
def program_that_is_not_position_independent_is_not_converted(box, flags):
    """Text and data may be anywhere, independently of each other."""
    compiled(box, 'plain', flags, '-Wl,--emit-relocs', '-T',
             os.path.join(SELFTESTS, 'bflt/bflt.ld'))
    res = elf2bflt(box, box.path('plain'), box.path('flat'))
    equal((res.returncode, os.path.exists(box.path('flat'))), (1, False))
    contains(res.stderr, 'not compiled as position-independent')


def programs(box):
    for name, content in (('flat', bflt()), ('fdpic', elf([(R | X, 0, PAGE)], PAGE, kind=2,
                                                          osabi=FDPIC) + prose(3 * PAGE)),
                          ('full', bflt(text=PAGE, data=0, size=2 * PAGE)),
                          ('full-2', bflt(text=PAGE - FLAT_HEADER, data=PAGE - 8))):
        box.file('programs/' + name, content)
    return nasty_tree(box)


@test_each(*(form for form in ALL_FORMS if '-U' in form), '-U -B')
def nothing_is_deflated_with_U(box, options):
    image = programs(box).make(options)
    kinds = {block.kind for entry in image.walk() if entry.has_data
             for block in image.block_list(entry)}
    equal(kinds, {'stored'} if '--no-holes' in options else {'stored', 'hole'})
    same_as_tree(box, image)


@test_each('-U', '-U -X', '-U -X -X -z')
def full_last_block_is_never_direct_with_U(box, options):
    """The unmodified driver reads it as zeros."""
    image = programs(box).make(options)
    for entry in image.walk():
        if entry.has_data and entry.size % PAGE == 0:
            ptr = image.codec.u32(image.data, image.pointer_at(entry, entry.size // PAGE - 1))
            equal(ptr & (PTR_STORED | PTR_DIRECT) != PTR_STORED | PTR_DIRECT, True, entry.path)


@test
def programs_are_in_one_piece_with_U(box):
    """Data after the text need no mapping, but can have one."""
    box.file('a', bflt())
    mapped_in_place(box, box.make('-U -X'), 'a', range(6))
