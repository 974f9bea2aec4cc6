# SPDX-License-Identifier: GPL-2.0-only
"""The command line: names, options of both peers and ours, contradictions; and installing."""

import fcntl
import glob
import os
import re
import shutil
import subprocess
import time

import harness
from cramfs_image import EXT_POINTERS, HOLES, PAGE
from harness import HERE, Skip, contains, equal, nasty_tree, noise, prose, same_as_tree, test, test_each


def wrong(box, message, *args, tool='mkcramfs'):
    """Running it must be a usage error that says MESSAGE, and make nothing."""
    before = sorted(os.listdir(box.dir))
    res = box.run(*args, tool=tool, cwd=box.dir)
    equal((res.status, res.out), (16, ''), res.err)
    contains(res.err, message)
    contains(res.err, "Try '%s --help'." % tool)
    equal(sorted(os.listdir(box.dir)), before, 'files')


def made(box, *args, tool='mkcramfs', err='', **more):
    """The image that it makes as image."""
    res = box.run(*args, tool=tool, cwd=box.dir, **more)
    equal((res.status, res.err), (0, err), ' '.join(args))
    image = box.image()
    equal(image.errors(), [], 'image')
    return image


@test_each('mkcramfs -q -L -X -X tree image', 'mkfs.cramfs tree image -q -N big -b 4096',
           'mkcramfs -q -n NAME tree image', 'mkcramfs -q -D table tree image',
           'mkfs.cramfs -q -v tree image', 'mkcramfs -q -E -e 7 -s -p -z tree image',
           'mkfs.cramfs -q -e 7 -s -p -z -E -n NAME -N host tree image',
           'mkcramfs -q -x -B tree image', 'mkcramfs -qi boot tree image')
def form_of_the_peers_works_as_it_is(box, command):
    box.write('table', '/null c 666 0 0 1 3\n')
    box.write('boot', 'x')
    box.file('a', prose(9000))
    tool, *args = command.split()
    image = made(box, *args, tool=tool)
    equal(image.read(image.find('a')), prose(9000))


@test_each('mkcramfs', 'mkfs.cramfs')
def both_names_make_the_same_image(box, tool):
    nasty_tree(box)
    first = box.make_bytes()
    equal(made(box, '-q', 'tree', 'image', tool=tool).data == first, True)


@test_each('tree image {}', 'tree {} image', '{} tree image', '{} -- tree image')
def options_may_come_anywhere(box, form):
    equal(made(box, *form.format('-q -p -e 9').split()).base, 512)


LONG = (('-n NAME', '--name NAME'), ('-n NAME', '--name=NAME'), ('-e 5', '--edition 5'),
        ('-L', '--little-endian'), ('-B', '--big-endian'), ('-B', '--byte-order big'),
        ('-L', '--byte-order=little'), ('', '--byte-order host'), ('', '--blocksize 4096'),
        ('-p', '--pad'), ('-i boot', '--insert boot'), ('-l 9', '--level 9'),
        ('-l 12', '--best-practical'), ('-x', '--extended-pointers'), ('-U', '--uncompressed'),
        ('-z', '--holes'), ('', '--holes'), ('-X', '--xip'), ('-X', '--xip=nommu'),
        ('-X -X', '--xip --xip'), ('-X -X', '--xip=mmu'), ('-j 2', '--threads 2'),
        ('-D table', '--device-table table'), ('', '--warnings-are-errors'), ('-B', '-L -B'),
        ('-L', '--big-endian -N little'), ('--no-holes', '-z --no-holes'), ('', '--no-holes -z'),
        ('-l 3', '--best -l 3'), ('', '-s'), ('', '-E'), ('', '--lock=no'), ('', '--quiet'))


@test_each(*LONG)
def long_form_or_last_option_is_the_same(box, case):
    box.write('table', '/null c 666 0 0 1 3\n')
    box.write('boot', 'x')
    nasty_tree(box)
    short, long = case
    first = made(box, '-q', *short.split(), 'tree', 'image').data
    equal(made(box, '--squash-owners', *long.split(), 'tree', 'image').data == first, True)


