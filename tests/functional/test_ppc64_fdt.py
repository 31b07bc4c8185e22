# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: the device tree that QEMU writes to RAM, and a VM that moves.

The memory is the guest's, once it has read it.
"""

import time
from pathlib import Path
from typing import Any, List, NamedTuple

import pytest

from ras import bare, environment, migration
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/fdt-ppc64.S
REPORT = 0x30000
MAGIC = 0xd00dfeed


class Report(NamedTuple):
    """What the program has found."""

    address: int
    magic: int
    cleared: int


def wait_cleared(vm: Any, times: int) -> Report:
    """Until it has cleared the device tree that often."""
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        report = Report(*bare.doublewords(vm, REPORT, len(Report._fields)))
        if report.cleared == times:
            return report
        assert time.monotonic() < end, report
        time.sleep(0.05)


def in_cleared_memory(variable: str, way: migration.Way,
                      folder: Path) -> List[int]:
    """What the guest, which has cleared it, finds there after a move.

    After the next reset, the device tree.
    """
    def pseries(*args: str) -> Any:
        return bare.pseries('fdt-ppc64', folder, '-accel', 'tcg', *args,
                            variable=variable)

    with pseries() as vm, pseries('-S', '-incoming', 'defer') as other:
        report = wait_cleared(vm, 1)
        assert report.magic == MAGIC
        here: Any = bare.Monitor(vm)
        there: Any = bare.Monitor(other)
        way(here, there, folder)
        found = bare.doublewords(other, report.address, 8)
        other.cmd('cont')
        other.cmd('system_reset')
        assert wait_cleared(other, 2).magic == MAGIC
        return found


@pytest.mark.parametrize('way', [
    migration.precopy, migration.multifd, migration.mapped_ram])
def test_cleared(tmp_path: Path, way: migration.Way) -> None:
    """What the guest has cleared is clear there, until the next reset."""
    assert in_cleared_memory(PPC64.qemu_variable, way, tmp_path) == [0] * 8


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
@pytest.mark.parametrize('way', [migration.multifd, migration.mapped_ram])
def test_stock_does_not_clear(tmp_path: Path, way: migration.Way) -> None:
    """There is the device tree of the other QEMU."""
    assert in_cleared_memory(PPC64.stock_variable, way,
                             tmp_path)[0] >> 32 == MAGIC
