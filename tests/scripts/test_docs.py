# SPDX-License-Identifier: GPL-2.0-or-later
"""What README and manual name is there: files, targets, variables, options,
tests, links, and messages."""

import itertools
import re
from pathlib import Path
from typing import Iterator, List, Tuple

TOP = Path(__file__).resolve().parents[2]
PAGES = [TOP / 'README.md', *sorted((TOP / 'docs').glob('**/*.rst'))]
# Files of QEMU that the manual names.
QEMU = ('scripts/analyze-migration.py', 'scripts/ghes_inject.py',
        'hw/acpi/ghes.h')
FOLDERS = [path.name for path in TOP.iterdir()
           if path.is_dir() and path.name not in ('.git', 'build')]


def read(*patterns: str) -> str:
    """All files of the repository that are named like this."""
    files = sorted({file for pattern in patterns for file in TOP.glob(pattern)
                    if file.is_file()
                    and file.relative_to(TOP).parts[0] != 'build'})
    assert files
    return '\n'.join(file.read_text(encoding='utf-8', errors='replace')
                     for file in files)


def text_of(page: Path) -> str:
    """A page, with lines that go on put together."""
    return page.read_text(encoding='utf-8').replace('\\\n', ' ')


def names(page: Path) -> Iterator[str]:
    """What a page says in the way of code, on one line each."""
    mark = '`' if page.suffix == '.md' else '``'
    for found in re.findall(rf'{mark}([^`]+){mark}', text_of(page)):
        yield re.sub(r'\s+', ' ', found)


def in_pages(pattern: str) -> List[Tuple[str, str]]:
    """What @pattern finds, with the page in which it is."""
    return [(page.name, found) for page in PAGES
            for found in sorted(set(re.findall(pattern, text_of(page))))]


def report(wrong: List[Tuple[str, str]], what: str) -> None:
    """Fail if there is anything in @wrong."""
    assert not wrong, f'{what}: ' + '; '.join(
        f'{page}: {name}' for page, name in wrong)


def expanded(name: str) -> List[str]:
    """ras.[ch] and {a,b} are several names."""
    parts = [re.split('[,]', part[1:-1]) if part[0] == '{' else
             list(part[1:-1]) if part[0] == '[' else [part]
             for part in re.findall(r'\{[^}]+\}|\[[^]]+\]|[^[{]+', name)]
    return [''.join(words) for words in itertools.product(*parts)]


def exists(name: str) -> bool:
    """Is there such a file here, or one that the series brings?"""
    if name.split('/')[0] == 'build' or '...' in name:
        return True
    series = read('series/*/*.patch')
    return any(TOP.glob(name)) or f' b/{name}\n' in series or name in QEMU


def test_files() -> None:
    """Paths in the repository."""
    wrong = []
    for page in PAGES:
        for name in names(page):
            path = name.split(' ')[0]
            if path.split('/')[0] not in FOLDERS or '/' not in path \
                    or not re.fullmatch(r'[\w./{},*@\[\]-]+', path):
                continue
            wrong += [(page.name, one) for one in expanded(path.rstrip('/'))
                      if not exists(one)]
    report(wrong, 'no such file')


def test_links() -> None:
    """Of README, to files."""
    found = re.findall(r'\]\(([^)#:]+)\)', text_of(PAGES[0]))
    report([('README.md', name) for name in found
            if not (TOP / name).exists()], 'no such file')


def test_pages() -> None:
    """Of the manual, to each other; all are in a table of contents."""
    docs = TOP / 'docs'
    wrong = []
    for page in PAGES[1:]:
        for name in re.findall(r':doc:`(?:[^`<]*<)?([^`>]+)>?`',
                               text_of(page)):
            folder = docs if name.startswith('/') else page.parent
            if not (folder / f'{name.lstrip("/")}.rst').exists():
                wrong.append((page.name, name))
    listed = [f'{name}.rst' for name in re.findall(
        r'(?m)^   ([a-z/-]+)$', text_of(docs / 'index.rst'))]
    pages = [str(page.relative_to(docs)) for page in PAGES[1:]]
    wrong += [('index.rst', name) for name in
              set(listed) ^ set(pages) - {'index.rst'}]
    report(wrong, 'no such page, or not listed')


def test_targets() -> None:
    """make TARGET, and each of them has a row in usage.rst."""
    known = set(re.findall(r'^([a-z-]+):', read('Makefile'), re.M))
    # In literal blocks and in names; elsewhere it may be English.
    found = in_pages(r'(?m)^ +(?:\$ |sudo |[A-Z_]+=\S+ )*make ([a-z-]+)') + \
        in_pages(r'`make ([a-z-]+)')
    report([(page, name) for page, name in found if name not in known],
           'no such target')
    listed = text_of(TOP / 'docs' / 'usage.rst')
    rows = re.findall(r'(?m)^``make ([a-z-]+)``  ', listed)
    report([('usage.rst', name) for name in sorted(known)
            if rows.count(name) != 1], 'not in one row')


def test_variables() -> None:
    """RAS_..., QEMU_SRC and the like."""
    source = read('Makefile', 'scripts/*', 'tests/**/*.py', 'tests/**/*.[ch]',
                  'tools/**/*', 'include/**/*.h', 'hw/**/*.h')
    report([(page, name) for page, name in
            in_pages(r'\b(RAS(?:CTL)?_[A-Z0-9_]+|QEMU_SRC|DESTDIR)\b')
            if name.rstrip('_') not in source and name != 'RAS_ERROR'],
           'no such variable')


