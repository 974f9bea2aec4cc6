#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measure mkcramfs and other builders of images, and hold mkcramfs against what it should reach.

Each tool makes an image of each tree, all tools once, then all again, so that what else the machine
does hits all alike. Of the rounds, a tool's times are the medians. The trees are read once before,
so that all find them in memory. Our images are checked, and the same at every run and with any
number of threads. Exit status 1 if that is not so, if a mark is not met, or a tool fails.
"""

import argparse
import hashlib
import os
import re
import statistics
import subprocess
import sys

TREES = ('T1', 'T2', 'T3')
ROUNDS = {'T1': 5, 'T2': 3, 'T3': 5}
GROWTH = (5000, 10000, 20000)

PEERS = ('mkfs.cramfs', 'mksquashfs 4K -1')
# What leaves out what the peers do not leave out, and what works no harder.
LIKE = (('mkcramfs no holes', 'mkfs.cramfs'), ('mkcramfs -j 1', 'mkfs.cramfs -z'),
        ('mkcramfs -j 1', 'mksquashfs 4K -1 level 6'))

# Marks.
CPU_RATIO = 0.6			# of one thread to each of the PEERS, at the default level
WALL_RATIO = 0.35		# with CORES to util-linux's
CORES = 2
RSS = 64_000_000
SIZES = {'T1': 9_770_000, 'T2': 101_600_000}
LINEAR = 2.2			# times the CPU for twice the files, at most


class Failed(Exception):
    """A tool did not make an image."""


class Run:
    """One run of a tool: the image, its size, seconds, bytes of memory."""

    def __init__(self, measure, command, output, fsck=None):
        if os.path.exists(output):
            os.remove(output)
        done = subprocess.run((measure,) + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=True, text=True, errors='replace')
        status, wall, cpu, rss = done.stdout.split()
        if status != '0':
            lines = done.stderr.splitlines() or ['']
            raise Failed('%s: status %s: %s' % (' '.join(command), status, lines[0]))
        self.wall, self.cpu, self.rss = float(wall), float(cpu), int(rss)
        self.size = os.path.getsize(output)
        with open(output, 'rb') as image:
            self.image = hashlib.file_digest(image, 'sha256').digest()
        if fsck:
            done = subprocess.run((fsck, output), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode or done.stdout:
                raise Failed('%s: the image is bad: %s' % (' '.join(command), done.stdout))
        os.remove(output)


class Result:
    """What some runs of one tool on one tree say."""

    def __init__(self, runs):
        self.images = {run.image for run in runs}
        self.size = min(run.size for run in runs)
        self.cpu = statistics.median(run.cpu for run in runs)
        self.least_cpu = min(run.cpu for run in runs)
        self.wall = statistics.median(run.wall for run in runs)
        self.rss = max(run.rss for run in runs)


def tools(mkcramfs):
    """What is measured: {name: function(tree, output)}, ours first."""
    def ours(*options):
        return lambda tree, out: (mkcramfs, '-q', *options, tree, out)

    def squash(*options):
        return lambda tree, out: ('mksquashfs', tree, out, '-noappend', '-no-progress', '-all-root',
                                  *options)

    found = {'mkcramfs -j 1': ours('-j', '1'), 'mkcramfs -j %d' % CORES: ours('-j', str(CORES)),
             'mkcramfs -x best': ours('-x', '-z', '--best-practical'),
             'mkcramfs no holes': ours('-j', '1', '--no-holes')}
    found.update({
        'mkfs.cramfs': lambda tree, out: ('mkfs.cramfs', tree, out),
        'mkfs.cramfs -z': lambda tree, out: ('mkfs.cramfs', '-z', tree, out),
        'mksquashfs 4K -1': squash('-b', '4096', '-comp', 'gzip', '-processors', '1'),
        'mksquashfs 4K -1 level 6': squash('-b', '4096', '-comp', 'gzip', '-processors', '1',
                                           '-Xcompression-level', '6'),
        'mksquashfs 4K': squash('-b', '4096', '-comp', 'gzip'),
        'mksquashfs 128K': squash(),
        'mkfs.erofs lz4hc': lambda tree, out: ('mkfs.erofs', '-zlz4hc', out, tree),
        'genromfs': lambda tree, out: ('genromfs', '-d', tree, '-f', out),
    })
    return found


def read_tree(top):
    """Have a tree in memory; its files and bytes."""
    files = size = 0
    for path, _, names in os.walk(os.fsencode(top)):
        for name in names:
            name = os.path.join(path, name)
            files += 1
            if os.path.isfile(name) and not os.path.islink(name):
                with open(name, 'rb') as handle:
                    while chunk := handle.read(1 << 20):
                        size += len(chunk)
    return files, size


def measure(program, commands, rounds, fsck=None):
    """Results of {name: command and output}; a tool that fails has None, and is told of."""
    runs = {name: [] for name in commands}
    for number in range(rounds):
        for name, (command, output) in commands.items():
            if runs[name] is None:
                continue
            try:
                ours = not number and name.startswith('mkcramfs')
                runs[name].append(Run(program, command, output, fsck if ours else None))
            except (Failed, OSError) as why:
                print('FAILED: %s' % why, flush=True)
                runs[name] = None
    return {name: all_of and Result(all_of) for name, all_of in runs.items()}


def ratio(a, b):
    return '%.2f' % (a / b) if b else '-'


def print_table(tree, described, results):
    """One tree's results, and what the first of ours is to each of the others."""
    files, size = described
    ours = next(iter(results.values()))
    print('\n%s: %d entries that are no directories, %d bytes\n' % (tree, files, size))
    print('| %-24s | %11s | %7s | %7s | %6s | %25s |'
          % ('tool', 'bytes', 'CPU s', 'wall s', 'RSS MB', '-j 1 to it: size CPU wall'))
    print('| %s | %s: | %s: | %s: | %s: | %s: |'
          % ('-' * 24, '-' * 10, '-' * 6, '-' * 6, '-' * 5, '-' * 24))
    for name, result in results.items():
        if not result:
            print('| %-24s | %11s |' % (name, 'failed'))
            continue
        against = '-' if not ours else '%s %s %s' % (
            ratio(ours.size, result.size), ratio(ours.cpu, result.cpu),
            ratio(ours.wall, result.wall))
        print('| %-24s | %11d | %7.2f | %7.2f | %6.1f | %25s |'
              % (name, result.size, result.cpu, result.wall, result.rss / 1e6, against))
    sys.stdout.flush()


