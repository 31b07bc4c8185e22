# SPDX-License-Identifier: GPL-2.0-or-later
"""What "make patches" exports."""

import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ['RAS_CACHE'])


def run(*command: object, **options: object) -> str:
    """Output of a command that must succeed."""
    return subprocess.run(list(map(str, command)), check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          **options).stdout


def test_git_am_makes_the_tree_that_is_built(tmp_path: Path) -> None:
    """Each patch applies to the untouched base; nothing is left out."""
    commit, _, tree, base = run(TOP / 'scripts' / 'compose', 'ras').split()
    run(TOP / 'scripts' / 'patches', tmp_path / 'patches')
    patches = sorted((tmp_path / 'patches').glob('*.patch'))
    repo = CACHE / 'work' / 'repo.git'
    assert len(patches) == int(run('git', f'--git-dir={repo}', 'rev-list',
                                   '--count', f'{base}..{commit}'))

    clone = tmp_path / 'qemu'
    git = ('git', '-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@a',
           '-c', 'gc.auto=0')
    run('git', 'clone', '-q', '--shared', '--no-checkout', repo, clone)
    run(*git, 'checkout', '-q', '--detach', base)
    run(*git, 'am', '-q', *patches)
    assert run(*git, 'rev-parse', 'HEAD^{tree}').strip() == tree
