# SPDX-License-Identifier: GPL-2.0-or-later
"""Test cases of guests that move; written once for all machines.

See cases.py.  A guest that moves with an error must not see a difference: the
checks are those of a guest that stays.
"""

import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import pytest

from . import environment, migration
from .cases import (HANDLED, Case, Parking, check_console, check_user_hit,
                    drain_errors, hit_of, stop_spinning)
from .guest import Account, Guest, Victim
from .migration import WAYS, Way, move
from .oracles import Oracle
from .targets import Target

# Round trips: more of them in "make check-long".
ROUNDS = int(os.environ.get('RAS_MIGRATION_ROUNDS', '3'))


class Moving(Case):
    """What all cases of moves use."""

    @pytest.fixture
    def control(self, guest: Guest) -> Iterator[Victim]:
        """A process that counts: it must neither stop nor lose memory."""
        control = guest.spawn_control()
        before = control.count()
        yield control
        after = control.count()
        assert after['count'] > before['count']
        assert after['bad'] == 0
        control.kill()


class Moves(Moving, Parking):
    """Moved at each step of the life of an error, in each way."""

    @pytest.fixture(params=WAYS.values(), ids=list(WAYS))
    def way(self, request: pytest.FixtureRequest) -> Way:
        """One of them."""
        way: Way = request.param
        return way

    @pytest.fixture
    def guest(self, patient_guest: Guest) -> Guest:
        """A guest whose records are never reclaimed for their age."""
        return patient_guest

    def test_queued(self, guest: Guest, oracle: Oracle, control: Victim,
                    way: Way) -> None:
        """The vCPU is parked; elsewhere it takes its error."""
        victim = guest.spawn(cpu=1)
        account, mark = guest.account(), guest.console.mark()
        stop_spinning(guest, oracle, {1: victim})
        number = guest.inject(victim.pa[0], mode='consume', vcpu=1,
                              virtual_address=victim.va)['id']
        before = guest.ras()
        assert before['parked'] == [1]
        move(guest, way)
        if way is not migration.postcopy:
            assert guest.ras() == before
            guest.qemu.qmp('cont')
        oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'spin'))
        check_console(guest, mark, [oracle.retired_line(victim.pa[0])])
        account.settle(acknowledged=1)
        assert {event['id'] for event in account.events()} == {number}
        assert victim.end_after_sigbus() == HANDLED
        guest.check_alive()
        guest.damaged = False

    def test_notified_and_parked(
            self, guest: Guest, oracle: Oracle, control: Victim,
            parked: Tuple[int, int, Dict[int, Victim], Account],
            way: Way) -> None:
        """One has its record and has not acknowledged, the other waits."""
        _, other, victims, account = parked
        source = guest.qemu
        source.qmp('stop')
        before = guest.ras()
        assert before['parked'] == [other]
        assert [error['state'] for error in before['queue']] == \
            ['notified', 'queued']
        move(guest, way)
        if way is not migration.postcopy:
            after = guest.ras()
            assert after['parked'] == before['parked']
            assert after['poisoned'] == before['poisoned']
            assert after['counters'] == before['counters']
            assert after['sources'] == before['sources']
            guest.qemu.qmp('cont')
        for victim in victims.values():
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'load'))
        account.settle(acknowledged=2)
        drain_errors(guest, oracle)
        for victim in victims.values():
            assert victim.end_after_sigbus() == HANDLED
        # What stock says then is not so.
        assert not [line for line in source.output()
                    if 'machine check is being handled' in line]
        guest.check_alive()
        guest.damaged = False


