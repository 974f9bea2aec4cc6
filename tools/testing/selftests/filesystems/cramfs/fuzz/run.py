#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run guests that fuzz the driver, several at a time; watch them, and report what they find.

A guest is user-mode Linux (ways block and mtd) or an x86-64 machine in QEMU (way memory). What stops
its kernel, or has it say nothing for long, is a finding as well as what the guest itself reports. For
each finding the image and the end of the log are left in OUT. A finding does not end the run: the guest
begins again with the next image.

With --portion the results are a TAP stream, in which a guest has to have done enough, too. It is the
same work however many guests run at a time.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

SELF = 'fuzz'
HERE = os.path.dirname(os.path.abspath(__file__))
MAX_FINDINGS = 10		# of a guest
X86_MEMORY = '0x8000000,0x100000'	# what qemu-x86.sh leaves to images, less than that
AT = re.compile(r'fuzz: at (\d+)')
COUNTS = re.compile(r'fuzz: (\w+=\d+ ?)+')
# What a guest of --portion has to have at least of something for each of something else: about half of
# what there is, but for the first, which tells that images are changed at all. What is counted is of
# changed images only. A driver that refuses too much has too little of some of these.
FLOORS = (('new', 'changed', 0.9), ('mounted', 'changed', 0.5), ('verified', 'changed', 0.03),
          ('entries', 'mounted', 7), ('refused', 'mounted', 0.15), ('pages', 'mounted', 13),
          ('bad', 'mounted', 0.7), ('in_place', 'mounted', 0.8))


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

def read_splats():
    """What the end of a kernel looks like, if nobody is left to say so."""
    with open(os.path.join(HERE, '..', 'splats.h'), encoding='ascii') as handle:
        return re.compile('|'.join(re.findall(r'^SPLAT\("(.*)"\)$', handle.read(), re.MULTILINE)))


# All that is wrong stops a guest, so that it is known which image it was.
STOP = ('loglevel=5', 'panic=-1', 'panic_on_warn=1', 'oops=panic', 'hung_task_panic=1',
        'sysctl.kernel.hung_task_timeout_secs=30')


def uml_command(args, scratch, options):
    """User-mode Linux. Its console and its log are standard output and standard error."""
    initramfs = os.path.join(scratch, 'initramfs')
    make_initramfs(initramfs, [('init', args.fuzzer)] + args.files)
    # Its directory of sockets is in HOME otherwise.
    command = [args.kernel, 'mem=192M', 'uml_dir=' + scratch, 'initrd=' + initramfs, 'con=null',
               'con0=fd:0,fd:1', 'console=tty0', 'ramdisk_size=512', 'mtdram.total_size=16384',
               'mtdram.erase_size=4', *STOP, *args.append]
    if args.portion:
        return command + ['kmemleak=on', '--', '--kmemleak=1', *options]
    return command + ['--', *options]


def x86_command(args, scratch, options):
    """A machine in QEMU, with a range of memory that its kernel does not take."""
    files = [word for guest, host in args.files for word in ('--file', guest + '=' + host)]
    append = ' '.join((*STOP, *args.append, '--', '--memory=' + X86_MEMORY, *options))
    return [os.path.join(HERE, '..', 'qemu-x86.sh'), '--kernel', args.kernel_x86, '--init',
            args.fuzzer, *files, '--smp', '1', '--work', scratch, '--append', append]


COMMANDS = {'block': uml_command, 'mtd': uml_command, 'memory': x86_command}


