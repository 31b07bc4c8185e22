# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: which Exception level takes a synchronous external abort.

A program without an operating system, bare/external-abort.S.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from ras import bare, environment
from ras.targets import ARM64

MACHINE = 'arm64'

EL1_AND_2 = 'virt,virtualization=on'
ALL_ELS = 'virt,virtualization=on,secure=on'

# Nothing answers there; and a page of RAM that is poisoned.
NOWHERE = 0x0f000000
POISON = 0x40600000

# Of external-abort.S.
REPORT = 0x40500000

# HCR_EL2
TGE = 1 << 27
E2H = 1 << 34
TEA = 1 << 37
HCR_ATA = 1 << 56

# SCR_EL3
SCR_ATA = 1 << 26

# The syndrome says that the access was one by VNCR_EL2.
BY_VNCR = 0x10


def start(variable: str, folder: Path, machine: str, **macros: int) -> Any:
    """A QEMU, which @variable names, that has not started the program."""
    program = folder / 'external-abort'
    bare.build_arm64(ARM64, 'external-abort', program,
                     **{'EA': 0, 'HCR': 0, 'SCR': 0, 'LEVEL': 1, 'BAD': NOWHERE,
                        **macros})
    return bare.machine(
        variable, '-machine', f'{machine},acpi=off', '-cpu', 'max', '-m', '64M',
        '-S', '-L', str(environment.path('RAS_FIRMWARE')), '-nodefaults',
        '-device', f'loader,file={program},cpu-num=0')


def level(vm: Any) -> int:
    """The level that the program reports, once it does."""
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        _, _, done = bare.doublewords(vm, REPORT, 3)
        if done:
            # What was read before that may be older: the vCPU runs.
            return bare.doublewords(vm, REPORT, 1)[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def nothing_taken_by(folder: Path, machine: str, variable: str = ARM64.qemu_variable,
             **macros: int) -> int:
    """The level that takes an abort of nothing."""
    with start(variable, folder, machine, **macros) as vm:
        vm.cmd('cont')
        return level(vm)


def poison_taken_by(folder: Path, options: str = '', **macros: int) -> int:
    """The level that takes an abort of a poisoned page."""
    with start(ARM64.qemu_variable, folder, f'{ALL_ELS},ras=on{options}',
               BAD=POISON, **macros) as vm:
        vm.cmd('ras-inject', kind='memory', address=POISON, mode='poison',
               severity='recoverable')
        vm.cmd('cont')
        return level(vm)


@pytest.mark.parametrize('machine, ea, hcr, expected', [
    (EL1_AND_2, 0, 0, 1),
    (EL1_AND_2, 0, TEA, 2),
    (ALL_ELS, 0, 0, 1),
    (ALL_ELS, 0, TEA, 2),
    (ALL_ELS, 1, 0, 3),
    (ALL_ELS, 1, TEA, 3),
])
@pytest.mark.parametrize('access', ['LOAD', 'FETCH'])
# pylint: disable-next=too-many-arguments,too-many-positional-arguments
def test_level(tmp_path: Path, access: str, machine: str, ea: int, hcr: int,
               expected: int) -> None:
    """SCR_EL3.EA and HCR_EL2.TEA decide."""
    assert nothing_taken_by(tmp_path, machine, EA=ea, HCR=hcr,
                    **{access: 1}) == expected


@pytest.mark.parametrize('ea, hcr, expected', [
    (0, TEA, 2), (1, 0, 3), (1, TEA, 3)])
def test_walk(tmp_path: Path, ea: int, hcr: int, expected: int) -> None:
    """So they do for a walk.  (EL1 could not even fetch its handler.)"""
    assert nothing_taken_by(tmp_path, ALL_ELS, EA=ea, HCR=hcr,
                            WALK=1) == expected


@pytest.mark.parametrize('ea, hcr, expected', [
    (0, TGE, 2), (0, TGE | E2H, 2), (1, TGE | E2H, 3)])
def test_level_0_of_a_host(tmp_path: Path, ea: int, hcr: int,
                           expected: int) -> None:
    """With HCR_EL2.TGE, EL1 is out of use."""
    macros = {'LOAD': 1, 'LEVEL': 0, 'EA': ea, 'HCR': hcr}
    assert nothing_taken_by(tmp_path, ALL_ELS, **macros) == expected
    assert poison_taken_by(tmp_path, **macros) == expected


@pytest.mark.parametrize('ea, expected', [(0, 2), (1, 3)])
def test_stage_2_walk(tmp_path: Path, ea: int, expected: int) -> None:
    """What belongs to EL2 goes to EL3 if SCR_EL3.EA says so."""
    assert nothing_taken_by(tmp_path, ALL_ELS, EA=ea, WALK2=1) == expected


@pytest.mark.parametrize('ea, expected', [(0, 2), (1, 3)])
def test_vncr(tmp_path: Path, ea: int, expected: int) -> None:
    """A system register in memory (FEAT_NV2) is accessed by EL2."""
    assert nothing_taken_by(tmp_path, ALL_ELS, EA=ea, VNCR=1) == expected | BY_VNCR
    assert poison_taken_by(tmp_path, EA=ea, VNCR=1) == expected | BY_VNCR


@pytest.mark.parametrize('access', ['LOAD', 'FETCH'])
@pytest.mark.parametrize('ea, hcr, expected', [
    (0, 0, 1), (0, TEA, 2), (1, TEA, 3)])
def test_poison(tmp_path: Path, access: str, ea: int, hcr: int,
                expected: int) -> None:
    """The same for a poisoned page."""
    assert poison_taken_by(tmp_path, EA=ea, HCR=hcr, **{access: 1}) == expected


@pytest.mark.parametrize('tags', [0, SCR_ATA])
@pytest.mark.parametrize('access', ['LDG', 'STG', 'CVAP'])
def test_poison_without_data(tmp_path: Path, access: str, tags: int) -> None:
    """Accesses to tags, and to a cache, fail as those to data do."""
    macros = {'HCR': HCR_ATA, 'SCR': tags, access: 1}
    assert poison_taken_by(tmp_path, ',mte=on', **macros) == 1
    assert nothing_taken_by(tmp_path, f'{ALL_ELS},mte=on', BAD=POISON,
                            **macros) == 0


def wait_asleep(vm: Any) -> None:
    """Until the vCPU has executed its "wfi", and not what follows."""
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        _, pc, _ = bare.doublewords(vm, REPORT, 3)
        if pc and f'PC={pc:016x}' in vm.cmd(
                'human-monitor-command', **{'command-line': 'info registers'}):
            return
        assert time.monotonic() < end, pc
        time.sleep(0.02)


def test_wakes(tmp_path: Path) -> None:
    """An error that is injected ends a "wfi"."""
    with start(ARM64.qemu_variable, tmp_path, f'{ALL_ELS},ras=on',
               SLEEP=1) as vm:
        vm.cmd('cont')
        wait_asleep(vm)
        vm.cmd('ras-inject', kind='memory', address=POISON, mode='consume',
               severity='recoverable', vcpu=0)
        assert level(vm) == 1


@pytest.mark.skipif(not environment.has(ARM64.stock_variable),
                    reason='there is no build of the base')
@pytest.mark.parametrize('access', ['LOAD', 'FETCH'])
def test_level_in_stock(tmp_path: Path, access: str) -> None:
    """The base does not look at them: all the others would fail there."""
    assert nothing_taken_by(tmp_path, ALL_ELS, ARM64.stock_variable, EA=1, HCR=TEA,
                    **{access: 1}) == 1
