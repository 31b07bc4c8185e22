# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: guests that move while errors are under way."""

from typing import List

import pytest

from ras import cases, moves
from ras.guest import Guest
from ras.migration import move

MACHINE = 'arm64'
GUEST_OPTIONS = {'extra_args': ['-machine', 'ras-ghes=on']}


class TestMoves(moves.Moves):
    """See ras/moves.py; in the layout of QEMU 10.0."""


class TestRoundTrips(moves.RoundTrips):
    """See ras/moves.py; with ras-ghes=on."""


class TestStock(moves.Stock):
    """See ras/moves.py."""


class TestStorm(cases.Case):
    """A thousand errors that no vCPU has consumed."""

    @pytest.mark.parametrize('severity', ['corrected', 'recoverable'])
    def test_reports(self, guest: Guest, severity: str) -> None:
        """The guest moves in the middle; each page is taken once."""
        guest.damaged = True
        count = 1000
        pages: List[int] = [page for _ in range(20)
                            for page in guest.spawn(pages=50).pa]
        before = guest.corrupted()
        account, mark = guest.account(), guest.console.mark()
        for page in pages[:500]:
            guest.inject(page, mode='report', severity=severity)
        account.wait('acknowledged', 10)
        guest.qemu.qmp('stop')
        for page in pages[500:]:
            guest.inject(page, mode='report', severity=severity)
        move(guest)
        assert len(guest.ras()['queue']) >= 500
        guest.qemu.qmp('cont')
        moves.settle_storm(guest, account, count)
        guest.console_sync()
        # Linux may have no room in its own queue, if its CPU is not run.
        dropped = len(guest.console.matching(
            'buffer overflow when queuing memory failure', mark))
        assert dropped < count // 20
        guest.wait_corrupted(before + (count - dropped
                                       if severity == 'recoverable' else 0))
        assert not [line for line in guest.console.since(mark)
                    if 'already poisoned' in line.text]
        assert guest.agent.run('echo alive').output == 'alive\n'
