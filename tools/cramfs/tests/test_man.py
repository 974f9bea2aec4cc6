# SPDX-License-Identifier: GPL-2.0-only
"""The manual pages and the completion for bash: they know what the programs know."""

import os
import re
import shutil
import subprocess

from harness import HERE, Skip, contains, equal, prose, test, test_each

PAGES = ('mkcramfs.8', 'fsck.cramfs.8', 'cramfs-map.1')
OPTION = re.compile(r'(?<![\w-])(--?[A-Za-z][\w-]*)')


def beside(name):
    return os.path.join(HERE, '..', name)


def source(name):
    """A page as it would read without what troff makes of it."""
    with open(beside(name), encoding='utf-8') as f:
        text = f.read()
    text = re.sub(r'\\f[PRIB]', '', text).replace('\\-', '-').replace('\\&', '')
    return text.replace('\\(dq', '"').replace('\\(rs', '\\').replace('\\(aq', "'")


def section(name, title):
    """The lines of a section of a page."""
    parts = re.split(r'(?m)^\.SH "?([^"\n]*)"?\n', source(name))
    return dict(zip(parts[1::2], parts[2::2]))[title].splitlines()


def headings(lines):
    """The lines that begin an entry of a list."""
    return [line for before, line in zip(lines, lines[1:]) if before == '.TP']


def examples(name):
    """What a page shows as it is to be typed."""
    return [re.sub(r'(?m)^\.R?[BI]+ ', '', text)
            for text in re.findall(r'(?ms)^\.EX\n(.*?)^\.EE', source(name))]


def options_of_help(box, tool):
    """The options that --help lists, at the beginnings of lines."""
    lines = re.findall(r'(?m)^ +(-.*?)(?:  |$)', box.run('--help', tool=tool).out)
    return {option for line in lines for option in OPTION.findall(line)}