class Marks:
    """What should be reached."""

    def __init__(self):
        self.missed = 0

    def say(self, met, text):
        print('%-8s %s' % ('MET' if met else 'NOT MET', text))
        self.missed += not met

    def at_most(self, what, value, limit, form='%.2f'):
        self.say(value is not None and value <= limit,
                 '%s: %s (mark: %s)' % (what, '-' if value is None else form % value, form % limit))


def check(all_results, growth):
    """A line a mark; how many were missed."""
    marks = Marks()

    def value(tree, name, what):
        result = all_results[tree].get(name)
        return getattr(result, what) if result else None

    def divided(tree, name, other, what):
        a, b = value(tree, name, what), value(tree, other, what)
        return a / b if a is not None and b else None

    print()
    parallel = 'mkcramfs -j %d' % CORES
    for tree in all_results:
        for peer in PEERS:
            marks.at_most('%s: CPU of one thread to that of %s' % (tree, peer),
                          divided(tree, 'mkcramfs -j 1', peer, 'cpu'), CPU_RATIO)
    for tree in all_results:
        marks.at_most('%s: wall with %d cores to that of mkfs.cramfs' % (tree, CORES),
                      divided(tree, parallel, 'mkfs.cramfs', 'wall'), WALL_RATIO)
        marks.at_most('%s: wall with %d cores to that of mksquashfs 4K with all' % (tree, CORES),
                      divided(tree, parallel, 'mksquashfs 4K', 'wall'), 1.0)
    for tree in all_results:
        for name, peer in LIKE:
            marks.at_most('%s: like work: CPU of %s to that of %s' % (tree, name, peer),
                          divided(tree, name, peer, 'cpu'), CPU_RATIO)
    for tree, results in all_results.items():
        rss = [result.rss / 1e6 if result else None for name, result in results.items()
               if name.startswith('mkcramfs')]
        marks.at_most('%s: peak RSS in MB' % tree, None if None in rss else max(rss), RSS / 1e6,
                      '%.1f')
    for tree, limit in SIZES.items():
        if tree in all_results:
            marks.at_most('%s: bytes with -x -z --best-practical' % tree,
                          value(tree, 'mkcramfs -x best', 'size'), limit, '%d')
    for less, more in zip(GROWTH, GROWTH[1:]):
        if growth:
            a, b = growth[str(less)], growth[str(more)]
            marks.at_most('CPU for %d small files to that for %d' % (more, less),
                          b.least_cpu / a.least_cpu if a and b else None, LINEAR)
    for tree, results in all_results.items():
        images = {name: result.images for name, result in results.items()
                  if name.startswith('mkcramfs') and result}
        differ = [name for name, found in images.items() if len(found) > 1]
        if images.get('mkcramfs -j 1') != images.get(parallel):
            differ.append(parallel)
        marks.say(not differ, ' '.join(['%s: the same image at every run and with any threads' % tree]
                                       + differ))
    return marks.missed


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ('mkcramfs', 'fsck', 'measure', 'trees', 'work'):
        parser.add_argument('--' + option, required=True)
    parser.add_argument('--only', help='names of trees, separated by commas')
    parser.add_argument('--rounds', type=int, help='runs of each tool on each tree')
    parser.add_argument('--options', action='append', default=[], metavar='"OPTION.."',
                        help='measure mkcramfs with these, too')
    args = parser.parse_args()
    found = tools(args.mkcramfs)
    for options in args.options:
        found['mkcramfs ' + options] = (
            lambda tree, out, words=tuple(options.split()): (args.mkcramfs, '-q', *words, tree, out))
    output = os.path.join(args.work, 'image')
    all_results = {}
    for tree in args.only.split(',') if args.only else TREES:
        top = os.path.join(args.trees, tree)
        described = read_tree(top)
        all_results[tree] = measure(args.measure, {name: (command(top, output), output)
                                                   for name, command in found.items()},
                                    args.rounds or ROUNDS[tree], args.fsck)
        print_table(tree, described, all_results[tree])
    growth = {}
    if not args.only:
        for files in GROWTH:
            read_tree(os.path.join(args.trees, 'small-%d' % files))
        growth = measure(args.measure, {str(files): (found['mkcramfs -j 1'](
            os.path.join(args.trees, 'small-%d' % files), output), output) for files in GROWTH}, 7)
    missed = check(all_results, growth)
    failed = any(result is None for results in all_results.values() for result in results.values())
    sys.exit(1 if missed or failed else 0)


if __name__ == '__main__':
    main()
