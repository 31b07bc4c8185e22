# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: how AArch32 state takes external aborts and SErrors.

A program without an operating system, bare/abort-a32.S.
"""

import re
import time
from pathlib import Path
from typing import Any, Callable, List, NamedTuple

import pytest

from ras import bare, environment
from ras.targets import ARM64

MACHINE = 'arm64'

# Nothing answers there; and a page of RAM that is poisoned.
NOWHERE = 0x0f000000
POISON = 0x40800000

# Of abort-a32.S, and the words there.
REPORT = 0x40700000
WORDS = 6
PROGRAM = 0x40600000

# SCR, HCR.
EA = 1 << 3
AMO = 1 << 5

# Vectors: prefetch abort, data abort, and whatever a lower level does.
PREFETCH = 0x0c
DATA = 0x10
TRAP = 0x14

# Modes, and the masks A, I and F.
ABT = 0x17
MON = 0x16
HYP = 0x1a
A_I = 0x180
A_I_F = 0x1c0

# Fault status: an external abort, in both formats; an SError; further bits.
SHORT = 0x08
LONG = 0x210
SHORT_ASYNC = 0x406
LONG_ASYNC = 0x211
ALIGNMENT = 0x001
WNR = 1 << 11
FNV = 1 << 16

# HSR: EC of a data abort.
LOWER_EL = 0x24 << 26
SAME_EL = 0x25 << 26


class Report(NamedTuple):
    """How the exception was taken."""

    offset: int
    mode: int
    masked: int
    status: int
    address: int


def read(vm: Any) -> List[int]:
    """The report as it is now, with RUNNING and DONE around it."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': f'xp /{WORDS}wx {REPORT:#x}'})
    return [int(word, 16) for word in re.findall(r'0x(\w{8})\b', text)]


def wait(vm: Any, word: int) -> List[int]:
    """Until a word of the report is set."""
    end = time.monotonic() + 60 * environment.time_factor()
    while not read(vm)[word]:
        assert time.monotonic() < end, read(vm)
        time.sleep(0.02)
    return read(vm)


def run(folder: Path, cpu: str, error: Callable[[Any], Any],
        **macros: int) -> Report:
    """What becomes of an @error that the program runs into or waits for."""
    program = folder / 'abort-a32'
    bare.build_aarch32(ARM64, 'abort-a32', program, PROGRAM,
                       **{'BAD': NOWHERE, **macros})
    loaders = ['-device', f'loader,file={program},cpu-num=0']
    if cpu == 'max':
        # Its highest levels are in AArch64 state.
        enter = folder / 'enter-a32'
        bare.build_arm64(ARM64, 'enter-a32', enter, ENTRY=PROGRAM)
        loaders = ['-device', f'loader,file={program}',
                   '-device', f'loader,file={enter},cpu-num=0']
    with bare.machine(
            ARM64.qemu_variable, '-machine',
            'virt,virtualization=on,secure=on,acpi=off,ras=on', '-cpu', cpu,
            '-m', '64M', '-S', '-nodefaults', *loaders,
            '-L', str(environment.path('RAS_FIRMWARE'))) as vm:
        if 'WAIT' in macros:
            vm.cmd('cont')
            wait(vm, 0)
            error(vm)
        else:
            error(vm)
            vm.cmd('cont')
        _, offset, cpsr, status, address, _ = wait(vm, WORDS - 1)
    return Report(offset, cpsr & 0x1f, cpsr & A_I_F, status, address)


def nothing(_: Any) -> None:
    """The address is one of nothing."""


def poison(vm: Any) -> None:
    """The page is poisoned."""
    vm.cmd('ras-inject', kind='memory', address=POISON, mode='poison',
           severity='recoverable')


def consume(vm: Any) -> None:
    """An error of which no address is known."""
    vm.cmd('ras-inject', kind='memory', address=POISON, mode='consume',
           severity='recoverable', vcpu=0)


def serror(vm: Any) -> None:
    """An SError, as it is without the RAS extension."""
    vm.cmd('ras-inject', kind='serror', vcpu=0)


