# SPDX-License-Identifier: GPL-2.0-only
"""Images of archives: what goes in comes out, as of a directory; what is wrong with an archive is an
error, and makes nothing."""

import binascii
import bz2
import gzip
import io
import lzma
import os
import resource
import shutil
import stat
import subprocess
import tarfile
import zipfile

import harness
import trees
from cramfs_image import PAGE
from harness import Skip, contains, equal, nasty_tree, noise, prose, test, test_each

PACK = {'plain': bytes, 'gz': gzip.compress, 'xz': lzma.compress, 'bz2': bz2.compress,
        'lzma': lambda data: lzma.compress(data, lzma.FORMAT_ALONE)}
FORMATS = {'ustar': tarfile.USTAR_FORMAT, 'gnu': tarfile.GNU_FORMAT, 'pax': tarfile.PAX_FORMAT}


def entry(name, content=b'', kind=tarfile.REGTYPE, mode=0o644, **fields):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, len(content)
    for field, val in fields.items():
        setattr(info, field, val)
    return info, content


def tar(box, *entries, form='pax', name='archive.tar'):
    """An archive of these, beside the tree."""
    with tarfile.open(box.path(name), 'w', format=FORMATS[form]) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return box.path(name)


def made(box, archive, *options, err='', **more):
    """The image of an archive."""
    res = box.run(*options, '--tar', archive, box.image_path, **more)
    equal((res.status, res.err), (0, err))
    equal(box.image().errors(), [], 'image')
    return box.image()


def refused(box, archive, message, *options, **more):
    return box.refused(message, *options, '--tar', archive, box.image_path, **more)


def piped(box, data, *options):
    """Run mkcramfs on an archive that comes by a pipe: exit status, messages."""
    res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), *options, '--tar', '-',
                          box.image_path), input=data, stderr=subprocess.PIPE)
    return res.returncode, res.stderr.decode()


