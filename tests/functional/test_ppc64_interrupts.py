# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: an interrupt that was not taken when the VM was saved.

With XICS, a vCPU can say that it does not want it yet, after all.  Then its
source has to know, so that it comes again.
"""

import time
from pathlib import Path
from typing import Any, List

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/xics-ppc64.S, bare/xive-ppc64.S
REPORT = 0x30000
READY = 1
WAITS = 2
TAKEN = 3
POWER_DOWN = 0x1000


def wait_stage(vm: Any, stage: int) -> None:
    """Until the program has come that far."""
    end = time.monotonic() + 60 * environment.time_factor()
    while bare.doublewords(vm, REPORT, 1) != [stage]:
        assert time.monotonic() < end
        time.sleep(0.05)


def take(vm: Any) -> int:
    """The interrupt that the vCPU takes; XICS: when it has put it off again."""
    vm.cmd('inject-nmi')
    wait_stage(vm, TAKEN)
    return bare.doublewords(vm, REPORT + 8, 1)[0]


def taken_after_saving(controller: str, variable: str,
                       folder: Path) -> List[int]:
    """By the VM that was saved and goes on, and by the one that is loaded."""
    stream = f'file:{folder}/stream'

    def pseries(*args: str) -> Any:
        return bare.pseries(f'{controller}-ppc64', folder, '-machine',
                            f'ic-mode={controller}', '-accel', 'tcg', *args,
                            variable=variable)

    with pseries() as vm:
        wait_stage(vm, READY)
        vm.cmd('system_powerdown')
        wait_stage(vm, WAITS)
        vm.cmd('stop')
        vm.cmd('migrate', uri=stream)
        bare.wait_status(vm, 'query-migrate', {'completed'})
        with pseries('-incoming', stream) as other:
            bare.wait_status(other, 'query-status', {'running', 'paused'})
            other.cmd('cont')
            there = take(other)
        vm.cmd('cont')
        return [take(vm), there]


@pytest.mark.parametrize('controller', ['xics', 'xive'])
def test_taken(tmp_path: Path, controller: str) -> None:
    """It is, here and there."""
    assert taken_after_saving(controller, PPC64.qemu_variable, tmp_path) == \
        [POWER_DOWN, POWER_DOWN]


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
@pytest.mark.parametrize('controller', ['xics', 'xive'])
def test_stock_loses_it(tmp_path: Path, controller: str) -> None:
    """The vCPU is not interrupted; XICS does not know who sent it."""
    assert taken_after_saving(controller, PPC64.stock_variable, tmp_path) == \
        [POWER_DOWN, 0]
