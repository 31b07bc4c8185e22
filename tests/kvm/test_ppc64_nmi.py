# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: machine checks of a guest that KVM passes on.

The outer QEMU poisons a page of its own RAM that is behind a page of the guest.
The guest's access is a machine check of the host's hypervisor call that runs
it, and KVM_EXIT_NMI for the inner QEMU.
"""

from typing import Callable

import pytest

from checks import Patients, check_where
from lab import Host, KvmGuest
from ras.cases import HANDLED, hit_of
from ras.oracles import Oracle, oracle_for

HOST = 'ppc64'

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
    taken = account.wait('taken')[0]
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
    else:
        # Linux may keep some of them in use (docs/ppc.rst).
        host.mend_memory()
    assert account.delta()['taken'] >= count
    patients.check('kvm-nmi')


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
    assert other.end_after_sigbus() == HANDLED
    assert control.count()['bad'] == 0
    guest.check_alive()
    guest.check_not_lost()


@only_stock
def test_stock_goes_round(host: Host, guest: KvmGuest,
                          report: Callable[[str], None]) -> None:
    """Stock believes KVM that all is well: the access is tried for ever."""
    guest.damaged = True
    victim, = guest.victims(1)
    account = host.account()
    host.break_memory([victim.pa[0]])
    guest.tell([victim], 'load', answer=False)
    account.wait('taken', 20)
    report(f'{account.delta()["taken"]} machine checks of one access, '
           'no signal')
    assert not guest.agent.lines(rf'^\* victim {victim.id} sigbus ')
    assert not victim.has_exited()
