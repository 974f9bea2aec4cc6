# SPDX-License-Identifier: GPL-2.0-only
"""What the format cannot hold, what cannot be read or written, and interruptions: each is an
error that names its object, and leaves neither a new file nor a changed one."""

import os
import resource
import signal
import struct
import subprocess
import time

from cramfs_image import PAGE
import harness
from harness import (Skip, contains, elf, equal, nasty_tree, noise, prose, test, test_each, R, X)


@test
def file_of_16_MiB_is_an_error(box):
    os.truncate(box.file('dir/big'), 1 << 24)
    box.refused('/dir/big: size 16777216 is above 16777215 bytes (--truncate-files')


@test
def file_of_4_GiB_is_an_error(box):
    """util-linux 2.38 stores it as an empty one."""
    os.truncate(box.file('big'), 1 << 32)
    box.refused('/big: size 4294967296 is above')


@test_each(253, 254, 255)
def name_that_is_too_long_is_an_error(box, length):
    box.file('n' * length)
    box.refused('/%s: name has %d bytes, the format holds 252' % ('n' * length, length))


@test_each(('uid', 65536), ('uid', 4294967294), ('gid', 256), ('gid', 1000))
def owner_that_is_too_large_is_an_error(box, case):
    field, number = case
    box.file('a')
    shim = {'SHIM_STAT': 'a:%s=%d' % (field, number)}
    # A user's own gid may be above 255, too: be nobody to the program but for this number.
    other = {'uid': 'gid', 'gid': 'uid'}[field]
    table = box.write('table', '/ d 755 0 0\n')
    box.refused('/a: %s %d is above' % (field, number), '-D', table, box.tree, box.image_path,
                shim=dict(shim, SHIM_OTHER='a:%s=0' % other))


@test_each(('uid', 70000), ('gid', 1000))
def q_is_the_way_out_of_large_owners(box, case):
    box.file('a')
    box.make('-q', shim={'SHIM_STAT': 'a:%s=%d' % case})


@test
def device_table_is_the_way_out_of_large_owners(box):
    box.file('a')
    table = box.write('table', '/ d 755 0 0\n/a f 644 65535 255\n')
    image = box.make('-D ' + table, squash=False, shim={'SHIM_STAT': 'a:gid=1000'})
    equal((image.find('a').uid, image.find('a').gid), (65535, 255))


@test_each(('chr', 256, 1), ('blk', 8, 256), ('chr', 4095, 1048575))
def device_number_that_is_too_large_is_an_error(box, case):
    kind, major, minor = case
    box.file('a')
    box.refused('/a: device number %d:%d is above 255:255' % (major, minor),
                shim={'SHIM_STAT': 'a:%s=%d' % (kind, os.makedev(major, minor))})


@test
def device_number_of_8_bits_each_is_kept(box):
    box.file('a')
    image = box.make(shim={'SHIM_STAT': 'a:chr=%d' % os.makedev(255, 255)})
    equal(image.find('a').size, 0xffff)


@test
def file_that_may_not_be_read_is_an_error(box):
    box.file('dir/secret', b'x', 0)
    box.refused('/dir/secret: Permission denied', nobody=True)


@test
def empty_file_need_not_be_read(box):
    box.file('secret', b'', 0)
    res = box.run('-q', box.tree, box.image_path, nobody=True)
    equal((res.status, res.err), (0, ''))


@test
def directory_that_may_not_be_read_is_an_error(box):
    os.mkdir(box.in_tree('secret'))
    os.chmod(box.in_tree('secret'), 0)
    box.refused('/secret: Permission denied', nobody=True)


@test
def error_says_which_option_is_the_way_out(box):
    """Of all that the format cannot hold, and all of it in one run."""
    os.truncate(box.file('large'), 1 << 24)
    box.file('n' * 253)
    box.file('device')
    box.file('owner')
    box.file('secret/file', b'x', 0)
    os.makedirs(box.in_tree('closed'))
    os.chmod(box.in_tree('closed'), 0)
    table = box.write('table', '/ d 755 0 0\n/secret d 755 0 0\n')
    err = box.refused('', '-D', table, box.tree, box.image_path, nobody=True, shim={
        'SHIM_STAT': 'device:chr=%d' % os.makedev(4095, 7), 'SHIM_OTHER': 'owner:uid=100000'}).err
    for line in ('large: size 16777216 is above 16777215 bytes (--truncate-files cuts it, '
                 '--skip-unrepresentable leaves it out)',
                 'n' * 253 + ': name has 253 bytes, the format holds 252 (--skip-unrepresentable '
                 'leaves it out)',
                 'device: device number 4095:7 is above 255:255 (--skip-unrepresentable leaves it out)',
                 'owner: uid 100000 is above 65535 (--squash-ids makes it 0, -q all of them)',
                 'secret/file: Permission denied (--skip-unreadable leaves it out)',
                 'closed: Permission denied (--skip-unreadable leaves it out)'):
        contains(err, 'mkcramfs: %s/%s\n' % (box.tree, line))


