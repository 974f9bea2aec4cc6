# SPDX-License-Identifier: GPL-2.0-only
"""Rules for what is stored in place (--xip-rules): what each word means, which rule decides, and
what is said about rules that are wrong or without effect."""

import os

from cramfs_image import PAGE, nr_blocks
from harness import (bflt, elf, equal, nasty_tree, noise, prose, same_as_tree, test, test_each,
                     R, W, X)


def program(text=2, rodata=1, data=2, rest=3, tail=100, **kind):
    """An ELF file with so many pages of text, of rodata, of data, and of what is in no segment; the
    last page is a part of one. All of it would be compressed, or what is stored could not be told
    from what does not shrink."""
    segments = [(R | X, 0, text * PAGE), (R, text * PAGE, rodata * PAGE),
                (R | W, (text + rodata) * PAGE, data * PAGE)]
    head = elf(segments, 200, **kind)
    size = (text + rodata + data + rest) * PAGE + tail
    return head + prose(size - len(head), kind.get('seed', 0))


def with_rules(box, text, options=''):
    """Make the image by these rules, without a warning."""
    return box.make('%s --xip-rules %s' % (options, box.write('rules', text)))


def warned(box, text, *warnings, options=''):
    """The image is made by these rules, with these warnings and no others."""
    path = box.write('rules', text)
    res = box.run('-q', *options.split(), '--xip-rules', path, box.tree, box.image_path)
    equal(res.status, 0, res.err)
    equal(res.err.replace(path, 'RULES').splitlines(),
          ['mkcramfs: warning: ' + w for w in warnings])
    image = box.image()
    equal(image.errors(), [], 'image')
    return image


def wrong(box, text, *errors):
    """These rules are refused, and all that is wrong with them is said."""
    path = box.write('rules', text)
    res = box.refused('', '-q', '--xip-rules', path, box.tree, box.image_path)
    equal(res.err.replace(path, 'RULES').splitlines(), ['mkcramfs: ' + e for e in errors])


def in_place(image, path, align=PAGE):
    """Which blocks are stored, in one piece for each run and at a multiple of ALIGN."""
    entry = image.find(path)
    blocks = image.block_list(entry)
    pages = set()
    for i, block in enumerate(blocks):
        if block.kind != 'stored':
            continue
        pages.add(i)
        if i and i - 1 in pages:
            equal(block.offset, blocks[i - 1].offset + PAGE, '%s: place of page %d' % (path, i))
        equal(block.offset % align, 0, '%s: place of page %d' % (path, i))
        equal(image.data[block.offset + block.len:block.offset + PAGE], bytes(PAGE - block.len),
              '%s: behind page %d' % (path, i))
    return pages


KINDS = [dict(bits=bits, endian=endian, kind=kind) for bits in (32, 64) for endian in '<>'
         for kind in (2, 3)]


@test_each(('text', {0, 1}), ('rodata', {2}), ('data', {3, 4}), ('text rodata', {0, 1, 2}),
           ('data text', {0, 1, 3, 4}), ('text rodata data', set(range(5))), ('none', set()),
           ('all', set(range(9))), ('pages 0', {0}), ('pages 8', {8}), ('pages 2-4', {2, 3, 4}),
           ('pages 0-1,3,6-', {0, 1, 3, 6, 7, 8}), ('pages 7-4095', {7, 8}),
           ('text pages 4-5', {0, 1, 4, 5}), ('pages 4 pages 6 rodata', {2, 4, 6}),
           ('all text', set(range(9))))
def rule_word_says_what_is_in_place(box, case):
    words, pages = case
    for i, kind in enumerate(KINDS):
        box.file('p%d' % i, program(seed=i, **kind), 0o755)
    image = with_rules(box, '/** ' + words)
    for i in range(len(KINDS)):
        equal(in_place(image, 'p%d' % i), pages, KINDS[i])
    same_as_tree(box, image)


@test_each(('text', {0, 1, 2}), ('all', set(range(6))), ('pages 5', {5}))
def rule_word_says_what_is_in_place_of_bflt(box, case):
    words, pages = case
    box.file('a', bflt(fill=prose))
    equal(in_place(with_rules(box, '/a ' + words), 'a'), pages)


