# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: which Exception level takes a synchronous external abort.

A program without an operating system, bare/external-abort.S.
"""

import subprocess
from pathlib import Path

import pytest

from ras import bare, environment
from ras.targets import ARM64

MACHINE = 'arm64'

EL1_AND_2 = 'virt,virtualization=on'
ALL_ELS = 'virt,virtualization=on,secure=on'


def taken_by(variable: str, folder: Path, machine: str, ea: int,
             tea: int) -> int:
    """The level that takes it, in the QEMU that @variable names."""
    program = folder / 'external-abort'
    bare.build_arm64(ARM64, 'external-abort', program, EA=ea, TEA=tea)
    return subprocess.run([
        str(environment.path(variable)), '-machine', machine, '-cpu', 'max',
        '-L', str(environment.path('RAS_FIRMWARE')), '-m', '64M',
        '-display', 'none', '-nodefaults', '-semihosting',
        '-device', f'loader,file={program},cpu-num=0'],
        check=False, timeout=60 * environment.time_factor()).returncode


@pytest.mark.parametrize('machine, ea, tea, level', [
    (EL1_AND_2, 0, 0, 1),
    (EL1_AND_2, 0, 1, 2),
    (ALL_ELS, 0, 0, 1),
    (ALL_ELS, 0, 1, 2),
    (ALL_ELS, 1, 0, 3),
    (ALL_ELS, 1, 1, 3),
])
def test_level(tmp_path: Path, machine: str, ea: int, tea: int,
               level: int) -> None:
    """SCR_EL3.EA and HCR_EL2.TEA decide."""
    assert taken_by(ARM64.qemu_variable, tmp_path, machine, ea, tea) == level


@pytest.mark.skipif(not environment.has(ARM64.stock_variable),
                    reason='there is no build of the base')
def test_level_in_stock(tmp_path: Path) -> None:
    """The base does not look at them: all the others would fail there."""
    assert taken_by(ARM64.stock_variable, tmp_path, ALL_ELS, 1, 1) == 1