@test
def long_options_may_be_abbreviated(box):
    equal(made(box, '-q', '--edit=77', 'tree', 'image').edition, 77)


@test_each('mkcramfs', 'mkfs.cramfs')
def help_is_on_standard_output(box, tool):
    for option in ('-h', '--help'):
        res = box.run(option, tool=tool)
        equal((res.status, res.err), (0, ''))
        contains(res.out, 'usage: %s [OPTION]... DIRECTORY OUTPUT' % tool)
        equal(max(len(line) for line in res.out.splitlines()) <= 80, True, 'fits the terminal')


@test
def help_has_every_option(box):
    """By what getopt() is told, and by how a wrong one is answered."""
    with open(os.path.join(HERE, '..', 'options.c')) as f:
        source = f.read()
    text = box.run('--help').out
    long = set(re.findall(r'\{ "([a-z-]+)", (?:no|required|optional)_argument', source))
    equal(long - set(re.findall(r'--([a-z-]+)', text)), set())
    short = set(re.search(r'SHORT_OPTIONS "([^"]*)"', source)[1].replace(':', '')) | {'l'}
    equal(short - set(re.findall(r'(?m)(?:^|[ ,])-(\w)', text)), set())


@test_each('-V', '--version')
def version_is_on_standard_output(box, option):
    res = box.run(option)
    equal((res.status, res.err), (0, ''))
    equal(bool(re.fullmatch(r'mkcramfs from \S+ \d+\.\d+\n', res.out)), True, res.out)


@test_each('-h', '-V')
def full_standard_output_is_an_error_of(box, option):
    with open('/dev/full', 'w') as full:
        res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), option), stdout=full)
    equal(res.returncode, 8)


@test_each('', 'tree', '-p', '--tar x')
def missing_operand_is_a_usage_error(box, args):
    wrong(box, 'an output ', *args.split())
    wrong(box, 'usage: mkcramfs [OPTION]... DIRECTORY OUTPUT', *args.split())


@test_each('tree image more', '--tar a tree image')
def superfluous_operand_is_a_usage_error(box, args):
    wrong(box, '%s: one operand too many' % args.split()[-1], *args.split())


@test_each(('-Q', "invalid option -- 'Q'"), ('--frobnicate', "unrecognized option '--frobnicate'"),
           ('-e', "option requires an argument -- 'e'"), ('-D', "option requires an argument -- 'D'"),
           ('--name', "option '--name' requires an argument"),
           ('--squash', "option '--squash' is ambiguous"),
           ('--pad=5', "option '--pad' doesn't allow an argument"))
def unknown_or_incomplete_option_is_a_usage_error(box, case):
    wrong(box, 'mkcramfs: ' + case[1], 'tree', 'image', case[0])


@test_each('', '-1', '+1', ' 1', '1x', '0x10', '4294967296', '5000000000', '18446744073709551617')
def edition_that_is_no_32_bit_number_is_a_usage_error(box, edition):
    wrong(box, '--edition %s: not a number from 0 to 4294967295' % edition, '-e', edition, 'tree',
          'image')


@test_each('0', '4294967295')
def edition_of_32_bits_is_kept(box, edition):
    equal(made(box, '-q', '-e', edition, 'tree', 'image').edition, int(edition))


@test_each(('--uid 65536', '--uid 65536: not a number from 0 to 65535'),
           ('--gid 256', '--gid 256: not a number from 0 to 255'),
           ('--gid x', '--gid x: not a number'),
           *(('--mode ' + mode, '--mode %s: neither permissions in octal nor changes' % mode)
             for mode in ('888', '644,x', '644,', '64x', '10000', '644,755,0', 'x', 'u', 'u+y', 'z+r',
                          'u+r,', 'u+r,,g+w', 'u=r644', '+-8', '-1')),
           ('-l 0', '--level 0: not a number from 1 to 12'), ('--level 13', '--level 13: not a'),
           ('-j 0', '--threads 0: not a number from 1 to 1024'),
           ('-b 512', '--blocksize 512: not a number from 4096 to 65536'),
           ('-b 12288', '--blocksize 12288: not a power of two'),
           ('-b 131072', '--blocksize 131072: not a number'),
           ('-N middle', '--byte-order middle: is none of big, little and host'),
           ('--xip=yes', '--xip yes: is none of mmu and nommu'),
           ('--report=xml', '--report xml: is none of text and json'),
           ('--lock=maybe', '--lock maybe: is none of yes, no and nonblock'),
           ('--compat minix', '--compat minix: only util-linux is known'))
