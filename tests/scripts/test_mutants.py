# SPDX-License-Identifier: GPL-2.0-or-later
"""The data of "make mutants": the lines that they change are there."""

import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
REPO = Path(os.environ['RAS_CACHE']) / 'work' / 'repo.git'


def test_each_fits_once() -> None:
    """A mutant of lines that have changed would test nothing."""
    commit = subprocess.run([TOP / 'scripts' / 'compose', 'ras'], check=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            text=True).stdout.split()[0]
    wrong = []
    for path in sorted((TOP / 'tests' / 'mutants').glob('*.txt')):
        head, old, new = re.split(r'^(?:---|\+\+\+) *\n', path.read_text(),
                                  flags=re.M)
        file = re.search(r'^file: (\S+)$', head, re.M)
        assert file and re.search(r'^test: \S+ \S', head, re.M) and old != new
        ours = TOP / file[1]
        content = ours.read_text() if ours.exists() else subprocess.run(
            ['git', f'--git-dir={REPO}', 'show', f'{commit}:{file[1]}'],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        if content.count(old) != 1:
            wrong.append(f'{path.stem}: {content.count(old)} times')
    assert wrong == []
