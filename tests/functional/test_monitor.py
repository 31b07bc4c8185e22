# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor (HMP) as a person uses it: what TAB completes."""

import re
import subprocess
from typing import List

import pytest

from ras import environment
from ras.targets import TARGETS

CLEAR_LINE = '\x01\x0b'
TERMINAL = r'\x1b\[[0-9]*[A-Z]|\r'


def typed(machine: str, *lines: str) -> List[str]:
    """What the monitor answers to these lines, on a machine with guest RAS."""
    target = TARGETS[machine]
    ended = subprocess.run([
        str(environment.path(target.qemu_variable)), *target.machine_args(),
        '-accel', 'tcg', '-display', 'none', '-nodefaults', '-S',
        '-L', str(environment.path('RAS_FIRMWARE')), '-monitor', 'stdio'],
        check=True, capture_output=True, text=True,
        input='\n'.join([*lines, 'quit', '']),
        timeout=60 * environment.time_factor())
    return re.sub(TERMINAL, '', ended.stdout).splitlines()


def ram(machine: str) -> int:
    """Where a machine has RAM."""
    return 0x40000000 if machine == 'arm64' else 0


@pytest.mark.parametrize('machine', sorted(TARGETS))
@pytest.mark.parametrize('severity', ['recoverable', 'fatal'])
def test_completed(machine: str, severity: str) -> None:
    """A few letters and TAB are a whole command."""
    answer = typed(machine,
                   f'ras_in\tm\t{ram(machine):#x} consu\t{severity[:1]}\t7',
                   f'ras_inj\t\t{ram(machine):#x} po\tr\t', 'info ras')
    assert any('vCPU 7' in line for line in answer)
    assert f'poisoned: {ram(machine):#x}..{ram(machine) + 0xfff:#x}, ' \
        'recoverable' in answer


@pytest.mark.parametrize('machine', sorted(TARGETS))
@pytest.mark.parametrize('begun, offered', [
    ('memory 0 ', ['consume', 'poison', 'report']),
    ('memory 0 poison ', ['corrected', 'fatal', 'recoverable']),
    ('memory 0 consume recoverable ', []),
    ('memory ', []),
    ('serror', []),
])
def test_offered(machine: str, begun: str, offered: List[str]) -> None:
    """TAB lists the words that can stand there, and those only."""
    before, after = (typed(machine, f'ras_inject {begun}{tab}{CLEAR_LINE}')
                     for tab in ('', '\t'))
    assert [line.split() for line in after
            if line not in before and not line.startswith('(qemu)')] == \
        ([offered] if offered else [])