def value_that_is_out_of_range_is_a_usage_error(box, case):
    wrong(box, case[1], *case[0].split(), 'tree', 'image')


COMPAT = '--compat util-linux '


@test_each((COMPAT + '-x', '--compat contradicts -x'), (COMPAT + '-X', '--compat contradicts -X'),
           (COMPAT + '-U', '--compat contradicts -U'),
           ('-l 6 ' + COMPAT, '--compat contradicts --level'),
           ('--best ' + COMPAT, '--compat contradicts --level'),
           (COMPAT + '--sort x', '--compat contradicts --sort'),
           (COMPAT + '--xip-rules x', '--compat contradicts --xip-rules'),
           ('-U --best', '-U contradicts --level and --best'),
           ('-X -b 8192', 'contradicts a block size other than 4096'),
           ('--xip-rules x -b 8192', 'contradicts a block size other than 4096'),
           ('--last-wins', '--last-wins contradicts a source that is no archive'),
           ('--quiet -v', '--quiet contradicts --verbose'),
           *(('%s a %s b' % (option, option), option + ' b: given twice') for option in
             ('--tar', '--sort', '--xip-rules', '--insert')))
def contradiction_is_a_usage_error(box, case):
    wrong(box, case[1], *case[0].split(), 'tree', 'image')


@test
def label_of_16_bytes_is_kept(box):
    equal(made(box, '-q', '-n', 'sixteen.bytes.xx', 'tree', 'image').name, b'sixteen.bytes.xx')


@test
def label_of_17_bytes_is_a_usage_error(box):
    wrong(box, '--name seventeen.bytes.x: longer than 16 bytes (--truncate-label cuts it)', '-n',
          'seventeen.bytes.x', 'tree', 'image')


@test
def label_of_17_bytes_is_cut_if_told_to(box):
    image = made(box, '-q', '-n', 'seventeen.bytes.x', '--truncate-label', 'tree', 'image',
                 err='mkcramfs: warning: --name seventeen.bytes.x: cut to 16 bytes\n')
    equal(image.name, b'seventeen.bytes.')


@test
def label_is_Compressed_by_default(box):
    equal(made(box, '-q', 'tree', 'image').name, b'Compressed'.ljust(16, b'\0'))


@test_each(('-x', EXT_POINTERS), ('-U', EXT_POINTERS), ('', 0), (COMPAT, 0), (COMPAT + '-z', HOLES))
def option_implies_the_features_it_needs(box, case):
    options, flags = case
    box.file('a', noise(PAGE) + bytes(PAGE))
    image = made(box, '-q', *(options + ' --no-holes' * (not flags & HOLES)).split(), 'tree', 'image')
    equal(image.flags & (EXT_POINTERS | HOLES), flags)


@test
def l_is_the_lock_as_mkfs_and_the_level_otherwise(box):
    box.file('a', prose(90000))
    plain = len(made(box, '-q', 'tree', 'image').data)
    equal(len(made(box, '-q', '-l', '1', 'tree', 'image').data) > plain, True, 'level')
    for option in ('-l', '-l1', '-lnonblock', '-l=YES', '--lock=0'):
        equal(len(made(box, '-q', option, 'tree', 'image', tool='mkfs.cramfs').data), plain, option)
    wrong(box, '--lock 9: is none of', '-l9', 'tree', 'image', tool='mkfs.cramfs')


@test
def locked_output_is_an_error_with_nonblock(box):
    with open(box.write('image', 'old')) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        box.refused('image: locked by somebody else', '-q', '--lock=nonblock', box.tree,
                    box.image_path)
        res = box.run('-q', '-lnonblock', box.tree, box.image_path, tool='mkfs.cramfs')
        equal(res.status, 8)
        contains(res.err, 'mkfs.cramfs: ')
        made(box, '-q', '--lock=no', 'tree', 'image')