def cpio(box, *names):
    """A cpio archive of these files of the tree."""
    if not shutil.which('cpio'):
        raise Skip('no cpio')
    return subprocess.run(('cpio', '-o', '-H', 'newc'), input='\n'.join(names).encode() + b'\n',
                          check=True, cwd=box.tree, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def sparse(name, size, *blocks):
    """A file in an archive as old versions of GNU tar have sparse ones: BLOCKS are (offset, bytes)."""
    data = b''.join(content for _, content in blocks)
    info = tarfile.TarInfo(name)
    info.size = len(data)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b'S'
    numbers = [number for offset, content in blocks for number in (offset, len(content))]
    for i, number in enumerate(numbers):
        header[386 + 12 * i:398 + 12 * i] = b'%011o\0' % number
    header[483:495] = b'%011o\0' % size
    header[148:156] = b' ' * 8
    header[148:156] = b'%06o\0 ' % sum(header)
    return bytes(header) + data + bytes(-len(data) % 512)


def paths(image):
    return [e.path.decode() for e in image.walk()]


def attributes(image, path):
    found = image.find(path)
    return oct(found.mode), found.uid, found.gid


@test_each(*FORMATS)
def image_of_a_tar_archive_is_that_of_the_tree(box, form):
    nasty_tree(box)
    # tarfile leaves out sockets, and ustar holds no targets over 100 bytes.
    os.unlink(box.in_tree('links/s'))
    if os.geteuid():
        os.unlink(box.in_tree('modes/0000'))	# tarfile could not read it
    if form == 'ustar':
        for name in '23':
            os.unlink(box.in_tree('links/' + name))
        shutil.rmtree(box.in_tree('deep'))
        for name in os.listdir(box.in_tree('names')):
            if len(name) > 90:
                os.unlink(box.in_tree('names/' + name))
                os.rmdir(box.in_tree('names-of-dirs/' + name))
    with tarfile.open(box.path('a.tar'), 'w', format=FORMATS[form]) as archive:
        archive.add(box.tree, '.')
    # Both have the owner of these files.
    owner = [] if os.geteuid() == 0 else ['-q']
    res = box.run(*owner, box.tree, box.image_path)
    equal((res.status, res.err), (0, ''))
    want = box.image().data
    equal(made(box, box.path('a.tar'), *owner).data == want, True)


@test
def image_of_the_archive_of_a_pathological_tree_is_that_of_the_tree(box):
    """With names, sizes, holes, links, owners and, as root, devices that scripts trip over."""
    trees.make(box.tree, 100, ('small', 'holes', 'links', 'nodes', 'names', 'sizes', 'deep', 'modes'))
    os.unlink(box.in_tree('nodes/socket'))
    with tarfile.open(box.path('a.tar'), 'w', format=tarfile.PAX_FORMAT) as archive:
        archive.add(box.tree, '.')
    owner = [] if os.geteuid() == 0 else ['-q']
    want = box.make('', squash=bool(owner)).data
    equal(made(box, box.path('a.tar'), *owner, nobody=True).data == want, True)


@test_each('newc', 'odc', 'crc', 'ustar')
def image_of_a_cpio_archive_is_that_of_the_tree(box, form):
    if not shutil.which('cpio'):
        raise Skip('no cpio')
    box.file('d/a', noise(9000), 0o4755)
    box.file('d/b', prose(20000))
    os.link(box.in_tree('d/a'), box.in_tree('d/hard'))
    os.link(box.in_tree('d/a'), box.in_tree('hard2'))
    os.symlink('d/a', box.in_tree('link'))
    os.mkfifo(box.in_tree('fifo'))
    names = subprocess.run(('find', '.', '-print0'), cwd=box.tree, stdout=subprocess.PIPE).stdout
    with open(box.path('a.cpio'), 'wb') as f:
        subprocess.run(('cpio', '-0', '-o', '-H', form), cwd=box.tree, input=names, stdout=f,
                       stderr=subprocess.DEVNULL, check=True)
    want = box.make().data
    equal(made(box, box.path('a.cpio'), '-q').data == want, True)


@test_each('big-uid', 'fakeroot')
def nobody_makes_the_image_that_root_makes(box, how):
    """With device nodes and owners: from an archive, and by fakeroot from the tree."""
    box.file('a', b'x')
    archive = tar(box, entry('.', kind=tarfile.DIRTYPE, mode=0o755),
                  entry('a', b'x', uid=65535, gid=255, mode=0o4755),
                  entry('dev', kind=tarfile.CHRTYPE, devmajor=4, devminor=255, mode=0o620, gid=5),
                  entry('disk', kind=tarfile.BLKTYPE, devmajor=255, devminor=0, mode=0o660))
    image = made(box, archive, nobody=True)
    equal(attributes(image, 'a'), ('0o104755', 65535, 255))
    equal((attributes(image, 'dev'), image.find('dev').size), (('0o20620', 0, 5), 4 << 8 | 255))
    equal((stat.S_IFMT(image.find('disk').mode), image.find('disk').size), (stat.S_IFBLK, 255 << 8))
    if how == 'big-uid':
        return
    if not shutil.which('fakeroot'):
        raise Skip('no fakeroot')
    want = image.data
    script = ('chown 65535:255 a && chmod 4755 a && mknod dev c 4 255 && chown 0:5 dev && '
              'chmod 620 dev && mknod disk b 255 0 && chmod 660 disk && chown 0:0 . && '
              '%s/mkcramfs . %s' % (harness.TOOLS, box.image_path))
    env = dict(os.environ, ASAN_OPTIONS='verify_asan_link_order=0:detect_leaks=0')
    subprocess.run(('fakeroot', 'sh', '-c', script), cwd=box.tree, env=env, check=True)
    equal(box.image().data == want, True)


@test_each(*PACK)
def compressed_archive_is_read_from_a_file_or_a_pipe(box, how):
    with open(tar(box, entry('a', noise(50000)), entry('b', prose(50000))), 'rb') as f:
        data = f.read()
    pack = PACK[how]
    path = box.write('packed', pack(data))
    want = made(box, path).data
    equal(box.image().read(box.image().find('b')), prose(50000))
    equal(piped(box, pack(data)), (0, ''))
    equal(box.image().data == want, True)


@test
def zip_archive_is_read(box):
    with zipfile.ZipFile(box.path('a.zip'), 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('d/žluť', prose(9000))
    image = made(box, box.path('a.zip'))
    equal(image.read(image.find('d/žluť'.encode())), prose(9000))


@test_each(*FORMATS)
def names_are_the_bytes_of_the_archive(box, form):
    """Also those that are no UTF-8, and those that Unicode would have in another form."""
    names = ['cafe\u0301', 'caf\u00e9', '\udce9', 'a\nb', '\x9b', 'x' * 90]
    image = made(box, tar(box, *(entry(n) for n in names), form=form))
    equal([e.path[1:] for e in image.children(image.root)],
          sorted(n.encode('utf-8', 'surrogateescape') for n in names))


@test_each('gnu', 'pax')
def long_names_and_targets_are_kept(box, form):
    name, target = '/'.join('n' * 252 for _ in range(5)), '/'.join(['t' * 200] * 20)
    image = made(box, tar(box, entry(name, b'x'), entry('l', kind=tarfile.SYMTYPE, linkname=target),
                          form=form))
    equal(image.read(image.find(name)), b'x')
    equal(image.read(image.find('l')), target.encode())


@test
def all_types_are_kept(box):
    image = made(box, tar(box, entry('d', kind=tarfile.DIRTYPE, mode=0o1777, uid=3, gid=4),
                          entry('f', b'abc', mode=0o640), entry('p', kind=tarfile.FIFOTYPE, mode=0o600),
                          entry('l', kind=tarfile.SYMTYPE, linkname='f', mode=0o777)))
    equal([attributes(image, p) for p in 'dfpl'],
          [('0o41777', 3, 4), ('0o100640', 0, 0), ('0o10600', 0, 0), ('0o120777', 0, 0)])


@test
def missing_directories_are_made(box):
    image = made(box, tar(box, entry('a/b/c', b'x')))
    equal(paths(image), ['/', '/a', '/a/b', '/a/b/c'])
    equal({attributes(image, p) for p in ('/', 'a', 'a/b')}, {('0o40755', 0, 0)})


@test_each('.', './', '/', './/.')
def root_has_the_attributes_of_the_archive(box, name):
    image = made(box, tar(box, entry(name, kind=tarfile.DIRTYPE, mode=0o710, uid=7, gid=8)))
    equal(attributes(image, '/'), ('0o40710', 7, 8))


@test
def directory_that_comes_late_or_twice_has_the_last_attributes(box):
    image = made(box, tar(box, entry('d/f', b'x'), entry('d', kind=tarfile.DIRTYPE, mode=0o700),
                          entry('d', kind=tarfile.DIRTYPE, mode=0o711, uid=9)))
    equal((attributes(image, 'd'), paths(image)), (('0o40711', 9, 0), ['/', '/d', '/d/f']))


@test_each('a/b', '/a/b', './a/b', '/./a//b', 'a/./b', '///a/b')
def slashes_and_dots_in_front_do_not_matter(box, name):
    equal(paths(made(box, tar(box, entry(name)))), ['/', '/a', '/a/b'])


@test_each('../a', 'a/../b', 'a/..', '..')
def name_with_a_dot_dot_is_an_error(box, name):
    refused(box, tar(box, entry(name)), 'archive.tar:/%s: has a .. in its path' % name)


@test
def hard_link_is_the_same_file(box):
    image = made(box, tar(box, entry('a', noise(5000), mode=0o4755, uid=5),
                          entry('b', kind=tarfile.LNKTYPE, linkname='a'),
                          entry('c/d', kind=tarfile.LNKTYPE, linkname='./b', mode=0)))
    equal({attributes(image, p) for p in ('a', 'b', 'c/d')}, {('0o104755', 5, 0)})
    equal(len({image.find(p).offset for p in ('a', 'b', 'c/d')}), 1)
    equal(image.read(image.find('c/d')), noise(5000))


@test
def hard_link_may_come_before_the_file(box):
    image = made(box, tar(box, entry('b', kind=tarfile.LNKTYPE, linkname='a'), entry('a', b'content')))
    equal(image.read(image.find('b')), b'content')


@test
def hard_links_may_lead_to_each_other_before_the_file(box):
    def link(name, to):
        return entry(name, kind=tarfile.LNKTYPE, linkname=to)

    image = made(box, tar(box, link('a', 'b'), link('d/c', 'a'), link('e', 'f'), link('g', 'd/c'),
                          link('f', 'a'), entry('b', b'content', mode=0o755, uid=5)))
    for path in ('a', 'b', 'd/c', 'e', 'f', 'g'):
        equal((attributes(image, path), image.read(image.find(path))),
              (('0o100755', 5, 0), b'content'), path)


@test
def hard_link_to_a_device_is_one(box):
    image = made(box, tar(box, entry('a', kind=tarfile.CHRTYPE, devmajor=4, devminor=5, mode=0o620),
                          entry('b', kind=tarfile.LNKTYPE, linkname='a')))
    equal((attributes(image, 'b'), image.find('b').size), (('0o20620', 0, 0), 4 << 8 | 5))


@test
def hard_link_to_a_symbolic_link_is_one(box):
    image = made(box, tar(box, entry('a', kind=tarfile.SYMTYPE, linkname='target', mode=0o777),
                          entry('b', kind=tarfile.LNKTYPE, linkname='a')))
    equal(image.read(image.find('b')), b'target')


@test_each(('none', 'is a hard link to none, which is not in the archive'),
           ('b', 'is a hard link to b, which is not in the archive'),
           ('c', 'is a hard link to c, which is not in the archive'),
           ('d', 'is a hard link to d, a directory'),
           ('../x', 'is a hard link to ../x, which is not'))
def hard_link_to_what_is_no_file_is_an_error(box, case):
    target, message = case
    refused(box, tar(box, entry('d', kind=tarfile.DIRTYPE),
                     entry('b', kind=tarfile.LNKTYPE, linkname=target),
                     *([entry('c', kind=tarfile.LNKTYPE, linkname='b')] if target == 'c' else [])),
            'archive.tar:/b: ' + message)


@test
def hard_link_may_be_to_what_is_excluded(box):
    image = made(box, tar(box, entry('a', b'content'), entry('b', kind=tarfile.LNKTYPE, linkname='a')),
                 '--exclude', 'a')
    equal((paths(image), image.read(image.find('b'))), (['/', '/b'], b'content'))


@test
def excluded_directory_is_left_out_with_its_files(box):
    image = made(box, tar(box, entry('d/a'), entry('d/e/b'), entry('f')), '--exclude', '/d')
    equal(paths(image), ['/', '/f'])


@test_each('gnu', 'pax')
def sparse_file_is_read(box, form):
    if not shutil.which('tar'):
        raise Skip('no tar')
    with open(box.file('a'), 'wb') as f:
        for at in (0, 1 << 20, 3 << 20):
            f.seek(at)
            f.write(noise(5000, at))
        f.truncate(5 << 20)
    os.truncate(box.file('all'), 1 << 20)
    os.chmod(box.in_tree('all'), 0o644)
    subprocess.run(('tar', '--format', form, '-S', '-cf', box.path('a.tar'), '-C', box.tree, '.'),
                   check=True)
    equal(os.path.getsize(box.path('a.tar')) < 1 << 20, True, 'sparse')
    want = box.make().data
    equal(made(box, box.path('a.tar'), '-q').data == want, True)


@test_each(((8192, 512), (0, 512), 1024), ((0, 512), (8192, 512), 8192), ((0, 512), (0, 512), 1024))
def parts_of_a_sparse_file_do_not_get_elsewhere(box, case):
    *blocks, size = case
    refused(box, box.write('a.tar', sparse('a', size, *((at, b'A' * n) for at, n in blocks)) +
                           sparse('b', 20000, (16384, b'B' * 512)) + bytes(1024)),
            'a.tar:/a: damaged: its parts overlap or are beyond its end')


@test
def file_that_is_cut_leaves_the_next_one_alone(box):
    size = (1 << 24) + 20000
    path = box.write('a.tar', sparse('a', size, (size - 30000, b'A' * 30000)) +
                     sparse('b', 20000, (16384, b'B' * 512)) + bytes(1024))
    equal(box.run('--truncate-files', '--tar', path, box.image_path).status, 0)
    image = box.image()
    equal(image.read(image.find('b')), bytes(16384) + b'B' * 512 + bytes(20000 - 16896))


@test
def second_file_of_a_name_is_an_error(box):
    archive = tar(box, entry('a', b'1'), entry('x'), entry('./a', b'2'), entry('x'))
    err = refused(box, archive, 'archive.tar:/a: is in the archive twice (--last-wins takes').err
    contains(err, 'archive.tar:/x: is in the archive twice')


@test_each('file', 'link', 'hard link', 'directory')
def last_of_a_name_wins_if_told_to(box, kind):
    second = {'file': entry('a', b'2222', mode=0o600), 'directory': entry('a', kind=tarfile.DIRTYPE),
              'link': entry('a', kind=tarfile.SYMTYPE, linkname='2222'),
              'hard link': entry('a', kind=tarfile.LNKTYPE, linkname='b')}[kind]
    image = made(box, tar(box, entry('b', b'2222'), entry('a', b'1', mode=0o4755, uid=5), second),
                 '--last-wins')
    equal(paths(image), ['/', '/a', '/b'])
    equal(image.find('a').uid, 0)
    if kind != 'directory':
        equal(image.read(image.find('a')), b'2222')


@test
def other_names_of_a_file_stay_if_the_last_wins(box):
    image = made(box, tar(box, entry('a', b'old'), entry('b', kind=tarfile.LNKTYPE, linkname='a'),
                          entry('a', b'new')), '--last-wins')
    equal([image.read(image.find(p)) for p in 'ab'], [b'new', b'old'])


@test
def last_of_two_hard_links_wins_even_before_their_files(box):
    image = made(box, tar(box, entry('x', kind=tarfile.LNKTYPE, linkname='a'),
                          entry('y', kind=tarfile.LNKTYPE, linkname='x'),
                          entry('x', kind=tarfile.LNKTYPE, linkname='b'),
                          entry('a', b'of a'), entry('b', b'of b')), '--last-wins')
    equal([image.read(image.find(p)) for p in 'xy'], [b'of b', b'of a'])


@test
def file_wins_over_a_hard_link_that_came_before(box):
    image = made(box, tar(box, entry('x', kind=tarfile.LNKTYPE, linkname='a'),
                          entry('y', kind=tarfile.LNKTYPE, linkname='x'), entry('x', b'own'),
                          entry('x', b'last'), entry('a', b'of a')), '--last-wins')
    equal([image.read(image.find(p)) for p in 'xy'], [b'last', b'of a'])


@test
def many_names_that_come_twice_take_linear_time(box):
    archive = tar(box, *(entry('d/%d' % (i % 40000), b'%d' % i) for i in range(80000)), form='ustar')
    image = made(box, archive, '--last-wins', timeout=10)
    equal(image.read(image.find('d/7')), b'40007')


@test_each(('d', 'd/f'), ('f', 'f'))
def directory_does_not_become_a_file(box, case):
    kind, name = case
    first = entry('d/f') if kind == 'd' else entry('f', kind=tarfile.DIRTYPE)
    refused(box, tar(box, first, entry(kind)), ':/%s: is in the archive twice, once as a dir' % kind,
            '--last-wins')


@test
def file_that_is_no_directory_has_no_files(box):
    refused(box, tar(box, entry('a'), entry('a/b')), ':/a/b: a part of its path is no directory')


@test
def file_in_a_symbolic_link_is_an_error_that_names_it(box):
    refused(box, tar(box, entry('usr/lib', kind=tarfile.DIRTYPE, mode=0o755),
                     entry('lib', kind=tarfile.SYMTYPE, linkname='usr/lib'), entry('lib/x')),
            ':/lib/x: a part of its path is no directory: /lib is a symbolic link to usr/lib')


@test_each('bad/../x', 'ok', 'lib/x', 'dir')
def nothing_is_wrong_with_what_is_excluded(box, name):
    entries = [entry('ok', b'1'), entry('lib', kind=tarfile.SYMTYPE, linkname='usr/lib'),
               entry('dir', kind=tarfile.DIRTYPE), entry('link', kind=tarfile.LNKTYPE, linkname='ok')]
    archive = tar(box, *entries, entry('./' + name, b'2'))
    refused(box, archive, '/%s: ' % name)
    pattern = '/lib/x' if name == 'lib/x' else name.split('/')[0]
    image = made(box, archive, '--exclude', pattern)
    equal(pattern in paths(image), False)
    equal(image.read(image.find('link')), b'1')


@test_each(*range(1, 12), 1023, 1024)
def cut_off_archive_is_an_error(box, part):
    """At every block but where there is nothing but zeros, and in the middle."""
    path = tar(box, entry('a', noise(1000)), entry('dir/b', noise(600)), form='ustar')
    with open(path, 'rb') as f:
        data = f.read()
    os.truncate(path, part * 512 if part < 1000 else part)
    equal(len(data[:7 * 512].rstrip(b'\0')) > 5 * 512, True)
    if part in range(7, 12):
        made(box, path)
    else:
        refused(box, path, 'archive.tar: ')


@test_each('gz', 'xz', 'bz2', 'cpio', 'zip')
def cut_off_archive_of_another_format_is_an_error(box, form):
    with open(tar(box, entry('a', noise(20000)), entry('b', noise(20000))), 'rb') as f:
        data = f.read()
    if form == 'cpio':
        box.file('a', noise(20000))
        data = cpio(box, 'a')
        # The end, an entry of its own, and what fills the last block.
        data = data[:data.index(b'TRAILER!!!') - 110] + bytes(10)
    elif form == 'zip':
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, 'w') as z:
            z.writestr('a', data)
        data = whole.getvalue()
    else:
        data = PACK[form](data)
    for size in (len(data) - 4, len(data) - 10, len(data) // 2, 100):
        if form != 'cpio' or size != len(data) - 4:
            err = refused(box, box.write('cut', data[:size]), '/cut: ').err
            equal('Unknown error' in err or 'Success' in err, False, err)


@test_each((b'', 'empty'), (b'no archive\n' * 100, 'Unrecognized archive format'),
           (b'#mtree\n./a type=file contents=/etc/passwd\n', 'Unrecognized archive format'))
def what_is_no_archive_is_an_error(box, case):
    content, message = case
    refused(box, box.write('x', content), '/x: ' + message)


@test
def missing_archive_is_an_error(box):
    refused(box, box.path('none'), '/none: No such file')


@test
def directory_is_no_archive(box):
    refused(box, box.tree, '/tree: Is a directory')


@test
def archives_may_follow_each_other(box):
    both = b''
    for name in 'ab':
        with open(tar(box, entry(name, b'x')), 'rb') as f:
            both += f.read()
    equal(paths(made(box, box.write('both', both))), ['/', '/a', '/b'])


@test_each(*PACK)
def what_follows_a_cpio_archive_is_an_error(box, how):
    """libarchive would not read it."""
    box.file('a', b'x')
    box.file('b', b'x')
    first, second = cpio(box, 'a'), cpio(box, 'b')
    message = 'more follows its end mark'
    refused(box, box.write('both', PACK[how](first + second)), '/both: ' + message)
    equal(piped(box, PACK[how](first + second)),
          (8, 'mkcramfs: standard input: %s\n' % message))
    filled = PACK[how](first + bytes(100000))
    equal(paths(made(box, box.write('first', filled), '-q')), ['/', '/a'])
    equal(piped(box, filled, '-q'), (0, ''))


@test
def what_follows_a_cpio_archive_is_an_error_behind_what_is_skipped(box):
    box.file('b', noise(300000))
    os.mkdir(box.in_tree('d'))
    first, second = cpio(box, 'd', 'd/../b'), cpio(box, 'd')
    made(box, box.write('first', first), '-q', '--exclude', 'd')
    refused(box, box.write('both', first + second), 'more follows its end mark', '-q', '--exclude', 'd')


@test_each('gz', 'bz2', 'lzma')
def what_follows_the_compressed_data_is_an_error(box, how):
    box.file('b', b'x')
    data = open(tar(box, entry('a', noise(1000))), 'rb').read()
    rest = cpio(box, 'b')
    refused(box, box.write('both', PACK[how](data) + rest),
            '/both: more follows the end of what is compressed')
    equal(piped(box, PACK[how](data) + rest)[0], 8)
    refused(box, box.write('far', PACK[how](data) + bytes(200000) + rest), '/far: more follows')
    made(box, box.write('filled', PACK[how](data) + bytes(100000)))


@test
def compressed_archives_may_follow_each_other(box):
    both = b''
    for name in 'ab':
        with open(tar(box, entry(name, noise(1000))), 'rb') as f:
            both += gzip.compress(f.read())
    equal(paths(made(box, box.write('both', both))), ['/', '/a', '/b'])


@test
def damaged_gzip_archive_makes_no_other_image(box):
    """Whichever byte is wrong."""
    data = gzip.compress(open(tar(box, entry('a', b'content'), form='ustar'), 'rb').read(), mtime=0)
    want = made(box, box.write('whole', data)).data
    refusals = 0
    for i in range(len(data)):
        damaged = bytearray(data)
        damaged[i] ^= 1 << i % 8
        res = box.run('--tar', box.write('damaged', bytes(damaged)), box.image_path)
        equal(res.status == 8 or box.image().data == want, True, 'byte %d' % i)
        refusals += res.status == 8
    # But for the time, the system and the like that are in its header.
    equal(refusals >= len(data) - 8, True, '%d refusals' % refusals)


@test_each('twice', 'uu')
def packing_that_would_not_be_checked_is_an_error(box, how):
    with open(tar(box, entry('a', noise(1000))), 'rb') as f:
        data = f.read()
    if how == 'twice':
        data, message = bz2.compress(gzip.compress(data)), 'compressed more than once'
    else:
        lines = (data[i:i + 45] for i in range(0, len(data), 45))
        data, message = b'begin 644 x\n' + b''.join(map(binascii.b2a_uu, lines)) + b'`\nend\n', 'uu'
    refused(box, box.write('packed', data), '/packed: ' + message)


@test
def contents_with_a_wrong_CRC_are_an_error(box):
    """A program that unpacks a zip archive only warns."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, 'w') as z:
        z.writestr('a', b'content' * 100)
    data = bytearray(whole.getvalue())
    data[100] ^= 1
    refused(box, box.write('a.zip', data), 'a.zip:/a: ZIP bad CRC')


@test
def damaged_header_is_an_error(box):
    """libarchive would go on without the attributes that are in it."""
    path = tar(box, entry('a', uid=5, pax_headers={'comment': 'x' * 80, 'uid': '7'}))
    with open(path, 'rb') as f:
        data = f.read()
    equal(data.count(b'92 comment'), 1)
    refused(box, box.write('damaged', data.replace(b'92 comment', b'91 comment')),
            '/damaged: Ignoring malformed pax')


@test
def name_that_is_no_Unicode_is_an_error_where_it_should_be(box):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, 'w') as z:
        z.writestr('ž', b'x')
    refused(box, box.write('a.zip', whole.getvalue().replace('ž'.encode(), b'\xff\xfe')),
            'a.zip: Pathname cannot be converted')


@test
def zip_archive_may_be_standard_input_if_it_is_a_file(box):
    with zipfile.ZipFile(box.path('a.zip'), 'w') as z:
        z.writestr('žluť', b'x')
    with open(box.path('a.zip'), 'rb') as f:
        subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '--tar', '-', box.image_path),
                       stdin=f, check=True)
    equal(paths(box.image()), ['/', '/žluť'])


@test_each(*PACK)
def files_of_an_ar_archive_are_files(box, how):
    """Those of reproducible ones do not say so."""
    data = b'!<arch>\n' + b'%-16s%-12d%-6d%-6d%-8s%-10d`\n' % (b'f/', 0, 0, 0, b'644', 4) + b'data'
    image = made(box, box.write('a.a', PACK[how](data)))
    equal((attributes(image, 'f'), image.read(image.find('f'))), (('0o100644', 0, 0), b'data'))


@test
def archive_may_come_and_image_go_through_pipes(box):
    with open(tar(box, entry('a', b'x')), 'rb') as f:
        data = f.read()
    want = made(box, box.path('archive.tar')).data
    res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '--tar', '-', '-'), input=data,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    equal((res.returncode, res.stdout == want), (0, True))


@test
def owner_that_is_too_large_is_an_error(box):
    err = refused(box, tar(box, entry('a', uid=70000), entry('b', gid=1000),
                           entry('c', uid=1 << 32), entry('d', uid=-5, gid=-1)),
                  'archive.tar:/a: uid 70000 is above 65535').err
    contains(err, ':/b: gid 1000 is above 255')
    contains(err, ':/c: uid 4294967295 is above')
    contains(err, ':/d: uid 4294967295 is above')
    made(box, box.path('archive.tar'), '-q')


@test
def device_number_that_is_too_large_is_an_error(box):
    refused(box, tar(box, entry('a', kind=tarfile.CHRTYPE, devmajor=256, devminor=1)),
            'archive.tar:/a: device number 256:1 is above 255:255')
    huge = {'SCHILY.devmajor': str((1 << 32) + 4), 'SCHILY.devminor': str((1 << 32) + 1)}
    refused(box, tar(box, entry('a', kind=tarfile.CHRTYPE, pax_headers=huge)),
            'archive.tar:/a: device number 4294967295:4294967295 is above 255:255')


@test_each((4095, None), (4096, 'target of the symbolic link has 4096 bytes, Linux reads 4095'),
           (0, 'symbolic link has no target'))
def target_that_Linux_cannot_read_is_an_error(box, case):
    size, message = case
    archive = tar(box, entry('l', kind=tarfile.SYMTYPE, linkname='t' * size, mode=0o777), entry('x'))
    if message:
        refused(box, archive, 'archive.tar:/l: ' + message)
        res = box.run('--skip-unrepresentable', '--tar', archive, box.image_path)
        equal((res.status, res.err), (0, 'mkcramfs: warning: %s:/l: left out: %s\n'
                                      % (archive, message)))
        equal(paths(box.image()), ['/', '/x'])
    else:
        equal(made(box, archive).read(box.image().find('l')), b't' * size)


@test
def large_file_is_an_error_or_cut(box):
    content = prose(1 << 16) * 257
    archive = tar(box, entry('a', content), entry('b', b'after'))
    refused(box, archive, ':/a: size %d is above 16777215 bytes' % len(content))
    res = box.run('--truncate-files', '--tar', archive, box.image_path)
    equal(res.status, 0, res.err)
    contains(res.err, 'warning: %s:/a: cut from %d to 16777215' % (archive, len(content)))
    image = box.image()
    equal(image.read(image.find('a')) == content[:(1 << 24) - 1], True)
    equal(image.read(image.find('b')), b'after')


@test
def attributes_that_no_image_has_are_counted(box):
    label = {'SCHILY.xattr.security.selinux': 'x'}
    entries = [entry('a', pax_headers={'SCHILY.xattr.user.x': 'y'}),
               entry('b', pax_headers={'SCHILY.xattr.security.capability': 'z'}),
               entry('c', pax_headers=label)]
    archive = tar(box, *entries)
    made(box, archive, err='mkcramfs: warning: %s:/a: extended attributes and ACLs left out '
         '(2 entries, 1 with capabilities)\n' % archive)
    made(box, tar(box, entries[2]))


@test_each(('rw-', 'r--'), ('r--', 'rw-'), ('---', 'rw-'))
def group_gets_no_more_rights_than_the_ACL_has_left_it(box, case):
    acl = 'user::rw-,user:1000:rw-,group::%s,mask::%s,other::---' % case
    archive = tar(box, entry('a', mode=0o660, pax_headers={'SCHILY.acl.access': acl}))
    box.run('--tar', archive, box.image_path)
    equal(attributes(box.image(), 'a')[0], '0o100600' if '---' in case else '0o100640')


@test
def device_table_applies_to_an_archive(box):
    table = box.write('table', '/a f 4755 1 2\n/dev d 755 0 0\n/dev/null c 666 0 0 1 3\n')
    image = made(box, tar(box, entry('a', b'x', uid=70000)), '-D', table)
    equal((attributes(image, 'a'), image.find('dev/null').size), (('0o104755', 1, 2), 1 << 8 | 3))


@test
def files_of_an_archive_are_kept_where_TMPDIR_says(box):
    archive = tar(box, entry('a', b'x'))
    refused(box, archive, "cannot keep the archive's files in $TMPDIR: No such file",
            env={'TMPDIR': box.path('none')})
    os.mkdir(box.path('tmp'))
    made(box, archive, env={'TMPDIR': box.path('tmp')})
    equal(os.listdir(box.path('tmp')), [])
    # Not the root directory.
    made(box, archive, env={'TMPDIR': ''}, nobody=True)


@test
def full_TMPDIR_is_an_error(box):
    """A limit of the size of files stands in for it."""
    archive = tar(box, entry('a', noise(1 << 20)))
    refused(box, archive, "cannot keep the archive's files in $TMPDIR: File too large",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19)))


@test
def many_files_of_one_directory_take_linear_time(box):
    archive = tar(box, *(entry('d/%d' % i, b'%d' % i) for i in range(30000)), form='ustar')
    equal(made(box, archive, timeout=20).files, 30002)


@test
def very_deep_archive_is_an_error(box):
    res = box.run('--tar', tar(box, entry('d/' * 8000 + 'f', b'x')), box.image_path)
    equal((res.status, res.err, box.image().files), (0, '', 8002))
    refused(box, tar(box, entry('d/' * 9000 + 'f', b'x')), 'is in too many directories')


@test
def control_characters_of_names_do_not_reach_the_terminal(box):
    err = refused(box, tar(box, entry('a\x1b[2J\u009b2J\n\x7f\u00e9', uid=70000)), ' uid 70000').err
    contains(err, 'archive.tar:/a\\x1b[2J\\xc2\\x9b2J\\x0a\\x7f\u00e9: uid')
