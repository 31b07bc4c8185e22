# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that move between two releases of QEMU."""

from typing import Any, Callable, Dict

import pytest

from . import environment
from .cases import VCPUS, Case, check_user_hit, hit_of
from .guest import Guest
from .migration import Way, move, precopy, snapshot
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

# Options of guests: there and back; from stock of one to guest RAS of the other.
OURS: Dict[str, Any] = {'builds': ('', SUFFIX)}
OLDER_STOCK: Dict[str, Any] = {'stock_build': _OLDER, 'builds': (_NEWER,)}
NEWER_STOCK: Dict[str, Any] = {'stock_build': _NEWER, 'builds': (_OLDER,)}


def machine(target: Target) -> str:
    """The machine type of the older release, which both have."""
    return f'{target.machine}-{_BASES[0][1]}'


class OtherBase(Moves):
    """Releases differ in what is sent, and not in how."""

    @pytest.fixture(params=[precopy, snapshot], ids=['precopy', 'snapshot'])
    def way(self, request: pytest.FixtureRequest) -> Way:
        """Some of them."""
        way: Way = request.param
        return way


class FromStock(Case):
    """One way, to guest RAS of the other release."""

    OPTIONS: Dict[str, Any] = {}

    def test_from_stock(self, new_guest: Callable[..., Guest],
                        oracle: Oracle) -> None:
        """All vCPUs run there, and errors are told."""
        guest = new_guest(stock=True, **self.OPTIONS).boot()
        control = guest.spawn_control()
        move(guest)
        guest.qemu.qmp('cont')
        for vcpu in VCPUS:
            victim = guest.spawn(cpu=vcpu)
            account, mark = guest.account(), guest.console.mark()
            guest.inject(victim.pa[0])
            victim.tell('load 0 24')
            check_user_hit(guest, oracle, hit_of(victim, 'load', 0, 24),
                           victim, account, mark)
        guest.check_alive()
        assert control.count()['bad'] == 0
