# SPDX-License-Identifier: GPL-2.0-only
"""What is told about an image: the reports, the layout, the summary, and the line that shows how
far a build is."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios

from cramfs_image import PAGE, nr_blocks
from harness import (bflt, contains, elf, equal, nasty_tree, noise, prose, test, test_each,
                     R, W, X, FLAT_RAM)
import harness

BLOCKS = {'in_place', 'compressed', 'stored', 'shared', 'holes'}
BYTES = BLOCKS | {'compressed_from', 'pointers', 'padding'}
REASONS = {'not_asked_for', 'writable', 'zeroed', 'misplaced', 'outside', 'rule', 'last', 'copied',
           'relocated', 'damaged'}


def report(box, options='', warns=False):
    """The image and its report as a dictionary, with one of the files by their paths."""
    res = box.run('-q', '--report=json', *options.split(), box.tree, box.image_path)
    equal(res.status, 0, res.err)
    equal(bool(res.err), warns, res.err)
    tree = json.loads(res.out)
    tree['by_path'] = {file['path']: file for file in tree['files']}
    image = box.image()
    equal(image.errors(), [], 'image')
    return image, tree


def programs(box):
    """Programs with blocks of every kind, and a rule."""
    box.file('two', elf([(R | X, 0, 2 * PAGE), (R | W, 2 * PAGE, 2 * PAGE)], 200)
             + prose(7 * PAGE), 0o755)
    box.file('twin', elf([(R | X, 0, 2 * PAGE), (R | W, 2 * PAGE, 2 * PAGE)], 200)
             + prose(7 * PAGE), 0o755)
    box.file('zeroed', elf([(R | X, 0, PAGE)], 200, more=5) + prose(2 * PAGE, 1))
    box.file('misplaced', elf([(R | X, 0, PAGE)], 200, skew=16) + prose(2 * PAGE, 2))
    box.file('flat', bflt())
    box.file('flat-in-ram', bflt(flags=FLAT_RAM, text=9000))
    box.file('one-page', elf([(R | X, 0, PAGE)], PAGE))
    box.file('script', b'#!/bin/sh\n' * 1000)
    box.file('holed', bytes(3 * PAGE) + noise(PAGE) + bytes(PAGE))
    box.file('noise', noise(2 * PAGE + 5))
    os.symlink('two', box.in_tree('link'))


@test_each('', '-x', '-X', '-X -X', '-X -X --no-holes', '-U', '-U -X -X', '-p -B -X -X',
           '--no-share-blocks -x')
def report_accounts_for_every_byte_and_block(box, options):
    nasty_tree(box)
    programs(box)
    image, tree = report(box, options)
    equal(tree['size'], len(image.data), 'size')
    # Each file's blocks and bytes are those that it has.
    for file in tree['files']:
        path = file['path']
        equal((set(file['blocks']), set(file['bytes'])), (BLOCKS, BYTES), path)
        equal(sum(file['blocks'].values()), nr_blocks(file['size']), path)
        equal(sum(file['bytes'][k] for k in ('in_place', 'compressed_from', 'stored', 'shared',
                                              'holes')), file['size'], path)
        equal(set(file['not_in_place']) <= REASONS, True, path)
        if 'same_as' in file:
            equal((file['blocks']['shared'], file['not_in_place']), (nr_blocks(file['size']), {}))
            equal((file['bytes']['shared'], file['bytes']['compressed_from']), (file['size'], 0))
            equal(file['offset'], tree['by_path'][file['same_as']['path']]['offset'], path)
        else:
            equal(sum(file['not_in_place'].values()) + file['blocks']['in_place'],
                  nr_blocks(file['size']), path)
    # The totals are the sums, and nothing in the image is left over.
    total = tree['total']
    equal((total['files'], total['symlinks'], total['same']),
          tuple(sum(test(f) for f in tree['files']) for test in (
              lambda f: f['type'] == 'file', lambda f: f['type'] == 'symlink',
              lambda f: 'same_as' in f)))
    for kind, keys in (('blocks', BLOCKS), ('bytes', BYTES - {'padding'})):
        for key in keys:
            equal(total[kind][key], sum(f[kind][key] for f in tree['files']), key)
    for reason in REASONS:
        equal(total['not_in_place'].get(reason, 0),
              sum(f['not_in_place'].get(reason, 0) for f in tree['files']), reason)
    begin = {part['contents']: part for part in tree['layout']}
    head = begin['directories']['end']
    equal(head + sum(total['bytes'][key] for key in ('in_place', 'compressed', 'stored', 'pointers',
                                                     'padding')), len(image.data), 'all bytes')


@test_each('-x', '-X -X', '-X -X -B', '-p -X')
def report_says_what_is_in_the_image(box, options):
    programs(box)
    image, tree = report(box, options)
    region = {part['contents']: (part['begin'], part['end']) for part in tree['layout']}
    first, last = region.get('in_place', (1 << 40, 0))
    seen = set()
    for path, file in tree['by_path'].items():
        entry = image.find(path[1:])
        equal((file['size'], file['offset'], file['type']),
              (entry.size, entry.offset, 'symlink' if path == '/link' else 'file'), path)
        if 'same_as' in file:
            continue
        kinds = dict.fromkeys(BLOCKS, 0)
        for block in image.block_list(entry):
            place = (block.offset, block.kind)
            if block.kind == 'hole':
                kinds['holes'] += 1
            elif place in seen:
                kinds['shared'] += 1
            elif first <= block.offset < last:
                kinds['in_place'] += 1
            else:
                kinds[{'stored': 'stored', 'deflated': 'compressed'}[block.kind]] += 1
            seen.add(place)
        equal(file['blocks'], kinds, path)
        places = [b.offset for b in image.block_list(entry)
                  if b.kind != 'hole' and first <= b.offset < last]
        equal(file.get('in_place_offset'), places[0] if file['blocks']['in_place'] else None, path)


@test
def report_says_why_a_block_is_not_in_place(box):
    programs(box)
    box.file('damaged', bflt(data_start=0))
    box.file('relocated', bflt(places=(0, 0)))
    rules = box.write('rules', '/noise none\n/script pages 1\n')
    _, tree = report(box, '-X -X --xip-rules ' + rules, warns=True)
    want = {
        '/two': {'writable': 2, 'outside': 4}, '/zeroed': {'zeroed': 1, 'outside': 2},
        '/misplaced': {'misplaced': 1, 'outside': 2}, '/flat': {'copied': 3},
        '/flat-in-ram': {'copied': 6}, '/one-page': {'last': 1}, '/script': {'rule': 2},
        '/holed': {'not_asked_for': 5}, '/noise': {'rule': 3}, '/link': {'not_asked_for': 1},
        '/damaged': {'damaged': 6}, '/relocated': {'relocated': 3, 'copied': 3}}
    got = {path: tree['by_path'][path]['not_in_place'] for path in want}
    # Of two files that are the same, the report has the numbers with the first one.
    got['/two'] = {**got['/two'], **tree['by_path']['/twin']['not_in_place']}
    equal(got, want)


@test
def report_is_json_whatever_names_are(box):
    names = [b'\xff\xfe', 'žluť'.encode(), b'a"b\\c', b'\n\t\x01\x7f', b'\xc0\xaf',
             b'\xed\xa0\x80', b'\xf5\x80\x80\x80', b'x\xe2\x82', '\U0001f600'.encode(),
             b'</script>']
    for name in names:
        box.file(name, name)
    res = box.run('-q', '--report=json', box.tree, box.image_path)
    got = set()
    # Strict in both: it is UTF-8, and it is JSON.
    for file in json.loads(res.out.encode().decode())['files']:
        hexed = file.get('path_hex')
        path = file['path'].encode()
        equal(hexed is not None, '�' in file['path'], file['path'])
        got.add(bytes.fromhex(hexed) if hexed else path)
    equal(got, {b'/' + name for name in names})


@test
def json_of_an_empty_tree_is_json(box):
    _, tree = report(box)
    equal((tree['files'], tree['total']['files'], tree['total']['not_in_place']), ([], 0, {}))


@test
def report_as_text_has_a_line_a_file_and_totals(box):
    programs(box)
    res = box.run('-q', '-X', '-X', '--report', box.tree, box.image_path)
    equal((res.status, res.err), (0, ''))
    lines = res.out.splitlines()
    _, tree = report(box, '-X -X')
    keys = ('in_place', 'compressed', 'stored', 'shared', 'holes', 'pointers', 'padding')
    for line, file in zip(lines[1:], tree['files']):
        *numbers, path = line.split(None, len(keys))
        equal([int(n) for n in numbers], [file['bytes'][key] for key in keys], path)
        if 'same_as' in file:
            equal(path, '%s (same as %s)' % (file['path'], file['same_as']['path']))
        elif set(file['not_in_place']) - {'not_asked_for'}:
            equal(path, '%s (blocks not in place: %s)' % (file['path'], ', '.join(
                '%d %s' % (nr, why) for why, nr in file['not_in_place'].items())))
        else:
            equal(path, file['path'])
    rest = '\n'.join(lines[1 + len(tree['files']):])
    contains(rest, '  total\n')
    contains(rest, '%10d blocks in place; not in place:\n' % tree['total']['blocks']['in_place'])
    for why, nr in tree['total']['not_in_place'].items():
        contains(rest, '%10d %s: ' % (nr, why))
    equal(box.run('-q', '-X', '-X', '--report=text', box.tree, box.image_path).out, res.out)


@test
def names_in_the_text_report_cannot_command_a_terminal(box):
    box.file('a\x1b[2Jb\nc', b'x')
    res = box.run('-q', '--report', box.tree, box.image_path)
    contains(res.out, '/a\\x1b[2Jb\\x0ac\n')


@test_each('', '-x', '-X -X', '-p', '-p -X -X', '-i FILE -p', '-X -B')
def layout_has_all_of_the_image(box, options):
    programs(box)
    box.write('boot', noise(777))
    image, tree = report(box, options.replace('FILE', box.path('boot')))
    parts = tree['layout']
    equal(parts[0]['begin'], 0)
    equal(parts[-1]['end'], len(image.data))
    for first, second in zip(parts, parts[1:]):
        equal(first['end'], second['begin'], 'gap')
    equal([p['contents'] for p in parts if p['contents'] != 'padding'],
          ['boot_code'] * ('-p' in options) + ['superblock'] + ['inserted'] * ('-i' in options) +
          ['directories', 'data'] + ['in_place'] * ('-X' in options))
    equal(all(p['begin'] < p['end'] for p in parts), True, 'empty')
    part = {p['contents']: p for p in parts}
    equal(part['superblock']['begin'], image.base)
    equal(part['directories']['begin'], min(e.at for e in image.walk() if e.path != b'/'))
    if '-X -X' in options:
        equal((part['in_place']['begin'] % PAGE, part['in_place']['end'] % PAGE), (0, 0))
    res = box.run('-q', '--layout', *options.replace('FILE', box.path('boot')).split(), box.tree,
                  box.image_path)
    lines = [line.split(None, 3) for line in res.out.splitlines()]
    equal(lines[0], ['begin', 'end', 'bytes', 'contents'])
    equal([(int(b, 16), int(e, 16), int(n)) for b, e, n, _ in lines[1:]],
          [(p['begin'], p['end'], p['end'] - p['begin']) for p in parts])


@test
def report_goes_to_standard_error_if_the_image_is_standard_output(box):
    programs(box)
    res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', '--report=json',
                          '--layout', box.tree, '-'), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    equal(res.returncode, 0, res.stderr)
    image, tree = report(box)
    equal(res.stdout == image.data, True, 'image')
    tree.pop('by_path')
    equal(json.loads(res.stderr), tree)


@test
def report_that_cannot_be_written_is_an_error(box):
    programs(box)
    with open('/dev/full', 'w') as full:
        res = subprocess.run((os.path.join(harness.TOOLS, 'mkcramfs'), '-q', '--report', box.tree,
                              box.image_path), stdout=full, stderr=subprocess.PIPE, text=True)
    equal((res.returncode, os.path.exists(box.image_path)), (8, True))
    contains(res.stderr, 'standard output: No space left on device (the image has been made)')


@test_each('', '-X -X', '-x')
def nothing_is_printed_in_a_pipe(box, options):
    programs(box)
    res = box.run('-q', *options.split(), box.tree, box.image_path, shim={'SHIM_CLOCK': '400'},
                  env={'TERM': 'xterm'})
    equal((res.status, res.out, res.err), (0, '', ''))


def on_terminal(box, *args, columns=80, env=None):
    """The exit status, and what is printed on a terminal, messages and all. The clock goes on by
    0.4 s whenever it is looked at."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('4H', 24, columns, 0, 0))
    # Of its own session: the terminal is its own, and it is in the foreground.
    process = subprocess.Popen(
        (os.path.join(harness.TOOLS, 'mkcramfs'),) + args, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        env={**os.environ, 'TERM': 'xterm', 'SHIM_CLOCK': '400',
             'ASAN_OPTIONS': 'verify_asan_link_order=0:detect_leaks=0',
             'LD_PRELOAD': os.path.join(harness.TOOLS, 'shim.so'), **(env or {})})
    # While the terminal is open here, its end is only known from the program's.
    out = b''
    ended = False
    while select.select((master,), (), (), 0 if ended else 0.05)[0] or not ended:
        ended = process.poll() is not None
        if select.select((master,), (), (), 0)[0]:
            out += os.read(master, 65536)
    os.close(slave)
    os.close(master)
    return process.returncode, out.decode(errors='surrogateescape')