@test_each('rodata', 'data', 'rodata data')
def bflt_has_text_only(box, words):
    """Its data are read into RAM by the kernel."""
    box.file('a', bflt(fill=prose))
    equal(in_place(with_rules(box, '/a ' + words), 'a'), set())


@test_each('/a', '/*', '/**', 'a', '**/a', '/[ab]', '/?')
def pattern_is_a_glob_of_paths(box, pattern):
    box.file('a', prose(5000))
    equal(in_place(with_rules(box, pattern + ' all'), 'a'), {0, 1})


@test
def rule_is_for_what_it_matches_only(box):
    for path in ('m/a', 'm/b.ttf', 'm/n/c.ttf', 'x'):
        box.file(path, prose(5000, len(path)))
    image = with_rules(box, '/m/*.ttf all')
    equal([in_place(image, path) for path in ('m/a', 'm/b.ttf', 'm/n/c.ttf', 'x')],
          [set(), {0, 1}, set(), set()])


@test
def last_rule_that_matches_decides(box):
    for i, path in enumerate('abc'):
        box.file(path, prose(5 * PAGE, i))
    image = with_rules(box, '/** all\n/b none\n/c none\n/c pages 1\n')
    equal([in_place(image, path) for path in 'abc'], [set(range(5)), set(), {1}])


@test
def earlier_rule_adds_nothing_to_a_later_one(box):
    box.file('a', program())
    equal(in_place(with_rules(box, '/a text\n/a pages 6\n'), 'a'), {6})


@test_each('-X', '-X -X')
def rule_takes_the_place_of_X(box, options):
    for i, path in enumerate('abc'):
        box.file(path, program(seed=i))
    image = with_rules(box, '/a none\n/b pages 7\n', options)
    equal([in_place(image, path, 32) for path in 'abc'], [set(), {7}, {0, 1, 2}])


@test
def files_without_a_rule_are_not_in_place_without_X(box):
    box.file('a', program(seed=1))
    box.file('b', program(seed=2))
    image = with_rules(box, '/a text')
    equal(in_place(image, 'a'), {0, 1})
    equal(any(b.letter == 'X' for b in image.block_list(image.find('b'))), False)


@test_each(('', PAGE), ('-X -X', PAGE), ('-X', 32))
def rules_align_as_X_does_or_to_pages(box, case):
    options, align = case
    os.symlink('xyz' * 3, box.in_tree('odd'))
    for i in range(3):
        box.file('f%d' % i, prose(2 * PAGE + i * 5 + 1, i))
    image = with_rules(box, '/f* all', options)
    offsets = [image.block(image.find('f%d' % i), 0).offset for i in range(3)]
    equal([offset % align for offset in offsets], [0, 0, 0])
    equal(any(offset % PAGE for offset in offsets), align != PAGE)


@test_each(1, PAGE - 1, PAGE + 1, 2 * PAGE, 5 * PAGE + 17)
def all_of_a_media_file_can_be_mapped(box, size):
    """Zeros are behind its end, and a full last page is on a page, too."""
    box.file('film', prose(size))
    box.file('neighbour', noise(3000))
    image = with_rules(box, '/film all')
    equal(in_place(image, 'film'), set(range(nr_blocks(size))))
    same_as_tree(box, image)


@test
def zeros_of_what_is_in_place_are_no_holes(box):
    box.file('film', prose(PAGE) + bytes(PAGE) + prose(PAGE) + bytes(PAGE))
    equal(in_place(with_rules(box, '/film all', '-z'), 'film'), {0, 1, 2, 3})


@test
def data_of_a_segment_that_is_longer_in_memory_are_in_place(box):
    """With an MMU the page is copied when the kernel zeroes the rest; text cannot be zeroed."""
    box.file('a', program(more=500))
    equal(in_place(with_rules(box, '/a text rodata data'), 'a'), {3, 4})


@test_each('text', 'rodata', 'data')
def segment_at_another_place_in_its_page_cannot_be_asked_for(box, word):
    box.file('a', program(skew=16))
    image = with_rules(box, '/a ' + word)
    equal(any(b.letter == 'X' for b in image.block_list(image.find('a'))), False)