@test
def so_many_errors_are_printed_and_the_others_counted(box):
    for i in range(150):
        os.truncate(box.file('%03d' % i), 1 << 24)
    lines = box.refused('50 more errors').err.splitlines()
    equal((len(lines), len(set(lines))), (101, 101))


@test_each(('uid', 70000, (0, 255)), ('gid', 256, (65535, 0)), ('uid', 65535, (65535, 255)),
           ('gid', 255, (65535, 255)))
def squash_ids_makes_an_owner_root_without_its_rights(box, case):
    field, number, want = case
    box.file('a', b'x', 0o6755)
    fits = number == {'uid': 65535, 'gid': 255}[field]
    shim = {'SHIM_STAT': 'a:%s=%d' % (field, number),
            'SHIM_OTHER': {'uid': 'a:gid=255', 'gid': 'a:uid=65535'}[field]}
    # The root, and so a user's own gid, is not what this is about.
    table = box.write('table', '/ d 755 0 0\n')
    res = box.run('--squash-ids', '-D', table, box.tree, box.image_path, shim=shim)
    equal((res.status, res.err),
          (0, '' if fits else 'mkcramfs: warning: %s/a: %s %d made 0, set-ID bits dropped\n'
           % (box.tree, field, number)))
    entry = box.image().find('a')
    equal((entry.uid, entry.gid), want)
    equal(oct(entry.mode), oct(0o106755 if fits else 0o100755))


@test_each(('uid', 70000), ('gid', 256))
def owner_of_the_root_that_is_too_large_is_an_error(box, case):
    field, number = case
    other = {'uid': 'gid', 'gid': 'uid'}[field]
    shim = {'SHIM_STAT': 'tree:%s=%d' % (field, number), 'SHIM_OTHER': 'tree:%s=0' % other}
    box.refused('%s: %s %d is above' % (box.tree, field, number), box.tree, box.image_path, shim=shim)
    res = box.run('--squash-ids', box.tree, box.image_path, shim=shim)
    equal(res.status, 0, res.err)
    contains(res.err, 'warning: %s: %s %d made 0\n' % (box.tree, field, number))
    equal((box.image().root.uid, box.image().root.gid), (0, 0))


@test
def truncate_files_keeps_the_beginning(box):
    content = prose(1 << 16) * 256
    box.file('a', content + b'more', 0o755)
    box.file('b', content[:-1])
    res = box.run('-q', '--truncate-files', box.tree, box.image_path)
    equal((res.status, res.err), (0, 'mkcramfs: warning: %s/a: cut from 16777220 to 16777215 bytes\n'
                                  % box.tree))
    image = box.image()
    equal(image.errors(), [])
    for name in 'ab':
        equal(image.read(image.find(name)) == content[:-1], True, name)


@test
def truncated_file_that_changes_meanwhile_is_an_error(box):
    path = box.file('log')
    os.truncate(path, (1 << 24) + 5)
    held = Held(box, '--truncate-files')
    os.truncate(path, (1 << 24) + 6)
    status, err = held.finish()
    equal(status, 8)
    contains(err, '/log: changed while the image was made')


@test
def skip_unrepresentable_leaves_out_just_that(box):
    os.truncate(box.file('large'), 1 << 24)
    box.file('d/' + 'n' * 253)
    os.makedirs(box.in_tree('m' * 255 + '/below'))
    box.file('d/device')
    box.file('d/kept', b'x')
    res = box.run('-q', '--skip-unrepresentable', box.tree, box.image_path,
                  shim={'SHIM_STAT': 'device:blk=%d' % os.makedev(8, 256)})
    equal(res.status, 0)
    equal(sorted(line.split(': ')[2].replace(box.tree, '') + ': ' + line.split(': ')[3]
                 for line in res.err.splitlines()),
          ['/d/device: left out', '/d/%s: left out' % ('n' * 253), '/large: left out',
           '/%s: left out' % ('m' * 255)])
    equal(box.image().errors(), [])
    equal([e.path.decode() for e in box.image().walk()], ['/', '/d', '/d/kept'])


