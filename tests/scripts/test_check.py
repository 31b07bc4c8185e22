# SPDX-License-Identifier: GPL-2.0-or-later
"""What the levels of the tests need."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def test_tools_need_no_archive(tmp_path: Path) -> None:
    """Tests of rasctl run where nothing of QEMU can be fetched."""
    copy = tmp_path / 'copy'
    shutil.copytree(TOP, copy, symlinks=True,
                    ignore=shutil.ignore_patterns('build', '.git'))
    done = subprocess.run(
        [copy / 'scripts/check', 'tools'], check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
        env={**os.environ, 'RAS_CACHE': str(tmp_path / 'cache'),
             'RAS_ARCHIVE': f'file:{tmp_path}/nothing',
             'PYTEST_ADDOPTS': '-k test_names'})
    assert done.returncode == 0, done.stdout
    assert ' passed, 0 failed' in done.stdout


class Checkout:
    """scripts/check with all that it calls made up."""

    STUBS = {
        'setup': '',
        'archive': '[ "$*" != base ] || echo /nowhere',
        'compose': 'case " $ABSENT " in *" ${BASE:-10.0} "*)\n'
                   '    echo "skipped: no QEMU $BASE" >&2; exit 3\nesac',
        'env': 'echo "$BASE: $*" >>"$LOG"; echo "export RAS_BASE=$BASE"',
        'sum-results': 'shift; echo "levels: $*"',
    }

    def __init__(self, top: Path) -> None:
        self.top = top
        (top / 'scripts').mkdir()
        for name in ('check', 'lib.sh'):
            shutil.copy(TOP / 'scripts' / name, top / 'scripts')
        for name, content in self.STUBS.items():
            stub = top / 'scripts' / name
            stub.write_text(f'#!/bin/bash\n{content}\n')
            stub.chmod(0o755)
        for base in ('10.0', '10.2', '11.1'):
            (top / 'series' / base).mkdir(parents=True)
            (top / 'series' / base / 'series').touch()

    def check(self, *levels: str, base: str = '10.0', absent: str = ''
              ) -> 'subprocess.CompletedProcess[str]':
        """Run it; what the environment was made for is in a log then."""
        return subprocess.run(
            [self.top / 'scripts/check', *levels], check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={
                **os.environ, 'RAS_CACHE': str(self.top / 'cache'),
                'BASE': base, 'ABSENT': absent, 'LOG': str(self.log)})

    @property
    def log(self) -> Path:
        """A line for each environment: its base, and what it has."""
        return self.top / 'log'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


LEVELS = ('scripts', 'core', 'qtest@second', 'core@second')


def test_second_base(checkout: Checkout) -> None:
    """It has an environment of its own, and results of its own."""
    done = checkout.check(*LEVELS)
    assert done.stdout.splitlines()[-1] == f'levels: {" ".join(LEVELS)}'
    assert checkout.log.read_text().splitlines() == [
        '10.0: guests', '10.2: stock', '10.2: guests']


def test_second_base_cannot_be_had(checkout: Checkout) -> None:
    """One line says so, and the others are tested."""
    done = checkout.check(*LEVELS, absent='10.2')
    assert done.stdout.splitlines()[-1] == 'levels: scripts core'
    assert done.stderr.count('skipped: no QEMU 10.2') == 1


def test_first_base_cannot_be_had(checkout: Checkout) -> None:
    """Then nothing is."""
    done = checkout.check(*LEVELS, base='11.1', absent='11.1')
    assert done.returncode == 3
    assert 'levels: ' not in done.stdout
    assert done.stderr.count('skipped: no QEMU 11.1') == 1


def test_no_second_base(checkout: Checkout) -> None:
    """Another one was asked for, or there is no series for it."""
    done = checkout.check(*LEVELS, base='11.1')
    assert done.stdout.splitlines()[-1] == 'levels: scripts core'
    shutil.rmtree(checkout.top / 'series' / '10.2')
    done = checkout.check(*LEVELS)
    assert done.stdout.splitlines()[-1] == 'levels: scripts core'
    assert {line.split(':')[0] for line in
            checkout.log.read_text().splitlines()} == {'10.0', '11.1'}