class Finding:
    """One thing that is wrong."""

    def __init__(self, guest, index, text):
        self.way, self.seed, self.index, self.text = guest.way, guest.seed, index, text
        self.base = os.path.join(guest.args.out, '%s-%d-%d' % (self.way, self.seed, index))
        self.image = guest.args.image or self.base + '.cramfs'

    def save(self, args, log):
        """Leave the image, and what there is to know, in OUT."""
        what = ''
        os.makedirs(args.out, exist_ok=True)
        if not args.image:
            done = subprocess.run([args.fuzzer, '--seeds=' + args.seeds, '--seed=%d' % self.seed,
                                   '--make=%d' % self.index, '--output=' + self.image],
                                  stdout=subprocess.PIPE, check=False)
            what = done.stdout.decode('ascii', 'replace')
        with open(self.base + '.txt', 'w', encoding='utf-8') as handle:
            handle.write('%s\n\nThe image:\n%s\nThe end of the log:\n%s\n' % (
                self.text, what, '\n'.join(log)))

    def report(self, prefix):
        """What was found, and how to see it again."""
        for line in ('%s, seed %d, image %d: %s' % (self.way, self.seed, self.index, self.text),
                     '  see %s.txt; to see it again:' % self.base,
                     '  make fuzz WAY=%s SEED=%d FIRST=%d COUNT=1' % (self.way, self.seed, self.index),
                     '  make fuzz WAY=%s IMAGE=%s' % (self.way, self.image)):
            print(prefix + line)


class Guest:
    """Tries a number of images, or for some time, in as many boots as it takes."""

    def __init__(self, args, way, seed, count):
        self.args, self.way, self.seed, self.count = args, way, seed, count
        self.name = '%s-%d' % (way, seed)
        self.scratch = os.path.join(args.work, self.name)
        self.findings = []
        self.counts = collections.Counter()
        self.broken = self.process = None
        self.tail = collections.deque(maxlen=400)

    def run(self):
        """All boots, and whether they did what there was to do."""
        self.boots()
        images = self.counts['images']
        if images < (self.count or 1) and not (self.args.time and images) and not self.findings:
            self.broken = self.broken or '%d images have been tried of %d' % (images, self.count)

    def stop(self):
        """End what runs, and have nothing else begin."""
        self.broken = self.broken or 'ended by a signal'
        self.kill(self.process)

    @staticmethod
    def kill(process):
        """End a boot, with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            if process:
                os.killpg(process.pid, signal.SIGKILL)

    def boots(self):
        """As many as it takes."""
        first, started = self.args.first, time.monotonic()
        end = first + self.count if self.count else None
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
        self.tail.clear()
        started = time.monotonic()
        os.makedirs(self.scratch, exist_ok=True)
        command = COMMANDS[self.way](self.args, self.scratch, options)
        guest = self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                                start_new_session=True, env=self.environment())
        try:
            at, text, ended = self.follow(guest, log)
        finally:
            self.kill(guest)
            self.process = None
            guest.wait()
            shutil.rmtree(self.scratch)
        self.counts['ms'] += int((time.monotonic() - started) * 1000)
        if text is None and (ended or self.broken):
            return None
        if at is None:
            self.broken = self.broken or text or 'it did not come as far as the first image'
            return None
        if not ended:
            self.counts['images'] += at - int(options[2].split('=')[1])
        found = Finding(self, at, text or 'the guest ended without a word')
        self.findings.append(found)
        found.save(self.args, self.tail)
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
                if AT.fullmatch(line):
                    at = int(line.split()[-1])
                    continue
                log.write(line + '\n')
                self.tail.append(line)
                if line.startswith('fuzz: finding: '):
                    text = text or line[6:]
                elif line.startswith('fuzz: broken: '):
                    self.broken = line[14:]
                elif line == 'fuzz: end':
                    ended = True
                elif COUNTS.fullmatch(line):
                    for word in line.split()[1:]:
                        name, value = word.split('=')
                        self.counts[name] += int(value)
                elif splat is None and self.args.splats.search(line):
                    splat = line
        log.flush()
        return at, text or splat, ended


def run_all(guests, jobs):
    """Run guests, so many at a time, to their end, or to that of all, by a signal."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tasks = [pool.submit(guest.run) for guest in guests]
        try:
            for which in signals:
                signal.signal(which, signal.default_int_handler)
            concurrent.futures.wait(tasks)
        except KeyboardInterrupt:
            for which in signals:
                signal.signal(which, signal.SIG_IGN)
            # Again, for one that is about to begin.
            while concurrent.futures.wait(tasks, 0.1).not_done:
                for guest, task in zip(guests, tasks):
                    if not task.done():
                        guest.stop()
    for guest, task in zip(guests, tasks):
        if task.exception():
            guest.broken = repr(task.exception())


