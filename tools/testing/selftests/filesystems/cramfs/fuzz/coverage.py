#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Say what was executed of the driver in all guests together, and what was not.

usage: coverage.py NOTES COUNTS..., with NOTES the directory of the kernel's build that has the .gcno
files, and COUNTS directories that guests have written .gcda files to.
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def read_counts(notes, counts):
    """What gcov says of one guest."""
    with tempfile.TemporaryDirectory() as scratch:
        for path in pathlib.Path(counts).rglob('*.gcda'):
            note = os.path.join(notes, path.stem + '.gcno')
            if not os.path.exists(note):
                sys.exit('coverage.py: %s: missing, for %s' % (note, path))
            shutil.copy(path, scratch)
            shutil.copy(note, scratch)
            done = subprocess.run(['gcov', '--json-format', '--stdout', path.name],
                                  cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  check=True)
            # Of another build, for instance, which it does not fail for.
            if done.stderr:
                sys.exit('coverage.py: %s: %s' % (path, done.stderr.decode(errors='replace')))
            yield from json.loads(done.stdout)['files']


def main():
    """Command line."""
    if len(sys.argv) < 3:
        sys.exit(__doc__.split('\n\n')[1])
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    functions = collections.defaultdict(lambda: collections.defaultdict(int))
    for counts in sys.argv[2:]:
        for file in read_counts(sys.argv[1], counts):
            name = file['file']
            if '/fs/cramfs/' not in '/' + name:
                continue
            name = name[name.rindex('fs/cramfs/'):]
            for line in file['lines']:
                lines[name][line['line_number']] += line['count']
            for function in file['functions']:
                functions[name][function['name']] += function['execution_count']
    if not lines:
        sys.exit('coverage.py: there are no counts')
    sums = [0, 0]
    for name in sorted(lines):
        ran = sum(1 for count in lines[name].values() if count)
        sums[0] += ran
        sums[1] += len(lines[name])
        print('%-32s %4d of %4d lines %5.1f %%' % (name, ran, len(lines[name]),
                                                  100 * ran / len(lines[name])))
    print('%-32s %4d of %4d lines %5.1f %%' % ('all', *sums, 100 * sums[0] / sums[1]))
    for name in sorted(lines):
        never = [function for function, count in sorted(functions[name].items()) if not count]
        missed = [line for line, count in sorted(lines[name].items()) if not count]
        if never:
            print('%s: never called: %s' % (name, ' '.join(never)))
        if missed:
            print('%s: lines not reached: %s' % (name, ' '.join(str(line) for line in missed)))


if __name__ == '__main__':
    main()
