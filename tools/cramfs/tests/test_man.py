# SPDX-License-Identifier: GPL-2.0-only
"""The manual pages."""

import os
import re
import shutil
import subprocess

from harness import HERE, Skip, equal, test, test_each

PAGES = ('mkcramfs.8', 'fsck.cramfs.8', 'cramfs-map.1')


def page(name):
    return os.path.join(HERE, '..', name)


@test_each(*PAGES)
def man_page_has_no_warnings(box, name):
    if not shutil.which('man'):
        raise Skip('no man')
    env = dict(os.environ, MANWIDTH='80', LC_ALL='C.UTF-8', MANROFFSEQ='')
    res = subprocess.run(('man', '--warnings', '-l', page(name)), env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    equal((res.returncode, res.stderr), (0, ''))
    equal(len(res.stdout) > 500, True, 'length')


@test_each(('mkcramfs', 'mkcramfs.8'), ('fsck.cramfs', 'fsck.cramfs.8'),
           ('cramfs-map', 'cramfs-map.1'))
def man_page_describes_each_option_of_the_help(box, case):
    tool, name = case
    with open(page(name)) as f:
        text = f.read()
    options = set(re.findall(r'(?m)(?:^ +|, )(--?[a-zA-Z][\w-]*)', box.run('-h', tool=tool).out))
    described = set(re.findall(r'--?[a-zA-Z][\w-]*', text.replace('\\-', '-')))
    equal((len(options) > 2, options - described), (True, set()))
