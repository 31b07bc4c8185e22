# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: guests that move to another release of QEMU, and back."""

from typing import Callable

import pytest

from ras import cases, moves, other_base
from ras.guest import Guest
from ras.migration import move
from ras.oracles import Oracle
from ras.targets import PPC64

MACHINE = 'ppc64'
OLDER = ['-machine', f'type={other_base.machine(PPC64)}']
PATIENT_OPTIONS = {**other_base.OURS, 'extra_args': OLDER}

pytestmark = pytest.mark.needs('RAS_OTHER_BASE')


class TestMoves(other_base.OtherBase):
    """See ras/moves.py."""


class TestOlderStock(moves.Stock):
    """See ras/moves.py; to guest RAS of the newer release, and back.

    With one vCPU, because of what stock 10.0 does.
    """

    STOCK_OPTIONS = [*OLDER, '-smp', '1']
    BUILDS = other_base.FROM_OLDER_STOCK


class TestNewerStock(cases.Case):
    """To guest RAS of the older release.

    And not back: stock 10.2 and later take an idle boot vCPU of such a machine
    for one that was never started.
    """

    def test_to_older(self, new_guest: Callable[..., Guest],
                      oracle: Oracle) -> None:
        """All vCPUs run there, and errors are told."""
        guest = new_guest(stock=True, extra_args=OLDER,
                          **other_base.FROM_NEWER_STOCK).boot()
        control = guest.spawn_control()
        move(guest)
        guest.qemu.qmp('cont')
        for vcpu in cases.VCPUS:
            victim = guest.spawn(cpu=vcpu)
            account, mark = guest.account(), guest.console.mark()
            guest.inject(victim.pa[0])
            victim.tell('load 0 24')
            cases.check_user_hit(guest, oracle,
                                 cases.hit_of(victim, 'load', 0, 24), victim,
                                 account, mark)
        guest.check_alive()
        assert control.count()['bad'] == 0