@test
def output_is_locked_as_the_environment_says_for_util_linux(box):
    for tool, option, status in (('mkfs.cramfs', '-q', 8), ('mkfs.cramfs', '-lno', 0), ('mkcramfs', '-q', 0)):
        with open(box.write('image', 'old')) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            res = box.run('-q', option, box.tree, box.image_path, tool=tool,
                          env={'LOCK_BLOCK_DEVICE': 'NonBlock'})
        equal((res.status, 'image: locked by somebody else' in res.err), (status, status == 8), tool)
    res = box.run(box.tree, box.image_path, tool='mkfs.cramfs', env={'LOCK_BLOCK_DEVICE': 'maybe'})
    equal(res.status, 16)
    contains(res.err, 'LOCK_BLOCK_DEVICE maybe: is none of yes, no and nonblock')


@test_each(0o222, 0o444)
def output_that_may_only_be_written_or_only_read_is_locked(box, mode):
    box.write('image', 'old')
    os.chmod(box.image_path, mode)
    res = box.run('-q', '--lock=nonblock', box.tree, box.image_path, nobody=True)
    equal((res.status, res.err), (0, ''))


@test_each('--lock', '--lock=yes', '--lock=1')
def locked_output_is_waited_for(box, option):
    with open(box.write('image', 'old')) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = subprocess.Popen((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', option, box.tree,
                                    box.image_path), stderr=subprocess.PIPE, text=True)
        contains(process.stderr.readline(), 'image: waiting until nobody else has it locked')
        time.sleep(0.1)
        equal((process.poll(), os.path.getsize(box.image_path)), (None, 3), 'waits')
    equal((process.wait(timeout=30), process.stderr.read()), (0, ''))
    process.stderr.close()
    equal(box.image().errors(), [])


@test
def uid_and_gid_are_those_of_all(box):
    box.file('d/a', b'x')
    image = made(box, '--uid', '65535', '--gid', '255', 'tree', 'image')
    equal({(e.uid, e.gid) for e in image.walk()}, {(65535, 255)})


@test
def last_of_q_and_uid_counts(box):
    image = made(box, '--uid', '5', '-q', '--gid', '6', 'tree', 'image')
    equal((image.root.uid, image.root.gid), (0, 6))


@test_each(('640', 0o640, 0o750), ('4711,1777', 0o4711, 0o1777), ('0,0', 0, 0))
def mode_is_that_of_files_and_directories(box, case):
    option, file_mode, dir_mode = case
    box.file('d/a', b'x', 0o777)
    os.mkfifo(box.in_tree('d/fifo'), 0o600)
    os.symlink('a', box.in_tree('d/link'))
    image = made(box, '-q', '--mode', option, 'tree', 'image')
    equal([oct(image.find(p).mode & 0o7777) for p in ('', 'd', 'd/a', 'd/fifo', 'd/link')],
          [oct(m) for m in (dir_mode, dir_mode, file_mode, 0o600, 0o777)])


@test_each(('go-w', 0o4755, 0o600, 0o1755), ('u=rwX,go=rX', 0o755, 0o644, 0o755),
           ('a=rx', 0o555, 0o555, 0o555), ('+t', 0o5777, 0o1602, 0o1777), ('o-t', 0o4777, 0o602, 0o777),
           ('ug-s', 0o777, 0o602, 0o1777), ('g+s,u=', 0o2077, 0o2002, 0o3077), ('u-x+x', 0o4777, 0o702, 0o1777),
           ('=', 0, 0, 0), ('a+X', 0o4777, 0o602, 0o1777), ('-x+X', 0o4666, 0o602, 0o1777))
def mode_changes_permissions_as_chmod_does(box, case):
    option, *want = case
    box.file('program', b'x', 0o4777)
    box.file('file', b'x', 0o602)
    os.mkdir(box.in_tree('dir'))
    os.chmod(box.in_tree('dir'), 0o1777)
    image = made(box, '-q', '--mode', option, 'tree', 'image')
    equal([oct(image.find(p).mode & 0o7777) for p in ('program', 'file', 'dir')],
          [oct(m) for m in want])