@test
def data_that_share_a_page_with_text_are_one_page(box):
    box.file('a', elf([(R | X, 0, PAGE + 100), (R | W, PAGE + 100, PAGE)], 200) + prose(4 * PAGE))
    equal(in_place(with_rules(box, '/a data'), 'a'), {1, 2})


@test
def same_files_are_in_place_if_one_of_them_is_to_be(box):
    for names in ('ab', 'cd', 'ef', 'gh', 'ijk'):
        for name in names:
            box.file(name, program(seed=ord(names[0])))
    image = with_rules(box, '/a all\n/d all\n/e text\n/f pages 7-8\n/g none\n'
                       '/i none\n/j pages 5\n/k data\n', '-X -X')
    equal([in_place(image, name) for name in 'abcdefghijk'],
          [set(range(9))] * 4 + [{0, 1, 7, 8}] * 2 + [{0, 1, 2}] * 2 + [{3, 4, 5}] * 3)
    same_as_tree(box, image)


@test
def program_of_two_names_is_one_for_both_of_their_rules(box):
    for name in 'ab':
        box.file(name, program())
    equal(in_place(with_rules(box, '/a text\n/b data\n'), 'a'), {0, 1, 3, 4})


@test
def one_name_of_a_hard_link_is_enough(box):
    box.file('a', prose(5000))
    os.link(box.in_tree('a'), box.in_tree('z'))
    equal(in_place(with_rules(box, '/z all'), 'a'), {0, 1})


@test
def all_of_a_file_is_in_place_with_U_if_any_of_it_is(box):
    box.file('a', prose(4 * PAGE))
    equal(in_place(with_rules(box, '/a pages 2', '-U'), 'a'), {0, 1, 2, 3})


@test_each('/a all # why', '# what\n\n  \t\n/a\tall', '  /a   all  ', '/a all\r\n',
           '"/a" all', '"/a" "all"', '/a all#not-a-comment\n/a all')
def rules_have_comments_blanks_and_quotes(box, text):
    box.file('a', prose(5000))
    if '#not' in text:
        wrong(box, text, "RULES:1: 'all#not-a-comment' is none of: text rodata data all none pages")
    else:
        equal(in_place(with_rules(box, text), 'a'), {0, 1})


@test_each(('"/a film" all', 'a film'), ('/a#b all', 'a#b'), ('"#" all', '#'),
           ('/ž* all', 'žluť'),
           ('"/a\tb" all', 'a\tb'), ('"/a\\"b" all', 'a"b'), ('"/a\\\\\\\\b" all', 'a\\b'),
           ('/a\\\\b all', 'a\\b'), ('"/\\*" all', '*'), ('/a"b all', 'a"b'))
def odd_names_can_be_named(box, case):
    rule, name = case
    box.file(name, prose(5000))
    equal(in_place(with_rules(box, rule), name), {0, 1})


@test
def long_files_of_rules_are_read(box):
    for i in range(300):
        box.file('f%03d' % i, prose(50, i))
    image = with_rules(box, ''.join('/f%03d %s\n' % (i, ('all', 'none')[i % 2])
                                    for i in range(300)))
    equal([image.block(image.find('f%03d' % i), 0).letter == 'X' for i in range(300)],
          [i % 2 == 0 for i in range(300)])


OTHER = "'%s' is none of: text rodata data all none pages"
QUOTES = 'quotes that do not end a word'
PAGES = "'pages' needs numbers up to 4095 and ranges, as 0-15,20"


@test_each(('/a', 'nothing is said about /a'), ('/a ever', OTHER % 'ever'),
           ('/a TEXT', OTHER % 'TEXT'), ('/a none text', "'none' stands alone"),
           ('/a pages 1 none', "'none' stands alone"),
           *(('/a pages ' + text, PAGES) for text in (
               '', 'x', '1-x', '1,', ',1', '2-1', '1--2', '-1', '4096', '1;2', '1-2-3', '0x1',
               '99999999999999999999', 'text')),
           ('"/a all', QUOTES), ('"/a"all', QUOTES), ('/a "all', QUOTES),
           ('"" all', 'an empty pattern'), ('/a a\0b', 'a byte of zero: this is no text'))
