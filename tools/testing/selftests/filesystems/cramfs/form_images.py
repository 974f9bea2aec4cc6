#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make images of one odd tree with every combination of mkcramfs's options, for test_forms.c.

Runs under fakeroot, like guest_images.py. The listing that all images have to give is that of the
*source tree*, and where pages are is from an independent reader; nothing comes from the driver.

Output: OUT, a disk: a page of header, a line an image, the listing, then the images, page-aligned;
OUT.root, the root image of a guest with test_forms on it and little else.
--wrong adds images with errors, to see that these are noticed. --big-endian makes all images
big-endian. --large makes one image instead, whose data is beyond 256 MiB (direct pointers reach it).
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import os
import shutil
import stat
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import guest_images as gi	# noqa: E402
import cramfs_image as ci	# noqa: E402 (guest_images knows where)
import trees			# noqa: E402

PAGE = ci.PAGE
WHOLE = 1 << 20			# larger files are sampled, as in test_forms.c
SAMPLED = 61

# Every combination of these: where blocks are, and of which kinds they are. @NAME is a file.
POINTERS = ('', '-x', '-X', '-X -X', '--xip-rules @rules', '-X -X --xip-rules @rules')
KINDS = (('', '--no-holes'), ('', '-U'), ('', '--no-share-blocks'))
# Each of these, and all at once, with all of POINTERS: what is before the blocks, and their order.
AROUND = ('-p', '-i @boot', '--sort @order', '-l 12', '-e 7 -n name')
# And these.
OTHERS = ('-l 1', '--best', '--compat util-linux', '--compat util-linux -z -p', '-U -p -i @boot')

FILES = {
    'boot': b'boot code\n' * 700,
    'order': b'-5 programs/full\n7 glob copies/*\n3 names/a\n',
    'rules': b'/programs/* text rodata data\n/sizes/noise* all\n/copies/b pages 1\n'
             b'/programs/one-page none\n',
}


# Tree -------------------------------------------------------------------------------------------

def add_programs(top, programs):
    """Files with text to execute in place: programs, and made-up ones of every layout."""
    os.mkdir(top)
    for name in ('whoami', 'pages'):
        shutil.copy(os.path.join(programs, name), top)
    gi.put(top + '/text', gi.elf(1, 3 * PAGE + 1234), 0o755)
    gi.put(top + '/text-and-data', gi.elf(2, 3 * PAGE, PAGE + 99), 0o755)
    gi.put(top + '/full', gi.elf(3, 2 * PAGE), 0o755)
    gi.put(top + '/one-page', gi.elf(4, PAGE), 0o755)
    holed = bytearray(gi.elf(5, 5 * PAGE + 10))
    holed[PAGE:2 * PAGE] = bytes(PAGE)
    holed[3 * PAGE:5 * PAGE] = bytes(2 * PAGE)
    gi.put(top + '/holed', holed, 0o755)


