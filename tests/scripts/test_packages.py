# SPDX-License-Identifier: GPL-2.0-or-later
"""debian/ and the scripts say the same."""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
# Every builder has these.
ESSENTIAL = {'build-essential', 'dpkg-dev'}
# What only the package needs, and what users have got the checkout with.
MORE = {'debhelper-compat', 'git', 'python3-sphinx'}


def test_build_depends(tmp_path: Path) -> None:
    """The source package needs what "make install" asks for."""
    # A machine without any package, and a user who is not root.
    for name, text in (('dpkg-query', 'exit 1'), ('apt-get', 'exit 1'),
                       ('id', 'echo 1000')):
        (tmp_path / name).write_text(f'#!/bin/sh\n{text}\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [TOP / 'scripts/setup', 'install'], check=False,
        env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}'},
        stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    asked = re.search(r'--no-install-recommends (.*)', done.stderr)
    assert asked
    control = (TOP / 'debian/control').read_text(encoding='utf-8')
    named = re.search(r'^Build-Depends:\n((?: .*\n)+)', control, re.M)
    assert named
    depends = set(re.findall(r'^ ([^ ,]+)', named[1], re.M))
    assert depends - MORE == set(asked[1].split()) - ESSENTIAL
    assert MORE <= depends


def test_changelog() -> None:
    """The first line of the changelog has a version."""
    changelog = TOP / 'debian/changelog'
    version = subprocess.run(
        ['bash', '-c', '. scripts/lib.sh; project_version'], check=True,
        cwd=TOP, stdout=subprocess.PIPE, text=True).stdout
    assert version == subprocess.run(
        ['dpkg-parsechangelog', '-l', changelog, '-S', 'Version'], check=True,
        stdout=subprocess.PIPE, text=True).stdout
    assert re.fullmatch(r'\d+\.\d+(\.\d+)?\n', version)


def test_version_of_a_commit(tmp_path: Path) -> None:
    """A later state has a later version; the release has its own, and that for
    a later Debian replaces that for the one before."""
    for file in (*TOP.glob('scripts/*'), *TOP.glob('series/*/series'),
                 TOP / 'debian/changelog'):
        if file.is_file():
            copy = tmp_path / file.relative_to(TOP)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)

    def version(suite: str = 'sid') -> str:
        return subprocess.run(
            ['scripts/deb', '--version', suite], check=True, cwd=tmp_path,
            stdout=subprocess.PIPE, text=True).stdout.strip()

    changelog = tmp_path / 'debian/changelog'

    def write_changelog(state: str) -> None:
        changelog.write_text(re.sub(
            r'(?<=\) )[^;]+', state, changelog.read_text(encoding='utf-8'),
            count=1), encoding='utf-8')

    def git(*arguments: str, **more: str) -> None:
        subprocess.run(
            ['git', '-c', 'user.name=n', '-c', 'user.email=e', *arguments],
            check=True, cwd=tmp_path, stdout=subprocess.DEVNULL,
            env={**os.environ, **more})

    def commit(second: int) -> None:
        git('commit', '-q', '--allow-empty', '-m', 'message',
            GIT_COMMITTER_DATE=f'2020-11-30T10:00:0{second}+0100')

    release = version()
    assert re.fullmatch(r'[\d.]+', release)
    write_changelog('UNRELEASED')
    git('init', '-q')
    git('add', '.')
    commit(1)
    order = [version()]
    assert order[0].startswith(f'{release}~~git20201130.090001.')
    commit(2)
    order.append(version())
    write_changelog('unstable')
    git('add', '.')
    commit(3)
    assert version() == release
    order += [version('bookworm'), version('trixie'), release]
    changelog.write_text(changelog.read_text(encoding='utf-8') + '\n',
                         encoding='utf-8')
    git('add', '.')
    commit(4)
    order.append(version())
    assert order[-1].startswith(f'{release}+git20201130.090004.')
    (tmp_path / 'more').touch()
    order.append(version())
    assert order[-1].endswith('.dirty')
    for before, after in zip(order, order[1:]):
        subprocess.run(['dpkg', '--compare-versions', before, 'lt', after],
                       check=True)


@pytest.mark.parametrize('name', ['QEMU_SRC', 'RAS_CONFIGURE'])
def test_other_source(name: str) -> None:
    """A package is not built of what it does not name."""
    done = subprocess.run(
        [TOP / 'scripts/deb'], check=False, env={**os.environ, name: '/x'},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1
    assert 'unset QEMU_SRC and RAS_CONFIGURE' in done.stdout


def test_maintainers() -> None:
    """Each file of the repository belongs to somebody, in one section."""
    text = (TOP / 'MAINTAINERS').read_text(encoding='utf-8')
    patterns = re.findall(r'^F: (.*)', text, re.M)
    # A source package has no list of its files.
    listed = subprocess.run(
        ['git', '-c', f'safe.directory={TOP}', 'ls-files', '-co',
         '--exclude-standard'], check=False, cwd=TOP, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True).stdout.split('\n')
    files = [name for name in listed if os.path.lexists(TOP / name) and name]
    assert len(files) > 400
    found = {name: [pattern for pattern in patterns if fnmatch(
        name, pattern + ('*' if pattern.endswith('/') else ''))]
        for name in files}
    assert [name for name in files if len(found[name]) != 1] == []
    used = {pattern for matching in found.values() for pattern in matching}
    assert set(patterns) - used == set()
