#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Host tests of mkcramfs and cramfs-map: run.py MKCRAMFS CRAMFS_MAP [PATTERN]

Runs every test (or those whose name contains PATTERN) and prints the results as TAP. Each test is
one behaviour. Images are read by cramfs_image.py, which shares no code with mkcramfs, and by
util-linux's fsck.cramfs. Nothing here needs root; as root, the tests that are about a lack of
rights give them up first. The tests themselves are in the test_*.py files beside this one. JOBS in
the environment is how many run at a time, as many as there are processors if it is not there.
"""

import concurrent.futures
import importlib
import multiprocessing
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

MODULES = ('test_tree', 'test_cli', 'test_archive', 'test_devtable', 'test_sort', 'test_format',
           'test_pipeline',
           'test_xip', 'test_nommu', 'test_rules', 'test_report', 'test_errors', 'test_map',
           'test_man', 'test_fsck')


def run(number, name, function):
    """One test in a fresh directory; returns whether it passed, and its lines of TAP."""
    box = harness.Box()
    began = time.monotonic()
    message = ''
    result = 'ok'
    try:
        function(box)
    except harness.Skip as why:
        name += ' # SKIP %s' % why
    except Exception:
        result = 'not ok'
        message = traceback.format_exc()
    finally:
        box.close()
    lines = ['%s %d - %s' % (result, number, name)]
    if os.environ.get('TIMES'):
        lines.append('# %.2f s' % (time.monotonic() - began))
    lines += ['# ' + line[:600] for line in message.splitlines()]
    return result == 'ok', lines


TESTS = []			# those that are run, for the processes that do it


def run_number(number):
    """The test of a number, in one of these processes."""
    return run(number, *TESTS[number - 1])


def run_all(jobs):
    """All tests, JOBS at a time; their results in order. How many failed."""
    failed = 0
    numbers = range(1, len(TESTS) + 1)
    context = multiprocessing.get_context('fork')
    with concurrent.futures.ProcessPoolExecutor(jobs, context) as pool:
        for passed, lines in pool.map(run_number, numbers) if jobs > 1 else map(run_number, numbers):
            print('\n'.join(lines), flush=True)
            failed += not passed
    return failed


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
        TESTS.extend((n, f) for n, f in harness.TESTS if pattern in n)
        print('TAP version 13')
        print('1..%d' % len(TESTS))
        failed = run_all(int(os.environ.get('JOBS', len(os.sched_getaffinity(0)))))
    finally:
        shutil.rmtree(harness.TOOLS)
    sys.exit(bool(failed))


if __name__ == '__main__':
    main()
