# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: machine checks that wait until a vCPU has left its handler."""

import re
import time
from pathlib import Path
from typing import Any, List, Optional

import pytest

from ras import bare, environment

MACHINE = 'ppc64'

# RAM.
ADDRESS = 0x10000000
# bare/handler-ppc64.S
COUNTERS = 0x4000


def wait(vm: Any, what: str, number: int) -> None:
    """Until a counter of query-ras has reached it."""
    end = time.monotonic() + 30 * environment.time_factor()
    while vm.cmd('query-ras')['counters'][what] < number:
        assert time.monotonic() < end, vm.cmd('query-ras')
        time.sleep(0.05)


def wait_ready(vm: Any) -> None:
    """Until the handler is registered, and a moment later translation on."""
    end = time.monotonic() + 30 * environment.time_factor()
    while not vm.cmd('query-ras')['sources'][0]['ready']:
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)


def inject(vm: Any) -> None:
    """A machine check for the vCPU."""
    vm.cmd('ras-inject', kind='memory', address=ADDRESS, mode='consume',
           severity='recoverable', vcpu=0)


def counters(vm: Any) -> List[int]:
    """How often the handler was entered, and how often while it was busy."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': f'xp /2wx {COUNTERS:#x}'})
    return [int(word, 16) for word in re.findall(r'0x(\w{8})', text)]


@pytest.mark.parametrize('thread', ['single', 'multi'])
def test_sleeps(tmp_path: Path, thread: str) -> None:
    """It sleeps in there: the next one is given time, and then comes.

    A vCPU that sleeps does not run in that time, unless it is made to.
    """
    with bare.pseries('handler-ppc64', tmp_path, '-accel',
                      f'tcg,thread={thread}', macro='SLEEPS') as vm:
        vm.launch()
        wait_ready(vm)
        for number in range(1, 4):
            inject(vm)
            wait(vm, 'acknowledged', number)
        vm.shutdown(hard=True)


@pytest.mark.parametrize('moves', [None, 'notified', 'acknowledged'])
def test_next_one(tmp_path: Path, moves: Optional[str]) -> None:
    """The next one comes when the handler is left, also in another QEMU.

    Moved while the handler has the log, or when it has given it back.
    """
    options = ['-accel', 'tcg', '-global', 'spapr-ras.reclaim-ms=600000']
    stream = tmp_path / 'stream'
    with bare.pseries('handler-ppc64', tmp_path, *options,
                      macro='STAYS') as vm:
        vm.launch()
        wait_ready(vm)
        inject(vm)
        wait(vm, 'notified', 1)
        inject(vm)
        if not moves:
            wait(vm, 'acknowledged', 2)
            assert counters(vm) == [2, 0]
        else:
            wait(vm, moves, 1)
            vm.cmd('stop')
            vm.cmd('migrate', uri=f'file:{stream}')
            while vm.cmd('query-migrate')['status'] != 'completed':
                time.sleep(0.1)
        vm.shutdown(hard=True)
    if not moves:
        return
    with bare.pseries('handler-ppc64', tmp_path, *options, '-incoming',
                      f'file:{stream}', macro='STAYS') as vm:
        vm.launch()
        while vm.cmd('query-status')['status'] == 'inmigrate':
            time.sleep(0.1)
        assert vm.cmd('query-ras')['counters']['accepted'] == 2
        vm.cmd('cont')
        wait(vm, 'acknowledged', 2)
        assert counters(vm) == [2, 0]
        vm.shutdown(hard=True)
