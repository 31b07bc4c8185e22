# SPDX-License-Identifier: GPL-2.0-or-later
"""Functional tests: fixtures, and what is shown when a test fails.

Run by "make check-functional", which sets the environment variables RAS_*
(ras/environment.py).  Each test module sets MACHINE, and GUEST_OPTIONS if
its guest is a special one; its tests share one guest, which is booted afresh
after a test that damaged it.
"""

import itertools
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite('ras.cases', 'ras.oracles', 'ras.guest',
                               'ras.moves', 'ras.migration', 'ras.rasctl',
                               'ras.recipes', 'ras.report', 'ras.reports',
                               'ras.other_base')

from ras import environment  # noqa: E402
from ras.guest import Guest  # noqa: E402
from ras.report import Part, show_on_failure  # noqa: E402
from ras.targets import TARGETS, Target  # noqa: E402

pytest_plugins = ['ras.report']

# What it is about came with QEMU 10.2.
collect_ignore = [] if environment.release() >= (10, 2) else [
    'test_arm64_hest.py']


def pytest_configure(config: pytest.Config) -> None:
    """since(10, 2): about something that came with QEMU 10.2."""
    config.addinivalue_line('markers', 'since(*release): not for older ones')


def pytest_collection_modifyitems(config: pytest.Config,
                                  items: List[pytest.Item]) -> None:
    """What this release has not is no test of it."""
    old = [item for item in items
           for marker in item.iter_markers('since')
           if environment.release() < marker.args]
    if old:
        config.hook.pytest_deselected(items=old)
        items[:] = [item for item in items if item not in old]


_guests: List[Guest] = []
_numbers: Dict[str, Iterator[int]] = {}


def _make(target: Target, module: str, **options: Any) -> Guest:
    number = next(_numbers.setdefault(module, itertools.count(1)))
    guest = Guest(target, f'{module}-{number}', **options)
    _guests.append(guest)
    return guest


def _close(guest: Guest) -> None:
    guest.close()
    if guest in _guests:
        _guests.remove(guest)


@pytest.fixture(scope='module')
def target(request: pytest.FixtureRequest) -> Target:
    """The machine that the test module is about."""
    return TARGETS[request.module.MACHINE]


@pytest.fixture(scope='module')
def shared_guests(request: pytest.FixtureRequest,
                  target: Target) -> Iterator[List[Guest]]:
    """The guest that the tests of a module share: a list of none or one."""
    guests: List[Guest] = []
    yield guests
    for guest in guests:
        _close(guest)


def _is_healthy(guest: Guest) -> bool:
    try:
        guest.check_alive()
        return not guest.ras()['queue']
    except Exception:  # pylint: disable=broad-except
        return False


def _ready(guests: List[Guest], make: Callable[[], Guest]) -> Guest:
    """The guest in @guests, booted again or made anew if it has to be."""
    if guests and guests[0].damaged:
        try:
            guests[0].reset()
        except Exception:  # pylint: disable=broad-except
            _close(guests.pop())
    if not guests:
        guests.append(make().boot())
    return guests[0]


def _after_test(guest: Guest) -> None:
    """Leave no poison to the next test, and no guest that is not well."""
    if not guest.damaged and not _is_healthy(guest):
        guest.damaged = True
    if not guest.damaged:
        for entry in guest.poisoned():
            guest.unpoison(entry['address'], entry['length'])


@pytest.fixture
def guest(request: pytest.FixtureRequest, target: Target,
          shared_guests: List[Guest]) -> Iterator[Guest]:
    """A guest that has booted and is well; shared by the tests of a module."""
    options = getattr(request.module, 'GUEST_OPTIONS', {})
    ready = _ready(shared_guests, lambda: _make(
        target, request.module.__name__, **options))
    yield ready
    _after_test(ready)


@pytest.fixture(scope='class')
def patient_guests(request: pytest.FixtureRequest,
                   target: Target) -> Iterator[List[Guest]]:
    """Like shared_guests, for the tests of a class."""
    guests: List[Guest] = []
    yield guests
    for guest in guests:
        _close(guest)


@pytest.fixture
def patient_guest(request: pytest.FixtureRequest, target: Target,
                  patient_guests: List[Guest]) -> Iterator[Guest]:
    """A guest whose records are never reclaimed for their age.

    Special ones have PATIENT_OPTIONS of the module.
    """
    options = getattr(request.module, 'PATIENT_OPTIONS', {})
    ready = _ready(patient_guests, lambda: _make(
        target, request.module.__name__, **{
            **options, 'extra_args': [
                *options.get('extra_args', ()),
                '-global', 'ras.reclaim-ms=3600000']}))
    # Its tests stop vCPUs in the middle of what they do.
    ready.damaged = True
    yield ready


@pytest.fixture
def new_guest(request: pytest.FixtureRequest,
              target: Target) -> Iterator[Callable[..., Guest]]:
    """Makes guests that live as long as the test."""
    made: List[Guest] = []

    def make(**options: Any) -> Guest:
        made.append(_make(target, request.module.__name__, **options))
        return made[-1]

    yield make
    for guest in made:
        _close(guest)


@show_on_failure
def _shown() -> Iterator[Part]:
    for guest in _guests:
        qemu = guest.qemu
        for stream in (guest.console, qemu.agent):
            yield f'{qemu.name}: guest {stream.name}', stream.since(0)
        yield f'{qemu.name}: QEMU log', qemu.output()
        yield f'{qemu.name}: QMP', qemu.exchange
        yield f'{qemu.name}: files', sorted(qemu.logs.iterdir())


def pytest_unconfigure() -> None:
    """Leave no process behind."""
    for guest in list(_guests):
        _close(guest)