def wrong_rule_is_an_error(box, case):
    text, error = case
    box.file('a', prose(100))
    wrong(box, text, 'RULES:1: ' + error)


@test
def all_wrong_rules_are_told_at_once(box):
    box.file('a', prose(100))
    wrong(box, '# rules\n/a all\n/a what\n\n/b none all\n/c so much\n',
          'RULES:3: ' + OTHER % 'what',
          "RULES:5: 'none' stands alone",
          'RULES:6: ' + OTHER % 'so',
          'RULES:6: ' + OTHER % 'much')


@test
def wrong_rules_are_told_before_the_tree_is_read(box):
    box.file('huge', b'')
    os.truncate(box.in_tree('huge'), 1 << 24)
    wrong(box, '/a', 'RULES:1: nothing is said about /a')


@test
def rules_that_are_not_there_are_an_error(box):
    box.refused('No such file', '-q', '--xip-rules', box.path('rules'), box.tree, box.image_path)
    box.refused('directory', '-q', '--xip-rules', box.dir, box.tree, box.image_path)


@test
def rule_without_a_file_is_a_warning(box):
    box.file('dir/a', prose(100))
    os.symlink('a', box.in_tree('dir/l'))
    warned(box, '/b all\n/dir none\n/dir/l text\n/dir/* all\n/c pages 0\n',
           'RULES:1: /b matches no file',
           'RULES:2: /dir matches only directories; what is in them is matched by /dir/**',
           'RULES:3: /dir/l matches no file, but a symbolic link or node',
           'RULES:5: /c matches no file')


@test
def rule_that_asks_for_segments_of_what_has_none_is_a_warning(box):
    box.file('a', prose(100))
    box.file('b', elf([(R | X, 0, PAGE)], PAGE, kind=1))
    box.file('c', elf([(R | X, 0, PAGE)], PAGE))
    warned(box, '/a text\n/b data\n/c text\n', *(
        'RULES:%d: /%s: segments are asked for, but there is no program or library' % pair
        for pair in ((1, 'a'), (2, 'b'))))


@test
def pages_that_are_not_there_are_a_warning(box):
    box.file('a', prose(5000))
    box.file('b', prose(9000))
    image = warned(box, '/* pages 0,1-7,3-\n', 'RULES:1: /*: there is no page 3')
    equal(in_place(image, 'a'), {0, 1})


@test
def data_without_an_MMU_is_a_warning(box):
    box.file('a', program())
    image = warned(box, '/a text data', "RULES:1: /a: 'data' is of no use without an MMU: it is "
                   'copied to RAM', options='-X')
    equal(in_place(image, 'a', 32), {0, 1, 3, 4})


@test_each('/** text\n', '/** none\n/a text\n', '/a all\n/** none\n', '/** text\n/b all\n',
           '/b all text\n')
def rules_with_an_effect_on_something_give_no_warning(box, text):
    box.file('a', program())
    box.file('b', b'#!/bin/sh\n')
    with_rules(box, text)


@test
def warnings_about_rules_count_as_errors_with_E(box):
    box.refused('matches no file', '-q', '-E', '--xip-rules', box.write('rules', '/b all'),
                box.tree, box.image_path)


@test_each(*((rule, options) for rule in ('/** all', '/** text rodata data', '** pages 1-2',
                                          '/elf/** data\n/sizes/* all')
             for options in ('', '-z', '-X', '-X -X -z', '-U', '-p -B', '-U -X -z')))
def image_by_rules_is_the_same_as_the_tree(box, case):
    rule, options = case
    nasty_tree(box)
    path = box.write('rules', rule)
    res = box.run('-q', *options.split(), '--xip-rules', path, box.tree, box.image_path)
    equal(res.status, 0, res.err)
    image = box.image()
    equal(image.errors(), [], 'image')
    same_as_tree(box, image)
    box.write('rules', '# none\n')
    plain = box.make(options)
    if rule == '/** all':
        equal(len(image.data) > len(plain.data) or '-U' in options, True, 'sizes')


@test
def rules_without_effect_make_the_image_that_x_makes(box):
    nasty_tree(box)
    equal(with_rules(box, '/** none').data == box.make_bytes('-x'), True)
