# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests under KVM check, and how they let memory be touched."""

import contextlib
import time
from typing import Callable, Iterator, List, Optional, Sequence

import pytest

from lab import GuestLost, Host, KvmGuest
from ras.cases import HANDLED, hit_of, stop_spinning
from ras.guest import PAGE, Account, Exit, Victim
from ras.oracles import oracle_for

HUGE = 2 << 20


def expect_loss(request: pytest.FixtureRequest, reason: str) -> None:
    """This test loses the guest of stock, always: it fails if that lives."""
    request.node.add_marker(pytest.mark.xfail(
        raises=GuestLost, strict=True, reason=reason))


@contextlib.contextmanager
def stock_may_be_lost(guest: KvmGuest) -> Iterator[None]:
    """Stock may lose the guest or not, as times have it: neither is a failure.

    What happened is in the report, from Patients.touch().
    """
    try:
        yield
    except GuestLost:
        if guest.flavour != 'stock':
            raise


def check_where(host: Host, guest: KvmGuest) -> None:
    """An address that "where" gives is that of the victim's page."""
    victim, = guest.victims(1)
    at = host.where([victim.pa[0]])[0]
    seen = host.qemu.hmp(f'xp /8xb {at:#x}').split()[1:]
    value = int.from_bytes([int(byte, 0) for byte in seen], 'little')
    answer = victim.ask('load', 'done load ')
    assert f'value={value:#x}' in answer.split()
    victim.tell('exit')
    assert victim.wait_exit() == Exit(0, 0)


def free_huge_page(guest: KvmGuest) -> int:
    """2 MiB that the guest does not use, or it would hit its own kernel."""
    pages = HUGE // PAGE
    for address in range(0x60000000, 0x70000000, HUGE):
        # 64 bits for each page (Linux, admin-guide/mm/pagemap): bit 10, BUDDY
        free = guest.agent.run(
            f'dd if=/proc/kpageflags bs={pages * 8} skip={address // HUGE} '
            "count=1 2>/dev/null | hexdump -v -e '2/4 \"%08x \" \"\\n\"' | "
            "grep -c '^.....[4-7c-f]'")
        if free.output.strip() == str(pages):
            return address
    raise AssertionError('the guest uses all of its memory')


def pages_of(victims: Sequence[Victim]) -> List[int]:
    """Guest physical addresses of the pages of these victims."""
    return [victim.pa[0] for victim in victims]


class Patients:
    """Victims with a page each, and a control process beside them."""

    def __init__(self, guest: KvmGuest, count: int) -> None:
        self.guest = guest
        self.oracle = oracle_for(guest.target)
        self.control = guest.spawn_control()
        self.victims = guest.victims(count)
        self.pages = pages_of(self.victims)
        self._counted = self.control.count()['count']
        self._account: Optional[Account] = None
        # Stock keeps no accounts.
        if guest.flavour == 'ras':
            self._account = guest.account()

    def moved(self) -> None:
        """The guest has moved: its counters have not, and begin anew."""
        self._account = self.guest.account()

    def touch(self, report: Callable[[str], None]) -> None:
        """All load from their pages at once, and wait for their signals."""
        begun = time.monotonic()
        try:
            # The guest may be unable to answer.
            self.guest.tell(self.victims, 'load meet', answer=False)
            self.guest.wait_sigbus(self.victims)
        except GuestLost as lost:
            self.guest.damaged = True
            report(str(lost))
            raise
        report(f'SIGBUS for {len(self.victims)} of {len(self.victims)} after '
               f'{time.monotonic() - begun:.1f} s')

    def check(self, origin: str, release: bool = True) -> None:
        """Each victim was told of its own page; nobody else was hit.

        @release: let the victims and their pages go; if not, the guest is not
        to be used any more.
        """
        for victim in self.victims:
            self.oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
        if self._account is not None:
            self._check_account(self._account, origin)
        if release:
            for victim in self.victims:
                assert victim.end_after_sigbus() == HANDLED
        else:
            self.guest.damaged = True
        now = self.control.count()
        assert now['count'] > self._counted
        assert now['bad'] == 0
        self.control.kill()
        self.guest.check_alive()
        self.guest.check_not_lost()

    def _check_account(self, account: Account, origin: str) -> None:
        """The guest has read a record for each page, and for no other."""
        account.settle(acknowledged=len(self.victims))
        errors = account.events('acknowledged')
        assert {error['address'] // PAGE * PAGE for error in errors} == \
            set(self.pages)
        assert {error['origin'] for error in errors} == {origin}


def move_with_errors(guest: KvmGuest, snapshot: bool = False,
                     entered: Sequence[int] = ()) -> None:
    """Move a guest that stands still; all of query-ras moves with it.

    @entered: vCPUs that the kernel lets take their SErrors when they arrive.
    """
    before = guest.ras()
    guest.move(snapshot)
    for kind in 'queue', 'serrors':
        before[kind] = [each for each in before[kind]
                        if each['vcpu'] not in entered]
    before['counters']['in-flight'] -= len(entered)
    before['counters']['delivered'] += len(entered)
    for error in before['queue']:
        if error['state'] == 'notified':
            # How is not in the migration stream.
            error['delivery'] = 'notified before the VM state was loaded'
    assert guest.ras() == before


def check_move_of_parked(guest: KvmGuest, notified: bool,
                         report: Callable[[str], None]) -> None:
    """Errors of all vCPUs but one move; there each process gets its signal.

    @notified: the first is told of before the move; or none.
    """
    oracle = oracle_for(guest.target)
    control = guest.spawn_control()
    counted = control.count()['count']
    victims = {vcpu: guest.spawn(cpu=vcpu) for vcpu in range(1, guest.smp)}
    account, seen = guest.account(), guest.agent.stream.mark()
    # What does not end well ends with this guest.
    guest.damaged = True
    stop_spinning(guest, oracle, victims)
    for vcpu, victim in victims.items():
        guest.inject(victim.pa[0], mode='consume', vcpu=vcpu,
                     virtual_address=victim.va)
    assert sorted(guest.ras()['parked']) == list(victims)
    if notified:
        guest.qemu.qmp('cont')
        account.wait('notified')
        guest.qemu.qmp('stop')
    before = guest.ras()
    states = [error['state'] for error in before['queue']]
    report(f'moves with {states}, parked: {before["parked"]}')
    assert 'queued' in states and before['parked']
    if not notified:
        assert states == ['queued'] * len(victims)
        assert not guest.agent.lines('sigbus ', seen)
    move_with_errors(guest)
    guest.qemu.qmp('cont')
    guest.wait_sigbus(list(victims.values()))
    for victim in victims.values():
        oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'spin'))
    account.settle(acknowledged=len(victims))
    now = control.count()
    assert now['count'] > counted and now['bad'] == 0
    # Elsewhere the guest's kernel may retire the pages later, from whoever
    # has got them by then.
    if not oracle.needs_next_error:
        for victim in victims.values():
            assert victim.end_after_sigbus() == HANDLED
        control.kill()
        guest.check_alive()
        guest.damaged = False
    guest.check_not_lost()
