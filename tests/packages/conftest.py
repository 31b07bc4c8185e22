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

from system import EMULATORS, System  # noqa: E402
from ras.targets import TARGETS  # noqa: E402

SYSTEMS: Dict[str, System] = {}
for word in os.environ.get('RAS_PACKAGES', '').split():
    name, _, where = word.partition('=')
    SYSTEMS[name] = System(name, Path(where))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs in all systems, or in those that have a newer one."""
    if 'after' in metafunc.fixturenames:
        pairs = list(zip(SYSTEMS.values(), list(SYSTEMS.values())[1:]))
        metafunc.parametrize('system, after', pairs, ids=[
            f'{system.suite}-{after.suite}' for system, after in pairs])
    elif 'system' in metafunc.fixturenames:
        metafunc.parametrize('system', SYSTEMS.values(), ids=SYSTEMS)


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """All tests run in one system, then in the next."""
    def where(item: pytest.Item) -> int:
        params = item.callspec.params if hasattr(item, 'callspec') else {}
        return list(SYSTEMS.values()).index(params['system']) + 1 \
            if 'system' in params else 0

    # With one system there is no newer one.
    items[:] = [item for item in items
                if 'after' not in getattr(item, 'fixturenames', ()) or
                getattr(item, 'callspec').params['after'] in SYSTEMS.values()]
    items.sort(key=where)


@pytest.fixture(name='outside')
def _outside(system: System, tmp_path: Path,
             monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let tests and demo of this machine use the emulators in the system."""
    for name, emulator in EMULATORS.items():
        wrapper = tmp_path / Path(emulator).name
        wrapper.write_text(
            f'#!/bin/sh\nexec chroot {system.root} {emulator} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setenv(TARGETS[name].qemu_variable, str(wrapper))
    # The cache is at the same place in the system.
    data = system.file('/usr/share/qemu-ras')
    monkeypatch.setenv('RAS_FIRMWARE', str(data))
    monkeypatch.setenv('RAS_AAVMF', str(data / 'QEMU_EFI.fd'))
    return tmp_path
