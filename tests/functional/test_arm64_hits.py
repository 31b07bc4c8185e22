# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: errors that one guest survives, one after another."""

import pytest

from ras import cases
from ras.guest import Guest
from ras.oracles import Oracle

MACHINE = 'arm64'


class TestUserHits(cases.UserHits):
    """See ras/cases.py."""


class TestBursts(cases.Bursts):
    """See ras/cases.py."""


class TestKernelHits(cases.KernelHits):
    """See ras/cases.py."""


class TestAarch32(cases.Case):
    """The process runs in AArch32 state."""

    @pytest.mark.parametrize('access', ['load', 'store', 'fetch'])
    def test_user_access(self, guest: Guest, oracle: Oracle,
                         access: str) -> None:
        """It is told as any other."""
        memory = 'code' if access == 'fetch' else 'anon'
        victim = guest.spawn(aarch32=1, memory=memory)
        assert victim.va < 1 << 32
        account, mark = guest.account(), guest.console.mark()
        guest.inject(victim.pa[0])
        victim.tell(access)
        cases.check_user_hit(guest, oracle, cases.hit_of(victim, access),
                             victim, account, mark)