def add_copies(top):
    """Files and blocks that are the same, under the same attributes and under others."""
    os.mkdir(top)
    page, noise = gi.text(10, PAGE), gi.noise(11, PAGE)
    for name, content, mode, uid in (
            ('a', page + noise, 0o644, 0), ('b', page + noise, 0o644, 0),
            ('setuid', page + noise, 0o4755, 0), ('private', page + noise, 0o600, 1000),
            ('swapped', noise + page, 0o644, 0), ('repeated', page * 3 + noise * 2, 0o644, 0),
            ('longer', page + noise + b'more', 0o644, 0), ('within', bytes(PAGE) + page, 0o644, 0),
            ('program', gi.elf(1, 3 * PAGE + 1234), 0o700, 5)):
        gi.put(top + '/' + name, content, mode, uid, uid // 10)


def make_tree(top, programs):
    """Everything that an image can hold, in a few hundred KiB."""
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    trees.make(top, 60, ('small', 'holes', 'links', 'nodes', 'names', 'sizes', 'deep', 'modes'))
    add_programs(top + '/programs', programs)
    add_copies(top + '/copies')
    os.chmod(top, 0o751)
    os.chown(top, 12, 34)


def make_large_tree(top):
    """Files of stored blocks, each unlike the others, that do not fit below 256 MiB."""
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    size = (1 << 24) - PAGE - 96
    for n in range(19):
        trees.write_parts(top, 'file%02d' % n, size, [
            (at * PAGE, b'%d of %d' % (at, n)) for at in range(0, size // PAGE, SAMPLED)] +
            [(size - 10, b'end of %02d.' % n)])
    gi.put(top + '/small', gi.text(1, 5000))


def make_root(top, programs, suffix):
    """The root directory of a guest that runs test_forms."""
    shutil.rmtree(top, ignore_errors=True)
    for name in ('dev', 'proc', 't/bin', 't/mnt'):
        os.makedirs(top + '/' + name)
    for name in ('small_init', 'test_forms'):
        shutil.copy(os.path.join(programs, name + suffix), top + '/t/bin/' + name)


# What is expected --------------------------------------------------------------------------------

def escape(name):
    """As add_escaped() of test_forms.c."""
    return ''.join(chr(c) if 0x20 < c < 0x7f and c != 0x25 else '%%%02x' % c for c in name)


def looked_at(content):
    """The pages of a file that are looked at, each as a whole."""
    last = (len(content) - 1) // PAGE
    for n in range(last + 1):
        if len(content) <= WHOLE or n % SAMPLED == 0 or n == last:
            yield n, content[n * PAGE:(n + 1) * PAGE]


def list_entry(path, name):
    """What test_forms.c is to say of an entry, but for a directory's entries."""
    st = os.lstat(path)
    # Both drivers let everybody into the root, since some builders leave its mode 0.
    words = ['%x' % (st.st_mode | (0o555 if name == b'/' else 0)), st.st_uid, st.st_gid]
    if stat.S_ISREG(st.st_mode):
        with open(path, 'rb') as handle:
            content = handle.read()
        by_read = by_map = total = 0
        for _, page in looked_at(content):
            by_read = zlib.crc32(page, by_read)
            by_map = zlib.crc32(page.ljust(PAGE, b'\0'), by_map)
            total += len(page)
        words += [len(content), total, '%x' % by_read] + ['%x' % by_map] * bool(content)
    elif stat.S_ISLNK(st.st_mode):
        target = os.readlink(path)
        words += [len(target), escape(target)]
    elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        words += [os.major(st.st_rdev), os.minor(st.st_rdev)]
    return ' '.join(str(word) for word in words + [escape(name)]) + '\n'


def list_tree(path, name=b'/'):
    """All of a source tree, in the order of an image's directories."""
    yield list_entry(path, name)
    if os.path.isdir(path) and not os.path.islink(path):
        for child in sorted(os.listdir(path)):
            yield from list_tree(os.path.join(path, child), name.rstrip(b'/') + b'/' + child)


def list_places(image):
    """In which pages of the image the pages of its files are, where they can be mapped."""
    for entry in image.walk():
        if not entry.is_type(stat.S_IFREG) or not entry.size:
            continue
        yield escape(b'/t/mnt' + entry.path) + ' '
        for block in image.block_list(entry):
            mapped = (block.kind == 'stored' and block.offset % PAGE == 0 and
                      image.tail_is_clean(block))
            yield '%d,' % (block.offset // PAGE) if mapped else '-,'
        yield '\n'


# Images -----------------------------------------------------------------------------------------

def combinations():
    """Every combination of options, as it is shown."""
    for words in itertools.chain(
            itertools.product(POINTERS, *KINDS),
            itertools.product(POINTERS, AROUND + (' '.join(AROUND),)),
            ((other,) for other in OTHERS)):
        yield ' '.join(word for word in words if word)


def run(command):
    """Run a tool; all that it says. It has to succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode(errors='replace')
    if done.returncode:
        sys.exit('form_images.py: %s: %s' % (' '.join(command), said))
    return said


class Maker:
    """Runs mkcramfs, and checks what it has made with fsck.cramfs, which is the same program."""

    def __init__(self, mkcramfs, tree, scratch, endian):
        self.mkcramfs, self.tree, self.scratch = mkcramfs, tree, scratch
        self.endian = {'<': '-L', '>': '-B'}[endian]
        for name, content in FILES.items():
            gi.put(os.path.join(scratch, name), content)
        self.fsck = os.path.join(scratch, 'fsck.cramfs')
        shutil.copy(mkcramfs, self.fsck)

    def make(self, options):
        """The image with these options."""
        out = os.path.join(self.scratch, 'form' + options.replace('/', '_').replace(' ', ''))
        words = [os.path.join(self.scratch, word[1:]) if word[0] == '@' else word
                 for word in options.split()]
        run([self.mkcramfs, self.endian, *words, self.tree, out])
        said = run([self.fsck, out])
        if said:
            sys.exit('form_images.py: mkcramfs %s: fsck.cramfs says: %s' % (options, said))
        with open(out, 'rb') as handle:
            data = handle.read()
        os.remove(out)
        return data


def all_forms(maker):
    """(name, image) of all that are unlike each other, and how many combinations there were."""
    seen, forms, count = set(), [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        names = list(combinations())
        for name, data in zip(names, pool.map(maker.make, names)):
            count += 1
            digest = hashlib.sha256(data).digest()
            if digest not in seen:
                seen.add(digest)
                forms.append((name or '(no options)', data))
    return forms, count


def changed(data, at, xor, endian):
    """DATA with some bits changed, and a good CRC."""
    out = bytearray(data)
    out[at] ^= xor
    ci.seal(out, 0, endian)
    return bytes(out)


def wrong_forms(data):
    """(what is wrong, image, where it is to be seen)"""
    image = ci.Image(data)
    endian = image.codec.endian
    program = image.find('/programs/text')
    other = image.find('/modes/0644')
    low = 0 if endian == '<' else 1
    yield 'a bit of a program', changed(data, image.block(program, 1).offset + 99, 1, endian), 'differs'
    yield 'a bit of a mode', changed(data, other.at + low, 1, endian), 'differs'
    yield 'a bit of an owner', changed(data, other.at + 2 + low, 1, endian), 'differs'
    yield 'a bit of a name', changed(data, other.at + 12, 1, endian), 'differs'
    # The same contents, but the first page of a program is in another place.
    block = image.block(program, 0)
    moved = bytearray(data + data[block.offset:block.offset + PAGE])
    moved[image.pointer_at(program, 0):image.pointer_at(program, 1)] = image.codec.put32(
        ci.PTR_DIRECT | ci.PTR_STORED | len(data) >> 2)
    moved[4:8] = image.codec.put32(len(moved))
    ci.seal(moved, 0, endian)
    yield 'the place of a page', bytes(moved), 'places'


def write_disk(out, forms, listing):
    """OUT from [(name, data, 'same', 'differs' or 'places', image with the right places)]."""
    lines, listing = [], listing.encode()
    for relocate in (False, True):
        # The lines say where images are, and images are after the lines.
        at = ci.align(PAGE + sum(len(line) for line in lines) + len(listing) if relocate else 0, PAGE)
        lines = []
        for name, data, kind, right in forms:
            image = ci.Image(data)
            places = zlib.crc32(''.join(list_places(ci.Image(right))).encode()) if relocate else 0
            found = image.errors() if relocate and kind == 'same' else []
            if found:
                sys.exit('form_images.py: %s: %s' % (name, found[0]))
            lines.append(b'%012d %d %08x %s %s\n' % (at, len(data), places, kind.encode(),
                                                     name.encode()))
            at += ci.align(len(data), PAGE)
    plan = b''.join(lines)
    with open(out, 'wb') as handle:
        handle.write((b'cramfs-forms %d %d %d\n' % (len(forms), len(plan), len(listing))).ljust(
            PAGE, b'\0') + plan + listing)
        for _, data, _, _ in forms:
            handle.seek(ci.align(handle.tell(), PAGE))
            handle.write(data)
        handle.truncate(ci.align(handle.tell(), PAGE))


def main():
    """Command line."""
    parser = argparse.ArgumentParser()
    for option in ('mkcramfs', 'programs', 'out'):
        parser.add_argument('--' + option, required=True)
    parser.add_argument('--big-endian', action='store_true')
    parser.add_argument('--wrong', action='store_true')
    parser.add_argument('--large', action='store_true')
    args = parser.parse_args()
    tree = args.out + '.tree'
    endian = '>' if args.big_endian else '<'
    maker = Maker(args.mkcramfs, tree, os.path.dirname(os.path.abspath(args.out)), endian)
    if args.large:
        make_large_tree(tree)
        data = maker.make('-U --no-holes --no-share-blocks')
        forms = [('data beyond 256 MiB', data, 'same', data)]
    else:
        make_tree(tree, args.programs)
        made, count = all_forms(maker)
        print('%d combinations of options give %d images' % (count, len(made)))
        forms = [(name, data, 'same', data) for name, data in made]
        if args.wrong:
            data = maker.make('-X -X')
            forms += [form + (data,) for form in wrong_forms(data)]
    write_disk(args.out, forms, ''.join(list_tree(os.fsencode(tree))))
    make_root(tree, args.programs, '_be' if args.big_endian else '')
    with open(args.out + '.root', 'wb') as handle:
        handle.write(maker.make('-q'))
    shutil.rmtree(tree)


if __name__ == '__main__':
    main()
