#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold fsck.cramfs against another reader: compare.py FSCK DIRECTORY

Of each image in DIRECTORY that FSCK, a program whose name has fsck in it, finds good,
tests/cramfs_image.py must read all, and find nothing wrong either. A checker that has become too
lenient goes wrong nowhere else: it reads what is there. Prints what is not so, and exits with 1."""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../tests'))

from cramfs_image import CramfsError, Image, PAGE, WRONG_SIGNATURE


def fsck(tool, path, *options):
    return subprocess.run((tool, '-q', *options, path), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)


def errors(data):
    """What the other reader says, but for what fsck.cramfs warns of only."""
    try:
        image = Image(data)
        found = image.errors()
    except (CramfsError, RecursionError) as err:
        return [str(err)]
    if image.flags & WRONG_SIGNATURE:
        found = [e for e in found if e != 'wrong signature']
    return [e for e in found if not e.startswith('unknown flags')]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tool, top = sys.argv[1:]
    sys.setrecursionlimit(20000)
    good = wrong = 0
    names = sorted(os.listdir(top))
    for name in names:
        path = os.path.join(top, name)
        if fsck(tool, path).returncode:
            continue
        # The other reader knows one size of blocks.
        if json.loads(fsck(tool, path, '--list=json').stdout)['block_size'] not in (None, PAGE):
            continue
        good += 1
        with open(path, 'rb') as f:
            found = errors(f.read())
        if found:
            wrong += 1
            print('%s: fsck.cramfs says nothing, but: %s' % (path, '; '.join(found)))
    # So that nobody takes nothing for all.
    if not good:
        print('%s: none of %d images is good' % (top, len(names)))
    sys.exit(bool(wrong or not good))


if __name__ == '__main__':
    main()
