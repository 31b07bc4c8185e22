# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that move between two releases of QEMU."""

from typing import Any, Dict

import pytest

from . import environment
from .cases import Case, check_console
from .guest import Guest
from .migration import Way, file, move, precopy, snapshot
from .moves import Moves
from .oracles import Oracle
from .targets import Target

# The ending of the variables that name builds of the other release.
SUFFIX = '_OTHER'

# Releases, and the endings of their variables; the older one comes first.
_BASES = sorted(
    ([int(part) for part in release.split('.')], release, suffix)
    for release, suffix in (
        (environment.setting('RAS_BASE', '0'), ''),
        (environment.setting('RAS_OTHER_BASE', '0'), SUFFIX)))
_OLDER, _NEWER = (suffix for _, _, suffix in _BASES)

# Options of guests: with guest RAS there and here; from stock to guest RAS.
OURS: Dict[str, Any] = {'builds': ('', SUFFIX)}
FROM_OLDER_STOCK: Dict[str, Any] = {'stock_build': _OLDER, 'builds': (_NEWER,)}
FROM_NEWER_STOCK: Dict[str, Any] = {'stock_build': _NEWER, 'builds': (_OLDER,)}


def machine(target: Target) -> str:
    """The machine type of the older release, which both have."""
    return f'{target.machine}-{_BASES[0][1]}'


class OtherBase(Moves):
    """One way after the other: there, back, and there again."""

    @pytest.fixture(params=[precopy, file, snapshot],
                    ids=['precopy', 'file', 'snapshot'])
    def way(self, request: pytest.FixtureRequest) -> Way:
        """Releases differ in what is sent, and not in how."""
        way: Way = request.param
        return way


class Reports(Case):
    """Errors that no vCPU has consumed."""

    def test_reports(self, guest: Guest, oracle: Oracle) -> None:
        """There, and back; the guest is told on the other side."""
        for _ in range(2):
            victim = guest.spawn(memory='file')
            account, mark = guest.account(), guest.console.mark()
            guest.qemu.qmp('stop')
            guest.inject(victim.pa[0], mode='report')
            before = guest.ras()
            assert len(before['queue']) == 1
            move(guest)
            assert guest.ras() == before
            guest.qemu.qmp('cont')
            check_console(guest, mark, [oracle.retired_line(victim.pa[0])])
            account.settle(acknowledged=1)
            victim.kill()
        guest.check_alive()
