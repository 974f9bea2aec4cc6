# SPDX-License-Identifier: GPL-2.0-only
"""Device tables."""

import os
import stat

from harness import equal, test, test_each


def apply(box, text, options=''):
    return box.make('%s -D %s' % (options, box.write('table', text)))


def attributes(image, path):
    entry = image.find(path)
    return oct(entry.mode), entry.uid, entry.gid


def device(image, path):
    entry = image.find(path)
    return stat.S_IFMT(entry.mode), entry.size >> 8, entry.size & 255


@test_each(('c', stat.S_IFCHR), ('b', stat.S_IFBLK))
def creates_a_device(box, case):
    letter, kind = case
    os.mkdir(box.in_tree('dev'))
    image = apply(box, '/dev/x %s 640 3 4 255 254 0 0 -\n' % letter)
    equal(device(image, 'dev/x'), (kind, 255, 254))
    equal(attributes(image, 'dev/x'), (oct(kind | 0o640), 3, 4))
    equal(image.find('dev/x').offset, 0)


@test
def creates_a_fifo(box):
    image = apply(box, '/x p 620 1 2 - - - - -\n')
    equal(attributes(image, 'x'), (oct(stat.S_IFIFO | 0o620), 1, 2))
    equal((image.find('x').size, image.find('x').offset), (0, 0))


@test
def creates_directories_of_any_depth(box):
    image = apply(box, '/a d 755 0 0\n/a/b d 700 1 1\n/a/b/c d 1777 2 2\n/a/b/c/n c 666 0 0 1 3\n')
    equal(attributes(image, 'a/b/c'), (oct(stat.S_IFDIR | 0o1777), 2, 2))
    equal(device(image, 'a/b/c/n'), (stat.S_IFCHR, 1, 3))


@test
def changes_a_file_and_keeps_its_contents(box):
    box.file('bin/su', b'content')
    image = apply(box, '/bin/su f 4755 5 6 - - - - -\n')
    equal(attributes(image, 'bin/su'), (oct(stat.S_IFREG | 0o4755), 5, 6))
    equal(image.read(image.find('bin/su')), b'content')


@test
def changes_a_directory_and_keeps_its_entries(box):
    box.file('d/f', b'x')
    image = apply(box, '/d d 710 7 8\n')
    equal(attributes(image, 'd'), (oct(stat.S_IFDIR | 0o710), 7, 8))
    equal(image.read(image.find('d/f')), b'x')


@test
def changes_the_root(box):
    equal(attributes(apply(box, '/ d 711 9 10\n'), '/'), (oct(stat.S_IFDIR | 0o711), 9, 10))


@test
def makes_a_series_as_mkfs_jffs2_does(box):
    """COUNT names from START on; the minor grows by INC from MINOR."""
    image = apply(box, '/hda b 640 0 0 3 1 1 2 3\n')
    equal([e.path for e in image.children(image.root)], [b'/hda1', b'/hda2', b'/hda3'])
    equal([device(image, 'hda%d' % i)[1:] for i in (1, 2, 3)], [(3, 1), (3, 3), (3, 5)])


@test
def keeps_added_names_sorted(box):
    box.file('m')
    image = apply(box, '/z c 600 0 0 1 1\n/a c 600 0 0 1 1\n/t c 600 0 0 4 0 0 1 12\n')
    names = [e.path for e in image.children(image.root)]
    equal(names, sorted(names))
    equal(len(names), 15)


@test
def replaces_a_placeholder_by_a_device(box):
    box.file('console', b'not empty')
    image = apply(box, '/console c 600 0 0 5 1\n')
    equal(device(image, 'console'), (stat.S_IFCHR, 5, 1))
    equal(image.find('console').offset, 0)


@test
def replaces_a_placeholder_by_a_fifo(box):
    box.file('fifo', b'not empty')
    image = apply(box, '/fifo p 600 0 0\n')
    equal((image.find('fifo').size, image.find('fifo').offset), (0, 0))


@test_each('f', 'dev', 'none')
def creates_a_symbolic_link_or_replaces_what_is_there(box, name):
    box.file('f', b'not empty')
    image = apply(box, '/dev c 600 0 0 1 1\n/%s l 777 3 4  ../a target # of a sort \n' % name)
    equal(attributes(image, name), (oct(stat.S_IFLNK | 0o777), 3, 4))
    equal(image.read(image.find(name)), b'../a target # of a sort')


@test
def replaces_a_symbolic_link(box):
    os.symlink('target', box.in_tree('x'))
    image = apply(box, '/x c 600 0 0 5 1\n')
    equal(device(image, 'x'), (stat.S_IFCHR, 5, 1))


@test
def renumbers_a_device(box):
    box.file('x')
    table = box.write('table', '/x b 640 1 2 31 7\n')
    image = box.make('-D ' + table, shim={'SHIM_STAT': 'x:chr=%d' % os.makedev(1, 3)})
    equal(device(image, 'x'), (stat.S_IFBLK, 31, 7))


@test
def series_are_of_other_types_too(box):
    for i in range(3):
        box.file('f%d' % i)
    image = apply(box, '/p p 600 0 0 - - 8 - 3\n/f f 755 0 0 - - 0 1 3\n/d d 700 0 0 0 0 1 0 2\n')
    equal([e.path for e in image.children(image.root)],
          [b'/d1', b'/d2', b'/f0', b'/f1', b'/f2', b'/p10', b'/p8', b'/p9'])
    equal({attributes(image, 'f%d' % i)[0] for i in range(3)}, {oct(stat.S_IFREG | 0o755)})


@test
def large_series_takes_linear_time(box):
    image = apply(box, '/x c 600 0 0 4 0 0 0 100000\n', '--quiet')
    equal(image.files, 100001)


