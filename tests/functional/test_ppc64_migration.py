# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: guests that move while errors are under way."""

import re
from typing import Callable

import pytest

from ras import cases, environment, moves
from ras.agent import fields
from ras.gdb import Gdb
from ras.guest import Guest
from ras.migration import move
from ras.stream import StreamTimeout

MACHINE = 'ppc64'


class TestMoves(moves.Moves):
    """See ras/moves.py."""


class TestRoundTrips(moves.RoundTrips):
    """See ras/moves.py."""


class TestInterrupts(cases.Case):
    """Interrupts that a vCPU has not taken when it moves."""

    # What "info pic" says of an interrupt that vCPU 0 has not taken.
    PENDING = r'CPU 0 XIRR=..(?!000000)|CPU\[0000\]: +OS +80'

    def move_with_command(self, guest: Guest, stock: bool) -> int:
        """Move with a command that vCPU 0 was only interrupted for.

        Returns a mark before the answer.
        """
        with Gdb(guest) as gdb:
            # One that is just serving the device is not interrupted again.
            gdb.stop_halted(0)
            gdb.continue_only(1)
            mark = guest.agent.stream.mark()
            guest.agent.send('run echo woken')
            guest.qemu.wait_events(
                lambda: bool(re.search(self.PENDING,
                                       guest.qemu.hmp('info pic'))),
                'an interrupt', 10 * guest.factor)
            guest.qemu.qmp('stop')
            move(guest, stock=stock)
        guest.qemu.qmp('cont')
        return mark

    # "dual" is the default: which one it is, the destination learns late.
    @pytest.mark.parametrize('controller', ['xics', 'xive', 'dual'])
    def test_interrupt(self, new_guest: Callable[..., Guest],
                       controller: str) -> None:
        """It is taken on the other side."""
        guest = new_guest(
            extra_args=['-machine', f'ic-mode={controller}']).boot()
        for _ in range(2):
            mark = self.move_with_command(guest, stock=False)
            guest.agent.wait_line('woken', mark)

    @pytest.mark.parametrize('controller', ['xics', 'xive'])
    def test_stock_loses_it(self, new_guest: Callable[..., Guest],
                            controller: str) -> None:
        """The guest is silent, unless something else wakes the vCPU."""
        guest = new_guest(
            stock=True,
            extra_args=['-machine', f'ic-mode={controller}']).boot()
        for _ in range(5):
            mark = self.move_with_command(guest, stock=True)
            try:
                guest.agent.wait_line('woken', mark, 5)
            except StreamTimeout:
                return
        pytest.fail('no interrupt was lost')


class TestStock(moves.Stock):
    """See ras/moves.py; with one vCPU, because of what stock does."""

    STOCK_OPTIONS = ('-smp', '1')

    def test_stock_loses_interrupts(
            self, new_guest: Callable[..., Guest]) -> None:
        """A guest that moves to stock loses all vCPUs but one."""
        if environment.release() >= (10, 2):
            pytest.skip('this release tells the other side which vCPUs are '
                        'stopped (see test_ppc64_stock.py)')
        guest = new_guest(stock=True).boot()
        move(guest, stock=True)
        guest.qemu.qmp('cont')
        # Nothing wakes the vCPU, once it is idle.
        for _ in range(20):
            mark = guest.agent.stream.mark()
            guest.agent.send('spawn cpu=1')
            try:
                guest.agent.command('ping')
                guest.agent.wait_line(r'^\* victim \d+ ready', mark, 5)
            except StreamTimeout:
                break
        else:
            pytest.fail('the vCPU is woken')
        # Guest RAS knows that it runs, and it does.
        move(guest)
        guest.qemu.qmp('cont')
        guest.agent.wait_line(r'^\* victim \d+ ready', mark)


class TestStorm(cases.Case):
    """A thousand errors."""

    def test_machine_checks(self, guest: Guest) -> None:
        """Of both vCPUs; the guest moves in the middle, four times."""
        guest.damaged = True
        in_the_middle = 0
        for number in range(20):
            # On a busy machine a storm may be over before QEMU is told to
            # stop.
            if number >= 4 and in_the_middle:
                break
            victims = [guest.spawn(cpu=number % 2, pages=50)
                       for number in range(5)]
            account = guest.account()
            for victim in victims:
                for page in victim.pa:
                    guest.inject(page)
            guest.tell(victims, 'sweep')
            account.wait('acknowledged', 10)
            guest.qemu.qmp('stop')
            move(guest)
            in_the_middle += len(account.events('accepted')) < 250
            guest.qemu.qmp('cont')
            moves.settle_storm(guest, account, 250)
            for victim in victims:
                swept = fields(victim.wait('swept '))
                assert (swept['hits'], swept['wrong']) == ('50', '0')
            for entry in guest.poisoned():
                guest.unpoison(entry['address'], entry['length'])
        assert in_the_middle
        guest.check_alive()