CLEAR = '\r\x1b[K'


def many(box, nr=30):
    for i in range(nr):
        box.file('%d' % i, prose(10000, i))


@test
def progress_shows_files_bytes_ratio_and_time_left(box):
    many(box)
    status, out = on_terminal(box, '-q', '-j', '2', box.tree, box.image_path)
    equal(status, 0, out)
    shown = [line for line in out.split('\r') if line.endswith('left\x1b[K')]
    equal(len(shown) > 5, True, out)
    # A second has passed with the third file: each looks at the clock.
    equal(bool(re.fullmatch(r'3 of 30 files, 0\.0 of 0\.3 MB, to \d+\.\d %, 0:\d\d left\x1b\[K',
                            shown[0])), True, shown[0])
    counts = [int(line.split()[0]) for line in shown]
    equal(counts, sorted(counts), 'grows')
    equal(counts[-1] <= 30, True)
    left = [int(a) * 60 + int(b) for a, b in (line.split(', ')[-1].split()[0].split(':')
                                              for line in shown)]
    equal(left[-1] < left[0], True, left)


@test
def progress_counts_what_is_in_place(box):
    for i in range(30):
        box.file('%d' % i, elf([(R | X, 0, 3 * PAGE)], 3 * PAGE, seed=i))
    _, out = on_terminal(box, '-q', '-X', '-X', box.tree, box.image_path)
    ratio = float(re.search(r', to (\d+\.\d) %', out)[1])
    equal(99 < ratio < 110, True, ratio)


