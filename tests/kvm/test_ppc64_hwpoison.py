# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: the host's kernel finds that memory of a guest has failed.

It takes the page out of use, and sends SIGBUS to the inner QEMU.  When the
guest uses the page, KVM_RUN fails with EFAULT and no address.

Linux in the guest does not take all pages out of use when errors come on
several CPUs at once.  So victims are kept then: their pages would be hit again
by whoever gets them next, most likely the guest's kernel.
"""

from typing import Callable

import pytest

from checks import Patients, check_where, expect_loss
from lab import Host, KvmGuest
from ras.cases import HANDLED, hit_of
from ras.guest import PAGE
from ras.oracles import Oracle, oracle_for

HOST = 'ppc64'

only_ras = pytest.mark.parametrize('flavour', ['ras'], indirect=True)


@only_ras
def test_lab_knows_where_guest_memory_is(host: Host, guest: KvmGuest) -> None:
    """An address that "where" gives is that of the victim's page."""
    check_where(host, guest)


def test_one_page(host: Host, guest: KvmGuest, request: pytest.FixtureRequest,
                  report: Callable[[str], None]) -> None:
    """The process that touches the page gets SIGBUS; all else lives."""
    if guest.flavour == 'stock':
        expect_loss(request, 'dies of the first SIGBUS')
    patients = Patients(guest, 1)
    mark = guest.console.mark()
    host.poison(patients.pages)
    patients.touch(report)
    guest.console.wait(Oracle.retired_line(patients.pages[0]), mark,
                       60 * guest.factor)
    assert {'address': patients.pages[0], 'length': PAGE} in \
        guest.ras()['host-poisoned']
    patients.check('sigbus')


@only_ras
def test_pages_of_16_processes_at_once(host: Host, guest: KvmGuest,
                                       report: Callable[[str], None]) -> None:
    """16 processes on 4 vCPUs touch their 16 bad pages at the same time."""
    patients = Patients(guest, 16)
    host.poison(patients.pages)
    patients.touch(report)
    patients.check('sigbus', release=False)


@only_ras
@pytest.mark.parametrize('access', ['store', 'fetch'])
def test_access(host: Host, guest: KvmGuest, access: str) -> None:
    """It is found out what kind of access it was, and at what address."""
    oracle = oracle_for(guest.target)
    victim = guest.spawn(memory='code' if access == 'fetch' else 'anon',
                         pages=2)
    account, mark = guest.account(), guest.console.mark()
    offset = 0 if access == 'fetch' else 0x128
    host.poison([victim.pa[1]])
    victim.tell(f'{access} 1' + (f' {offset}' if offset else ''))
    hit = hit_of(victim, access, 1, offset)
    oracle.check_sigbus(victim.sigbus(), hit)
    for line in oracle.signal_lines(hit):
        guest.console.wait(line, mark, 60 * guest.factor)
    account.settle(acknowledged=1)
    event = account.events('acknowledged')[0]
    assert event['access'] == access
    assert event['virtual-address'] == hit.va
    assert event['address'] == hit.pa
    assert victim.end_after_sigbus() == HANDLED
    guest.check_alive()


@only_ras
def test_kernel_hit(host: Host, guest: KvmGuest) -> None:
    """The guest's kernel is hit, and oopses; the next error is told."""
    guest.damaged = True
    oracle = oracle_for(guest.target)
    victim = guest.spawn(memory='file', cpu=0)
    other = guest.spawn(cpu=1)
    control = guest.spawn_control()
    mark = guest.console.mark()
    host.poison([victim.pa[0], other.pa[0]])
    victim.tell('exec')
    assert victim.wait_exit() == oracle.kernel_exit
    for line in oracle.kernel_lines:
        guest.console.wait(line, mark, 60 * guest.factor)
    other.tell('load')
    oracle.check_sigbus(other.sigbus(), hit_of(other, 'load'))
    assert control.count()['bad'] == 0
    guest.check_alive()
    guest.check_not_lost()


@only_ras
def test_not_touched(host: Host, guest: KvmGuest) -> None:
    """Remembered until a reset, which replaces it."""
    guest.damaged = True
    victim, = guest.victims(1)
    account = guest.account()
    host.poison([victim.pa[0]])
    guest.wait_until(lambda: {'address': victim.pa[0], 'length': PAGE} in
                     guest.ras()['host-poisoned'], 'host-poisoned')
    assert 'blocked-reasons' not in guest.qemu.qmp('query-migrate')
    guest.check_alive()
    account.settle()
    guest.reset()
    assert guest.ras()['host-poisoned'] == []
    guest.check_alive()


@only_ras
def test_while_stopped(host: Host, guest: KvmGuest) -> None:
    """Memory fails while the guest is stopped."""
    guest.damaged = True
    oracle = oracle_for(guest.target)
    victims = guest.victims(4)
    before = len(guest.ras()['host-poisoned'])
    guest.qemu.qmp('stop')
    host.poison([victim.pa[0] for victim in victims])
    guest.wait_until(lambda: len(guest.ras()['host-poisoned']) >=
                     before + len(victims), 'host-poisoned')
    guest.qemu.qmp('cont')
    for victim in victims:
        victim.tell('load')
        oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
    guest.check_alive()
