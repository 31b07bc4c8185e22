# SPDX-License-Identifier: GPL-2.0-or-later
"""The releases of QEMU that there is a series for."""

import os
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Dict, Iterable, Optional

import pytest

TOP = Path(__file__).resolve().parents[2]
REPO = Path(os.environ['RAS_CACHE']) / 'work' / 'repo.git'
BASES = sorted(folder.name for folder in (TOP / 'series').iterdir())
DEFAULT = '10.0'
CANNOT_BE_HAD = 3


def script(name: str, *args: object, base: str) -> str:
    """Output of a script for another base; skip if there is no such QEMU."""
    env = {**os.environ, 'BASE': base}
    if base != os.environ.get('BASE', DEFAULT):
        # That is a source of another release.
        env.pop('QEMU_SRC', None)
    done = subprocess.run([TOP / 'scripts' / name, *map(str, args)], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == CANNOT_BE_HAD:
        missing = re.search(r'skipped: (.*)', done.stderr)
        assert missing
        pytest.skip(missing[1])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('base', [base for base in BASES if base != DEFAULT])
def test_series_is_that_of_the_default(base: str) -> None:
    """It applies, and each patch is in the functions that it is for."""
    commit, version, _, start = script('compose', 'ras', base=base).split()
    assert version.startswith(base + '.')
    mine, _, _, my_start = script('compose', 'ras', base=DEFAULT).split()
    done = subprocess.run([TOP / 'scripts' / 'same-functions', REPO, my_start, mine,
                           start, commit, TOP / 'series' / base / 'moved'],
                          stdout=subprocess.PIPE, text=True)
    assert (done.stdout, done.returncode) == ('', 0)


@pytest.mark.parametrize('base', [base for base in BASES if base != DEFAULT])
def test_our_objects_compile(base: str) -> None:
    """Our files, and those that the series changes, without a warning."""
    script('compose', 'stock', base=base)
    script('qemu', 'werror-gcc', base=base)


def git(*command: object) -> str:
    """Output of git in the repository of the series."""
    return subprocess.run(['git', f'--git-dir={REPO}', *map(str, command)], check=True,
                          text=True, stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize('base', BASES)
def test_maintainers_knows_all_files(base: str) -> None:
    """Each file that the series adds is in the section of guest RAS."""
    commit, _, _, start = script('compose', 'ras', base=base).split()
    section = git('show', f'{commit}:MAINTAINERS') \
        .split('\nGuest RAS\n')[1].split('\n\n')[0]
    patterns = re.findall(r'^F: (.*)', section, re.M)
    added = git('diff-tree', '-r', '--name-only', '--diff-filter=A', start, commit)
    missing = [name for name in added.split()
               if not any(fnmatch(name, pattern + ('*' if pattern.endswith('/') else ''))
                          for pattern in patterns)]
    assert missing == []


@pytest.mark.parametrize('base', BASES)
def test_kvm_keeps_its_vms(base: str) -> None:
    """Of the targets, only x86 gets a new VM from KVM while QEMU runs.

    On another one, the capabilities that guest RAS has enabled for the VM would be
    lost: target/arm/ras-kvm.c would have to enable them again, in a notifier of
    kvm_vmfd_add_change_notifier().
    """
    commit = script('compose', 'stock', base=base).split()[0]
    found = subprocess.run(
        ['git', f'--git-dir={REPO}', 'grep', '-l', 'kvm_arch_supports_vmfd_change',
         commit, '--', 'target', 'stubs'], stdout=subprocess.PIPE, text=True).stdout
    assert {line.split(':')[1] for line in found.splitlines()} <= {
        'stubs/kvm.c', 'target/i386/kvm/kvm.c'}


def test_a_folder_holds_all_of_a_base() -> None:
    """No file outside of series/ has anything to do for one base only."""
    wrong = [f'{path}: {line}'
             for folder in ('accel', 'hw', 'include', 'migration', 'qapi', 'target')
             for path in (TOP / folder).rglob('*.[ch]')
             for line in path.read_text().splitlines()
             if re.match(r'\s*#\s*(el)?if.*QEMU_VERSION', line)]
    assert wrong == []


@pytest.mark.parametrize('what', ['compose', 'qemu', 'patches'])
def test_unknown_base_is_refused(what: str) -> None:
    done = subprocess.run([TOP / 'scripts' / what, 'stock'],
                          env={**os.environ, 'BASE': '9.9'}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert 'there is no series for QEMU 9.9, but for: ' + ' '.join(BASES) in done.stderr


class Repository:
    """A git repository with two bases, and a series of one commit on each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git('init', '-q')

    def git(self, *command: object) -> str:
        return subprocess.run(['git', '-C', str(self.path), '-c', 'user.name=a',
                               '-c', 'user.email=a@a', *map(str, command)],
                              check=True, stdout=subprocess.PIPE, text=True).stdout

    def commit(self, *files: Iterable[str], start: Optional[str] = None,
               **content: str) -> str:
        """A commit with files NAME.c."""
        if start:
            self.git('checkout', '-q', '--detach', start)
        for name, text in content.items():
            (self.path / f'{name}.c').write_text(text)
        self.git('add', '.')
        self.git('commit', '-q', '--allow-empty', '-m', 'x')
        return self.git('rev-parse', 'HEAD').strip()


FUNCTION = '''{kind} {name}(void *opaque)
{{
    Thing *t = opaque;

    t->done = true;
{more}    return 0;
}}
'''


def function(name: str, more: str = '', kind: str = 'static int') -> str:
    return FUNCTION.format(name=name, more=more and f'    {more};\n', kind=kind)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def compare(repository: Repository, commits: Dict[str, str], tmp_path: Path,
            moved: str = '') -> str:
    (tmp_path / 'moved').write_text(moved)
    done = subprocess.run([TOP / 'scripts' / 'same-functions', repository.path / '.git',
                           commits['old'], commits['old-series'], commits['new'],
                           commits['new-series'], tmp_path / 'moved'],
                          stdout=subprocess.PIPE, text=True)
    assert done.returncode == (done.stdout != '')
    return done.stdout


def two_series(repository: Repository, right: bool) -> Dict[str, str]:
    """The same line for post_load(), once put into pre_save() if not RIGHT."""
    save, load = function('pre_save'), function('post_load')
    commits = {'old': repository.commit(x=save + load)}
    commits['old-series'] = repository.commit(
        x=save + function('post_load', 'raise_line(t)'))
    more = function('more')
    commits['new'] = repository.commit(x=more + save + load)
    commits['new-series'] = repository.commit(
        x=more + (save + function('post_load', 'raise_line(t)') if right else
                  function('pre_save', 'raise_line(t)') + load))
    return commits


def test_wrong_function_is_noticed(repository: Repository, tmp_path: Path) -> None:
    commits = two_series(repository, right=False)
    assert compare(repository, commits, tmp_path) == \
        '0001 x: post_load became pre_save\n'


def test_right_function_is_fine(repository: Repository, tmp_path: Path) -> None:
    assert compare(repository, two_series(repository, right=True), tmp_path) == ''


def test_a_renamed_function_has_to_be_listed(repository: Repository,
                                             tmp_path: Path) -> None:
    commits = two_series(repository, right=False)
    assert compare(repository, commits, tmp_path,
                   '0001 post_load pre_save renamed\n') == ''
    right = two_series(repository, right=True)
    assert 'is no difference' in compare(repository, right, tmp_path,
                                         '0001 post_load pre_save renamed\n')


def test_a_patch_that_is_left_out_is_noticed(repository: Repository,
                                             tmp_path: Path) -> None:
    commits = two_series(repository, right=True)
    commits['new-series'] = commits['new']
    assert compare(repository, commits, tmp_path) == '1 patches here, 0 there\n'
