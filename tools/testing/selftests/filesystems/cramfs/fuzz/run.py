#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run guests that fuzz the driver, several at a time; watch them, and report what they find.

A guest is user-mode Linux (ways block and mtd) or an x86-64 machine in QEMU (way memory). What stops
its kernel, or has it say nothing for long, is a finding as well as what the guest itself reports. For
each finding the image and the end of the log are left in OUT. A finding does not end the run: the guest
begins again with the next image.
"""

import argparse
import collections
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

SELF = 'fuzz'
HERE = os.path.dirname(os.path.abspath(__file__))
MAX_FINDINGS = 10		# of a guest
X86_MEMORY = '0x8000000,0x100000'	# what qemu-x86.sh leaves to images, less than that
# What the end of a kernel looks like, if nobody is left to say so.
SPLAT = re.compile(r'Kernel panic|BUG:|KASAN|UBSAN|WARNING:|Oops|general protection|INFO: task|'
                   r'stack segment|unable to handle')
COUNTS = re.compile(r'fuzz: (\w+=\d+ ?)+$')


# initramfs ---------------------------------------------------------------------------------------

def cpio_entry(name, mode, data=b'', rdev=(0, 0)):
    """One file of a newc archive."""
    name = name.encode() + b'\0'
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def make_initramfs(path, files):
    """An archive with these files (name in the guest, path here), all of them executable."""
    with open(path, 'wb') as out:
        out.write(cpio_entry('dev', 0o40755))
        out.write(cpio_entry('dev/console', 0o20600, rdev=(5, 1)))
        for name, source in files:
            with open(source, 'rb') as handle:
                out.write(cpio_entry(name, 0o100755, handle.read()))
        out.write(cpio_entry('TRAILER!!!', 0))


# Guests ------------------------------------------------------------------------------------------

# All that is wrong stops a guest, so that it is known which image it was.
STOP = ('loglevel=5', 'panic=-1', 'panic_on_warn=1', 'oops=panic', 'hung_task_panic=1',
        'sysctl.kernel.hung_task_timeout_secs=30')


def uml_command(args, name, options):
    """User-mode Linux. Its console and its log are standard output and standard error."""
    initramfs = os.path.join(args.work, name + '.cpio')
    make_initramfs(initramfs, [('init', args.fuzzer)] + args.files)
    return [args.kernel, 'mem=192M', 'initrd=' + initramfs, 'con=null', 'con0=fd:0,fd:1',
            'console=tty0', 'ramdisk_size=512', 'mtdram.total_size=16384', 'mtdram.erase_size=4',
            *STOP, *args.append, '--', *options]


def x86_command(args, name, options):
    """A machine in QEMU, with a range of memory that its kernel does not take."""
    files = [word for guest, host in args.files for word in ('--file', guest + '=' + host)]
    append = ' '.join((*STOP, *args.append, '--', '--memory=' + X86_MEMORY, *options))
    return [os.path.join(HERE, '..', 'qemu-x86.sh'), '--kernel', args.kernel, '--init', args.fuzzer,
            *files, '--smp', '1', '--work', os.path.join(args.work, name), '--append', append]


COMMANDS = {'block': uml_command, 'mtd': uml_command, 'memory': x86_command}


class Finding:
    """One thing that is wrong."""

    def __init__(self, guest, index, text, log):
        self.way, self.seed, self.index = guest.way, guest.seed, index
        self.text, self.log = text, log


class Guest(threading.Thread):
    """Tries a number of images, or for some time, in as many boots as it takes."""

    def __init__(self, args, way, seed):
        super().__init__()
        self.args, self.way, self.seed = args, way, seed
        self.name = '%s-%d' % (way, seed)
        self.findings = []
        self.counts = collections.Counter()
        self.broken = None
        self.tail = collections.deque(maxlen=400)

    def run(self):
        """All boots, and what hinders them."""
        try:
            self.boots()
        except OSError as err:
            self.broken = str(err)
        if not self.counts['images'] and not self.findings and not self.broken:
            self.broken = 'no image has been tried'

    def boots(self):
        """As many as it takes."""
        first, started = self.args.first, time.monotonic()
        end = first + self.args.count if self.args.count else None
        with open(os.path.join(self.args.work, self.name + '.log'), 'w', encoding='utf-8') as log:
            while len(self.findings) < MAX_FINDINGS and not self.broken:
                options = ['--way=' + self.way, '--seed=%d' % self.seed, '--first=%d' % first]
                if end:
                    options.append('--count=%d' % (end - first))
                if self.args.time:
                    left = self.args.time - (time.monotonic() - started)
                    if left < 1:
                        break
                    options.append('--time=%d' % left)
                if self.args.image:
                    options.append('--image=/image')
                found = self.boot(options, log)
                if found is None or self.args.image:
                    break
                first = found.index + 1
                if end and first >= end:
                    break

    def environment(self):
        """For memory of guests, and for what they count of their coverage."""
        env = dict(os.environ, TMPDIR='/dev/shm')
        if self.args.coverage:
            env['GCOV_PREFIX'] = os.path.join(self.args.coverage, self.name)
        return env

    def boot(self, options, log):
        """One boot. Return: what it was ended by, or None."""
        command = COMMANDS[self.way](self.args, self.name, options)
        self.tail.clear()
        started = time.monotonic()
        guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True,
                                 env=self.environment())
        try:
            at, text, ended = self.follow(guest, log)
        finally:
            try:
                os.killpg(guest.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            guest.wait()
        self.counts['ms'] += int((time.monotonic() - started) * 1000)
        if ended and text is None:
            return None
        if at is None:
            self.broken = text or 'it did not come as far as the first image'
            return None
        if not ended:
            self.counts['images'] += at - int(options[2].split('=')[1])
        found = Finding(self, at, text or 'the guest ended without a word', list(self.tail))
        self.findings.append(found)
        return found

    def follow(self, guest, log):
        """Read what a guest says. Return: the image it came to, what is wrong, did it end well?"""
        at = text = splat = None
        ended, rest = False, b''
        fd = guest.stdout.fileno()
        while True:
            if not select.select([fd], [], [], self.args.patience)[0]:
                text = text or 'nothing is heard of the guest any more'
                break
            data = os.read(fd, 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                line = line.decode('ascii', 'replace').rstrip('\r')
                if line.startswith('fuzz: at '):
                    at = int(line[9:])
                    continue
                log.write(line + '\n')
                self.tail.append(line)
                if line.startswith(('fuzz: finding: ', 'fuzz: broken: ')):
                    text = text or line[6:]
                    if line.startswith('fuzz: broken: '):
                        self.broken = line[14:]
                elif line == 'fuzz: end':
                    ended = True
                elif COUNTS.match(line):
                    for word in line.split()[1:]:
                        name, value = word.split('=')
                        self.counts[name] += int(value)
                elif splat is None and SPLAT.search(line):
                    splat = line
        log.flush()
        return at, text or splat, ended


# Report ------------------------------------------------------------------------------------------

def save(args, found):
    """Leave the image of a finding, and what there is to know, in OUT."""
    os.makedirs(args.out, exist_ok=True)
    base = os.path.join(args.out, '%s-%d-%d' % (found.way, found.seed, found.index))
    what = ''
    image = args.image
    if not image:
        image = base + '.cramfs'
        done = subprocess.run([args.fuzzer, '--seeds=' + args.seeds, '--seed=%d' % found.seed,
                               '--make=%d' % found.index, '--output=' + image],
                              stdout=subprocess.PIPE, check=False)
        what = done.stdout.decode('ascii', 'replace')
    with open(base + '.txt', 'w', encoding='utf-8') as handle:
        handle.write('%s\n\nThe image:\n%s\nThe end of the log:\n%s\n' % (
            found.text, what, '\n'.join(found.log)))
    return image, base + '.txt'


def report_findings(args, guests, prefix):
    """What was found, and how to see it again."""
    for found in (found for guest in guests for found in guest.findings):
        image, text = save(args, found)
        print('%s%s, seed %d, image %d: %s' % (prefix, found.way, found.seed, found.index, found.text))
        print('%s  see %s; to see it again:' % (prefix, text))
        print('%s  make fuzz WAY=%s SEED=%d FIRST=%d COUNT=1' % (prefix, found.way, found.seed,
                                                               found.index))
        print('%s  make fuzz WAY=%s IMAGE=%s' % (prefix, found.way, image))


def summary(guests):
    """Figures, as one line."""
    counts = sum((guest.counts for guest in guests), collections.Counter())
    seconds = max(guest.counts['ms'] for guest in guests) / 1000
    images = counts['images']
    return ('%d images in %d s (%.1f/s), %.1f%% mounted, %d with verify, %d entries (%d refused), '
            '%d pages (%d refused, %d in place)' % (
                images, seconds, images / (seconds or 1), 100 * counts['mounted'] / (images or 1),
                counts['verified'], counts['entries'], counts['refused'], counts['pages'],
                counts['bad'], counts['in_place']))


def report_tap(args, guests):
    """The results for check.sh."""
    print('1..%d' % len(guests))
    for n, guest in enumerate(guests, 1):
        good = not guest.findings and not guest.broken and guest.counts['images'] >= args.count
        # Where the image is in memory, that has to be seen as well.
        good = good and (guest.way == 'block' or guest.counts['in_place'] > 0)
        print('%sok %d - %s: %s' % ('' if good else 'not ', n, guest.name, summary([guest])))
        if guest.broken:
            print('# %s' % guest.broken)
        report_findings(args, [guest], '# ')


def main():
    """Command line."""
    parser = argparse.ArgumentParser()
    for option in ('kernel', 'fuzzer', 'seeds', 'work', 'out'):
        parser.add_argument('--' + option, required=True)
    parser.add_argument('--way', action='append', required=True, choices=COMMANDS)
    parser.add_argument('--seed', type=int, required=True)
    for option, default in (('first', 0), ('count', 0), ('time', 0), ('patience', 120), ('jobs', 1)):
        parser.add_argument('--' + option, type=int, default=default)
    parser.add_argument('--image')
    parser.add_argument('--coverage', type=os.path.abspath)
    parser.add_argument('--append', action='append', default=[])
    parser.add_argument('--tap', action='store_true')
    args = parser.parse_args()
    if args.image:
        args.count = 1
    os.makedirs(args.work, exist_ok=True)
    args.files = [('seeds', args.seeds)] + [('image', args.image)] * bool(args.image)
    nr = max(args.jobs, len(args.way))
    guests = [Guest(args, args.way[n % len(args.way)], args.seed + n) for n in range(nr)]
    waiting, running = list(guests), []
    while waiting or running:
        running = [guest for guest in running if guest.is_alive()]
        while waiting and len(running) < args.jobs:
            running.append(waiting.pop(0))
            running[-1].start()
        time.sleep(0.1)
    if args.tap:
        report_tap(args, guests)
        return 0
    report_findings(args, guests, '')
    for guest in guests:
        if guest.broken:
            print('%s: %s: %s' % (SELF, guest.name, guest.broken), file=sys.stderr)
    print(summary(guests))
    found = sum(len(guest.findings) for guest in guests)
    print('%d findings' % found if found else 'nothing found')
    return 1 if found or any(guest.broken for guest in guests) else 0


if __name__ == '__main__':
    sys.exit(main())
