# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: how long it takes until the right process is told.

From the touch of a page that has failed in the host to the SIGBUS handler of
the guest's process, by the guest's own clock; compared with stock in the same
run.  The two take turns, because the machine may be busy with something else.
"""

import statistics
from typing import Callable, Dict, List

from checks import HANDLED
from lab import Host, KvmGuest

HOST = 'arm64'

TURNS = 2
ROUNDS = 20
# What the clock of a busy emulated machine leaves uncertain.
TOLERANCE = 1.1


def latencies(host: Host, guest: KvmGuest) -> List[float]:
    """Milliseconds from the touch to the handler."""
    result: List[float] = []
    for _ in range(ROUNDS):
        victim, = guest.victims(1)
        host.poison(victim.pa)
        victim.tell('load')
        result.append(victim.sigbus().ns / 1e6)
        assert victim.end_after_sigbus() == HANDLED
    return result


def test_latency(host: Host, report: Callable[[str], None]) -> None:
    """Not above stock."""
    measured: Dict[str, List[float]] = {'stock': [], 'ras': []}
    for _ in range(TURNS):
        for flavour, all_of_it in measured.items():
            guest = host.start_guest(flavour)
            # Tracing is for whom a test fails, and takes time.
            guest.qemu.qmp('trace-event-set-state', name='ras_*',
                           enable=False, ignore_unavailable=True)
            all_of_it += latencies(host, guest)
            guest.check_alive()
            guest.damaged = True
    # What else the machine does only makes it longer.
    ours, stock = (statistics.quantiles(measured[flavour])[0]
                   for flavour in ('ras', 'stock'))
    report(f'touch to SIGBUS, lower quartile of {TURNS * ROUNDS}: '
           f'ours {ours:.2f} ms, stock {stock:.2f} ms, ratio '
           f'{ours / stock:.2f} (target: not above 1); medians '
           f'{statistics.median(measured["ras"]):.2f} and '
           f'{statistics.median(measured["stock"]):.2f} ms')
    assert ours < stock * TOLERANCE
    # What keeps others waiting is in the way of some of them only.
    assert statistics.median(measured['ras']) < \
        statistics.median(measured['stock']) * 1.4
