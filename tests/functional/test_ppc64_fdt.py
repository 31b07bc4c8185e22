# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: the device tree that QEMU writes to RAM, and a VM that moves.

The memory is the guest's, once it has read it.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ras import bare, environment, migration

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


def pseries(folder: Path, *args: str) -> Any:
    """A VM that runs the program."""
    return bare.pseries('fdt-ppc64', folder, '-accel', 'tcg', *args)


@pytest.mark.parametrize('way', [
    migration.precopy, migration.multifd, migration.mapped_ram])
def test_cleared(tmp_path: Path, way: migration.Way) -> None:
    """What the guest has cleared is clear there, until the next reset."""
    with pseries(tmp_path) as vm, \
            pseries(tmp_path, '-S', '-incoming', 'defer') as other:
        report = wait_cleared(vm, 1)
        assert report.magic == MAGIC
        here: Any = bare.Monitor(vm)
        there: Any = bare.Monitor(other)
        way(here, there, tmp_path)
        assert bare.doublewords(other, report.address, 8) == [0] * 8
        other.cmd('cont')
        other.cmd('system_reset')
        assert wait_cleared(other, 2).magic == MAGIC
