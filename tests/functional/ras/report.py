# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugin for pytest: what the functional tests and those under KVM share.

It skips tests that need what cannot be had (marker "needs"), ends in an
orderly way when told to, and adds to a failure what the machines have said
since the test began: each conftest.py says to show_on_failure() what that is.
"""

import os
import signal
import time
from typing import Any, Callable, Iterator, List, Sequence, Tuple

import pytest

from ras import environment
from ras.stream import Line, when

SHOWN_LINES = 300

Part = Tuple[str, Sequence[object]]

_parts: List[Callable[[], Iterator[Part]]] = []
_BEGUN = pytest.StashKey[float]()


def show_on_failure(parts: Callable[[], Iterator[Part]]) -> None:
    """Decorator: @parts gives titles, each with text or Lines of streams.

    Lines are shown if they came after the beginning of the test.
    """
    _parts.append(parts)


def pytest_configure(config: pytest.Config) -> None:
    """End in an orderly way when told to."""
    config.addinivalue_line(
        'markers', 'needs(variable): skipped if that cannot be had')
    config.addinivalue_line(
        'markers', 'smoke: a part that shows whether all of it works')
    if getattr(config.option, 'numprocesses', None):
        # Only hands out work: the workers notice when it is gone.
        return

    def end(number: int, frame: Any) -> None:
        if 'PYTEST_XDIST_WORKER' in os.environ:
            raise SystemExit(128 + number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGTERM, end)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Skip what cannot be run; remember when the test began."""
    for mark in item.iter_markers('needs'):
        reason = environment.missing(mark.args[0])
        if reason:
            pytest.skip(reason)
    item.stash[_BEGUN] = time.time()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add what the machines have said to a failure."""
    outcome: Any = yield
    report = outcome.get_result()
    if not report.failed:
        return
    begun = item.stash.get(_BEGUN, 0.0)
    for title, content in (part for parts in _parts for part in parts()):
        lines = [f'{when(each.time)} {each.text}'
                 if isinstance(each, Line) else str(each) for each in content
                 if not isinstance(each, Line) or each.time >= begun]
        if len(lines) > SHOWN_LINES:
            lines = [f'... {len(lines) - SHOWN_LINES} lines before'] + \
                lines[-SHOWN_LINES:]
        report.sections.append((title, '\n'.join(lines)))
