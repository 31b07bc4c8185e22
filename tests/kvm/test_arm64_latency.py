# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64 under KVM: how long it takes until the right process is told.

From the touch of a page that has failed in the host to the SIGBUS handler of
the guest's process; compared with stock in the same run.
"""

import statistics
import time
from typing import Callable, Dict, List

from checks import HANDLED
from lab import Host, KvmGuest

HOST = 'arm64'

ROUNDS = 15
# The clock is that of a busy machine; a wait for a timer would be far more.
LIMIT = 1.5


def latencies(host: Host, guest: KvmGuest) -> List[float]:
    """Seconds from the command to the report of the handler."""
    seconds: List[float] = []
    for _ in range(ROUNDS):
        victim, = guest.victims(1)
        host.poison(victim.pa)
        begun = time.monotonic()
        victim.tell('load')
        victim.sigbus()
        seconds.append(time.monotonic() - begun)
        assert victim.end_after_sigbus() == HANDLED
    return seconds


def test_latency(host: Host, report: Callable[[str], None]) -> None:
    """Not above stock, but for what else the machine does."""
    medians: Dict[str, float] = {}
    for flavour in ('stock', 'ras'):
        guest = host.start_guest(flavour)
        # Tracing is for whom a test fails, and takes time.
        guest.qemu.qmp('trace-event-set-state', name='ras_*', enable=False,
                       ignore_unavailable=True)
        seconds = latencies(host, guest)
        medians[flavour] = statistics.median(seconds)
        guest.check_alive()
        guest.damaged = True
    ratio = medians['ras'] / medians['stock']
    report(f'touch to SIGBUS, median of {ROUNDS}: ours '
           f'{medians["ras"] * 1000:.0f} ms, stock '
           f'{medians["stock"] * 1000:.0f} ms, ratio {ratio:.2f} '
           f'(target: not above 1)')
    assert ratio < LIMIT
