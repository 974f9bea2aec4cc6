# SPDX-License-Identifier: GPL-2.0-only
"""The order of data in the image, by a file of priorities as gensquashfs has it."""

import os

from harness import contains, equal, noise, test, test_each


def tree(box, *names):
    for i, name in enumerate(names):
        box.file(name, noise(3000, i))


def make(box, text, options='', **more):
    return box.make('%s --sort %s' % (options, box.write('order', text)), **more)


def order(image):
    """Names of what has data, as it lies in the image."""
    return [e.path[1:].decode() for e in sorted((e for e in image.walk() if e.has_data),
                                                key=lambda e: e.offset)]


@test
def lower_priority_comes_first(box):
    tree(box, 'a', 'b', 'c', 'd')
    equal(order(make(box, '7 a\n-9223372036854775807 d\n-1 c\n')), ['d', 'c', 'b', 'a'])


@test
def same_priority_keeps_the_order_of_the_tree(box):
    tree(box, 'a', 'b', 'c', 'd')
    equal(order(make(box, '-1 d\n-1 c\n')), ['c', 'd', 'a', 'b'])


@test
def order_is_that_of_the_tree_without_a_file(box):
    tree(box, 'b', 'a/y', 'a/x', 'c')
    equal(order(box.make()), ['a/x', 'a/y', 'b', 'c'])


@test
def contents_and_names_are_those_of_an_image_without_order(box):
    tree(box, 'a', 'b', 'c')
    os.symlink('target', box.in_tree('l'))
    plain, sorted_image = box.make(), make(box, '-1 c\n-2 l\n5 a\n')
    equal([e.path for e in plain.walk()], [e.path for e in sorted_image.walk()])
    equal([plain.read(e) for e in plain.walk() if e.has_data],
          [sorted_image.read(e) for e in sorted_image.walk() if e.has_data])
    equal(order(sorted_image)[:2], ['l', 'c'])


@test_each('d/f', '/d/f', '//d//f', '  "d/f"', '"/d/f"', '[] d/f', '[glob] d/f', '[glob] /d/f',
           '[glob] d/*', '[glob] */f', '[glob]d/?', '[glob_no_path] *f', '[glob_no_path] /d*',
           '[nosparse, glob] d/f', '[ glob,align ] d/f')
def form_of_a_line_is_understood(box, form):
    tree(box, 'a', 'd/f', 'z')
    res = box.run('-q', '--sort', box.write('order', '\n # a comment\n\t -5 \t%s \r\n' % form),
                  box.tree, box.image_path)
    equal(res.status, 0, res.err)
    equal(order(box.image()), ['d/f', 'a', 'z'])


@test
def quoted_name_may_have_blanks_and_quotes(box):
    tree(box, 'a', ' b "c" \\d ')
    equal(order(make(box, '-1 " b \\"c\\" \\\\d "'))[0], ' b "c" \\d ')


@test
def unquoted_name_may_have_blanks(box):
    tree(box, 'a', 'b c')
    equal(order(make(box, '-1 b c\n'))[0], 'b c')


@test
def glob_matches_no_slash(box):
    tree(box, 'a', 'd/f', 'z')
    equal(order(make(box, '-1 [glob] *\n')), ['a', 'z', 'd/f'])


@test
def glob_no_path_matches_slashes(box):
    tree(box, 'a', 'd/e/f', 'z')
    equal(order(make(box, '-1 [glob_no_path] d*\n')), ['d/e/f', 'a', 'z'])


@test
def first_line_about_a_file_counts(box):
    tree(box, 'a', 'b', 'c')
    equal(order(make(box, '0 c\n-3 b\n-1 [glob] *\n-9 [glob] c\n-9 a\n')), ['b', 'a', 'c'])


@test
def links_have_a_place_too(box):
    tree(box, 'a')
    os.symlink('target', box.in_tree('l'))
    equal(order(make(box, '-1 l\n')), ['l', 'a'])


@test
def entries_of_a_device_table_have_a_place_too(box):
    tree(box, 'a')
    table = box.write('table', '/l l 777 0 0 target\n')
    equal(order(make(box, '-1 l\n', '-D ' + table)), ['l', 'a'])


@test
def files_with_the_same_data_go_where_the_first_is_wanted(box):
    tree(box, 'a', 'b')
    box.file('c', noise(3000, 0))
    image = make(box, '-2 c\n-1 b\n')
    equal(image.find('a').offset, image.find('c').offset)
    equal(image.find('a').offset < image.find('b').offset, True)


@test_each(('-1 none', 'none: not in the image'), ('-1 a/none', 'a/none: not in the image'),
           ('-1 d', 'd: not a file'), ('-1 [glob] x*', '/x*: matches no file'),
           ('-1 [glob_no_path] x*', 'x*: matches no file'),
           ('-1 [dont_compress] a', 'dont_compress: ignored'))
def line_about_nothing_is_a_warning(box, case):
    line, message = case
    tree(box, 'a', 'd/f')
    res = box.run('-q', '--sort', box.write('order', '\n%s\n' % line), box.tree, box.image_path)
    equal(res.status, 0)
    contains(res.err, 'warning: %s:2: %s\n' % (box.path('order'), message))


@test_each(('a', 'a: not a priority'), ('1', '1: not a priority'), ('1x a', '1x: not a priority'),
           ('9223372036854775808 a', '9223372036854775808: not a priority'),
           ('-9223372036854775808 a', '-9223372036854775808: not a priority'),
           ('1 [glob a', '[glob a: no ] after the flags'), ('1 [glib] a', 'glib: no such flag'),
           ('1 [glob]', 'no name'), ('1 "a', 'no quotation mark at the end'),
           ('1 a\0', 'a byte of zero'), ('1 "a" b', ' b: more than a name'), ('1 "a\\"', 'no quotation mark at the end'))
def bad_line_is_an_error(box, case):
    tree(box, 'a')
    box.refused('order:2: ' + case[1], '-q', '--sort', box.write('order', '# x\n%s\n' % case[0]),
                box.tree, box.image_path)


@test
def all_bad_lines_are_told_of(box):
    path = box.write('order', 'x\n1 y\n1 [z] y\n')
    err = box.refused('', '-q', '--sort', path, box.tree, box.image_path).err
    contains(err, 'order:1: ')
    contains(err, 'order:3: ')


@test
def missing_file_of_priorities_is_an_error(box):
    box.refused('/none: No such file', '-q', '--sort', box.path('none'), box.tree, box.image_path)