@test
def device_table_has_its_way_over_uid_gid_and_mode(box):
    box.file('a', b'x')
    table = box.write('table', '/a f 4755 3 4\n')
    entry = made(box, '--uid', '1', '--gid', '2', '--mode', '600', '-D', table, 'tree',
                 'image').find('a')
    equal((oct(entry.mode), entry.uid, entry.gid), ('0o104755', 3, 4))


@test_each(('*.a', 'lib.a', 'd/lib.a'), ('/lib.a', 'lib.a'), ('d', 'd', 'd/lib.a', 'd/e', 'd/e/f', 'd/so'),
           ('d/*', 'd/lib.a', 'd/e', 'd/e/f', 'd/so'), ('d/**/f', 'd/e/f'), ('**/f', 'd/e/f'),
           ('d/[ls]*', 'd/lib.a', 'd/so'), ('/e',), ('e/', 'd/e', 'd/e/f'), ('d/*/**', 'd/e/f'),
           ('?', 'd', 'd/lib.a', 'd/e', 'd/e/f', 'd/so'), ('*/lib.a', 'd/lib.a'), ('d/e/*b',))
def exclude_leaves_out_what_matches(box, case):
    paths = {'lib.a', 'd', 'd/lib.a', 'd/e', 'd/e/f', 'd/so'}
    for path in ('lib.a', 'd/lib.a', 'd/e/f', 'd/so'):
        box.file(path, b'x')
    nothing = 'mkcramfs: warning: --exclude %s: leaves nothing out\n' % case[0]
    image = made(box, '-q', '--exclude', case[0], 'tree', 'image', err='' if case[1:] else nothing)
    equal({e.path.decode()[1:] for e in image.walk()} - {''}, paths - set(case[1:]))


@test_each('', '/', '//', '.', './a', 'a/../b', '/a/..')
def exclude_that_can_match_nothing_is_a_usage_error(box, pattern):
    wrong(box, '--exclude %s: matches no path in an image' % pattern, '--exclude', pattern, 'tree',
          'image')


@test
def exclude_may_be_given_more_than_once(box):
    """And of two that match the same, none is said to match nothing."""
    for path in 'abc':
        box.file(path)
    image = made(box, '-q', '--exclude=a', '--exclude=b', '--exclude=[ab]', 'tree', 'image')
    equal([e.path for e in image.children(image.root)], [b'/c'])


@test
def exclude_is_the_way_out_of_what_cannot_be_in_an_image(box):
    os.truncate(box.file('core'), 1 << 24)
    os.makedirs(box.in_tree('secret'))
    os.chmod(box.in_tree('secret'), 0)
    res = box.run('-q', '--exclude', 'core', '--exclude', '/secret', box.tree, box.image_path,
                  nobody=True)
    equal((res.status, res.err), (0, ''))


@test
def standard_output_has_nothing_but_the_image(box):
    nasty_tree(box)
    first = box.make_bytes()
    with open(box.path('copy'), 'wb') as copy:
        res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', '-v', '-v', box.tree,
                              '-'), stdout=copy, stderr=subprocess.PIPE, cwd=box.dir)
    equal(res.returncode, 0, res.stderr)
    with open(box.path('copy'), 'rb') as copy:
        equal(copy.read() == first, True, 'bytes')
    contains(res.stderr, b'/names/a')


@test
def standard_output_may_be_a_pipe(box):
    nasty_tree(box)
    first = box.make_bytes()
    res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', box.tree, '-'),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=box.dir)
    equal((res.returncode, res.stdout == first, res.stderr), (0, True, b''))


@test_each('', '-x', '-X -X', '-U')
def image_is_the_same_whatever_the_number_of_threads(box, options):
    nasty_tree(box)
    first = box.make_bytes(options + ' -j 1')
    for number in (2, 3, 8):
        equal(box.make_bytes('%s -j %d' % (options, number)) == first, True, number)


