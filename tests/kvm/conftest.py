# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests under KVM: fixtures, and what is shown when a test fails.

Run by "make check-kvm", which sets the environment variables RAS_*
(scripts/env, scripts/kvm-lab).  Each test module names its HOST, or makes it
a parameter of its tests, which share one, and a guest as long as that is well.
"""

import sys
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'functional'), str(HERE)]

pytest.register_assert_rewrite('checks', 'moves', 'ras.report')

from lab import LABS, Host, KvmGuest  # noqa: E402
from ras.report import Part, show_on_failure  # noqa: E402

pytest_plugins = ['ras.report']

_hosts: List[Host] = []
_report: List[str] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test needs the kernel of its host."""
    callspec = getattr(item, 'callspec', None)
    name = (callspec.params.get('host') if callspec else None) or \
        item.module.HOST
    item.add_marker(pytest.mark.needs(LABS[name].host.kernel_variable))


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


@show_on_failure
def _shown() -> Iterator[Part]:
    for host in _hosts:
        streams = [('host', host.console), ('host', host.qemu.agent)]
        if host.kvm_guest is not None:
            qemu = host.kvm_guest.qemu
            streams += [('guest', qemu.console), ('guest', qemu.agent),
                        ('inner QEMU', qemu.log)]
            yield 'inner QEMU: QMP', qemu.exchange
        for name, stream in streams:
            yield f'{name}: {stream.name}', stream.since(0)
        yield 'outer QEMU: messages', host.qemu.output()