def test_script_options() -> None:
    """scripts/NAME --option"""
    wrong = []
    for page in PAGES:
        for name, words in re.findall(r'\bscripts/([a-z-]+)((?: [^`\n]*)?)',
                                      text_of(page)):
            script = TOP / 'scripts' / name
            if not script.exists():
                continue        # see test_files
            source = script.read_text(encoding='utf-8') + \
                (read('tests/functional/demo.py') if name == 'demo' else '')
            wrong += [(page.name, f'scripts/{name} {option}')
                      for option in re.findall(r' (--[a-z-]+)', words)
                      if option not in source]
    report(wrong, 'no such option')


def test_rasctl_options() -> None:
    """rasctl COMMAND --option"""
    source = read('tools/rasctl/*.c')
    known = set(re.findall(r'\{ ?"([a-z-]+)"', source)) | {'help'}
    wrong = []
    for page in PAGES:
        for line in re.findall(r'\brasctl (.*?)(?:``|\n|$)', text_of(page)):
            line = line.split(' -- ')[0]
            wrong += [(page.name, f'rasctl {line}')
                      for option in re.findall(r' --([a-z-]+)', f' {line}')
                      if option not in known]
    report(wrong, 'no such option')


def test_tests() -> None:
    """Tests by name."""
    python = read('tests/**/*.py')
    qtests = read('tests/qtest/*.c')
    wrong = []
    for page in PAGES:
        for name in names(page):
            if re.fullmatch(r'test_\w+\.py', name):
                good = any(TOP.glob(f'tests/**/{name}'))
            elif re.fullmatch(r'test_\w+', name):
                good = f'def {name}(' in python
            elif re.fullmatch(r'ras-[a-z0-9-]+-test', name):
                good = any(TOP.glob(f'tests/qtest/{name}.c'))
            elif page.name in ('testing.rst', 'security.rst',
                               'comparison.rst') and \
                    re.fullmatch(r'[a-z0-9-]+(/[a-z0-9-]+)+', name) and \
                    name.split('/')[0] not in [*FOLDERS, 'build']:
                good = re.search(rf'[/"]{name}"', qtests)
            else:
                continue
            if not good:
                wrong.append((page.name, name))
    report(wrong, 'no such test')


def plain(text: str) -> str:
    """Source, with strings put together and without what varies."""
    # Lines that a patch adds.
    text = re.sub(r'^\+', '', text, flags=re.M)
    text = re.sub(r'\\"', '"', text)
    text = re.sub(r'"\s*(?:PRI[a-zA-Z0-9]+|HWADDR_PRIx|RAM_ADDR_FMT|'
                  r'VADDR_PRIx)\s*"', '', text)
    text = re.sub(r'"\s*"|\'\s*\'|\\n', '', text)
    return re.sub(r'\s+', ' ', text)


SOURCES = ('hw/**/*.[ch]', 'target/**/*.c', 'accel/**/*.c',
           'migration/**/*.c')

# What stands for something that varies.
VARIES = re.compile(
    r"\.\.\.|'?0x[0-9a-f]+'?|\b(?:N|M|DIR|FILE|NAME|THING|URI|PACKAGE|VERSION"
    r"|RELEASE|READ)\b|\d+(?:\.\w+)*|'[\w-]+'|\bPOWER\d+\b|[()\"`]")


# Messages of others: of libvirt, of QEMU itself; and no messages at all.
OTHERS = ('-no-acpi:', '-sandbox', 'Ctrl-a', 'Unknown savevm',
          'unexpected feature', 'vhost vring error')


def said(part: str, source: str) -> bool:
    """Is it in the source, with two words at most that are put in there?"""
    words = part.split(' ')
    return any(' '.join(words[:i]) in source and
               ' '.join(words[i + gap:]) in source
               for gap in range(3) for i in range(len(words) - gap + 1)
               if gap < len(words))


def test_messages() -> None:
    """Texts in front of an explanation are in the source."""
    source = plain(read(*SOURCES, 'tools/rasctl/*.c', 'scripts/*',
                        'include/**/*.h', 'series/*/*.patch'))
    wrong = []
    page = TOP / 'docs' / 'messages.rst'
    for line in page.read_text(encoding='utf-8').split('\n'):
        if not line.startswith('``'):
            continue
        for message in re.findall(r'``(.+?)``', line):
            if message.startswith(OTHERS):
                continue
            parts = VARIES.split(re.sub('^(qemu-)?ras: ', '', message))
            wrong += [(page.name, f'{message} ({part!r})')
                      for part in map(str.strip, parts)
                      if len(part) > 12 and not said(part, source)]
    report(wrong, 'no such message')


def test_messages_are_explained() -> None:
    """What QEMU says by itself is in the manual: how it begins."""
    manual = re.sub(r'\s+', ' ', read('docs/**/*.rst'))
    # Reports, and errors that users of "migrate" see.
    calls = re.findall(r'\b(?:error|warn|info)_report\w*\(([^;]+;)',
                       read(*SOURCES)) + \
        re.findall(r'\berror_setg\(([^;]+;)', read('hw/ras/host-memory.c'))
    wrong = []
    for call in calls:
        text = re.match(r'[^"]*"([^"]+)', plain(call))
        parts = re.split(r'%[a-z]?|[:;(]|0x', text[1]) if text else []
        begin = next((part.strip() for part in parts if len(part) > 14), '')
        if begin not in manual:
            wrong.append(('the manual', begin))
    assert len(calls) > 15
    report(wrong, 'lacks the message')


def test_info_ras() -> None:
    """What the monitor prints, where it is shown."""
    wrong = []
    for page in PAGES:
        for shown in re.findall(r'(?m)^ +source: (?:.*\n)+? +refused .*\n',
                                page.read_text(encoding='utf-8')):
            bad = re.search(r' (poisoned|failed on the host): ', shown)
            if bool(bad) != (' bad pages of ' in shown):
                wrong.append((page.name, 'the number of bad pages'))
    report(wrong, 'not as in hw/ras/hmp-cmds.c')