@pytest.mark.parametrize('level, scr, macros, expected', [
    # Abort mode of both states, Hyp mode.
    (1, 0, {'LOAD': 1}, Report(DATA, ABT, A_I, SHORT, NOWHERE)),
    (3, 0, {'LOAD': 1}, Report(DATA, ABT, A_I, SHORT, NOWHERE)),
    (1, 0, {'FETCH': 1}, Report(PREFETCH, ABT, A_I, SHORT, NOWHERE)),
    (2, 0, {'LOAD': 1}, Report(DATA, HYP, A_I_F, SAME_EL | 0x10, NOWHERE)),
    # Monitor mode, wherever it comes from.
    (1, EA, {'LOAD': 1}, Report(DATA, MON, A_I_F, SHORT, NOWHERE)),
    (1, EA, {'STORE': 1}, Report(DATA, MON, A_I_F, SHORT | WNR, NOWHERE)),
    (1, EA, {'FETCH': 1}, Report(PREFETCH, MON, A_I_F, SHORT, NOWHERE)),
    (2, EA, {'LOAD': 1}, Report(DATA, MON, A_I_F, LONG, NOWHERE)),
    (3, EA, {'LOAD': 1}, Report(DATA, MON, A_I_F, SHORT, NOWHERE)),
    (1, EA, {'LOAD': 1, 'EAE': 1}, Report(DATA, MON, A_I_F, LONG, NOWHERE)),
    # That is no external abort.
    (1, EA, {'UNALIGNED': 1},
     Report(DATA, ABT, A_I, ALIGNMENT, NOWHERE + 1)),
])
def test_nothing_there(tmp_path: Path, level: int, scr: int, macros: Any,
                       expected: Report) -> None:
    """SCR.EA decides, for all external aborts and for nothing else."""
    assert run(tmp_path, 'cortex-a15', nothing, BEGINS_SECURE=1, HCR=0,
               LEVEL=level, SCR=scr, **macros) == expected


@pytest.mark.parametrize('level, scr, macros, expected', [
    (1, 0, {'LOAD': 1}, Report(DATA, ABT, A_I, SHORT, POISON)),
    (2, 0, {'LOAD': 1}, Report(DATA, HYP, A_I_F, SAME_EL | 0x10, POISON)),
    (1, EA, {'LOAD': 1}, Report(DATA, MON, A_I_F, SHORT, POISON)),
    (1, EA, {'STORE': 1}, Report(DATA, MON, A_I_F, SHORT | WNR, POISON)),
    (1, EA, {'FETCH': 1}, Report(PREFETCH, MON, A_I_F, SHORT, POISON)),
    (2, EA, {'LOAD': 1}, Report(DATA, MON, A_I_F, LONG, POISON)),
    (3, EA, {'LOAD': 1, 'EAE': 1}, Report(DATA, MON, A_I_F, LONG, POISON)),
])
def test_poison(tmp_path: Path, level: int, scr: int, macros: Any,
                expected: Report) -> None:
    """The same for a poisoned page."""
    assert run(tmp_path, 'cortex-a15', poison, BEGINS_SECURE=1, HCR=0,
               LEVEL=level, SCR=scr, BAD=POISON, **macros) == expected


@pytest.mark.parametrize('level, scr, hcr, macros, expected', [
    (1, 0, 0, {}, Report(DATA, ABT, A_I, SHORT_ASYNC, 0)),
    (1, 0, 0, {'EAE': 1}, Report(DATA, ABT, A_I, LONG_ASYNC, 0)),
    (1, 0, AMO, {}, Report(TRAP, HYP, A_I_F, LOWER_EL | 0x11, 0)),
    (2, 0, AMO, {}, Report(DATA, HYP, A_I_F, SAME_EL | 0x11, 0)),
    (1, EA, 0, {}, Report(DATA, MON, A_I_F, SHORT_ASYNC, 0)),
    # Monitor mode has the format of Secure state.
    (1, EA, 0, {'EAE': 1}, Report(DATA, MON, A_I_F, SHORT_ASYNC, 0)),
    (3, EA, 0, {'EAE': 1}, Report(DATA, MON, A_I_F, LONG_ASYNC, 0)),
])
# pylint: disable-next=too-many-arguments,too-many-positional-arguments
def test_serror(tmp_path: Path, level: int, scr: int, hcr: int, macros: Any,
                expected: Report) -> None:
    """Where an SError goes, and how it is told."""
    assert run(tmp_path, 'cortex-a15', serror, BEGINS_SECURE=1, WAIT=1,
               LEVEL=level, SCR=scr, HCR=hcr, **macros) == expected


@pytest.mark.parametrize('error, macros, status, address', [
    (poison, {'LOAD': 1}, SHORT, POISON),
    (poison, {'STORE': 1}, SHORT | WNR, POISON),
    (poison, {'STORE': 1, 'EAE': 1}, LONG | WNR, POISON),
    (consume, {'WAIT': 1}, SHORT | FNV, 0),
    (consume, {'WAIT': 1, 'EAE': 1}, LONG | FNV, 0),
])
def test_status_of_armv8(tmp_path: Path, error: Any, macros: Any, status: int,
                         address: int) -> None:
    """DFSR says whether it was a store, and whether DFAR is valid."""
    assert run(tmp_path, 'max', error, LEVEL=1, BAD=POISON, **macros) == \
        Report(DATA, ABT, A_I, status, address)


def test_status_of_armv7(tmp_path: Path) -> None:
    """There is no way to say that DFAR is not valid."""
    assert run(tmp_path, 'cortex-a15', consume, BEGINS_SECURE=1, LEVEL=1,
               SCR=0, HCR=0, WAIT=1) == Report(DATA, ABT, A_I, SHORT, 0)