@test
def skip_unreadable_leaves_out_just_that(box):
    box.file('file', b'x', 0)
    box.file('closed/hidden', b'x')
    os.chmod(box.in_tree('closed'), 0)
    # Its names can be read, but nothing else.
    box.file('names/hidden', b'x')
    os.chmod(box.in_tree('names'), 0o444)
    box.file('kept', b'x')
    res = box.run('-q', '--skip-unreadable', box.tree, box.image_path, nobody=True)
    os.chmod(box.in_tree('closed'), 0o755)
    os.chmod(box.in_tree('names'), 0o755)
    equal((res.status, sorted(line.split(': ', 2)[2].replace(box.tree, '')
                              for line in res.err.splitlines())),
          (0, ['/closed: left out: Permission denied', '/file: left out: Permission denied',
               '/names/hidden: left out: Permission denied']))
    equal([e.path.decode() for e in box.image().walk()], ['/', '/kept', '/names'])


@test
def closed_source_is_an_error_whatever_is_skipped(box):
    os.chmod(box.tree, 0)
    box.refused('/tree: Permission denied', '-q', '--skip-unreadable', box.tree, box.image_path,
                nobody=True)


ALLOWANCES = (('--squash-ids', {'SHIM_STAT': 'a:gid=256'}), ('-q --truncate-files', {}),
              ('-q --skip-unrepresentable', {'SHIM_STAT': 'a:chr=%d' % os.makedev(256, 0)}),
              ('-q --truncate-label', {}))


@test_each(*ALLOWANCES)
def E_makes_an_error_of_what_is_allowed(box, case):
    option, shim = case
    box.file('a', b'x')
    if 'files' in option:
        os.truncate(box.in_tree('a'), 1 << 24)
    table = box.write('table', '/ d 755 0 0\n')
    name = 'seventeen.bytes.x' if 'label' in option else 'x'
    box.refused('not made, as -E makes warnings errors', '-E', *option.split(), '-n', name, '-D',
                table, box.tree, box.image_path, shim=shim)


@test
def so_many_warnings_of_a_kind_are_printed_and_the_others_counted(box):
    for i in range(25):
        box.file('%d' % i + 'n' * 253)
    res = box.run('-q', '--skip-unrepresentable', box.tree, box.image_path)
    lines = res.err.splitlines()
    equal((res.status, len(lines), lines[-1]),
          (0, 11, 'mkcramfs: warning: --skip-unrepresentable: and 15 more'))
    equal(box.image().files, 1)


@test
def attributes_that_no_image_has_are_counted(box):
    for name, attribute in (('a', 'user.x'), ('b', 'user.y'), ('c', None)):
        path = box.file(name)
        try:
            if attribute:
                os.setxattr(path, attribute, b'z')
        except OSError as why:
            raise Skip(str(why)) from why
    capabilities = bytes.fromhex('0100000200040000000000000000000000000000')
    many = 0
    try:
        os.setxattr(box.in_tree('b'), 'security.capability', capabilities)
        many = 1
    except PermissionError:
        pass
    res = box.run('-q', box.tree, box.image_path)
    equal(res.status, 0)
    contains(res.err, ': extended attributes and ACLs left out (2 entries, %d with cap' % many)
    equal(len(res.err.splitlines()), 1)
    res = box.run('-q', '--exclude', '[ab]', box.tree, box.image_path)
    equal((res.status, res.err), (0, ''))


def set_attribute(path, name, value):
    try:
        os.setxattr(path, name, value)
    except OSError as why:
        raise Skip(str(why)) from why


@test_each('itself', 'by a symbolic link')
def attributes_of_the_source_are_counted(box, how):
    set_attribute(box.tree, 'user.x', b'y')
    source = box.tree
    if 'link' in how:
        source = box.path('link')
        os.symlink('tree', source)
    contains(box.run('-q', source, box.image_path).err, 'left out (1 entries, 0 with cap')


@test
def attributes_at_the_end_of_a_long_path_are_counted(box):
    """Of more bytes than Linux takes."""
    top = os.getcwd()
    try:
        os.chdir(box.tree)
        for _ in range(21):
            os.mkdir('n' * 200)
            os.chdir('n' * 200)
        with open('a', 'wb'):
            pass
        set_attribute('a', 'user.x', b'y')
        os.chdir(top)
        contains(box.run('-q', box.tree, box.image_path).err, 'left out (1 entries, 0 with cap')
    finally:
        os.chdir(top)
        subprocess.run(('rm', '-rf', box.tree), check=True)


