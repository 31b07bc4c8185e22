# SPDX-License-Identifier: GPL-2.0-or-later
"""debian/ and the scripts say the same."""

import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Every builder has these.
ESSENTIAL = {'build-essential', 'dpkg-dev'}
# What only the package needs, and what users have got the checkout with.
MORE = {'debhelper-compat', 'git'}


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
