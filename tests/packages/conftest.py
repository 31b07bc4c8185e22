# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian systems that the packages are tried in, one for each release.

Run by "make check-packages" (scripts/check-packages), which makes the systems
and sets RAS_PACKAGES.  The tests of a release run in the order of their file:
each goes on where the one before has stopped.
"""

import os
import sys
from pathlib import Path
from typing import Dict

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'functional')]

from system import System  # noqa: E402

SYSTEMS: Dict[str, System] = {}
for word in os.environ.get('RAS_PACKAGES', '').split():
    name, _, where = word.partition('=')
    SYSTEMS[name] = System(name, Path(where))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All tests run in one system, then in the next."""
    if 'system' in metafunc.fixturenames:
        metafunc.parametrize('system', SYSTEMS.values(), ids=SYSTEMS,
                             scope='session')
