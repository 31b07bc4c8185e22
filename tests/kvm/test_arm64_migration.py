# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: guests that move with errors on their way.

The VM stops, gets its errors, and goes on in another inner QEMU: the vCPUs of
KVM there know nothing but what was in the migration stream.
"""

from typing import Callable, Iterator

import pytest

from checks import CE, SERROR, UC, UEO, check_move_of_parked, \
    move_with_errors
from lab import Host, KvmGuest

HOST = 'arm64'


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest that gets the time that "cont" takes here."""
    ready = host.kvm_guest
    if ready is None or ready.damaged:
        ready = host.start_guest('ras', extra_args=[
            '-global ras.reclaim-ms=30000'])
    yield ready


@pytest.mark.parametrize('notified', [False, True],
                         ids=['queued', 'notified'])
def test_parked_vcpus(guest: KvmGuest, notified: bool,
                      report: Callable[[str], None]) -> None:
    """Memory errors of three vCPUs wait for their turn."""
    check_move_of_parked(guest, notified, report)


def test_serrors_that_linux_survives(guest: KvmGuest) -> None:
    """Restartable or corrected, pending: the guest takes them, and goes on."""
    guest.damaged = True
    control = guest.spawn_control()
    account, mark = guest.account(), guest.console.mark()
    guest.qemu.qmp('stop')
    guest.inject_serror(1, aet='ueo')
    guest.inject_serror(2, aet='ce')
    before = guest.ras()
    assert before['serrors'] == [{'vcpu': 1, 'syndrome': UEO},
                                 {'vcpu': 2, 'syndrome': CE}]
    assert before['counters']['in-flight'] == 2
    move_with_errors(guest)
    guest.qemu.qmp('cont')
    guest.wait_until(lambda: account.delta()['taken'] == 2, 'SErrors taken')
    account.settle(taken=2)
    assert guest.ras()['serrors'] == []
    guest.check_alive()
    assert control.count()['bad'] == 0
    control.kill()
    guest.console_sync()
    assert not guest.console.matching('SError', mark)
    guest.damaged = False


def test_serror_that_linux_does_not_survive(guest: KvmGuest) -> None:
    """Uncontainable: the guest panics where it goes on, with the syndrome."""
    guest.damaged = True
    mark = guest.console.mark()
    guest.qemu.qmp('stop')
    guest.inject_serror(1, aet='uc')
    before = guest.ras()
    assert before['serrors'] == [{'vcpu': 1, 'syndrome': UC}]
    move_with_errors(guest)
    assert not guest.console.matching('SError', mark)
    guest.qemu.qmp('cont')
    guest.console.wait(
        rf'SError Interrupt on CPU1, code 0x0*{SERROR | UC:x}', mark,
        60 * guest.factor)
    guest.console.wait('Kernel panic - not syncing: Asynchronous SError '
                       'Interrupt', mark, 60 * guest.factor)
    after = guest.ras()
    assert after['serrors'] == after['queue'] == []
    assert after['counters']['taken'] == before['counters']['taken'] + 1
