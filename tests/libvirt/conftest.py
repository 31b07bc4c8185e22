# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests with libvirt: fixtures, and what is shown when a test fails.

Run by "make check-libvirt", which sets the environment variables RAS_*
(scripts/env, scripts/libvirt-root).  Each test module names its MACHINE and the
RELEASE of Debian whose libvirt it is about; its tests share a host and a guest.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Iterator, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'functional'), str(HERE)]

pytest.register_assert_rewrite('cases', 'ras.cases', 'ras.oracles',
                               'ras.guest', 'ras.report')

from domain import DomainGuest  # noqa: E402
from host import RELEASES, Host  # noqa: E402
from ras import environment  # noqa: E402
from ras.oracles import Oracle, oracle_for  # noqa: E402
from ras.report import Part, show_on_failure  # noqa: E402
from ras.targets import TARGETS, Target  # noqa: E402

pytest_plugins = ['ras.report']

_hosts: List[Host] = []
_guests: List[DomainGuest] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test needs the root with its libvirt."""
    item.add_marker(pytest.mark.needs('RAS_LIBVIRT'))
    release = getattr(item.module, 'RELEASE', None)
    if release:
        item.add_marker(pytest.mark.needs(RELEASES[release]))


@pytest.fixture(scope='module')
def target(request: pytest.FixtureRequest) -> Target:
    """The machine that the test module is about."""
    return TARGETS[request.module.MACHINE]


@pytest.fixture(scope='module')
def oracle(target: Target) -> Oracle:
    """What the guest's kernel is expected to say."""
    return oracle_for(target)


@pytest.fixture(scope='module')
def release(request: pytest.FixtureRequest) -> str:
    """The Debian release whose libvirt it is."""
    return request.module.RELEASE


@pytest.fixture(scope='module')
def logs(request: pytest.FixtureRequest) -> Path:
    """Where logs go."""
    folder = environment.directory('RAS_RESULTS') / 'libvirt' / \
        request.module.__name__
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope='module')
def hosts(release: str, logs: Path) -> Iterator[List[Host]]:
    """Two hosts that share the images of disks."""
    # Names of sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix='ras-virt-'))
    made = [Host(release, folder, name, logs) for name in 'ab']
    _hosts.extend(made)
    try:
        made[0].make_disk('guest')
        yield [host.start() for host in made]
    finally:
        for host in made:
            host.close()
            _hosts.remove(host)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='module')
def host(hosts: List[Host]) -> Host:
    """The one with the guest."""
    return hosts[0]


@pytest.fixture(scope='module')
def newer(host: Host, logs: Path) -> Iterator[Host]:
    """A host of the next release, which sees the same files."""
    made = Host('13', host.folder, 'newer', logs)
    _hosts.append(made)
    try:
        yield made.start()
    finally:
        made.close()
        _hosts.remove(made)


@pytest.fixture(scope='module')
def _shared(release: str, target: Target, host: Host, logs: Path
            ) -> Iterator[DomainGuest]:
    made = DomainGuest(target, release, 'guest', host, logs)
    _guests.append(made)
    try:
        made.boot()
        yield made
    finally:
        made.close()
        _guests.remove(made)


@pytest.fixture
def guest(_shared: DomainGuest) -> Iterator[DomainGuest]:
    """A guest that has booted and is well; the tests of a module share it."""
    if _shared.damaged:
        _shared.reset()
    yield _shared
    for entry in [] if _shared.damaged else _shared.poisoned():
        _shared.unpoison(entry['address'], entry['length'])


@show_on_failure
def _shown() -> Iterator[Part]:
    for host in _hosts:
        yield f'{host.name}: commands', host.said[-20:]
        yield f'{host.name}: events', [str(each) for each in
                                       host.events.all()[-40:]]
    for guest in _guests:
        for stream in (guest.console, guest.qemu.agent):
            yield f'guest {stream.name}', stream.since(0)
        yield 'QEMU log', guest.qemu.output()
        yield 'QMP', guest.qemu.exchange
