# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: who is to get machine checks, and when that changes.

KVM hands them over for the whole life of a VM once the guest has registered a
handler, and forgets that when the VM moves.
"""

from typing import Callable, Iterator

import pytest

from checks import check_move_of_parked, move_with_errors
from lab import Host, KvmGuest
from program import BAD, BAD_TOO, start_program, take, wait_log
from ras.cases import HANDLED, hit_of
from ras.guest import Victim
from ras.oracles import oracle_for

HOST = 'ppc64'

# What QEMU says of each KVM_EXIT_NMI.
EXIT_TRACE = 'ras_kvm_nmi'
# The first instruction of the firmware, and the vector of machine checks.
RESET_ENTRY = 0x100
MCHECK_VECTOR = 0x200
# SRR1 for a fetch from memory that has failed.
CAUSE_MASK, FETCH_UE = 0x083c0000, 0x00040000


@pytest.fixture
def guest(host: Host) -> Iterator[KvmGuest]:
    """A guest of its own."""
    ready = host.start_guest('ras', smp=2)
    ready.damaged = True
    yield ready
    for entry in host.poisoned():
        host.unpoison(entry['address'], entry['length'])


def check_hit(host: Host, guest: KvmGuest, victim: Victim) -> None:
    """The page of a process fails: it gets its signal, with a log."""
    account, exits = guest.account(), len(guest.qemu.trace(EXIT_TRACE))
    host.break_memory([victim.pa[0]])
    victim.tell('load')
    oracle_for(guest.target).check_sigbus(victim.sigbus(),
                                          hit_of(victim, 'load'))
    account.settle(acknowledged=1)
    assert account.events('acknowledged')[0]['origin'] == 'kvm-nmi'
    assert len(guest.qemu.trace(EXIT_TRACE)) > exits
    # Its page may be given to somebody else before Linux takes it out of use.
    host.mend_memory()
    assert victim.end_after_sigbus() == HANDLED
    guest.check_alive()


def test_after_migration(host: Host, guest: KvmGuest) -> None:
    """A machine check after a migration comes with a log, as before it."""
    before, after = guest.victims(2)
    check_hit(host, guest, before)
    guest.move()
    guest.qemu.qmp('cont')
    check_hit(host, guest, after)


def test_migration_of_parked_vcpus(host: Host,
                                   report: Callable[[str], None]) -> None:
    """Machine checks wait for the interlock, which is somewhere else then."""
    # With the time that "cont" takes here.
    guest = host.start_guest('ras', smp=3, extra_args=[
        '-global spapr-ras.reclaim-ms=30000'])
    check_move_of_parked(guest, False, report)


@pytest.mark.parametrize('running, snapshot', [
    (True, False), (False, False), (False, True)],
    ids=['running', 'stopped', 'snapshot'])
def test_move_in_the_handler(host: Host, running: bool,
                             snapshot: bool) -> None:
    """One vCPU owns the log and one is parked; both go on elsewhere.

    In a program, not Linux, which gives its log back at once.
    """
    guest = start_program(host, 'ras', 2, [
        '-global spapr-ras.reclaim-ms=60000'])
    account, mark = guest.account(), guest.console.mark()
    host.break_memory([BAD, BAD_TOO])
    guest.console.send('h')
    guest.console.wait('^hold', mark, 60 * guest.factor)
    account.wait('queued', 2)
    # What moves is the error; the memory has to be read for that.
    host.mend_memory()
    if not running:
        guest.qemu.qmp('stop')
    before = guest.ras()
    assert before['parked'] == [1]
    assert [(error['vcpu'], error['state'], error['address'])
            for error in before['queue']] == \
        [(0, 'notified', BAD), (1, 'queued', BAD_TOO)]
    move_with_errors(guest, snapshot)
    guest.qemu.qmp('cont')

    guest.console.send('i')
    owner, parked = wait_log(guest, mark), wait_log(guest, mark, 2)
    assert (owner.processor, owner.address) == (0, BAD)
    assert (parked.processor, parked.address) == (1, BAD_TOO)
    account.settle(acknowledged=2)
    # KVM here has been told whose business machine checks are.
    exits = len(guest.qemu.trace(EXIT_TRACE))
    host.break_memory([BAD])
    assert take(guest)[:2] == (0, BAD)
    account.settle(acknowledged=3)
    assert len(guest.qemu.trace(EXIT_TRACE)) == exits + 1
    host.mend_memory()


def test_after_reset_nothing_is_registered(host: Host, guest: KvmGuest,
                                           report: Callable[[str], None]
                                           ) -> None:
    """KVM still hands machine checks over: to 0x200, cause in SRR1.

    Here that cannot be fetched either, so the guest is lost, and QEMU says
    so; a reset gets out of that.
    """
    guest.qemu.qmp('stop')
    guest.qemu.qmp('system_reset')
    account = guest.account()
    host.break_memory([0])
    guest.qemu.qmp('cont')
    first = account.wait('delivered')[0]
    assert first['origin'] == 'kvm-nmi' and first['access'] == 'fetch'
    assert first['address'] == first['virtual-address'] == RESET_ENTRY
    assert 'at 0x200' in first['delivery']
    guest.qemu.wait_event('GUEST_PANICKED')
    registers = guest.qemu.hmp('info registers').split()
    report(' '.join(registers[:8]))
    assert int(registers[registers.index('NIP') + 1], 16) == MCHECK_VECTOR
    srr0, srr1 = (int(registers[registers.index(name) + 1], 16)
                  for name in ('SRR0', 'SRR1'))
    assert srr1 & CAUSE_MASK == FETCH_UE
    assert srr0 in (RESET_ENTRY, MCHECK_VECTOR)
    for entry in host.poisoned():
        host.unpoison(entry['address'], entry['length'])
    guest.reset()
    victim, = guest.victims(1)
    check_hit(host, guest, victim)


def test_cap_fwnmi_off(host: Host) -> None:
    """KVM gives the guest the interrupt at 0x200, and QEMU sees nothing."""
    guest = host.start_guest('ras', smp=2,
                             extra_args=['-machine cap-fwnmi=off'])
    guest.damaged = True
    victim, = guest.victims(1)
    account, mark = guest.account(), guest.console.mark()
    host.break_memory([victim.pa[0]])
    victim.tell('load')
    guest.console.wait(r'Oops: Machine check, sig: 7', mark,
                       60 * guest.factor)
    assert account.delta()['accepted'] == 0
    assert not guest.qemu.trace(EXIT_TRACE)
    for entry in host.poisoned():
        host.unpoison(entry['address'], entry['length'])
    guest.check_alive()