@test_each(*PAGES)
def man_page_has_no_warnings(box, name):
    if not shutil.which('man'):
        raise Skip('no man')
    env = dict(os.environ, MANWIDTH='80', LC_ALL='C.UTF-8', MANROFFSEQ='')
    res = subprocess.run(('man', '--warnings', '-l', beside(name)), env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    equal((res.returncode, res.stderr), (0, ''))
    equal(len(res.stdout) > 500, True, 'length')


@test
def man_page_describes_each_option_of_the_help(box):
    options = set(re.findall(r'(?m)^ (-\w)', box.run('-h', tool='cramfs-map').out))
    equal(options <= set(OPTION.findall(source('cramfs-map.1'))) and bool(options), True, options)


@test_each(('mkcramfs', 'mkcramfs.8'), ('fsck.cramfs', 'fsck.cramfs.8'))
def man_page_and_help_have_the_same_options(box, case):
    tool, name = case
    described = {option for line in headings(section(name, 'OPTIONS'))
                 for option in OPTION.findall(line.replace('" "', ' '))}
    equal(described, options_of_help(box, tool))


@test_each('mkcramfs.8', 'fsck.cramfs.8')
def man_page_speaks_of_no_long_option_that_there_is_not(box, name):
    tool = name[:-2]
    known = options_of_help(box, tool) | options_of_help(box, 'mkcramfs')
    for option in OPTION.findall(source(name)):
        # Letters are those of other programs, too.
        if option.startswith('--'):
            contains(known, option)


@test
def man_page_names_all_reasons_and_keys_of_the_report(box):
    box.file('a', prose(10))
    res = box.run('-q', '--report=json', box.tree, box.image_path)
    text = '\n'.join(section('mkcramfs.8', 'REPORTS'))
    for key in set(re.findall(r'"(\w+)":', res.out)):
        contains(text, key)
    with open(beside('summary.c')) as f:
        for key in re.findall(r'{ "(\w+)"', f.read()):
            contains(text, key)


def example(name, part):
    return next(text for text in examples(name) if part in text)


@test
def rules_of_the_man_page_work(box):
    for path in ('bin/busybox', 'lib/a/libx.so.1', 'opt/the app/bin/a', 'usr/share/fonts/f',
                 'usr/share/boot.mjpeg', 'usr/bin/setup'):
        box.file(path, prose(100 * 4096))
    rules = box.write('rules', example('mkcramfs.8', 'boot.mjpeg'))
    res = box.run('-q', '--xip-rules', rules, '--report', box.tree, box.image_path)
    equal(res.status, 0, res.err)
    # That there is no program is all that is wrong.
    equal([line for line in res.err.splitlines() if 'no program or library' not in line], [])
    contains(res.out, '  409600 ')


@test
def device_table_of_the_man_page_works(box):
    box.file('bin/busybox')
    table = example('mkcramfs.8', '/dev/mtdblock')
    image = box.make('-D ' + box.write('table', table))
    equal({entry.path for entry in image.walk()} >= {
        b'/dev/ttyS3', b'/dev/mtdblock7', b'/dev/stdin', b'/bin/busybox'}, True, table)


@test
def sort_file_of_the_man_page_works(box):
    for path in ('sbin/init', 'lib/ld-linux.so.3', 'etc/a file', 'usr/share/x/y'):
        box.file(path, prose(5000, len(path)))
    image = box.make('--sort ' + box.write('sort', example('mkcramfs.8', '/sbin/init')))
    order = sorted((entry for entry in image.walk() if entry.has_data), key=lambda e: e.offset)
    equal([entry.path for entry in order], [b'/sbin/init', b'/etc/a file', b'/lib/ld-linux.so.3',
                                            b'/usr/share/x/y'])


@test
def commands_of_the_man_page_are_accepted(box):
    """Each of them, with files of these names."""
    box.file('bin/a', prose(5000))
    os.rename(box.tree, box.path('rootfs'))
    box.write('table', example('mkcramfs.8', '/dev/mtdblock').replace('/bin/busybox', '/bin/a'))
    box.write('rules', '/bin/a all\n')
    commands = re.findall(r'\$ "? *(mkcramfs .*?)"?\n', '\n'.join(examples('mkcramfs.8')))
    equal(len(commands) >= 5, True, commands)
    for command in commands:
        command = command.split('|')[0].rstrip(' "')
        res = box.run(*command.split()[1:], cwd=box.dir)
        equal((res.status, res.err), (0, ''), command)


def complete(box, *words):
    """What bash offers for the last of these words."""
    if not shutil.which('bash'):
        raise Skip('no bash')
    script = '''. "$0"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        function=$(complete -p "$1"); function=${function#*-F }
        ${function%% *}
        printf '%s\\n' "${COMPREPLY[@]}"'''
    res = subprocess.run(('bash', '--norc', '-c', script, beside('completion/mkcramfs')) + words,
                         cwd=box.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    equal(res.stderr, '', words)
    return set(res.stdout.split('\n')) - {''}


@test_each('mkcramfs', 'mkfs.cramfs', 'fsck.cramfs', 'cramfsck')
def completion_offers_the_options_of_the_help(box, tool):
    known = options_of_help(box, tool)
    equal({word for word in complete(box, tool, '--') if word.startswith('--')},
          {word for word in known if word.startswith('--')})
    equal({word for word in complete(box, tool, '-')}, set(), 'of a lone dash')
    for word in known:
        contains(complete(box, tool, word), word)


@test_each((('mkcramfs', '--byte-order', 'b'), {'big'}),
           (('mkcramfs', '--report', '=', ''), {'text', 'json'}),
           (('mkcramfs', '--report', '=', 'j'), {'json'}),
           (('mkcramfs', '--report=j'), {'json'}), (('mkfs.cramfs', '--xip', '=', 'm'), {'mmu'}),
           (('mkcramfs', '--compat', ''), {'util-linux'}), (('mkcramfs', '-l', '9'), {'9'}),
           (('mkfs.cramfs', '-l', 'd'), {'dir'}),
           (('mkcramfs', '--report', ''), {'a file', 'dir', 'tree'}),
           (('mkcramfs', '--xip-rules', 'a'), {'a file'}), (('mkcramfs', '-D', 'a'), {'a file'}),
           (('mkcramfs', '--sort', '=', 'a'), {'a file'}),
           (('mkcramfs', '-q', 'd'), {'dir'}), (('mkcramfs', '--uid', ''), set()),
           (('mkcramfs', '--re'), {'--report'}),
           (('fsck.cramfs', '--extract', '=', ''), {'dir', 'tree'}),
           (('cramfsck', '-x', 'd'), {'dir'}), (('fsck.cramfs', '--list', '=', ''), {'json'}),
           (('fsck.cramfs', 'a'), {'a file'}), (('fsck.cramfs', '--cat', ''), set()))
def completion_offers_values(box, case):
    words, want = case
    os.mkdir(box.path('dir'))
    box.write('a file', '')
    equal(complete(box, *words), want)
