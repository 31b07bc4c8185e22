# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: system resets (H_SIGNAL_SYS_RESET) that are on their way.

One that was sent before the machine is reset must not come after it.
"""

import time
from pathlib import Path
from typing import Any, Callable, NamedTuple

from ras import bare, environment

MACHINE = 'ppc64'

# bare/system-reset-ppc64.S
REPORT = 0x30000

# One of ten boots found one.
BOOTS = 100


class Report(NamedTuple):
    """What the program has seen so far."""

    booted: int
    dirty: int
    srr0: int
    srr1: int
    sent: int
    taken: int


def wait(vm: Any, until: Callable[[Report], bool]) -> Report:
    """Until the report is as wanted."""
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        report = Report(*bare.doublewords(vm, REPORT, len(Report._fields)))
        if until(report):
            return report
        assert time.monotonic() < end, report


def test_ends_with_a_reset(tmp_path: Path) -> None:
    """The firmware finds registers that were reset."""
    with bare.pseries('system-reset-ppc64', tmp_path, '-smp', '3', '-accel',
                      'tcg,thread=multi') as vm:
        for number in range(1, BOOTS + 1):
            before = wait(vm, lambda report, number=number:
                          report.booted == number)
            report = wait(vm, lambda report, before=before:
                          report.sent > before.sent + 10 and
                          report.taken > before.taken)
            vm.cmd('system_reset')
        assert report.dirty == 0, report
