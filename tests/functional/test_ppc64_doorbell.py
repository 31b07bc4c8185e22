# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: a doorbell that was not taken yet moves along.

Guests with several threads in a core send them for interrupts from one thread
to another, and wait for what they ask for.
"""

import time
from pathlib import Path
from typing import Any, List

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/doorbell-ppc64.S
REPORT = 0x30000
SENT = 1
ENABLED = 2


def wait_stage(vm: Any, stage: int) -> None:
    """Until the program has come that far."""
    end = time.monotonic() + 30 * environment.time_factor()
    while bare.doublewords(vm, REPORT, 1) != [stage]:
        assert time.monotonic() < end
        time.sleep(0.05)


def taken(vm: Any) -> int:
    """How often it is, when interrupts are enabled."""
    vm.cmd('inject-nmi')
    wait_stage(vm, ENABLED)
    return bare.doublewords(vm, REPORT + 8, 1)[0]


def taken_when_saved(variable: str, folder: Path, stream: str) -> int:
    """By a VM that was saved and goes on."""
    with bare.pseries('doorbell-ppc64', folder, '-accel', 'tcg',
                      variable=variable) as vm:
        wait_stage(vm, SENT)
        vm.cmd('stop')
        vm.cmd('migrate', uri=stream)
        bare.wait_status(vm, 'query-migrate', {'completed'})
        vm.cmd('cont')
        result = taken(vm)
    return result


def taken_after_saving(variable: str, folder: Path) -> List[int]:
    """By the VM that was saved and goes on, and by the one that is loaded."""
    stream = f'file:{folder}/stream'
    result = [taken_when_saved(variable, folder, stream)]
    with bare.pseries('doorbell-ppc64', folder, '-accel', 'tcg', '-incoming',
                      stream, variable=variable) as vm:
        bare.wait_status(vm, 'query-status', {'running', 'paused'})
        vm.cmd('cont')
        result.append(taken(vm))
    return result


def test_taken(tmp_path: Path) -> None:
    """Once, on each side."""
    assert taken_after_saving(PPC64.qemu_variable, tmp_path) == [1, 1]


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_stock_loses_it(tmp_path: Path) -> None:
    """It is not in the stream."""
    assert taken_after_saving(PPC64.stock_variable, tmp_path) == [1, 0]


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_stock_refuses_it(tmp_path: Path) -> None:
    """It would lose it; or die of it, when it runs a nested guest."""
    stream = f'file:{tmp_path}/stream'
    assert taken_when_saved(PPC64.qemu_variable, tmp_path, stream) == 1
    with bare.pseries('doorbell-ppc64', tmp_path, '-accel', 'tcg', '-incoming',
                      stream, variable=PPC64.stock_variable) as vm:
        vm.wait(60 * environment.time_factor())
        assert vm.exitcode() == 1
