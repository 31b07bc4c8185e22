# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: errors of a vCPU that shares its thread with another."""

import time
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from ras import bare, environment

MACHINE = 'ppc64'

# bare/loads-ppc64.S
BAD = 0x10000000
# TCG lets a vCPU run so long, in seconds, before the next one has its turn.
TURN = 0.1
ERRORS = 10


def seconds(event: Dict[str, Any]) -> float:
    """When it was sent."""
    stamp = event['timestamp']
    return stamp['seconds'] + stamp['microseconds'] / 1e6


def delays(events: List[Dict[str, Any]]) -> List[float]:
    """The time from "accepted" to "delivered" of each error."""
    accepted: Dict[int, float] = {}
    result = []
    for event in events:
        error = event['data']['error']
        if error['state'] == 'accepted':
            accepted[error['id']] = seconds(event)
        elif error['state'] == 'delivered':
            result.append(seconds(event) - accepted[error['id']])
    return result


def test_taken_at_once(tmp_path: Path) -> None:
    """The error is taken before the other vCPU has its turn."""
    with bare.pseries('loads-ppc64', tmp_path, '-smp', '2',
                      '-accel', 'tcg,thread=single') as vm:
        vm.cmd('ras-inject', kind='memory', address=BAD, mode='poison',
               severity='recoverable')
        end = time.monotonic() + 60 * environment.time_factor()
        events: List[Dict[str, Any]] = []
        while len(delays(events)) < ERRORS:
            assert time.monotonic() < end, events
            events += [event for event in vm.get_qmp_events(wait=True)
                       if event['event'] == 'RAS_ERROR']
    assert median(delays(events)) < TURN / 2