@test_each((0, 6, 0o600), (4, 6, 0o640), (6, 4, 0o640), (7, 6, 0o660))
def group_gets_no_more_than_an_ACL_gives_it(box, case):
    """st_mode has the mask instead, here that of user 1000."""
    group, mask, want = case
    path = box.file('a', b'x')
    entries = ((1, 6, -1), (2, 6, 1000), (4, group, -1), (16, mask, -1), (32, 0, -1))
    set_attribute(path, 'system.posix_acl_access', struct.pack('<I', 2) + b''.join(
        struct.pack('<HHi', *entry) for entry in entries))
    equal(os.stat(path).st_mode & 0o070, mask << 3)
    contains(box.run('-q', box.tree, box.image_path).err, 'extended attributes and ACLs left out')
    equal(oct(box.image().find('a').mode), oct(0o100000 | want))


@test
def directory_whose_names_have_16_MiB_is_an_error(box):
    table = box.write('table', '/d d 755 0 0\n/d/%s p 600 0 0 - - 10000 1 65000\n' % ('n' * 247))
    box.refused('/tree/d: its names take 17160000 bytes, the format holds 16777215', '-q', '-D',
                table, box.tree, box.image_path)


@test
def more_directories_in_each_other_than_8192_are_an_error(box):
    """That is found, and the others are read, and more beside each, in no time worth a word."""
    top = os.getcwd()
    try:
        os.chdir(box.tree)
        for _ in range(8192):
            os.mkdir('a')
            os.mkdir('z')
            os.mkdir('d')
            os.chdir('d')
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        res = box.run('-q', box.tree, box.image_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        equal((res.status, res.err, box.image().files), (0, '', 3 * 8192 + 1))
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        equal(seconds < (30 if harness.SANITIZED else 6), True, '%.1f s' % seconds)
        os.mkdir('d')
        os.unlink(box.image_path)
        os.chdir(top)
        box.refused('/d/d: is in too many directories')
    finally:
        os.chdir(top)
        subprocess.run(('rm', '-rf', box.tree), check=True)


@test
def control_characters_of_names_do_not_reach_the_terminal(box):
    os.truncate(box.file(b'a\x1b[2J\xc2\x9b\n\xff\xc3\xa9'), 1 << 24)
    contains(box.refused('size').err, '/a\\x1b[2J\\xc2\\x9b\\x0a\\xff\u00e9: size')


class Held:
    """A run of mkcramfs that has read the tree and waits for its device table, a FIFO."""

    def __init__(self, box, *options):
        self.fifo = box.path('fifo')
        os.mkfifo(self.fifo)
        env = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
        self.process = subprocess.Popen(
            (os.path.join(harness.TOOLS, 'mkcramfs'), '-q', *options, '-D', self.fifo, box.tree,
             box.image_path), env=env, stderr=subprocess.PIPE, text=True)
        # Opens when mkcramfs has the other end open, so when it is there.
        self.table = os.open(self.fifo, os.O_WRONLY)

    def finish(self):
        """Let it go on; returns exit status and messages."""
        os.close(self.table)
        err = self.process.communicate()[1]
        os.unlink(self.fifo)
        return self.process.returncode, err


@test_each('append', 'shrink', 'rewrite', 'rewrite and put the time back', 'chmod',
           'replace by a FIFO', 'replace by a symlink', 'remove', 'remove the directory')
def file_that_changes_meanwhile_is_an_error(box, how):
    path = box.file('dir/log', prose(10000))
    before = os.stat(path)
    held = Held(box)
    # The clock of files may tick slowly.
    time.sleep(0.05)
    if how == 'append':
        with open(path, 'ab') as f:
            f.write(b'more')
    elif how == 'shrink':
        os.truncate(path, 5)
    elif how.startswith('rewrite'):
        with open(path, 'r+b') as f:
            f.write(b'other')
        if 'back' in how:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == 'chmod':
        os.chmod(path, 0o4755)
    elif how.startswith('remove'):
        os.unlink(path)
        if 'directory' in how:
            os.rmdir(box.in_tree('dir'))
    else:
        os.unlink(path)
        if 'FIFO' in how:
            os.mkfifo(path)
        else:
            os.symlink('/etc/passwd', path)
    status, err = held.finish()
    equal(status, 8)
    contains(err, '/dir/log: ' + ('Too many levels' if 'symlink' in how else
                                  'No such file' if 'remove' in how else
                                  'changed while the image was made'))
    equal(sorted(os.listdir(box.dir)), ['tree'])


@test_each(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT)
def signal_leaves_no_file_and_the_old_image(box, sig):
    box.write('image', b'old')
    held = Held(box)
    # Where files can be without a name, there is none even now.
    equal(sorted(os.listdir(box.dir)), ['fifo', 'image', 'tree'])
    held.process.send_signal(sig)
    equal(held.finish()[0], -sig, 'status')
    equal(sorted(os.listdir(box.dir)), ['image', 'tree'])
    with open(box.image_path, 'rb') as f:
        equal(f.read(), b'old')


@test
def error_leaves_the_old_image(box):
    box.write('image', b'old')
    os.truncate(box.file('big'), 1 << 24)
    box.refused('/big: size')
    with open(box.image_path, 'rb') as f:
        equal(f.read(), b'old')


@test
def full_file_system_is_an_error(box):
    """A limit of the file size stands in for it: write() fails just so."""
    box.write('image', b'old')
    box.file('a', noise(1 << 20))
    box.refused('/image: File too large', preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (1 << 19, 1 << 19)))
    with open(box.image_path, 'rb') as f:
        equal(f.read(), b'old')


