# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: an interrupt of XICS that was not taken when the VM was saved.

A vCPU can say that it does not want it yet, after all.  Then its source has to
know, so that it comes again.
"""

import time
from pathlib import Path
from typing import Any

from ras import bare, environment

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


def pseries(folder: Path, *args: str) -> Any:
    """A VM that runs the program."""
    return bare.pseries('xics-ppc64', folder, '-machine', 'ic-mode=xics',
                        '-accel', 'tcg', *args)


def take(vm: Any) -> int:
    """The interrupt that the vCPU takes, when it has put it off once more."""
    vm.cmd('inject-nmi')
    wait_stage(vm, TAKEN)
    return bare.doublewords(vm, REPORT + 8, 1)[0]


def test_put_off_after_loading(tmp_path: Path) -> None:
    """It comes again, here and there."""
    stream = f'file:{tmp_path}/stream'
    with pseries(tmp_path) as vm:
        wait_stage(vm, READY)
        vm.cmd('system_powerdown')
        wait_stage(vm, WAITS)
        vm.cmd('stop')
        vm.cmd('migrate', uri=stream)
        bare.wait_status(vm, 'query-migrate', {'completed'})
        with pseries(tmp_path, '-incoming', stream) as other:
            bare.wait_status(other, 'query-status', {'running', 'paused'})
            other.cmd('cont')
            assert take(other) == POWER_DOWN
        vm.cmd('cont')
        assert take(vm) == POWER_DOWN
