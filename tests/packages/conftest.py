# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian systems that the packages are tried in, one for each release.

Run by "make check-packages" (scripts/check-packages), which makes the systems
and sets RAS_PACKAGES.  The tests of a release run in the order of their file:
each goes on where the one before has stopped.
"""

import os
import sys
from pathlib import Path
from typing import Dict, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'functional')]

from system import System  # noqa: E402

SYSTEMS: Dict[str, System] = {}
for word in os.environ.get('RAS_PACKAGES', '').split():
    name, _, where = word.partition('=')
    SYSTEMS[name] = System(name, Path(where))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs in all systems."""
    if 'system' in metafunc.fixturenames:
        metafunc.parametrize('system', SYSTEMS.values(), ids=SYSTEMS)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """All tests run in one system, then in the next."""
    def where(item: pytest.Item) -> int:
        params = item.callspec.params if hasattr(item, 'callspec') else {}
        return list(SYSTEMS.values()).index(params['system']) + 1 \
            if 'system' in params else 0

    items.sort(key=where)
