# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/sum-results: the closing line, and what may be skipped."""

import os
import subprocess
from pathlib import Path
from typing import List

import pytest

TOP = Path(__file__).resolve().parents[2]
REASON = 'kexec-ppc64 cannot be had from http://here/: <so>'
PASSED = '<testcase classname="a" name="b"/>'


def skipped(reason: str, kind: str = 'pytest.skip') -> str:
    """A test that was skipped."""
    reason = reason.replace('<', '&lt;')
    return (f'<testcase classname="a" name="left-out"><skipped type="{kind}" '
            f'message="{reason}"/></testcase>')


@pytest.mark.parametrize('cases, line, status', [
    ([PASSED], '1 passed, 0 failed', 0),
    ([PASSED, skipped(REASON)], '1 passed, 0 failed, 1 skipped', 0),
    ([PASSED, skipped('just so')], '1 passed, 1 failed', 1),
    ([PASSED, skipped('')], '1 passed, 1 failed', 1),
    ([PASSED, skipped('as in stock', 'pytest.xfail')],
     '2 passed, 0 failed', 0),
    ([skipped(REASON)], '0 passed, 0 failed, 1 skipped', 1),
    ([], '0 passed, 1 failed', 1),
], ids=['passed', 'missing', 'other reason', 'no reason', 'expected to fail',
        'nothing ran', 'no tests'])
def test_closing_line(cases: List[str], line: str, status: int,
                      tmp_path: Path) -> None:
    """Only what cannot be had is skipped, and told by name."""
    (tmp_path / 'x.xml').write_text(
        f'<testsuites><testsuite time="1">{"".join(cases)}'
        '</testsuite></testsuites>')
    done = subprocess.run(
        [TOP / 'scripts' / 'sum-results', tmp_path, 'x'], text=True,
        env={**os.environ, 'RAS_MISSING_KEXEC_PPC64': REASON}, check=False,
        stdout=subprocess.PIPE)
    assert done.stdout.splitlines()[-1] == line
    assert done.returncode == status
    if skipped(REASON) in cases:
        assert f'skipped: a left-out: {REASON}' in done.stdout