@test
def compat_makes_the_image_of_util_linux(box):
    """All of what both can hold, byte for byte; it takes owners from the tree."""
    path = shutil.which('mkfs.cramfs', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if not path:
        raise Skip('mkfs.cramfs is not installed')
    for size in (0, 1, 4095, 4096, 4097, 8192, 40000):
        box.file('d/prose%d' % size, prose(size, size))
        box.file('d/noise%d' % size, noise(size, size))
    box.file('copy', prose(40000, 40000))
    box.file('zeros', bytes(3 * PAGE))
    os.symlink('d/prose1', box.in_tree('link'))
    os.mkdir(box.in_tree('empty'))
    for top, dirs, files in os.walk(box.tree):
        for name in [top] + [os.path.join(top, n) for n in dirs + files]:
            os.chown(name, -1, 0 if os.geteuid() == 0 else -1)
    gid = os.lstat(box.tree).st_gid
    if gid > 255:
        raise Skip('gid %d' % gid)
    for options in ('', '-p', '-z', '-N big', '-e 5 -n NAME'):
        subprocess.run((path, *options.split(), box.tree, box.path('theirs')), check=True,
                       stdout=subprocess.DEVNULL)
        made(box, '--compat', 'util-linux', *options.split(), 'tree', 'image')
        with open(box.path('theirs'), 'rb') as f:
            equal(f.read() == box.image().data, True, options)


def run_make(*args):
    """make in the directory of the tools must work."""
    env = {name: val for name, val in os.environ.items()
           if not name.startswith(('MAKE', 'MFLAGS', 'OUTPUT', 'CFLAGS', 'DESTDIR'))}
    res = subprocess.run(('make', '-s', '-C', os.path.join(HERE, '..'), *args), env=env,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    equal(res.returncode, 0, res.stdout)


@test
def zopfli_and_libarchive_need_not_be_there(box):
    run_make('OUTPUT=' + box.path('out'), 'CFLAGS=-O0', 'WERROR=1', 'HAVE_ZOPFLI=', 'HAVE_LIBARCHIVE=')
    tool = box.path('out/mkcramfs')
    libraries = subprocess.run(('ldd', tool), stdout=subprocess.PIPE, text=True, check=True).stdout
    equal((libraries.count('zopfli'), libraries.count('libarchive')), (0, 0))
    box.file('a', prose(9000))
    made(box, '-q', 'tree', 'image', tool=tool)
    for args, status, message in (
            (('--best', 'tree', 'other'), 16, '--best: this mkcramfs has been built without zopfli'),
            (('--tar', 'a.tar', 'other'), 8, 'built without libarchive, which --tar needs')):
        res = box.run(*args, tool=tool, cwd=box.dir)
        equal((res.status, os.path.exists(box.path('other'))), (status, False))
        contains(res.err, message)


@test
def install_puts_every_name_where_it_belongs(box):
    """From what has been built, by make install into another root."""
    root = box.path('root')
    build = harness.BUILT
    run_make('install', 'OUTPUT=' + build, 'DESTDIR=' + root, 'PREFIX=/opt/cramfs', '-o',
             os.path.join(build, 'mkcramfs'))
    sbin = os.path.join(root, 'opt/cramfs/sbin')
    equal(sorted(os.listdir(sbin)), ['cramfsck', 'fsck.cramfs', 'mkcramfs', 'mkfs.cramfs'])
    for name in ('cramfsck', 'fsck.cramfs', 'mkfs.cramfs'):
        equal(os.readlink(os.path.join(sbin, name)), 'mkcramfs', name)
    for name in os.listdir(sbin):
        res = subprocess.run((os.path.join(sbin, name), '--help'), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        equal((res.returncode, res.stderr), (0, ''), name)
        contains(res.stdout.splitlines()[0].lower(), 'usage: ' + name)
    man = os.path.join(root, 'opt/cramfs/share/man/man8')
    equal(sorted(os.listdir(man)), ['cramfsck.8', 'fsck.cramfs.8', 'mkcramfs.8', 'mkfs.cramfs.8'])
    for name, page in (('cramfsck.8', 'fsck.cramfs.8'), ('mkfs.cramfs.8', 'mkcramfs.8')):
        with open(os.path.join(man, name)) as f:
            contains(f.read(), '.so man8/' + page)
    equal(len(glob.glob(os.path.join(root, 'opt/cramfs/share/bash-completion/completions/*cramfs*')))
          >= 4, True, 'completions')
