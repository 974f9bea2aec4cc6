# SPDX-License-Identifier: GPL-2.0-only
"""What the tests have in common: a list of tests, a directory for each, running the tools, trees
to make images of and comparing them with these. No test is here."""

import os
import random
import shutil
import socket
import stat
import struct
import subprocess
import tempfile

from cramfs_image import Image, PAGE, nr_blocks

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = []
TOOLS = None			# set by run.py
SANITIZED = False		# the tools are built with sanitizers: slower, and in need of more memory
BUILT = None			# where they come from
ROOT = os.geteuid() == 0
NOBODY = 65534
ALL_FORMS = ('', '--no-holes', '-x', '-x --no-holes', '-X', '-X --no-holes', '-X -X',
             '-X -X --no-holes', '-p', '-p -X -X', '-U', '-U --no-holes', '-U -X --no-holes',
             '-U -X -X')


class Skip(Exception):
    """The machine lacks something that the test is about."""


def test(function):
    """Decorator: FUNCTION(box) is a test; its name says the behaviour."""
    TESTS.append((function.__name__, function))
    return function


def test_each(*cases):
    """Decorator: FUNCTION(box, case) is a test for each case."""
    def add(function):
        for case in cases:
            text = str(case) if case != '' else '(none)'
            # A result is one line.
            name = '%s: %s' % (function.__name__, text if text.isprintable() else repr(text))
            TESTS.append((name, lambda box, case=case: function(box, case)))
        return function
    return add


def set_up(mkcramfs, cramfs_map):
    """Copy the tools to where everybody can run them, and build the shim."""
    global SANITIZED
    with open(mkcramfs, 'rb') as f:
        SANITIZED = b'__asan_init' in f.read()
    global BUILT
    BUILT = os.path.dirname(os.path.abspath(mkcramfs))
    shutil.copy(mkcramfs, os.path.join(TOOLS, 'mkcramfs'))
    for name in ('mkfs.cramfs', 'fsck.cramfs', 'cramfsck'):
        os.symlink('mkcramfs', os.path.join(TOOLS, name))
    shutil.copy(cramfs_map, os.path.join(TOOLS, 'cramfs-map'))
    subprocess.run((os.environ.get('HOSTCC', 'gcc'), '-std=gnu11', '-D_GNU_SOURCE', '-O1',
                    '-shared', '-fPIC', '-o', os.path.join(TOOLS, 'shim.so'),
                    os.path.join(HERE, 'shim.c'), '-ldl'), check=True)


def equal(got, want, what=''):
    """Fail unless both are the same, and say both."""
    if got != want:
        raise AssertionError('%s: got %r, want %r' % (what, short(got), short(want)))


def short(value):
    text = value if isinstance(value, (bytes, str)) else repr(value)
    return text if len(text) < 200 else text[:200] + type(text)((b'...' if isinstance(
        text, bytes) else '...'))


def contains(text, part):
    """Fail unless PART is in TEXT."""
    if part not in text:
        raise AssertionError('%r is not in %r' % (part, text))


