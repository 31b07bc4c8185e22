# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64 under KVM: how long it takes until the handler is entered.

From a load of memory that has failed to the first instruction of the handler
that is registered, by the guest's own clock; compared with stock in the same
run.  Linux does not get on with stock, but a program that leaves out the load
does.  The two take turns, because the machine may be busy with something else.
"""

import statistics
from typing import Callable, Dict, List

from lab import Host
from program import BAD, TICKS_PER_US, start_program, take

HOST = 'ppc64'

TURNS = 3
ROUNDS = 100
# What the clock of a busy emulated machine leaves uncertain.
TOLERANCE = 1.1


def latencies(host: Host, flavour: str) -> List[float]:
    """Microseconds from the load to the handler."""
    guest = start_program(host, flavour)
    # Tracing is for whom a test fails, and takes time.
    guest.qemu.qmp('trace-event-set-state', name='ras_*', enable=False,
                   ignore_unavailable=True)
    host.break_memory([BAD])
    result = [take(guest).ticks / TICKS_PER_US for _ in range(ROUNDS)]
    guest.check_not_lost()
    host.stop_guest()
    host.mend_memory()
    return result


def test_latency(host: Host, report: Callable[[str], None]) -> None:
    """Not above stock, which does not look up the page that has failed."""
    # What the host's kernel says of each machine check would take longer.
    host.command('echo 1 >/proc/sys/kernel/printk')
    measured: Dict[str, List[float]] = {'stock': [], 'ras': []}
    for _ in range(TURNS):
        for flavour, all_of_it in measured.items():
            all_of_it += latencies(host, flavour)
    # What else the machine does only makes it longer.
    ours, stock = (statistics.quantiles(measured[flavour])[0]
                   for flavour in ('ras', 'stock'))
    report(f'load to handler, lower quartile of {TURNS * ROUNDS}: '
           f'ours {ours:.0f} us, stock {stock:.0f} us, ratio '
           f'{ours / stock:.2f} (target: not above 1); medians '
           f'{statistics.median(measured["ras"]):.0f} and '
           f'{statistics.median(measured["stock"]):.0f} us')
    assert ours < stock * TOLERANCE
