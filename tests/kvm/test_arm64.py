# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: the host's memory fails under a guest.

Each test runs with both inner QEMUs.  What stock does is known, and not ours
to decide: where it loses the guest the test is expected to fail, and what was
seen is reported.
"""

import time
from typing import Callable, List, Optional, Sequence

import pytest

from lab import GuestLost, Host, KvmGuest
from ras.guest import PAGE, Account, Exit, Victim
from ras.oracles import Oracle
from ras.targets import BUS_MCEERR_AR

# Exit status of a victim whose SIGBUS handler ran (functional/guest/agent.h).
HANDLED = Exit(43, 0)


def pages_of(victims: Sequence[Victim]) -> List[int]:
    """Guest physical addresses of the pages of these victims."""
    return [victim.pa[0] for victim in victims]


def check_signal(victim: Victim) -> None:
    """The victim was told that its page is lost, and where."""
    seen = victim.sigbus()
    assert seen.code == BUS_MCEERR_AR
    assert seen.address // PAGE == victim.va // PAGE
    assert seen.lsb == 12
    assert seen.pc == victim.load_pc


def account_of(guest: KvmGuest) -> Optional[Account]:
    """Start to keep accounts, if this QEMU does."""
    return guest.account() if guest.flavour == 'ras' else None


def check_account(guest: KvmGuest, account: Optional[Account],
                  victims: Sequence[Victim]) -> None:
    """The guest has read an error record for the page of each victim."""
    if account is not None:
        account.settle(acknowledged=len(victims))
        errors = account.events('acknowledged')
        assert {error['address'] // PAGE * PAGE for error in errors} == \
            set(pages_of(victims))
        assert {error['origin'] for error in errors} == {'sigbus'}
        assert set(pages_of(victims)) <= {
            entry['address'] for entry in guest.ras()['host-poisoned']}


def check_control(control: Victim, before: int) -> None:
    """A process that has nothing to do with it still runs, with its data."""
    now = control.count()
    assert now['count'] > before
    assert now['bad'] == 0


def test_lab_knows_where_guest_memory_is(host: Host, guest: KvmGuest) -> None:
    """An address that "where" gives is that of the victim's page."""
    victim, = guest.victims(1)
    at = host.where([victim.pa[0]])[0]
    seen = host.qemu.hmp(f'xp /1xg {at:#x}').split()[-1]
    answer = victim.ask('load', 'done load ')
    assert f'value={seen}' in answer.split()
    victim.tell('exit')
    assert victim.wait_exit() == Exit(0, 0)


def test_one_page(host: Host, guest: KvmGuest) -> None:
    """The process that touches the page gets SIGBUS; all else lives."""
    control = guest.spawn_control()
    victim, = guest.victims(1)
    counted = control.count()['count']
    account, mark = account_of(guest), guest.console.mark()

    host.poison([victim.pa[0]])
    victim.tell('load')
    guest.wait_sigbus([victim])

    check_signal(victim)
    guest.console.wait(Oracle.retired_line(victim.pa[0]), mark,
                       60 * guest.factor)
    check_account(guest, account, [victim])
    assert victim.end_after_sigbus() == HANDLED
    check_control(control, counted)
    control.kill()
    guest.check_alive()
    guest.check_not_lost()


def test_pages_of_64_processes_at_once(
        host: Host, guest: KvmGuest, request: pytest.FixtureRequest,
        report: Callable[[str], None]) -> None:
    """64 processes on 4 vCPUs touch their 64 bad pages at the same time."""
    if guest.flavour == 'stock':
        request.node.add_marker(pytest.mark.xfail(
            raises=GuestLost, strict=False,
            reason='stock aborts when errors come faster than they are read'))
    control = guest.spawn_control()
    victims = guest.victims(64)
    counted = control.count()['count']
    account = account_of(guest)

    host.poison(pages_of(victims))
    begun = time.monotonic()
    what = f'{guest.flavour}: 64 pages, 64 processes, 4 vCPUs at once: '
    try:
        guest.tell(victims, 'load meet', answer=False)
        guest.wait_sigbus(victims)
    except GuestLost as lost:
        guest.damaged = True
        report(what + str(lost))
        raise
    report(what + f'all told in {time.monotonic() - begun:.1f} s')

    check_account(guest, account, victims)
    for victim in victims:
        check_signal(victim)
        assert victim.end_after_sigbus() == HANDLED
    check_control(control, counted)
    control.kill()
    guest.check_alive()
    guest.check_not_lost()
