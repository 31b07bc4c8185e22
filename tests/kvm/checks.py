# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests under KVM check, and how they let memory be touched."""

import time
from typing import Callable, List, Optional, Sequence

import pytest

from lab import GuestLost, Host, KvmGuest
from ras.cases import HANDLED, hit_of
from ras.guest import PAGE, Account, Exit, Victim
from ras.oracles import oracle_for


def expect_loss(request: pytest.FixtureRequest, reason: str) -> None:
    """This test may lose the guest: a comparison, and not a failure."""
    request.node.add_marker(pytest.mark.xfail(
        raises=GuestLost, strict=False, reason=reason))


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

    def check(self, origin: str) -> None:
        """Each victim was told of its own page; nobody else was hit."""
        for victim in self.victims:
            self.oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
        if self._account is not None:
            self._check_account(self._account, origin)
        for victim in self.victims:
            assert victim.end_after_sigbus() == HANDLED
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
