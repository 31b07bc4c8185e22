# SPDX-License-Identifier: GPL-2.0-or-later
"""What the levels of the tests need."""

import os
import shutil
import subprocess
from pathlib import Path

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
