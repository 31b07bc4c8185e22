# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: errors that one guest survives, one after another."""

import pytest

from ras import cases
from ras.guest import Guest
from ras.targets import BUS_MCEERR_AR

MACHINE = 'ppc64'

# Guest physical address behind which nothing answers.
NOWHERE = 0x100000000000


class TestUserHits(cases.UserHits):
    """See ras/cases.py."""


class TestNothingThere(cases.Case):
    """Accesses to an address behind which nothing answers."""

    @pytest.mark.parametrize('access', ['load', 'store'])
    def test_process_is_told(self, guest: Guest, access: str) -> None:
        """A machine check with a log, for the process that did it."""
        victim = guest.spawn(memory='device', address=NOWHERE, cpu=1)
        account = guest.account()
        victim.tell(f'{access} 0 16')
        assert victim.sigbus().code == BUS_MCEERR_AR
        account.settle(acknowledged=1)
        event = account.events('acknowledged')[0]
        assert event['origin'] == 'access' and event['class'] == 'bus'
        assert event['virtual-address'] == victim.va + 16
        assert event['access'] == access and 'address' not in event
        victim.kill()
        guest.check_alive()


class TestBursts(cases.Bursts):
    """See ras/cases.py."""


class TestKernelHits(cases.KernelHits):
    """See ras/cases.py."""
