# SPDX-License-Identifier: GPL-2.0-only
"""cramfs-map, as far as a machine without flash can tell: memory stands in for it."""

import os
import re

from harness import Skip, contains, equal, test, test_each

LINE = re.compile(r'[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] [0-9a-f]+ flash=(\d+) +ram=(\d+) +'
                  r'absent=(\d+) +(\S.*)')
SUMMARY = re.compile(r'(\d+) cramfs-map: text pages in flash (\d+), in RAM (\d+)')
EVERYWHERE, NOWHERE = '0-ffffffffffffff', 'ffffffffff000-fffffffffffff'


def run_map(box, *args):
    res = box.run(*args, tool='cramfs-map')
    if 'does not show physical addresses' in res.err:
        raise Skip('physical addresses are hidden from this user')
    return res


@test
def map_needs_the_right_to_see_addresses(box):
    res = box.run('-r', EVERYWHERE, 'self', tool='cramfs-map', nobody=True)
    equal((res.status, res.out), (1, ''))
    contains(res.err, 'does not show physical addresses')


@test_each((EVERYWHERE, 1), (NOWHERE, 2), ('0-1', 2), ('0-1,' + EVERYWHERE, 1))
def map_counts_pages_by_range(box, case):
    where, group = case
    res = run_map(box, '-r', where, 'self')
    equal((res.status, res.err), (0, ''))
    *lines, last = res.out.splitlines()
    parsed = [LINE.fullmatch(line) for line in lines]
    equal(all(parsed), True, res.out)
    equal(any(m[4].endswith('/cramfs-map') for m in parsed), True, res.out)
    equal(sum(int(m[3 - group]) for m in parsed), 0, 'pages in the other place')
    equal(sum(int(m[group]) for m in parsed) > 10, True, res.out)
    text = sum(int(m[group]) for line, m in zip(lines, parsed) if ' r-xp ' in line)
    equal(int(SUMMARY.fullmatch(last)[group + 1]), text, 'text pages')


@test
def map_counts_every_page_of_a_mapping(box):
    res = run_map(box, '-r', EVERYWHERE, 'self')
    for line in res.out.splitlines()[:-1]:
        start, end = (int(x, 16) for x in line.split()[0].split('-'))
        equal(sum(int(n) for n in LINE.fullmatch(line).groups()[:3]) * os.sysconf('SC_PAGESIZE'),
              end - start, line)


@test
def map_prints_the_summary_only_with_q(box):
    res = run_map(box, '-q', '-r', EVERYWHERE, 'self')
    equal(bool(SUMMARY.fullmatch(res.out.strip())), True, res.out)


@test
def map_prints_runs_with_v_that_add_up(box):
    res = run_map(box, '-v', '-r', NOWHERE, 'self')
    pages = want = 0
    for line in res.out.splitlines()[:-1]:
        if line.startswith('    '):
            pages += int(line.split()[1])
        else:
            want += sum(int(n) for n in LINE.fullmatch(line).groups()[:3])
    equal(pages, want, res.out)


@test_each('', '1', '1-', '1-x', '2-1', '1-2,', '1-2;3-4', 'x-y')
def map_refuses_a_bad_range(box, text):
    res = box.run('-r', text, 'self', tool='cramfs-map')
    equal((res.status, res.out), (1, ''))
    contains(res.err, 'not a range of addresses')


@test_each('0x1', 'init', '', '-1')
def map_refuses_what_is_no_process(box, pid):
    res = box.run('-r', EVERYWHERE, '--', pid, tool='cramfs-map')
    equal((res.status, res.out), (1, ''))
    contains(res.err, 'not a process ID')


@test
def map_fails_for_a_process_that_is_not_there_but_shows_the_others(box):
    res = run_map(box, '-q', '-r', EVERYWHERE, '4194999', 'self')
    equal(res.status, 1)
    contains(res.err, '4194999: cannot read its mappings')
    contains(res.out, 'text pages in flash')


@test
def map_without_a_process_is_a_usage_error(box):
    res = box.run(tool='cramfs-map')
    equal((res.status, res.out), (1, ''))
    contains(res.err, 'usage: cramfs-map')
