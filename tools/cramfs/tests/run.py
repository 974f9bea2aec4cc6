#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Host tests of mkcramfs and cramfs-map: run.py MKCRAMFS CRAMFS_MAP [PATTERN]

Runs every test (or those whose name contains PATTERN) and prints the results as TAP. Each test is
one behaviour. Images are read by cramfs_image.py, which shares no code with mkcramfs, and by
util-linux's fsck.cramfs. Nothing here needs root; as root, the tests that are about a lack of
rights give them up first. The tests themselves are in the test_*.py files beside this one.
"""

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import harness

MODULES = ('test_tree', 'test_format', 'test_xip', 'test_nommu', 'test_rules', 'test_devtable',
           'test_errors', 'test_map', 'test_man')


def run(number, name, function):
    """One test in a fresh directory; returns whether it passed."""
    box = harness.Box()
    began = time.monotonic()
    try:
        function(box)
        result = 'ok'
        message = ''
    except harness.Skip as why:
        result = 'ok'
        message = ''
        name += ' # SKIP %s' % why
    except Exception:
        result = 'not ok'
        message = traceback.format_exc()
    finally:
        box.close()
    print('%s %d - %s' % (result, number, name))
    if os.environ.get('TIMES'):
        print('# %.2f s' % (time.monotonic() - began))
    for line in message.splitlines():
        print('# ' + line[:600])
    sys.stdout.flush()
    return result == 'ok'


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    pattern = sys.argv[3] if len(sys.argv) == 4 else ''
    # mkcramfs rightly goes on ignoring what nohup or a job in the background made us ignore.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Others than us have to be able to run them, wherever the checkout is.
    harness.TOOLS = tempfile.mkdtemp(prefix='cramfs-tests.')
    os.chmod(harness.TOOLS, 0o755)
    try:
        harness.set_up(sys.argv[1], sys.argv[2])
        for module in MODULES:
            importlib.import_module(module)
        tests = [(n, f) for n, f in harness.TESTS if pattern in n]
        print('TAP version 13')
        print('1..%d' % len(tests))
        failed = sum(not run(i + 1, n, f) for i, (n, f) in enumerate(tests))
    finally:
        shutil.rmtree(harness.TOOLS)
    sys.exit(bool(failed))


if __name__ == '__main__':
    main()