class Box:
    """A directory for one test, with a tree in it to make images of."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='cramfs-test.')
        os.chmod(self.dir, 0o777)
        self.tree = os.path.join(self.dir, 'tree')
        self.image_path = os.path.join(self.dir, 'image')
        os.mkdir(self.tree, 0o755)

    def close(self):
        # Some tests take rights away that are needed now.
        for top, dirs, _ in os.walk(self.dir):
            for name in dirs:
                if not os.path.islink(os.path.join(top, name)):
                    os.chmod(os.path.join(top, name), 0o700)
        shutil.rmtree(self.dir)

    def path(self, name):
        """Path in the box, not in the tree. Bytes if NAME is."""
        return os.path.join(os.fsencode(self.dir) if isinstance(name, bytes) else self.dir, name)

    def in_tree(self, name):
        return os.path.join(os.fsencode(self.tree) if isinstance(name, bytes) else self.tree,
                            name)

    def file(self, name, content=b'', mode=0o644):
        """A file in the tree."""
        path = self.in_tree(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def write(self, name, content):
        """A file beside the tree."""
        with open(self.path(name), 'wb') as f:
            f.write(content.encode() if isinstance(content, str) else content)
        return self.path(name)

    def run(self, *args, tool='mkcramfs', env=None, shim=None, nobody=False, **more):
        """Run a tool; the result has status, out and err."""
        env = dict(os.environ, **(env or {}))
        # With a sanitizer: let the shim be loaded first, and let errors end the program as it is.
        env.setdefault('ASAN_OPTIONS', 'verify_asan_link_order=0:detect_leaks=0')
        if shim:
            env.update(shim, LD_PRELOAD=os.path.join(TOOLS, 'shim.so'))
        if nobody and ROOT:
            more.update(user=NOBODY, group=NOBODY, extra_groups=[])
        res = subprocess.run((os.path.join(TOOLS, tool),) + args, env=env, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, errors='surrogateescape', **more)
        res.status, res.out, res.err = res.returncode, res.stdout, res.stderr
        return res

    def make(self, options='', squash=True, **more):
        """Make the image of the tree, which must work and be without fault; owners are squashed,
        or a user with a gid above 255 could not run these tests."""
        words = options.split() + (['-q'] if squash else [])
        res = self.run(*words, self.tree, self.image_path, **more)
        equal((res.status, res.err), (0, ''), 'mkcramfs ' + options)
        image = self.image()
        equal(image.errors(), [], 'image')
        return image

    def make_bytes(self, options='', **more):
        self.make(options, **more)
        return self.image().data

    def image(self):
        with open(self.image_path, 'rb') as f:
            return Image(f.read())

    def refused(self, message, *args, status=8, **more):
        """Running mkcramfs must fail, say MESSAGE, and leave no file that was not there."""
        before = sorted(os.listdir(self.dir))
        res = self.run(*(args or ('-q', self.tree, self.image_path)), **more)
        equal(res.status, status, 'exit status (%s)' % res.err)
        contains(res.err, 'mkcramfs: ')
        contains(res.err, message)
        equal(sorted(os.listdir(self.dir)), before, 'files')
        return res


def fsck(*args):
    """Run util-linux's fsck.cramfs; fails unless it is content."""
    path = shutil.which('fsck.cramfs', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if not path:
        raise Skip('fsck.cramfs is not installed')
    res = subprocess.run((path,) + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal((res.returncode, res.stdout), (0, b''), 'fsck.cramfs')


def noise(size, seed=0):
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def prose(size, seed=0):
    """Bytes that do."""
    rng = random.Random(seed)
    words = [rng.choice((b'the ', b'flash ', b'page ', b'of ', b'a ', b'kernel\n')) for _ in
             range(size // 4 + 1)]
    return b''.join(words)[:size]


NASTY_NAMES = (b' ', b'-', b'--help', b'..x', b'.hidden', b'%s', b'a\nb', b'a\\b', b'\xff\xfe',
               b'\x01', 'žluť'.encode(), b'n' * 249, b'n' * 250, b'n' * 251, b'n' * 252,
               b'A', b'a', b'aa', b'a-', b'a.', b'\x7f', b'\x80')
NASTY_SIZES = (0, 1, 2, 3, 4, 5, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 40000)


def nasty_tree(box):
    """Everything that a tree may hold without being root, but for what takes long."""
    for name in NASTY_NAMES:
        box.file(b'names/' + name, name)
        os.makedirs(box.in_tree(b'names-of-dirs/' + name))
    for size in NASTY_SIZES:
        box.file('sizes/noise%d' % size, noise(size, size))
        box.file('sizes/prose%d' % size, prose(size, size))
        box.file('sizes/zeros%d' % size, bytes(size))
    hole, page = bytes(PAGE), noise(PAGE)
    for i, parts in enumerate(((hole, page), (page, hole), (page, hole, page), (hole, page, hole),
                               (hole, hole, prose(10)), (page, hole, bytes(10)),
                               (prose(PAGE), hole, noise(10)))):
        box.file('holes/%d' % i, b''.join(parts))
    os.makedirs(box.in_tree('/'.join(['deep'] + ['d'] * 60).lstrip('/')))
    box.file('deep/' + 'd/' * 60 + 'end', b'end')
    os.makedirs(box.in_tree('empty/also-empty'))
    for i in range(80):
        box.file('many/%d' % i, b'%d' % i)
    os.mkdir(box.in_tree('links'))
    for i, target in enumerate(('x', '/etc/passwd', 'y' * 255, 'ab/' * 1364 + 'abc')):
        os.symlink(target, box.in_tree('links/%d' % i))
    os.link(box.in_tree('sizes/noise8193'), box.in_tree('links/hard'))
    os.mkfifo(box.in_tree('links/fifo'), 0o620)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(box.in_tree('links/s'))
    sock.close()
    for mode in (0o400, 0o4755, 0o2711, 0o1644, 0o7777):
        box.file('modes/%04o' % mode, b'%o' % mode, mode)
    box.file('modes/0000', b'', 0)
    os.mkdir(box.in_tree('modes/dir'))
    os.chmod(box.in_tree('modes/dir'), 0o1777)
    elf_files(box)
    return box


def same_as_tree(box, image):
    """Fail unless the image holds the tree, with owners squashed."""
    seen = set()
    for entry in image.walk():
        relative = entry.path.lstrip(b'/')
        path = os.path.join(os.fsencode(box.tree), relative) if relative else box.tree
        st = os.lstat(path)
        seen.add(relative)
        equal((oct(entry.mode), entry.uid, entry.gid), (oct(st.st_mode), 0, 0), path)
        if stat.S_ISREG(st.st_mode) and not st.st_size:
            equal(entry.size, 0, path)
        elif stat.S_ISREG(st.st_mode):
            with open(path, 'rb') as f:
                equal(image.read(entry), f.read(), path)
        elif stat.S_ISLNK(st.st_mode):
            equal(image.read(entry), os.readlink(path), path)
        elif not stat.S_ISDIR(st.st_mode):
            equal((entry.size, entry.offset), (0, 0), path)
        if not entry.size:
            equal(entry.offset, image.base + 76 if path == box.tree else 0, path)
    want = set()
    for top, dirs, files in os.walk(os.fsencode(box.tree)):
        want.update(os.path.relpath(os.path.join(top, n), os.fsencode(box.tree))
                    for n in dirs + files)
    equal(seen, want | {b''}, 'names')


# Program headers: (flags, first byte, length in the file); offsets are those in memory, too.
R, W, X = 4, 2, 1


def elf(segments, size, bits=32, endian='<', kind=3, machine=40, skew=0, more=0, osabi=0, seed=0):
    """An ELF file of SIZE bytes with these segments and noise for text. SKEW is added to the
    addresses in memory, MORE to the lengths there."""
    end = {'<': 1, '>': 2}[endian]
    ident = b'\x7fELF' + bytes((bits // 32, end, 1, osabi)) + bytes(8)
    if bits == 32:
        header = struct.pack(endian + 'HHIIIIIHHHHHH', kind, machine, 1, 0, 52, 0, 0, 52, 32,
                             len(segments), 40, 0, 0)
        table = b''.join(struct.pack(endian + '8I', 1, start, start + skew, start + skew, length,
                                     length + more, flags, PAGE)
                         for flags, start, length in segments)
    else:
        header = struct.pack(endian + 'HHIQQQIHHHHHH', kind, machine, 1, 0, 64, 0, 0, 64, 56,
                             len(segments), 64, 0, 0)
        table = b''.join(struct.pack(endian + 'IIQQQQQQ', 1, flags, start, start + skew,
                                     start + skew, length, length + more, PAGE)
                         for flags, start, length in segments)
    head = ident + header + table
    return head + noise(size, seed)[len(head):]


# Programs without an MMU: flags, the length of the header, and how much text there is as a rule.
FLAT_RAM, FLAT_GOTPIC, FLAT_GZIP, FLAT_GZDATA, FLAT_KTRACE = 1, 2, 4, 8, 16
FLAT_HEADER = 64
FLAT_TEXT = 2 * PAGE + 100
FLAT_FIELDS = ('entry', 'data_start', 'data_end', 'bss_end', 'stack_size',
               'reloc_start', 'reloc_count', 'flags', 'build_date')


def bflt(text=FLAT_TEXT, data=3 * PAGE + 1000, rev=4, size=None, magic=b'bFLT', places=None,
         fill=noise, **fields):
    """A bFLT program with TEXT bytes of noise for text (or another FILL), data that shrink, and two
    relocations, of pointers in the data as a rule; PLACES says where else they are, from behind the
    header on."""
    values = {'entry': FLAT_HEADER + 1, 'data_start': FLAT_HEADER + text,
              'data_end': FLAT_HEADER + text + data, 'bss_end': FLAT_HEADER + text + data + 500,
              'stack_size': 4096, 'reloc_start': FLAT_HEADER + text + data, 'reloc_count': 2,
              'flags': FLAT_GOTPIC, 'build_date': 0}
    values.update(fields)
    header = struct.pack('>4s10I20x', magic, rev, *(values[name] for name in FLAT_FIELDS))
    whole = header + fill(text) + prose(data) + struct.pack('>2I', *(places or (text, text + 4)))
    return whole[:size]


def elf_files(box):
    """Small ELF files of every layout and kind."""
    for bits in (32, 64):
        for endian in '<>':
            box.file('elf/%d%s' % (bits, {'<': 'le', '>': 'be'}[endian]),
                     elf([(R | X, 0, 9000), (R | W, 9000, 5000)], 20000, bits, endian,
                         seed=bits + ord(endian)), 0o755)
    box.file('elf/full-last', elf([(R | X, 0, 4 * PAGE)], 4 * PAGE))
    box.file('elf/one-page', elf([(R | X, 0, PAGE)], PAGE))
    box.file('elf/one-partial-page', elf([(R | X, 0, 1000)], 1000))
    box.file('elf/partial-last', elf([(R | X, 0, 4 * PAGE + 10)], 4 * PAGE + 10))
    box.file('elf/text-last', elf([(R | W, 0, 2 * PAGE), (R | X, 2 * PAGE, PAGE)], 3 * PAGE))
    box.file('elf/two-runs', elf([(R | X, 0, 2 * PAGE), (R, 4 * PAGE, 2 * PAGE)], 8 * PAGE))
    holed = bytearray(elf([(R | X, 0, 3 * PAGE)], 10 * PAGE + 1000))
    holed[PAGE:2 * PAGE] = bytes(PAGE)
    holed[3 * PAGE:5 * PAGE] = bytes(2 * PAGE)
    box.file('elf/holes', holed)


def elf_pages(content):
    """Which pages of an ELF file are mapped read-only, by an independent reading of it."""
    bits, endian = content[4] * 32, '?<>'[content[5]]
    if bits == 32:
        at, = struct.unpack_from(endian + 'I', content, 28)
        step, number = struct.unpack_from(endian + 'HH', content, 42)
    else:
        at, = struct.unpack_from(endian + 'Q', content, 32)
        step, number = struct.unpack_from(endian + 'HH', content, 54)
    pages = set()
    for i in range(number):
        if bits == 32:
            kind, start, _, _, length, _, flags = struct.unpack_from(endian + '7I', content,
                                                                     at + i * step)
        else:
            kind, flags, start, _, _, length = struct.unpack_from(endian + 'IIQQQQ', content,
                                                                  at + i * step)
        if kind == 1 and length and not flags & W:
            pages.update(range(start // PAGE, (start + length - 1) // PAGE + 1))
    return pages


def stored_pages(image, entry):
    """Which blocks of a file are stored."""
    return {i for i in range(nr_blocks(entry.size)) if image.block(entry, i).kind == 'stored'}