@test
def progress_is_cleared_before_the_summary(box):
    many(box)
    _, out = on_terminal(box, '-q', box.tree, box.image_path)
    *_, last = out.split(CLEAR)
    contains(last, 'image: %d bytes, ' % os.path.getsize(box.image_path))
    equal('\r' in last.replace('\r\n', ''), False, last)


@test
def progress_is_cleared_before_a_message(box):
    # Files are read some way ahead of what is written.
    many(box, 500)
    box.file('zz', noise(10))
    # It was longer a moment ago.
    status, out = on_terminal(box, '-q', '-j', '1', box.tree, box.image_path,
                              env={'SHIM_STAT': 'zz:size=11'})
    equal(status, 8, out)
    *before, last = out.split(CLEAR)
    contains(''.join(before), 'left')
    equal(last, 'mkcramfs: %s: changed while the image was made\r\n' % box.in_tree('zz'))


@test
def progress_does_not_wrap_on_a_narrow_terminal(box):
    many(box)
    _, out = on_terminal(box, '-q', '--quiet', box.tree, box.image_path, columns=20)
    equal(out, '')
    _, out = on_terminal(box, '-q', box.tree, box.image_path, columns=20)
    shown = [line[:-3] for line in out.split('\r') if line.endswith('\x1b[K')]
    equal(len(shown) > 5, True, out)
    equal(max(map(len, shown)), 19, shown)


