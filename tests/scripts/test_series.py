# SPDX-License-Identifier: GPL-2.0-or-later
"""What "make patches" exports."""

import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ['RAS_CACHE'])
REPO = CACHE / 'work' / 'repo.git'
SERIES = TOP / 'series' / os.environ.get('BASE', '10.0')
# What is named after guest RAS: functions, types, macros, and the words.
OF_GUEST_RAS = re.compile(r'\bras_|_ras_|_ras\b|\bRas[A-Z]|\bRAS\b|\bRAS_|_RAS_|_RAS\b')


def run(*command: object, **options: object) -> str:
    """Output of a command that must succeed."""
    return subprocess.run(list(map(str, command)), check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          **options).stdout


def manifest() -> list[tuple[str, list[str]]]:
    """Each patch with the files that come with it."""
    lines = [line.split() for line in (SERIES / 'series').read_text().splitlines()
             if line.strip() and not line.startswith('#')]
    return [(name, files) for name, *files in lines]


def ours() -> list[str]:
    """The files that the series adds to QEMU."""
    commit, _, _, base = run(TOP / 'scripts' / 'compose', 'ras').split()
    return run('git', f'--git-dir={REPO}', 'diff-tree', '-r', '--name-only',
               '--diff-filter=A', base, commit).split()


def test_fixes_come_first_and_stand_alone() -> None:
    """A fix has no file, no header and no identifier of guest RAS in it."""
    series = manifest()
    first = next(i for i, (_, files) in enumerate(series) if files)
    assert first > 20
    added = ours()
    # But not those that only give a header of the base a newer name.
    headers = [name for name in added if name.endswith('.h') and
               (not (SERIES / 'files' / name).exists() or 'ras' in Path(name).name)]
    wrong = []
    for name, _ in series[:first]:
        text = (SERIES / name).read_text()
        changed = '\n'.join(line for line in text.splitlines()
                            if line[:1] in ('+', '-'))
        wrong += [f'{name}: {match[0]}' for match in OF_GUEST_RAS.finditer(changed)]
        wrong += [f'{name}: {header}' for header in headers
                  if f'/{Path(header).name}"' in changed
                  or f'"{Path(header).name}"' in changed]
        wrong += [f'{name}: {path}' for path in added if f' b/{path}\n' in text]
    assert wrong == []


def test_what_is_replaced_is_deleted() -> None:
    """No code of QEMU is switched off by what guest RAS defines."""
    wrong = [f'{name}: {line}' for name, _ in manifest()
             for line in (SERIES / name).read_text().splitlines()
             if re.match(r'\+#\s*if(ndef|.*!defined).*(_H\b|\bRAS)', line)]
    assert wrong == []


def test_porting_lists_the_patches() -> None:
    """docs/porting.rst has the number and the subject of each, in order."""
    commit, _, _, base = run(TOP / 'scripts' / 'compose', 'ras').split()
    subjects = run('git', f'--git-dir={REPO}', 'log', '--reverse', '--format=%s',
                   f'{base}..{commit}').splitlines()
    text = (TOP / 'docs' / 'porting.rst').read_text()
    rows = re.findall(r'^   \* - (\d{4})\n     - (.*)$', text, re.M)
    want = [(f'{i:04}', subject) for i, subject in enumerate(subjects, 1)]
    if SERIES.name == '10.0':
        assert rows == want
    else:
        # What is another patch there is said as "0002 is "subject"".
        words = ' '.join(text.split())
        assert [row for row in want if row not in rows and
                f'{row[0]} is "{row[1]}"' not in words] == []
        assert len(rows) == len(want)


def test_make_check_builds_both_ends() -> None:
    """What "make check" builds are the first and the last step of the series."""
    commit, _, tree, base = run(TOP / 'scripts' / 'compose', 'ras').split()
    stock, _, stock_tree, _ = run(TOP / 'scripts' / 'compose', 'stock').split()
    assert (stock, stock_tree) == (base, run(
        'git', f'--git-dir={REPO}', 'rev-parse', f'{base}^{{tree}}').strip())
    assert tree == run('git', f'--git-dir={REPO}', 'rev-parse',
                       f'{commit}^{{tree}}').strip()
    assert int(run('git', f'--git-dir={REPO}', 'rev-list', '--count',
                   f'{base}..{commit}')) == len(manifest())


def test_git_am_makes_the_tree_that_is_built(tmp_path: Path) -> None:
    """Each patch applies to the untouched base; nothing is left out."""
    commit, _, tree, base = run(TOP / 'scripts' / 'compose', 'ras').split()
    run(TOP / 'scripts' / 'patches', tmp_path / 'patches')
    patches = sorted((tmp_path / 'patches').glob('*.patch'))
    assert len(patches) == int(run('git', f'--git-dir={REPO}', 'rev-list',
                                   '--count', f'{base}..{commit}'))
    # Each patch is named after its subject.
    assert [path.name for path in patches] == [name for name, _ in manifest()]

    clone = tmp_path / 'qemu'
    git = ('git', '-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@a',
           '-c', 'gc.auto=0')
    run('git', 'clone', '-q', '--shared', '--no-checkout', REPO, clone)
    run(*git, 'checkout', '-q', '--detach', base)
    run(*git, 'am', '-q', *patches)
    assert run(*git, 'rev-parse', 'HEAD^{tree}').strip() == tree
