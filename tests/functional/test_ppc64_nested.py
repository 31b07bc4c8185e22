# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: a nested guest whose time is over when it is entered.

Its hypervisor says when to leave it (hdec_expiry, HDEC).  A busy machine may
enter it later than that.
"""

import time
from pathlib import Path
from typing import Callable, List, NamedTuple

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# bare/nested-ppc64.S
REPORT = 0x30000
# Hypervisor decrementer interrupt.
HDEC = 0x980

TIMES = 1000
# What the nested guest counts to in a second, about.
SECOND = 200000000


class Report(NamedTuple):
    """What the hypervisor, and its guest, have reported so far."""

    left: int
    interrupt: int
    counted: int


def run(variable: str, folder: Path,
        until: Callable[[List[Report]], bool]) -> List[Report]:
    """All reports until they are as wanted."""
    with bare.pseries('nested-ppc64', folder, '-machine', 'cap-nested-hv=on',
                      '-accel', 'tcg', variable=variable) as vm:
        vm.launch()
        end = time.monotonic() + 60 * environment.time_factor()
        reports: List[Report] = []
        while not reports or not until(reports):
            assert time.monotonic() < end, reports[-3:]
            reports.append(Report(*bare.doublewords(vm, REPORT, 3)))
            time.sleep(0.05)
        vm.shutdown(hard=True)
    return reports


def test_left(tmp_path: Path) -> None:
    """It is left, whenever it is entered."""
    reports = run(PPC64.qemu_variable, tmp_path,
                  lambda reports: reports[-1].left >= TIMES)
    assert reports[-1].interrupt == HDEC


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_stock_does_not_leave(tmp_path: Path) -> None:
    """It runs on as long as it likes."""
    reports = run(PPC64.stock_variable, tmp_path,
                  lambda reports: reports[-1].counted >=
                  reports[0].counted + SECOND)
    assert {report.left for report in reports} == {0}