class RoundTrips(Moving):
    """Moved again and again, while the guest is at work."""

    @pytest.fixture
    def guest(self, patient_guest: Guest) -> Guest:
        """A guest that may take its time on a busy machine."""
        return patient_guest

    def test_round_trips(self, guest: Guest, oracle: Oracle,
                         control: Victim) -> None:
        """An error at each move; all of them arrive, once."""
        guest.damaged = True
        before = guest.counters()['accepted']
        for number in range(2 * ROUNDS):
            vcpu = number % 2
            victim = guest.spawn(cpu=vcpu)
            account = guest.account()
            stop_spinning(guest, oracle, {vcpu: victim})
            guest.inject(victim.pa[0], mode='consume', vcpu=vcpu,
                         virtual_address=victim.va)
            move(guest)
            guest.qemu.qmp('cont')
            oracle.check_sigbus(victim.sigbus(), hit_of(victim, 'spin'))
            account.settle(acknowledged=1)
            assert victim.end_after_sigbus() == HANDLED
        assert guest.counters()['accepted'] == before + 2 * ROUNDS
        guest.check_alive()
        guest.damaged = False

    def test_loaded_again(self, guest: Guest, oracle: Oracle,
                          tmp_path: Path) -> None:
        """savevm, and loadvm twice: the same error each time."""
        guest.damaged = True
        victim = guest.spawn(cpu=1)
        stop_spinning(guest, oracle, {1: victim})
        guest.inject(victim.pa[0], mode='consume', vcpu=1,
                     virtual_address=victim.va)
        before = guest.ras()
        disk = tmp_path / 'disk'
        migration.save_snapshot(guest.qemu, disk)
        for _ in range(2):
            account = len(guest.qemu.events)
            mark = guest.agent.stream.mark()
            guest.qemu.qmp('cont')
            victim.wait('sigbus ', 60, mark)
            guest.qemu.wait_events(
                lambda: any(
                    event['event'] == 'RAS_ERROR' and
                    event['data']['error']['state'] == 'acknowledged'
                    for event in guest.qemu.events[account:]),
                'acknowledged', 60 * guest.factor)
            guest.qemu.qmp('stop')
            assert guest.ras()['counters']['acknowledged'] == \
                before['counters']['acknowledged'] + 1
            migration.load_snapshot(guest.qemu, disk)
            assert guest.ras() == before
        guest.qemu.qmp('cont')
        assert victim.end_after_sigbus() == HANDLED
        guest.check_alive()
        guest.damaged = False

    def test_poison_moves(self, guest: Guest, oracle: Oracle) -> None:
        """Moved while it runs; then a process touches the page."""
        guest.damaged = True
        victim = guest.spawn()
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        move(guest)
        guest.qemu.qmp('cont')
        victim.tell('load 0 24')
        check_user_hit(guest, oracle, hit_of(victim, 'load', 0, 24), victim,
                       account, mark)
        guest.check_alive()
        guest.damaged = False


class Stock(Case):
    """To QEMU without guest RAS, and back."""

    STOCK_OPTIONS: Sequence[str] = ()
    # Those of another base (other_base.py).
    BUILDS: Dict[str, Any] = {}

    @pytest.fixture(autouse=True)
    def needs_stock(self, target: Target) -> None:
        """A build of the base."""
        if not environment.has(target.stock_variable +
                               self.BUILDS.get('stock_build', '')):
            pytest.skip('there is no build of the base')

    def test_stock_and_back(self, new_guest: Callable[..., Guest],
                            oracle: Oracle) -> None:
        """Booted there; its errors are told here, after each move.

        As long as there is an error, stock refuses the guest, which goes on.
        """
        guest = new_guest(stock=True, extra_args=self.STOCK_OPTIONS,
                          **self.BUILDS).boot()
        control = guest.spawn_control()
        for way in (migration.precopy, migration.snapshot):
            victim = guest.spawn()
            move(guest, way)
            guest.qemu.qmp('cont')
            account, mark = guest.account(), guest.console.mark()
            guest.inject(victim.pa[0])
            with pytest.raises(AssertionError, match='failed'):
                move(guest, stock=True)
            guest.qemu.wait_events(
                lambda: guest.qemu.qmp('query-status')['running'],
                'the guest goes on', 60 * guest.factor)
            victim.tell('load 0 24')
            check_user_hit(guest, oracle, hit_of(victim, 'load', 0, 24),
                           victim, account, mark)
            assert guest.poisoned() == []
            move(guest, way, stock=True)
            guest.qemu.qmp('cont')
            guest.check_alive()
            assert control.count()['bad'] == 0


def settle_storm(guest: Guest, account: Account, count: int) -> None:
    """A storm in which the guest moved: nothing twice, nothing lost."""
    account.settle(acknowledged=count, timeout=180)
    delta = account.delta()
    assert delta['accepted'] == delta['recorded'] == delta['notified'] == \
        delta['acknowledged'] == count
    ids: List[int] = [event['id'] for event in account.events('acknowledged')]
    assert sorted(ids) == list(range(min(ids), min(ids) + count))
