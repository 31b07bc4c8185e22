# SPDX-License-Identifier: GPL-2.0-or-later
"""ppc64: what the first access of a program finds, by CPU.

bare/accesses-ppc64.S, without an operating system.
"""

import re
import time
from pathlib import Path
from typing import Any, List, NamedTuple, Optional

import pytest

from ras import bare, environment
from ras.targets import PPC64

MACHINE = 'ppc64'

# Of accesses-ppc64.S.
REPORT = 0xf00
DONE = 1
VECTOR = 3
POISON = 0x10000000
EA_NOWHERE = 0x1008
EA_POISON = 0x2008

# Section MC of the log: where its type, sub-type and address are.
SECTION = b'MC\0\x28'
MC_TYPE, MC_SUB_TYPE, MC_EA = 16, 17, 24

# Access to control memory, by the instruction itself, with its address.
NOTHING_THERE = 8
OPERAND_WITH_EA = 0x90


class Found(NamedTuple):
    """What the log of the machine check says."""

    error_type: int
    sub_type: int
    address: int


def log(vm: Any, address: int) -> Found:
    """The log there."""
    text = vm.cmd('human-monitor-command',
                  **{'command-line': f'xp /512bx {address:#x}'})
    data = bytes(int(byte, 16) for byte in re.findall(r'0x(\w{2})\b', text))
    section = data[data.index(SECTION):]
    return Found(section[MC_TYPE], section[MC_SUB_TYPE],
                 int.from_bytes(section[MC_EA:MC_EA + 8], 'big'))


def report(vm: Any) -> List[int]:
    """What the program tells: the state, and four more."""
    vm.cmd('cont')
    end = time.monotonic() + 60 * environment.time_factor()
    while True:
        words = bare.doublewords(vm, REPORT, 5)
        if words[0]:
            return words
        assert time.monotonic() < end
        time.sleep(0.02)


def run(vm: Any) -> Optional[Found]:
    """The log of what the program runs into; None if it is nothing."""
    state, _, r3, *_ = report(vm)
    assert state != VECTOR
    return None if state == DONE else log(vm, r3)


@pytest.mark.parametrize('access', ['LOAD', 'STORE', 'FETCH'])
@pytest.mark.parametrize('cpu', ['power8', 'power9', 'power10'])
def test_nothing_there(tmp_path: Path, cpu: str, access: str) -> None:
    """All of them are told the same, whatever their registers can say."""
    with bare.pseries('accesses-ppc64', tmp_path, '-cpu', cpu, '-S',
                      '-accel', 'tcg', macro=access) as vm:
        assert run(vm) == Found(NOTHING_THERE, OPERAND_WITH_EA, EA_NOWHERE)


@pytest.mark.parametrize('access', ['LOAD', 'STORE'])
def test_nothing_there_power7(tmp_path: Path, access: str) -> None:
    """There is no machine check, as in the base."""
    with bare.pseries('accesses-ppc64', tmp_path, '-cpu', 'power7', '-S',
                      '-accel', 'tcg', macro=access) as vm:
        assert run(vm) is None


@pytest.mark.parametrize('access', ['LOAD', 'STORE', 'FETCH'])
@pytest.mark.parametrize('cpu', ['power8', 'power9', 'power10'])
def test_off_is_stock(tmp_path: Path, cpu: str, access: str) -> None:
    """Without guest RAS the vector and the registers are those of the base."""
    found = []
    for machine, variable in (('pseries,ras=off', PPC64.qemu_variable),
                              ('pseries', PPC64.stock_variable)):
        with bare.pseries('accesses-ppc64', tmp_path, '-machine', machine,
                          '-cpu', cpu, '-S', '-accel', 'tcg', macro=access,
                          variable=variable) as vm:
            found.append(report(vm))
    assert found[0] == found[1]
    assert found[0][0] == VECTOR


def test_cache_instructions_nowhere(tmp_path: Path) -> None:
    """They do not access what answers nobody."""
    with bare.pseries('accesses-ppc64', tmp_path, '-S', '-accel', 'tcg',
                      macro='CACHE_NOWHERE') as vm:
        assert run(vm) is None


@pytest.mark.skipif(not environment.has(PPC64.stock_variable),
                    reason='there is no build of the base')
def test_stock_loads_for_cache_instructions(tmp_path: Path) -> None:
    """They end in a machine check."""
    with bare.pseries('accesses-ppc64', tmp_path, '-S', '-accel', 'tcg',
                      macro='CACHE_NOWHERE',
                      variable=PPC64.stock_variable) as vm:
        assert report(vm)[0] == VECTOR


def test_cache_instructions(tmp_path: Path) -> None:
    """They do not access the page: the load that follows does."""
    with bare.pseries('accesses-ppc64', tmp_path, '-S', '-accel', 'tcg',
                      macro='CACHE') as vm:
        vm.cmd('ras-inject', kind='memory', address=POISON, mode='poison',
               severity='recoverable')
        found = run(vm)
        assert found and found.error_type == 0
        assert found.address == EA_POISON
        assert bare.doublewords(vm, REPORT, 4)[3] == 1
        assert vm.cmd('query-ras')['counters']['accepted'] == 1