# Report ------------------------------------------------------------------------------------------

def summary(guests):
    """Figures, as one line."""
    counts = sum((guest.counts for guest in guests), collections.Counter())
    seconds = max(guest.counts['ms'] for guest in guests) / 1000
    images = counts['images']
    return ('%d images in %d s (%.1f/s), %d changed (%d new), %d mounted (%d with verify), '
            '%d entries (%d refused), %d pages (%d refused, %d in place)' % (
                images, seconds, images / (seconds or 1), counts['changed'], counts['new'],
                counts['mounted'], counts['verified'], counts['entries'], counts['refused'],
                counts['pages'], counts['bad'], counts['in_place']))


def too_few(guest):
    """Of what a guest has not seen enough, as text."""
    counts = guest.counts
    for what, of_what, ratio in FLOORS:
        # Only where the image is in memory something can be in place.
        floor = max(1, ratio * counts[of_what]) if what != 'in_place' or guest.way != 'block' else 0
        if counts[what] < floor:
            yield '%s=%d is too few for %s=%d: %d at least' % (what, counts[what], of_what,
                                                              counts[of_what], floor)


def report_tap(guests):
    """Results for check.sh. Return: whether all are good."""
    bad = 0
    print('TAP version 13\n1..%d' % len(guests))
    for n, guest in enumerate(guests, 1):
        # What was found or is broken may be why there is not enough of something.
        good = not guest.findings and not guest.broken
        wrong = [guest.broken] * bool(guest.broken) or list(too_few(guest)) * good
        good = good and not wrong
        bad += not good
        print('%sok %d - %s: %s' % ('' if good else 'not ', n, guest.name, summary([guest])))
        for line in wrong:
            print('# ' + line)
        for found in guest.findings:
            found.report('# ')
    return not bad


def report(guests):
    """Results for people. Return: whether all is good."""
    for guest in guests:
        for found in guest.findings:
            found.report('')
        if guest.broken:
            print('%s: %s: %s' % (SELF, guest.name, guest.broken), file=sys.stderr)
    print(summary(guests))
    found = sum(len(guest.findings) for guest in guests)
    good = not found and not any(guest.broken for guest in guests)
    print('nothing found' if good else '%d findings' % found)
    return good


def portion(text):
    """WAY:SEED:COUNT."""
    way, seed, count = text.split(':')
    if way not in COMMANDS:
        raise ValueError
    return way, int(seed), int(count)


def main():
    """Command line."""
    parser = argparse.ArgumentParser()
    for option in ('fuzzer', 'seeds', 'work', 'out'):
        parser.add_argument('--' + option, required=True)
    for option in ('kernel', 'kernel-x86', 'image'):
        parser.add_argument('--' + option)
    for option, default in (('seed', 0), ('first', 0), ('count', 0), ('time', 0), ('patience', 120),
                            ('jobs', 1)):
        parser.add_argument('--' + option, type=int, default=default)
    parser.add_argument('--way', action='append', default=[], choices=COMMANDS)
    parser.add_argument('--portion', action='append', type=portion, metavar='WAY:SEED:COUNT')
    parser.add_argument('--coverage', type=os.path.abspath)
    parser.add_argument('--append', action='append', default=[])
    args = parser.parse_args()
    if args.image:
        args.count = 1
    os.makedirs(args.work, exist_ok=True)
    args.splats = read_splats()
    args.files = [('seeds', args.seeds)] + [('image', args.image)] * bool(args.image)
    if args.portion:
        guests = [Guest(args, *each) for each in args.portion]
    else:
        guests = [Guest(args, args.way[n % len(args.way)], args.seed + n, args.count)
                  for n in range(max(args.jobs, len(args.way)))]
    run_all(guests, args.jobs)
    good = report_tap(guests) if args.portion else report(guests)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
