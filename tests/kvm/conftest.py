# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests under KVM: fixtures, and what is shown when a test fails.

Run by "make check-kvm", which sets the environment variables RAS_*
(scripts/env, scripts/kvm-lab).  Each test module names its HOST, or makes it
a parameter of its tests, which share one, and a guest as long as that is well.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'functional'), str(HERE)]

pytest.register_assert_rewrite('checks')

from lab import LABS, Host, KvmGuest  # noqa: E402
from ras import environment  # noqa: E402
from ras.stream import when  # noqa: E402

SHOWN_LINES = 300

_hosts: List[Host] = []
_report: List[str] = []
_BEGUN = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    """End in an orderly way when told to."""
    def end(number: int, _: Any) -> None:
        pytest.exit('told to end', 128 + number)

    signal.signal(signal.SIGTERM, end)


@pytest.fixture(scope='module')
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """The host with KVM."""
    name = getattr(request, 'param', None) or request.module.HOST
    made = Host(LABS[name], f'kvm-host-{name}')
    _hosts.append(made)
    try:
        yield made.boot()
    finally:
        _hosts.remove(made)
        made.close()


@pytest.fixture(scope='module', params=['ras', 'stock'])
def flavour(request: pytest.FixtureRequest) -> str:
    """The inner QEMU: with guest RAS, or the base alone."""
    return request.param


def _is_healthy(guest: KvmGuest) -> bool:
    try:
        guest.check_alive()
        return True
    except Exception:  # pylint: disable=broad-except
        return False


@pytest.fixture
def guest(host: Host, flavour: str) -> Iterator[KvmGuest]:
    """A guest of that QEMU that is well, with 4 vCPUs."""
    ready = host.kvm_guest
    if ready is None or ready.damaged or ready.flavour != flavour:
        ready = host.start_guest(flavour)
    yield ready
    ready.damaged = ready.damaged or not _is_healthy(ready)
    host.mend_memory()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes lines that are shown after all tests."""
    return lambda line: _report.append(f'{request.node.name}: {line}')


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what was measured."""
    if _report:
        terminalreporter.section('measured')
        for line in _report:
            terminalreporter.write_line(line)


# What is shown when a test fails

def _section(report: Any, title: str, lines: List[str]) -> None:
    if len(lines) > SHOWN_LINES:
        lines = [f'... {len(lines) - SHOWN_LINES} lines before'] + \
            lines[-SHOWN_LINES:]
    report.sections.append((title, '\n'.join(lines)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Skip what cannot be run; remember when the test began."""
    callspec = getattr(item, 'callspec', None)
    name = (callspec.params.get('host') if callspec else None) or \
        item.module.HOST
    reason = environment.missing(LABS[name].host.kernel_variable)
    if reason:
        pytest.skip(reason)
    item.stash[_BEGUN] = time.time()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add consoles, QEMU's messages and QMP exchange to a failure."""
    outcome: Any = yield
    report = outcome.get_result()
    if not report.failed:
        return
    begun = item.stash.get(_BEGUN, 0.0)
    for host in _hosts:
        streams = [('host', host.console), ('host', host.qemu.agent)]
        exchange = []
        if host.kvm_guest is not None:
            qemu = host.kvm_guest.qemu
            streams += [('guest', qemu.console), ('guest', qemu.agent),
                        ('inner QEMU', qemu.log)]
            exchange = qemu.exchange
        for name, stream in streams:
            _section(report, f'{name}: {stream.name}',
                     [f'{when(line.time)} {line.text}'
                      for line in stream.since(0) if line.time >= begun])
        _section(report, 'inner QEMU: QMP',
                 [f'{when(line.time)} {line.text}'
                  for line in exchange if line.time >= begun])
        _section(report, 'outer QEMU: messages', host.qemu.output())