@test
def output_in_a_missing_directory_is_an_error(box):
    box.refused('/none/image: No such file', '-q', box.tree, box.path('none/image'))


@test
def output_in_a_forbidden_directory_is_an_error(box):
    os.mkdir(box.path('forbidden'))
    os.chmod(box.path('forbidden'), 0o555)
    box.refused('/forbidden/image: Permission denied', '-q', box.tree,
                box.path('forbidden/image'), nobody=True)


@test
def output_that_is_a_directory_is_an_error(box):
    box.refused('/tree: is a directory', '-q', box.tree, box.tree)


@test
def missing_source_is_an_error(box):
    box.refused('/none: No such file', '-q', box.path('none'), box.image_path)


@test
def source_that_is_a_file_is_an_error(box):
    path = box.write('file', 'x')
    box.refused('/file: not a directory', '-q', path, box.image_path)


@test
def missing_inserted_file_is_an_error(box):
    box.refused('/none: No such file', '-q', '-i', box.path('none'), box.tree, box.image_path)


@test
def inserted_directory_is_an_error(box):
    box.refused('/tree: Is a directory', '-q', '-i', box.tree, box.tree, box.image_path)


@test
def inserted_file_beyond_the_reach_of_inodes_is_an_error(box):
    os.truncate(box.write('boot', ''), 1 << 28)
    box.refused('/boot: too large for an image', '-q', '-i', box.path('boot'), box.tree,
                box.image_path)


@test
def data_beyond_the_reach_of_inodes_is_an_error(box):
    box.file('a', noise(1 << 17))
    box.file('b', b'b')
    os.truncate(box.write('boot', ''), (1 << 28) - (1 << 16))
    box.refused('/b: image too large: data beyond 256 MiB', '-q', '-i', box.path('boot'), box.tree,
                box.image_path)


@test
def standard_output_that_is_full_is_an_error(box):
    with open('/dev/full', 'w') as full:
        res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-qv', box.tree,
                              box.image_path), stdout=full, stderr=subprocess.PIPE, text=True)
    equal(res.returncode, 8)
    contains(res.stderr, 'standard output: No space left')
    equal(os.path.exists(box.image_path), False)


@test_each('', '=json')
def nothing_is_reported_of_an_image_that_is_not_there(box, form):
    """Nothing but a device is full only at the end."""
    box.file('a', b'x')
    if not os.path.exists('/dev/full'):
        raise Skip('no /dev/full')
    res = box.run('-q', '--report' + form, box.tree, '/dev/full')
    equal((res.status, res.out), (8, ''), res.err)


@test
def E_makes_a_warning_an_error(box):
    box.file('a', elf([(R | X, 0, 9 * PAGE)], 100) + prose(PAGE))
    box.refused('not made, as -E makes warnings errors', '-q', '-E', '-X', box.tree,
                box.image_path)


@test
def E_changes_nothing_without_a_warning(box):
    nasty_tree(box).make('-E -X -X')
