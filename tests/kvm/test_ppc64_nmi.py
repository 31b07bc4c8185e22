# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: machine checks of a guest that KVM passes on.

The outer QEMU poisons a page of its own RAM that is behind a page of the guest.
The guest's access is a machine check of the host's hypervisor call that runs
it, and KVM_EXIT_NMI for the inner QEMU.
"""

from typing import Callable, Iterator

import pytest

from checks import Patients, check_where
from lab import Host, KvmGuest
from ras.cases import HANDLED, hit_of
from ras.guest import Account
from ras.oracles import Oracle, oracle_for

HOST = 'ppc64'

# RAM that the firmware does not use.
UNUSED = 0x10000000

# What is in SRR1 and DSISR when an instruction loads bad memory (POWER9).
SRR1_CAUSES, SRR1_LOAD_STORE = 0x083c0000, 0x00200000
DSISR_UE_LOAD_STORE = 0x8000

# What the host's kernel says of a machine check of its guest.
HOST_LINE = r'Machine Check Exception, Unknown event version 0'

only_ras = pytest.mark.parametrize('flavour', ['ras'], indirect=True)
only_stock = pytest.mark.parametrize('flavour', ['stock'], indirect=True)


def test_lab_knows_where_guest_memory_is(host: Host, guest: KvmGuest) -> None:
    """An address that "where" gives is that of the victim's page."""
    check_where(host, guest)


@only_ras
def test_machine_check_is_the_hypervisors(host: Host, guest: KvmGuest) -> None:
    """The host takes the machine check of its guest, and not the guest."""
    guest.damaged = True
    victim, = guest.victims(1)
    account, mark = host.account(), host.console.mark()
    host.break_memory([victim.pa[0]])
    guest.tell([victim], 'load', answer=False)
    host.console.wait(HOST_LINE, mark, 60 * host.factor)
    taken = account.wait('delivered')[0]
    assert taken['origin'] == 'poison' and taken['access'] == 'load'
    assert taken['address'] == host.where([victim.pa[0]])[0]
    assert taken['virtual-address'] == victim.va
    assert any('to its hypervisor' in line for line in host.qemu.output())
    host.check_alive()


def check_exits(host: Host, guest: KvmGuest, count: int,
                report: Callable[[str], None]) -> None:
    """That many processes touch bad pages and get SIGBUS; all else lives."""
    patients = Patients(guest, count)
    account, mark = host.account(), guest.console.mark()
    host.break_memory(patients.pages)
    patients.touch(report)
    if count == 1:
        guest.console.wait(Oracle.retired_line(patients.pages[0]), mark,
                           60 * guest.factor)
    assert account.delta()['delivered'] >= count
    # The guest's kernel may retire some of the pages at the next error only,
    # from whoever has got them by then (docs/ppc.rst).
    patients.check('kvm-nmi', release=count == 1)


@only_ras
def test_one_process(host: Host, guest: KvmGuest,
                     report: Callable[[str], None]) -> None:
    """One process touches a bad page."""
    check_exits(host, guest, 1, report)


@only_ras
def test_16_processes_at_once(host: Host, guest: KvmGuest,
                              report: Callable[[str], None]) -> None:
    """16 processes on 4 vCPUs touch their 16 bad pages at the same time."""
    check_exits(host, guest, 16, report)


@only_ras
def test_kernel_hit(host: Host, guest: KvmGuest) -> None:
    """The guest's kernel is hit, and oopses; the next error is told."""
    guest.damaged = True
    oracle = oracle_for(guest.target)
    victim = guest.spawn(memory='file', cpu=0)
    other = guest.spawn(cpu=1)
    control = guest.spawn_control()
    account, mark = guest.account(), guest.console.mark()
    host.break_memory([victim.pa[0], other.pa[0]])
    victim.tell('exec')
    assert victim.wait_exit() == oracle.kernel_exit
    for line in oracle.kernel_lines:
        guest.console.wait(line, mark, 60 * guest.factor)
    other.tell('load')
    oracle.check_sigbus(other.sigbus(), hit_of(other, 'load'))
    account.settle(acknowledged=2)
    # Its page may be given to somebody else before Linux takes it out of use.
    host.mend_memory()
    assert other.end_after_sigbus() == HANDLED
    assert control.count()['bad'] == 0
    guest.check_alive()
    guest.check_not_lost()


def enter_firmware(guest: KvmGuest, mark: int) -> None:
    """Wait for the prompt of SLOF, in a guest that was started at @mark."""
    guest.console.wait('Press "s" to enter', mark, 120 * guest.factor)
    guest.console.send('s')
    guest.console.wait('Ready!', mark, 120 * guest.factor)


