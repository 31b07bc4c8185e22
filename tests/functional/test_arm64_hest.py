# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: ras=on of machine types of QEMU 10.2 and later, without ras-ghes.

Their own tables have a source whose notification is an interrupt, and UEFI
puts them into RAM of the guest.  Errors of vCPUs on such machines are in the
other modules, whose machine is the newest of the release.
"""

import re
import subprocess
import sys
from typing import Callable, Iterator

import pytest

from ras import cases, environment, reports
from ras.guest import PAGE, Guest
from ras.migration import WAYS, Way, move
from ras.qemu import QemuError

MACHINE = 'arm64'

# For QEMU's own script.
TCP_MONITOR = ['-chardev', 'socket,id=tcp,host=127.0.0.1,port=0,server=on,'
               'wait=off', '-mon', 'chardev=tcp,mode=control']
GUEST_OPTIONS = {'extra_args': TCP_MONITOR}


@pytest.fixture(name='polled')
def _polled() -> bool:
    """There is no source for that."""
    return False


class TestAsynchronous(reports.Asynchronous):
    """See ras/reports.py."""

    def test_sources(self, guest: Guest) -> None:
        """The guest's kernel and QEMU have found them."""
        guest.console_sync()
        text = '\n'.join(line.text for line in guest.console.since(0))
        assert 'HEST: Table parsing has been initialized' in text
        assert [(source['name'], source['synchronous'], source['ready'])
                for source in guest.ras()['sources']] == [
                    ('GHESv2 source 0, SEA', True, True),
                    ('GHESv2 source 1, GED', False, True)]
        with pytest.raises(QemuError, match='no error source that the guest '
                                            'polls; .*ras-ghes=on'):
            guest.inject(guest.spawn().pa[0], mode='report', polled=True)

    def test_both_sources(self, guest: Guest) -> None:
        """An error that a process hits does not wait for one that none did."""
        reported, hit = guest.spawn(memory='file'), guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.qemu.qmp('stop')
        guest.inject(reported.pa[0], mode='report')
        guest.inject(hit.pa[0])
        guest.qemu.qmp('cont')
        reports.touch(hit)
        cases.check_console(guest, mark, [reports.recovered(victim)
                                          for victim in (reported, hit)])
        account.settle(acknowledged=2)
        reports.touch(reported)
        guest.check_alive()

    def test_reset(self, guest: Guest) -> None:
        """What was under way is discarded; UEFI places the tables again."""
        guest.damaged = True
        victim = guest.spawn()
        account = guest.account()
        guest.qemu.qmp('stop')
        guest.inject(victim.pa[0], mode='report')
        mark = guest.console.mark()
        guest.qemu.qmp('system_reset')
        assert [source['ready'] for source in guest.ras()['sources']] == \
            [False, False]
        account.settle(discarded=1)
        # Told when there is where to.
        account = guest.account()
        address = guest.target.firmware_ram + 64 * PAGE
        guest.inject(address, mode='report', severity='corrected')
        agent = guest.agent.stream.mark()
        guest.qemu.qmp('cont')
        guest.wait_boot(agent)
        account.settle(acknowledged=1)
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 1$',
            rf'physical_address: {address:#018x}'])
        guest.check_alive()


class TestRecords(reports.Records):
    """See ras/reports.py."""

    def test_script(self, guest: Guest) -> None:
        """QEMU's scripts/ghes_inject.py, with what it makes by itself."""
        victim = guest.spawn(memory='file')
        account, mark = guest.account(), guest.console.mark()
        port = next(re.search(r':(\d+),server', device['filename'])
                    for device in guest.qemu.qmp('query-chardev')
                    if device['label'] == 'tcp')
        assert port
        folder = environment.path('RAS_QEMU_PYTHON')
        said = subprocess.run(
            [sys.executable, '-B', str(folder / 'ghes_inject.py'),
             '--host', '127.0.0.1', '--port', port[1],
             'arm', '--type', 'cache-error',
             '--physical-address', hex(victim.pa[0])],
            env={'PYTHONPATH': str(folder)}, check=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=60 * environment.time_factor()).stdout
        assert said.endswith('Error injected.\n')
        cases.check_console(guest, mark, [
            'Generic Hardware Error Source: 1$', 'event severity: recoverable',
            'section_type: ARM processor error',
            rf'physical fault address: {victim.pa[0]:#018x}',
            reports.recovered(victim)])
        account.settle(acknowledged=1)
        reports.touch(victim)
        guest.check_alive()


class TestMoves(cases.Case):
    """The guest has not acknowledged when it moves."""

    @pytest.fixture(params=['precopy', 'snapshot'])
    def way(self, request: pytest.FixtureRequest) -> Iterator[Way]:
        """See ras/migration.py."""
        yield WAYS[request.param]

    def test_reported(self, new_guest: Callable[..., Guest],
                      way: Way) -> None:
        """It does so on the other side, and is told of the rest there."""
        guest = new_guest().boot()
        victims = [guest.spawn(memory='file') for _ in range(8)]
        account, mark = guest.account(), guest.console.mark()
        guest.qemu.qmp('stop')
        for victim in victims:
            guest.inject(victim.pa[0], mode='report')
        before = guest.ras()
        move(guest, way)
        assert guest.ras() == before
        guest.qemu.qmp('cont')
        cases.check_console(guest, mark, [reports.recovered(victim)
                                          for victim in victims])
        account.settle(acknowledged=len(victims))
        for victim in victims:
            reports.touch(victim)
        guest.check_alive()
