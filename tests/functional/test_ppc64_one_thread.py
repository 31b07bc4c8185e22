# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: errors of a vCPU that shares its thread with another."""

import time
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/loads-ppc64.S; RAM in bare/sleeps-ppc64.S
BAD = 0x10000000
# TCG lets a vCPU run so long, in seconds, before the next one has its turn.
TURN = 0.1
ERRORS = 10


def seconds(event: Dict[str, Any]) -> float:
    """When it was sent."""
    stamp = event['timestamp']
    return stamp['seconds'] + stamp['microseconds'] / 1e6


def delays(events: List[Dict[str, Any]]) -> List[float]:
    """The time from "accepted" to "taken" of each error."""
    accepted: Dict[int, float] = {}
    result = []
    for event in events:
        error = event['data']['error']
        if error['state'] == 'accepted':
            accepted[error['id']] = seconds(event)
        elif error['state'] == 'taken':
            result.append(seconds(event) - accepted[error['id']])
    return result


def machine(name: str, folder: Path, *args: str) -> Any:
    """A VM that runs the program of that name in place of firmware."""
    environment.use_qemu_python()
    from qemu.machine import QEMUMachine  # pylint: disable=C0415

    bare.build(PPC64, bare.SOURCES / f'{name}.S', folder / 'firmware',
               '-mbig', '-Wl,-Ttext=0', '-Wl,--oformat=binary')
    return QEMUMachine(str(environment.path(PPC64.qemu_variable)), args=[
        '-machine', 'pseries', '-cpu', 'power9', '-m', '512M', '-nodefaults',
        '-bios', str(folder / 'firmware'), *args])


def test_taken_at_once(tmp_path: Path) -> None:
    """The error is taken before the other vCPU has its turn."""
    with machine('loads-ppc64', tmp_path, '-smp', '2',
                 '-accel', 'tcg,thread=single') as vm:
        vm.launch()
        vm.cmd('ras-inject', kind='memory', address=BAD, mode='poison',
               severity='recoverable')
        end = time.monotonic() + 60 * environment.time_factor()
        events: List[Dict[str, Any]] = []
        while len(delays(events)) < ERRORS:
            assert time.monotonic() < end, events
            events += [event for event in vm.get_qmp_events(wait=True)
                       if event['event'] == 'RAS_ERROR']
        vm.shutdown(hard=True)
    assert median(delays(events)) < TURN / 2


@pytest.mark.parametrize('thread', ['single', 'multi'])
def test_sleeps_in_the_handler(tmp_path: Path, thread: str) -> None:
    """The next error is given time to wait for the handler, and then comes.

    A vCPU that sleeps does not run in that time, unless it is made to.
    """
    with machine('sleeps-ppc64', tmp_path,
                 '-accel', f'tcg,thread={thread}') as vm:
        vm.launch()
        end = time.monotonic() + 60 * environment.time_factor()
        # It can be told when it has registered, and translation is on then.
        while not vm.cmd('query-ras')['sources'][0]['ready']:
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.5)
        for number in range(1, 4):
            vm.cmd('ras-inject', kind='memory', address=BAD, mode='consume',
                   severity='recoverable', vcpu=0)
            while vm.cmd('query-ras')['counters']['acknowledged'] < number:
                assert time.monotonic() < end, vm.cmd('query-ras')
                time.sleep(0.1)
        vm.shutdown(hard=True)