def check_firmware(host: Host, guest: KvmGuest) -> None:
    """SLOF loads from bad memory; its handler at 0x200 shows why."""
    mark = guest.console.mark()
    host.break_memory([UNUSED])
    guest.console.send(f'{UNUSED:x} @ .\r')
    guest.console.wait(r'\( 200 \) Machine Check', mark, 60 * guest.factor)
    # A heading, then CR, LR, SRR0, DAR; XER, CTR, SRR1, DSISR; nothing.
    heading = guest.console.wait('SRR0 / SRR1', mark, 60 * guest.factor)
    guest.wait_until(lambda: guest.console.since(mark).index(heading) + 3 <
                     len(guest.console.since(mark)), 'registers')
    lines = guest.console.since(mark)
    below = [line.text.split()
             for line in lines[lines.index(heading) + 1:][:2]]
    dar, srr1, dsisr = (int(below[row][column], 16)
                        for row, column in ((0, 3), (1, 2), (1, 3)))
    assert dar == UNUSED
    assert srr1 & SRR1_CAUSES == SRR1_LOAD_STORE
    assert dsisr == DSISR_UE_LOAD_STORE
    host.mend_memory()
    mark = guest.console.mark()
    guest.console.send('6 7 * .\r')
    guest.console.wait('2a  ok', mark, 60 * guest.factor)


def test_never_registered(host: Host, flavour: str) -> None:
    """KVM gives the guest its interrupt at 0x200, and QEMU sees nothing."""
    guest = host.launch_guest(flavour)
    guest.damaged = True
    enter_firmware(guest, 0)
    check_firmware(host, guest)
    if flavour == 'ras':
        assert guest.counters()['accepted'] == 0


@only_ras
def test_registered_before_a_reset(host: Host, guest: KvmGuest) -> None:
    """KVM still passes it on; QEMU enters 0x200, with the cause."""
    guest.damaged = True
    mark, account = guest.console.mark(), guest.account()
    guest.qemu.qmp('system_reset')
    enter_firmware(guest, mark)
    check_firmware(host, guest)
    account.settle(delivered=1)
    taken = account.events('delivered')[0]
    assert taken['origin'] == 'kvm-nmi' and 'at 0x200' in taken['delivery']
    assert taken['address'] == taken['virtual-address'] == UNUSED


@pytest.fixture
def patient_guest(host: Host) -> Iterator[KvmGuest]:
    """A guest of its own, that gets the time that "cont" takes here."""
    made = host.start_guest('ras', extra_args=[
        '-global spapr-ras.reclaim-ms=30000'])
    made.damaged = True
    yield made
    host.mend_memory()


def stop_in_a_burst(host: Host, patients: Patients, account: Account,
                    report: Callable[[str], None]) -> int:
    """Stop the VM while errors are under way; how many there are."""
    guest = patients.guest
    host.break_memory(patients.pages)
    guest.tell(patients.victims, 'load meet', answer=False)
    account.wait('accepted')
    guest.qemu.qmp('stop')
    info = guest.ras()
    report(f'{len(info["queue"])} under way, {len(info["parked"])} parked')
    assert account.delta()['acknowledged'] < len(patients.victims)
    return len(info['queue'])


def test_stop_in_a_burst(host: Host, patient_guest: KvmGuest,
                         report: Callable[[str], None]) -> None:
    """The VM is stopped while vCPUs wait, and goes on: nothing is lost."""
    guest = patient_guest
    patients = Patients(guest, 16)
    stop_in_a_burst(host, patients, guest.account(), report)
    guest.qemu.qmp('cont')
    guest.wait_sigbus(patients.victims)
    patients.check('kvm-nmi', release=False)


def test_reset_in_a_burst(host: Host, patient_guest: KvmGuest,
                          report: Callable[[str], None]) -> None:
    """The VM is reset while vCPUs wait; the next error is told as ever."""
    guest = patient_guest
    patients, account = Patients(guest, 16), guest.account()
    waiting = stop_in_a_burst(host, patients, account, report)
    # Or QEMU itself is hit, when it writes the kernel into it.
    host.mend_memory()
    guest.reset()
    delta = account.delta()
    assert delta['discarded'] == waiting
    assert delta['acknowledged'] == delta['accepted'] - waiting
    account.check_lives()
    check_exits(host, guest, 1, report)


@only_stock
def test_stock_goes_round(host: Host, guest: KvmGuest,
                          report: Callable[[str], None]) -> None:
    """Stock believes KVM that all is well: the access is tried for ever."""
    guest.damaged = True
    victim, = guest.victims(1)
    account = host.account()
    host.break_memory([victim.pa[0]])
    guest.tell([victim], 'load', answer=False)
    account.wait('delivered', 20)
    report(f'{account.delta()["delivered"]} machine checks of one access, '
           'no signal')
    assert not guest.agent.lines(rf'^\* victim {victim.id} sigbus ')
    assert not victim.has_exited()
