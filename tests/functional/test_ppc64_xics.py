# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: an interrupt of XICS that was not taken when the VM was saved.

A vCPU can say that it does not want it yet, after all.  Then its source has to
know, so that it comes again.
"""

import time
from pathlib import Path
from typing import Any, List

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/xics-ppc64.S
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


def pseries(folder: Path, variable: str, *args: str) -> Any:
    """A VM that runs the program."""
    return bare.pseries('xics-ppc64', folder, '-machine', 'ic-mode=xics',
                        '-accel', 'tcg', *args, variable=variable)


def take(vm: Any) -> int:
    """The interrupt that the vCPU takes, when it has put it off once more."""
    vm.cmd('inject-nmi')
    wait_stage(vm, TAKEN)
    return bare.doublewords(vm, REPORT + 8, 1)[0]


def taken_after_saving(variable: str, folder: Path) -> List[int]:
    """By the VM that was saved and goes on, and by the one that is loaded."""
    stream = f'file:{folder}/stream'
    with pseries(folder, variable) as vm:
        wait_stage(vm, READY)
        vm.cmd('system_powerdown')
        wait_stage(vm, WAITS)
        vm.cmd('stop')
        vm.cmd('migrate', uri=stream)
        bare.wait_status(vm, 'query-migrate', {'completed'})
        with pseries(folder, variable, '-incoming', stream) as other:
            bare.wait_status(other, 'query-status', {'running', 'paused'})
            other.cmd('cont')
            there = take(other)
        vm.cmd('cont')
        return [take(vm), there]


def test_put_off_after_loading(tmp_path: Path) -> None:
    """It comes again, here and there."""
    assert taken_after_saving(PPC64.qemu_variable, tmp_path) == \
        [POWER_DOWN, POWER_DOWN]


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_stock_loses_it(tmp_path: Path) -> None:
    """Who sent it does not get to know that it was put off."""
    assert taken_after_saving(PPC64.stock_variable, tmp_path) == \
        [POWER_DOWN, 0]