@test
def there_is_no_progress_in_the_first_second(box):
    box.file('a', prose(10))
    _, out = on_terminal(box, '-q', box.tree, box.image_path)
    equal('left' in out or '\x1b' in out, False, out)


@test
def there_is_no_progress_on_a_dumb_terminal(box):
    many(box)
    _, out = on_terminal(box, '-q', box.tree, box.image_path, env={'TERM': 'dumb'})
    equal('left' in out or '\x1b' in out, False, out)


@test_each('--quiet', '--quiet -X -X')
def nothing_is_printed_with_quiet(box, options):
    many(box)
    equal(on_terminal(box, '-q', *options.split(), box.tree, box.image_path), (0, ''))


@test
def summary_on_a_terminal_is_short_and_has_what_counts(box):
    programs(box)
    status, out = on_terminal(box, '-q', '-X', '-X', box.tree, box.image_path)
    out = out.split(CLEAR)[-1].replace('\r\n', '\n')
    equal((status, len(out.splitlines()) <= 8), (0, True), out)
    _, tree = report(box, '-X -X')
    total = tree['total']
    contains(out, '%s: %d bytes, %.1f %% of the %d in 10 files and 1 symbolic link, of which '
             '1 the same as others\n' % (
        box.image_path, tree['size'], 100 * tree['size'] / total['size'], total['size']))
    for key, name in (('compressed', 'compressed'), ('in_place', 'in place'), ('stored', 'stored'),
                      ('shared', 'shared'), ('holes', 'holes')):
        contains(out, '\n  %-10s %8d block' % (name, total['blocks'][key]))
    part = {p['contents']: p for p in tree['layout']}
    contains(out, ' from 0x%x to 0x%x\n' % (part['in_place']['begin'], part['in_place']['end']))
    equal(box.run('-q', '-v', '-X', '-X', box.tree, box.image_path).out.endswith(out), True, '-v')


@test
def summary_leaves_out_what_there_is_not(box):
    box.file('a', prose(100))
    out = box.run('-q', '-v', box.tree, box.image_path).out
    equal([word in out for word in ('compressed', 'in place', 'stored', 'shared', 'holes', 'same')],
          [True] + [False] * 5, out)


@test
def json_and_a_list_of_the_tree_contradict_each_other(box):
    box.refused('--report=json contradicts --verbose', '-v', '--report=json', box.tree,
                box.image_path, status=16)


@test
def report_is_of_a_known_format(box):
    box.refused('--report xml', '--report=xml', box.tree, box.image_path, status=16)