@test
def all_bad_lines_are_told_of(box):
    table = box.write('table', '/x c\n# fine\n/y p 600 0 0\ny p\n/z z 600 0 0\n/none/z p 600 0 0\n'
                      '/y f 600 0 0\n')
    err = box.refused('', '-q', '-D', table, box.tree, box.image_path).err
    equal([line.split(': ')[1].split(':')[-1] for line in err.splitlines()], ['1', '4', '5', '6', '7'])


@test
def tables_are_applied_one_after_the_other(box):
    box.write('first', '/d d 755 0 0\n/x c 600 0 0 1 1\n')
    image = apply(box, '/d/y c 600 0 0 3 3\n/x c 600 0 0 2 2\n', '-D ' + box.path('first'))
    equal((device(image, 'x')[1:], device(image, 'd/y')[1:]), ((2, 2), (3, 3)))


@test
def last_line_about_an_entry_counts(box):
    image = apply(box, '/x c 600 0 0 1 1\n/x c 644 1 1 2 2\n')
    equal((device(image, 'x'), image.files), ((stat.S_IFCHR, 2, 2), 2))


@test
def is_not_squashed_by_q(box):
    box.file('f', b'x')
    equal(attributes(apply(box, '/f f 644 11 12\n', '-q'), 'f')[1:], (11, 12))


@test
def ignores_comments_blanks_and_missing_newline(box):
    image = apply(box, '# a comment\n\n  \t \n \t# another\n\t/x \t p  644 0\t0 \r\n/y p 644 0 0')
    equal([e.path for e in image.children(image.root)], [b'/x', b'/y'])


@test
def ignores_doubled_and_trailing_slashes(box):
    image = apply(box, '//a/ d 755 0 0\n//a//x p 644 0 0\n')
    equal([e.path for e in image.walk()], [b'/', b'/a', b'/a/x'])


@test
def makes_the_same_image_in_any_order_of_lines(box):
    lines = ['/%s c 600 0 0 1 %d\n' % (name, ord(name)) for name in 'qwerty']
    equal(apply(box, ''.join(lines)).data == apply(box, ''.join(lines[::-1])).data, True)


@test_each(
    ('/x c 600 0 0 1 1\n/a/b c 600 0 0 1 1', 'table:2: /a/b: the directory that it is in does not exist'),
    ('/f/b c 600 0 0 1 1', 'table:1: /f/b: a part of the path is not a directory'),
    ('/none f 600 0 0', 'table:1: /none: no such file'),
    ('/f d 600 0 0', 'table:1: /f: exists and is not a directory'),
    ('/d f 600 0 0', 'table:1: /d: exists and is not a regular file'),
    ('/d c 600 0 0 1 1', 'table:1: /d: exists and is a directory'),
    ('/ c 600 0 0 1 1', 'table:1: /: exists and is a directory'),
    ('x c 600 0 0 1 1', 'table:1: x: path does not begin with /'),
    ('/d/../x c 600 0 0 1 1', 'table:1: /d/../x: path has a . or .. in it'),
    ('/x s 600 0 0', 'table:1: s: type is none of f, d, c, b, p and l'),
    ('/x cc 600 0 0', 'table:1: cc: type is none of f, d, c, b, p and l'),
    ('/x c', 'table:1: /x: name, type, mode, uid and gid are needed'),
    ('/x c 600 0 0 1 1 0 0 0 0', 'table:1: /x: more than ten fields'),
    ('/x c 800 0 0 1 1', 'table:1: /x: mode 800 is not an octal number'),
    ('/x c 10000 0 0 1 1', 'table:1: /x: mode 10000 is above 7777'),
    ('/x c 600 -1 0 1 1', 'table:1: /x: uid -1 is not a number'),
    ('/x c 600 65536 0 1 1', 'table:1: /x: uid 65536 is above 65535'),
    ('/x c 600 0 256 1 1', 'table:1: /x: gid 256 is above 255'),
    ('/x c 600 0 0 1x 1', 'table:1: /x: major 1x is not a number'),
    ('/x c 600 0 0 4294967300 1', 'table:1: /x: major 4294967300 is above 1048576'),
    ('/x p 600 0 99999999999999999999', 'table:1: /x: gid 99999999999999999999 is above 255'),
    *(('/x ' + fields, 'table:1: /x: a device needs a major and a minor number')
      for fields in ('c 666 0 0', 'b 600 0 0 - -', 'c 600 0 0 5', 'c 600 0 0 - 5')),
    ('/x c 600 0 0 1 0 0 1048576 4097', 'table:1: /x: the last minor is above 1048576'),
    ('/x p 600 0 0\0zzz', 'table:1: a byte of zero'),
    ('/x l 777 0 0', 'table:1: /x: a symbolic link needs a target'),
    ('/x l 777 0 0  ', 'table:1: /x: a symbolic link needs a target'),
    ('/d l 777 0 0 t', 'table:1: /d: exists and is a directory'),
    ('/x c 600 0 0 256 1', '/x: device number 256:1 is above 255:255'),
    ('/x c 600 0 0 1 250 0 1 10', '/x6: device number 1:256 is above 255:255'),
    ('/' + 'x' * 253 + ' p 600 0 0', 'name has 253 bytes, the format holds 252'))
def bad_line_is_an_error(box, case):
    line, message = case
    box.file('f', b'x')
    os.mkdir(box.in_tree('d'))
    box.refused(message, '-q', '-D', box.write('table', line + '\n'), box.tree, box.image_path)


@test
def missing_table_is_an_error(box):
    box.refused('none: No such file', '-q', '-D', box.path('none'), box.tree, box.image_path)


@test
def table_that_is_a_directory_is_an_error(box):
    box.refused('Is a directory', '-q', '-D', box.tree, box.tree, box.image_path)
